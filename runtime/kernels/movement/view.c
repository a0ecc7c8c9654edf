/* SPDX-License-Identifier: MIT */
/*
 * view.c -- operators that only see the same data under other dims, or look
 * at dims alone.  No data moves.
 */
#include <string.h>

#include "runtime/kernels/shared/move_p.h"

/* ---- Reshape, Flatten ---- */

static enum status reshape_dims(struct kcall *c, const int64_t *want, size_t n,
				int64_t *dim)
{
	const struct array *x = c->in[0];
	bool allowzero = node_attr_int(c->node, "allowzero", 0) != 0;
	int64_t known = 1;
	int free_at = -1;

	for (size_t i = 0; i < n; i++) {
		dim[i] = want[i];
		if (want[i] == 0 && !allowzero) {
			if (i >= (size_t)x->rank)
				return kcall_error(c, E_shape,
						   "dimension %zu copies one "
						   "that the input lacks",
						   i);
			dim[i] = x->dim[i];
		}
		if (want[i] == -1) {
			if (free_at >= 0)
				return kcall_error(c, E_value,
						   "two dimensions are -1");
			free_at = (int)i;
		} else if (want[i] < -1 || !mul_i64(known, dim[i], &known)) {
			return kcall_error(c, E_value, "dimension %zu is %lld",
					   i, (long long)want[i]);
		}
	}
	if (free_at >= 0 && known > 0 && x->n % known == 0)
		dim[free_at] = x->n / known;
	else if (free_at >= 0)
		return kcall_error(c, E_shape,
				   "%lld elements cannot fill the shape",
				   (long long)x->n);
	return OK;
}

enum status k_reshape(struct kcall *c)
{
	int64_t dim[KERNEL_MAX_RANK];
	const int64_t *want;
	size_t n;
	enum status st;

	if (c->node->op->since < 5) {
		if (!node_has_attr(c->node, "shape"))
			return kcall_error(c, E_attr, "shape is missing");
		want = node_attr_ints(c->node, "shape", &n);
		st = OK;
	} else {
		st = kcall_ints(c, 1, &want, &n);
	}
	if (!st)
		st = move_rank(c, n > INT32_MAX ? INT32_MAX : (int)n);
	if (!st)
		st = reshape_dims(c, want, n, dim);
	return st ? st : kcall_view(c, 0, c->in[0], (int)n, dim);
}

enum status k_flatten(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t axis = node_attr_int(c->node, "axis", 1);
	int64_t dim[2];

	if (axis < 0)
		axis += x->rank;
	if (axis < 0 || axis > x->rank)
		return kcall_error(c, E_value, "axis %lld for rank %d",
				   (long long)axis, x->rank);
	dim[0] = dims_product(x, 0, (int)axis);
	dim[1] = dims_product(x, (int)axis, x->rank);
	return kcall_view(c, 0, c->in[0], 2, dim);
}

/* ---- Squeeze, Unsqueeze ---- */

/* Bit k: axis k, counted in `rank` dims, is listed. */
static enum status axis_set(struct kcall *c, const int64_t *axes, size_t n,
			    int rank, bool twice_ok, uint32_t *set)
{
	*set = 0;
	for (size_t i = 0; i < n; i++) {
		int a;
		enum status st = kcall_axis(c, axes[i], rank, &a);

		if (st)
			return st;
		if ((*set >> a & 1) && !twice_ok)
			return kcall_error(c, E_value, "axis %d is repeated",
					   a);
		*set |= 1u << a;
	}
	return OK;
}

enum status k_squeeze(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK];
	const int64_t *axes;
	uint32_t set = 0;
	int rank = 0;
	size_t n;
	enum status st = kcall_attr_or_ints(c, "axes", 1, &axes, &n);

	if (!st)
		st = move_rank(c, x->rank);
	if (!st)
		st = axis_set(c, axes, n, x->rank, true, &set);
	if (st)
		return st;
	for (int i = 0; i < x->rank; i++) {
		bool drop = n ? set >> i & 1 : x->dim[i] == 1;

		if (drop && x->dim[i] != 1)
			return kcall_error(c, E_shape,
					   "dimension %d is %lld, not 1", i,
					   (long long)x->dim[i]);
		if (!drop)
			dim[rank++] = x->dim[i];
	}
	return kcall_view(c, 0, c->in[0], rank, dim);
}

enum status k_unsqueeze(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK];
	const int64_t *axes;
	uint32_t set;
	int rank, from = 0;
	size_t n;
	enum status st = kcall_attr_or_ints(c, "axes", 1, &axes, &n);

	if (st)
		return st;
	if (n > KERNEL_MAX_RANK || x->rank > KERNEL_MAX_RANK - (int)n)
		return move_rank(c, KERNEL_MAX_RANK + 1);
	rank = x->rank + (int)n;
	st = axis_set(c, axes, n, rank, false, &set);
	if (st)
		return st;
	for (int i = 0; i < rank; i++)
		dim[i] = set >> i & 1 ? 1 : x->dim[from++];
	return kcall_view(c, 0, c->in[0], rank, dim);
}

/* ---- Identity ---- */

enum status k_identity(struct kcall *c)
{
	kcall_pass(c, 0, c->in[0]);
	return OK;
}

/* ---- Shape, Size ---- */

static int64_t clamp_axis(int64_t v, int rank)
{
	if (v < 0)
		v = v < -rank ? 0 : v + rank;
	return v > rank ? rank : v;
}

enum status k_shape(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t from = clamp_axis(node_attr_int(c->node, "start", 0), x->rank);
	int64_t to =
		clamp_axis(node_attr_int(c->node, "end", x->rank), x->rank);
	int64_t n = to > from ? to - from : 0;
	struct array *y = kcall_out(c, 0, DT_I64, 1, &n);

	if (!y)
		return LIMIT;
	memcpy(y->data, x->dim + from, (size_t)n * sizeof *x->dim);
	return OK;
}

enum status k_size(struct kcall *c)
{
	struct array *y = kcall_out(c, 0, DT_I64, 0, NULL);

	if (!y)
		return LIMIT;
	memcpy(y->data, &c->in[0]->n, sizeof c->in[0]->n);
	return OK;
}

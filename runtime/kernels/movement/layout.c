/* SPDX-License-Identifier: MIT */
/*
 * layout.c -- operators that lay the same elements out anew: Transpose,
 * Expand, Tile, Concat, Split, Slice, DepthToSpace, SpaceToDepth.
 *
 * All reduce to strided copies (move.c).
 */
#include <string.h>

#include "runtime/kernels/shared/move_p.h"

/* Byte steps of a contiguous array. */
static void byte_strides(const struct array *a, size_t es, int64_t *stride)
{
	int64_t s = (int64_t)es;

	for (int d = a->rank - 1; d >= 0; d--) {
		stride[d] = s;
		s *= a->dim[d] ? a->dim[d] : 1;
	}
}

/* ---- Transpose ---- */

static enum status read_perm(struct kcall *c, int rank, int *perm)
{
	size_t n;
	const int64_t *p = node_attr_ints(c->node, "perm", &n);
	uint64_t seen = 0;

	for (int i = 0; i < rank; i++)
		perm[i] = rank - 1 - i;
	if (!node_has_attr(c->node, "perm"))
		return OK;
	if (n != (size_t)rank)
		return kcall_error(c, E_attr,
				   "perm has %zu entries for rank %d", n, rank);
	for (int i = 0; i < rank; i++) {
		enum status st = kcall_axis(c, p[i], rank, &perm[i]);

		if (st)
			return st;
		if (seen >> perm[i] & 1)
			return kcall_error(c, E_attr, "perm repeats %d",
					   perm[i]);
		seen |= (uint64_t)1 << perm[i];
	}
	return OK;
}

enum status k_transpose(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK], step[KERNEL_MAX_RANK];
	int64_t in_step[KERNEL_MAX_RANK];
	int perm[KERNEL_MAX_RANK];
	struct elems in, out;
	struct array *y;
	enum status st = move_rank(c, x->rank);

	if (!st)
		st = read_perm(c, x->rank, perm);
	if (!st)
		st = elems_in(c, x, &in);
	if (st)
		return st;
	byte_strides(x, in.size, in_step);
	for (int i = 0; i < x->rank; i++) {
		dim[i] = x->dim[perm[i]];
		step[i] = in_step[perm[i]];
	}
	st = move_out(c, 0, x->dt, x->rank, dim, &y, &out);
	if (st)
		return st;
	move_strided(x->rank, dim, in.size, out.p, in.p, step);
	elems_done(&out);
	return OK;
}

/* ---- Expand ---- */

static enum status expand_dims(struct kcall *c, const int64_t *want, size_t n,
			       int *rank, int64_t *dim)
{
	const struct array *x = c->in[0];
	enum status st = move_rank(c, n > INT32_MAX ? INT32_MAX : (int)n);

	if (!st)
		st = move_rank(c, x->rank);
	if (st)
		return st;
	*rank = x->rank > (int)n ? x->rank : (int)n;
	for (int i = 0; i < *rank; i++) {
		int xi = i - (*rank - x->rank), wi = i - (*rank - (int)n);
		int64_t a = xi < 0 ? 1 : x->dim[xi];
		int64_t b = wi < 0 ? 1 : want[wi];

		if (b < 0 || (a != b && a != 1 && b != 1))
			return kcall_error(c, E_shape,
					   "dimension %d of %lld cannot "
					   "become %lld",
					   i, (long long)a, (long long)b);
		dim[i] = a == 1 ? b : a;
	}
	return OK;
}

enum status k_expand(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK], step[KERNEL_MAX_RANK];
	int64_t in_step[KERNEL_MAX_RANK];
	struct elems in, out;
	const int64_t *want;
	struct array *y;
	int rank;
	size_t n;
	enum status st = kcall_ints(c, 1, &want, &n);

	if (!st)
		st = expand_dims(c, want, n, &rank, dim);
	if (!st)
		st = elems_in(c, x, &in);
	if (!st)
		st = move_out(c, 0, x->dt, rank, dim, &y, &out);
	if (st)
		return st;
	byte_strides(x, in.size, in_step);
	for (int i = 0; i < rank; i++) {
		int xi = i - (rank - x->rank);

		step[i] = xi < 0 || x->dim[xi] == 1 ? 0 : in_step[xi];
	}
	move_strided(rank, dim, in.size, out.p, in.p, step);
	elems_done(&out);
	return OK;
}

/* ---- Tile ---- */

/* Version 1 repeats along one axis; its repeats and axis are inputs. */
/* Input j as integers, which version 1 of Tile and Split wrote in the type of
 * the data. */
static enum status whole_numbers(struct kcall *c, uint32_t j, const int64_t **v,
				 size_t *n)
{
	const struct array *a = kcall_has(c, j) ? c->in[j] : NULL;
	int64_t *out;

	if (!a || c->node->op->since > 1 || !dtype_is_float(a->dt))
		return kcall_ints(c, j, v, n);
	out = kcall_scratch(c, (size_t)a->n * sizeof *out);
	if (!out)
		return LIMIT;
	for (int64_t i = 0; i < a->n; i++) {
		double x = dtype_get(a->dt, a->data, (size_t)i);

		if (!(x > -0x1p53 && x < 0x1p53) || x != (double)(int64_t)x)
			return kcall_error(c, E_value,
					   "input %u has the value "
					   "%g, which is no integer",
					   j, x);
		out[i] = (int64_t)x;
	}
	*v = out;
	*n = (size_t)a->n;
	return OK;
}

/* Tile before version 6: one axis. */
static enum status tile_axis(struct kcall *c, int64_t *rep)
{
	const int64_t *tiles, *axis;
	size_t n, naxis;
	int a;
	enum status st = whole_numbers(c, 1, &tiles, &n);

	if (!st)
		st = whole_numbers(c, 2, &axis, &naxis);
	if (!st && (n != 1 || naxis != 1))
		st = kcall_error(c, E_shape, "tiles or axis is no scalar");
	if (!st)
		st = kcall_axis(c, axis[0], c->in[0]->rank, &a);
	for (int i = 0; !st && i < c->in[0]->rank; i++)
		rep[i] = i == a ? tiles[0] : 1;
	return st;
}

static enum status tile_repeats(struct kcall *c, int64_t *rep)
{
	const struct array *x = c->in[0];
	const int64_t *v;
	size_t n;
	enum status st;

	if (c->node->op->since < 6) {
		st = tile_axis(c, rep);
		if (st)
			return st;
	} else {
		st = kcall_ints(c, 1, &v, &n);
		if (!st && n != (size_t)x->rank)
			st = kcall_error(c, E_shape, "%zu repeats for rank %d",
					 n, x->rank);
		if (st)
			return st;
		memcpy(rep, v, n * sizeof *v);
	}
	for (int i = 0; i < x->rank; i++)
		if (rep[i] < 0)
			return kcall_error(c, E_value, "negative repeats");
	return OK;
}

/* Each axis becomes two, (repeat, dim), the first with step 0. */
enum status k_tile(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t rep[KERNEL_MAX_RANK], dim[KERNEL_MAX_RANK];
	int64_t in_step[KERNEL_MAX_RANK];
	int64_t wide[KERNEL_MAX_RANK], step[KERNEL_MAX_RANK];
	struct elems in, out;
	struct array *y;
	int w = 0;
	enum status st = move_rank(c, x->rank);

	if (!st)
		st = tile_repeats(c, rep);
	if (!st)
		st = elems_in(c, x, &in);
	if (st)
		return st;
	byte_strides(x, in.size, in_step);
	for (int i = 0; i < x->rank; i++) {
		if (!mul_i64(x->dim[i], rep[i], &dim[i]))
			return kcall_error(c, E_dims,
					   "the result is too large");
		if (w + 2 > KERNEL_MAX_RANK)
			return move_rank(c, KERNEL_MAX_RANK + 1);
		if (rep[i] != 1) {
			wide[w] = rep[i];
			step[w++] = 0;
		}
		wide[w] = x->dim[i];
		step[w++] = in_step[i];
	}
	st = move_out(c, 0, x->dt, x->rank, dim, &y, &out);
	if (st)
		return st;
	move_strided(w, wide, in.size, out.p, in.p, step);
	elems_done(&out);
	return OK;
}

/* ---- Concat, Split ---- */

static enum status concat_dims(struct kcall *c, int axis, int64_t *dim)
{
	const struct array *x = c->in[0];

	memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
	dim[axis] = 0;
	for (uint32_t k = 0; k < c->nin; k++) {
		const struct array *a = c->in[k];

		if (!a || a->dt != x->dt || a->rank != x->rank)
			return kcall_error(c, E_type,
					   "input %u differs in type or rank",
					   k);
		for (int i = 0; i < x->rank; i++)
			if (i != axis && a->dim[i] != dim[i])
				return kcall_error(
					c, E_shape,
					"input %u has %lld along dimension "
					"%d, others %lld",
					k, (long long)a->dim[i], i,
					(long long)dim[i]);
		if (!add_i64(dim[axis], a->dim[axis], &dim[axis]))
			return kcall_error(c, E_dims, "the result is too long");
	}
	return OK;
}

/* rows of `bytes` each, `from` and `to` bytes apart */
static void copy_rows(uint8_t *dst, size_t to, const uint8_t *src, size_t from,
		      size_t bytes, int64_t rows)
{
	for (int64_t r = 0; r < rows; r++)
		memcpy(dst + (size_t)r * to, src + (size_t)r * from, bytes);
}

enum status k_concat(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK];
	struct elems in, out;
	struct array *y;
	size_t row, at = 0;
	int axis;
	enum status st = move_rank(c, x->rank);

	/* Version 1 has a default. */
	if (!st)
		st = kcall_axis(c, node_attr_int(c->node, "axis", 1), x->rank,
				&axis);
	if (!st)
		st = concat_dims(c, axis, dim);
	if (!st)
		st = move_out(c, 0, x->dt, x->rank, dim, &y, &out);
	if (st || y->n == 0)
		return st;
	row = (size_t)dims_product(y, axis, y->rank) * out.size;
	for (uint32_t k = 0; k < c->nin; k++) {
		const struct array *a = c->in[k];
		size_t part = (size_t)dims_product(a, axis, a->rank) * out.size;

		st = elems_in(c, a, &in);
		if (st)
			return st;
		copy_rows(out.p + at, row, in.p, part, part,
			  dims_product(y, 0, axis));
		at += part;
	}
	elems_done(&out);
	return OK;
}

/* Sizes from the list, or equal parts, the last one smaller. */
static enum status split_sizes(struct kcall *c, int64_t len, int64_t *size)
{
	const int64_t *v;
	size_t n;
	int64_t sum = 0, part;
	enum status st = OK;

	if (node_has_attr(c->node, "split"))
		v = node_attr_ints(c->node, "split", &n);
	else
		st = whole_numbers(c, 1, &v, &n);
	if (st)
		return st;
	if (v && n != c->nout)
		return kcall_error(c, E_value, "%zu sizes for %u outputs", n,
				   c->nout);
	part = (len + c->nout - 1) / c->nout;
	if (!v && (c->node->op->since < 18 ? len % c->nout
					   : part * (c->nout - 1) > len))
		return kcall_error(c, E_shape,
				   "%lld do not split into %u equal parts",
				   (long long)len, c->nout);
	for (uint32_t i = 0; i < c->nout; i++) {
		int64_t rest = len - sum;

		size[i] = v ? v[i] : rest < part ? rest : part;
		if (size[i] < 0 || !add_i64(sum, size[i], &sum) || sum > len)
			return kcall_error(c, E_value, "sizes do not add up");
	}
	if (sum != len)
		return kcall_error(c, E_value, "sizes add up to %lld of %lld",
				   (long long)sum, (long long)len);
	return OK;
}

enum status k_split(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK], *size;
	struct elems in, out;
	struct array *y;
	size_t row, at = 0;
	int axis;
	enum status st = move_rank(c, x->rank);

	if (!st)
		st = kcall_axis(c, node_attr_int(c->node, "axis", 0), x->rank,
				&axis);
	size = kcall_scratch(c, c->nout * sizeof *size);
	if (!st && !size)
		st = LIMIT;
	if (!st)
		st = split_sizes(c, x->dim[axis], size);
	if (!st)
		st = elems_in(c, x, &in);
	if (st)
		return st;
	row = (size_t)dims_product(x, axis, x->rank) * in.size;
	memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
	for (uint32_t k = 0; k < c->nout; k++) {
		size_t part;

		dim[axis] = size[k];
		st = move_out(c, k, x->dt, x->rank, dim, &y, &out);
		if (st)
			return st;
		part = (size_t)dims_product(y, axis, y->rank) * in.size;
		if (y->n)
			copy_rows(out.p, part, in.p + at, row, part,
				  dims_product(x, 0, axis));
		elems_done(&out);
		at += part;
	}
	return OK;
}

/* ---- Slice ---- */

struct slice {
	int64_t start[KERNEL_MAX_RANK], step[KERNEL_MAX_RANK];
	int64_t dim[KERNEL_MAX_RANK];
};

/* One axis by the rules of ONNX: bounds are clamped. */
static enum status slice_axis(struct kcall *c, struct slice *s, int axis,
			      int64_t start, int64_t end, int64_t step)
{
	int64_t len = c->in[0]->dim[axis];
	int64_t lo = step > 0 ? 0 : -1, hi = step > 0 ? len : len - 1;

	if (step == 0)
		return kcall_error(c, E_value, "the step is 0");
	if (step == INT64_MIN)
		step++;
	start = start < 0 ? start + len : start;
	end = end < 0 ? end + len : end;
	/* A start below the range is clamped to its first element. */
	start = start < 0 ? 0 : start > hi ? hi : start;
	end = end < lo ? lo : end > len ? len : end;
	s->start[axis] = start;
	s->step[axis] = step;
	if (len == 0)
		s->dim[axis] = s->start[axis] = 0;
	else if (step > 0)
		s->dim[axis] = end > start ? (end - start - 1) / step + 1 : 0;
	else
		s->dim[axis] = start > end ? (start - end - 1) / -step + 1 : 0;
	return OK;
}

static enum status slice_read(struct kcall *c, struct slice *s)
{
	const struct array *x = c->in[0];
	const int64_t *start, *end, *axes, *steps;
	size_t n, nend, naxes, nsteps;
	uint64_t seen = 0;
	enum status st;

	for (int i = 0; i < x->rank; i++) {
		s->start[i] = 0;
		s->step[i] = 1;
		s->dim[i] = x->dim[i];
	}
	st = kcall_attr_or_ints(c, "starts", 1, &start, &n);
	if (!st)
		st = kcall_attr_or_ints(c, "ends", 2, &end, &nend);
	if (!st)
		st = kcall_attr_or_ints(c, "axes", 3, &axes, &naxes);
	if (!st)
		st = kcall_ints(c, 4, &steps, &nsteps);
	if (st)
		return st;
	if (nend != n || (axes && naxes != n) || (steps && nsteps != n) ||
	    (!axes && n > (size_t)x->rank))
		return kcall_error(c, E_value, "lists of different lengths");
	for (size_t i = 0; i < n; i++) {
		int a;

		st = kcall_axis(c, axes ? axes[i] : (int64_t)i, x->rank, &a);
		if (!st && (seen >> a & 1))
			st = kcall_error(c, E_value, "axis %d is repeated", a);
		if (!st)
			st = slice_axis(c, s, a, start[i], end[i],
					steps ? steps[i] : 1);
		if (st)
			return st;
		seen |= (uint64_t)1 << a;
	}
	return OK;
}

enum status k_slice(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t in_step[KERNEL_MAX_RANK];
	struct elems in, out;
	struct slice s;
	struct array *y;
	int64_t off = 0;
	enum status st = move_rank(c, x->rank);

	if (!st)
		st = slice_read(c, &s);
	if (!st)
		st = elems_in(c, x, &in);
	if (!st)
		st = move_out(c, 0, x->dt, x->rank, s.dim, &y, &out);
	if (st || y->n == 0)
		return st;
	byte_strides(x, in.size, in_step);
	for (int i = 0; i < x->rank; i++) {
		off += s.start[i] * in_step[i];
		/* Of a single element the step does not matter. */
		in_step[i] = s.dim[i] > 1 ? in_step[i] * s.step[i] : 0;
	}
	move_strided(x->rank, s.dim, in.size, out.p, in.p + off, in_step);
	elems_done(&out);
	return OK;
}

/* ---- DepthToSpace, SpaceToDepth ---- */

/* x seen as `from` dims, its axes in the order of perm, gives y. */
static enum status block_move(struct kcall *c, const int64_t *from,
			      const int *perm, const int64_t *ydim)
{
	const struct array *x = c->in[0];
	int64_t step[6], dim[6], s;
	struct elems in, out;
	struct array *y;
	enum status st = elems_in(c, x, &in);

	if (!st)
		st = move_out(c, 0, x->dt, 4, ydim, &y, &out);
	if (st)
		return st;
	for (int i = 0; i < 6; i++) {
		dim[i] = from[perm[i]];
		s = (int64_t)in.size;
		for (int k = perm[i] + 1; k < 6; k++)
			s *= from[k];
		step[i] = s;
	}
	move_strided(6, dim, in.size, out.p, in.p, step);
	elems_done(&out);
	return OK;
}

static enum status block_size(struct kcall *c, int64_t *b)
{
	*b = node_attr_int(c->node, "blocksize", 0);
	if (c->in[0]->rank != 4)
		return kcall_error(c, E_shape, "rank %d, expected 4",
				   c->in[0]->rank);
	if (*b < 1 || *b > INT32_MAX)
		return kcall_error(c, E_attr, "blocksize %lld", (long long)*b);
	return OK;
}

enum status k_depth_to_space(struct kcall *c)
{
	static const int dcr[] = {0, 3, 4, 1, 5, 2};
	static const int crd[] = {0, 1, 4, 2, 5, 3};
	const int64_t *d = c->in[0]->dim;
	struct str mode = node_attr_str(c->node, "mode", "DCR");
	bool is_crd = str_is(mode, "CRD");
	int64_t b, y[4];
	enum status st = block_size(c, &b);

	if (!st && !is_crd && !str_is(mode, "DCR"))
		st = kcall_error(c, E_attr, "mode is neither DCR nor CRD");
	if (!st && (d[1] % (b * b) || !mul_i64(d[2], b, &y[2]) ||
		    !mul_i64(d[3], b, &y[3])))
		st = kcall_error(c, E_shape, "%lld channels for blocks of %lld",
				 (long long)d[1], (long long)b);
	if (st)
		return st;
	y[0] = d[0];
	y[1] = d[1] / (b * b);
	if (is_crd)
		return block_move(c, (int64_t[]){d[0], y[1], b, b, d[2], d[3]},
				  crd, y);
	return block_move(c, (int64_t[]){d[0], b, b, y[1], d[2], d[3]}, dcr, y);
}

enum status k_space_to_depth(struct kcall *c)
{
	static const int perm[] = {0, 3, 5, 1, 2, 4};
	const int64_t *d = c->in[0]->dim;
	int64_t b, y[4];
	enum status st = block_size(c, &b);

	if (!st && (d[2] % b || d[3] % b || !mul_i64(d[1], b * b, &y[1])))
		st = kcall_error(
			c, E_shape, "%lldx%lld is not a multiple of %lld",
			(long long)d[2], (long long)d[3], (long long)b);
	if (st)
		return st;
	y[0] = d[0];
	y[2] = d[2] / b;
	y[3] = d[3] / b;
	return block_move(c, (int64_t[]){d[0], d[1], y[2], b, y[3], b}, perm,
			  y);
}

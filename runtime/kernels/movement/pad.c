/* SPDX-License-Identifier: MIT */
/*
 * pad.c -- Pad, all versions and modes, and CenterCropPad, which pads by what
 * it computes.
 *
 * Per axis, a table tells which input position each output position copies
 * (-1: the fill value); rows along the last axis copy their middle at once.
 */
#include <string.h>

#include "runtime/kernels/shared/move_p.h"

enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };

struct pad {
	enum pad_mode mode;
	int rank;
	int64_t before[KERNEL_MAX_RANK], after[KERNEL_MAX_RANK];
	int64_t dim[KERNEL_MAX_RANK];
	int64_t *from[KERNEL_MAX_RANK]; /* per axis, dim entries */
	int64_t stride[KERNEL_MAX_RANK];
	const uint8_t *fill;
};

static enum status pad_mode(struct kcall *c, enum pad_mode *m)
{
	static const char *const names[] = {"constant", "reflect", "edge",
					    "wrap"};
	struct str s = node_attr_str(c->node, "mode", "constant");

	for (size_t i = 0; i < countof(names); i++)
		if (str_is(s, names[i])) {
			*m = (enum pad_mode)i;
			return OK;
		}
	return kcall_error(c, E_attr, "mode is not one that ONNX names");
}

static enum status pad_lists(struct kcall *c, struct pad *p)
{
	const char *name = c->node->op->since < 2 ? "paddings" : "pads";
	const int64_t *v, *axes = NULL;
	size_t n, naxes = (size_t)p->rank;
	enum status st;

	if (c->node->op->since < 11) {
		v = node_attr_ints(c->node, name, &n);
		st = OK;
	} else {
		st = kcall_ints(c, 1, &v, &n);
	}
	if (!st && c->node->op->since >= 18)
		st = kcall_ints(c, 3, &axes, &naxes);
	if (st)
		return st;
	if (!axes)
		naxes = (size_t)p->rank;
	if (n != 2 * naxes)
		return kcall_error(c, E_value, "%zu pads for %zu axes", n,
				   naxes);
	for (size_t i = 0; i < naxes; i++) {
		int a;

		st = kcall_axis(c, axes ? axes[i] : (int64_t)i, p->rank, &a);
		if (st)
			return st;
		p->before[a] = v[i];
		p->after[a] = v[naxes + i];
	}
	return OK;
}

/* Input position of output position i - before, or -1. */
static int64_t pad_source(enum pad_mode m, int64_t i, int64_t len)
{
	if (i >= 0 && i < len)
		return i;
	switch (m) {
	case PAD_EDGE:
		return i < 0 ? 0 : len - 1;
	case PAD_WRAP:
		i %= len;
		return i < 0 ? i + len : i;
	case PAD_REFLECT:
		if (len == 1)
			return 0;
		i %= 2 * (len - 1);
		i = i < 0 ? -i : i;
		return i < len ? i : 2 * (len - 1) - i;
	default:
		return -1;
	}
}

static enum status pad_axis(struct kcall *c, struct pad *p, int d)
{
	int64_t len = c->in[0]->dim[d], n;

	if (!add_i64(len, p->before[d], &n) || !add_i64(n, p->after[d], &n) ||
	    n < 0)
		return kcall_error(c, E_value, "pads %lld and %lld for %lld",
				   (long long)p->before[d],
				   (long long)p->after[d], (long long)len);
	if (len == 0 && n > 0 && p->mode != PAD_CONSTANT)
		return kcall_error(c, E_value, "nothing to repeat");
	if (n > INT64_MAX / 16)
		return kcall_error(c, E_dims, "the result is too large");
	p->dim[d] = n;
	p->from[d] = kcall_scratch(c, (size_t)n * sizeof(int64_t));
	if (!p->from[d])
		return LIMIT;
	for (int64_t i = 0; i < n; i++)
		p->from[d][i] = pad_source(p->mode, i - p->before[d], len);
	return OK;
}

static enum status pad_fill(struct kcall *c, struct pad *p)
{
	enum dtype dt = c->in[0]->dt;
	uint8_t *one = kcall_scratch(c, 16);
	struct elems e;
	enum status st;

	if (!one)
		return LIMIT;
	p->fill = one;
	if (c->node->op->since < 11) {
		if (dt != DT_STRING && dtype_kind(dt) != 'c')
			dtype_set(dt, one, 0,
				  node_attr_float(c->node, "value", 0));
		return OK;
	}
	if (!kcall_has(c, 2))
		return OK;
	if (c->in[2]->n != 1 || c->in[2]->dt != dt)
		return kcall_error(c, E_type, "the fill value does not fit");
	st = elems_in(c, c->in[2], &e);
	p->fill = e.p;
	return st;
}

/* One row along the last axis; src NULL: outside. */
static void pad_row(const struct pad *p, const uint8_t *src, uint8_t *dst,
		    size_t es)
{
	int last = p->rank - 1;
	int64_t n = p->dim[last];

	for (int64_t i = 0; i < n; i++) {
		int64_t at = p->from[last][i], run = 1;

		if (!src || at < 0) {
			memcpy(dst + (size_t)i * es, p->fill, es);
			continue;
		}
		while (i + run < n && p->from[last][i + run] == at + run)
			run++;
		memcpy(dst + (size_t)i * es, src + (size_t)at * es,
		       (size_t)run * es);
		i += run - 1;
	}
}

static void pad_all(const struct pad *p, const uint8_t *src, uint8_t *dst,
		    size_t es, int64_t rows)
{
	int64_t idx[KERNEL_MAX_RANK] = {0};

	for (int64_t r = 0; r < rows; r++) {
		bool inside = true;
		int64_t off = 0;

		for (int d = 0; d < p->rank - 1; d++) {
			int64_t at = p->from[d][idx[d]];

			inside &= at >= 0;
			off += at * p->stride[d];
		}
		pad_row(p, inside ? src + (size_t)off * es : NULL,
			dst + (size_t)(r * p->dim[p->rank - 1]) * es, es);
		for (int d = p->rank - 2; d >= 0; d--) {
			if (++idx[d] < p->dim[d])
				break;
			idx[d] = 0;
		}
	}
}

/* The axes' tables, then the data. */
static enum status pad_run(struct kcall *c, struct pad *p)
{
	const struct array *x = c->in[0];
	struct elems in, out;
	struct array *y;
	int64_t s = 1;
	enum status st = OK;

	for (int d = 0; !st && d < x->rank; d++)
		st = pad_axis(c, p, d);
	if (!st)
		st = elems_in(c, x, &in);
	if (!st)
		st = move_out(c, 0, x->dt, x->rank, p->dim, &y, &out);
	if (st || y->n == 0)
		return st;
	for (int d = x->rank - 1; d >= 0; d--) {
		p->stride[d] = s;
		s *= x->dim[d];
	}
	pad_all(p, in.p, out.p, in.size, y->n / p->dim[x->rank - 1]);
	elems_done(&out);
	return OK;
}

enum status k_pad(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct pad p = {.rank = x->rank};
	enum status st = move_rank(c, x->rank);

	if (!st && x->rank == 0) {
		kcall_pass(c, 0, c->in[0]);
		return OK;
	}
	if (!st)
		st = pad_mode(c, &p.mode);
	if (!st)
		st = pad_lists(c, &p);
	if (!st)
		st = pad_fill(c, &p);
	return st ? st : pad_run(c, &p);
}

/* ---- CenterCropPad ---- */

/* Half of the difference, rounded toward zero, goes before. */
static enum status center_lists(struct kcall *c, struct pad *p)
{
	const struct array *x = c->in[0];
	const int64_t *size, *axes;
	size_t n, naxes;
	enum status st = kcall_ints(c, 1, &size, &n);

	axes = node_attr_ints(c->node, "axes", &naxes);
	if (!axes)
		naxes = (size_t)x->rank;
	if (!st && n != naxes)
		st = kcall_error(c, E_shape, "%zu sizes for %zu axes", n,
				 naxes);
	for (size_t i = 0; !st && i < n; i++) {
		int64_t more;
		int a;

		st = kcall_axis(c, axes ? axes[i] : (int64_t)i, x->rank, &a);
		if (st)
			return st;
		if (size[i] < 0)
			return kcall_error(c, E_value, "size %lld",
					   (long long)size[i]);
		more = size[i] - x->dim[a];
		p->before[a] = more / 2;
		p->after[a] = more - more / 2;
	}
	return st;
}

enum status k_center_crop_pad(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct pad p = {.mode = PAD_CONSTANT, .rank = x->rank};
	enum status st = move_rank(c, x->rank);

	if (!st)
		st = center_lists(c, &p);
	if (!st && x->rank == 0) {
		kcall_pass(c, 0, c->in[0]);
		return OK;
	}
	p.fill = kcall_scratch(c, 16);
	if (!p.fill)
		return LIMIT;
	return st ? st : pad_run(c, &p);
}

/* SPDX-License-Identifier: MIT */
/*
 * arg.c -- ArgMax, ArgMin.
 *
 * The first NaN wins; equal values go to the first or, with
 * select_last_index, the last of them.  Rows along the axis, or neighbouring
 * columns of it, are read as lanes.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/move_p.h"

/* Threads pay from about 0.2 ms of work on: ARG_WORTH elements. */
enum { ARG_BLOCK = 256, ARG_WORTH = 1 << 17 };

struct arg {
	const struct array *x;
	int64_t *out;
	int64_t len, inner, rows, chunk; /* chunk: outputs per task */
	enum lane lane;
	bool min, last;
};

/* Is v better than best? */
static bool better_f(const struct arg *a, double v, double best)
{
	if (best != best)
		return a->last && v != v;
	if (v != v)
		return true;
	if (v == best)
		return a->last;
	return a->min ? v < best : v > best;
}

static bool better_i(const struct arg *a, int64_t v, int64_t best)
{
	bool less =
		a->x->dt == DT_U64 ? (uint64_t)v < (uint64_t)best : v < best;

	if (v == best)
		return a->last;
	return a->min == less;
}

union lane_value {
	double f;
	int64_t i;
};

static bool better(const struct arg *a, union lane_value v,
		   union lane_value best)
{
	return a->lane == LANE_F64 ? better_f(a, v.f, best.f)
				   : better_i(a, v.i, best.i);
}

/* One output whose elements are neighbours. */
static void arg_row(const struct arg *a, int64_t row)
{
	union lane_value buf[ARG_BLOCK], best;
	int64_t base = row * a->len, at = 0;

	for (int64_t k = 0; k < a->len; k += ARG_BLOCK) {
		int64_t n = a->len - k < ARG_BLOCK ? a->len - k : ARG_BLOCK;

		lanes_load(a->lane, a->x->dt, a->x->data, base + k, 1,
			   (size_t)n, buf);
		if (k == 0)
			best = buf[0];
		for (int64_t i = k == 0; i < n; i++)
			if (better(a, buf[i], best)) {
				best = buf[i];
				at = k + i;
			}
	}
	a->out[row] = at;
}

/* w neighbouring outputs from number `row` on. */
static void arg_columns(const struct arg *a, int64_t row, int64_t w)
{
	union lane_value buf[ARG_BLOCK], best[ARG_BLOCK];
	int64_t base = row / a->inner * a->len * a->inner + row % a->inner;

	memset(&a->out[row], 0, (size_t)w * sizeof *a->out);
	for (int64_t k = 0; k < a->len; k++) {
		lanes_load(a->lane, a->x->dt, a->x->data, base + k * a->inner,
			   1, (size_t)w, buf);
		if (k == 0)
			memcpy(best, buf, (size_t)w * sizeof *buf);
		for (int64_t i = 0; i < w && k; i++)
			if (better(a, buf[i], best[i])) {
				best[i] = buf[i];
				a->out[row + i] = k;
			}
	}
}

static void arg_chunk(void *ctx, size_t chunk)
{
	const struct arg *a = ctx;
	int64_t lo = (int64_t)chunk * a->chunk, hi = lo + a->chunk, w;

	hi = hi < a->rows ? hi : a->rows;
	for (int64_t i = lo; i < hi; i += w) {
		w = 1;
		if (a->inner == 1) {
			arg_row(a, i);
			continue;
		}
		w = a->inner - i % a->inner;
		w = w < hi - i ? w : hi - i;
		w = w < ARG_BLOCK ? w : ARG_BLOCK;
		arg_columns(a, i, w);
	}
}

static void arg_go(struct arg *a)
{
	size_t chunks;

	a->chunk = (1 << 15) / (a->len + 1) + 1;
	if (a->inner > 1 && a->chunk < ARG_BLOCK)
		a->chunk = ARG_BLOCK;
	chunks = (size_t)((a->rows + a->chunk - 1) / a->chunk);
	if (a->x->n > ARG_WORTH)
		pool_for(chunks, arg_chunk, a);
	else
		for (size_t i = 0; i < chunks; i++)
			arg_chunk(a, i);
}

enum status k_arg(struct kcall *c)
{
	const struct array *x = c->in[0];
	bool keep = node_attr_int(c->node, "keepdims", 1) == 1;
	struct arg a = {
		.x = x,
		.min = c->node->op->id == OP_ArgMin,
		.last = node_attr_int(c->node, "select_last_index", 0) != 0,
	};
	int64_t dim[KERNEL_MAX_RANK];
	struct array *y;
	int axis, rank = 0;
	enum status st = move_rank(c, x->rank);

	if (!st)
		st = kcall_axis(c, node_attr_int(c->node, "axis", 0), x->rank,
				&axis);
	if (!st && !lane_of(x->dt, &a.lane))
		st = kcall_error(c, E_type, "elements of type %s",
				 dtype_name(x->dt));
	if (st)
		return st;
	for (int d = 0; d < x->rank; d++)
		if (d != axis || keep)
			dim[rank++] = d == axis ? 1 : x->dim[d];
	y = kcall_out(c, 0, DT_I64, rank, dim);
	if (!y)
		return LIMIT;
	if (y->n && x->dim[axis] == 0)
		return kcall_error(c, E_value, "the axis has no elements");
	a.len = x->dim[axis];
	a.inner = dims_product(x, axis + 1, x->rank);
	a.out = y->data;
	a.rows = y->n;
	arg_go(&a);
	return OK;
}

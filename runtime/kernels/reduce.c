/* SPDX-License-Identifier: MIT */
/*
 * reduce.c -- Reduce*, ArgMax, ArgMin.
 *
 * Kept and reduced axes are separated into two walks; each output element is
 * one sequential sum over the reduced ones in order of memory, in double or
 * int64.  Threads split outputs.
 */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/lanes_p.h"
#include "runtime/kernels/move_p.h"
#include "runtime/mathd.h"

enum { REDUCE_BLOCK = 256 };

struct reduce {
	enum op_id op;
	const struct array *x;
	struct array *y;
	enum lane lane;
	int kept, cut; /* numbers of axes */
	int64_t kdim[KERNEL_MAX_RANK], kstride[KERNEL_MAX_RANK];
	int64_t rdim[KERNEL_MAX_RANK], rstride[KERNEL_MAX_RANK];
	int64_t count; /* elements per output */
	int64_t chunk; /* outputs per task */
};

/* What a reduction keeps while it runs. */
struct acc {
	double f;     /* sum or extremum */
	double scale; /* LogSumExp: the maximum so far */
	int64_t i;
	bool any;
};

static void acc_start(const struct reduce *r, struct acc *a)
{
	bool one = r->op == OP_ReduceProd;

	*a = (struct acc){
		.f = one ? 1 : 0, .i = one ? 1 : 0, .scale = -INFINITY};
	/* Of nothing: the neutral element, as the operators define. */
	if (r->op == OP_ReduceMax) {
		a->f = -INFINITY;
		a->i = INT64_MIN;
	} else if (r->op == OP_ReduceMin) {
		a->f = INFINITY;
		a->i = INT64_MAX;
	}
}

/* sum of exp(v - max), rescaled when the maximum grows */
static void add_logsumexp(struct acc *a, const double *v, size_t n)
{
	double max = a->scale;

	for (size_t k = 0; k < n; k++)
		max = v[k] > max || v[k] != v[k] ? v[k] : max;
	if (max == -INFINITY)
		return;
	if (max == INFINITY) {
		a->scale = max;
		a->f = 1;
		return;
	}
	a->f *= md_exp(a->scale - max);
	for (size_t k = 0; k < n; k++)
		a->f += md_exp(v[k] - max);
	a->scale = max;
}

static void acc_f(const struct reduce *r, struct acc *a, const double *v,
		  size_t n)
{
	double s = a->f;

	switch (r->op) {
	case OP_ReduceProd:
		for (size_t k = 0; k < n; k++)
			s *= v[k];
		break;
	case OP_ReduceMax:
		for (size_t k = 0; k < n; k++)
			s = v[k] > s || v[k] != v[k] ? v[k] : s;
		break;
	case OP_ReduceMin:
		for (size_t k = 0; k < n; k++)
			s = v[k] < s || v[k] != v[k] ? v[k] : s;
		break;
	case OP_ReduceL1:
		for (size_t k = 0; k < n; k++)
			s += fabs(v[k]);
		break;
	case OP_ReduceL2:
	case OP_ReduceSumSquare:
		for (size_t k = 0; k < n; k++)
			s += v[k] * v[k];
		break;
	case OP_ReduceLogSumExp:
		add_logsumexp(a, v, n);
		return;
	default:
		for (size_t k = 0; k < n; k++)
			s += v[k];
		break;
	}
	a->f = s;
}

static void acc_i(const struct reduce *r, struct acc *a, const int64_t *v,
		  size_t n)
{
	bool u64 = r->x->dt == DT_U64;
	uint64_t s = (uint64_t)a->i;

	for (size_t k = 0; k < n; k++) {
		uint64_t u = (uint64_t)v[k];
		bool less = u64 ? u < s : v[k] < (int64_t)s;

		switch (r->op) {
		case OP_ReduceProd:
			s *= u;
			break;
		case OP_ReduceMax:
			s = !a->any || !less ? u : s;
			break;
		case OP_ReduceMin:
			s = !a->any || less ? u : s;
			break;
		case OP_ReduceL1:
			s += !u64 && v[k] < 0 ? 0 - u : u;
			break;
		case OP_ReduceL2:
		case OP_ReduceSumSquare:
			s += u * u;
			break;
		default:
			s += u;
			break;
		}
		a->any = true;
	}
	a->i = (int64_t)s;
}

/* The result of a float reduction, or of an integer one that has a root,
 * logarithm or quotient in it. */
static double finish_f(const struct reduce *r, const struct acc *a, double s)
{
	switch (r->op) {
	case OP_ReduceMean:
		return s / (double)r->count;
	case OP_ReduceL2:
		return sqrt(s);
	case OP_ReduceLogSum:
		return md_log(s);
	case OP_ReduceLogSumExp:
		return a->scale + md_log(s);
	default:
		return s;
	}
}

static int64_t finish_i(const struct reduce *r, const struct acc *a)
{
	double s = r->x->dt == DT_U64 ? (double)(uint64_t)a->i : (double)a->i;

	switch (r->op) {
	case OP_ReduceMean:
		return r->count ? a->i / r->count : 0;
	case OP_ReduceL2:
		return (int64_t)sqrt(s);
	case OP_ReduceLogSum:
		return s > 0 ? (int64_t)md_log(s) : 0;
	default:
		return a->i;
	}
}

/* Runs along the last reduced axis go through a block of lanes. */
static void reduce_run(const struct reduce *r, struct acc *a, int64_t off)
{
	int64_t n = r->cut ? r->rdim[r->cut - 1] : 1;
	int64_t step = r->cut ? r->rstride[r->cut - 1] : 1;
	double buf[REDUCE_BLOCK];

	for (int64_t at = 0; at < n; at += REDUCE_BLOCK) {
		size_t m =
			n - at < REDUCE_BLOCK ? (size_t)(n - at) : REDUCE_BLOCK;

		lanes_load(r->lane, r->x->dt, r->x->data, off + at * step, step,
			   m, buf);
		if (r->lane == LANE_F64)
			acc_f(r, a, buf, m);
		else
			acc_i(r, a, (void *)buf, m);
	}
}

static void reduce_one(const struct reduce *r, int64_t base, int64_t at)
{
	int64_t idx[KERNEL_MAX_RANK] = {0}, off = base, i;
	struct acc a;
	double f;

	acc_start(r, &a);
	for (int64_t done = 0; done < r->count;) {
		reduce_run(r, &a, off);
		done += r->cut ? r->rdim[r->cut - 1] : 1;
		for (int d = r->cut - 2; d >= 0; d--) {
			off += r->rstride[d];
			if (++idx[d] < r->rdim[d])
				break;
			off -= r->rdim[d] * r->rstride[d];
			idx[d] = 0;
		}
	}
	if (r->lane == LANE_F64) {
		f = finish_f(r, &a, a.f);
		lanes_store(LANE_F64, r->y->dt, r->y->data, at, 1, &f);
	} else {
		i = finish_i(r, &a);
		lanes_store(LANE_I64, r->y->dt, r->y->data, at, 1, &i);
	}
}

static void reduce_chunk(void *arg, size_t chunk)
{
	const struct reduce *r = arg;
	int64_t lo = (int64_t)chunk * r->chunk, hi = lo + r->chunk;

	if (hi > r->y->n)
		hi = r->y->n;
	for (int64_t i = lo; i < hi; i++) {
		int64_t rest = i, off = 0;

		for (int d = r->kept - 1; d >= 0; d--) {
			off += rest % r->kdim[d] * r->kstride[d];
			rest /= r->kdim[d];
		}
		reduce_one(r, off, i);
	}
}

static void reduce_go(struct reduce *r)
{
	size_t chunks;

	r->chunk = (1 << 15) / (r->count + 1) + 1;
	chunks = (size_t)((r->y->n + r->chunk - 1) / r->chunk);
	if (chunks > 1)
		pool_for(chunks, reduce_chunk, r);
	else if (chunks)
		reduce_chunk(r, 0);
}

/* ---- axes ---- */

static enum status reduce_axes(struct kcall *c, uint64_t *set, bool *noop)
{
	const struct array *x = c->in[0];
	const int64_t *axes;
	size_t n;
	enum status st = kcall_attr_or_ints(c, "axes", 1, &axes, &n);

	*set = 0;
	*noop = false;
	if (st)
		return st;
	if (n == 0) {
		*noop = node_attr_int(c->node, "noop_with_empty_axes", 0) != 0;
		*set = *noop ? 0 : UINT64_MAX;
	}
	for (size_t i = 0; i < n; i++) {
		int a;

		st = kcall_axis(c, axes[i], x->rank, &a);
		if (st)
			return st;
		*set |= (uint64_t)1 << a;
	}
	return OK;
}

static void reduce_split(struct reduce *r, uint64_t set, bool keep, int *rank,
			 int64_t *dim)
{
	const struct array *x = r->x;
	int64_t stride[KERNEL_MAX_RANK], s = 1;

	for (int d = x->rank - 1; d >= 0; d--) {
		stride[d] = s;
		s *= x->dim[d] ? x->dim[d] : 1;
	}
	*rank = 0;
	r->count = 1;
	for (int d = 0; d < x->rank; d++) {
		if (set >> d & 1) {
			r->rdim[r->cut] = x->dim[d];
			r->rstride[r->cut++] = stride[d];
			r->count *= x->dim[d];
			if (keep)
				dim[(*rank)++] = 1;
		} else {
			r->kdim[r->kept] = x->dim[d];
			r->kstride[r->kept++] = stride[d];
			dim[(*rank)++] = x->dim[d];
		}
	}
	/* Adjacent reduced axes are one run. */
	while (r->cut > 1 &&
	       r->rstride[r->cut - 2] ==
		       r->rstride[r->cut - 1] * r->rdim[r->cut - 1]) {
		r->rstride[r->cut - 2] = r->rstride[r->cut - 1];
		r->rdim[r->cut - 2] *= r->rdim[r->cut - 1];
		r->cut--;
	}
}

enum status k_reduce(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct reduce r = {.op = c->node->op->id, .x = x};
	bool keep = node_attr_int(c->node, "keepdims", 1) != 0, noop;
	int64_t dim[KERNEL_MAX_RANK];
	uint64_t set;
	int rank;
	enum status st = move_rank(c, x->rank);

	if (!st)
		st = reduce_axes(c, &set, &noop);
	if (!st && !lane_of(x->dt, &r.lane))
		st = kcall_error(c, E_type, "elements of type %s",
				 dtype_name(x->dt));
	if (st)
		return st;
	/* An operator of its own on each element, except for plain sums. */
	reduce_split(&r, set, keep, &rank, dim);
	r.y = kcall_out(c, 0, x->dt, rank, dim);
	if (!r.y)
		return LIMIT;
	if (noop && x->bytes)
		memcpy(r.y->data, x->data, x->bytes);
	else
		reduce_go(&r);
	return OK;
}

/* ---- ArgMax, ArgMin ---- */

struct arg {
	const struct array *x;
	int64_t *out;
	int64_t len, inner;
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

static void arg_row(void *ctx, size_t row)
{
	const struct arg *a = ctx;
	int64_t o = (int64_t)row / a->inner, i = (int64_t)row % a->inner;
	int64_t off = o * a->len * a->inner + i, best = 0;

	for (int64_t k = 1; k < a->len; k++) {
		size_t at = (size_t)(off + k * a->inner);
		size_t was = (size_t)(off + best * a->inner);
		bool b;

		if (a->lane == LANE_F64)
			b = better_f(a, dtype_get(a->x->dt, a->x->data, at),
				     dtype_get(a->x->dt, a->x->data, was));
		else
			b = better_i(a, dtype_get_int(a->x->dt, a->x->data, at),
				     dtype_get_int(a->x->dt, a->x->data, was));
		if (b)
			best = k;
	}
	a->out[row] = best;
}

enum status k_arg(struct kcall *c)
{
	const struct array *x = c->in[0];
	bool keep = node_attr_int(c->node, "keepdims", 1) != 0;
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
	for (int64_t i = 0; i < y->n; i++)
		arg_row(&a, (size_t)i);
	return OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * reduce.c -- Reduce*.
 *
 * Kept and reduced axes are separated into two walks.  Where the innermost
 * axis is reduced, its elements go to 16 partial results, number i to i mod
 * 16, which a fixed tree joins; where it is kept, neighbouring outputs are
 * computed together, each in order of memory.  Double or int64; threads split
 * outputs.
 */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
/* Below -O3 this compiler leaves loops of unknown length scalar. */
#pragma GCC optimize("O3,no-trapping-math")
#endif

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/move_p.h"
#include "runtime/mathd.h"

/* Threads pay from about 0.2 ms of work on: REDUCE_WORTH elements. */
enum { REDUCE_BLOCK = 256, PARTS = 16, REDUCE_WORTH = 1 << 18 };

enum fold { FOLD_SUM, FOLD_PROD, FOLD_MAX, FOLD_MIN, FOLD_LOGSUMEXP };

struct reduce {
	enum op_id op;
	enum fold fold;
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
	double f[PARTS];
	double scale; /* LogSumExp: the maximum so far */
	int64_t i;
	bool any;
};

static enum fold fold_of(enum op_id op)
{
	switch (op) {
	case OP_ReduceProd:
		return FOLD_PROD;
	case OP_ReduceMax:
		return FOLD_MAX;
	case OP_ReduceMin:
		return FOLD_MIN;
	case OP_ReduceLogSumExp:
		return FOLD_LOGSUMEXP;
	default:
		return FOLD_SUM;
	}
}

/* Of nothing: the neutral element, as the operators define. */
static double neutral_f(enum fold f)
{
	return f == FOLD_PROD  ? 1
	       : f == FOLD_MAX ? -INFINITY
	       : f == FOLD_MIN ? INFINITY
			       : 0;
}

static int64_t neutral_i(enum fold f, enum dtype dt)
{
	unsigned bits = dtype_bits(dt);
	bool is_signed = dtype_kind(dt) == 'i';
	uint64_t top = is_signed ? (uint64_t)1 << (bits - 1) : 0;

	if (dtype_kind(dt) == 'b')
		return f == FOLD_MIN || f == FOLD_PROD;
	if (f == FOLD_PROD)
		return 1;
	if (f == FOLD_MAX)
		return (int64_t)(0 - top);
	if (f == FOLD_MIN)
		return (int64_t)(is_signed ? top - 1
					   : UINT64_MAX >> (64 - bits));
	return 0;
}

static void acc_start(const struct reduce *r, struct acc *a)
{
	*a = (struct acc){.scale = -INFINITY};
	a->i = neutral_i(r->fold, r->x->dt);
	for (int k = 0; k < PARTS; k++)
		a->f[k] = neutral_f(r->fold);
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
		a->f[0] = 1;
		return;
	}
	a->f[0] *= md_exp(a->scale - max);
	for (size_t k = 0; k < n; k++)
		a->f[0] += md_exp(v[k] - max);
	a->scale = max;
}

/* s[l] = s[l] o v[row * w + l]; NaN wins. */
#define FOLD(expr)                                               \
	do {                                                     \
		for (size_t row = 0; row < rows; row++, v += w)  \
			for (size_t l = 0; l < w; l++) {         \
				const double a = s[l], b = v[l]; \
                                                                 \
				s[l] = (expr);                   \
			}                                        \
	} while (0)

static inline void fold_w(enum fold f, double *restrict s, const double *v,
			  size_t w, size_t rows)
{
	switch (f) {
	case FOLD_PROD:
		FOLD(a * b);
		break;
	case FOLD_MAX:
		FOLD(b > a || b != b ? b : a);
		break;
	case FOLD_MIN:
		FOLD(b < a || b != b ? b : a);
		break;
	default:
		FOLD(a + b);
		break;
	}
}

/* Elements to partial results; the last few to the first of them. */
static void fold_parts(enum fold f, double *s, const double *v, size_t n)
{
	size_t rows = n / PARTS;

	fold_w(f, s, v, PARTS, rows);
	if (n % PARTS)
		fold_w(f, s, v + rows * PARTS, n % PARTS, 1);
}

static double join_parts(enum fold f, double *s)
{
	for (size_t h = PARTS / 2; h; h /= 2)
		fold_w(f, s, s + h, h, 1);
	return s[0];
}

/* What is summed, from the elements. */
static void transform(enum op_id op, double *v, size_t n)
{
	if (op == OP_ReduceL1)
		for (size_t k = 0; k < n; k++)
			v[k] = fabs(v[k]);
	else if (op == OP_ReduceL2 || op == OP_ReduceSumSquare)
		for (size_t k = 0; k < n; k++)
			v[k] *= v[k];
}

static void acc_f(const struct reduce *r, struct acc *a, double *v, size_t n)
{
	if (r->fold == FOLD_LOGSUMEXP) {
		add_logsumexp(a, v, n);
		return;
	}
	transform(r->op, v, n);
	fold_parts(r->fold, a->f, v, n);
}

static void acc_i(const struct reduce *r, struct acc *a, const int64_t *v,
		  size_t n)
{
	bool u64 = r->x->dt == DT_U64;
	uint64_t s = (uint64_t)a->i;

	for (size_t k = 0; k < n; k++) {
		uint64_t u = (uint64_t)v[k];
		bool less = u64 ? u < s : v[k] < (int64_t)s;

		if (r->fold == FOLD_PROD)
			s *= u;
		else if (r->fold == FOLD_MAX)
			s = !a->any || !less ? u : s;
		else if (r->fold == FOLD_MIN)
			s = !a->any || less ? u : s;
		else if (r->op == OP_ReduceL1)
			s += !u64 && v[k] < 0 ? 0 - u : u;
		else if (r->op == OP_ReduceL2 || r->op == OP_ReduceSumSquare)
			s += u * u;
		else
			s += u;
		a->any = true;
	}
	a->i = (int64_t)s;
}

/* The result of a float reduction, or of an integer one that has a root,
 * logarithm or quotient in it. */
static double finish_f(const struct reduce *r, double scale, double s)
{
	switch (r->op) {
	case OP_ReduceMean:
		return s / (double)r->count;
	case OP_ReduceL2:
		return sqrt(s);
	case OP_ReduceLogSum:
		return md_log(s);
	case OP_ReduceLogSumExp:
		return scale + md_log(s);
	default:
		return s;
	}
}

static int64_t finish_i(const struct reduce *r, const struct acc *a)
{
	double s = r->x->dt == DT_U64 ? (double)(uint64_t)a->i : (double)a->i;

	switch (r->op) {
	case OP_ReduceMean:
		if (r->x->dt == DT_U64)
			return r->count ? (int64_t)((uint64_t)a->i /
						    (uint64_t)r->count)
					: 0;
		return r->count ? a->i / r->count : 0;
	case OP_ReduceL2:
		return (int64_t)sqrt(s);
	case OP_ReduceLogSum:
		return s > 0 ? (int64_t)md_log(s) : 0;
	default:
		return a->i;
	}
}

/* ---- one output, its elements along the innermost reduced axis ---- */

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

/* Next place among the first n reduced axes. */
static void reduce_next(const struct reduce *r, int n, int64_t *idx,
			int64_t *off)
{
	for (int d = n - 1; d >= 0; d--) {
		*off += r->rstride[d];
		if (++idx[d] < r->rdim[d])
			return;
		*off -= r->rdim[d] * r->rstride[d];
		idx[d] = 0;
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
		reduce_next(r, r->cut - 1, idx, &off);
	}
	if (r->lane == LANE_F64) {
		f = r->fold == FOLD_LOGSUMEXP ? a.f[0]
					      : join_parts(r->fold, a.f);
		f = finish_f(r, a.scale, f);
		lanes_store(LANE_F64, r->y->dt, r->y->data, at, 1, &f);
	} else {
		i = finish_i(r, &a);
		lanes_store(LANE_I64, r->y->dt, r->y->data, at, 1, &i);
	}
}

/* ---- w neighbouring outputs, whose elements are neighbours too ---- */

static bool by_columns(const struct reduce *r)
{
	return r->lane == LANE_F64 && r->fold != FOLD_LOGSUMEXP && r->cut &&
	       r->kept && r->kstride[r->kept - 1] == 1 &&
	       r->rstride[r->cut - 1] != 1;
}

static void reduce_columns(const struct reduce *r, int64_t base, int64_t at,
			   size_t w)
{
	int64_t idx[KERNEL_MAX_RANK] = {0}, off = base;
	double s[REDUCE_BLOCK], buf[REDUCE_BLOCK];

	for (size_t l = 0; l < w; l++)
		s[l] = neutral_f(r->fold);
	for (int64_t done = 0; done < r->count; done++) {
		lanes_load(r->lane, r->x->dt, r->x->data, off, 1, w, buf);
		transform(r->op, buf, w);
		fold_w(r->fold, s, buf, w, 1);
		reduce_next(r, r->cut, idx, &off);
	}
	for (size_t l = 0; l < w; l++)
		s[l] = finish_f(r, 0, s[l]);
	lanes_store(LANE_F64, r->y->dt, r->y->data, at, w, s);
}

static void reduce_chunk(void *arg, size_t chunk)
{
	const struct reduce *r = arg;
	int64_t lo = (int64_t)chunk * r->chunk, hi = lo + r->chunk, w;
	bool columns = by_columns(r);

	if (hi > r->y->n)
		hi = r->y->n;
	for (int64_t i = lo; i < hi; i += w) {
		int64_t rest = i, off = 0;

		for (int d = r->kept - 1; d >= 0; d--) {
			off += rest % r->kdim[d] * r->kstride[d];
			rest /= r->kdim[d];
		}
		w = 1;
		if (!columns) {
			reduce_one(r, off, i);
			continue;
		}
		w = r->kdim[r->kept - 1] - i % r->kdim[r->kept - 1];
		w = w < hi - i ? w : hi - i;
		w = w < REDUCE_BLOCK ? w : REDUCE_BLOCK;
		reduce_columns(r, off, i, (size_t)w);
	}
}

static void reduce_go(struct reduce *r)
{
	size_t chunks;

	r->chunk = (1 << 15) / (r->count + 1) + 1;
	/* Columns are fast side by side. */
	if (by_columns(r) && r->chunk < REDUCE_BLOCK)
		r->chunk = REDUCE_BLOCK;
	chunks = (size_t)((r->y->n + r->chunk - 1) / r->chunk);
	if (r->x->n > REDUCE_WORTH)
		pool_for(chunks, reduce_chunk, r);
	else
		for (size_t i = 0; i < chunks; i++)
			reduce_chunk(r, i);
}

/* ---- axes ---- */

/* No axes: all of them, or none, which leaves the element's own part: the
 * square of ReduceSumSquare. */
static enum status reduce_axes(struct kcall *c, uint64_t *set)
{
	const struct array *x = c->in[0];
	const int64_t *axes;
	size_t n;
	enum status st = kcall_attr_or_ints(c, "axes", 1, &axes, &n);

	*set = 0;
	if (st)
		return st;
	if (n == 0 && !node_attr_int(c->node, "noop_with_empty_axes", 0))
		*set = UINT64_MAX;
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
	struct reduce r = {.op = c->node->op->id,
			   .fold = fold_of(c->node->op->id),
			   .x = x};
	bool keep = node_attr_int(c->node, "keepdims", 1) == 1;
	int64_t dim[KERNEL_MAX_RANK];
	uint64_t set;
	int rank;
	enum status st = move_rank(c, x->rank);

	if (!st)
		st = reduce_axes(c, &set);
	if (!st && !lane_of(x->dt, &r.lane))
		st = kcall_error(c, E_type, "elements of type %s",
				 dtype_name(x->dt));
	if (st)
		return st;
	reduce_split(&r, set, keep, &rank, dim);
	r.y = kcall_out(c, 0, x->dt, rank, dim);
	if (!r.y)
		return LIMIT;
	reduce_go(&r);
	return OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * pooling_ref.c -- the pooling operators by the definition, in double.
 *
 * Any number of spatial axes; one list of taps per output position serves all
 * channels.  MaxPool also takes 8-bit integers, which a double holds exactly.
 */
#include <math.h>

#include "runtime/kernels/pool/pooling_p.h"
#include "runtime/mathd.h"

static enum status global_window(struct kcall *c, struct window *w, int rank,
				 const int64_t *in)
{
	*w = (struct window){.rank = rank, .nkernel = 1, .nout = 1};
	if (rank < 1 || rank > WINDOW_MAX)
		return kcall_error(c, E_unsupported, "%d spatial axes", rank);
	for (int i = 0; i < rank; i++) {
		w->in[i] = w->kernel[i] = in[i];
		w->out[i] = w->stride[i] = w->dilation[i] = 1;
	}
	if (!nn_count(rank, in, &w->nin))
		return kcall_error(c, E_dims, "dimensions overflow");
	w->nkernel = w->nin;
	return OK;
}

enum status pooling_init(struct kcall *c, struct pooling *p, bool global)
{
	enum status s = nn_rank(c, 0, 3, WINDOW_MAX + 2);
	const struct array *x;
	int64_t n;

	if (s != OK)
		return s;
	x = c->in[0];
	p->rank = x->rank;
	s = global ? global_window(c, &p->w, x->rank - 2, x->dim + 2)
		   : window_init(c, &p->w, x->rank - 2, x->dim + 2, NULL);
	if (s != OK)
		return s;
	p->dim[0] = x->dim[0];
	p->dim[1] = x->dim[1];
	for (int i = 0; i < p->w.rank; i++)
		p->dim[2 + i] = p->w.out[i];
	if (!mul_i64(p->dim[0], p->dim[1], &p->planes) ||
	    !nn_count(p->rank, p->dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	return OK;
}

/* ---- one window ---- */

struct pool_run {
	struct pooling p;
	double norm_p; /* Lp pools */
	bool include_pad;
	int64_t *index; /* MaxPool: position of the maximum */
	double (*fn)(const struct pool_run *r, const double *x,
		     const struct taps *t, int64_t *best);
};

static double pool_max(const struct pool_run *r, const double *x,
		       const struct taps *t, int64_t *best)
{
	double m = -INFINITY;

	(void)r;
	*best = t->n ? t->at[0] : 0;
	for (int64_t i = 0; i < t->n; i++)
		if (x[t->at[i]] > m || x[t->at[i]] != x[t->at[i]]) {
			m = x[t->at[i]];
			*best = t->at[i];
			if (m != m)
				break;
		}
	return m;
}

static double pool_average(const struct pool_run *r, const double *x,
			   const struct taps *t, int64_t *best)
{
	int64_t n = r->include_pad ? t->padded : t->n;
	double sum = 0;

	(void)best;
	for (int64_t i = 0; i < t->n; i++)
		sum += x[t->at[i]];
	return n ? sum / (double)n : 0;
}

static double pool_lp(const struct pool_run *r, const double *x,
		      const struct taps *t, int64_t *best)
{
	double sum = 0, p = r->norm_p;

	(void)best;
	for (int64_t i = 0; i < t->n; i++) {
		double v = fabs(x[t->at[i]]);

		sum += p == 1 ? v : p == 2 ? v * v : md_pow(v, p);
	}
	return p == 1 ? sum : p == 2 ? sqrt(sum) : md_pow(sum, 1 / p);
}

/* ---- all windows ---- */

/* Spatial position `at` with the last axis outermost. */
static int64_t column_major(const struct window *w, int64_t at)
{
	int64_t out = 0, step[WINDOW_MAX];

	for (int i = 0; i < w->rank; i++)
		step[i] = i ? step[i - 1] * w->in[i - 1] : 1;
	for (int i = w->rank - 1; i >= 0; i--) {
		out += at % w->in[i] * step[i];
		at /= w->in[i];
	}
	return out;
}

static void run_position(const struct pool_run *r, const double *x,
			 const struct taps *t, int64_t at, bool columns,
			 double *y)
{
	const struct window *w = &r->p.w;

	for (int64_t n = 0; n < r->p.planes; n++) {
		int64_t best = 0;

		y[n * w->nout + at] = r->fn(r, x + n * w->nin, t, &best);
		if (r->index)
			r->index[n * w->nout + at] =
				n * w->nin +
				(columns ? column_major(w, best) : best);
	}
}

static enum status pool_all(struct kcall *c, struct pool_run *r)
{
	bool columns = node_attr_int(c->node, "storage_order", 0) != 0;
	int64_t pos[WINDOW_MAX] = {0}, at = 0, n;
	const double *x = nn_load(c, 0);
	struct taps t;
	double *y;

	nn_count(r->p.rank, r->p.dim, &n);
	y = nn_temp(c, n);
	if (!x || !y || taps_create(c, &r->p.w, &t) != OK)
		return LIMIT;
	if (n > 0)
		do {
			taps_at(&r->p.w, pos, &t);
			run_position(r, x, &t, at, columns, y);
			at++;
		} while (odometer_next(r->p.w.rank, r->p.w.out, pos));
	return nn_save(c, 0, c->in[0]->dt, r->p.rank, r->p.dim, y);
}

/* ---- operators ---- */

static enum status max_type(struct kcall *c)
{
	if (c->nin > 0 && c->in[0] && c->in[0]->kind == ARR_TENSOR &&
	    (c->in[0]->dt == DT_I8 || c->in[0]->dt == DT_U8))
		return OK;
	return nn_floats(c, 1, 1);
}

enum status k_max_pool(struct kcall *c)
{
	struct pool_run r = {.fn = pool_max};
	struct array *a;
	enum status s = max_type(c);

	if (s == OK)
		s = pooling_init(c, &r.p, false);
	if (s != OK)
		return s;
	if (c->nout > 1 && kcall_wants(c, 1)) {
		a = kcall_out(c, 1, DT_I64, r.p.rank, r.p.dim);
		if (!a)
			return LIMIT;
		r.index = a->data;
	}
	return pool_all(c, &r);
}

enum status k_average_pool(struct kcall *c)
{
	struct pool_run r = {
		.fn = pool_average,
		.include_pad =
			node_attr_int(c->node, "count_include_pad", 0) != 0,
	};
	enum status s = nn_floats(c, 1, 1);

	if (s == OK)
		s = pooling_init(c, &r.p, false);
	return s == OK ? pool_all(c, &r) : s;
}

/* p was a float in version 1. */
static enum status norm_power(struct kcall *c, double *p)
{
	*p = c->node->op->since < 2 ? node_attr_float(c->node, "p", 2)
				    : (double)node_attr_int(c->node, "p", 2);
	if (!(*p > 0))
		return kcall_error(c, E_value, "attribute p is %g", *p);
	return OK;
}

enum status k_lp_pool(struct kcall *c)
{
	struct pool_run r = {.fn = pool_lp};
	enum status s = nn_floats(c, 1, 1);

	if (s == OK)
		s = norm_power(c, &r.norm_p);
	if (s == OK)
		s = pooling_init(c, &r.p, false);
	return s == OK ? pool_all(c, &r) : s;
}

static enum status global_pool(struct kcall *c, struct pool_run *r)
{
	enum status s = nn_floats(c, 1, 1);

	if (s == OK)
		s = pooling_init(c, &r->p, true);
	return s == OK ? pool_all(c, r) : s;
}

enum status k_global_max_pool(struct kcall *c)
{
	struct pool_run r = {.fn = pool_max};

	return global_pool(c, &r);
}

enum status k_global_average_pool(struct kcall *c)
{
	struct pool_run r = {.fn = pool_average};

	return global_pool(c, &r);
}

enum status k_global_lp_pool(struct kcall *c)
{
	struct pool_run r = {.fn = pool_lp};
	enum status s = norm_power(c, &r.norm_p);

	return s == OK ? global_pool(c, &r) : s;
}

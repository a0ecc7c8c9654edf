/* SPDX-License-Identifier: MIT */
/*
 * resize.c -- Resize and Upsample: one pass per axis that changes.
 *
 * Nearest moves elements of any type.  The others weigh neighbours, in double
 * (reference) or float, last axis first.
 */
#include "runtime/kernels/image/resize_p.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/simd_p.h"

/* The type of the two parts of a complex number; else the type itself. */
static enum dtype part_type(enum dtype dt)
{
	return dt == DT_C64 ? DT_F32 : dt == DT_C128 ? DT_F64 : dt;
}

static enum status all_maps(struct kcall *c, const struct resize *r,
			    struct axis_map *m)
{
	for (int i = 0; i < r->rank; i++) {
		enum status s = axis_map_init(c, r, i, &m[i]);

		if (s != OK)
			return s;
	}
	return OK;
}

static void set_number(struct array *y, size_t at, double v)
{
	enum dtype dt = part_type(y->dt);

	if (dt == y->dt) {
		dtype_set(dt, y->data, at, v);
		return;
	}
	dtype_set(dt, y->data, 2 * at, v);
	dtype_set(dt, y->data, 2 * at + 1, 0);
}

/* The extrapolation value wherever an axis is outside of the input. */
static void fill_outside(const struct resize *r, const struct axis_map *m,
			 struct array *y)
{
	int64_t o[KERNEL_MAX_RANK] = {0};

	if (r->coord != COORD_TF_CROP || y->n == 0)
		return;
	for (size_t at = 0;; at++) {
		bool out = false;

		for (int i = 0; i < r->rank; i++)
			out |= !m[i].identity && m[i].outside[o[i]];
		if (out)
			set_number(y, at, r->extrapolation);
		if (!odometer_next(r->rank, r->out, o))
			return;
	}
}

/* ---- nearest ---- */

struct nearest_job {
	const struct resize *r;
	const struct axis_map *m;
	const uint8_t *x;
	uint8_t *y;
	size_t size;  /* of an element */
	int64_t rows; /* all axes but the last */
};

static void nearest_row(const struct nearest_job *j, const uint8_t *x,
			uint8_t *y)
{
	int last = j->r->rank - 1;
	const int64_t *index = j->m[last].index;
	int64_t n = j->r->out[last];

	if (j->m[last].identity)
		memcpy(y, x, (size_t)n * j->size);
	else if (j->size == 4)
		for (int64_t i = 0; i < n; i++)
			memcpy(y + 4 * i, x + 4 * index[i], 4);
	else
		for (int64_t i = 0; i < n; i++)
			memcpy(y + (size_t)i * j->size,
			       x + (size_t)index[i] * j->size, j->size);
}

static void nearest_task(void *arg, size_t i)
{
	const struct nearest_job *j = arg;
	const struct resize *r = j->r;
	int64_t rest = (int64_t)i, from = 0, step = 1;

	for (int a = r->rank - 2; a >= 0; a--) {
		int64_t o = rest % r->out[a];

		rest /= r->out[a];
		from += step * (j->m[a].identity ? o : j->m[a].index[o]);
		step *= r->in[a];
	}
	nearest_row(j, j->x + (size_t)(from * r->in[r->rank - 1]) * j->size,
		    j->y + i * (size_t)r->out[r->rank - 1] * j->size);
}

static enum status run_nearest(struct kcall *c, const struct resize *r,
			       const struct axis_map *m)
{
	const struct array *x = c->in[0];
	unsigned bits =
		x->dt == DT_STRING ? 8 * sizeof(struct str) : dtype_bits(x->dt);
	struct array *y;
	struct nearest_job j;

	if (bits < 8)
		return kcall_error(c, E_unsupported, "elements of type %s",
				   dtype_name(x->dt));
	y = kcall_out(c, 0, x->dt, r->rank, r->out);
	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	j = (struct nearest_job){
		.r = r,
		.m = m,
		.x = x->data,
		.y = y->data,
		.size = bits / 8,
	};
	if (r->rank == 0)
		memcpy(j.y, j.x, j.size);
	else
		pool_for((size_t)(y->n / r->out[r->rank - 1]), nearest_task,
			 &j);
	if (x->dt != DT_STRING)
		fill_outside(r, m, y);
	return OK;
}

/* ---- linear and cubic ---- */

struct pass {
	const struct axis_map *m;
	const void *x;
	void *y;
	int64_t in, out, inner;
	const struct simd *s;
};

static void pass_f64(const struct pass *p, int64_t outer)
{
	const double *x = p->x;
	double *y = p->y;

	for (int64_t u = 0; u < outer * p->out; u++) {
		int64_t at = u % p->out * p->m->taps;

		for (int64_t k = 0; k < p->inner; k++) {
			double sum = 0;

			for (int64_t t = 0; t < p->m->taps; t++)
				sum += p->m->weight[at + t] *
				       x[(u / p->out * p->in +
					  p->m->index[at + t]) *
						 p->inner +
					 k];
			y[u * p->inner + k] = sum;
		}
	}
}

static void interpolate_row(const struct pass *p, const float *x, float *y)
{
	for (int64_t o = 0; o < p->out; o++) {
		const int64_t *index = p->m->index + o * p->m->taps;
		const double *w = p->m->weight + o * p->m->taps;
		float sum = 0;

		for (int64_t t = 0; t < p->m->taps; t++)
			sum += (float)w[t] * x[index[t]];
		y[o] = sum;
	}
}

/* One row of the outer axes: along the last axis element by element, along
 * others whole rows at a time. */
static void pass_task(void *arg, size_t i)
{
	const struct pass *p = arg;
	const float *x = (const float *)p->x + (int64_t)i * p->in * p->inner;
	float *y = (float *)p->y + (int64_t)i * p->out * p->inner;

	if (p->inner == 1) {
		interpolate_row(p, x, y);
		return;
	}
	for (int64_t o = 0; o < p->out; o++) {
		const int64_t *index = p->m->index + o * p->m->taps;
		const double *w = p->m->weight + o * p->m->taps;
		float *row = y + o * p->inner;

		p->s->affine(row, x + index[0] * p->inner, p->inner,
			     (float)w[0], 0.0f);
		for (int64_t t = 1; t < p->m->taps; t++)
			p->s->axpy(row, x + index[t] * p->inner, p->inner,
				   (float)w[t]);
	}
}

/* All passes, last axis first; returns the result or NULL. */
static void *run_passes(struct kcall *c, const struct resize *r,
			const struct axis_map *m, void *x, size_t size)
{
	int64_t dim[KERNEL_MAX_RANK];

	for (int i = 0; i < r->rank; i++)
		dim[i] = r->in[i];
	for (int a = r->rank - 1; a >= 0; a--) {
		struct pass p = {
			.m = &m[a],
			.x = x,
			.in = r->in[a],
			.out = r->out[a],
			.inner = nn_product(dim, a + 1, r->rank),
			.s = simd(),
		};
		int64_t outer = nn_product(dim, 0, a), n;

		if (m[a].identity)
			continue;
		dim[a] = r->out[a];
		if (!nn_count(r->rank, dim, &n))
			return NULL;
		p.y = nn_scratch(c, n, size);
		if (!p.y)
			return NULL;
		if (n > 0 && size == sizeof(double))
			pass_f64(&p, outer);
		else if (n > 0)
			pool_for((size_t)outer, pass_task, &p);
		x = p.y;
	}
	return x;
}

static enum status fast_passes(struct kcall *c, const struct resize *r,
			       const struct axis_map *m, struct array *y)
{
	const void *f = run_passes(c, r, m, c->in[0]->data, sizeof(float));

	if (!f)
		return LIMIT;
	memcpy(y->data, f, y->bytes);
	return OK;
}

/* In double; the parts of complex numbers are one more axis. */
static enum status exact_passes(struct kcall *c, const struct resize *r,
				struct axis_map *m, struct array *y)
{
	const struct array *x = c->in[0];
	enum dtype dt = part_type(x->dt);
	int64_t parts = dt == x->dt ? 1 : 2;
	struct resize q = *r;
	double *v = nn_temp(c, x->n * parts);

	if (!v)
		return LIMIT;
	lanes_load(LANE_F64, dt, x->data, 0, 1, (size_t)(x->n * parts), v);
	if (parts == 2) {
		if (r->rank == KERNEL_MAX_RANK)
			return kcall_error(c, E_unsupported, "rank %d",
					   r->rank);
		m[r->rank].identity = true;
		q.in[r->rank] = q.out[r->rank] = 2;
		q.rank++;
	}
	v = run_passes(c, &q, m, v, sizeof(double));
	if (!v)
		return LIMIT;
	if (dtype_is_float(dt)) {
		lanes_store(LANE_F64, dt, y->data, 0, (size_t)(y->n * parts),
			    v);
		return OK;
	}
	/* Integers are cut towards zero. */
	for (int64_t i = 0; i < y->n; i++)
		dtype_set(dt, y->data, (size_t)i,
			  dt == DT_BOOL ? v[i] : trunc(v[i]));
	return OK;
}

static enum status run_weighted(struct kcall *c, const struct resize *r,
				struct axis_map *m, bool fast)
{
	const struct array *x = c->in[0];
	struct array *y;
	enum status s;

	if (x->dt == DT_STRING)
		return kcall_error(c, E_unsupported,
				   "interpolation of strings");
	y = kcall_out(c, 0, x->dt, r->rank, r->out);
	if (!y)
		return LIMIT;
	s = fast ? fast_passes(c, r, m, y) : exact_passes(c, r, m, y);
	if (s == OK)
		fill_outside(r, m, y);
	return s;
}

static enum status resize_run(struct kcall *c, bool fast)
{
	struct axis_map m[KERNEL_MAX_RANK];
	struct resize r;
	enum status s = resize_init(c, &r);

	if (s == OK)
		s = all_maps(c, &r, m);
	if (s != OK)
		return s;
	if (r.mode == RESIZE_NEAREST)
		return run_nearest(c, &r, m);
	return run_weighted(c, &r, m, fast && nn_all_f32(c, 1));
}

enum status k_resize(struct kcall *c)
{
	return resize_run(c, false);
}

enum status k_resize_f32(struct kcall *c)
{
	return resize_run(c, true);
}

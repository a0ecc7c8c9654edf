/* SPDX-License-Identifier: MIT */
/*
 * pooling.c -- float32 pooling: shifted copies of one padded plane, combined
 * along the flat index of conv_plane_p.h.
 */
#include <math.h>

#include "base/pool.h"
#include "runtime/kernels/conv/conv_plane_p.h"
#include "runtime/kernels/pool/pooling_p.h"
#include "runtime/kernels/shared/simd_p.h"

enum {
	POOL_STRIP = 512, /* flat columns at a time */
	POOL_SLICES = 16, /* planes in flight */
};

struct pool_job {
	struct pooling p;
	struct planes q;
	const struct simd *s;
	bool max, include_pad;
	const float *x;
	float *planes, *y;
	int64_t *off;
	int64_t nslices;
	float *count; /* averages: taps per output */
};

static void pool_plane(const struct pool_job *j, const float *plane, float *y)
{
	const struct planes *q = &j->q;
	int64_t nflat = planes_flat(q);
	float tmp[POOL_STRIP + 16];

	for (int64_t sl = 0; sl < q->out[0]; sl++)
		for (int64_t f = 0; f < nflat; f += POOL_STRIP) {
			int64_t f1 = min64(f + POOL_STRIP, nflat);
			struct simd_taps t = {
				.x = plane + sl * q->q[1] * q->q[2] + f,
				.off = j->off,
				.taps = j->p.w.nkernel,
				.n = f1 - f,
				.init = j->max ? -INFINITY : 0,
			};

			(j->max ? j->s->taps_max : j->s->taps_sum)(tmp, &t);
			planes_scatter(q, tmp, 0, 1, f, f1,
				       y + sl * q->out[1] * q->out[2], 0);
		}
}

static void pool_task(void *arg, size_t i)
{
	const struct pool_job *j = arg;
	float *plane = j->planes + (int64_t)i * (j->q.step + PLANE_SLACK);
	int64_t nout = j->p.w.nout;

	for (int64_t n = (int64_t)i; n < j->p.planes; n += j->nslices) {
		float *y = j->y + n * nout;

		planes_fill_f32(&j->q, j->x + n * j->p.w.nin, plane,
				j->max ? -INFINITY : 0.0f);
		pool_plane(j, plane, y);
		for (int64_t o = 0; !j->max && o < nout; o++)
			y[o] = y[o] / j->count[o];
	}
}

/* Taps per output position: what an average divides by. */
static bool count_taps(struct kcall *c, struct pool_job *j)
{
	const struct window *w = &j->p.w;
	int64_t pos[WINDOW_MAX] = {0}, at = 0;
	struct taps t;

	j->count = nn_temp_f32(c, w->nout);
	if (!j->count || taps_create(c, w, &t) != OK)
		return false;
	do {
		int64_t n;

		taps_at(w, pos, &t);
		n = j->include_pad ? t.padded : t.n;
		j->count[at++] = n ? (float)n : 1.0f;
	} while (odometer_next(w->rank, w->out, pos));
	return true;
}

static enum status pool_run(struct kcall *c, struct pool_job *j)
{
	struct array *y = kcall_out(c, 0, DT_F32, j->p.rank, j->p.dim);

	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	j->s = simd();
	j->x = c->in[0]->data;
	j->y = y->data;
	j->nslices = min64(j->p.planes, POOL_SLICES);
	j->off = nn_scratch(c, j->p.w.nkernel, sizeof *j->off);
	j->planes = nn_temp_f32(c, j->nslices * (j->q.step + PLANE_SLACK));
	if (!j->off || !j->planes || (!j->max && !count_taps(c, j)))
		return LIMIT;
	for (int64_t k = 0; k < j->p.w.nkernel; k++)
		j->off[k] = planes_offset(&j->q, k);
	pool_for((size_t)j->nslices, pool_task, j);
	return OK;
}

enum status k_max_pool_f32(struct kcall *c)
{
	struct pool_job j = {.max = true};
	enum status s;

	if (c->nout > 1 && kcall_wants(c, 1))
		return k_max_pool(c);
	if (c->in[0]->dt == DT_U8 || c->in[0]->dt == DT_I8)
		return max_pool_8bit(c);
	if (!nn_all_f32(c, 1))
		return k_max_pool(c);
	s = pooling_init(c, &j.p, false);
	if (s != OK)
		return s;
	if (!planes_init(&j.q, &j.p.w))
		return k_max_pool(c);
	return pool_run(c, &j);
}

enum status k_average_pool_f32(struct kcall *c)
{
	struct pool_job j = {
		.include_pad =
			node_attr_int(c->node, "count_include_pad", 0) != 0,
	};
	enum status s;

	if (!nn_all_f32(c, 1))
		return k_average_pool(c);
	s = pooling_init(c, &j.p, false);
	if (s != OK)
		return s;
	if (!planes_init(&j.q, &j.p.w))
		return k_average_pool(c);
	return pool_run(c, &j);
}

/* ---- global ---- */

struct global_job {
	const float *x;
	float *y;
	int64_t n;
	bool max;
	const struct simd *s;
};

static void global_task(void *arg, size_t i)
{
	const struct global_job *g = arg;
	const float *x = g->x + (int64_t)i * g->n;

	g->y[i] =
		g->max ? g->s->max(x, g->n) : g->s->sum(x, g->n) / (float)g->n;
}

static enum status global_f32(struct kcall *c, bool max, kernel_fn *other)
{
	struct global_job g = {.max = max, .s = simd()};
	struct pooling p;
	struct array *y;
	enum status s;

	if (!nn_all_f32(c, 1))
		return other(c);
	s = pooling_init(c, &p, true);
	if (s != OK)
		return s;
	if (p.w.nin == 0)
		return other(c);
	y = kcall_out(c, 0, DT_F32, p.rank, p.dim);
	if (!y)
		return LIMIT;
	g.x = c->in[0]->data;
	g.y = y->data;
	g.n = p.w.nin;
	pool_for((size_t)p.planes, global_task, &g);
	return OK;
}

enum status k_global_max_pool_f32(struct kcall *c)
{
	return global_f32(c, true, k_global_max_pool);
}

enum status k_global_average_pool_f32(struct kcall *c)
{
	return global_f32(c, false, k_global_average_pool);
}

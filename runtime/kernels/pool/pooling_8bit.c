/* SPDX-License-Identifier: MIT */
/*
 * pooling_8bit.c -- MaxPool of 8-bit integers on padded planes, as pooling.c
 * does it for floats.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/conv/conv_plane_p.h"
#include "runtime/kernels/pool/pooling_p.h"
#include "runtime/kernels/quant/qsimd_p.h"

enum {
	POOL_STRIP = 1024, /* flat columns at a time */
	POOL_SLICES = 16,  /* planes in flight */
};

struct pool8 {
	struct pooling p;
	struct planes q;
	const struct qsimd *s;
	bool is_signed;
	const uint8_t *x;
	uint8_t *planes, *y;
	int64_t *off;
	int64_t nslices;
};

/* Flat columns [f0, f1) of a depth slice, without the unused ones. */
static void scatter(const struct planes *q, const uint8_t *tmp, int64_t f0,
		    int64_t f1, uint8_t *y)
{
	int64_t wq = q->q[2], ow = q->out[2];

	for (int64_t f = f0; f < f1;) {
		int64_t row = f / wq, col = f % wq;
		int64_t n = min64(ow - col, f1 - f);

		if (n > 0)
			memcpy(y + row * ow + col, tmp + (f - f0), (size_t)n);
		f += wq - col;
	}
}

static void pool_plane(const struct pool8 *j, const uint8_t *plane, uint8_t *y)
{
	const struct planes *q = &j->q;
	int64_t nflat = planes_flat(q);
	uint8_t tmp[POOL_STRIP];

	for (int64_t sl = 0; sl < q->out[0]; sl++)
		for (int64_t f = 0; f < nflat; f += POOL_STRIP) {
			int64_t f1 = min64(f + POOL_STRIP, nflat);
			struct q8_taps t = {
				.x = plane + sl * q->q[1] * q->q[2] + f,
				.off = j->off,
				.pairs = j->p.w.nkernel,
				.n = ceil_div(f1 - f, 32) * 32,
				.is_signed = j->is_signed,
			};

			j->s->taps_max(tmp, &t);
			scatter(q, tmp, f, f1, y + sl * q->out[1] * q->out[2]);
		}
}

static void pool_task(void *arg, size_t i)
{
	const struct pool8 *j = arg;
	uint8_t *plane = j->planes + (int64_t)i * (j->q.step + PLANE_SLACK);

	for (int64_t n = (int64_t)i; n < j->p.planes; n += j->nslices) {
		planes_fill_8(&j->q, j->x + n * j->p.w.nin, plane,
			      j->is_signed ? 128 : 0);
		pool_plane(j, plane, j->y + n * j->p.w.nout);
	}
}

enum status max_pool_8bit(struct kcall *c)
{
	struct pool8 j = {.s = qsimd()};
	struct array *y;
	enum status s = pooling_init(c, &j.p, false);

	if (s != OK)
		return s;
	if (!planes_init(&j.q, &j.p.w))
		return k_max_pool(c);
	y = kcall_out(c, 0, c->in[0]->dt, j.p.rank, j.p.dim);
	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	j.is_signed = c->in[0]->dt == DT_I8;
	j.x = c->in[0]->data;
	j.y = y->data;
	j.nslices = min64(j.p.planes, POOL_SLICES);
	j.off = nn_scratch(c, j.p.w.nkernel, sizeof *j.off);
	j.planes = nn_scratch(c, j.nslices * (j.q.step + PLANE_SLACK), 1);
	if (!j.off || !j.planes)
		return LIMIT;
	for (int64_t k = 0; k < j.p.w.nkernel; k++)
		j.off[k] = planes_offset(&j.q, k);
	pool_for((size_t)j.nslices, pool_task, &j);
	return OK;
}

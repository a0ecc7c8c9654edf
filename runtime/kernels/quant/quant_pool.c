/* SPDX-License-Identifier: MIT */
/*
 * quant_pool.c -- the contributed QLinearAveragePool,
 * QLinearGlobalAveragePool and QLinearReduceMean.
 *
 * Sums are exact integers; the mean is y = round(sum * m / count) + zero with
 * the float m = x_scale / y_scale.
 */
#include "base/pool.h"
#include "runtime/kernels/movement/channels_last_p.h"
#include "runtime/kernels/pool/pooling_p.h"
#include "runtime/kernels/quant/qsimd_p.h"
#include "runtime/kernels/quant/quant_p.h"

struct qpool {
	struct pooling p;
	const uint8_t *x;
	uint8_t *y;
	bool is_signed, include_pad;
	int32_t zero;
	float mult;
	struct q8_range range;
};

static enum status qpool_params(struct kcall *c, struct qpool *q)
{
	int32_t zero = 0;
	float xs = 1, ys = 1;
	enum status s = q8_tensor(c, 0);

	if (s == OK)
		s = q8_scale(c, 1, &xs);
	if (s == OK)
		s = q8_zero(c, 2, c->in[0]->dt, &q->zero);
	if (s == OK)
		s = q8_scale(c, 3, &ys);
	if (s == OK)
		s = q8_zero(c, 4, c->in[0]->dt, &zero);
	if (s != OK)
		return s;
	q->x = c->in[0]->data;
	q->is_signed = c->in[0]->dt == DT_I8;
	q->include_pad = node_attr_int(c->node, "count_include_pad", 0) != 0;
	q->mult = xs / ys;
	q->range = q8_range(q->is_signed, zero);
	return OK;
}

static int64_t value(const struct qpool *q, int64_t at)
{
	return (q->is_signed ? (int8_t)q->x[at] : q->x[at]) - q->zero;
}

static void store_mean(const struct qpool *q, int64_t sum, int64_t count,
		       uint8_t *y)
{
	float v = count ? (float)sum * q->mult / (float)count : 0;

	qsimd_portable.quant(y, &v, 1, 1.0f, q->range);
}

static void plane_task(void *arg, size_t i)
{
	const struct qpool *q = arg;
	int64_t sum = 0, n = q->p.w.nin;

	for (int64_t k = 0; k < n; k++)
		sum += value(q, (int64_t)i * n + k);
	store_mean(q, sum, n, q->y + i);
}

static enum status windows(struct kcall *c, const struct qpool *q)
{
	const struct window *w = &q->p.w;
	int64_t pos[WINDOW_MAX] = {0}, at = 0;
	struct taps t;

	if (taps_create(c, w, &t) != OK)
		return LIMIT;
	do {
		taps_at(w, pos, &t);
		for (int64_t n = 0; n < q->p.planes; n++) {
			int64_t sum = 0;

			for (int64_t i = 0; i < t.n; i++)
				sum += value(q, n * w->nin + t.at[i]);
			store_mean(q, sum, q->include_pad ? w->nkernel : t.n,
				   q->y + n * w->nout + at);
		}
		at++;
	} while (odometer_next(w->rank, w->out, pos));
	return OK;
}

static enum status qpool_run(struct kcall *c, bool global)
{
	struct qpool q;
	struct array *y;
	enum status s = qpool_params(c, &q);

	if (s == OK)
		s = pooling_init(c, &q.p, global);

	if (s != OK)
		return s;
	y = kcall_out(c, 0, c->in[0]->dt, q.p.rank, q.p.dim);
	if (!y)
		return LIMIT;
	q.y = y->data;
	if (y->n == 0)
		return OK;
	if (!global)
		return windows(c, &q);
	pool_for((size_t)q.p.planes, plane_task, &q);
	return OK;
}

static enum status windowed(struct kcall *c)
{
	return qpool_run(c, false);
}

static enum status global(struct kcall *c)
{
	return qpool_run(c, true);
}

static enum status either(struct kcall *c, kernel_fn *fn)
{
	if (node_attr_int(c->node, "channels_last", 0) != 0)
		return channels_last(c, fn);
	return fn(c);
}

enum status k_qlinear_average_pool(struct kcall *c)
{
	return either(c, windowed);
}

enum status k_qlinear_global_average_pool(struct kcall *c)
{
	return either(c, global);
}

enum status k_nhwc_max_pool(struct kcall *c)
{
	return channels_last(c, k_max_pool);
}

enum status k_nhwc_max_pool_8bit(struct kcall *c)
{
	return channels_last(c, k_max_pool_f32);
}

/* ---- QLinearReduceMean ---- */

struct qmean {
	bool reduced[KERNEL_MAX_RANK];
	int64_t count; /* elements of a mean */
	int rank;      /* of the result */
	int64_t dim[KERNEL_MAX_RANK];
};

static enum status mean_shape(struct kcall *c, struct qmean *m)
{
	const struct array *x = c->in[0];
	bool keep = node_attr_int(c->node, "keepdims", 1) == 1;
	size_t n;
	const int64_t *axes = node_attr_ints(c->node, "axes", &n);
	int axis;
	enum status s = nn_rank(c, 0, 0, KERNEL_MAX_RANK);

	for (size_t i = 0; s == OK && axes && i < n; i++) {
		s = kcall_axis(c, axes[i], x->rank, &axis);
		if (s == OK)
			m->reduced[axis] = true;
	}
	if (s != OK)
		return s;
	m->count = 1;
	for (int i = 0; i < x->rank; i++) {
		m->reduced[i] = m->reduced[i] || !axes || n == 0;
		if (m->reduced[i])
			m->count *= x->dim[i];
		if (!m->reduced[i] || keep)
			m->dim[m->rank++] = m->reduced[i] ? 1 : x->dim[i];
	}
	return OK;
}

static void add_up(const struct qpool *q, const struct qmean *m,
		   const struct array *x, int64_t *sum)
{
	int64_t o[KERNEL_MAX_RANK] = {0}, at = 0;

	do {
		int64_t to = 0;

		for (int i = 0; i < x->rank; i++)
			if (!m->reduced[i])
				to = to * x->dim[i] + o[i];
		sum[to] += value(q, at++);
	} while (odometer_next(x->rank, x->dim, o));
}

enum status k_qlinear_reduce_mean(struct kcall *c)
{
	struct qmean m = {0};
	struct qpool q;
	struct array *y;
	int64_t *sum;
	enum status s = qpool_params(c, &q);

	if (s == OK)
		s = mean_shape(c, &m);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, c->in[0]->dt, m.rank, m.dim);
	sum = y ? nn_scratch(c, y->n, sizeof *sum) : NULL;
	if (!sum)
		return LIMIT;
	for (int64_t i = 0; i < y->n; i++)
		sum[i] = 0;
	if (c->in[0]->n > 0)
		add_up(&q, &m, c->in[0], sum);
	for (int64_t i = 0; i < y->n; i++)
		store_mean(&q, sum[i], m.count, (uint8_t *)y->data + i);
	return OK;
}

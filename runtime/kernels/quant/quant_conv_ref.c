/* SPDX-License-Identifier: MIT */
/*
 * quant_conv_ref.c -- QLinearConv and ConvInteger by the definition.
 *
 * Sums are exact int32 (modulo 2^32); a result is round(sum * m) + zero with
 * the float m = x_scale w_scale / y_scale of its filter.
 */
#include "runtime/kernels/movement/channels_last_p.h"
#include "runtime/kernels/quant/quant_conv_p.h"

#include <string.h>

static enum status common(struct kcall *c, struct qconv *q, uint32_t jw,
			  uint32_t jxz, uint32_t jb)
{
	enum status s = q8_tensor(c, 0);

	if (s == OK)
		s = q8_tensor(c, jw);
	if (s == OK)
		s = conv_init(c, &q->v, 0, jw, jb, DT_I32);
	if (s == OK)
		s = q8_zero(c, jxz, c->in[0]->dt, &q->xzero);
	if (s == OK)
		s = q8_zeros(c, q->jwz, c->in[jw]->dt, q->v.group * q->v.m,
			     &q->wzero, &q->wstep);
	if (s != OK)
		return s;
	q->x = c->in[0]->data;
	q->w = c->in[jw]->data;
	q->xsigned = c->in[0]->dt == DT_I8;
	q->wsigned = c->in[jw]->dt == DT_I8;
	return OK;
}

enum status qconv_init_integer(struct kcall *c, struct qconv *q)
{
	*q = (struct qconv){.to = DT_I32, .jwz = 3};
	return common(c, q, 1, 2, UINT32_MAX);
}

enum status qconv_init_linear(struct kcall *c, struct qconv *q)
{
	const float *ws;
	int64_t filters;
	int32_t zero = 0;
	float xs, ys;
	int step;
	enum status s;

	*q = (struct qconv){.requant = true, .jwz = 5};
	s = common(c, q, 3, 2, 8);
	if (s == OK)
		s = q8_tensor(c, 7);
	if (s == OK)
		s = q8_zero(c, 7, c->in[7]->dt, &zero);
	if (s == OK)
		s = q8_scale(c, 1, &xs);
	filters = q->v.group * q->v.m;
	if (s == OK)
		s = q8_scales(c, 4, filters, &ws, &step);
	if (s == OK)
		s = q8_scale(c, 6, &ys);
	if (s != OK)
		return s;
	q->to = c->in[7]->dt;
	q->range = q8_range(q->to == DT_I8, zero);
	q->bias = kcall_has(c, 8) ? c->in[8]->data : NULL;
	q->mult = nn_temp_f32(c, filters);
	for (int64_t f = 0; q->mult && f < filters; f++)
		q->mult[f] = xs * ws[f * step] / ys;
	return q->mult ? OK : LIMIT;
}

void qconv_store(const struct qconv *q, const struct qsimd *s, int64_t at,
		 const int32_t *sum, int64_t f, int64_t n)
{
	if (q->requant)
		s->requant((uint8_t *)q->y->data + at, sum, n, q->mult + f, 0,
			   q->range);
	else
		memcpy((int32_t *)q->y->data + at, sum,
		       (size_t)n * sizeof *sum);
}

static int32_t widen(uint8_t v, bool is_signed)
{
	return is_signed ? (int8_t)v : v;
}

static int32_t one_sum(const struct qconv *q, const struct taps *t, int64_t n,
		       int64_t f)
{
	const struct conv *v = &q->v;
	const uint8_t *x = q->x + (n * v->group + f / v->m) * v->c * v->w.nin;
	const uint8_t *w = q->w + f * v->c * v->w.nkernel;
	int32_t wz = q->wzero[f * q->wstep];
	uint32_t sum = q->bias ? (uint32_t)q->bias[f] : 0;

	for (int64_t c = 0; c < v->c; c++) {
		for (int64_t i = 0; i < t->n; i++) {
			int32_t a = widen(x[t->at[i]], q->xsigned) - q->xzero;
			int32_t b = widen(w[t->k[i]], q->wsigned) - wz;

			sum += (uint32_t)(a * b);
		}
		x += v->w.nin;
		w += v->w.nkernel;
	}
	return (int32_t)sum;
}

static enum status run_reference(struct kcall *c, struct qconv *q)
{
	const struct conv *v = &q->v;
	int64_t pos[WINDOW_MAX] = {0}, at = 0;
	int64_t filters = v->group * v->m;
	struct taps t;

	q->y = kcall_out(c, 0, q->to, v->rank, v->dim);
	if (!q->y || taps_create(c, &v->w, &t) != OK)
		return LIMIT;
	if (q->y->n == 0)
		return OK;
	do {
		taps_at(&v->w, pos, &t);
		for (int64_t i = 0; i < v->batch * filters; i++) {
			int32_t sum = one_sum(q, &t, i / filters, i % filters);

			qconv_store(q, &qsimd_portable, i * v->w.nout + at,
				    &sum, i % filters, 1);
		}
		at++;
	} while (odometer_next(v->w.rank, v->w.out, pos));
	return OK;
}

enum status k_qlinear_conv(struct kcall *c)
{
	struct qconv q;
	enum status s = qconv_init_linear(c, &q);

	return s == OK ? run_reference(c, &q) : s;
}

enum status k_conv_integer(struct kcall *c)
{
	struct qconv q;
	enum status s = qconv_init_integer(c, &q);

	return s == OK ? run_reference(c, &q) : s;
}

enum status k_ms_qlinear_conv(struct kcall *c)
{
	if (node_attr_int(c->node, "channels_last", 0) != 0)
		return channels_last(c, k_qlinear_conv);
	return k_qlinear_conv(c);
}

/* SPDX-License-Identifier: MIT */
/*
 * rnn.c -- float32 LSTM, GRU and RNN: the inputs of all steps in one matrix
 * product, then one small product per step.
 *
 * Sequences of equal length and the activations Sigmoid, Tanh and Relu; what
 * else there is takes the reference kernel.
 */
#include "runtime/kernels/recurrent/rnn_p.h"

#include <string.h>

#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/shared/simd_p.h"

struct run {
	struct rnn r;
	const struct simd *s;
	const float *x, *b, *h0, *c0, *p;
	const float *w, *rw, *hw;   /* packed; hw: GRU's last gate of R */
	size_t wsize, rsize, hsize; /* floats of one direction */
	float *gx;                  /* X W + bias of every step */
	float *gate;                /* [batch, gates * hidden] of one step */
	float *bias, *h, *c, *tmp, *rec;
	float *y, *yh, *yc;
};

/* ---- packed weights: W, R, and the last gate of GRU's R apart ---- */

/* Gates that the first recurrent product of a step computes. */
static int64_t first_gates(const struct rnn *r)
{
	return r->kind == RNN_GRU ? 2 : r->gates;
}

static bool weight_sizes(struct run *u)
{
	const struct rnn *r = &u->r;

	return gemm_b_size(r->input, r->gates * r->hidden, &u->wsize) &&
	       gemm_b_size(r->hidden, first_gates(r) * r->hidden, &u->rsize) &&
	       gemm_b_size(r->hidden, (r->gates - first_gates(r)) * r->hidden,
			   &u->hsize);
}

static void pack_weights(struct kcall *c, const struct run *u, float *dst)
{
	const struct rnn *r = &u->r;
	int64_t h = r->hidden, n = r->gates * h, first = first_gates(r) * h;
	const float *w = c->in[1]->data, *rw = c->in[2]->data;

	for (int64_t d = 0; d < r->dirs; d++, dst += u->wsize)
		gemm_pack_b(dst, w + d * n * r->input, 1, r->input, r->input,
			    n);
	for (int64_t d = 0; d < r->dirs; d++, dst += u->rsize)
		gemm_pack_b(dst, rw + d * n * h, 1, h, h, first);
	for (int64_t d = 0; d < r->dirs; d++, dst += u->hsize)
		gemm_pack_b(dst, rw + (d * n + first) * h, 1, h, h, n - first);
}

static enum rnn_kind kind_of(const struct kcall *c)
{
	return node_is(c->node, OP_LSTM)  ? RNN_LSTM
	       : node_is(c->node, OP_GRU) ? RNN_GRU
					  : RNN_SIMPLE;
}

static void make_weights(struct kcall *c, void *dst)
{
	struct run u = {0};

	if (rnn_init(c, &u.r, kind_of(c)) == OK && weight_sizes(&u))
		pack_weights(c, &u, dst);
}

static bool packed_weights(struct kcall *c, struct run *u)
{
	size_t each, bytes, dirs = (size_t)u->r.dirs;
	const float *p;

	if (!weight_sizes(u) || !add_size(u->wsize, u->rsize, &each) ||
	    !add_size(each, u->hsize, &each) ||
	    !mul_size(each, dirs * sizeof(float), &bytes)) {
		kcall_error(c, E_dims, "weights are too large");
		return false;
	}
	if (kcall_is_const(c, 1) && kcall_is_const(c, 2)) {
		p = kcall_cached(c, bytes ? bytes : 1, make_weights);
	} else {
		float *q = nn_scratch(c, (int64_t)bytes, 1);

		if (q)
			pack_weights(c, u, q);
		p = q;
	}
	if (!p)
		return false;
	u->w = p;
	u->rw = u->w + u->wsize * dirs;
	u->hw = u->rw + u->rsize * dirs;
	return true;
}

/* ---- gates of one sequence and step; n: hidden ---- */

static void act(const struct run *u, int64_t d, int f, float *v, int64_t n)
{
	float limit = (float)u->r.clip;

	for (int64_t k = 0; limit > 0 && k < n; k++)
		v[k] = v[k] > limit ? limit : v[k] < -limit ? -limit : v[k];
	switch (u->r.fn[d * u->r.nfn + f].act) {
	case ACT_SIGMOID:
		u->s->sigmoid(v, v, n);
		break;
	case ACT_TANH:
		u->s->tanh(v, v, n);
		break;
	default:
		for (int64_t k = 0; k < n; k++)
			v[k] = v[k] > 0 ? v[k] : 0;
	}
}

/* v += p * c */
static void peep(float *v, const float *p, const float *c, int64_t n)
{
	for (int64_t k = 0; p && k < n; k++)
		v[k] += p[k] * c[k];
}

static void unclipped(const struct run *u, int64_t d, int f, float *v,
		      int64_t n)
{
	struct run plain = *u;

	plain.r.clip = 0;
	act(&plain, d, f, v, n);
}

static void lstm_gates(const struct run *u, int64_t d, float *g, float *c,
		       float *h)
{
	int64_t n = u->r.hidden;
	const float *p = u->p ? u->p + d * 3 * n : NULL;
	float *i = g, *o = g + n, *f = g + 2 * n, *t = g + 3 * n;

	peep(i, p, c, n);
	peep(f, p ? p + 2 * n : NULL, c, n);
	act(u, d, 0, i, n);
	act(u, d, 0, f, n);
	act(u, d, 1, t, n);
	for (int64_t k = 0; k < n; k++) {
		float keep = u->r.input_forget ? 1 - i[k] : f[k];

		c[k] = keep * c[k] + i[k] * t[k];
	}
	peep(o, p ? p + n : NULL, c, n);
	act(u, d, 0, o, n);
	memcpy(h, c, (size_t)n * sizeof *h);
	unclipped(u, d, 2, h, n);
	for (int64_t k = 0; k < n; k++)
		h[k] *= o[k];
}

/* ---- one step of the whole batch ---- */

struct span { /* rows of floats, one per sequence */
	const float *p;
	int64_t step;
};

/* c[b] = a[b] R + init[b] over n columns; R packed, of the direction. */
static void recurrent(const struct run *u, const float *packed, int64_t n,
		      const float *a, struct span init, float *c)
{
	struct gemm g = {
		.m = u->r.batch,
		.n = n,
		.k = u->r.hidden,
		.a = a,
		.ars = u->r.hidden,
		.acs = 1,
		.alpha = 1,
		.b = packed,
		.c = c,
		.ldc = n,
		.init = init.p,
		.irs = init.step,
		.ics = 1,
		.batch = 1,
	};

	gemm_run(&g);
}

/*
 * GRU: gate holds z and r of every sequence.  The candidate's product takes
 * r * h, or (linear_before_reset) is itself multiplied by r.
 */
static void gru_step(const struct run *u, int64_t d, struct span gx)
{
	int64_t n = u->r.hidden, count = u->r.batch * n;
	const float *hw = u->hw + (size_t)d * u->hsize;
	bool linear = u->r.linear_before_reset;
	struct span init = {gx.p + 2 * n, gx.step};

	for (int64_t b = 0; b < u->r.batch; b++)
		act(u, d, 0, u->gate + b * 2 * n, 2 * n);
	for (int64_t i = 0; !linear && i < count; i++)
		u->tmp[i] = u->gate[i / n * 2 * n + n + i % n] * u->h[i];
	if (linear)
		init = (struct span){u->bias + 3 * n, 0};
	recurrent(u, hw, n, linear ? u->h : u->tmp, init, u->rec);
	for (int64_t i = 0; linear && i < count; i++)
		u->rec[i] = u->rec[i] * u->gate[i / n * 2 * n + n + i % n] +
			    gx.p[i / n * gx.step + 2 * n + i % n];
	act(u, d, 1, u->rec, count);
	for (int64_t i = 0; i < count; i++) {
		float z = u->gate[i / n * 2 * n + i % n];

		u->h[i] = (1 - z) * u->rec[i] + z * u->h[i];
	}
}

static void step(const struct run *u, int64_t d, struct span gx)
{
	const struct rnn *r = &u->r;
	int64_t n = r->hidden, first = first_gates(r) * n;

	recurrent(u, u->rw + (size_t)d * u->rsize, first, u->h, gx, u->gate);
	if (r->kind == RNN_GRU) {
		gru_step(u, d, gx);
		return;
	}
	for (int64_t b = 0; b < r->batch; b++) {
		float *g = u->gate + b * first, *h = u->h + b * n;

		if (r->kind == RNN_LSTM) {
			lstm_gates(u, d, g, u->c + b * n, h);
		} else {
			memcpy(h, g, (size_t)n * sizeof *h);
			act(u, d, 0, h, n);
		}
	}
}

/* bias: Wb + Rb per gate, but GRU's last Rb apart (after the gates) where it
 * belongs inside the reset. */
static void set_bias(struct run *u, int64_t d)
{
	int64_t n = u->r.gates * u->r.hidden, h = u->r.hidden;
	const float *b = u->b ? u->b + d * 2 * n : NULL;

	memset(u->bias, 0, (size_t)(n + h) * sizeof *u->bias);
	for (int64_t k = 0; b && k < n; k++)
		if (u->r.linear_before_reset && k >= 2 * h) {
			u->bias[k] = b[k];
			u->bias[k + h] = b[n + k];
		} else {
			u->bias[k] = b[k] + b[n + k];
		}
}

/* X W + bias for all steps at once: rows in the order of X. */
static void all_inputs(struct run *u, int64_t d)
{
	const struct rnn *r = &u->r;
	struct gemm g = {
		.m = r->time * r->batch,
		.n = r->gates * r->hidden,
		.k = r->input,
		.a = u->x,
		.ars = r->input,
		.acs = 1,
		.alpha = 1,
		.b = u->w + (size_t)d * u->wsize,
		.c = u->gx,
		.ldc = r->gates * r->hidden,
		.init = u->bias,
		.ics = 1,
		.batch = 1,
	};

	gemm_run(&g);
}

static void copy_state(const struct run *u, const float *from, float *to,
		       int64_t d, bool out)
{
	const struct rnn *r = &u->r;
	size_t bytes = (size_t)r->hidden * sizeof *to;

	for (int64_t b = 0; b < r->batch; b++) {
		int64_t at = d * r->hd + b * r->hb, k = b * r->hidden;

		if (out)
			memcpy(to + at, from + k, bytes);
		else if (from)
			memcpy(to + k, from + at, bytes);
		else
			memset(to + k, 0, bytes);
	}
}

static void direction(struct run *u, int64_t d)
{
	const struct rnn *r = &u->r;
	int64_t rows = r->gates * r->hidden;
	bool by_batch = r->xb > r->xt;

	set_bias(u, d);
	all_inputs(u, d);
	copy_state(u, u->h0, u->h, d, false);
	copy_state(u, u->c0, u->c, d, false);
	for (int64_t s = 0; s < r->time; s++) {
		int64_t t = r->reverse[d] ? r->time - 1 - s : s;
		struct span gx = {
			u->gx + t * (by_batch ? 1 : r->batch) * rows,
			(by_batch ? r->time : 1) * rows,
		};

		step(u, d, gx);
		for (int64_t b = 0; u->y && b < r->batch; b++)
			memcpy(u->y + t * r->yt + d * r->yd + b * r->yb,
			       u->h + b * r->hidden,
			       (size_t)r->hidden * sizeof *u->y);
	}
	if (u->yh)
		copy_state(u, u->h, u->yh, d, true);
	if (u->yc)
		copy_state(u, u->c, u->yc, d, true);
}

/* ---- memory and entry ---- */

static bool output(struct kcall *c, uint32_t i, int rank, const int64_t *dim,
		   float **p)
{
	struct array *a;

	if (!kcall_wants(c, i))
		return true;
	a = kcall_out(c, i, DT_F32, rank, dim);
	if (a)
		*p = a->data;
	return a != NULL;
}

static bool alloc_run(struct kcall *c, struct run *u)
{
	const struct rnn *r = &u->r;
	int64_t state = r->batch * r->hidden, rows = r->gates * r->hidden, n;

	if (!mul_i64(r->time * r->batch, rows, &n))
		return false;
	u->gx = nn_temp_f32(c, n);
	u->gate = nn_temp_f32(c, r->batch * rows);
	u->bias = nn_temp_f32(c, rows + r->hidden);
	u->h = nn_temp_f32(c, state);
	u->c = nn_temp_f32(c, state);
	u->tmp = nn_temp_f32(c, state);
	u->rec = nn_temp_f32(c, state);
	return u->gx && u->gate && u->bias && u->h && u->c && u->tmp &&
	       u->rec && output(c, 0, 4, r->ydim, &u->y) &&
	       output(c, 1, 3, r->hdim, &u->yh) &&
	       (r->kind != RNN_LSTM || output(c, 2, 3, r->hdim, &u->yc));
}

static bool is_plain(const struct rnn *r)
{
	for (int i = 0; i < r->nfn * (int)r->dirs; i++)
		if (r->fn[i].act > ACT_RELU)
			return false;
	return !r->lens && r->time > 0 && r->batch > 0 && r->input > 0;
}

static bool all_f32(const struct kcall *c)
{
	for (uint32_t j = 0; j < c->nin; j++)
		if (j != 4 && c->in[j] && c->in[j]->dt != DT_F32)
			return false;
	return true;
}

static const float *data_of(const struct kcall *c, uint32_t j)
{
	return kcall_has(c, j) ? c->in[j]->data : NULL;
}

static enum status rnn_f32(struct kcall *c, enum rnn_kind kind,
			   kernel_fn *other)
{
	struct run u = {.s = simd()};
	enum status s = rnn_init(c, &u.r, kind);

	if (s != OK)
		return s;
	if (!all_f32(c) || !is_plain(&u.r))
		return other(c);
	u.x = data_of(c, 0);
	u.b = data_of(c, 3);
	u.h0 = data_of(c, 5);
	if (kind == RNN_LSTM) {
		u.c0 = data_of(c, 6);
		u.p = data_of(c, 7);
	}
	if (!packed_weights(c, &u) || !alloc_run(c, &u))
		return LIMIT;
	for (int64_t d = 0; d < u.r.dirs; d++)
		direction(&u, d);
	return OK;
}

enum status k_lstm_f32(struct kcall *c)
{
	return rnn_f32(c, RNN_LSTM, k_lstm);
}

enum status k_gru_f32(struct kcall *c)
{
	return rnn_f32(c, RNN_GRU, k_gru);
}

enum status k_rnn_f32(struct kcall *c)
{
	return rnn_f32(c, RNN_SIMPLE, k_rnn);
}

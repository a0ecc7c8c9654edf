/* SPDX-License-Identifier: MIT */
/*
 * rnn_ref.c -- LSTM, GRU and RNN by the equations of the ONNX specification,
 * in double, step by step.
 */
#include "runtime/kernels/quant/quant_p.h"
#include "runtime/kernels/recurrent/rnn_p.h"

#include <string.h>

struct run {
	struct rnn r;
	const double *x, *w, *rw, *b, *h0, *c0, *p;
	double *y, *yh, *yc;
	double *gate, *rec;   /* gates * hidden: sums, recurrent part */
	double *hs, *cs;      /* batch * hidden: the states */
	double *h, *c, *next; /* hidden: of the sequence at hand */
	/* DynamicQuantizeLSTM: the states quantized; else NULL. */
	double *seen;
	float *f32;
	uint8_t *q8;
};

/* out[g] = rows of m times v, plus bias (NULL: none). */
static void product(const double *m, const double *v, const double *bias,
		    int64_t rows, int64_t cols, double *out)
{
	for (int64_t i = 0; i < rows; i++) {
		double sum = 0;

		for (int64_t k = 0; k < cols; k++)
			sum += m[i * cols + k] * v[k];
		out[i] = sum + (bias ? bias[i] : 0);
	}
}

static double activate(const struct run *u, int64_t d, int f, double x)
{
	double limit = u->r.clip;

	if (limit > 0)
		x = x > limit ? limit : x < -limit ? -limit : x;
	return rnn_apply(&u->r.fn[d * u->r.nfn + f], x);
}

static void lstm_step(struct run *u, int64_t d)
{
	int64_t n = u->r.hidden;
	const double *p = u->p ? u->p + d * 3 * n : NULL;

	for (int64_t k = 0; k < n; k++) {
		double i = u->gate[k] + u->rec[k];
		double o = u->gate[n + k] + u->rec[n + k];
		double f = u->gate[2 * n + k] + u->rec[2 * n + k];
		double c = u->gate[3 * n + k] + u->rec[3 * n + k];

		i = activate(u, d, 0, i + (p ? p[k] * u->c[k] : 0));
		f = activate(u, d, 0, f + (p ? p[2 * n + k] * u->c[k] : 0));
		if (u->r.input_forget)
			f = 1 - i;
		c = activate(u, d, 1, c);
		u->c[k] = f * u->c[k] + i * c;
		o = activate(u, d, 0, o + (p ? p[n + k] * u->c[k] : 0));
		u->next[k] = o * rnn_apply(&u->r.fn[d * 3 + 2], u->c[k]);
	}
}

static void gru_step(struct run *u, int64_t d)
{
	int64_t n = u->r.hidden;
	const double *rw = u->rw + d * 3 * n * n;
	const double *rb = u->b ? u->b + d * 6 * n + 3 * n : NULL;
	double *z = u->gate, *r = u->gate + n, *h = u->gate + 2 * n;

	for (int64_t k = 0; k < n; k++) {
		z[k] = activate(u, d, 0, z[k] + u->rec[k]);
		r[k] = activate(u, d, 0, r[k] + u->rec[n + k]);
	}
	if (!u->r.linear_before_reset) {
		for (int64_t k = 0; k < n; k++)
			u->next[k] = r[k] * u->h[k];
		product(rw + 2 * n * n, u->next, rb ? rb + 2 * n : NULL, n, n,
			u->rec + 2 * n);
	}
	for (int64_t k = 0; k < n; k++) {
		double v = u->rec[2 * n + k];

		if (u->r.linear_before_reset)
			v *= r[k];
		v = activate(u, d, 1, h[k] + v);
		u->next[k] = (1 - z[k]) * v + z[k] * u->h[k];
	}
}

static void simple_step(struct run *u, int64_t d)
{
	for (int64_t k = 0; k < u->r.hidden; k++)
		u->next[k] = activate(u, d, 0, u->gate[k] + u->rec[k]);
}

/* The new state goes to `to`. */
static void step(struct run *u, int64_t d, const double *x, double *to)
{
	const struct rnn *r = &u->r;
	int64_t rows = r->gates * r->hidden;
	const double *b = u->b ? u->b + d * 2 * rows : NULL;

	product(u->w + d * rows * r->input, x, b, rows, r->input, u->gate);
	product(u->rw + d * rows * r->hidden, u->h, b ? b + rows : NULL, rows,
		r->hidden, u->rec);
	if (r->kind == RNN_LSTM)
		lstm_step(u, d);
	else if (r->kind == RNN_GRU)
		gru_step(u, d);
	else
		simple_step(u, d);
	memcpy(to, u->next, (size_t)r->hidden * sizeof *to);
}

static void load_state(double *to, const double *from, int64_t at, int64_t n)
{
	for (int64_t k = 0; k < n; k++)
		to[k] = from ? from[at + k] : 0;
}

/* The state of all sequences as the 8-bit product sees it. */
static void requantize(struct run *u)
{
	int64_t n = u->r.batch * u->r.hidden;
	float scale;
	int32_t zero;

	for (int64_t i = 0; i < n; i++)
		u->f32[i] = (float)u->hs[i];
	q8_dynamic(u->f32, n, u->q8, &scale, &zero);
	for (int64_t i = 0; i < n; i++)
		u->seen[i] = (double)((float)(u->q8[i] - zero) * scale);
}

static int64_t length(const struct rnn *r, int64_t b)
{
	return r->lens ? r->lens[b] : r->time;
}

/* Step s of sequence b, whose state is at u->hs and u->cs. */
static void advance(struct run *u, int64_t d, int64_t b, int64_t s)
{
	const struct rnn *r = &u->r;
	int64_t t = r->reverse[d] ? length(r, b) - 1 - s : s;
	int64_t at = b * r->hidden;

	u->h = (u->seen ? u->seen : u->hs) + at;
	u->c = u->cs + at;
	step(u, d, u->x + t * r->xt + b * r->xb, u->hs + at);
	memcpy(u->y + t * r->yt + d * r->yd + b * r->yb, u->hs + at,
	       (size_t)r->hidden * sizeof *u->h);
}

/* Steps after a sequence's end leave Y zero and the state as it is. */
static void direction(struct run *u, int64_t d)
{
	const struct rnn *r = &u->r;
	size_t bytes = (size_t)r->hidden * sizeof *u->h;

	for (int64_t b = 0; b < r->batch; b++) {
		int64_t state = d * r->hd + b * r->hb, at = b * r->hidden;

		load_state(u->hs + at, u->h0, state, r->hidden);
		load_state(u->cs + at, u->c0, state, r->hidden);
	}
	for (int64_t s = 0; s < r->time; s++) {
		if (u->seen)
			requantize(u);
		for (int64_t b = 0; b < r->batch; b++)
			if (s < length(r, b))
				advance(u, d, b, s);
	}
	for (int64_t b = 0; b < r->batch; b++) {
		int64_t state = d * r->hd + b * r->hb, at = b * r->hidden;

		memcpy(u->yh + state, u->hs + at, bytes);
		memcpy(u->yc + state, u->cs + at, bytes);
	}
}

static bool load_inputs(struct kcall *c, struct run *u)
{
	bool lstm = u->r.kind == RNN_LSTM;
	const struct {
		uint32_t j;
		const double **to;
	} in[] = {
		{0, &u->x},  {1, &u->w},  {2, &u->rw}, {3, &u->b},
		{5, &u->h0}, {6, &u->c0}, {7, &u->p},
	};

	for (size_t i = 0; i < countof(in); i++) {
		if (!kcall_has(c, in[i].j) || (in[i].j > 5 && !lstm))
			continue;
		*in[i].to = nn_load(c, in[i].j);
		if (!*in[i].to)
			return false;
	}
	return true;
}

static bool alloc_run(struct kcall *c, struct run *u, bool quantized)
{
	int64_t n = u->r.hidden, rows = u->r.gates * n, ny, nh;
	int64_t states = u->r.batch * n;

	nn_count(4, u->r.ydim, &ny);
	nh = nn_product(u->r.hdim, 0, 3);
	u->y = nn_temp(c, ny);
	u->yh = nn_temp(c, nh);
	u->yc = nn_temp(c, nh);
	u->gate = nn_temp(c, rows);
	u->rec = nn_temp(c, rows);
	u->hs = nn_temp(c, states);
	u->cs = nn_temp(c, states);
	u->next = nn_temp(c, n);
	if (!u->y || !u->yh || !u->yc || !u->gate || !u->rec || !u->hs ||
	    !u->cs || !u->next)
		return false;
	if (quantized) {
		u->seen = nn_temp(c, states);
		u->f32 = nn_temp_f32(c, states);
		u->q8 = nn_scratch(c, states, 1);
		if (!u->seen || !u->f32 || !u->q8)
			return false;
	}
	memset(u->y, 0, (size_t)ny * sizeof *u->y);
	return true;
}

static enum status rnn_f64(struct kcall *c, enum rnn_kind kind, bool quantized)
{
	struct run u = {0};
	enum status s = rnn_init(c, &u.r, kind);
	enum dtype dt;

	if (s != OK)
		return s;
	if (!load_inputs(c, &u) || !alloc_run(c, &u, quantized))
		return LIMIT;
	for (int64_t d = 0; d < u.r.dirs; d++)
		direction(&u, d);
	dt = c->in[0]->dt;
	s = nn_save(c, 0, dt, 4, u.r.ydim, u.y);
	if (s == OK)
		s = nn_save(c, 1, dt, 3, u.r.hdim, u.yh);
	if (s == OK && kind == RNN_LSTM)
		s = nn_save(c, 2, dt, 3, u.r.hdim, u.yc);
	return s;
}

enum status k_lstm(struct kcall *c)
{
	return rnn_f64(c, RNN_LSTM, false);
}

enum status k_gru(struct kcall *c)
{
	return rnn_f64(c, RNN_GRU, false);
}

enum status k_rnn(struct kcall *c)
{
	return rnn_f64(c, RNN_SIMPLE, false);
}

enum status lstm_requantized(struct kcall *c)
{
	return rnn_f64(c, RNN_LSTM, true);
}

/* SPDX-License-Identifier: MIT */
/*
 * rnn_attr.c -- attributes and shapes of LSTM, GRU and RNN, all versions.
 */
#include <math.h>

#include "runtime/kernels/recurrent/rnn_p.h"
#include "runtime/mathd.h"

/* Name, and the values that alpha and beta take where none are given;
 * nparam: how many of the two the function has. */
static const struct act {
	const char *name;
	int nparam;
	double alpha, beta;
} acts[ACT_COUNT] = {
	[ACT_SIGMOID] = {"Sigmoid", 0, 0, 0},
	[ACT_TANH] = {"Tanh", 0, 0, 0},
	[ACT_RELU] = {"Relu", 0, 0, 0},
	[ACT_AFFINE] = {"Affine", 2, 1, 0},
	[ACT_LEAKY_RELU] = {"LeakyRelu", 1, 0.01, 0},
	[ACT_THRESHOLDED_RELU] = {"ThresholdedRelu", 1, 1, 0},
	[ACT_SCALED_TANH] = {"ScaledTanh", 2, 1, 1},
	[ACT_HARD_SIGMOID] = {"HardSigmoid", 2, 0.2, 0.5},
	[ACT_ELU] = {"Elu", 1, 1, 0},
	[ACT_SOFTSIGN] = {"Softsign", 0, 0, 0},
	[ACT_SOFTPLUS] = {"Softplus", 0, 0, 0},
};

double rnn_apply(const struct rnn_fn *f, double x)
{
	double a = f->alpha, b = f->beta, v;

	switch (f->act) {
	case ACT_SIGMOID:
		return md_sigmoid(x);
	case ACT_TANH:
		return md_tanh(x);
	case ACT_RELU:
		return x > 0 ? x : 0;
	case ACT_AFFINE:
		return a * x + b;
	case ACT_LEAKY_RELU:
		return x >= 0 ? x : a * x;
	case ACT_THRESHOLDED_RELU:
		return x >= a ? x : 0;
	case ACT_SCALED_TANH:
		return a * md_tanh(b * x);
	case ACT_HARD_SIGMOID:
		v = a * x + b;
		return v < 0 ? 0 : v > 1 ? 1 : v;
	case ACT_ELU:
		return x >= 0 ? x : a * md_expm1(x);
	case ACT_SOFTSIGN:
		return x / (1 + fabs(x));
	default:
		return md_softplus(x);
	}
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(struct str s, const char *w)
{
	size_t i = 0;

	for (; i < s.n && w[i]; i++)
		if (lower(s.p[i]) != lower(w[i]))
			return false;
	return i == s.n && !w[i];
}

/* alpha and beta lists are used up by the functions that have them. */
struct params {
	const float *alpha, *beta;
	size_t nalpha, nbeta;
};

static enum status read_fn(struct kcall *c, struct str name, struct params *p,
			   struct rnn_fn *f)
{
	for (int i = 0; i < ACT_COUNT; i++) {
		if (!same_word(name, acts[i].name))
			continue;
		*f = (struct rnn_fn){(enum rnn_act)i, acts[i].alpha,
				     acts[i].beta};
		if (acts[i].nparam > 0 && p->nalpha > 0) {
			f->alpha = (double)*p->alpha++;
			p->nalpha--;
		}
		if (acts[i].nparam > 1 && p->nbeta > 0) {
			f->beta = (double)*p->beta++;
			p->nbeta--;
		}
		return OK;
	}
	return kcall_error(c, E_unsupported, "activation '%.*s'", (int)name.n,
			   name.p);
}

static enum status read_fns(struct kcall *c, struct rnn *r)
{
	static const enum rnn_act dflt[3][3] = {
		[RNN_SIMPLE] = {ACT_TANH},
		[RNN_GRU] = {ACT_SIGMOID, ACT_TANH},
		[RNN_LSTM] = {ACT_SIGMOID, ACT_TANH, ACT_TANH},
	};
	const struct attr *a = node_attr(c->node, "activations");
	int n = r->nfn * (int)r->dirs;
	struct params p;
	enum status s = OK;

	p.alpha = node_attr_floats(c->node, "activation_alpha", &p.nalpha);
	p.beta = node_attr_floats(c->node, "activation_beta", &p.nbeta);
	if (!a || a->n == 0) {
		for (int i = 0; i < n; i++)
			r->fn[i] = (struct rnn_fn){
				.act = dflt[r->kind][i % r->nfn]};
		return OK;
	}
	/* A list for one direction serves a schema default of two. */
	if (a->kind != ATTR_STRINGS || a->n < (uint32_t)n)
		return kcall_error(c, E_value, "%u activations, expected %d",
				   a->n, n);
	for (int i = 0; s == OK && i < n; i++)
		s = read_fn(c, a->u.s[i], &p, &r->fn[i]);
	return s;
}

static enum status read_direction(struct kcall *c, struct rnn *r)
{
	struct str d = node_attr_str(c->node, "direction", "forward");

	r->dirs = 1;
	/* Version 1 of GRU misspells its default. */
	if (str_is(d, "forward") || str_is(d, "foward"))
		return OK;
	if (str_is(d, "reverse")) {
		r->reverse[0] = true;
		return OK;
	}
	if (!str_is(d, "bidirectional"))
		return kcall_error(c, E_value, "attribute direction is '%.*s'",
				   (int)d.n, d.p);
	r->dirs = 2;
	r->reverse[1] = true;
	return OK;
}

/* Input j, where given, has exactly these dims. */
static enum status expect(struct kcall *c, uint32_t j, int rank, int64_t a,
			  int64_t b, int64_t d)
{
	const int64_t want[3] = {a, b, d};
	enum status s;

	if (!kcall_has(c, j))
		return OK;
	s = nn_rank(c, j, rank, rank);
	for (int i = 0; s == OK && i < rank; i++)
		if (c->in[j]->dim[i] != want[i])
			s = kcall_error(c, E_shape,
					"input %u has dimension %lld, expected "
					"%lld",
					j, (long long)c->in[j]->dim[i],
					(long long)want[i]);
	return s;
}

static enum status read_lens(struct kcall *c, struct rnn *r)
{
	const struct array *a = kcall_has(c, 4) ? c->in[4] : NULL;
	bool full = true;

	if (!a)
		return OK;
	if (a->kind != ARR_TENSOR || a->dt != DT_I32)
		return kcall_error(c, E_type, "sequence_lens is not int32");
	if (a->rank != 1 || a->n != r->batch)
		return kcall_error(c, E_shape,
				   "sequence_lens needs %lld "
				   "elements",
				   (long long)r->batch);
	r->lens = a->data;
	for (int64_t b = 0; b < r->batch; b++) {
		if (r->lens[b] < 0 || r->lens[b] > r->time)
			return kcall_error(c, E_value,
					   "sequence length %d of %lld steps",
					   r->lens[b], (long long)r->time);
		full = full && r->lens[b] == r->time;
	}
	if (full)
		r->lens = NULL;
	return OK;
}

static void set_strides(struct rnn *r, bool by_batch)
{
	int64_t n = r->batch, t = r->time, d = r->dirs, h = r->hidden;
	const int64_t y0[4] = {t, d, n, h}, y1[4] = {n, t, d, h};
	const int64_t h0[3] = {d, n, h}, h1[3] = {n, d, h};

	for (int i = 0; i < 4; i++)
		r->ydim[i] = by_batch ? y1[i] : y0[i];
	for (int i = 0; i < 3; i++)
		r->hdim[i] = by_batch ? h1[i] : h0[i];
	r->xt = by_batch ? r->input : n * r->input;
	r->xb = by_batch ? t * r->input : r->input;
	r->yt = by_batch ? d * h : d * n * h;
	r->yd = by_batch ? h : n * h;
	r->yb = by_batch ? t * d * h : h;
	r->hd = by_batch ? h : n * h;
	r->hb = by_batch ? d * h : h;
}

static enum status read_shapes(struct kcall *c, struct rnn *r)
{
	bool by_batch = node_attr_int(c->node, "layout", 0) != 0;
	enum status s = OK;
	int64_t n;

	for (uint32_t j = 0; s == OK && j < 3; j++)
		s = nn_rank(c, j, 3, 3);
	if (s != OK)
		return s;
	r->time = c->in[0]->dim[by_batch];
	r->batch = c->in[0]->dim[!by_batch];
	r->input = c->in[0]->dim[2];
	r->hidden = c->in[2]->dim[2];
	if (r->hidden < 1 || r->hidden > INT32_MAX ||
	    node_attr_int(c->node, "hidden_size", r->hidden) != r->hidden)
		return kcall_error(c, E_shape,
				   "hidden_size differs from the weights'");
	set_strides(r, by_batch);
	if (!nn_count(4, r->ydim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	n = r->gates * r->hidden;
	s = expect(c, 1, 3, r->dirs, n, r->input);
	if (s == OK)
		s = expect(c, 2, 3, r->dirs, n, r->hidden);
	if (s == OK)
		s = expect(c, 3, 2, r->dirs, 2 * n, 0);
	if (s == OK)
		s = expect(c, 5, 3, r->hdim[0], r->hdim[1], r->hdim[2]);
	if (s == OK && r->kind == RNN_LSTM)
		s = expect(c, 6, 3, r->hdim[0], r->hdim[1], r->hdim[2]);
	if (s == OK && r->kind == RNN_LSTM)
		s = expect(c, 7, 2, r->dirs, 3 * r->hidden, 0);
	return s == OK ? read_lens(c, r) : s;
}

static enum status check_types(struct kcall *c, struct rnn *r)
{
	for (uint32_t j = 0; j < (r->kind == RNN_LSTM ? 8 : 6); j++) {
		if (j == 4 || (j >= 3 && !kcall_has(c, j)))
			continue;
		if (!kcall_has(c, j) || c->in[j]->kind != ARR_TENSOR ||
		    !dtype_is_float(c->in[j]->dt) ||
		    c->in[j]->dt != c->in[0]->dt)
			return kcall_error(c, E_type,
					   "input %u is not a float tensor of "
					   "input 0's type",
					   j);
	}
	return OK;
}

enum status rnn_init(struct kcall *c, struct rnn *r, enum rnn_kind kind)
{
	static const int gates[] = {[RNN_SIMPLE] = 1, 3, 4};
	enum status s;

	*r = (struct rnn){.kind = kind};
	r->gates = gates[kind];
	r->nfn = (int)kind + 1;
	s = check_types(c, r);
	if (s == OK)
		s = read_direction(c, r);
	if (s == OK)
		s = read_fns(c, r);
	if (s != OK)
		return s;
	r->clip = node_attr_float(c->node, "clip", 0);
	if (!(r->clip >= 0))
		return kcall_error(c, E_value, "attribute clip is %g", r->clip);
	r->input_forget = kind == RNN_LSTM &&
			  node_attr_int(c->node, "input_forget", 0) != 0;
	r->linear_before_reset =
		kind == RNN_GRU &&
		node_attr_int(c->node, "linear_before_reset", 0) != 0;
	return read_shapes(c, r);
}

/* SPDX-License-Identifier: MIT */
/*
 * linear_attention.c -- LinearAttention and CausalConvWithState: layers that
 * carry a state along the sequence, in double.
 *
 * LinearAttention, per head, with the state S [size, vsize]:
 *	S = exp(decay) S;  v = beta (v - S' k) for the delta rules;
 *	S = S + k v';  y = scale S' q
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

enum { IN_QUERY, IN_KEY, IN_VALUE, IN_STATE, IN_DECAY, IN_BETA };

struct linear {
	int64_t batch, len, qheads, heads, size, vsize;
	int64_t ndecay, nbeta; /* columns per position */
	bool gated, delta;
	double scale;
	const double *q, *k, *v, *decay, *beta;
	double *state, *y, *row; /* row: vsize */
};

static enum status linear_attrs(struct kcall *c, struct linear *t)
{
	struct str rule = node_attr_str(c->node, "update_rule", "gated_delta");

	t->gated = str_is(rule, "gated") || str_is(rule, "gated_delta");
	t->delta = str_is(rule, "delta") || str_is(rule, "gated_delta");
	if (!t->gated && !t->delta && !str_is(rule, "linear"))
		return kcall_error(c, E_value,
				   "attribute update_rule is '%.*s'",
				   (int)rule.n, rule.p);
	t->qheads = node_attr_int(c->node, "q_num_heads", 0);
	t->heads = node_attr_int(c->node, "kv_num_heads", 0);
	if (t->heads < 1 || t->qheads < 1 || t->qheads % t->heads != 0)
		return kcall_error(c, E_value, "%lld query heads for %lld",
				   (long long)t->qheads, (long long)t->heads);
	if (kcall_has(c, IN_DECAY) != t->gated ||
	    kcall_has(c, IN_BETA) != t->delta)
		return kcall_error(c, E_value,
				   "decay or beta does not belong to the "
				   "update_rule '%.*s'",
				   (int)rule.n, rule.p);
	return OK;
}

/* Input j is [batch, len, columns]; *columns may be of two sizes. */
static enum status linear_columns(struct kcall *c, const struct linear *t,
				  uint32_t j, int64_t a, int64_t b,
				  int64_t *columns)
{
	const struct array *x;
	enum status s;

	*columns = 0;
	if (!kcall_has(c, j))
		return OK;
	s = nn_rank(c, j, 3, 3);
	if (s != OK)
		return s;
	x = c->in[j];
	*columns = x->dim[2];
	if (x->dim[0] != t->batch || x->dim[1] != t->len ||
	    (*columns != a && *columns != b))
		return kcall_error(c, E_shape,
				   "input %u does not fit the query", j);
	return OK;
}

static enum status linear_shapes(struct kcall *c, struct linear *t)
{
	const struct array *p = kcall_has(c, IN_STATE) ? c->in[IN_STATE] : NULL;
	int64_t any, cols;
	enum status s = nn_rank(c, IN_QUERY, 3, 3);

	if (s == OK)
		s = nn_rank(c, IN_VALUE, 3, 3);
	if (s != OK)
		return s;
	t->batch = c->in[IN_QUERY]->dim[0];
	t->len = c->in[IN_QUERY]->dim[1];
	t->size = c->in[IN_QUERY]->dim[2] / t->qheads;
	t->vsize = c->in[IN_VALUE]->dim[2] / t->heads;
	s = linear_columns(c, t, IN_QUERY, t->size * t->qheads, -1, &any);
	if (s == OK)
		s = linear_columns(c, t, IN_KEY, t->size * t->heads, -1, &any);
	if (s == OK)
		s = linear_columns(c, t, IN_VALUE, t->vsize * t->heads, -1,
				   &any);
	cols = t->size * t->heads;
	if (s == OK)
		s = linear_columns(c, t, IN_DECAY, t->heads, cols, &t->ndecay);
	if (s == OK)
		s = linear_columns(c, t, IN_BETA, t->heads, 1, &t->nbeta);
	if (s == OK && p)
		s = nn_rank(c, IN_STATE, 4, 4);
	if (s == OK && p &&
	    (p->dim[0] != t->batch || p->dim[1] != t->heads ||
	     p->dim[2] != t->size || p->dim[3] != t->vsize))
		s = kcall_error(c, E_shape, "past_state does not fit");
	return s;
}

static enum status linear_types(struct kcall *c)
{
	for (uint32_t j = 0; j < c->nin; j++) {
		if (!kcall_has(c, j))
			continue;
		if (!dtype_is_float(c->in[j]->dt) ||
		    (j != IN_STATE && c->in[j]->dt != c->in[IN_QUERY]->dt))
			return kcall_error(c, E_type, "input %u is of type %s",
					   j, dtype_name(c->in[j]->dt));
	}
	return OK;
}

/* One position of a head: at of [batch, len], state s. */
static void linear_step(const struct linear *t, int64_t at, int64_t h,
			double *s)
{
	const double *k = t->k + (at * t->heads + h) * t->size;
	const double *v = t->v + (at * t->heads + h) * t->vsize;
	int64_t cols = t->vsize;
	double beta = 1;

	for (int64_t d = 0; t->gated && d < t->size; d++) {
		int64_t i = t->ndecay == t->heads ? h : h * t->size + d;
		double keep = md_exp(t->decay[at * t->ndecay + i]);

		for (int64_t m = 0; m < cols; m++)
			s[d * cols + m] *= keep;
	}
	for (int64_t m = 0; m < cols; m++)
		t->row[m] = v[m];
	if (t->delta) {
		beta = t->beta[at * t->nbeta + (t->nbeta == 1 ? 0 : h)];
		for (int64_t d = 0; d < t->size; d++)
			for (int64_t m = 0; m < cols; m++)
				t->row[m] -= s[d * cols + m] * k[d];
	}
	for (int64_t d = 0; d < t->size; d++)
		for (int64_t m = 0; m < cols; m++)
			s[d * cols + m] += k[d] * (beta * t->row[m]);
}

/* What query head h reads from the state. */
static void linear_read(const struct linear *t, int64_t at, int64_t h,
			const double *s)
{
	const double *q = t->q + (at * t->qheads + h) * t->size;
	double *y = t->y + (at * t->qheads + h) * t->vsize;

	for (int64_t m = 0; m < t->vsize; m++) {
		double sum = 0;

		for (int64_t d = 0; d < t->size; d++)
			sum += q[d] * s[d * t->vsize + m];
		y[m] = sum * t->scale;
	}
}

static enum status linear_load(struct kcall *c, struct linear *t, int64_t ny,
			       int64_t ns)
{
	const double *past = NULL;

	t->q = nn_load(c, IN_QUERY);
	t->k = nn_load(c, IN_KEY);
	t->v = nn_load(c, IN_VALUE);
	t->decay = t->gated ? nn_load(c, IN_DECAY) : t->q;
	t->beta = t->delta ? nn_load(c, IN_BETA) : t->q;
	t->state = nn_temp(c, ns);
	t->y = nn_temp(c, ny);
	t->row = nn_temp(c, t->vsize);
	if (kcall_has(c, IN_STATE)) {
		past = nn_load(c, IN_STATE);
		if (!past)
			return LIMIT;
	}
	if (!t->q || !t->k || !t->v || !t->decay || !t->beta || !t->state ||
	    !t->y || !t->row)
		return LIMIT;
	for (int64_t i = 0; i < ns; i++)
		t->state[i] = past ? past[i] : 0;
	return OK;
}

static void linear_run(const struct linear *t)
{
	int64_t each = t->qheads / t->heads, part = t->size * t->vsize;

	for (int64_t b = 0; b < t->batch; b++)
		for (int64_t h = 0; h < t->heads; h++) {
			double *s = t->state + (b * t->heads + h) * part;

			for (int64_t i = 0; i < t->len; i++) {
				int64_t at = b * t->len + i;

				linear_step(t, at, h, s);
				for (int64_t r = 0; r < each; r++)
					linear_read(t, at, h * each + r, s);
			}
		}
}

enum status k_linear_attention(struct kcall *c)
{
	struct linear t = {0};
	int64_t ydim[3], sdim[4], ny, ns;
	enum dtype dt = c->in[IN_QUERY]->dt, st = dt;
	enum status s = linear_types(c);

	if (s == OK)
		s = linear_attrs(c, &t);
	if (s == OK)
		s = linear_shapes(c, &t);
	if (s != OK)
		return s;
	t.scale = node_attr_float(c->node, "scale", 0);
	if (t.scale == 0)
		t.scale = 1 / sqrt((double)max64(t.size, 1));
	ydim[0] = sdim[0] = t.batch;
	ydim[1] = t.len;
	sdim[1] = t.heads;
	sdim[2] = t.size;
	sdim[3] = t.vsize;
	if (!mul_i64(t.qheads, t.vsize, &ydim[2]) || !nn_count(3, ydim, &ny) ||
	    !nn_count(4, sdim, &ns))
		return kcall_error(c, E_dims, "dimensions overflow");
	s = linear_load(c, &t, ny, ns);
	if (s != OK)
		return s;
	if (ns > 0)
		linear_run(&t);
	else
		memset(t.y, 0, (size_t)ny * sizeof *t.y);
	if (kcall_has(c, IN_STATE))
		st = c->in[IN_STATE]->dt;
	s = nn_save(c, 0, dt, 3, ydim, t.y);
	return s == OK ? nn_save(c, 1, st, 4, sdim, t.state) : s;
}

/* ---- CausalConvWithState ---- */

struct causal {
	int64_t batch, channels, len, k;
	bool silu;
	const double *x, *w, *b, *past; /* b, past: may be NULL */
	double *y, *state;
};

static enum status causal_init(struct kcall *c, struct causal *t)
{
	struct str act = node_attr_str(c->node, "activation", "none");
	const int64_t *x, *w;
	enum status s = nn_floats(c, 2, 4);

	for (uint32_t j = 0; s == OK && j < 4; j++)
		if (j != 2 && kcall_has(c, j))
			s = nn_rank(c, j, 3, 3);
	if (s != OK)
		return s;
	t->silu = str_is(act, "silu") || str_is(act, "swish");
	if (!t->silu && !str_is(act, "none"))
		return kcall_error(c, E_value, "attribute activation is '%.*s'",
				   (int)act.n, act.p);
	x = c->in[0]->dim;
	w = c->in[1]->dim;
	t->batch = x[0];
	t->channels = x[1];
	t->len = x[2];
	t->k = w[2];
	if (w[0] != t->channels || w[1] != 1 || t->k < 1)
		return kcall_error(c, E_shape,
				   "a kernel of %lld x %lld x %lld for %lld "
				   "channels",
				   (long long)w[0], (long long)w[1],
				   (long long)t->k, (long long)t->channels);
	if (kcall_has(c, 3)) {
		const int64_t *p = c->in[3]->dim;

		if (p[0] != t->batch || p[1] != t->channels || p[2] != t->k - 1)
			return kcall_error(c, E_shape,
					   "past_state does not fit");
	}
	return nn_vector(c, 2, c->in[0]->dt, t->channels);
}

/* Position i of the sequence, i >= -(k - 1); before it the past. */
static double causal_at(const struct causal *t, int64_t plane, int64_t i)
{
	if (i >= 0)
		return t->x[plane * t->len + i];
	return t->past ? t->past[plane * (t->k - 1) + i + t->k - 1] : 0;
}

static void causal_plane(const struct causal *t, int64_t plane)
{
	int64_t ch = plane % t->channels;
	const double *w = t->w + ch * t->k;

	for (int64_t i = 0; i < t->len; i++) {
		double sum = 0;

		for (int64_t k = 0; k < t->k; k++)
			sum += w[k] * causal_at(t, plane, i + k - (t->k - 1));
		sum += t->b ? t->b[ch] : 0;
		t->y[plane * t->len + i] =
			t->silu ? sum / (1 + md_exp(-sum)) : sum;
	}
	for (int64_t k = 0; k < t->k - 1; k++)
		t->state[plane * (t->k - 1) + k] =
			causal_at(t, plane, t->len + k - (t->k - 1));
}

enum status k_causal_conv(struct kcall *c)
{
	struct causal t = {0};
	int64_t dim[3], ns;
	enum dtype dt = c->in[0]->dt;
	enum status s = causal_init(c, &t);

	if (s != OK)
		return s;
	dim[0] = t.batch;
	dim[1] = t.channels;
	dim[2] = t.k - 1;
	if (!nn_count(3, dim, &ns))
		return kcall_error(c, E_dims, "dimensions overflow");
	t.x = nn_load(c, 0);
	t.w = nn_load(c, 1);
	t.b = kcall_has(c, 2) ? nn_load(c, 2) : NULL;
	t.past = kcall_has(c, 3) ? nn_load(c, 3) : NULL;
	t.y = nn_temp(c, c->in[0]->n);
	t.state = nn_temp(c, ns);
	if (!t.x || !t.w || (kcall_has(c, 2) && !t.b) ||
	    (kcall_has(c, 3) && !t.past) || !t.y || !t.state)
		return LIMIT;
	for (int64_t i = 0;
	     (c->in[0]->n > 0 || ns > 0) && i < t.batch * t.channels; i++)
		causal_plane(&t, i);
	s = nn_save(c, 0, dt, 3, c->in[0]->dim, t.y);
	return s == OK ? nn_save(c, 1, dt, 3, dim, t.state) : s;
}

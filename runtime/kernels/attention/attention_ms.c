/* SPDX-License-Identifier: MIT */
/*
 * attention_ms.c -- the contributed MultiHeadAttention, and the masks that
 * it shares with Attention and QAttention.
 */
#include "runtime/kernels/attention/attention_ms_p.h"

#include <math.h>

/* ---- masks ---- */

double ms_scale(const struct kcall *c, int64_t size)
{
	double scale = node_attr_float(c->node, "scale", 0);

	return scale != 0 ? scale : 1 / sqrt((double)max64(size, 1));
}

enum status ms_bias_init(struct kcall *c, uint32_t j, const struct attention *t,
			 const struct array **bias, int64_t *stride)
{
	const int64_t want[4] = {t->batch, t->qheads, t->q, t->total};
	const struct array *a;
	int64_t step = 1;
	enum status s;

	if (!kcall_has(c, j))
		return OK;
	s = nn_rank(c, j, 4, 4);
	if (s != OK)
		return s;
	a = c->in[j];
	if (!dtype_is_float(a->dt))
		return kcall_error(c, E_type, "input %u is not a float tensor",
				   j);
	for (int i = 3; i >= 0; i--) {
		if (a->dim[i] != want[i] && !(i < 2 && a->dim[i] == 1))
			return kcall_error(c, E_shape,
					   "input %u has %lld along axis %d, "
					   "expected %lld",
					   j, (long long)a->dim[i], i,
					   (long long)want[i]);
		stride[i] = a->dim[i] == 1 && want[i] != 1 ? 0 : step;
		step *= a->dim[i];
	}
	*bias = a;
	return OK;
}

double ms_bias_at(const struct array *bias, const int64_t *stride, int64_t b,
		  int64_t h, int64_t i, int64_t j)
{
	return dtype_get(bias->dt, bias->data,
			 (size_t)(b * stride[0] + h * stride[1] +
				  i * stride[2] + j * stride[3]));
}

static bool kept(const struct ms_rules *r, const struct attention *t, int64_t b,
		 int64_t i, int64_t j)
{
	const int32_t *m = r->mask;

	switch (r->kind) {
	case MASK_ENDS:
		return j < m[b];
	case MASK_SPANS:
		return j < m[b] && j >= m[t->batch + b];
	case MASK_KEYS:
		return m[b * t->total + j] > 0;
	default:
		return m[(b * t->q + i) * t->total + j] > 0;
	}
}

static void mask_row(const struct attention *t, int64_t b, int64_t h, int64_t i,
		     int64_t j, int64_t n, double *add)
{
	const struct ms_rules *r = t->rules;
	/* The last query sees all keys, as in ONNX Runtime; it matters only
	 * where there are more keys than queries. */
	bool causal = r->causal && i < t->q - 1;

	for (int64_t k = 0; k < n; k++) {
		double v = 0;

		if (causal && j + k > r->past + i)
			v = -INFINITY;
		else if (r->mask && !kept(r, t, b, i, j + k))
			v = r->filter;
		if (r->bias)
			v += ms_bias_at(r->bias, r->bstride, b, h, i, j + k);
		add[k] = v;
	}
}

static enum status mask_init(struct kcall *c, struct ms_rules *r,
			     const struct attention *t, uint32_t jmask)
{
	const struct array *m = kcall_has(c, jmask) ? c->in[jmask] : NULL;

	if (!m)
		return OK;
	if (m->kind != ARR_TENSOR || m->dt != DT_I32)
		return kcall_error(c, E_type, "the mask is not int32");
	r->mask = m->data;
	if (m->rank == 1 && m->n == t->batch)
		r->kind = MASK_ENDS;
	else if (m->rank == 1 && m->n == 2 * t->batch)
		r->kind = MASK_SPANS;
	else if (m->rank == 2 && m->dim[0] == t->batch && m->dim[1] == t->total)
		r->kind = MASK_KEYS;
	else if (m->rank == 3 && m->dim[0] == t->batch && m->dim[1] == t->q &&
		 m->dim[2] == t->total)
		r->kind = MASK_SCORES;
	else if (m->rank == 4 || (m->rank == 1 && m->n == 3 * t->batch + 2))
		return kcall_error(c, E_unsupported,
				   "a mask of rank %d with %lld elements",
				   m->rank, (long long)m->n);
	else
		return kcall_error(c, E_shape, "the mask does not fit");
	return OK;
}

enum status ms_rules_init(struct kcall *c, struct ms_rules *r,
			  struct attention *t, uint32_t jmask, uint32_t jbias)
{
	enum status s = mask_init(c, r, t, jmask);

	if (s == OK)
		s = ms_bias_init(c, jbias, t, &r->bias, r->bstride);
	if (s != OK)
		return s;
	r->causal = node_attr_int(c->node, "unidirectional", 0) != 0;
	r->filter = node_attr_float(c->node, "mask_filter_value", -10000);
	t->scale = ms_scale(c, t->size);
	t->rules = r;
	if (r->mask || r->bias || r->causal)
		t->mask = mask_row;
	return OK;
}

void ms_with_past(const struct attention *t, struct heads dst, void *past,
		  int64_t npast, struct heads now, int64_t size)
{
	if (past)
		heads_copy(t, dst, 0,
			   heads_of(past, false, t->heads, npast, size),
			   t->heads, npast, size);
	heads_copy(t, dst, npast, now, t->heads, t->total - npast, size);
}

/* ---- MultiHeadAttention ---- */

struct multi {
	struct attention t;
	struct ms_rules r;
	int64_t kv;
	struct heads k, v; /* new keys and values */
};

enum { QUERY, KEY, VALUE, BIAS, KEY_MASK, SCORE_BIAS, PAST_KEY, PAST_VALUE };

/* A part of a packed tensor [batch, length, heads, parts, size]. */
static struct heads part_of(const struct multi *m, void *p, int64_t part,
			    int64_t parts, int64_t len)
{
	const struct attention *t = &m->t;
	struct heads h =
		heads_of(p, true, t->heads, len, (int64_t)(parts * t->size));

	h.p = (char *)h.p + (size_t)(part * t->size) * t->es;
	return h;
}

static enum status misfit(struct kcall *c)
{
	return kcall_error(c, E_shape, "query, key and value do not fit");
}

/* Query, key and value in one tensor. */
static enum status packed_all(struct kcall *c, struct multi *m)
{
	struct attention *t = &m->t;
	const int64_t *d = c->in[QUERY]->dim;
	void *p = heads_load(c, QUERY, t->es);

	if (d[2] != t->heads || d[3] != 3)
		return misfit(c);
	t->q = m->kv = d[1];
	t->size = t->vsize = d[4];
	if (!p)
		return LIMIT;
	t->x = part_of(m, p, 0, 3, t->q);
	m->k = part_of(m, p, 1, 3, t->q);
	m->v = part_of(m, p, 2, 3, t->q);
	return OK;
}

static enum status packed_keys(struct kcall *c, struct multi *m)
{
	struct attention *t = &m->t;
	const int64_t *d = c->in[KEY]->dim;
	void *p = heads_load(c, KEY, t->es);

	if (d[0] != t->batch || d[2] != t->heads || d[3] != 2 ||
	    d[4] != t->size || kcall_has(c, VALUE))
		return misfit(c);
	m->kv = d[1];
	t->vsize = d[4];
	if (!p)
		return LIMIT;
	m->k = part_of(m, p, 0, 2, m->kv);
	m->v = part_of(m, p, 1, 2, m->kv);
	return OK;
}

/* Keys and values apart: rank 3, or by head with rank 4. */
static enum status plain_keys(struct kcall *c, struct multi *m)
{
	struct attention *t = &m->t;
	const int64_t *k = c->in[KEY]->dim, *v;
	int rank = c->in[KEY]->rank;
	bool flat = rank == 3;
	enum status s = nn_rank(c, VALUE, rank, rank);
	void *pk, *pv;

	if (s != OK)
		return s;
	v = c->in[VALUE]->dim;
	m->kv = flat ? k[1] : k[2];
	t->vsize = flat ? v[2] / t->heads : v[3];
	if (k[0] != t->batch || v[0] != t->batch ||
	    (flat ? k[2] != t->heads * t->size || v[1] != m->kv ||
			     v[2] % t->heads != 0
		  : k[1] != t->heads || v[1] != t->heads || k[3] != t->size ||
			     v[2] != m->kv))
		return misfit(c);
	pk = heads_load(c, KEY, t->es);
	pv = heads_load(c, VALUE, t->es);
	m->k = heads_of(pk, flat, t->heads, m->kv, t->size);
	m->v = heads_of(pv, flat, t->heads, m->kv, t->vsize);
	return pk && pv ? OK : LIMIT;
}

static enum status separate(struct kcall *c, struct multi *m)
{
	struct attention *t = &m->t;
	const struct array *q = c->in[QUERY];
	enum status s = nn_rank(c, KEY, 3, 5);

	if (s != OK)
		return s;
	if (q->rank != 3 || q->dim[2] % t->heads != 0)
		return misfit(c);
	t->q = q->dim[1];
	t->size = q->dim[2] / t->heads;
	t->x = heads_of(heads_load(c, QUERY, t->es), true, t->heads, t->q,
			t->size);
	if (!t->x.p)
		return LIMIT;
	return c->in[KEY]->rank == 5 ? packed_keys(c, m) : plain_keys(c, m);
}

/* v plus a row of the bias, as a dense copy. */
static enum status add_bias(struct kcall *c, const struct attention *t,
			    const void *bias, int64_t at, int64_t len,
			    int64_t size, struct heads *v)
{
	int64_t n, dim[4] = {t->batch, len, t->heads, size};
	struct heads y;

	if (!nn_count(4, dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	y = heads_of(heads_temp(c, n, t->es), true, t->heads, len, size);
	if (!y.p)
		return LIMIT;
	heads_copy(t, y, 0, *v, t->heads, len, size);
	for (int64_t i = 0, row = t->heads * size; i < n; i++)
		if (t->es == sizeof(float))
			((float *)y.p)[i] +=
				((const float *)bias)[at + i % row];
		else
			((double *)y.p)[i] +=
				((const double *)bias)[at + i % row];
	*v = y;
	return OK;
}

static enum status biases(struct kcall *c, struct multi *m)
{
	struct attention *t = &m->t;
	int64_t d = t->heads * t->size, dv = t->heads * t->vsize;
	enum status s = nn_vector(c, BIAS, c->in[0]->dt, 2 * d + dv);
	const void *b;

	if (s != OK || !kcall_has(c, BIAS))
		return s;
	b = heads_load(c, BIAS, t->es);
	if (!b)
		return LIMIT;
	s = add_bias(c, t, b, 0, t->q, t->size, &t->x);
	if (kcall_has(c, KEY) && c->in[KEY]->rank == 4)
		return s;
	if (s == OK)
		s = add_bias(c, t, b, d, m->kv, t->size, &m->k);
	return s == OK ? add_bias(c, t, b, 2 * d, m->kv, t->vsize, &m->v) : s;
}

static enum status past_shape(struct kcall *c, struct multi *m)
{
	const struct attention *t = &m->t;
	enum status s;

	if (!kcall_has(c, PAST_KEY) && !kcall_has(c, PAST_VALUE))
		return OK;
	s = nn_rank(c, PAST_KEY, 4, 4);
	if (s == OK)
		s = nn_rank(c, PAST_VALUE, 4, 4);
	if (s != OK)
		return s;
	for (uint32_t j = PAST_KEY; j <= PAST_VALUE; j++) {
		const int64_t *d = c->in[j]->dim;

		if (d[0] != t->batch || d[1] != t->heads ||
		    d[2] != c->in[PAST_KEY]->dim[2] ||
		    d[3] != (j == PAST_KEY ? t->size : t->vsize))
			return kcall_error(c, E_shape,
					   "past keys or values do not fit");
	}
	m->r.past = c->in[PAST_KEY]->dim[2];
	return OK;
}

static enum status multi_init(struct kcall *c, struct multi *m)
{
	struct attention *t = &m->t;
	enum status s = nn_rank(c, QUERY, 3, 5);

	t->heads = t->qheads = node_attr_int(c->node, "num_heads", 0);
	if (s == OK && (t->heads < 1 || t->heads > INT32_MAX))
		s = kcall_error(c, E_value, "attribute num_heads is %lld",
				(long long)t->heads);
	if (s == OK && (kcall_has(c, 8) || kcall_has(c, 9)))
		s = kcall_error(c, E_unsupported,
				"a shared buffer of past keys and values");
	if (s != OK)
		return s;
	t->batch = c->in[QUERY]->dim[0];
	if (!kcall_has(c, KEY))
		s = c->in[QUERY]->rank == 5 ? packed_all(c, m) : misfit(c);
	else
		s = separate(c, m);
	if (s == OK)
		s = attention_check(c, t);
	if (s == OK)
		s = biases(c, m);
	if (s == OK)
		s = past_shape(c, m);
	if (s == OK && !add_i64(m->r.past, m->kv, &t->total))
		s = kcall_error(c, E_dims, "dimensions overflow");
	return s == OK ? ms_rules_init(c, &m->r, t, KEY_MASK, SCORE_BIAS) : s;
}

/* All keys or values; the output that holds them. */
static enum status present(struct kcall *c, struct multi *m, uint32_t i,
			   uint32_t jpast, int64_t size, struct heads now,
			   struct heads *all)
{
	struct attention *t = &m->t;
	int64_t dim[4] = {t->batch, t->heads, t->total, size};
	void *past = NULL;

	*all = now;
	if (!kcall_has(c, jpast) && !kcall_wants(c, i))
		return OK;
	if (kcall_has(c, jpast)) {
		past = heads_load(c, jpast, t->es);
		if (!past)
			return LIMIT;
	}
	*all = heads_of(heads_out(c, i, t->es, c->in[0]->dt, 4, dim), false,
			t->heads, t->total, size);
	if (!all->p)
		return LIMIT;
	ms_with_past(t, *all, past, m->r.past, now, size);
	return heads_save(c, i, t->es, c->in[0]->dt, 4, dim, all->p);
}

static enum status multi_run(struct kcall *c, struct multi *m)
{
	struct attention *t = &m->t;
	enum dtype dt = c->in[0]->dt;
	int64_t dim[3] = {t->batch, t->q, t->heads * t->vsize};
	int64_t score[4] = {t->batch, t->heads, t->q, t->total}, n;
	enum status s = present(c, m, 1, PAST_KEY, t->size, m->k, &t->k);

	if (s == OK)
		s = present(c, m, 2, PAST_VALUE, t->vsize, m->v, &t->v);
	if (s != OK)
		return s;
	t->y = heads_of(heads_out(c, 0, t->es, dt, 3, dim), true, t->heads,
			t->q, t->vsize);
	t->stage = SHOW_SOFTMAX;
	if (kcall_wants(c, 3))
		t->shown = nn_count(4, score, &n) ? nn_temp(c, n) : NULL;
	if (!t->y.p || (kcall_wants(c, 3) && !t->shown))
		return LIMIT;
	s = attention_compute(c, t);
	if (s == OK)
		s = heads_save(c, 0, t->es, dt, 3, dim, t->y.p);
	return s == OK && t->shown ? nn_save(c, 3, dt, 4, score, t->shown) : s;
}

static enum status multi(struct kcall *c, size_t es)
{
	struct multi m = {.t = {.es = es}};
	enum status s = nn_floats(c, 1, 4);

	for (uint32_t j = PAST_KEY; s == OK && j <= PAST_VALUE; j++)
		if (kcall_has(c, j) && c->in[j]->dt != c->in[0]->dt)
			s = kcall_error(c, E_type, "input %u is of type %s", j,
					dtype_name(c->in[j]->dt));
	if (s == OK)
		s = multi_init(c, &m);
	return s == OK ? multi_run(c, &m) : s;
}

enum status k_multi_head_attention(struct kcall *c)
{
	return multi(c, sizeof(double));
}

enum status k_multi_head_attention_f32(struct kcall *c)
{
	bool f32 = c->in[0]->dt == DT_F32 && !kcall_wants(c, 3);

	return multi(c, f32 ? sizeof(float) : sizeof(double));
}

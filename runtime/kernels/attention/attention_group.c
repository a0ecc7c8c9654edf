/* SPDX-License-Identifier: MIT */
/*
 * attention_group.c -- the contributed GroupQueryAttention: key heads shared
 * by groups of query heads, rotary embedding, a growing store of keys and
 * values in which each batch entry has a length of its own.
 *
 * Rows of the store beyond an entry's length are what the past had there, or
 * zero.  Queries beyond it (padding on the right) see the keys before them.
 */
#include "runtime/kernels/attention/attention_ms_p.h"
#include "runtime/kernels/attention/rotary_p.h"

#include <math.h>
#include <string.h>

enum {
	QUERY,
	KEY,
	VALUE,
	PAST_KEY,
	PAST_VALUE,
	SEQLENS,
	TOTAL,
	COSINE,
	SINE,
	POSITIONS,
	SCORE_BIAS,
	HEAD_SINK,
	FIRST_MISSING, /* scales of a quantized store, norms, chunk lengths */
	INPUTS = 17,
};

struct group {
	struct attention t;
	struct rotary rot;
	bool causal;
	int64_t window;           /* -1: none */
	int64_t store;            /* length of past and present */
	int64_t npast;            /* of the past's store */
	const int64_t *len, *pos; /* [batch]; [batch, q] or NULL */
	int64_t *past;            /* [batch] */
	struct heads k, v;        /* new ones */
	const struct array *bias;
	int64_t bstride[4];
};

static void mask_row(const struct attention *t, int64_t b, int64_t h, int64_t i,
		     int64_t j, int64_t n, double *add)
{
	const struct group *g = t->rules;
	int64_t last = g->causal ? g->past[b] + i : g->len[b] - 1;
	int64_t first = g->window >= 0 ? last + 1 - g->window : 0;

	for (int64_t k = 0; k < n; k++) {
		int64_t at = j + k;

		add[k] = at > last || at < first ? -INFINITY : 0;
		if (g->bias && add[k] == 0 && at < g->bias->dim[3])
			add[k] = ms_bias_at(g->bias, g->bstride, b, h, i, at);
	}
}

/* ---- shapes ---- */

static enum status refuse(struct kcall *c)
{
	static const char *const name[] = {
		"a scale of keys",         "a scale of values",
		"a weight of query norms", "a weight of key norms",
		"lengths of chunks",
	};

	for (uint32_t j = FIRST_MISSING; j < INPUTS; j++)
		if (kcall_has(c, j))
			return kcall_error(c, E_unsupported, "input %u: %s", j,
					   name[j - FIRST_MISSING]);
	if (node_attr_int(c->node, "sliding_window_cache", 0) != 0)
		return kcall_error(c, E_unsupported,
				   "attribute sliding_window_cache is not 0");
	if (kcall_wants(c, 3))
		return kcall_error(c, E_unsupported, "output 3 (scores)");
	return OK;
}

static enum status sizes(struct kcall *c, struct group *g)
{
	struct attention *t = &g->t;
	const int64_t *q = c->in[QUERY]->dim, *k, *v;
	int64_t all, first;
	bool packed = !kcall_has(c, KEY);
	enum status s = OK;

	t->qheads = node_attr_int(c->node, "num_heads", 0);
	t->heads = node_attr_int(c->node, "kv_num_heads", 0);
	if (t->qheads < 1 || t->heads < 1 || t->qheads > INT32_MAX ||
	    t->heads > INT32_MAX || t->qheads % t->heads != 0)
		return kcall_error(c, E_value, "%lld heads share %lld",
				   (long long)t->qheads, (long long)t->heads);
	t->batch = q[0];
	t->q = q[1];
	all = t->qheads + (packed ? 2 * t->heads : 0);
	if (q[2] % all != 0)
		return kcall_error(c, E_shape, "query has %lld columns",
				   (long long)q[2]);
	t->size = t->vsize = q[2] / all;
	t->x.p = heads_load(c, QUERY, t->es);
	if (!t->x.p)
		return LIMIT;
	t->x = heads_of(t->x.p, true, all, t->q, t->size);
	g->k = g->v = t->x;
	if (packed) {
		first = t->qheads * t->size * (int64_t)t->es;
		g->k.p = (char *)t->x.p + first;
		g->v.p = (char *)g->k.p + t->heads * t->size * (int64_t)t->es;
		return OK;
	}
	for (uint32_t j = KEY; s == OK && j <= VALUE; j++)
		s = nn_rank(c, j, 3, 3);
	if (s != OK)
		return s;
	k = c->in[KEY]->dim;
	v = c->in[VALUE]->dim;
	if (k[0] != q[0] || v[0] != q[0] || k[1] != q[1] || v[1] != q[1] ||
	    k[2] != t->heads * t->size || v[2] != k[2])
		return kcall_error(c, E_shape,
				   "query, key and value do not fit");
	g->k = heads_of(heads_load(c, KEY, t->es), true, t->heads, t->q,
			t->size);
	g->v = heads_of(heads_load(c, VALUE, t->es), true, t->heads, t->q,
			t->size);
	return g->k.p && g->v.p ? OK : LIMIT;
}

static enum status past_shape(struct kcall *c, struct group *g)
{
	const struct attention *t = &g->t;
	enum status s = OK;

	if (!kcall_has(c, PAST_KEY) && !kcall_has(c, PAST_VALUE))
		return OK;
	for (uint32_t j = PAST_KEY; s == OK && j <= PAST_VALUE; j++) {
		const int64_t *d;

		s = nn_rank(c, j, 4, 4);
		if (s != OK)
			return s;
		d = c->in[j]->dim;
		if (c->in[j]->dt != c->in[QUERY]->dt)
			return kcall_error(c, E_unsupported,
					   "past keys or values of type %s",
					   dtype_name(c->in[j]->dt));
		if (d[0] != t->batch || d[1] != t->heads ||
		    d[2] != c->in[PAST_KEY]->dim[2] || d[3] != t->size)
			s = kcall_error(c, E_shape,
					"past keys or values do not fit");
	}
	g->npast = c->in[PAST_KEY]->dim[2];
	return s;
}

/* How many keys each entry has, and had before. */
static enum status lengths(struct kcall *c, struct group *g)
{
	struct attention *t = &g->t;
	const int64_t *last;
	int64_t total, *len, most = 0;
	size_t n = 0;
	enum status s = kcall_ints(c, SEQLENS, &last, &n);

	if (s == OK)
		s = kcall_int(c, TOTAL, 0, &total);
	if (s != OK)
		return s;
	if (n != (size_t)t->batch)
		return kcall_error(c, E_shape,
				   "%zu lengths for a batch of "
				   "%lld",
				   n, (long long)t->batch);
	if (total < t->q || total > INT32_MAX)
		return kcall_error(c, E_value, "a total length of %lld",
				   (long long)total);
	g->store = max64(g->npast, total);
	len = nn_scratch(c, 2 * t->batch, sizeof *len);
	if (!len)
		return LIMIT;
	g->len = len;
	g->past = len + t->batch;
	for (int64_t b = 0; b < t->batch; b++) {
		/* The first prompt starts anew. */
		bool prompt = t->q == total;

		if (last[b] < 0 || last[b] >= total ||
		    (!prompt && last[b] + 1 < t->q))
			return kcall_error(
				c, E_value, "length %lld of entry %lld",
				(long long)last[b] + 1, (long long)b);
		len[b] = last[b] + 1;
		g->past[b] = prompt ? 0 : len[b] - t->q;
		if (g->past[b] > g->npast)
			return kcall_error(c, E_value,
					   "%lld keys are in the past, which "
					   "has %lld",
					   (long long)g->past[b],
					   (long long)g->npast);
		most = max64(most, max64(len[b], g->past[b] + t->q));
	}
	t->total = most;
	return OK;
}

static enum status bias_shape(struct kcall *c, struct group *g)
{
	struct attention wide = g->t;

	if (!kcall_has(c, SCORE_BIAS))
		return OK;
	/* Columns beyond the longest entry's keys are not read. */
	if (c->in[SCORE_BIAS]->rank == 4)
		wide.total = max64(c->in[SCORE_BIAS]->dim[3], wide.total);
	return ms_bias_init(c, SCORE_BIAS, &wide, &g->bias, g->bstride);
}

static enum status attributes(struct kcall *c, struct group *g)
{
	struct attention *t = &g->t;
	int64_t causal = node_attr_int(c->node, "causal", 1);
	double *sink;
	enum status s;

	g->causal = causal != 0;
	g->window = node_attr_int(c->node, "local_window_size", -1);
	t->softcap = node_attr_float(c->node, "softcap", 0);
	t->scale = ms_scale(c, t->size);
	if (g->window < -1 || (g->window >= 0 && !g->causal))
		return kcall_error(c, E_value,
				   "attribute local_window_size is %lld",
				   (long long)g->window);
	if (!kcall_has(c, HEAD_SINK) &&
	    node_attr_int(c->node, "smooth_softmax", 0) <= 0)
		return OK;
	sink = nn_temp(c, t->qheads);
	if (!sink)
		return LIMIT;
	t->sink = sink;
	for (int64_t h = 0; h < t->qheads; h++)
		sink[h] = 0;
	if (!kcall_has(c, HEAD_SINK))
		return OK;
	s = nn_vector(c, HEAD_SINK, c->in[QUERY]->dt, t->qheads);
	if (s == OK)
		nn_load_range(c->in[HEAD_SINK], 0, t->qheads, sink);
	return s;
}

/* ---- rotary embedding ---- */

static int64_t position(const struct group *g, int64_t b, int64_t s)
{
	return g->pos ? g->pos[b * g->t.q + s] : g->past[b] + s;
}

static enum status rotary_init(struct kcall *c, struct group *g)
{
	const struct attention *t = &g->t;
	const struct array *p;
	enum status s = nn_rank(c, COSINE, 2, 2);

	if (s != OK)
		return s;
	g->rot.half = c->in[COSINE]->dim[1];
	g->rot.interleaved =
		node_attr_int(c->node, "rotary_interleaved", 0) != 0;
	if (g->rot.half > t->size / 2)
		return kcall_error(c, E_shape, "the caches have %lld columns",
				   (long long)g->rot.half);
	s = rotary_caches(c, &g->rot, COSINE, 2);
	if (s == OK && kcall_has(c, POSITIONS)) {
		p = c->in[POSITIONS];
		if (p->dt != DT_I64 || p->n != t->batch * t->q)
			s = kcall_error(c, E_shape, "%lld positions",
					(long long)p->n);
		g->pos = p->data;
	}
	for (int64_t b = 0; s == OK && b < t->batch; b++)
		for (int64_t i = 0; s == OK && i < t->q; i++) {
			int64_t at = position(g, b, i);

			if (at < 0 || at >= g->rot.rows)
				s = kcall_error(
					c, E_value, "position %lld of %lld",
					(long long)at, (long long)g->rot.rows);
		}
	return s;
}

/* A turned copy of v. */
static enum status turned(struct kcall *c, const struct group *g, int64_t heads,
			  struct heads *v)
{
	const struct attention *t = &g->t;
	int64_t n, dim[4] = {t->batch, t->q, heads, t->size};
	struct heads y;

	if (!nn_count(4, dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	y = heads_of(heads_temp(c, n, t->es), true, heads, t->q, t->size);
	if (!y.p)
		return LIMIT;
	for (int64_t b = 0; b < t->batch; b++)
		for (int64_t i = 0; i < t->q; i++)
			for (int64_t h = 0; h < heads; h++)
				rotary_turn(&g->rot, position(g, b, i), t->es,
					    t->size,
					    heads_at(&y, t->es, b, h, i),
					    heads_at(v, t->es, b, h, i));
	*v = y;
	return OK;
}

/* ---- the store ---- */

static enum status present(struct kcall *c, const struct group *g, uint32_t i,
			   uint32_t jpast, struct heads now, struct heads *all)
{
	const struct attention *t = &g->t;
	int64_t dim[4] = {t->batch, t->heads, g->store, t->size}, n;
	struct heads old = {0};

	*all = heads_of(heads_out(c, i, t->es, c->in[QUERY]->dt, 4, dim), false,
			t->heads, g->store, t->size);
	if (!all->p || !nn_count(4, dim, &n))
		return LIMIT;
	memset(all->p, 0, (size_t)n * t->es);
	if (kcall_has(c, jpast)) {
		old = heads_of(heads_load(c, jpast, t->es), false, t->heads,
			       g->npast, t->size);
		if (!old.p)
			return LIMIT;
		heads_copy(t, *all, 0, old, t->heads, g->npast, t->size);
	}
	for (int64_t b = 0; b < t->batch; b++) {
		struct attention one = *t;
		struct heads to = *all, from = now;

		one.batch = 1;
		to.p = heads_at(&to, t->es, b, 0, 0);
		from.p = heads_at(&from, t->es, b, 0, 0);
		heads_copy(&one, to, g->past[b], from, t->heads, t->q, t->size);
	}
	return heads_save(c, i, t->es, c->in[QUERY]->dt, 4, dim, all->p);
}

static enum status group_init(struct kcall *c, struct group *g)
{
	enum status s = refuse(c);

	if (s == OK)
		s = nn_floats(c, 1, 3);
	if (s == OK)
		s = nn_rank(c, QUERY, 3, 3);
	if (s == OK)
		s = sizes(c, g);
	if (s == OK)
		s = attention_check(c, &g->t);
	if (s == OK)
		s = past_shape(c, g);
	if (s == OK)
		s = lengths(c, g);
	if (s == OK)
		s = bias_shape(c, g);
	if (s == OK)
		s = attributes(c, g);
	if (s == OK && node_attr_int(c->node, "do_rotary", 0) != 0) {
		s = rotary_init(c, g);
		if (s == OK)
			s = turned(c, g, g->t.qheads, &g->t.x);
		if (s == OK)
			s = turned(c, g, g->t.heads, &g->k);
	}
	return s;
}

static enum status group(struct kcall *c, size_t es)
{
	struct group g = {.t = {.es = es, .mask = mask_row}};
	struct attention *t = &g.t;
	enum dtype dt = c->in[QUERY]->dt;
	enum status s = group_init(c, &g);
	int64_t dim[3];

	if (s == OK)
		s = present(c, &g, 1, PAST_KEY, g.k, &t->k);
	if (s == OK)
		s = present(c, &g, 2, PAST_VALUE, g.v, &t->v);
	if (s != OK)
		return s;
	t->rules = &g;
	dim[0] = t->batch;
	dim[1] = t->q;
	dim[2] = t->qheads * t->size;
	t->y = heads_of(heads_out(c, 0, es, dt, 3, dim), true, t->qheads, t->q,
			t->size);
	if (!t->y.p)
		return LIMIT;
	s = attention_compute(c, t);
	return s == OK ? heads_save(c, 0, es, dt, 3, dim, t->y.p) : s;
}

enum status k_group_query_attention(struct kcall *c)
{
	return group(c, sizeof(double));
}

enum status k_group_query_attention_f32(struct kcall *c)
{
	return group(c, c->in[QUERY]->dt == DT_F32 ? sizeof(float)
						   : sizeof(double));
}

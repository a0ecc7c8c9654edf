/* SPDX-License-Identifier: MIT */
/*
 * attention_onnx.c -- Attention of ai.onnx.
 *
 * Key and value heads may be fewer than query heads (each serves a run of
 * them).  Past keys and values come first.
 */
#include "runtime/kernels/attention/attention_p.h"

#include <math.h>

struct rules {
	struct attention t;
	bool flat; /* rank 3: heads inside the last axis */
	int64_t kv, past;
	bool causal;
	const struct array *mask;
	int64_t mstride[4], mlen;
	const int64_t *lens;
};

/* ---- shapes ---- */

static enum status count_heads(struct kcall *c, uint32_t j, const char *attr,
			       int64_t *heads, int64_t *len, int64_t *size)
{
	const struct array *a = c->in[j];

	if (a->rank == 4) {
		*heads = a->dim[1];
		*len = a->dim[2];
		*size = a->dim[3];
		return OK;
	}
	*heads = node_attr_int(c->node, attr, 0);
	*len = a->dim[1];
	if (*heads < 1 || a->dim[2] % *heads != 0)
		return kcall_error(c, E_shape,
				   "input %u has %lld columns for %lld heads",
				   j, (long long)a->dim[2], (long long)*heads);
	*size = a->dim[2] / *heads;
	return OK;
}

static enum status past_shape(struct kcall *c, struct rules *r)
{
	const struct attention *t = &r->t;
	const struct array *k, *v;
	enum status s;

	if (!kcall_has(c, 4) && !kcall_has(c, 5))
		return OK;
	s = nn_rank(c, 4, 4, 4);
	if (s == OK)
		s = nn_rank(c, 5, 4, 4);
	if (s != OK)
		return s;
	k = c->in[4];
	v = c->in[5];
	r->past = k->dim[2];
	if (k->dim[0] != t->batch || v->dim[0] != t->batch ||
	    k->dim[1] != t->heads || v->dim[1] != t->heads ||
	    v->dim[2] != r->past || k->dim[3] != t->size ||
	    v->dim[3] != t->vsize)
		return kcall_error(c, E_shape,
				   "past keys or values do not fit");
	return OK;
}

/* Broadcasts to [batch, qheads, q, total]; the last axis may be shorter. */
static enum status mask_shape(struct kcall *c, struct rules *r)
{
	const int64_t want[4] = {r->t.batch, r->t.qheads, r->t.q, r->t.total};
	const struct array *m = kcall_has(c, 3) ? c->in[3] : NULL;
	int64_t step = 1;
	enum status s;

	if (!m)
		return OK;
	s = nn_rank(c, 3, 1, 4);
	if (s != OK)
		return s;
	if (m->dt == DT_STRING || dtype_kind(m->dt) == 'c')
		return kcall_error(c, E_type, "mask of type %s",
				   dtype_name(m->dt));
	for (int i = 3; i >= 0; i--) {
		int k = i - (4 - m->rank);
		int64_t d = k < 0 ? 1 : m->dim[k];

		if (d != 1 && (i == 3 ? d > want[i] : d != want[i]))
			return kcall_error(c, E_shape,
					   "the mask has %lld along axis %d",
					   (long long)d, i);
		r->mstride[i] = d == 1 && want[i] != 1 ? 0 : step;
		step *= d;
	}
	r->mask = m;
	r->mlen = m->dim[m->rank - 1];
	/* A single column serves all. */
	if (r->mlen == 1)
		r->mlen = r->t.total;
	return OK;
}

static enum status shapes(struct kcall *c, struct rules *r)
{
	struct attention *t = &r->t;
	int64_t vheads, vlen, ksize;
	enum status s = nn_rank(c, 0, 3, 4);

	for (uint32_t j = 1; s == OK && j < 3; j++)
		s = nn_rank(c, j, c->in[0]->rank, c->in[0]->rank);
	if (s == OK)
		s = count_heads(c, 0, "q_num_heads", &t->qheads, &t->q,
				&t->size);
	if (s == OK)
		s = count_heads(c, 1, "kv_num_heads", &t->heads, &r->kv,
				&ksize);
	if (s == OK)
		s = count_heads(c, 2, "kv_num_heads", &vheads, &vlen,
				&t->vsize);
	if (s != OK)
		return s;
	r->flat = c->in[0]->rank == 3;
	t->batch = c->in[0]->dim[0];
	if (c->in[1]->dim[0] != t->batch || c->in[2]->dim[0] != t->batch ||
	    ksize != t->size || vheads != t->heads || vlen != r->kv)
		return kcall_error(c, E_shape, "Q, K and V do not fit");
	s = attention_check(c, t);
	if (s == OK)
		s = past_shape(c, r);
	if (s == OK && !add_i64(r->past, r->kv, &t->total))
		s = kcall_error(c, E_dims, "dimensions overflow");
	return s == OK ? mask_shape(c, r) : s;
}

static enum status attributes(struct kcall *c, struct rules *r)
{
	struct attention *t = &r->t;
	size_t n = 0;
	enum status s = OK;

	r->causal = node_attr_int(c->node, "is_causal", 0) != 0;
	t->softcap = node_attr_float(c->node, "softcap", 0);
	t->stage = node_attr_int(c->node, "qk_matmul_output_mode", 0);
	t->scale = node_has_attr(c->node, "scale")
			   ? node_attr_float(c->node, "scale", 1)
			   : 1 / sqrt((double)max64(t->size, 1));
	if (t->stage < 0 || t->stage >= SHOW_STAGES)
		return kcall_error(c, E_value,
				   "attribute qk_matmul_output_mode is %lld",
				   (long long)t->stage);
	if (kcall_has(c, 6))
		s = kcall_ints(c, 6, &r->lens, &n);
	if (s == OK && r->lens && n != (size_t)t->batch)
		s = kcall_error(c, E_shape, "nonpad_kv_seqlen has %zu elements",
				n);
	return s;
}

/* ---- the mask ---- */

static double masked(const struct rules *r, int64_t b, int64_t h, int64_t i,
		     int64_t j)
{
	size_t at;

	if ((r->causal && j > r->past + i) || (r->lens && j >= r->lens[b]))
		return -INFINITY;
	if (!r->mask)
		return 0;
	if (j >= r->mlen)
		return -INFINITY;
	at = (size_t)(b * r->mstride[0] + h * r->mstride[1] +
		      i * r->mstride[2] + j * r->mstride[3]);
	if (r->mask->dt == DT_BOOL)
		return dtype_get_int(DT_BOOL, r->mask->data, at) ? 0
								 : -INFINITY;
	return dtype_get(r->mask->dt, r->mask->data, at);
}

static void mask_row(const struct attention *t, int64_t b, int64_t h, int64_t i,
		     int64_t j, int64_t n, double *add)
{
	for (int64_t k = 0; k < n; k++)
		add[k] = masked(t->rules, b, h, i, j + k);
}

/* ---- data ---- */

/* Keys or values of all positions; the output that holds them. */
static enum status gather(struct kcall *c, struct rules *r, uint32_t j,
			  uint32_t jp, int64_t size, struct heads *all)
{
	struct attention *t = &r->t;
	int64_t dim[4] = {t->batch, t->heads, t->total, size};
	struct heads now, old;

	now = heads_of(heads_load(c, j, t->es), r->flat, t->heads, r->kv, size);
	if (!now.p)
		return LIMIT;
	*all = now;
	if (!kcall_has(c, jp) && !kcall_wants(c, j))
		return OK;
	*all = heads_of(heads_out(c, j, t->es, c->in[j]->dt, 4, dim), false,
			t->heads, t->total, size);
	if (!all->p)
		return LIMIT;
	if (kcall_has(c, jp)) {
		old = heads_of(heads_load(c, jp, t->es), false, t->heads,
			       r->past, size);
		if (!old.p)
			return LIMIT;
		heads_copy(t, *all, 0, old, t->heads, r->past, size);
	}
	heads_copy(t, *all, r->past, now, t->heads, r->kv, size);
	return heads_save(c, j, t->es, c->in[j]->dt, 4, dim, all->p);
}

static enum status run(struct kcall *c, struct rules *r)
{
	struct attention *t = &r->t;
	enum dtype dt = c->in[0]->dt;
	int64_t y4[4] = {t->batch, t->qheads, t->q, t->vsize};
	int64_t y3[3] = {t->batch, t->q, t->qheads * t->vsize};
	int64_t s4[4] = {t->batch, t->qheads, t->q, t->total}, ns;
	int rank = r->flat ? 3 : 4;
	const int64_t *dim = r->flat ? y3 : y4;
	enum status s;

	t->x = heads_of(heads_load(c, 0, t->es), r->flat, t->qheads, t->q,
			t->size);
	t->y = heads_of(heads_out(c, 0, t->es, dt, rank, dim), r->flat,
			t->qheads, t->q, t->vsize);
	if (!t->x.p || !t->y.p)
		return LIMIT;
	if (kcall_wants(c, 3)) {
		if (!nn_count(4, s4, &ns))
			return kcall_error(c, E_dims, "dimensions overflow");
		t->shown = nn_temp(c, ns);
		if (!t->shown)
			return LIMIT;
	}
	s = gather(c, r, 1, 4, t->size, &t->k);
	if (s == OK)
		s = gather(c, r, 2, 5, t->vsize, &t->v);
	if (s == OK)
		s = attention_compute(c, t);
	if (s == OK)
		s = heads_save(c, 0, t->es, dt, rank, dim, t->y.p);
	return s == OK && t->shown ? nn_save(c, 3, dt, 4, s4, t->shown) : s;
}

static enum status attention(struct kcall *c, size_t es)
{
	struct rules r = {.t = {.es = es}};
	enum status s = OK;

	for (uint32_t j = 0; s == OK && j < 6; j++)
		if (j != 3 && kcall_has(c, j) && !dtype_is_float(c->in[j]->dt))
			s = kcall_error(c, E_type,
					"input %u is not a float tensor", j);
	if (s == OK)
		s = shapes(c, &r);
	if (s == OK)
		s = attributes(c, &r);
	if (s != OK)
		return s;
	if (r.causal || r.lens || r.mask)
		r.t.mask = mask_row;
	r.t.rules = &r;
	return run(c, &r);
}

enum status k_attention(struct kcall *c)
{
	return attention(c, sizeof(double));
}

enum status k_attention_f32(struct kcall *c)
{
	bool f32 = !kcall_wants(c, 3);

	for (uint32_t j = 0; j < 6; j++)
		if (j != 3 && kcall_has(c, j) && c->in[j]->dt != DT_F32)
			f32 = false;
	return attention(c, f32 ? sizeof(float) : sizeof(double));
}

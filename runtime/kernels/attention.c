/* SPDX-License-Identifier: MIT */
/*
 * attention.c -- Attention: softmax(softcap(scale Q K') + mask) V, in double.
 *
 * Key and value heads may be fewer than query heads (each serves a run of
 * them).  Past keys and values come first.  A query that may attend to nothing
 * gives NaN, as a softmax of nothing does.
 */
#include <math.h>

#include "runtime/kernels/nn_p.h"
#include "runtime/mathd.h"

/* Which stage output 3 shows. */
enum { SHOW_PRODUCT, SHOW_SOFTCAP, SHOW_MASKED, SHOW_SOFTMAX, SHOW_STAGES };

struct attention {
	bool flat; /* rank 3: heads inside the last axis */
	int64_t batch, qheads, heads, q, kv, past, total, size, vsize;
	double scale, softcap;
	bool causal;
	int64_t show;
	const double *x, *k, *v; /* Q; all keys; all values */
	const struct array *mask;
	int64_t mstride[4], mlen;
	const int64_t *lens;
	double *y, *shown, *score;
};

/* ---- shapes ---- */

static enum status heads_of(struct kcall *c, uint32_t j, const char *attr,
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

static enum status past_shape(struct kcall *c, struct attention *t)
{
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
	t->past = k->dim[2];
	if (k->dim[0] != t->batch || v->dim[0] != t->batch ||
	    k->dim[1] != t->heads || v->dim[1] != t->heads ||
	    v->dim[2] != t->past || k->dim[3] != t->size ||
	    v->dim[3] != t->vsize)
		return kcall_error(c, E_shape,
				   "past keys or values do not fit");
	return OK;
}

/* Broadcasts to [batch, qheads, q, total]; the last axis may be shorter. */
static enum status mask_shape(struct kcall *c, struct attention *t)
{
	const int64_t want[4] = {t->batch, t->qheads, t->q, t->total};
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
		t->mstride[i] = d == 1 && want[i] != 1 ? 0 : step;
		step *= d;
	}
	t->mask = m;
	t->mlen = m->dim[m->rank - 1];
	/* A single column serves all. */
	if (t->mlen == 1)
		t->mlen = t->total;
	return OK;
}

static enum status shapes(struct kcall *c, struct attention *t)
{
	int64_t vheads, vlen, ksize;
	enum status s = nn_rank(c, 0, 3, 4);

	for (uint32_t j = 1; s == OK && j < 3; j++)
		s = nn_rank(c, j, c->in[0]->rank, c->in[0]->rank);
	if (s == OK)
		s = heads_of(c, 0, "q_num_heads", &t->qheads, &t->q, &t->size);
	if (s == OK)
		s = heads_of(c, 1, "kv_num_heads", &t->heads, &t->kv, &ksize);
	if (s == OK)
		s = heads_of(c, 2, "kv_num_heads", &vheads, &vlen, &t->vsize);
	if (s != OK)
		return s;
	t->flat = c->in[0]->rank == 3;
	t->batch = c->in[0]->dim[0];
	if (c->in[1]->dim[0] != t->batch || c->in[2]->dim[0] != t->batch ||
	    ksize != t->size || vheads != t->heads || vlen != t->kv ||
	    t->heads < 1 || t->qheads % t->heads != 0)
		return kcall_error(c, E_shape, "Q, K and V do not fit");
	s = past_shape(c, t);
	if (!add_i64(t->past, t->kv, &t->total))
		return kcall_error(c, E_dims, "dimensions overflow");
	return s == OK ? mask_shape(c, t) : s;
}

static enum status attributes(struct kcall *c, struct attention *t)
{
	size_t n = 0;
	enum status s = OK;

	t->causal = node_attr_int(c->node, "is_causal", 0) != 0;
	t->softcap = node_attr_float(c->node, "softcap", 0);
	t->show = node_attr_int(c->node, "qk_matmul_output_mode", 0);
	t->scale = node_has_attr(c->node, "scale")
			   ? node_attr_float(c->node, "scale", 1)
			   : 1 / sqrt((double)max64(t->size, 1));
	if (t->show < 0 || t->show >= SHOW_STAGES)
		return kcall_error(c, E_value,
				   "attribute qk_matmul_output_mode is %lld",
				   (long long)t->show);
	if (kcall_has(c, 6))
		s = kcall_ints(c, 6, &t->lens, &n);
	if (s == OK && t->lens && n != (size_t)t->batch)
		s = kcall_error(c, E_shape, "nonpad_kv_seqlen has %zu elements",
				n);
	return s;
}

/* ---- data: everything as [batch, heads, length, size] ---- */

static const double *by_head(struct kcall *c, const struct attention *t,
			     uint32_t j, int64_t heads, int64_t len,
			     int64_t size)
{
	const double *x = nn_load(c, j);
	double *y;

	if (!x || !t->flat)
		return x;
	y = nn_temp(c, c->in[j]->n);
	for (int64_t i = 0; y && i < c->in[j]->n; i++) {
		int64_t d = i % size, h = i / size % heads;
		int64_t s = i / size / heads % len, b = i / size / heads / len;

		y[((b * heads + h) * len + s) * size + d] = x[i];
	}
	return y;
}

/* Past (input jp, if any), then new: [batch, heads, total, size]. */
static const double *with_past(struct kcall *c, const struct attention *t,
			       uint32_t j, uint32_t jp, int64_t size)
{
	const double *now = by_head(c, t, j, t->heads, t->kv, size);
	const double *old;
	double *all;

	if (!now || !kcall_has(c, jp))
		return now;
	old = nn_load(c, jp);
	all = nn_temp(c, c->in[j]->n + c->in[jp]->n);
	if (!old || !all)
		return NULL;
	for (int64_t g = 0; g < t->batch * t->heads; g++)
		for (int64_t i = 0; i < t->total * size; i++)
			all[g * t->total * size + i] =
				i < t->past * size ? old[g * t->past * size + i]
						   : now[g * t->kv * size + i -
							 t->past * size];
	return all;
}

/* ---- one query ---- */

static double masked(const struct attention *t, int64_t b, int64_t h, int64_t i,
		     int64_t j, double v)
{
	size_t at;

	if ((t->causal && j > t->past + i) || (t->lens && j >= t->lens[b]))
		return -INFINITY;
	if (!t->mask)
		return v;
	if (j >= t->mlen)
		return -INFINITY;
	at = (size_t)(b * t->mstride[0] + h * t->mstride[1] +
		      i * t->mstride[2] + j * t->mstride[3]);
	if (t->mask->dt == DT_BOOL)
		return dtype_get_int(DT_BOOL, t->mask->data, at) ? v
								 : -INFINITY;
	return v + dtype_get(t->mask->dt, t->mask->data, at);
}

static void softmax(double *x, int64_t n)
{
	double top = -INFINITY, sum = 0;

	for (int64_t j = 0; j < n; j++)
		top = x[j] > top ? x[j] : top;
	for (int64_t j = 0; j < n; j++) {
		x[j] = md_exp(x[j] - top);
		sum += x[j];
	}
	for (int64_t j = 0; j < n; j++)
		x[j] /= sum;
}

static void show(const struct attention *t, int stage, int64_t row)
{
	if (t->shown && t->show == stage)
		for (int64_t j = 0; j < t->total; j++)
			t->shown[row * t->total + j] = t->score[j];
}

static void query(const struct attention *t, int64_t b, int64_t h, int64_t i)
{
	int64_t g = b * t->heads + h / (t->qheads / t->heads);
	int64_t row = (b * t->qheads + h) * t->q + i;
	const double *x = t->x + row * t->size;
	double *y = t->y +
		    (t->flat ? (b * t->q + i) * t->qheads + h : row) * t->vsize;

	for (int64_t j = 0; j < t->total; j++) {
		const double *k = t->k + (g * t->total + j) * t->size;
		double sum = 0;

		for (int64_t d = 0; d < t->size; d++)
			sum += x[d] * k[d];
		t->score[j] = sum * t->scale;
	}
	show(t, SHOW_PRODUCT, row);
	for (int64_t j = 0; t->softcap > 0 && j < t->total; j++)
		t->score[j] = t->softcap * md_tanh(t->score[j] / t->softcap);
	show(t, SHOW_SOFTCAP, row);
	for (int64_t j = 0; j < t->total; j++)
		t->score[j] = masked(t, b, h, i, j, t->score[j]);
	show(t, SHOW_MASKED, row);
	softmax(t->score, t->total);
	show(t, SHOW_SOFTMAX, row);
	for (int64_t d = 0; d < t->vsize; d++) {
		double sum = 0;

		for (int64_t j = 0; j < t->total; j++)
			sum += t->score[j] *
			       t->v[(g * t->total + j) * t->vsize + d];
		y[d] = sum;
	}
}

static enum status save_all(struct kcall *c, const struct attention *t)
{
	enum dtype dt = c->in[0]->dt;
	int64_t y4[4] = {t->batch, t->qheads, t->q, t->vsize};
	int64_t y3[3] = {t->batch, t->q, t->qheads * t->vsize};
	int64_t k4[4] = {t->batch, t->heads, t->total, t->size};
	int64_t v4[4] = {t->batch, t->heads, t->total, t->vsize};
	int64_t s4[4] = {t->batch, t->qheads, t->q, t->total};
	enum status s;

	s = t->flat ? nn_save(c, 0, dt, 3, y3, t->y)
		    : nn_save(c, 0, dt, 4, y4, t->y);
	if (s == OK)
		s = nn_save(c, 1, c->in[1]->dt, 4, k4, t->k);
	if (s == OK)
		s = nn_save(c, 2, c->in[2]->dt, 4, v4, t->v);
	return s == OK ? nn_save(c, 3, dt, 4, s4, t->shown) : s;
}

enum status k_attention(struct kcall *c)
{
	struct attention t = {0};
	int64_t rows, ny, ns;
	enum status s = OK;

	for (uint32_t j = 0; s == OK && j < 6; j++)
		if (j != 3 && kcall_has(c, j) && !dtype_is_float(c->in[j]->dt))
			s = kcall_error(c, E_type,
					"input %u is not a float tensor", j);
	if (s == OK)
		s = shapes(c, &t);
	if (s == OK)
		s = attributes(c, &t);
	if (s != OK)
		return s;
	if (!mul_i64(t.batch * t.qheads, t.q, &rows) ||
	    !mul_i64(rows, t.vsize, &ny) || !mul_i64(rows, t.total, &ns))
		return kcall_error(c, E_dims, "dimensions overflow");
	t.x = by_head(c, &t, 0, t.qheads, t.q, t.size);
	t.k = with_past(c, &t, 1, 4, t.size);
	t.v = with_past(c, &t, 2, 5, t.vsize);
	t.y = nn_temp(c, ny);
	t.score = nn_temp(c, t.total);
	if (kcall_wants(c, 3))
		t.shown = nn_temp(c, ns);
	if (!t.x || !t.k || !t.v || !t.y || !t.score ||
	    (kcall_wants(c, 3) && !t.shown))
		return LIMIT;
	for (int64_t r = 0; r < rows; r++)
		query(&t, r / t.q / t.qheads, r / t.q % t.qheads, r % t.q);
	return save_all(c, &t);
}

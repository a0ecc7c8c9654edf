/* SPDX-License-Identifier: MIT */
/*
 * embed.c -- the contributed EmbedLayerNormalization and its quantized form:
 * rows of up to three tables added up, then layer normalization.
 *
 * In double, one rounding.  The mask output counts the ones of each row.
 */
#include <math.h>

#include "runtime/kernels/shared/nn_p.h"
#include "runtime/kernels/quant/quant_p.h"

enum {
	IDS,
	SEGMENT_IDS,
	WORDS,
	PLACES,
	SEGMENTS,
	GAMMA,
	BETA,
	MASK,
	POSITIONS
};
enum { FIRST_SCALE = 8, FIRST_ZERO = 13 }; /* of the quantized form */

/* A table of numbers: (element - zero) scale. */
struct table {
	const struct array *a;
	double scale;
	int32_t zero;
};

struct embed {
	bool quantized;
	int64_t batch, seq, hidden;
	struct table t[BETA + 1]; /* by input; those from WORDS on */
	const int64_t *ids, *segments, *places;
	int64_t nplaces; /* rows of positions */
	double eps;
};

static double at(const struct table *t, int64_t i)
{
	if (dtype_is_float(t->a->dt))
		return dtype_get(t->a->dt, t->a->data, (size_t)i);
	return (double)(dtype_get_int(t->a->dt, t->a->data, (size_t)i) -
			t->zero) *
	       t->scale;
}

static enum status table_init(struct kcall *c, struct embed *e, uint32_t j)
{
	struct table *t = &e->t[j];
	int rank = j < GAMMA ? 2 : 1;
	float scale = 1;
	enum status s = nn_rank(c, j, rank, rank);

	if (s != OK)
		return s;
	t->a = c->in[j];
	if (e->quantized) {
		s = q8_tensor(c, j);
		if (s == OK)
			s = q8_scale(c, FIRST_SCALE + j - WORDS, &scale);
		if (s == OK)
			s = q8_zero(c, FIRST_ZERO + j - WORDS, t->a->dt,
				    &t->zero);
		t->scale = (double)scale;
	} else if (!dtype_is_float(t->a->dt)) {
		s = kcall_error(c, E_type, "input %u is not a float tensor", j);
	}
	if (j == WORDS)
		e->hidden = t->a->dim[1];
	if (s == OK && t->a->dim[rank - 1] != e->hidden)
		s = kcall_error(c, E_shape,
				"input %u has %lld columns, not "
				"%lld",
				j, (long long)t->a->dim[rank - 1],
				(long long)e->hidden);
	return s;
}

/* Input j as [rows, seq] numbers below the rows of table k. */
static enum status indices(struct kcall *c, const struct embed *e, uint32_t j,
			   uint32_t k, const int64_t **v)
{
	const struct array *a = c->in[j];
	int64_t rows = e->t[k].a->dim[0], *to;
	enum status s = nn_rank(c, j, 2, 2);

	if (s != OK)
		return s;
	if (a->dim[1] != e->seq ||
	    (a->dim[0] != e->batch && !(j == POSITIONS && a->dim[0] == 1)))
		return kcall_error(c, E_shape, "input %u does not fit", j);
	if (a->dt != DT_I32 && a->dt != DT_I64)
		return kcall_error(c, E_type, "indices of type %s",
				   dtype_name(a->dt));
	to = nn_scratch(c, a->n, sizeof *to);
	if (!to)
		return LIMIT;
	for (int64_t i = 0; i < a->n; i++) {
		to[i] = dtype_get_int(a->dt, a->data, (size_t)i);
		if (to[i] < 0 || to[i] >= rows)
			return kcall_error(c, E_value,
					   "index %lld is not within %lld",
					   (long long)to[i], (long long)rows);
	}
	*v = to;
	return OK;
}

static enum status all_indices(struct kcall *c, struct embed *e)
{
	enum status s = indices(c, e, IDS, WORDS, &e->ids);

	if (s == OK && e->t[SEGMENTS].a)
		s = indices(c, e, SEGMENT_IDS, SEGMENTS, &e->segments);
	if (s != OK)
		return s;
	if (!e->quantized && kcall_has(c, POSITIONS)) {
		e->nplaces = c->in[POSITIONS]->dim[0];
		return indices(c, e, POSITIONS, PLACES, &e->places);
	}
	if (e->t[PLACES].a->dim[0] < e->seq)
		return kcall_error(c, E_value, "%lld positions for %lld words",
				   (long long)e->t[PLACES].a->dim[0],
				   (long long)e->seq);
	return OK;
}

static enum status embed_init(struct kcall *c, struct embed *e)
{
	enum status s = nn_rank(c, IDS, 2, 2);

	if (s != OK)
		return s;
	e->batch = c->in[IDS]->dim[0];
	e->seq = c->in[IDS]->dim[1];
	e->eps = node_attr_float(c->node, "epsilon", 1e-12);
	for (uint32_t j = WORDS; s == OK && j <= BETA; j++)
		if (j != SEGMENTS ||
		    (kcall_has(c, SEGMENTS) && kcall_has(c, SEGMENT_IDS)))
			s = table_init(c, e, j);
	return s == OK ? all_indices(c, e) : s;
}

/* ---- one word ---- */

static void add_up(const struct embed *e, int64_t b, int64_t s, double *sum)
{
	int64_t i = b * e->seq + s, place = s, h = e->hidden;

	if (e->places)
		place = e->places[(e->nplaces == 1 ? 0 : b) * e->seq + s];
	for (int64_t k = 0; k < h; k++) {
		sum[k] = at(&e->t[WORDS], e->ids[i] * h + k) +
			 at(&e->t[PLACES], place * h + k);
		if (e->segments)
			sum[k] += at(&e->t[SEGMENTS], e->segments[i] * h + k);
	}
}

static void normalize(const struct embed *e, const double *x, double *y)
{
	double mean = 0, spread = 0, n = (double)e->hidden, inv;

	for (int64_t k = 0; k < e->hidden; k++)
		mean += x[k];
	mean /= n;
	for (int64_t k = 0; k < e->hidden; k++)
		spread += (x[k] - mean) * (x[k] - mean);
	inv = 1 / sqrt(spread / n + e->eps);
	for (int64_t k = 0; k < e->hidden; k++)
		y[k] = (x[k] - mean) * inv * at(&e->t[GAMMA], k) +
		       at(&e->t[BETA], k);
}

static enum status mask_index(struct kcall *c, const struct embed *e)
{
	const struct array *m = kcall_has(c, MASK) ? c->in[MASK] : NULL;
	struct array *y;

	if (!kcall_wants(c, 1))
		return OK;
	if (m && (m->dt != DT_I32 || m->rank != 2 || m->dim[0] != e->batch ||
		  m->dim[1] != e->seq))
		return kcall_error(c, E_shape, "the mask does not fit");
	y = kcall_out(c, 1, DT_I32, 1, &e->batch);
	if (!y)
		return LIMIT;
	for (int64_t b = 0; b < e->batch; b++) {
		const int32_t *v = m ? (int32_t *)m->data + b * e->seq : NULL;
		int32_t n = 0;

		for (int64_t s = 0; v && s < e->seq; s++)
			n += v[s] == 1;
		((int32_t *)y->data)[b] = n;
	}
	return OK;
}

static enum status embed(struct kcall *c, bool quantized)
{
	struct embed e = {.quantized = quantized};
	enum status s = embed_init(c, &e);
	int64_t dim[3], n;
	double *sum, *y;
	enum dtype dt;

	if (s != OK)
		return s;
	dt = quantized ? DT_F32 : e.t[WORDS].a->dt;
	dim[0] = e.batch;
	dim[1] = e.seq;
	dim[2] = e.hidden;
	if (!nn_count(3, dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	sum = nn_temp(c, n);
	y = nn_temp(c, n);
	if (!sum || !y)
		return LIMIT;
	for (int64_t i = 0; n > 0 && i < e.batch * e.seq; i++) {
		add_up(&e, i / e.seq, i % e.seq, sum + i * e.hidden);
		normalize(&e, sum + i * e.hidden, y + i * e.hidden);
	}
	s = nn_save(c, 0, dt, 3, dim, y);
	if (s == OK)
		s = mask_index(c, &e);
	return s == OK ? nn_save(c, 2, dt, 3, dim, sum) : s;
}

enum status k_embed_layer_norm(struct kcall *c)
{
	return embed(c, false);
}

enum status k_qembed_layer_norm(struct kcall *c)
{
	return embed(c, true);
}

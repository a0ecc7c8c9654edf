/* SPDX-License-Identifier: MIT */
/*
 * rotary.c -- RotaryEmbedding: pairs of a head's elements turned by an angle
 * that depends on the position (Su et al., RoFormer, 2021), in double.
 *
 * Pairs are (i, i + half) or, interleaved, (2 i, 2 i + 1).  Elements beyond
 * rotary_embedding_dim pass through.  The contributed operator has its inputs
 * in another order, and positions that may be given by their first alone.
 */
#include "runtime/kernels/attention/rotary_p.h"

/* ---- one head ---- */

static void turn_f64(const struct rotary *r, int64_t row, int64_t size,
		     double *y, const double *x)
{
	const double *co = r->cosine + row * r->half;
	const double *si = r->sine + row * r->half;

	for (int64_t i = 0; i < r->half; i++) {
		int64_t u = r->interleaved ? 2 * i : i;
		int64_t v = r->interleaved ? 2 * i + 1 : i + r->half;
		double a = x[u], b = x[v];

		y[u] = co[i] * a - si[i] * b;
		y[v] = si[i] * a + co[i] * b;
	}
	for (int64_t i = 2 * r->half; i < size; i++)
		y[i] = x[i];
}

static void turn_f32(const struct rotary *r, int64_t row, int64_t size,
		     float *y, const float *x)
{
	const double *co = r->cosine + row * r->half;
	const double *si = r->sine + row * r->half;

	for (int64_t i = 0; i < r->half; i++) {
		int64_t u = r->interleaved ? 2 * i : i;
		int64_t v = r->interleaved ? 2 * i + 1 : i + r->half;
		double a = (double)x[u], b = (double)x[v];

		y[u] = (float)(co[i] * a - si[i] * b);
		y[v] = (float)(si[i] * a + co[i] * b);
	}
	for (int64_t i = 2 * r->half; i < size; i++)
		y[i] = x[i];
}

void rotary_turn(const struct rotary *r, int64_t row, size_t es, int64_t size,
		 void *y, const void *x)
{
	if (es == sizeof(float))
		turn_f32(r, row, size, y, x);
	else
		turn_f64(r, row, size, y, x);
}

enum status rotary_caches(struct kcall *c, struct rotary *r, uint32_t jc,
			  int rank)
{
	enum status s = OK;

	for (uint32_t j = jc; s == OK && j < jc + 2; j++) {
		s = nn_rank(c, j, rank, rank);
		if (s == OK && !dtype_is_float(c->in[j]->dt))
			s = kcall_error(c, E_type,
					"input %u is not a float tensor", j);
		if (s == OK && c->in[j]->dim[rank - 1] != r->half)
			s = kcall_error(c, E_shape,
					"input %u has %lld columns, expected "
					"%lld",
					j, (long long)c->in[j]->dim[rank - 1],
					(long long)r->half);
	}
	if (s != OK)
		return s;
	r->rows = nn_product(c->in[jc]->dim, 0, rank - 1);
	if (nn_product(c->in[jc + 1]->dim, 0, rank - 1) != r->rows)
		return kcall_error(c, E_shape, "the caches differ in shape");
	r->cosine = nn_load(c, jc);
	r->sine = nn_load(c, jc + 1);
	return r->cosine && r->sine ? OK : LIMIT;
}

/* ---- the operators ---- */

struct embedding {
	struct rotary r;
	bool ms;
	uint32_t jc, jpos; /* cosines; positions */
	int64_t batch, seq, heads, size;
	/* Element strides of X by batch, position and head. */
	int64_t bs, ss, hs;
	const int64_t *pos; /* NULL: caches are [batch, seq, half] */
	bool first_only;    /* pos is the first one's position */
};

/* Heads of a rank-3 input: given, or by the size that the caches have. */
static int64_t count_heads(struct kcall *c, const struct embedding *e)
{
	int64_t heads = node_attr_int(c->node, "num_heads", 0);
	const struct array *x = c->in[0], *cache;
	int64_t columns;

	if (heads != 0 || !e->ms || !kcall_has(c, e->jc))
		return heads;
	cache = c->in[e->jc];
	columns = cache->rank == 2 ? cache->dim[1] : 0;
	if (columns < 1 || columns > INT32_MAX)
		return 0;
	return x->dim[2] / (2 * columns);
}

static enum status shapes(struct kcall *c, struct embedding *e)
{
	int64_t dim = node_attr_int(c->node, "rotary_embedding_dim", 0);
	enum status s = nn_rank(c, 0, 3, 4);
	const struct array *x;

	if (s != OK)
		return s;
	x = c->in[0];
	e->batch = x->dim[0];
	e->heads = x->rank == 4 ? x->dim[1] : count_heads(c, e);
	e->seq = x->rank == 4 ? x->dim[2] : x->dim[1];
	if (e->heads < 1 || (x->rank == 3 && x->dim[2] % e->heads != 0))
		return kcall_error(c, E_shape, "%lld heads",
				   (long long)e->heads);
	e->size = x->rank == 4 ? x->dim[3] : x->dim[2] / e->heads;
	e->bs = e->heads * e->seq * e->size;
	e->ss = x->rank == 4 ? e->size : e->heads * e->size;
	e->hs = x->rank == 4 ? e->seq * e->size : e->size;
	dim = dim ? dim : e->size;
	if (dim < 0 || dim > e->size || dim % 2 != 0)
		return kcall_error(c, E_value,
				   "%lld elements of %lld are turned",
				   (long long)dim, (long long)e->size);
	e->r.half = dim / 2;
	e->r.interleaved = node_attr_int(c->node, "interleaved", 0) != 0;
	return OK;
}

/* Row of the caches for batch b, position s. */
static int64_t row_of(const struct embedding *e, int64_t b, int64_t s)
{
	if (!e->pos)
		return b * e->seq + s;
	return e->first_only ? e->pos[0] + s : e->pos[b * e->seq + s];
}

static enum status positions(struct kcall *c, struct embedding *e)
{
	const struct array *p;
	enum status s = nn_rank(c, e->jpos, e->ms ? 1 : 2, 2);

	if (s != OK)
		return s;
	p = c->in[e->jpos];
	if (p->dt != DT_I64)
		return kcall_error(c, E_type, "position_ids are not int64");
	e->pos = p->data;
	e->first_only = p->rank == 1 && p->n == 1;
	if (!e->first_only && (p->rank != 2 || p->n != e->batch * e->seq))
		return kcall_error(c, E_shape, "%lld positions",
				   (long long)p->n);
	for (int64_t i = 0; i < p->n; i++)
		if (e->pos[i] < 0 || e->pos[i] >= e->r.rows ||
		    (e->first_only && e->seq > e->r.rows - e->pos[i]))
			return kcall_error(c, E_value, "position %lld of %lld",
					   (long long)e->pos[i],
					   (long long)e->r.rows);
	return OK;
}

static enum status rotary(struct kcall *c, struct embedding *e)
{
	bool given = kcall_has(c, e->jpos);
	const struct array *x;
	const double *v;
	double *y;
	enum status s = shapes(c, e);

	if (s == OK)
		s = rotary_caches(c, &e->r, e->jc, given ? 2 : 3);
	if (s == OK && given)
		s = positions(c, e);
	if (s == OK && !given && e->r.rows != e->batch * e->seq)
		s = kcall_error(c, E_shape, "the caches do not fit the input");
	if (s != OK)
		return s;
	x = c->in[0];
	v = nn_load(c, 0);
	y = nn_temp(c, x->n);
	if (!v || !y)
		return LIMIT;
	for (int64_t b = 0; b < e->batch; b++)
		for (int64_t p = 0; p < e->seq; p++)
			for (int64_t h = 0; h < e->heads; h++) {
				int64_t at = b * e->bs + p * e->ss + h * e->hs;

				rotary_turn(&e->r, row_of(e, b, p),
					    sizeof(double), e->size, y + at,
					    v + at);
			}
	return nn_save(c, 0, x->dt, x->rank, x->dim, y);
}

enum status k_rotary_embedding(struct kcall *c)
{
	struct embedding e = {.jc = 1, .jpos = 3};
	enum status s = nn_floats(c, 3, 3);

	return s == OK ? rotary(c, &e) : s;
}

enum status k_ms_rotary_embedding(struct kcall *c)
{
	struct embedding e = {.ms = true, .jc = 2, .jpos = 1};
	enum status s = nn_floats(c, 1, 1);

	if (s == OK && node_attr_float(c->node, "scale", 1) != 1)
		s = kcall_error(c, E_unsupported, "attribute scale is not 1");
	return s == OK ? rotary(c, &e) : s;
}

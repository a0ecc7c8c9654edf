/* SPDX-License-Identifier: MIT */
/*
 * rotary.c -- RotaryEmbedding: pairs of a head's elements turned by an angle
 * that depends on the position (Su et al., RoFormer, 2021), in double.
 *
 * Pairs are (i, i + half) or, interleaved, (2 i, 2 i + 1).  Elements beyond
 * rotary_embedding_dim pass through.
 */
#include "runtime/kernels/nn_p.h"

struct rotary {
	int64_t batch, seq, heads, size, half;
	/* Element strides of X by batch, position and head. */
	int64_t bs, ss, hs;
	bool interleaved;
	const double *x, *cosine, *sine;
	const int64_t *pos; /* NULL: caches are [batch, seq, half] */
	int64_t rows;       /* of the caches */
	double *y;
};

static enum status shapes(struct kcall *c, struct rotary *r)
{
	int64_t dim = node_attr_int(c->node, "rotary_embedding_dim", 0);
	enum status s = nn_rank(c, 0, 3, 4);
	const struct array *x;

	if (s != OK)
		return s;
	x = c->in[0];
	r->batch = x->dim[0];
	r->heads = x->rank == 4 ? x->dim[1]
				: node_attr_int(c->node, "num_heads", 0);
	r->seq = x->rank == 4 ? x->dim[2] : x->dim[1];
	if (r->heads < 1 || (x->rank == 3 && x->dim[2] % r->heads != 0))
		return kcall_error(c, E_shape, "%lld heads",
				   (long long)r->heads);
	r->size = x->rank == 4 ? x->dim[3] : x->dim[2] / r->heads;
	r->bs = r->heads * r->seq * r->size;
	r->ss = x->rank == 4 ? r->size : r->heads * r->size;
	r->hs = x->rank == 4 ? r->seq * r->size : r->size;
	dim = dim ? dim : r->size;
	if (dim < 0 || dim > r->size || dim % 2 != 0)
		return kcall_error(c, E_value,
				   "%lld elements of %lld are turned",
				   (long long)dim, (long long)r->size);
	r->half = dim / 2;
	r->interleaved = node_attr_int(c->node, "interleaved", 0) != 0;
	return OK;
}

static enum status caches(struct kcall *c, struct rotary *r)
{
	size_t n = 0;
	int rank = kcall_has(c, 3) ? 2 : 3;
	enum status s = OK;

	for (uint32_t j = 1; s == OK && j < 3; j++) {
		s = nn_rank(c, j, rank, rank);
		if (s == OK && c->in[j]->dim[rank - 1] != r->half)
			s = kcall_error(c, E_shape,
					"input %u has %lld columns, expected "
					"%lld",
					j, (long long)c->in[j]->dim[rank - 1],
					(long long)r->half);
	}
	if (s != OK)
		return s;
	r->rows = nn_product(c->in[1]->dim, 0, rank - 1);
	if (nn_product(c->in[2]->dim, 0, rank - 1) != r->rows)
		return kcall_error(c, E_shape, "the caches differ in shape");
	if (rank == 3)
		return r->rows == r->batch * r->seq
			       ? OK
			       : kcall_error(c, E_shape,
					     "the caches do not fit the input");
	s = nn_rank(c, 3, 2, 2);
	if (s != OK)
		return s;
	if (c->in[3]->dt != DT_I64)
		return kcall_error(c, E_type, "position_ids are not int64");
	r->pos = c->in[3]->data;
	n = (size_t)c->in[3]->n;
	if (n != (size_t)(r->batch * r->seq))
		return kcall_error(c, E_shape, "%zu positions", n);
	for (size_t i = 0; i < n; i++)
		if (r->pos[i] < 0 || r->pos[i] >= r->rows)
			return kcall_error(c, E_value, "position %lld of %lld",
					   (long long)r->pos[i],
					   (long long)r->rows);
	return OK;
}

static void turn(const struct rotary *r, int64_t b, int64_t s, int64_t h)
{
	int64_t at = b * r->bs + s * r->ss + h * r->hs, p = b * r->seq + s;
	const double *x = r->x + at, *co, *si;
	double *y = r->y + at;

	if (r->pos)
		p = r->pos[p];
	co = r->cosine + p * r->half;
	si = r->sine + p * r->half;
	for (int64_t i = 0; i < r->half; i++) {
		int64_t u = r->interleaved ? 2 * i : i;
		int64_t v = r->interleaved ? 2 * i + 1 : i + r->half;

		y[u] = co[i] * x[u] - si[i] * x[v];
		y[v] = si[i] * x[u] + co[i] * x[v];
	}
	for (int64_t i = 2 * r->half; i < r->size; i++)
		y[i] = x[i];
}

enum status k_rotary_embedding(struct kcall *c)
{
	struct rotary r = {0};
	const struct array *x;
	enum status s = nn_floats(c, 3, 3);

	if (s == OK)
		s = shapes(c, &r);
	if (s == OK)
		s = caches(c, &r);
	if (s != OK)
		return s;
	x = c->in[0];
	r.x = nn_load(c, 0);
	r.cosine = nn_load(c, 1);
	r.sine = nn_load(c, 2);
	r.y = nn_temp(c, x->n);
	if (!r.x || !r.cosine || !r.sine || !r.y)
		return LIMIT;
	for (int64_t i = 0; i < r.batch * r.seq * r.heads; i++)
		turn(&r, i / r.heads / r.seq, i / r.heads % r.seq, i % r.heads);
	return nn_save(c, 0, x->dt, x->rank, x->dim, r.y);
}

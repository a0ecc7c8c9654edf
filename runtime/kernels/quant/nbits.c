/* SPDX-License-Identifier: MIT */
/*
 * nbits.c -- the contributed MatMulNBits: shapes, and the reference kernel.
 *
 * accuracy_level asks for the least precision of A: A is used as it is.
 */
#include "runtime/kernels/quant/nbits_p.h"

enum { MAX_BLOCK = 1 << 20 };

static enum status attributes(struct kcall *c, struct nbits *w)
{
	int64_t bits = node_attr_int(c->node, "bits", 4);

	w->k = node_attr_int(c->node, "K", 0);
	w->n = node_attr_int(c->node, "N", 0);
	w->block = node_attr_int(c->node, "block_size", 0);
	if (w->k < 1 || w->n < 1)
		return kcall_error(c, E_value, "a weight of %lld x %lld",
				   (long long)w->k, (long long)w->n);
	if (w->block < 16 || w->block > MAX_BLOCK ||
	    (w->block & (w->block - 1)) != 0)
		return kcall_error(c, E_value, "attribute block_size is %lld",
				   (long long)w->block);
	if (bits != 2 && bits != 4 && bits != 8)
		return kcall_error(c, E_unsupported, "weights of %lld bits",
				   (long long)bits);
	if (node_attr_int(c->node, "weight_prepacked", 0) != 0)
		return kcall_error(c, E_unsupported,
				   "weights in a layout of one kind of GPU "
				   "(attribute weight_prepacked)");
	w->bits = (int)bits;
	w->blocks = ceil_div(w->k, w->block);
	w->blob = w->block * bits / 8;
	w->zrow = ceil_div(w->blocks * bits, 8);
	return OK;
}

/* Input j has `want` elements, whatever its rank. */
static enum status has_count(struct kcall *c, uint32_t j, int64_t each)
{
	int64_t n = node_attr_int(c->node, "N", 0), want;

	if (!mul_i64(n, each, &want) || c->in[j]->n != want)
		return kcall_error(c, E_shape,
				   "input %u has %lld elements, expected %lld "
				   "rows of %lld",
				   j, (long long)c->in[j]->n, (long long)n,
				   (long long)each);
	return OK;
}

static enum status parameters(struct kcall *c, struct nbits *w)
{
	enum dtype dt = c->in[0]->dt;
	enum status s = has_count(c, 2, w->blocks);

	w->scale = c->in[2];
	if (s == OK && w->scale->dt != dt)
		s = kcall_error(c, E_type, "scales of type %s",
				dtype_name(w->scale->dt));
	if (s != OK || !kcall_has(c, 3))
		return s;
	w->zero = c->in[3];
	if (w->zero->dt == DT_U8)
		return has_count(c, 3, w->zrow);
	if (w->zero->dt != dt)
		return kcall_error(c, E_type, "zero points of type %s",
				   dtype_name(w->zero->dt));
	return has_count(c, 3, w->blocks);
}

static enum status groups(struct kcall *c, struct nbits *w)
{
	const struct array *g;

	if (!kcall_has(c, 4))
		return OK;
	g = c->in[4];
	if (g->dt != DT_I32 || g->n < w->k)
		return kcall_error(c, E_shape, "g_idx of %s with %lld elements",
				   dtype_name(g->dt), (long long)g->n);
	w->group = g->data;
	for (int64_t i = 0; i < w->k; i++)
		if (w->group[i] < 0 || w->group[i] >= w->blocks)
			return kcall_error(c, E_value, "block %lld of %lld",
					   (long long)w->group[i],
					   (long long)w->blocks);
	return OK;
}

static enum status shapes(struct kcall *c, struct nbits *w)
{
	const struct array *a = c->in[0];
	enum status s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);
	int64_t n;

	if (s != OK)
		return s;
	if (a->dim[a->rank - 1] != w->k)
		return kcall_error(c, E_shape, "A has %lld columns, K is %lld",
				   (long long)a->dim[a->rank - 1],
				   (long long)w->k);
	w->m = nn_product(a->dim, 0, a->rank - 1);
	w->rank = a->rank;
	for (int i = 0; i < a->rank; i++)
		w->dim[i] = i < a->rank - 1 ? a->dim[i] : w->n;
	if (!nn_count(w->rank, w->dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	return nn_vector(c, 5, a->dt, w->n);
}

enum status nbits_init(struct kcall *c, struct nbits *w)
{
	int64_t row;
	enum status s = nn_floats(c, 1, 1);

	*w = (struct nbits){0};
	if (s == OK)
		s = attributes(c, w);
	if (s == OK)
		s = shapes(c, w);
	if (s != OK)
		return s;
	w->bias = kcall_has(c, 5) ? c->in[5] : NULL;
	if (c->in[1]->dt != DT_U8)
		return kcall_error(c, E_type, "B is of type %s, not uint8",
				   dtype_name(c->in[1]->dt));
	if (c->in[1]->n == 0)
		return OK;
	w->q = c->in[1]->data;
	if (!mul_i64(w->blocks, w->blob, &row))
		return kcall_error(c, E_dims, "dimensions overflow");
	s = has_count(c, 1, row);
	if (s == OK)
		s = parameters(c, w);
	return s == OK ? groups(c, w) : s;
}

int nbits_q(const struct nbits *w, int64_t j, int64_t k)
{
	const uint8_t *p = w->q + (j * w->blocks + k / w->block) * w->blob;
	int64_t bit = k % w->block * w->bits;

	return p[bit / 8] >> (bit % 8) & ((1 << w->bits) - 1);
}

double nbits_zero(const struct nbits *w, int64_t j, int64_t g)
{
	const uint8_t *p;
	int64_t bit = g * w->bits;

	if (!w->zero)
		return 1 << (w->bits - 1);
	if (w->zero->dt != DT_U8)
		return dtype_get(w->zero->dt, w->zero->data,
				 (size_t)(j * w->blocks + g));
	p = (const uint8_t *)w->zero->data + j * w->zrow;
	return p[bit / 8] >> (bit % 8) & ((1 << w->bits) - 1);
}

/* ---- reference ---- */

static void load_column(const struct nbits *w, int64_t j, double *b)
{
	int64_t last = -1;
	double scale = 0, zero = 0;

	for (int64_t k = 0; k < w->k; k++) {
		int64_t g = nbits_group(w, k);

		if (g != last) {
			scale = dtype_get(w->scale->dt, w->scale->data,
					  (size_t)(j * w->blocks + g));
			zero = nbits_zero(w, j, g);
			last = g;
		}
		b[k] = (nbits_q(w, j, k) - zero) * scale;
	}
}

static void columns(const struct nbits *w, const double *a, const double *bias,
		    double *b, double *y)
{
	for (int64_t j = 0; j < w->n; j++) {
		if (w->q)
			load_column(w, j, b);
		for (int64_t i = 0; i < w->m; i++) {
			double sum = 0;

			for (int64_t k = 0; w->q && k < w->k; k++)
				sum += a[i * w->k + k] * b[k];
			y[i * w->n + j] = sum + (bias ? bias[j] : 0);
		}
	}
}

enum status k_matmul_nbits(struct kcall *c)
{
	struct nbits w;
	const double *a, *bias = NULL;
	double *b, *y;
	enum status s = nbits_init(c, &w);

	if (s != OK)
		return s;
	a = nn_load(c, 0);
	if (w.bias)
		bias = nn_load(c, 5);
	b = nn_temp(c, w.k);
	y = nn_temp(c, w.m * w.n);
	if (!a || !b || !y || (w.bias && !bias))
		return LIMIT;
	columns(&w, a, bias, b, y);
	return nn_save(c, 0, c->in[0]->dt, w.rank, w.dim, y);
}

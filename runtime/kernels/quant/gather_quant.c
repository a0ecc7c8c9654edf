/* SPDX-License-Identifier: MIT */
/*
 * gather_quant.c -- the contributed GatherBlockQuantized: Gather, then
 * (q - zero) scale, the parameters shared by blocks along one axis.
 *
 * Elements of uint8 data may hold several integers, low bits first; the
 * logical last axis is longer by as much.  An index out of range gives zeros.
 */
#include "runtime/kernels/shared/index_p.h"
#include "runtime/kernels/shared/nn_p.h"

struct gather_q {
	const struct array *x, *scale, *zero; /* zero NULL: dflt */
	int bits;                             /* 0: elements of x's type */
	int64_t dflt;
	int rank, axis, qaxis;
	int64_t block, dim[KERNEL_MAX_RANK]; /* dim: logical */
	int64_t sstride[KERNEL_MAX_RANK];    /* of the scales; 0: shared */
	int64_t slast, zrow;                 /* packed zeros: see zero_at */
	struct array *y;
};

static enum status data_shape(struct kcall *c, struct gather_q *g)
{
	int64_t bits = node_attr_int(c->node, "bits", 4);
	int last;

	g->x = c->in[0];
	g->rank = g->x->rank;
	last = g->rank - 1;
	for (int i = 0; i < g->rank; i++)
		g->dim[i] = g->x->dim[i];
	if (g->x->dt != DT_U8) {
		if (g->x->dt != DT_I4 && g->x->dt != DT_U4 &&
		    !(dtype_is_float(g->x->dt) && dtype_bits(g->x->dt) <= 8))
			return kcall_error(c, E_type, "data of type %s",
					   dtype_name(g->x->dt));
		return OK;
	}
	if (bits != 2 && bits != 4 && bits != 8)
		return kcall_error(c, E_value, "attribute bits is %lld",
				   (long long)bits);
	g->bits = (int)bits;
	g->dflt = 1 << (bits - 1);
	if (!mul_i64(g->dim[last], 8 / bits, &g->dim[last]))
		return kcall_error(c, E_dims, "dimensions overflow");
	if (g->axis != 0 || (bits < 8 && g->qaxis == 0))
		return kcall_error(c, E_value,
				   "uint8 data gathered along axis %d in "
				   "blocks along axis %d",
				   g->axis, g->qaxis);
	return OK;
}

static enum status axes(struct kcall *c, struct gather_q *g)
{
	enum status s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);

	if (s == OK)
		s = kcall_axis(c, node_attr_int(c->node, "gather_axis", 0),
			       c->in[0]->rank, &g->axis);
	if (s == OK)
		s = kcall_axis(c, node_attr_int(c->node, "quantize_axis", 1),
			       c->in[0]->rank, &g->qaxis);
	return s;
}

static enum status scale_shape(struct kcall *c, struct gather_q *g)
{
	const struct array *s = c->in[2];
	bool real = dtype_is_float(g->x->dt);
	int64_t step = 1, want;

	g->scale = s;
	g->block = node_attr_int(c->node, "block_size", 128);
	if (real && g->block == 0)
		g->block = max64(g->dim[g->qaxis], 1);
	if (g->block < 1 || (!real && g->block < 16))
		return kcall_error(c, E_value, "attribute block_size is %lld",
				   (long long)g->block);
	if (!dtype_is_float(s->dt) || s->rank != g->rank)
		return kcall_error(c, E_shape, "scales of %s with rank %d",
				   dtype_name(s->dt), s->rank);
	for (int i = g->rank - 1; i >= 0; i--) {
		want = i == g->qaxis ? ceil_div(g->dim[i], g->block)
				     : g->dim[i];
		if (s->dim[i] != want &&
		    !(real && i != g->qaxis && s->dim[i] == 1))
			return kcall_error(c, E_shape,
					   "scales have %lld along axis %d, "
					   "expected %lld",
					   (long long)s->dim[i], i,
					   (long long)want);
		g->sstride[i] = s->dim[i] == 1 ? 0 : step;
		step *= s->dim[i];
	}
	return OK;
}

static enum status zero_shape(struct kcall *c, struct gather_q *g)
{
	const struct array *z = kcall_has(c, 3) ? c->in[3] : NULL;
	int64_t want = g->scale->n;

	if (!z)
		return OK;
	if (z->dt != g->x->dt || dtype_is_float(z->dt))
		return kcall_error(c, E_type, "zero points of type %s",
				   dtype_name(z->dt));
	g->zero = z;
	if (g->bits) {
		g->slast = max64(g->scale->dim[g->rank - 1], 1);
		g->zrow = ceil_div(g->slast * g->bits, 8);
		want = g->scale->n / g->slast * g->zrow;
	}
	return z->n == want ? OK
			    : kcall_error(c, E_shape,
					  "%lld zero points, expected %lld",
					  (long long)z->n, (long long)want);
}

static int packed(const struct array *a, int64_t byte, int64_t bit, int bits)
{
	const uint8_t *p = a->data;

	return p[byte + bit / 8] >> (bit % 8) & ((1 << bits) - 1);
}

static int64_t zero_at(const struct gather_q *g, int64_t s)
{
	if (!g->zero)
		return g->dflt;
	if (!g->bits)
		return dtype_get_int(g->zero->dt, g->zero->data, (size_t)s);
	return packed(g->zero, s / g->slast * g->zrow, s % g->slast * g->bits,
		      g->bits);
}

/* Element `at` of the logical data, scaled by element s of the scales. */
static double value(const struct gather_q *g, int64_t at, int64_t s)
{
	double scale = dtype_get(g->scale->dt, g->scale->data, (size_t)s);

	if (dtype_is_float(g->x->dt))
		return scale * dtype_get(g->x->dt, g->x->data, (size_t)at);
	if (!g->bits)
		return scale * (double)(dtype_get_int(g->x->dt, g->x->data,
						      (size_t)at) -
					zero_at(g, s));
	return scale *
	       (double)(packed(g->x, 0, at * g->bits, g->bits) - zero_at(g, s));
}

/* Position in the scales of the first element of row `row`. */
static int64_t scale_row(const struct gather_q *g, int64_t row)
{
	int64_t s = 0;

	for (int i = g->rank - 2; i >= 0; i--) {
		int64_t o = row % g->dim[i];

		s += (i == g->qaxis ? o / g->block : o) * g->sstride[i];
		row /= g->dim[i];
	}
	return s;
}

static void copy_slice(const struct gather_q *g, int64_t from, int64_t n,
		       int64_t to)
{
	int last = g->rank - 1;
	int64_t len = g->dim[last], row = -1, base = 0;

	for (int64_t i = 0; i < n; i++) {
		int64_t at = from + i, col = at % len;

		if (at / len != row) {
			row = at / len;
			base = scale_row(g, row);
		}
		if (last == g->qaxis)
			col /= g->block;
		dtype_set(g->y->dt, g->y->data, (size_t)(to + i),
			  value(g, at, base + col * g->sstride[last]));
	}
}

static void clear_slice(const struct gather_q *g, int64_t n, int64_t to)
{
	for (int64_t i = 0; i < n; i++)
		dtype_set(g->y->dt, g->y->data, (size_t)(to + i), 0);
}

static enum status make_result(struct kcall *c, struct gather_q *g)
{
	const struct array *ix = c->in[1];
	int64_t dim[2 * KERNEL_MAX_RANK], n;
	int rank = 0;

	if (ix->rank + g->rank - 1 > KERNEL_MAX_RANK)
		return kcall_error(c, E_unsupported, "rank is above %d",
				   KERNEL_MAX_RANK);
	for (int i = 0; i < g->axis; i++)
		dim[rank++] = g->dim[i];
	for (int i = 0; i < ix->rank; i++)
		dim[rank++] = ix->dim[i];
	for (int i = g->axis + 1; i < g->rank; i++)
		dim[rank++] = g->dim[i];
	if (!nn_count(rank, dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	g->y = kcall_out(c, 0, g->scale->dt, rank, dim);
	return g->y ? OK : LIMIT;
}

enum status k_gather_block_quantized(struct kcall *c)
{
	struct gather_q g = {0};
	int64_t at, inner, len, count = c->in[1]->n;
	const int64_t *v;
	enum status s = axes(c, &g);

	if (s == OK)
		s = data_shape(c, &g);
	if (s == OK)
		s = scale_shape(c, &g);
	if (s == OK)
		s = zero_shape(c, &g);
	if (s == OK)
		s = index_read(c, 1, &v);
	if (s == OK)
		s = make_result(c, &g);
	if (s != OK || g.y->n == 0)
		return s;
	len = g.dim[g.axis];
	inner = nn_product(g.dim, g.axis + 1, g.rank);
	for (int64_t o = 0; o < nn_product(g.dim, 0, g.axis); o++)
		for (int64_t i = 0; i < count; i++) {
			int64_t to = (o * count + i) * inner;

			if (index_fix(v[i], len, &at))
				copy_slice(&g, (o * len + at) * inner, inner,
					   to);
			else
				clear_slice(&g, inner, to);
		}
	return OK;
}

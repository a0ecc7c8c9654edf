/* SPDX-License-Identifier: MIT */
/*
 * attention_packed.c -- the contributed Attention and QAttention, whose one
 * weight makes queries, keys and values of the input.
 */
#include "runtime/kernels/attention/attention_ms_p.h"
#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/quant/quant_matmul_p.h"

struct packed {
	struct attention t;
	struct ms_rules r;
	bool quantized;
	uint32_t jmask, jpast;
	int64_t depth, cols; /* of the weight */
};

/* ---- shapes ---- */

/* Columns of the weight for queries, keys and values. */
static enum status split_columns(struct kcall *c, struct packed *p)
{
	struct attention *t = &p->t;
	size_t n = 0;
	const int64_t *given =
		p->quantized ? NULL
			     : node_attr_ints(c->node, "qkv_hidden_sizes", &n);
	int64_t q = p->cols / 3, v = q;

	if (given) {
		if (n != 3 || given[0] < 1 || given[0] > p->cols ||
		    given[1] != given[0] || given[2] != p->cols - 2 * given[0])
			return kcall_error(c, E_attr,
					   "qkv_hidden_sizes do not fit the "
					   "weight");
		q = given[0];
		v = given[2];
	} else if (p->cols % 3 != 0) {
		return kcall_error(c, E_shape, "the weight has %lld columns",
				   (long long)p->cols);
	}
	if (t->heads < 1 || q % t->heads != 0 || v < 0 || v % t->heads != 0)
		return kcall_error(c, E_shape, "%lld columns for %lld heads",
				   (long long)q, (long long)t->heads);
	t->size = q / t->heads;
	t->vsize = v / t->heads;
	return OK;
}

static enum status past_shape(struct kcall *c, struct packed *p)
{
	const struct attention *t = &p->t;
	const int64_t *d;
	enum status s;

	if (!kcall_has(c, p->jpast))
		return OK;
	s = nn_rank(c, p->jpast, 5, 5);
	if (s != OK)
		return s;
	d = c->in[p->jpast]->dim;
	if (d[0] != 2 || d[1] != t->batch || d[2] != t->heads ||
	    d[4] != t->size || t->vsize != t->size)
		return kcall_error(c, E_shape, "the past does not fit");
	if (!dtype_is_float(c->in[p->jpast]->dt))
		return kcall_error(c, E_type, "the past is not a float tensor");
	p->r.past = d[3];
	return OK;
}

static enum status refuse_attributes(struct kcall *c)
{
	static const char *const missing[] = {"do_rotary",
					      "past_present_share_buffer"};

	for (size_t i = 0; i < countof(missing); i++)
		if (node_attr_int(c->node, missing[i], 0) != 0)
			return kcall_error(c, E_unsupported,
					   "attribute %s is not 0", missing[i]);
	return OK;
}

static enum status shapes(struct kcall *c, struct packed *p)
{
	struct attention *t = &p->t;
	enum status s = refuse_attributes(c);

	if (s == OK)
		s = nn_rank(c, 0, 3, 3);
	if (s == OK)
		s = nn_rank(c, 1, 2, 2);
	if (s != OK)
		return s;
	t->batch = c->in[0]->dim[0];
	t->q = c->in[0]->dim[1];
	p->depth = c->in[0]->dim[2];
	p->cols = c->in[1]->dim[1];
	t->heads = t->qheads = node_attr_int(c->node, "num_heads", 0);
	if (c->in[1]->dim[0] != p->depth)
		return kcall_error(c, E_shape,
				   "input of %lld columns, weight of %lld rows",
				   (long long)p->depth,
				   (long long)c->in[1]->dim[0]);
	s = split_columns(c, p);
	if (s == OK)
		s = attention_check(c, t);
	if (s == OK)
		s = past_shape(c, p);
	if (s == OK && !add_i64(p->r.past, t->q, &t->total))
		s = kcall_error(c, E_dims, "dimensions overflow");
	return s == OK ? ms_rules_init(c, &p->r, t, p->jmask,
				       p->quantized ? UINT32_MAX : 5)
		       : s;
}

/* ---- projection ---- */

static void make_weight(struct kcall *c, void *dst)
{
	const struct array *w = c->in[1];

	gemm_pack_b(dst, w->data, w->dim[1], 1, w->dim[0], w->dim[1]);
}

static enum status project_f32(struct kcall *c, const struct packed *p,
			       float *y)
{
	struct gemm g = {
		.m = p->t.batch * p->t.q,
		.n = p->cols,
		.k = p->depth,
		.a = c->in[0]->data,
		.ars = p->depth,
		.acs = 1,
		.alpha = 1,
		.c = y,
		.ldc = p->cols,
		.init = kcall_has(c, 2) ? c->in[2]->data : NULL,
		.ics = 1,
		.batch = 1,
	};
	size_t floats, bytes;
	float *w;

	if (!gemm_b_size(p->depth, p->cols, &floats) ||
	    !mul_size(floats, sizeof(float), &bytes))
		return kcall_error(c, E_dims, "the weight is too large");
	if (kcall_is_const(c, 1)) {
		g.b = kcall_cached(c, bytes ? bytes : 1, make_weight);
	} else {
		w = nn_scratch(c, (int64_t)bytes, 1);
		if (w)
			make_weight(c, w);
		g.b = w;
	}
	if (!g.b)
		return LIMIT;
	if (g.m > 0 && g.n > 0)
		gemm_run(&g);
	return OK;
}

static enum status project_f64(struct kcall *c, const struct packed *p,
			       double *y)
{
	const double *x = nn_load(c, 0), *w = nn_load(c, 1), *b = NULL;
	int64_t rows = p->t.batch * p->t.q;

	if (kcall_has(c, 2))
		b = nn_load(c, 2);
	if (!x || !w || (kcall_has(c, 2) && !b))
		return LIMIT;
	for (int64_t i = 0; i < rows; i++) {
		double *row = y + i * p->cols;

		for (int64_t j = 0; j < p->cols; j++)
			row[j] = b ? b[j] : 0;
		for (int64_t k = 0; k < p->depth; k++)
			for (int64_t j = 0; j < p->cols; j++)
				row[j] += x[i * p->depth + k] *
					  w[k * p->cols + j];
	}
	return OK;
}

/* Exact integers, then float arithmetic in both sets. */
static enum status project_q8(struct kcall *c, const struct packed *p,
			      int64_t n, void *y)
{
	bool fast = p->t.es == sizeof(float);
	float *f = fast ? y : nn_temp_f32(c, n);
	struct qmatmul q;
	enum status s = qmatmul_init(c, &q);

	if (s != OK)
		return s;
	if (!f)
		return LIMIT;
	s = qmatmul_floats(c, &q, fast, f);
	for (int64_t i = 0; !fast && i < n; i++)
		((double *)y)[i] = (double)f[i];
	return s;
}

static enum status project(struct kcall *c, const struct packed *p, void **to)
{
	int64_t n, dim[3] = {p->t.batch, p->t.q, p->cols};
	void *y;

	if (!nn_count(3, dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	y = heads_temp(c, n, p->t.es);
	if (!y)
		return LIMIT;
	*to = y;
	if (p->quantized)
		return project_q8(c, p, n, y);
	return p->t.es == sizeof(float) ? project_f32(c, p, y)
					: project_f64(c, p, y);
}

/* ---- the rest ---- */

/* Columns from `at` on of the projection, as heads. */
static struct heads columns(const struct packed *p, void *all, int64_t at,
			    int64_t size)
{
	return (struct heads){
		.p = (char *)all + (size_t)at * p->t.es,
		.bs = p->t.q * p->cols,
		.hs = size,
		.ss = p->cols,
	};
}

/* Keys and values of all positions, in the output where it is wanted. */
static enum status present(struct kcall *c, struct packed *p, enum dtype dt)
{
	struct attention *t = &p->t;
	int64_t dim[5] = {2, t->batch, t->heads, t->total, t->size};
	int64_t half = t->batch * t->heads;
	struct heads k = t->k, v = t->v;
	char *past = NULL, *now;

	if (!kcall_has(c, p->jpast) && !kcall_wants(c, 1))
		return OK;
	if (t->size != t->vsize)
		return kcall_error(c, E_shape,
				   "keys and values of one size are needed for "
				   "the output present");
	now = heads_out(c, 1, t->es, dt, 5, dim);
	if (!now)
		return LIMIT;
	if (kcall_has(c, p->jpast)) {
		past = heads_load(c, p->jpast, t->es);
		if (!past)
			return LIMIT;
	}
	t->k = heads_of(now, false, t->heads, t->total, t->size);
	t->v = t->k;
	t->v.p = now + (size_t)(half * t->total * t->size) * t->es;
	ms_with_past(t, t->k, past, p->r.past, k, t->size);
	if (past)
		past += (size_t)(half * p->r.past * t->size) * t->es;
	ms_with_past(t, t->v, past, p->r.past, v, t->size);
	return heads_save(c, 1, t->es, dt, 5, dim, now);
}

static enum status packed_run(struct kcall *c, struct packed *p)
{
	struct attention *t = &p->t;
	enum dtype dt = p->quantized ? DT_F32 : c->in[0]->dt;
	int64_t q = t->heads * t->size;
	int64_t dim[3] = {t->batch, t->q, t->heads * t->vsize};
	void *all = NULL;
	enum status s = project(c, p, &all);

	if (s != OK)
		return s;
	t->x = columns(p, all, 0, t->size);
	t->k = columns(p, all, q, t->size);
	t->v = columns(p, all, 2 * q, t->vsize);
	s = present(c, p, dt);
	if (s != OK)
		return s;
	t->y = heads_of(heads_out(c, 0, t->es, dt, 3, dim), true, t->heads,
			t->q, t->vsize);
	if (!t->y.p)
		return LIMIT;
	s = attention_compute(c, t);
	return s == OK ? heads_save(c, 0, t->es, dt, 3, dim, t->y.p) : s;
}

static enum status packed(struct kcall *c, bool fast)
{
	bool quantized = node_is(c->node, OP_ms_QAttention);
	bool f32 = fast && (quantized || c->in[0]->dt == DT_F32);
	struct packed p = {
		.t = {.es = f32 ? sizeof(float) : sizeof(double)},
		.quantized = quantized,
		.jmask = quantized ? 5 : 3,
		.jpast = quantized ? 8 : 4,
	};
	enum dtype dt = quantized ? DT_F32 : c->in[0]->dt;
	enum status s = quantized ? OK : nn_floats(c, 2, 2);

	if (s == OK)
		s = shapes(c, &p);
	if (s == OK)
		s = nn_vector(c, 2, dt, p.cols);
	if (s == OK && kcall_has(c, p.jpast) && c->in[p.jpast]->dt != dt)
		s = kcall_error(c, E_type, "the past is of type %s",
				dtype_name(c->in[p.jpast]->dt));
	return s == OK ? packed_run(c, &p) : s;
}

enum status k_packed_attention(struct kcall *c)
{
	return packed(c, false);
}

enum status k_packed_attention_f32(struct kcall *c)
{
	return packed(c, true);
}

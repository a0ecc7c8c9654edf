/* SPDX-License-Identifier: MIT */
/*
 * matmul.c -- Gemm and MatMul on the packed float32 product.
 */
#include "runtime/kernels/shared/activate_p.h"
#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/matmul/matmul_p.h"

#include "base/pool.h"

/* ---- packing B, once where it is a weight ---- */

struct pack_job {
	const struct matmul *mm;
	const float *b;
	float *dst;
	size_t each;    /* floats of one packed matrix */
	int64_t panels; /* of 16 columns, per matrix */
};

static void pack_task(void *arg, size_t i)
{
	const struct pack_job *p = arg;
	const struct matmul *mm = p->mm;
	int64_t t = (int64_t)i / p->panels, j = (int64_t)i % p->panels;

	j *= GEMM_NR;
	gemm_pack_b(p->dst + (size_t)t * p->each + j * mm->k,
		    p->b + t * mm->bst + j * mm->bcs, mm->brs, mm->bcs, mm->k,
		    min64(mm->n - j, GEMM_NR));
}

static void pack_all(const struct matmul *mm, const float *b, float *dst)
{
	struct pack_job p = {
		.mm = mm,
		.b = b,
		.dst = dst,
		.panels = ceil_div(mm->n, GEMM_NR),
	};

	gemm_b_size(mm->k, mm->n, &p.each);
	pool_for((size_t)(mm->nb * p.panels), pack_task, &p);
}

static void make_matmul_b(struct kcall *c, void *dst)
{
	struct matmul mm;

	if (matmul_init(c, &mm, 0, 1) == OK)
		pack_all(&mm, c->in[1]->data, dst);
}

static void make_gemm_b(struct kcall *c, void *dst)
{
	struct matmul mm;

	if (matmul_init_2d(c, &mm, 0, 1,
			   node_attr_int(c->node, "transA", 0) != 0,
			   node_attr_int(c->node, "transB", 0) != 0) == OK)
		pack_all(&mm, c->in[1]->data, dst);
}

/* Packed B of every matrix, and the floats of one. */
static const float *packed_b(struct kcall *c, const struct matmul *mm,
			     void (*make)(struct kcall *c, void *dst),
			     size_t *each)
{
	size_t total, bytes;
	float *dst;

	if (!gemm_b_size(mm->k, mm->n, each) ||
	    !mul_size(*each, (size_t)mm->nb, &total) ||
	    !mul_size(total, sizeof(float), &bytes)) {
		kcall_error(c, E_dims, "matrices are too large");
		return NULL;
	}
	if (kcall_is_const(c, 1)) {
		dst = kcall_cached(c, bytes ? bytes : 1, make);
		if (dst)
			kcall_packed(c, 1);
		return dst;
	}
	dst = nn_scratch(c, (int64_t)bytes, 1);
	if (dst)
		pack_all(mm, c->in[1]->data, dst);
	return dst;
}

/* Offsets of the batches, in floats. */
static bool batch_offsets(struct kcall *c, const struct matmul *mm, size_t each,
			  struct gemm *g)
{
	int64_t *off = nn_scratch(c, 3 * mm->batch, sizeof *off);

	if (!off)
		return false;
	for (int64_t t = 0; t < mm->batch; t++) {
		off[t] = mm->amat[t] * mm->ast;
		off[mm->batch + t] = mm->bmat[t] * (int64_t)each;
		off[2 * mm->batch + t] = t * mm->m * mm->n;
	}
	g->aoff = off;
	g->boff = off + mm->batch;
	g->coff = off + 2 * mm->batch;
	return true;
}

/* One B for all of A: the batch is just more rows. */
static void merge_rows(struct matmul *mm)
{
	if (mm->nb == 1 && mm->na == mm->batch && mm->ars == mm->k &&
	    mm->acs == 1 && mm->ast == mm->m * mm->k) {
		mm->m *= mm->batch;
		mm->batch = 1;
	}
}

enum status k_matmul_f32(struct kcall *c)
{
	struct matmul mm;
	struct tail tail;
	struct array *y;
	size_t each;
	enum status s;

	if (!nn_all_f32(c, 2)) {
		s = kcall_load(c, 1);
		return s ? s : k_matmul(c);
	}
	s = matmul_init(c, &mm, 0, 1);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, DT_F32, mm.rank, mm.dim);
	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	s = tail_init(c, y, &tail);
	if (s != OK)
		return s;
	merge_rows(&mm);
	{
		struct gemm g = {
			.m = mm.m,
			.n = mm.n,
			.k = mm.k,
			.a = c->in[0]->data,
			.ars = mm.ars,
			.acs = mm.acs,
			.alpha = (float)matmul_alpha(c),
			.b = packed_b(c, &mm, make_matmul_b, &each),
			.c = y->data,
			.ldc = mm.n,
			.batch = mm.batch,
			.tail = &tail,
		};

		if (!g.b || (mm.batch > 1 && !batch_offsets(c, &mm, each, &g)))
			return LIMIT;
		gemm_run(&g);
	}
	return activate_f32(c);
}

/* beta * C in scratch memory where beta is not 1. */
static const float *scaled_bias(struct kcall *c, float beta)
{
	const struct array *b = c->in[2];
	const float *src = b->data;
	float *dst;

	if (beta == 1)
		return src;
	dst = nn_temp_f32(c, b->n);
	for (int64_t i = 0; dst && i < b->n; i++)
		dst[i] = beta * src[i];
	return dst;
}

enum status k_gemm_f32(struct kcall *c)
{
	bool ta = node_attr_int(c->node, "transA", 0) != 0;
	bool tb = node_attr_int(c->node, "transB", 0) != 0;
	struct tail tail;
	struct gemm g = {.batch = 1, .tail = &tail};
	struct matmul mm;
	struct array *y;
	size_t each;
	enum status s;

	if (!nn_all_f32(c, 3)) {
		s = kcall_load(c, 1);
		return s ? s : k_gemm(c);
	}
	s = matmul_init_2d(c, &mm, 0, 1, ta, tb);
	if (s == OK && kcall_has(c, 2))
		s = gemm_bias(c, 2, mm.m, mm.n, &g.irs, &g.ics);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, DT_F32, 2, mm.dim);
	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	s = tail_init(c, y, &tail);
	if (s != OK)
		return s;
	g.m = mm.m;
	g.n = mm.n;
	g.k = mm.k;
	g.a = c->in[0]->data;
	g.ars = mm.ars;
	g.acs = mm.acs;
	g.alpha = (float)node_attr_float(c->node, "alpha", 1);
	g.c = y->data;
	g.ldc = mm.n;
	g.b = packed_b(c, &mm, make_gemm_b, &each);
	if (kcall_has(c, 2))
		g.init = scaled_bias(
			c, (float)node_attr_float(c->node, "beta", 1));
	if (!g.b || (kcall_has(c, 2) && !g.init))
		return LIMIT;
	gemm_run(&g);
	return activate_f32(c);
}

/* SPDX-License-Identifier: MIT */
/*
 * matmul_shape.c -- shapes of matrix products: batches, broadcasting, vectors.
 *
 * MatMul follows numpy.matmul: a vector on the left is a row, on the right a
 * column, and its dimension of 1 does not appear in the result.
 */
#include "runtime/kernels/matmul/matmul_p.h"

/* An operand as a stack of matrices. */
struct operand {
	int rank, lead;     /* of the tensor; of the stack */
	const int64_t *dim; /* of the stack */
	int64_t rows, cols, rs, cs, step;
};

static bool transposes(const struct kcall *c)
{
	enum op_id id = c->node->op->id;

	return id == OP_ms_FusedMatMul || id == OP_ms_FusedMatMulActivation ||
	       id == OP_ms_TransposeMatMul;
}

double matmul_alpha(const struct kcall *c)
{
	return transposes(c) ? node_attr_float(c->node, "alpha", 1) : 1;
}

static void swap64(int64_t *a, int64_t *b)
{
	int64_t t = *a;

	*a = *b;
	*b = t;
}

/* With `across`, axis 0 holds the rows and the stack lies behind it. */
static struct operand operand_of(const struct array *a, bool row, bool trans,
				 bool across)
{
	struct operand o = {.rank = a->rank, .dim = a->dim};
	int64_t last = a->dim[a->rank - 1];

	if (a->rank == 1) {
		o.rows = row ? 1 : last;
		o.cols = row ? last : 1;
		o.rs = o.cols;
		o.cs = 1;
		o.step = last;
		return o;
	}
	o.lead = a->rank - 2;
	o.dim += across;
	o.cols = last;
	o.rows = a->dim[across ? 0 : o.lead];
	o.rs = across ? nn_product(a->dim, 1, a->rank) : last;
	o.cs = 1;
	o.step = across ? last : o.rows * o.cols;
	if (trans) {
		swap64(&o.rows, &o.cols);
		swap64(&o.rs, &o.cs);
	}
	return o;
}

/* Matrices of a with leading dims as part of the batch, in batch order. */
static void batch_index(const struct operand *a, const struct matmul *mm,
			int batch_rank, int64_t *mat)
{
	int64_t o[KERNEL_MAX_RANK] = {0};
	int skip = batch_rank - a->lead;

	for (int64_t t = 0; t < mm->batch; t++) {
		int64_t at = 0;

		for (int i = 0; i < a->lead; i++)
			at = at * a->dim[i] +
			     (a->dim[i] == 1 ? 0 : o[skip + i]);
		mat[t] = at;
		odometer_next(batch_rank, mm->dim, o);
	}
}

static enum status batch_dims(struct kcall *c, struct matmul *mm,
			      const struct operand *a, const struct operand *b,
			      int *rank)
{
	int r = a->lead > b->lead ? a->lead : b->lead;

	for (int i = 0; i < r; i++) {
		int64_t da = i < r - a->lead ? 1 : a->dim[i - (r - a->lead)];
		int64_t db = i < r - b->lead ? 1 : b->dim[i - (r - b->lead)];

		if (da != db && da != 1 && db != 1)
			return kcall_error(c, E_shape,
					   "batch dimensions %lld and %lld do "
					   "not broadcast",
					   (long long)da, (long long)db);
		mm->dim[i] = da == 1 ? db : da;
	}
	if (!nn_count(r, mm->dim, &mm->batch))
		return kcall_error(c, E_dims, "dimensions overflow");
	*rank = r;
	return OK;
}

static enum status batch_init(struct kcall *c, struct matmul *mm,
			      const struct operand *a, const struct operand *b)
{
	int r = 0;
	enum status s = batch_dims(c, mm, a, b, &r);

	if (s != OK)
		return s;
	mm->amat = nn_scratch(c, mm->batch, sizeof *mm->amat);
	mm->bmat = nn_scratch(c, mm->batch, sizeof *mm->bmat);
	if (!mm->amat || !mm->bmat)
		return LIMIT;
	batch_index(a, mm, r, mm->amat);
	batch_index(b, mm, r, mm->bmat);
	mm->na = nn_product(a->dim, 0, a->lead);
	mm->nb = nn_product(b->dim, 0, b->lead);
	mm->rank = r;
	if (a->rank > 1)
		mm->dim[mm->rank++] = mm->m;
	if (b->rank > 1)
		mm->dim[mm->rank++] = mm->n;
	return OK;
}

static bool flag(const struct kcall *c, const char *name)
{
	return transposes(c) && node_attr_int(c->node, name, 0) != 0;
}

enum status matmul_init(struct kcall *c, struct matmul *mm, uint32_t ja,
			uint32_t jb)
{
	struct operand a, b;
	enum status s = nn_rank(c, ja, 1, KERNEL_MAX_RANK - 2);

	if (s == OK)
		s = nn_rank(c, jb, 1, KERNEL_MAX_RANK - 2);
	if (s != OK)
		return s;
	a = operand_of(c->in[ja], true, flag(c, "transA"),
		       flag(c, "transBatchA"));
	b = operand_of(c->in[jb], false, flag(c, "transB"),
		       flag(c, "transBatchB"));
	if (a.cols != b.rows)
		return kcall_error(c, E_shape,
				   "inner dimensions %lld and %lld differ",
				   (long long)a.cols, (long long)b.rows);
	mm->m = a.rows;
	mm->k = a.cols;
	mm->n = b.cols;
	mm->ars = a.rs;
	mm->acs = a.cs;
	mm->ast = a.step;
	mm->brs = b.rs;
	mm->bcs = b.cs;
	mm->bst = b.step;
	return batch_init(c, mm, &a, &b);
}

enum status matmul_init_2d(struct kcall *c, struct matmul *mm, uint32_t ja,
			   uint32_t jb, bool ta, bool tb)
{
	enum status s = nn_rank(c, ja, 2, 2);
	const int64_t *a, *b;

	if (s == OK)
		s = nn_rank(c, jb, 2, 2);
	if (s != OK)
		return s;
	a = c->in[ja]->dim;
	b = c->in[jb]->dim;
	mm->m = a[ta];
	mm->k = a[!ta];
	mm->n = b[!tb];
	if (b[tb] != mm->k)
		return kcall_error(c, E_shape,
				   "inner dimensions %lld and %lld differ",
				   (long long)mm->k, (long long)b[tb]);
	mm->ars = ta ? 1 : mm->k;
	mm->acs = ta ? mm->m : 1;
	mm->brs = tb ? 1 : mm->n;
	mm->bcs = tb ? mm->k : 1;
	mm->ast = mm->m * mm->k;
	mm->bst = mm->k * mm->n;
	mm->batch = mm->na = mm->nb = 1;
	mm->amat = nn_scratch(c, 2, sizeof *mm->amat);
	if (!mm->amat)
		return LIMIT;
	mm->bmat = mm->amat + 1;
	mm->amat[0] = mm->bmat[0] = 0;
	mm->rank = 2;
	mm->dim[0] = mm->m;
	mm->dim[1] = mm->n;
	return OK;
}

enum status gemm_bias(struct kcall *c, uint32_t j, int64_t m, int64_t n,
		      int64_t *rs, int64_t *cs)
{
	const struct array *b = c->in[j];
	enum status s = nn_rank(c, j, 0, 2);
	int64_t dm, dn;

	if (s != OK)
		return s;
	dm = b->rank == 2 ? b->dim[0] : 1;
	dn = b->rank >= 1 ? b->dim[b->rank - 1] : 1;
	if ((dm != m && dm != 1) || (dn != n && dn != 1))
		return kcall_error(c, E_shape,
				   "C of [%lld,%lld] does not broadcast to "
				   "[%lld,%lld]",
				   (long long)dm, (long long)dn, (long long)m,
				   (long long)n);
	/* Before version 7 an attribute had to ask for broadcasting. */
	if (node_is(c->node, OP_Gemm) && c->node->op->since < 7 &&
	    (dm != m || dn != n) && node_attr_int(c->node, "broadcast", 0) == 0)
		return kcall_error(c, E_shape,
				   "C needs broadcasting, which attribute "
				   "broadcast does not allow");
	*rs = dm == 1 ? 0 : dn;
	*cs = dn == 1 ? 0 : 1;
	return OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * matmul_shape.c -- shapes of matrix products: batches, broadcasting, vectors.
 *
 * MatMul follows numpy.matmul: a vector on the left is a row, on the right a
 * column, and its dimension of 1 does not appear in the result.
 */
#include "runtime/kernels/matmul_p.h"

/* Matrices of a with leading dims as part of the batch, in batch order. */
static void batch_index(const struct array *a, const struct matmul *mm,
			int batch_rank, int64_t *mat)
{
	int64_t o[KERNEL_MAX_RANK] = {0};
	int lead = a->rank > 2 ? a->rank - 2 : 0, skip = batch_rank - lead;

	for (int64_t t = 0; t < mm->batch; t++) {
		int64_t at = 0;

		for (int i = 0; i < lead; i++)
			at = at * a->dim[i] +
			     (a->dim[i] == 1 ? 0 : o[skip + i]);
		mat[t] = at;
		odometer_next(batch_rank, mm->dim, o);
	}
}

static enum status batch_dims(struct kcall *c, struct matmul *mm,
			      const struct array *a, const struct array *b,
			      int *rank)
{
	int la = a->rank > 2 ? a->rank - 2 : 0;
	int lb = b->rank > 2 ? b->rank - 2 : 0;
	int r = la > lb ? la : lb;

	for (int i = 0; i < r; i++) {
		int64_t da = i < r - la ? 1 : a->dim[i - (r - la)];
		int64_t db = i < r - lb ? 1 : b->dim[i - (r - lb)];

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
			      const struct array *a, const struct array *b)
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
	mm->na = a->rank > 2 ? nn_product(a->dim, 0, a->rank - 2) : 1;
	mm->nb = b->rank > 2 ? nn_product(b->dim, 0, b->rank - 2) : 1;
	mm->rank = r;
	if (a->rank > 1)
		mm->dim[mm->rank++] = mm->m;
	if (b->rank > 1)
		mm->dim[mm->rank++] = mm->n;
	return OK;
}

enum status matmul_init(struct kcall *c, struct matmul *mm, uint32_t ja,
			uint32_t jb)
{
	const struct array *a, *b;
	enum status s = nn_rank(c, ja, 1, KERNEL_MAX_RANK - 2);
	int64_t kb;

	if (s == OK)
		s = nn_rank(c, jb, 1, KERNEL_MAX_RANK - 2);
	if (s != OK)
		return s;
	a = c->in[ja];
	b = c->in[jb];
	mm->m = a->rank > 1 ? a->dim[a->rank - 2] : 1;
	mm->k = a->dim[a->rank - 1];
	kb = b->rank > 1 ? b->dim[b->rank - 2] : b->dim[0];
	mm->n = b->rank > 1 ? b->dim[b->rank - 1] : 1;
	if (kb != mm->k)
		return kcall_error(c, E_shape,
				   "inner dimensions %lld and %lld differ",
				   (long long)mm->k, (long long)kb);
	mm->ars = mm->k;
	mm->acs = 1;
	mm->brs = mm->n;
	mm->bcs = 1;
	return batch_init(c, mm, a, b);
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

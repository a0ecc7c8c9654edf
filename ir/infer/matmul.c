/* SPDX-License-Identifier: MIT */
/*
 * matmul.c -- matrix products: MatMul and its quantized forms, Gemm, Einsum.
 */
#include "ir/infer/infer.h"

/* A shape of rank >= 1; n copies of dims with a 1 put before or behind. */
static const struct dim *as_matrix(struct node *n, const struct dim *x,
				   int *rank, bool row)
{
	struct dim *d;

	if (*rank != 1)
		return x;
	d = dims_new(n, 2);
	d[row ? 0 : 1] = dim_of(1);
	d[row ? 1 : 0] = x[0];
	*rank = 2;
	return d;
}

static enum status inner_differs(struct node *n, struct dim a, struct dim b)
{
	return infer_error(n, E_shape, "inner sizes %lld and %lld differ",
			   (long long)a.n, (long long)b.n);
}

/* numpy.matmul on the shapes a and b. */
static enum status matmul(struct node *n, const struct dim *a, int ra,
			  const struct dim *b, int rb)
{
	bool drop_row = ra == 1, drop_col = rb == 1;
	struct dim *d, *out, same;
	int rank, k = 0;
	enum status st;

	if (ra < 1 || rb < 1)
		return infer_error(n, E_shape, "inputs have ranks %d and %d",
				   ra, rb);
	a = as_matrix(n, a, &ra, true);
	b = as_matrix(n, b, &rb, false);
	if (!dim_join(a[ra - 1], b[rb - 2], &same))
		return inner_differs(n, a[ra - 1], b[rb - 2]);
	st = infer_broadcast_dims(n, a, ra - 2, b, rb - 2, &rank, &d);
	if (st)
		return st;
	out = dims_new(n, (size_t)rank + 2);
	for (; k < rank; k++)
		out[k] = d[k];
	if (!drop_row)
		out[k++] = a[ra - 2];
	if (!drop_col)
		out[k++] = b[rb - 1];
	return out_shape(n, 0, k, out);
}

static enum status matmul_inputs(struct node *n, uint32_t ia, uint32_t ib)
{
	int ra, rb;
	const struct dim *a = in_dims(n, ia, &ra), *b = in_dims(n, ib, &rb);

	return a && b ? matmul(n, a, ra, b, rb) : OK;
}

enum status infer_matmul(struct node *n)
{
	return matmul_inputs(n, 0, 1);
}

enum status infer_matmul_integer16(struct node *n)
{
	enum dtype a = in_dtype(n, 0), b = in_dtype(n, 1);
	enum status st = OK;

	if (a && b)
		st = out_dtype(n, 0,
			       a == DT_U16 && b == DT_U16 ? DT_U32 : DT_I32);
	return st ? st : matmul_inputs(n, 0, 1);
}

enum status infer_qlinear_matmul(struct node *n)
{
	return matmul_inputs(n, 0, 3);
}

/* The last two axes swapped; transBatch moves axis 0 before the last. */
static const struct dim *swapped(struct node *n, const struct dim *x, int rank,
				 bool trans, bool batch)
{
	struct dim *d = dims_copy(n, x, (size_t)rank);

	if (rank < 2)
		return x;
	if (batch) {
		for (int i = 0; i + 2 < rank; i++)
			d[i] = x[i + 1];
		d[rank - 2] = x[0];
	}
	if (trans) {
		struct dim t = d[rank - 1];

		d[rank - 1] = d[rank - 2];
		d[rank - 2] = t;
	}
	return d;
}

enum status infer_fused_matmul(struct node *n)
{
	int ra, rb;
	const struct dim *a = in_dims(n, 0, &ra), *b = in_dims(n, 1, &rb);

	if (!a || !b)
		return OK;
	a = swapped(n, a, ra, node_attr_int(n, "transA", 0) != 0,
		    node_attr_int(n, "transBatchA", 0) != 0);
	b = swapped(n, b, rb, node_attr_int(n, "transB", 0) != 0,
		    node_attr_int(n, "transBatchB", 0) != 0);
	return matmul(n, a, ra, b, rb);
}

static enum status gemm(struct node *n, uint32_t ia, uint32_t ib)
{
	int ra, rb;
	const struct dim *a = in_dims(n, ia, &ra), *b = in_dims(n, ib, &rb);
	bool ta = node_attr_int(n, "transA", 0) != 0;
	bool tb = node_attr_int(n, "transB", 0) != 0;
	struct dim d[2] = {dim_none(), dim_none()}, same;

	if ((a && ra != 2) || (b && rb != 2))
		return infer_error(n, E_shape, "%c has rank %d, expected 2",
				   a && ra != 2 ? 'A' : 'B',
				   a && ra != 2 ? ra : rb);
	if (a)
		d[0] = a[ta];
	if (b)
		d[1] = b[!tb];
	if (a && b && !dim_join(a[!ta], b[tb], &same))
		return inner_differs(n, a[!ta], b[tb]);
	return out_shape(n, 0, 2, d);
}

enum status infer_gemm(struct node *n)
{
	return gemm(n, 0, 1);
}

/* The output is float without the scale of the result. */
enum status infer_qgemm(struct node *n)
{
	enum dtype dt = in_given(n, 8) ? in_dtype(n, 8) : DT_F32;
	enum status st = dt ? out_dtype(n, 0, dt) : OK;

	return st ? st : gemm(n, 0, 3);
}

/* The weight is packed: its matrix is K by N. */
enum status infer_matmul_nbits(struct node *n)
{
	bool plain = node_attr_int(n, "transB", 1) == 0; /* MatMulBnb4's */
	int64_t cols = node_attr_int(n, plain ? "K" : "N", -1);
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;

	if (!x || rank < 1)
		return OK;
	d = dims_copy(n, x, (size_t)rank);
	d[rank - 1] = cols >= 0 ? dim_of(cols) : dim_none();
	return out_shape(n, 0, rank, d);
}

/* ---- Einsum ---- */

enum { LABELS = 52 };

struct einsum {
	struct node *n;
	struct dim size[LABELS];
	bool seen[LABELS];
	int count[LABELS];
	struct dim *ellipsis; /* broadcast of the dims of all "..." */
	int nellipsis;
	bool unknown;
};

static int label_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= 'A' && c <= 'Z' ? c - 'A' + 26 : -1;
}

static bool is_ellipsis(struct str s, size_t i)
{
	return i + 2 < s.n && s.p[i] == '.' && s.p[i + 1] == '.' &&
	       s.p[i + 2] == '.';
}

static enum status bad_equation(struct einsum *e)
{
	return infer_error(e->n, E_value, "the equation is malformed");
}

static int label_count(struct str s)
{
	int k = 0;

	for (size_t i = 0; i < s.n; i++)
		k += label_of(s.p[i]) >= 0;
	return k;
}

/* One label's size, where a size of 1 gives way; false if they contradict. */
static bool einsum_size(struct einsum *e, int k, struct dim d)
{
	struct dim *s = &e->size[k];

	if (!e->seen[k] || (dim_known(*s) && s->n == 1))
		*s = d;
	else if (!dim_known(d) || d.n != 1)
		return dim_join(*s, d, s);
	return true;
}

/* Sizes of one term's labels from its operand. */
static enum status einsum_term(struct einsum *e, uint32_t operand, struct str s)
{
	int rank = 0, at = 0, wide;
	const struct dim *x = in_dims(e->n, operand, &rank);
	enum status st;

	e->unknown |= !x;
	wide = rank - label_count(s);
	for (size_t i = 0; i < s.n; i++) {
		int k = label_of(s.p[i]);

		if (is_ellipsis(s, i)) {
			i += 2;
			if (!x)
				continue;
			if (wide < 0)
				return bad_equation(e);
			st = infer_broadcast_dims(e->n, e->ellipsis,
						  e->nellipsis, x + at, wide,
						  &e->nellipsis, &e->ellipsis);
			if (st)
				return st;
			at += wide;
		} else if (k >= 0) {
			struct dim d = x && at < rank ? x[at] : dim_none();

			if (x && at >= rank)
				return bad_equation(e);
			at++;
			e->count[k]++;
			if (!einsum_size(e, k, d))
				return infer_error(
					e->n, E_shape, "'%c' is %lld and %lld",
					s.p[i], (long long)e->size[k].n,
					(long long)d.n);
			e->seen[k] = true;
		} else if (s.p[i] != ' ') {
			return bad_equation(e);
		}
	}
	return x && at != rank ? bad_equation(e) : OK;
}

/* Output labels that the equation leaves out: those used once, sorted. */
static enum status einsum_implicit(struct einsum *e, bool ellipsis)
{
	struct dim *d = dims_new(e->n, (size_t)e->nellipsis + LABELS);
	int r = 0;

	for (int i = 0; ellipsis && i < e->nellipsis; i++)
		d[r++] = e->ellipsis[i];
	for (int c = 'A'; c <= 'z'; c++) {
		int k = label_of((char)c);

		if (k >= 0 && e->count[k] == 1)
			d[r++] = e->size[k];
	}
	return e->unknown ? OK : out_shape(e->n, 0, r, d);
}

static enum status einsum_explicit(struct einsum *e, struct str s)
{
	struct dim *d = dims_new(e->n, (size_t)e->nellipsis + s.n);
	int r = 0;

	for (size_t i = 0; i < s.n; i++) {
		int k = label_of(s.p[i]);

		if (is_ellipsis(s, i)) {
			i += 2;
			for (int j = 0; j < e->nellipsis; j++)
				d[r++] = e->ellipsis[j];
		} else if (k >= 0 && e->seen[k]) {
			d[r++] = e->size[k];
		} else if (s.p[i] != ' ') {
			return bad_equation(e);
		}
	}
	return e->unknown ? OK : out_shape(e->n, 0, r, d);
}

enum status infer_einsum(struct node *n)
{
	struct einsum e = {.n = n, .ellipsis = dims_new(n, 0)};
	struct str eq = node_attr_str(n, "equation", "");
	size_t from = 0, i = 0;
	uint32_t operand = 0;
	bool ellipsis = false;
	enum status st;

	for (; i <= eq.n; i++) {
		bool arrow =
			i + 1 < eq.n && eq.p[i] == '-' && eq.p[i + 1] == '>';

		ellipsis |= i < eq.n && eq.p[i] == '.';
		if (i < eq.n && eq.p[i] != ',' && !arrow)
			continue;
		st = einsum_term(&e, operand++,
				 (struct str){eq.p + from, i - from});
		if (st)
			return st;
		from = i + 1 + arrow;
		if (arrow)
			return einsum_explicit(
				&e, (struct str){eq.p + from, eq.n - from});
	}
	return einsum_implicit(&e, ellipsis);
}

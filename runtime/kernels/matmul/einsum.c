/* SPDX-License-Identifier: MIT */
/*
 * einsum.c -- Einsum: the equation, then sums of products over labels.
 *
 * Every label of an operand has a stride (repeated labels add theirs: a
 * diagonal; dimensions of 1 broadcast with 0).  The reference walks the output
 * labels and, inside, the summed ones.  Two float32 operands whose labels
 * split into batch, rows, columns and depth become matrix products.
 */
#include <string.h>

#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/shared/nn_p.h"

enum {
	LETTERS = 52,
	/* Dimensions of the ellipsis, the last one being the last label. */
	LABELS = LETTERS + KERNEL_MAX_RANK,
	OPERANDS = 32,
};

struct einsum {
	uint32_t n;
	int64_t size[LABELS];
	bool seen[LABELS];
	int64_t stride[OPERANDS][LABELS];
	int used[LABELS]; /* times a letter occurs in the inputs */
	int nellipsis;    /* most dimensions that an ellipsis covers */
	int rank, nsum;
	int out[KERNEL_MAX_RANK], sum[LABELS];
	int64_t dim[KERNEL_MAX_RANK];
};

/* ---- the equation ---- */

static int letter(char ch)
{
	if (ch >= 'A' && ch <= 'Z')
		return ch - 'A';
	return ch >= 'a' && ch <= 'z' ? 26 + ch - 'a' : -1;
}

static bool is_ellipsis(struct str s, size_t i)
{
	return i + 2 < s.n && memcmp(s.p + i, "...", 3) == 0;
}

static enum status bad_equation(struct kcall *c, struct str eq)
{
	return kcall_error(c, E_value, "equation '%.*s' does not fit",
			   eq.n < 80 ? (int)eq.n : 80, eq.p);
}

/* One axis of operand k. */
static enum status add_axis(struct kcall *c, struct einsum *e, uint32_t k,
			    int label, int64_t dim, int64_t step)
{
	if (e->seen[label] && e->size[label] != dim && e->size[label] != 1 &&
	    dim != 1)
		return kcall_error(c, E_shape,
				   "a label stands for %lld and for %lld",
				   (long long)e->size[label], (long long)dim);
	if (!e->seen[label] || e->size[label] == 1)
		e->size[label] = dim;
	e->seen[label] = true;
	if (dim != 1)
		e->stride[k][label] += step;
	return OK;
}

/* The labels of one term in order of its axes; *n: how many. */
static bool term_labels(struct str term, int rank, int *label, int *n)
{
	int letters = 0, covered;
	bool dots = false;

	for (size_t i = 0; i < term.n; i++)
		if (letter(term.p[i]) >= 0)
			letters++;
	covered = rank - letters;
	*n = 0;
	for (size_t i = 0; i < term.n; i++) {
		int l = letter(term.p[i]);

		if (term.p[i] == ' ')
			continue;
		if (l < 0 && (dots || covered < 0 || !is_ellipsis(term, i)))
			return false;
		if (l >= 0 && *n < KERNEL_MAX_RANK)
			label[(*n)++] = l;
		for (int k = 0; l < 0 && k < covered; k++)
			label[(*n)++] = LABELS - covered + k;
		if (l < 0) {
			dots = true;
			i += 2;
		}
	}
	return *n == rank && (dots || covered == 0);
}

static enum status read_operand(struct kcall *c, struct einsum *e, uint32_t k,
				struct str term, struct str eq)
{
	const struct array *a = c->in[k];
	int label[KERNEL_MAX_RANK], n;
	int64_t step = 1;

	if (!a || a->kind != ARR_TENSOR || a->dt != c->in[0]->dt ||
	    (dtype_kind(a->dt) != 'f' && dtype_kind(a->dt) != 'i' &&
	     dtype_kind(a->dt) != 'u'))
		return kcall_error(c, E_type,
				   "input %u is not a number tensor of input "
				   "0's type",
				   k);
	if (a->rank > KERNEL_MAX_RANK || !term_labels(term, a->rank, label, &n))
		return bad_equation(c, eq);
	for (int i = n - 1; i >= 0; i--) {
		enum status s = add_axis(c, e, k, label[i], a->dim[i], step);

		if (s != OK)
			return s;
		step *= a->dim[i];
		if (label[i] < LETTERS)
			e->used[label[i]]++;
		else if (LABELS - label[i] > e->nellipsis)
			e->nellipsis = LABELS - label[i];
	}
	return OK;
}

/* Without an arrow: the ellipsis, then letters that occur once, in order. */
static void implicit_output(struct einsum *e)
{
	for (int i = e->nellipsis; i > 0; i--)
		e->out[e->rank++] = LABELS - i;
	for (int l = 0; l < LETTERS && e->rank < KERNEL_MAX_RANK; l++)
		if (e->used[l] == 1)
			e->out[e->rank++] = l;
}

static bool explicit_output(struct einsum *e, struct str term)
{
	for (size_t i = 0; i < term.n; i++) {
		int l = letter(term.p[i]);

		if (term.p[i] == ' ')
			continue;
		if (l < 0 && !is_ellipsis(term, i))
			return false;
		for (int k = e->nellipsis; l < 0 && k > 0; k--) {
			if (e->rank == KERNEL_MAX_RANK)
				return false;
			e->out[e->rank++] = LABELS - k;
		}
		if (l < 0) {
			i += 2;
			continue;
		}
		if (!e->seen[l] || e->rank == KERNEL_MAX_RANK)
			return false;
		e->out[e->rank++] = l;
	}
	return true;
}

static enum status finish_labels(struct kcall *c, struct einsum *e,
				 struct str eq)
{
	bool out[LABELS] = {false};
	int64_t all[LABELS + KERNEL_MAX_RANK], n;
	int count = 0;

	for (int i = 0; i < e->rank; i++) {
		if (out[e->out[i]])
			return bad_equation(c, eq);
		out[e->out[i]] = true;
		e->dim[i] = all[count++] = e->size[e->out[i]];
	}
	for (int l = 0; l < LABELS; l++)
		if (e->seen[l] && !out[l]) {
			e->sum[e->nsum++] = l;
			all[count++] = e->size[l];
		}
	if (!nn_count(count, all, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	return OK;
}

static enum status einsum_init(struct kcall *c, struct einsum *e)
{
	struct str eq = node_attr_str(c->node, "equation", "");
	size_t at = 0, end = 0;
	enum status s = OK;

	if (c->nin > OPERANDS)
		return kcall_error(c, E_unsupported, "%u operands", c->nin);
	e->n = c->nin;
	for (uint32_t k = 0; s == OK && k < c->nin; k++) {
		for (end = at; end < eq.n && eq.p[end] != ','; end++)
			if (eq.p[end] == '-')
				break;
		s = read_operand(c, e, k, (struct str){eq.p + at, end - at},
				 eq);
		if (s == OK && k + 1 < c->nin &&
		    (end >= eq.n || eq.p[end] != ','))
			s = bad_equation(c, eq);
		at = end + 1;
	}
	if (s != OK)
		return s;
	if (end >= eq.n)
		implicit_output(e);
	else if (end + 1 >= eq.n || memcmp(eq.p + end, "->", 2) != 0 ||
		 !explicit_output(e,
				  (struct str){eq.p + end + 2, eq.n - end - 2}))
		return bad_equation(c, eq);
	return finish_labels(c, e, eq);
}

/* ---- reference ---- */

/* Next place of a set of labels; moves the operands along. */
static bool walk(const struct einsum *e, const int *label, int n, int64_t *o,
		 int64_t *at)
{
	for (int i = n - 1; i >= 0; i--) {
		int l = label[i];

		for (uint32_t k = 0; k < e->n; k++)
			at[k] += e->stride[k][l];
		if (++o[i] < e->size[l])
			return true;
		for (uint32_t k = 0; k < e->n; k++)
			at[k] -= e->stride[k][l] * e->size[l];
		o[i] = 0;
	}
	return false;
}

static bool empty_sum(const struct einsum *e)
{
	for (int i = 0; i < e->nsum; i++)
		if (e->size[e->sum[i]] == 0)
			return true;
	return false;
}

static void sum_f64(const struct einsum *e, const double *const *x,
		    struct array *y)
{
	int64_t o[KERNEL_MAX_RANK] = {0}, i[LABELS] = {0};
	int64_t at[OPERANDS] = {0}, to = 0;
	bool none = empty_sum(e);

	do {
		double sum = 0;

		if (!none)
			do {
				double p = x[0][at[0]];

				for (uint32_t k = 1; k < e->n; k++)
					p *= x[k][at[k]];
				sum += p;
			} while (walk(e, e->sum, e->nsum, i, at));
		nn_save_range(y, to++, 1, &sum);
	} while (walk(e, e->out, e->rank, o, at));
}

static void sum_int(const struct einsum *e, struct kcall *c, struct array *y)
{
	int64_t o[KERNEL_MAX_RANK] = {0}, i[LABELS] = {0};
	int64_t at[OPERANDS] = {0}, to = 0;
	bool none = empty_sum(e);

	do {
		uint64_t sum = 0;

		if (!none)
			do {
				uint64_t p = 1;

				for (uint32_t k = 0; k < e->n; k++)
					p *= (uint64_t)dtype_get_int(
						y->dt, c->in[k]->data,
						(size_t)at[k]);
				sum += p;
			} while (walk(e, e->sum, e->nsum, i, at));
		dtype_set_int(y->dt, y->data, (size_t)to++, (int64_t)sum);
	} while (walk(e, e->out, e->rank, o, at));
}

static enum status run_reference(struct kcall *c, const struct einsum *e)
{
	const double *x[OPERANDS];
	struct array *y = kcall_out(c, 0, c->in[0]->dt, e->rank, e->dim);

	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	if (!dtype_is_float(y->dt)) {
		sum_int(e, c, y);
		return OK;
	}
	for (uint32_t k = 0; k < e->n; k++) {
		x[k] = nn_load(c, k);
		if (!x[k])
			return LIMIT;
	}
	sum_f64(e, x, y);
	return OK;
}

enum status k_einsum(struct kcall *c)
{
	struct einsum *e = kcall_scratch(c, sizeof *e);
	enum status s = e ? einsum_init(c, e) : LIMIT;

	return s == OK ? run_reference(c, e) : s;
}

/* ---- two float32 operands as matrix products ---- */

enum part { BATCH, ROWS, COLS, DEPTH, PARTS };

struct split {
	int label[PARTS][LABELS], n[PARTS];
	int64_t count[PARTS];
};

/* A label that only one operand has and the output lacks fits no part. */
static bool split_labels(const struct einsum *e, struct split *s)
{
	bool out[LABELS] = {false};

	memset(s, 0, sizeof *s);
	for (int p = 0; p < PARTS; p++)
		s->count[p] = 1;
	for (int i = 0; i < e->rank; i++)
		out[e->out[i]] = true;
	for (int i = 0; i < e->rank + e->nsum; i++) {
		int l = i < e->rank ? e->out[i] : e->sum[i - e->rank];
		bool a = e->stride[0][l] != 0, b = e->stride[1][l] != 0;
		enum part p = a && b ? (out[l] ? BATCH : DEPTH)
			      : a    ? ROWS
				     : COLS;

		if (e->size[l] == 1)
			continue;
		if (!out[l] && p != DEPTH)
			return false;
		s->label[p][s->n[p]++] = l;
		s->count[p] *= e->size[l];
	}
	return true;
}

/* Gather operand k as [batch][x][y], x and y being parts. */
static void gather(const struct einsum *e, const struct split *s, uint32_t k,
		   enum part x, enum part y, const float *src, float *dst)
{
	int label[LABELS], n = 0;
	int64_t o[LABELS] = {0}, at[OPERANDS] = {0};
	const enum part order[3] = {BATCH, x, y};

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < s->n[order[i]]; j++)
			label[n++] = s->label[order[i]][j];
	do
		*dst++ = src[at[k]];
	while (walk(e, label, n, o, at));
}

/* Results come as [batch][rows][cols]; the output may want another order. */
static void place(const struct einsum *e, const struct split *s,
		  const float *src, float *y)
{
	int64_t step[LABELS] = {0}, to = 0, o[KERNEL_MAX_RANK] = {0};
	int64_t at = 0, stride = 1;

	for (int p = COLS; p >= BATCH; p--)
		for (int j = s->n[p] - 1; j >= 0; j--) {
			step[s->label[p][j]] = stride;
			stride *= e->size[s->label[p][j]];
		}
	do {
		at = 0;
		for (int i = 0; i < e->rank; i++)
			at += o[i] * step[e->out[i]];
		y[to++] = src[at];
	} while (odometer_next(e->rank, e->dim, o));
}

static enum status run_product(struct kcall *c, const struct einsum *e,
			       const struct split *s, float *y)
{
	int64_t m = s->count[ROWS], n = s->count[COLS], k = s->count[DEPTH];
	int64_t batch = s->count[BATCH];
	float *a = nn_temp_f32(c, batch * m * k);
	float *b = nn_temp_f32(c, batch * k * n);
	float *r = nn_temp_f32(c, batch * m * n);
	size_t each;
	float *pb =
		gemm_b_size(k, n, &each) ? nn_temp_f32(c, (int64_t)each) : NULL;

	if (!a || !b || !r || !pb)
		return LIMIT;
	gather(e, s, 0, ROWS, DEPTH, c->in[0]->data, a);
	gather(e, s, 1, DEPTH, COLS, c->in[1]->data, b);
	for (int64_t t = 0; t < batch; t++) {
		struct gemm g = {
			.m = m,
			.n = n,
			.k = k,
			.a = a + t * m * k,
			.ars = k,
			.acs = 1,
			.alpha = 1,
			.b = pb,
			.c = r + t * m * n,
			.ldc = n,
			.batch = 1,
		};

		gemm_pack_b(pb, b + t * k * n, n, 1, k, n);
		gemm_run(&g);
	}
	place(e, s, r, y);
	return OK;
}

enum status k_einsum_f32(struct kcall *c)
{
	struct einsum *e = kcall_scratch(c, sizeof *e);
	struct split *p = kcall_scratch(c, sizeof *p);
	struct array *y;
	enum status s = e && p ? einsum_init(c, e) : LIMIT;

	if (s != OK)
		return s;
	if (e->n != 2 || !nn_all_f32(c, 2) || !split_labels(e, p) ||
	    empty_sum(e))
		return run_reference(c, e);
	y = kcall_out(c, 0, DT_F32, e->rank, e->dim);
	if (!y)
		return LIMIT;
	return y->n ? run_product(c, e, p, y->data) : OK;
}

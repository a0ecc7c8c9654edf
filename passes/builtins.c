/* SPDX-License-Identifier: MIT */
/*
 * builtins.c -- what rules may compute beyond operators; guards.def lists it.
 *
 * Views of constants share bytes; nothing here touches the graph.
 */
#include <math.h>
#include <string.h>
#include "passes/params_p.h"
#include "passes/rewrite_p.h"

rw_builtin_fn *const rw_builtins[] = {
#define GUARD(name, id, sig)
#define BUILTIN(name, id, sig) make_##id,
#include "passes/guards.def"
#undef GUARD
#undef BUILTIN
};

enum { MAX_RANK = 16 };

/* ---- numbers ---- */

bool make_param(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	(void)w;
	*out = rw_of_num(0);
	return param_num(rw_node(a), a[1].s, a[2].num, &out->num);
}

static bool two_numbers(const struct rw_val *a)
{
	return a[0].kind == RV_NUM && a[1].kind == RV_NUM;
}

bool make_num_max(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	(void)w;
	*out = rw_of_num(a[0].num > a[1].num ? a[0].num : a[1].num);
	return two_numbers(a);
}

bool make_num_min(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	(void)w;
	*out = rw_of_num(a[0].num < a[1].num ? a[0].num : a[1].num);
	return two_numbers(a);
}

bool make_num_div(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	(void)w;
	*out = rw_of_num(a[0].num / a[1].num);
	return two_numbers(a) && a[1].num != 0;
}

bool make_num_mul(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	(void)w;
	*out = rw_of_num(a[0].num * a[1].num);
	return two_numbers(a);
}

bool make_num_reciprocal(struct rewrite *w, const struct rw_val *a,
			 struct rw_val *out)
{
	(void)w;
	*out = rw_of_num(1 / a->num);
	return a->kind == RV_NUM && a->num != 0;
}

bool make_bound(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	(void)w;
	*out = isinf(a->num) ? (struct rw_val){.kind = RV_NONE} : *a;
	return a->kind == RV_NUM;
}

bool make_element(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	const struct tensor *t = rw_tensor(a);

	*out = rw_of_num(0);
	return t && t->n && strchr("fiub", dtype_kind(t->dt)) &&
	       tensor_uniform(w->m, t, &out->num);
}

bool make_flip(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	(void)w;
	*out = rw_of_num(node_attr_int(rw_node(a), a[1].s, 0) ? 0 : 1);
	return true;
}

/* ---- constants by channel ---- */

bool rw_view(struct rewrite *w, const struct rw_val *a, int rank,
	     const int64_t *dim, struct rw_val *out)
{
	const struct tensor *t = rw_tensor(a), *v;

	if (!t || !t->blob)
		return false;
	v = tensor_of_blob(w->m, t->dt, rank, dim, t->blob, t->off);
	*out = rw_of_tensor(v, a->kind == RV_CONST ? a->dt : t->dt);
	return v != NULL;
}

/* A vector's length; 0 if a is no vector constant. */
static int64_t vector_length(const struct rw_val *a)
{
	const struct tensor *t = rw_tensor(a);

	return t && t->rank == 1 ? t->n : 0;
}

bool make_lead_dims(struct rewrite *w, const struct rw_val *a,
		    struct rw_val *out)
{
	const struct tensor *t = rw_tensor(&a[1]);
	int64_t dim[MAX_RANK], n = vector_length(a);

	if (!t || t->rank < 1 || t->rank > MAX_RANK || !n || n != t->dim[0])
		return false;
	dim[0] = n;
	for (int i = 1; i < t->rank; i++)
		dim[i] = 1;
	return rw_view(w, a, t->rank, dim, out);
}

/* Row c of group c / (C/g) holds output channels group * (M/g) + j. */
static bool spread(struct rewrite *w, const struct rw_val *a,
		   const struct tensor *t, int64_t group, int64_t *dim,
		   struct rw_val *out)
{
	const struct tensor *k = rw_tensor(a);
	int64_t rows = t->dim[0], per = t->dim[1];
	struct tensor *r;

	dim[0] = rows;
	dim[1] = per;
	r = tensor_create(w->m, k->dt, t->rank, dim);
	if (!r)
		return false;
	for (int64_t c = 0; c < rows; c++)
		for (int64_t j = 0; j < per; j++) {
			int64_t from = c / (rows / group) * per + j;

			dtype_set(k->dt, tensor_data_mut(r),
				  (size_t)(c * per + j),
				  tensor_float(w->m, k, from));
		}
	*out = rw_of_tensor(r, a->kind == RV_CONST ? a->dt : k->dt);
	return true;
}

bool make_deconv_dims(struct rewrite *w, const struct rw_val *a,
		      struct rw_val *out)
{
	const struct tensor *t = rw_tensor(&a[1]);
	int64_t group = node_attr_int(rw_node(&a[2]), "group", 1);
	int64_t dim[MAX_RANK], n = vector_length(a), m;

	if (!t || t->rank < 2 || t->rank > MAX_RANK || group < 1 || !n ||
	    t->dim[0] % group || !mul_i64(t->dim[1], group, &m) || m != n)
		return false;
	for (int i = 0; i < t->rank; i++)
		dim[i] = 1;
	if (const_is_splat(rw_tensor(a)))
		return rw_view(w, a, t->rank, dim, out);
	if (group > 1)
		return spread(w, a, t, group, dim, out);
	dim[1] = n;
	return rw_view(w, a, t->rank, dim, out);
}

bool make_gemm_dims(struct rewrite *w, const struct rw_val *a,
		    struct rw_val *out)
{
	int64_t dim[2] = {vector_length(a), 1};

	if (!dim[0])
		return false;
	*out = *a;
	return !node_attr_int(rw_node(&a[1]), "transB", 0) ||
	       rw_view(w, a, 2, dim, out);
}

bool make_channel_vec(struct rewrite *w, const struct rw_val *a,
		      struct rw_val *out)
{
	const struct tensor *c = rw_tensor(a);
	const struct type *y = a[1].v->type;
	int64_t n;

	if (!c || y->kind != TY_TENSOR || y->rank < 2 || !dim_known(y->dim[1]))
		return false;
	n = y->dim[1].n;
	if (c->n == n)
		return rw_view(w, a, 1, &n, out);
	if (c->n != 1 || !strchr("fiub", dtype_kind(c->dt)))
		return false;
	c = const_splat(w->m, c->dt, 1, &n, tensor_float(w->m, c, 0));
	if (c)
		*out = rw_of_tensor(c, c->dt);
	return c != NULL;
}

/* ---- constants by input channel ---- */

struct filters { /* a Conv weight, [M, C/group, ...] */
	const struct tensor *w, *c;
	int64_t m, per, inner, group;
};

static bool filters_of(const struct rw_val *a, struct filters *f)
{
	f->c = rw_tensor(a);
	f->w = rw_tensor(&a[1]);
	f->group = node_attr_int(rw_node(&a[2]), "group", 1);
	if (!f->c || !f->w || f->w->rank < 2 || f->w->rank > MAX_RANK ||
	    f->group < 1 || !f->w->n || f->w->dim[0] % f->group)
		return false;
	f->m = f->w->dim[0];
	f->per = f->w->dim[1];
	f->inner = f->w->n / f->m / f->per;
	return f->c->n == 1 || f->c->n / f->group == f->per;
}

/* t's elements in double; NULL if there is no memory. */
static const double *doubles(struct rewrite *w, const struct tensor *t)
{
	const struct tensor *wide = const_cast_to(w->m, t, DT_F64);
	const void *p = wide ? tensor_data(w->m, wide) : NULL;
	struct tensor *copy;

	if ((uintptr_t)p % _Alignof(double) == 0)
		return p;
	copy = tensor_create(w->m, DT_F64, t->rank, t->dim);
	return copy ? memcpy(tensor_data_mut(copy), p, copy->len) : NULL;
}

/* Where the group that output channel m belongs to starts among f->c. */
static int64_t group_start(const struct filters *f, int64_t m)
{
	return f->c->n == 1 ? 0 : m / (f->m / f->group) * f->per;
}

bool make_in_dims(struct rewrite *w, const struct rw_val *a, struct rw_val *out)
{
	int64_t dim[MAX_RANK];
	struct filters f;
	const double *c;
	struct tensor *t;

	if (!filters_of(a, &f))
		return false;
	for (int i = 0; i < f.w->rank; i++)
		dim[i] = 1;
	if (f.c->n == 1)
		return rw_view(w, a, f.w->rank, dim, out);
	dim[0] = f.group == 1 ? 1 : f.m;
	dim[1] = f.per;
	c = doubles(w, f.c);
	t = c ? tensor_create(w->m, f.c->dt, f.w->rank, dim) : NULL;
	for (int64_t k = 0; t && k < dim[0] * f.per; k++)
		dtype_set(f.c->dt, tensor_data_mut(t), (size_t)k,
			  c[group_start(&f, k / f.per) + k % f.per]);
	*out = rw_of_tensor(t, f.c->dt);
	return t != NULL;
}

static double filter_sum(const struct filters *f, const double *x,
			 const double *c)
{
	double sum = 0;

	for (int64_t k = 0; k < f->per; k++)
		for (int64_t i = 0; i < f->inner; i++)
			sum += *x++ * c[f->c->n == 1 ? 0 : k];
	return sum;
}

bool make_filter_sums(struct rewrite *w, const struct rw_val *a,
		      struct rw_val *out)
{
	const double *x, *c;
	struct filters f;
	struct tensor *t;

	if (!filters_of(a, &f))
		return false;
	x = doubles(w, f.w);
	c = doubles(w, f.c);
	t = x && c ? tensor_create(w->m, DT_F64, 1, &f.m) : NULL;
	for (int64_t m = 0; t && m < f.m; m++)
		dtype_set(DT_F64, tensor_data_mut(t), (size_t)m,
			  filter_sum(&f, x + m * f.per * f.inner,
				     c + group_start(&f, m)));
	*out = rw_of_tensor(t, f.w->dt);
	return t != NULL;
}

/* ---- lists ---- */

bool make_pads_sum(struct rewrite *w, const struct rw_val *a,
		   struct rw_val *out)
{
	const struct node *conv = rw_node(a), *pad = rw_node(&a[1]);
	size_t n, count;
	const int64_t *own = node_attr_ints(conv, "pads", &n), *add;
	int64_t sum[2 * MAX_RANK];

	if (!param_ints(pad, "pads", &add, &count) || count < 6 ||
	    count > 2 * MAX_RANK || (own && n + 4 != count))
		return false;
	n = count - 4;
	for (size_t i = 0; i < n; i++)
		if (!add_i64(add[2 + i + (i >= n / 2 ? 2 : 0)],
			     own ? own[i] : 0, &sum[i]))
			return false;
	*out = rw_of_ints(w, sum, n);
	return true;
}

/* out[i] = in[perm[i]]: the outer picks from the inner. */
bool make_compose_perms(struct rewrite *w, const struct rw_val *a,
			struct rw_val *out)
{
	size_t ni, no;
	const int64_t *pi = node_attr_ints(rw_node(a), "perm", &ni);
	const int64_t *po = node_attr_ints(rw_node(&a[1]), "perm", &no);
	const struct type *t = a->v->type;
	size_t rank = pi                                     ? ni
		      : po                                   ? no
		      : t->kind == TY_TENSOR && t->rank >= 0 ? (size_t)t->rank
							     : SIZE_MAX;
	int64_t p[MAX_RANK];

	if (rank > MAX_RANK || (pi && ni != rank) || (po && no != rank))
		return false;
	for (size_t i = 0; i < rank; i++) {
		int64_t k = po ? po[i] : (int64_t)(rank - 1 - i);

		if (k < 0 || (size_t)k >= rank)
			return false;
		p[i] = pi ? pi[k] : (int64_t)rank - 1 - k;
	}
	*out = rw_of_ints(w, p, rank);
	return true;
}

bool make_out_dims(struct rewrite *w, const struct rw_val *a,
		   struct rw_val *out)
{
	const struct type *t = a->v->type;
	int64_t dim[MAX_RANK];
	bool open = false;

	if (t->kind != TY_TENSOR || t->rank < 0 || t->rank > MAX_RANK)
		return false;
	for (int i = 0; i < t->rank; i++) {
		if (dim_known(t->dim[i])) {
			dim[i] = t->dim[i].n;
		} else {
			dim[i] = -1;
			if (open)
				return false;
			open = true;
		}
		if (dim[i] == 0) /* would copy the input's */
			return false;
	}
	*out = rw_of_ints(w, dim, (size_t)t->rank);
	return true;
}

/*
 * A number stays; an element equal to the input's dimension of that index
 * becomes 0, which copies it; one other may become -1.  Not both: an empty
 * tensor would have no unique -1.
 */
bool make_copy_dims(struct rewrite *w, const struct rw_val *a,
		    struct rw_val *out)
{
	const struct node *n = rw_node(a);
	const struct value *x = node_in(n, 0), *s = node_in(n, 1);
	bool copies = false, open = false;
	int64_t dim[MAX_RANK];

	if (!s || !s->data || s->ndata > MAX_RANK || x->type->rank < 0 ||
	    node_attr_int(n, "allowzero", 0))
		return false;
	for (uint32_t i = 0; i < s->ndata; i++) {
		if (dim_number(w->m, s->data[i], &dim[i]))
			continue;
		if ((int)i < x->type->rank &&
		    dim_equal(s->data[i], x->type->dim[i])) {
			dim[i] = 0;
			copies = true;
		} else {
			dim[i] = -1;
			open = true;
		}
	}
	for (uint32_t i = 0, minus = 0; i < s->ndata; i++) {
		minus += dim[i] == -1;
		if (minus > 1 || (open && (copies || dim[i] == 0)))
			return false;
	}
	*out = rw_of_ints(w, dim, s->ndata);
	return true;
}

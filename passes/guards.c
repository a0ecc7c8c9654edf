/* SPDX-License-Identifier: MIT */
/*
 * guards.c -- side conditions of rules; guards.def says what each asks.
 *
 * A guard that cannot tell says no.
 */
#include <math.h>
#include <string.h>
#include "passes/params_p.h"
#include "passes/rewrite_p.h"

rw_guard_fn *const rw_guards[] = {
#define GUARD(name, id, sig) guard_##id,
#define BUILTIN(name, id, sig)
#include "passes/guards.def"
#undef GUARD
#undef BUILTIN
};

const struct type *rw_ranked(const struct rw_val *a)
{
	const struct type *t = a->kind == RV_VALUE ? a->v->type : NULL;

	return t && t->kind == TY_TENSOR && t->rank >= 0 ? t : NULL;
}

bool guard_inference(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	double training;

	(void)w;
	if (param_attr_kind(n->op, "is_test") == 'i')
		return node_attr_int(n, "is_test", 0) != 0;
	if (node_attr_int(n, "spatial", 1) != 1)
		return false;
	return param_num(n, "training_mode", 0, &training) && training == 0;
}

bool guard_same_dtype(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return a[0].kind == RV_VALUE && a[1].kind == RV_VALUE &&
	       a[0].v->type->kind == TY_TENSOR &&
	       a[1].v->type->kind == TY_TENSOR && a[0].v->type->dt != DT_NONE &&
	       a[0].v->type->dt == a[1].v->type->dt;
}

bool guard_same_shape(struct rewrite *w, const struct rw_val *a)
{
	const struct type *x = rw_ranked(&a[0]), *y = rw_ranked(&a[1]);

	(void)w;
	if (!x || !y || x->rank != y->rank)
		return false;
	for (int i = 0; i < x->rank; i++)
		if (!dim_equal(x->dim[i], y->dim[i]))
			return false;
	return true;
}

/* Every dimension of the first is 1 or the second's. */
bool guard_into(struct rewrite *w, const struct rw_val *a)
{
	const struct type *c = rw_ranked(&a[0]), *x = rw_ranked(&a[1]);
	int skip;

	(void)w;
	if (c && c->rank == 0)
		return true;
	if (!c || !x || c->rank > x->rank)
		return false;
	skip = x->rank - c->rank;
	for (int i = 0; i < c->rank; i++)
		if (!(dim_known(c->dim[i]) && c->dim[i].n == 1) &&
		    !dim_equal(c->dim[i], x->dim[skip + i]))
			return false;
	return true;
}

bool guard_is_float(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = a->kind == RV_VALUE ? a->v->type : NULL;

	(void)w;
	return t && t->kind == TY_TENSOR && dtype_is_float(t->dt);
}

bool guard_is_bool(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = a->kind == RV_VALUE ? a->v->type : NULL;

	(void)w;
	return t && t->kind == TY_TENSOR && t->dt == DT_BOOL;
}

bool guard_is_integer(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = a->kind == RV_VALUE ? a->v->type : NULL;

	(void)w;
	return t && t->kind == TY_TENSOR &&
	       (dtype_kind(t->dt) == 'i' || dtype_kind(t->dt) == 'u');
}

bool guard_positive(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return a->kind == RV_NUM && a->num > 0;
}

bool guard_rank_is(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = rw_ranked(a);

	(void)w;
	return t && t->rank == a[1].num;
}

bool guard_rank_at_least(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = rw_ranked(a);

	(void)w;
	return t && t->rank >= a[1].num;
}

bool guard_rank_at_most(struct rewrite *w, const struct rw_val *a)
{
	const struct type *t = rw_ranked(a);

	(void)w;
	return t && t->rank <= a[1].num;
}

/* What follows a name in a row's list of attributes or inputs; NULL: it is not
 * there. */
static const char *listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; p && (p = strstr(p, name)); p += len)
		if ((p == list || p[-1] == ' ') &&
		    (p[len] == ':' || p[len] == '?'))
			return p + len;
	return NULL;
}

/* The default of a number attribute as the schema writes it; else 0.  NaN for
 * an input, which has none. */
static double schema_default(const struct op *op, const char *name)
{
	const char *p = listed(op->attrs, name);

	if (!p)
		return listed(op->in, name) ? (double)NAN : 0;
	p += strcspn(p, "= ");
	return *p == '=' ? strtod(p + 1, NULL) : 0;
}

bool guard_attr_is(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	double x;

	(void)w;
	return param_num(n, a[1].s, schema_default(n->op, a[1].s), &x) &&
	       x == a[2].num;
}

bool guard_unbounded(struct rewrite *w, const struct rw_val *a)
{
	double x;

	(void)w;
	return param_num(rw_node(a), a[1].s, INFINITY, &x) && fabs(x) >= 3.4e38;
}

bool guard_uniform(struct rewrite *w, const struct rw_val *a)
{
	const struct tensor *t = rw_tensor(a);
	double x;

	return t && t->n && strchr("fiub", dtype_kind(t->dt)) &&
	       tensor_uniform(w->m, t, &x);
}

bool guard_at_most(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return a[0].kind == RV_NUM && a[1].kind == RV_NUM &&
	       a[0].num <= a[1].num;
}

bool guard_op_broadcasts(struct rewrite *w, const struct rw_val *a)
{
	struct str none = {"", 0}, name = {a->s, strlen(a->s)};
	const struct op *op =
		op_find(none, name, model_opset(w->root->graph, DOM_ONNX));

	return op && !param_attr_kind(op, "broadcast");
}

/* Elementwise with the numpy rules: no axis or broadcast attribute. */
bool guard_per_channel(struct rewrite *w, const struct rw_val *a)
{
	const struct tensor *c = rw_tensor(a);
	const struct type *y = rw_ranked(&a[1]);
	const struct node *n = rw_node(&a[2]);
	int at;

	(void)w;
	if (!c || !y || y->rank < 2 || c->rank > y->rank || !c->n ||
	    !dim_known(y->dim[1]) || node_has_attr(n, "axis") ||
	    node_has_attr(n, "broadcast"))
		return false;
	at = 1 - (y->rank - c->rank); /* channel axis of c */
	for (int i = 0; i < c->rank; i++)
		if (c->dim[i] != 1 && (i != at || c->dim[i] != y->dim[1].n))
			return false;
	return true;
}

bool guard_perm_identity(struct rewrite *w, const struct rw_val *a)
{
	size_t n;
	const int64_t *p = node_attr_ints(rw_node(a), "perm", &n);
	const struct type *t = rw_ranked(a);

	(void)w;
	if (!p) /* the default reverses the axes */
		return t && t->rank < 2;
	for (size_t i = 0; i < n; i++)
		if (p[i] != (int64_t)i)
			return false;
	return true;
}

bool guard_perm_swaps(struct rewrite *w, const struct rw_val *a)
{
	size_t n;
	const int64_t *p = node_attr_ints(rw_node(a), "perm", &n);
	const struct type *t = rw_ranked(a);

	(void)w;
	if (!t || t->rank != 2)
		return false;
	return !p || (n == 2 && p[0] == 1 && p[1] == 0);
}

bool guard_steps_positive(struct rewrite *w, const struct rw_val *a)
{
	const int64_t *v;
	size_t n;

	(void)w;
	if (!param_ints(rw_node(a), "steps", &v, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (v[i] <= 0)
			return false;
	return true;
}

static bool all_ones(const int64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] != 1)
			return false;
	return true;
}

bool guard_takes_all(struct rewrite *w, const struct rw_val *a)
{
	const int64_t *start, *end;
	size_t ns, ne;

	if (!param_ints(rw_node(a), "starts", &start, &ns) ||
	    !param_ints(rw_node(a), "ends", &end, &ne) || ns != ne || !start ||
	    !guard_steps_positive(w, a))
		return false;
	for (size_t i = 0; i < ns; i++)
		if (start[i] != 0 || end[i] != INT64_MAX)
			return false;
	return param_ints(rw_node(a), "steps", &start, &ns) &&
	       (!start || all_ones(start, ns));
}

bool guard_same_int(struct rewrite *w, const struct rw_val *a)
{
	const struct attr *x = node_attr(rw_node(a), a[2].s);
	const struct attr *y = node_attr(rw_node(&a[1]), a[2].s);

	(void)w;
	return x && y && x->kind == ATTR_INT && y->kind == ATTR_INT &&
	       x->u.i[0] == y->u.i[0];
}

bool guard_word_is(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return str_is(node_attr_str(rw_node(a), a[1].s, a[2].s), a[2].s);
}

bool guard_computed(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return a->kind == RV_VALUE && !a->v->konst;
}

bool guard_one_output(struct rewrite *w, const struct rw_val *a)
{
	(void)w;
	return rw_node(a)->nout == 1;
}

/* ---- padding ---- */

static bool pad_amounts(const struct node *n, const int64_t **v, size_t *count)
{
	return !(node_in(n, 3) != NULL) && param_ints(n, "pads", v, count) &&
	       *v && *count % 2 == 0;
}

bool guard_pads_zero(struct rewrite *w, const struct rw_val *a)
{
	const int64_t *v;
	size_t n;

	(void)w;
	if (!pad_amounts(rw_node(a), &v, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (v[i] != 0)
			return false;
	return true;
}

static bool pad_value_is(const struct node *n, double want)
{
	double x;

	if (param_input(n->op, "constant_value") >= 0) {
		if (!param_num(n, "constant_value", 0, &x))
			return false;
	} else {
		x = node_attr_float(n, "value", 0);
	}
	/* The lowest float stands for minus infinity. */
	return x == want || (isinf(want) && want < 0 && x <= -3.4e38);
}

bool guard_pads_spatial(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	const int64_t *v;
	size_t count;

	(void)w;
	if (!str_is(node_attr_str(n, "mode", "constant"), "constant") ||
	    !pad_value_is(n, a[1].num) || !pad_amounts(n, &v, &count) ||
	    count < 6)
		return false;
	for (size_t i = 0; i < count; i++)
		if (v[i] < 0 || (i % (count / 2) < 2 && v[i] != 0))
			return false;
	return true;
}

bool guard_explicit_pads(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	struct str s = node_attr_str(n, "auto_pad", "NOTSET");

	(void)w;
	return str_is(s, "NOTSET") || str_is(s, "VALID");
}

bool guard_no_pads(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	size_t count;
	const int64_t *p = node_attr_ints(n, "pads", &count);

	for (size_t i = 0; p && i < count; i++)
		if (p[i])
			return false;
	return guard_explicit_pads(w, a);
}

bool guard_counts_pads(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	const int64_t *p;
	size_t count;

	(void)w;
	if (node_attr_int(n, "count_include_pad", 0))
		return true;
	p = node_attr_ints(n, "pads", &count);
	for (size_t i = 0; p && i < count; i++)
		if (p[i])
			return false;
	return true;
}

bool guard_pads_inside(struct rewrite *w, const struct rw_val *a)
{
	size_t nk, np, n;
	const int64_t *k = node_attr_ints(rw_node(a), "kernel_shape", &nk);
	const int64_t *p = node_attr_ints(rw_node(a), "pads", &np), *v;
	int64_t sum;

	(void)w;
	if (!k || !pad_amounts(rw_node(&a[1]), &v, &n) || n != 2 * nk + 4 ||
	    (p && np != 2 * nk))
		return false;
	for (size_t i = 0; i < 2 * nk; i++) {
		const int64_t *add = &v[2 + i + (i >= nk ? 2 : 0)];

		if (!add_i64(*add, p ? p[i] : 0, &sum) || sum >= k[i % nk])
			return false;
	}
	return true;
}

/* ---- types and shapes ---- */

/* Bits of precision and whether there is a sign; for integers and floats. */
bool guard_lossless(struct rewrite *w, const struct rw_val *a)
{
	static const struct {
		enum dtype from, to;
	} float_ok[] = {
		{DT_F16, DT_F32},  {DT_F16, DT_F64},  {DT_BF16, DT_F32},
		{DT_BF16, DT_F64}, {DT_F32, DT_F64},  {DT_I8, DT_F16},
		{DT_U8, DT_F16},   {DT_I8, DT_F32},   {DT_U8, DT_F32},
		{DT_I16, DT_F32},  {DT_U16, DT_F32},  {DT_I8, DT_F64},
		{DT_U8, DT_F64},   {DT_I16, DT_F64},  {DT_U16, DT_F64},
		{DT_I32, DT_F64},  {DT_U32, DT_F64},  {DT_BOOL, DT_F16},
		{DT_BOOL, DT_F32}, {DT_BOOL, DT_F64}, {DT_I8, DT_BF16},
		{DT_U8, DT_BF16},
	};
	enum dtype x, y;
	char kx, ky;

	if (!guard_is_float(w, a) && a[0].kind != RV_VALUE)
		return false;
	x = a[0].v->type->kind == TY_TENSOR ? a[0].v->type->dt : DT_NONE;
	y = a[1].v->type->kind == TY_TENSOR ? a[1].v->type->dt : DT_NONE;
	if (x == DT_NONE || y == DT_NONE)
		return false;
	if (x == y)
		return true;
	for (size_t i = 0; i < countof(float_ok); i++)
		if (float_ok[i].from == x && float_ok[i].to == y)
			return true;
	kx = dtype_kind(x);
	ky = dtype_kind(y);
	if (kx == 'b')
		return ky == 'i' || ky == 'u';
	return (kx == ky && (kx == 'i' || kx == 'u') &&
		dtype_bits(x) <= dtype_bits(y)) ||
	       (kx == 'u' && ky == 'i' && dtype_bits(x) < dtype_bits(y));
}

bool guard_reshape_free(struct rewrite *w, const struct rw_val *a)
{
	const struct node *n = rw_node(a);
	const int64_t *v;
	size_t count;

	(void)w;
	if (!param_ints(n, "shape", &v, &count) || !v)
		return false;
	for (size_t i = 0; i < count; i++)
		if (v[i] == 0 && !node_attr_int(n, "allowzero", 0))
			return false;
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * rw_poly.c -- is a value a given polynomial of another?
 *
 * Exporters write x + 0.044715 x^3 and the like in every order; its
 * coefficients are found by walking the arithmetic above x.
 */
#include <math.h>
#include <string.h>
#include "passes/rewrite_p.h"

enum { TERMS = 4, DEPTH = 8 };

struct poly {
	double k[TERMS];
};

struct walk {
	struct rewrite *w;
	const struct value *x;
};

/* A constant that cannot enlarge the result. */
static bool number(const struct walk *c, const struct value *v, double *k)
{
	const struct type *t = c->x->type;
	int rank = t->kind == TY_TENSOR && t->rank > 0 ? t->rank : 0;

	return v->konst && v->konst->n == 1 && v->konst->rank <= rank &&
	       strchr("fiub", dtype_kind(v->konst->dt)) &&
	       tensor_uniform(c->w->m, v->konst, k);
}

static bool product(const struct poly *a, const struct poly *b,
		    struct poly *out)
{
	*out = (struct poly){{0}};
	for (int i = 0; i < TERMS; i++)
		for (int k = 0; k < TERMS; k++) {
			double t = a->k[i] * b->k[k];

			if (t != 0 && i + k >= TERMS)
				return false;
			if (t != 0)
				out->k[i + k] += t;
		}
	return true;
}

static bool power(const struct poly *a, double e, struct poly *out)
{
	struct poly p = {{1}};

	if (e != 2 && e != 3)
		return false;
	for (int i = 0; i < (int)e; i++) {
		if (!product(a, &p, out))
			return false;
		p = *out;
	}
	return true;
}

static bool combine(const struct node *n, const struct poly *a,
		    const struct poly *b, struct poly *out)
{
	switch (n->op->id) {
	case OP_Add:
	case OP_Sub:
		for (int i = 0; i < TERMS; i++)
			out->k[i] = node_is(n, OP_Add) ? a->k[i] + b->k[i]
						       : a->k[i] - b->k[i];
		return true;
	case OP_Mul:
		return product(a, b, out);
	case OP_Div:
		if (b->k[0] == 0 || b->k[1] != 0 || b->k[2] != 0 ||
		    b->k[3] != 0)
			return false;
		for (int i = 0; i < TERMS; i++)
			out->k[i] = a->k[i] / b->k[0];
		return true;
	case OP_Pow:
		return b->k[1] == 0 && b->k[2] == 0 && b->k[3] == 0 &&
		       power(a, b->k[0], out);
	default:
		return false;
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= DEPTH, so 2^DEPTH steps */
static bool expand(const struct walk *c, const struct value *v,
		   struct poly *out, int depth)
{
	const struct node *n = v->def;
	struct poly a, b;

	*out = (struct poly){{0}};
	if (v == c->x) {
		out->k[1] = 1;
		return true;
	}
	if (number(c, v, &out->k[0]))
		return true;
	if (!n || depth >= DEPTH || n->nin != 2 || !node_in(n, 0) ||
	    !node_in(n, 1) || node_has_attr(n, "axis") ||
	    node_has_attr(n, "broadcast"))
		return false;
	return expand(c, node_in(n, 0), &a, depth + 1) &&
	       expand(c, node_in(n, 1), &b, depth + 1) &&
	       combine(n, &a, &b, out);
}

bool guard_cubic(struct rewrite *w, const struct rw_val *a)
{
	struct walk c = {w, a[1].v};
	struct poly p;
	double tolerance;

	if (a[0].kind != RV_VALUE || a[1].kind != RV_VALUE ||
	    !guard_is_float(w, &a[1]) || !expand(&c, a[0].v, &p, 0))
		return false;
	switch (a[1].v->type->dt) {
	case DT_F64:
	case DT_F32:
		tolerance = 2e-6;
		break;
	case DT_F16:
		tolerance = 2e-3;
		break;
	default:
		tolerance = 1e-2;
	}
	for (int i = 0; i < TERMS; i++)
		if (!(fabs(p.k[i] - a[2 + i].num) <=
		      tolerance * fabs(a[2 + i].num)))
			return false;
	return true;
}

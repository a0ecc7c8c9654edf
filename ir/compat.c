/* SPDX-License-Identifier: MIT */
/*
 * compat.c -- one view of operators whose attributes became inputs.
 *
 * Whether a parameter is an attribute or an input is read off the operator's
 * row, so nothing here knows version numbers.
 */
#include <string.h>
#include "ir/core_p.h"

bool axis_fix(int64_t axis, int rank, int *out)
{
	if (axis < -(int64_t)rank || axis >= rank)
		return false;
	*out = (int)(axis < 0 ? axis + rank : axis);
	return true;
}

/* The number of a formal input ("X:T axes?:tensor(int64)"), or -1. */
static int formal_input(const struct op *op, const char *name)
{
	const char *p = op->in;
	size_t n = strlen(name);

	for (int i = 0; p && *p; i++) {
		if (strncmp(p, name, n) == 0 && strchr(":?*~", p[n]) && p[n])
			return i;
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	return -1;
}

/* ---- integers ---- */

static bool konst_ints(const struct model *m, const struct tensor *t,
		       const int64_t **v, size_t *count)
{
	char kind = dtype_kind(t->dt);
	const struct blob *b = t->blob;
	int64_t *copy;

	if (t->sparse_indices || (kind != 'i' && kind != 'u' && kind != 'b'))
		return false;
	*count = (size_t)t->n;
	if (t->dt == DT_I64 && (!b || b->kind != BLOB_SPLAT) &&
	    (!b || ((uintptr_t)b->p + t->off) % sizeof *copy == 0)) {
		*v = tensor_data(m, t);
		return *v != NULL;
	}
	copy = arena_try((struct arena *)&m->arena, *count * sizeof *copy);
	if (!copy)
		return false;
	for (size_t i = 0; i < *count; i++)
		copy[i] = tensor_int(m, t, (int64_t)i);
	*v = copy;
	return true;
}

static bool value_ints(const struct model *m, const struct value *x,
		       const int64_t **v, size_t *count)
{
	int64_t *copy;

	if (x->konst)
		return konst_ints(m, x->konst, v, count);
	if (!x->data)
		return false;
	for (uint32_t i = 0; i < x->ndata; i++)
		if (!dim_known(x->data[i]))
			return false;
	copy = arena_array((struct arena *)&m->arena, x->ndata, sizeof *copy);
	for (uint32_t i = 0; i < x->ndata; i++)
		copy[i] = x->data[i].n;
	*v = copy;
	*count = x->ndata;
	return true;
}

bool node_ints(const struct node *n, const char *name, uint32_t input,
	       const int64_t **v, size_t *count)
{
	const struct value *x = node_in(n, input);
	const struct attr *a = node_attr(n, name);

	*v = NULL;
	*count = 0;
	if (x)
		return value_ints(n->graph->model, x, v, count);
	if (!a)
		return true;
	if (a->ref || (a->kind != ATTR_INTS && a->kind != ATTR_INT))
		return false;
	*v = a->u.i;
	*count = a->n;
	return true;
}

bool node_axes(const struct node *n, const int64_t **axes, size_t *count)
{
	int i = formal_input(n->op, "axes");

	return node_ints(n, "axes", i < 0 ? UINT32_MAX : (uint32_t)i, axes,
			 count);
}

bool node_float_param(const struct node *n, const char *name, uint32_t input,
		      double dflt, double *v)
{
	const struct value *x = node_in(n, input);
	const struct attr *a = node_attr(n, name);
	const struct tensor *t = x ? x->konst : NULL;

	*v = dflt;
	if (x) {
		if (!t || t->n != 1 || t->sparse_indices ||
		    !strchr("fiub", dtype_kind(t->dt)))
			return false;
		*v = tensor_float(n->graph->model, t, 0);
		return true;
	}
	if (!a)
		return true;
	if (a->ref || a->kind != ATTR_FLOAT || !a->n)
		return false;
	*v = (double)a->u.f[0];
	return true;
}

/* ---- builders ---- */

static struct node *make_with_axes(struct graph *g, enum op_id id,
				   struct value *x, const int64_t *axes,
				   size_t n, struct node *before)
{
	const struct op *op = op_latest(id, model_opset(g, DOM_ONNX));
	bool input = op && formal_input(op, "axes") > 0;
	int64_t dim = (int64_t)n;
	const struct tensor *t = NULL;
	struct node *r;

	if (!op)
		return NULL;
	if (input && n) {
		t = tensor_i64(g->model, 1, &dim, axes);
		if (!t)
			return NULL;
	}
	r = node_create(g, op, t ? 2 : 1, 1, before);
	node_set_input(r, 0, x);
	if (t)
		node_set_input(r, 1, value_const(g, t, r));
	else if (n)
		node_set_ints(r, "axes", axes, n);
	return r;
}

struct node *mk_unsqueeze(struct graph *g, struct value *x, const int64_t *axes,
			  size_t n, struct node *before)
{
	return make_with_axes(g, OP_Unsqueeze, x, axes, n, before);
}

struct node *mk_squeeze(struct graph *g, struct value *x, const int64_t *axes,
			size_t n, struct node *before)
{
	return make_with_axes(g, OP_Squeeze, x, axes, n, before);
}

/* ---- random results ---- */

bool node_random(const struct node *n)
{
	int i = formal_input(n->op, "training_mode");
	const struct value *v = i < 0 ? NULL : node_in(n, (uint32_t)i);

	if (!(n->op->flags & OPF_RANDOM) || node_attr_int(n, "is_test", 0))
		return false;
	if (i < 0)
		return true;
	return v && !(v->konst && v->konst->n == 1 && v->konst->dt == DT_BOOL &&
		      tensor_float(n->graph->model, v->konst, 0) == 0);
}

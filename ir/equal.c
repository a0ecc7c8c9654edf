/* SPDX-License-Identifier: MIT */
/*
 * equal.c -- structural equality of attributes and models.
 *
 * Two graphs are equal if their nodes pair up in list order with equal
 * operators, attributes and names, and their inputs pair up likewise.  What
 * the IR does not model (documentation, metadata), inferred types and the
 * encoding of tensors do not count.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/core_p.h"

struct pair {
	const struct graph *a, *b;
};

struct equal {
	const struct model *ma, *mb;
	struct buf *why;
	struct map val; /* value of a -> value of b */
	VEC(struct pair) jobs;
};

static bool same_sym(const struct equal *e, sym a, sym b)
{
	return str_eq(sym_str(e->ma, a), sym_str(e->mb, b));
}

/* "PATH/NODE: WHAT"; always false. */
static bool differ(const struct equal *e, const struct graph *g,
		   const struct node *n, const char *what)
{
	struct str label = {NULL, 0};

	if (!e->why)
		return false;
	buf_puts(e->why, g ? graph_path(g) : "model");
	if (n) {
		label = node_at(n).node;
		buf_putc(e->why, '/');
		buf_escaped(e->why, label);
		buf_puts(e->why, " (");
		buf_escaped(e->why, sym_str(g->model, n->type));
		buf_putc(e->why, ')');
	}
	buf_printf(e->why, ": %s\n", what);
	return false;
}

/* ---- types ---- */

static bool same_dims(const struct equal *e, const struct type *a,
		      const struct type *b)
{
	for (int i = 0; i < a->rank; i++)
		if (a->dim[i].n != b->dim[i].n ||
		    !same_sym(e, a->dim[i].s, b->dim[i].s))
			return false;
	return true;
}

static bool same_type(const struct equal *e, const struct type *a,
		      const struct type *b)
{
	for (; a && b; a = a->elem, b = b->elem)
		if (a->kind != b->kind || a->dt != b->dt ||
		    a->rank != b->rank ||
		    !same_sym(e, a->opaque_domain, b->opaque_domain) ||
		    !same_sym(e, a->opaque_name, b->opaque_name) ||
		    !same_dims(e, a, b))
			return false;
	return !a && !b;
}

static bool same_info(const struct equal *e, const struct info *a,
		      const struct info *b)
{
	return same_sym(e, a->name, b->name) && a->has_type == b->has_type &&
	       same_type(e, a->decl, b->decl);
}

/* ---- attributes ---- */

static bool same_entry(struct equal *e, const struct attr *a,
		       const struct attr *b, uint32_t i)
{
	struct pair p;

	switch (a->kind) {
	case ATTR_INT:
	case ATTR_INTS:
		return a->u.i[i] == b->u.i[i];
	case ATTR_FLOAT:
	case ATTR_FLOATS:
		return memcmp(&a->u.f[i], &b->u.f[i], sizeof a->u.f[i]) == 0;
	case ATTR_STRING:
	case ATTR_STRINGS:
		return str_eq(a->u.s[i], b->u.s[i]);
	case ATTR_TENSOR:
	case ATTR_TENSORS:
	case ATTR_SPARSE:
	case ATTR_SPARSES:
		return tensor_equal(e->ma, a->u.t[i], b->u.t[i]);
	case ATTR_GRAPH:
	case ATTR_GRAPHS:
		p = (struct pair){a->u.g[i], b->u.g[i]};
		vec_push(&e->jobs, p);
		return true;
	case ATTR_TYPE:
	case ATTR_TYPES:
		return same_type(e, a->u.type[i], b->u.type[i]);
	default:
		return true;
	}
}

/* Everything but the graphs, which wait in e->jobs. */
static bool same_attr(struct equal *e, const struct attr *a,
		      const struct attr *b)
{
	if (!same_sym(e, a->name, b->name) || a->kind != b->kind ||
	    a->n != b->n || !same_sym(e, a->ref, b->ref))
		return false;
	for (uint32_t i = 0; !a->ref && i < a->n; i++)
		if (!same_entry(e, a, b, i))
			return false;
	return true;
}

static bool same_attrs(struct equal *e, const struct attr *a, uint32_t na,
		       const struct attr *b, uint32_t nb)
{
	if (na != nb)
		return false;
	for (uint32_t i = 0; i < na; i++)
		if (!same_attr(e, &a[i], &b[i]))
			return false;
	return true;
}

/* ---- graphs ---- */

static bool same_value(struct equal *e, const struct value *a,
		       const struct value *b)
{
	if (!a || !b)
		return !a && !b;
	map_put_ptr(&e->val, map_ptr_key(a), b);
	if (!same_sym(e, a->name, b->name) || !a->init != !b->init)
		return false;
	return !a->init || tensor_equal(e->ma, a->init, b->init);
}

static bool same_use(const struct equal *e, const struct value *a,
		     const struct value *b)
{
	const struct value *to;

	if (!a || !b)
		return !a && !b;
	to = map_get_ptr(&e->val, map_ptr_key(a));
	/* only attributes were given: captured values stand for themselves */
	return to ? to == b : a == b;
}

static bool same_uses(const struct equal *e, const struct node *a,
		      const struct node *b)
{
	if (a->nin != b->nin)
		return false;
	for (uint32_t i = 0; i < a->nin; i++)
		if (!same_use(e, a->in[i].v, b->in[i].v))
			return false;
	return true;
}

static bool same_defs(struct equal *e, const struct node *a,
		      const struct node *b)
{
	if (a->nout != b->nout)
		return false;
	for (uint32_t i = 0; i < a->nout; i++)
		if (!same_value(e, a->out[i], b->out[i]))
			return false;
	return true;
}

static bool same_node(struct equal *e, const struct graph *g,
		      const struct node *a, const struct node *b)
{
	const char *what = NULL;

	if (!same_sym(e, a->type, b->type) ||
	    !same_sym(e, a->domain, b->domain) ||
	    !same_sym(e, a->overload, b->overload))
		what = "other operators";
	else if (!same_sym(e, a->name, b->name))
		what = "other node names";
	else if (!same_uses(e, a, b))
		what = "other inputs";
	else if (!same_defs(e, a, b))
		what = "other outputs";
	else if (!same_attrs(e, a->attr, a->nattr, b->attr, b->nattr))
		what = "other attributes";
	return what ? differ(e, g, a, what) : true;
}

static bool same_inputs(struct equal *e, const struct graph *a,
			const struct graph *b)
{
	if (a->nin != b->nin)
		return false;
	for (uint32_t i = 0; i < a->nin; i++)
		if (!same_info(e, &a->in_info[i], &b->in_info[i]) ||
		    !same_value(e, a->in[i], b->in[i]))
			return false;
	return true;
}

static bool same_outputs(struct equal *e, const struct graph *a,
			 const struct graph *b)
{
	if (!same_uses(e, a->ret, b->ret))
		return false;
	for (uint32_t i = 0; i < a->ret->nin; i++)
		if (!same_info(e, &a->out_info[i], &b->out_info[i]))
			return false;
	return true;
}

static bool same_inits(struct equal *e, const struct graph *a,
		       const struct graph *b)
{
	if (a->init.n != b->init.n)
		return false;
	for (size_t i = 0; i < a->init.n; i++)
		if (!same_value(e, a->init.p[i], b->init.p[i]))
			return false;
	return true;
}

static bool same_graph(struct equal *e, const struct graph *a,
		       const struct graph *b)
{
	const struct node *x, *y;

	if (!same_sym(e, a->name, b->name))
		return differ(e, a, NULL, "other graph names");
	if (!same_inputs(e, a, b))
		return differ(e, a, NULL, "other inputs");
	if (!same_inits(e, a, b))
		return differ(e, a, NULL, "other initializers");
	for (x = a->first, y = b->first; x && y; x = x->next, y = y->next)
		if (!same_node(e, a, x, y))
			return false;
	if (x || y)
		return differ(e, a, NULL, "other numbers of nodes");
	if (!same_outputs(e, a, b))
		return differ(e, a, NULL, "other outputs");
	if (a->infos.n != b->infos.n)
		return differ(e, a, NULL, "other value types");
	for (size_t i = 0; i < a->infos.n; i++)
		if (!same_info(e, a->infos.p[i], b->infos.p[i]))
			return differ(e, a, NULL, "other value types");
	return true;
}

static bool run_jobs(struct equal *e)
{
	bool same = true;

	for (size_t i = 0; same && i < e->jobs.n; i++)
		same = same_graph(e, e->jobs.p[i].a, e->jobs.p[i].b);
	vec_release(&e->jobs);
	map_release(&e->val);
	return same;
}

/* ---- models ---- */

static bool same_opsets(const struct equal *e, const struct opset *a,
			uint32_t na, const struct opset *b, uint32_t nb)
{
	if (na != nb)
		return false;
	for (uint32_t i = 0; i < na; i++)
		if (!same_sym(e, a[i].domain, b[i].domain) ||
		    a[i].version != b[i].version)
			return false;
	return true;
}

static bool same_func(struct equal *e, const struct func *a,
		      const struct func *b)
{
	struct pair p = {a->body, b->body};

	if (!same_sym(e, a->domain, b->domain) ||
	    !same_sym(e, a->name, b->name) ||
	    !same_sym(e, a->overload, b->overload) || a->nattr != b->nattr)
		return false;
	for (uint32_t i = 0; i < a->nattr; i++)
		if (!same_sym(e, a->attr[i], b->attr[i]))
			return false;
	vec_push(&e->jobs, p);
	return same_opsets(e, a->opset, a->nopset, b->opset, b->nopset) &&
	       same_attrs(e, a->attr_default, a->nattr_default, b->attr_default,
			  b->nattr_default);
}

static bool same_funcs(struct equal *e)
{
	if (e->ma->func.n != e->mb->func.n)
		return false;
	for (size_t i = 0; i < e->ma->func.n; i++)
		if (!same_func(e, e->ma->func.p[i], e->mb->func.p[i]))
			return false;
	return true;
}

bool model_equal(const struct model *a, const struct model *b, struct buf *why)
{
	struct equal e = {.ma = a, .mb = b, .why = why};
	struct pair p = {a->main, b->main};
	bool same = false;

	vec_push(&e.jobs, p);
	if (a->ir_version != b->ir_version)
		differ(&e, NULL, NULL, "other format versions");
	else if (!same_opsets(&e, a->opset, a->nopset, b->opset, b->nopset))
		differ(&e, NULL, NULL, "other operator set imports");
	else if (!same_funcs(&e))
		differ(&e, NULL, NULL, "other functions");
	else
		same = true;
	if (!same)
		e.jobs.n = 0;
	return run_jobs(&e) && same;
}

bool attr_equal(const struct model *ma, const struct attr *a,
		const struct model *mb, const struct attr *b)
{
	struct equal e = {.ma = ma, .mb = mb};
	bool same = same_attr(&e, a, b);

	if (!same)
		e.jobs.n = 0;
	return run_jobs(&e) && same;
}

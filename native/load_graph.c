/* SPDX-License-Identifier: MIT */
/*
 * load_graph.c -- graphs of a .pare file.
 *
 * The stream describes a value where it is defined; a use is the number of a
 * value that came before, in this graph or one around it.  So the order of
 * nodes needs no further check.  Recursion follows bodies, at most BODY_DEPTH
 * deep.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/bind.h"
#include "native/load_p.h"

struct sizes {
	uint32_t nin, ninfo, ninit, nnode, nout;
};

static bool load_graph(struct loader *l, struct cursor *c, struct graph *g,
		       unsigned depth);

/* ---- values ---- */

static bool load_info(struct loader *l, struct cursor *c, struct info *i)
{
	uint32_t has;

	if (!load_sym(l, c, &i->name))
		return false;
	has = cur_u32(c);
	i->has_type = has != 0;
	if (!load_type(l, c, &i->decl) || !load_str(l, c, &i->rest))
		return false;
	return has <= 1 || load_fail(l, "a declaration is impossible");
}

static bool load_value(struct loader *l, struct cursor *c, struct value *v)
{
	struct graph *g = v->graph;
	uint32_t info;

	if (!load_sym(l, c, &v->name) || !load_type(l, c, &v->type) ||
	    !load_tensor(l, c, &v->konst))
		return false;
	info = cur_u32(c);
	if (info > g->infos.n)
		return load_fail(l, "there is no declaration %u", info);
	if (info)
		v->info = g->infos.p[info - 1];
	if (info && v->info->name != v->name)
		return load_fail(l, "a declaration is of another value");
	if (!sym_str(l->m, v->name).n || !scope_define(&l->names, v))
		return load_fail(l, "a value has no name, or one that is "
				    "taken");
	if (v->konst &&
	    (v->konst->sparse_indices ||
	     !type_compatible(v->type, tensor_type(l->m, v->konst))))
		return load_fail(l, "a constant is not of its value's type");
	vec_push(&l->value, v);
	return true;
}

/* The value of that number, if g may use it; 0: none. */
static bool load_use(struct loader *l, struct cursor *c, const struct graph *g,
		     struct value **v)
{
	uint32_t id = cur_u32(c);

	*v = NULL;
	if (id > l->value.n)
		return load_fail(l, "a value is used before it is defined");
	if (!id)
		return true;
	*v = l->value.p[id - 1];
	return graph_encloses((*v)->graph, g) ||
	       load_fail(l, "a value is used outside of its graph");
}

/* ---- attributes ---- */

static bool load_body(struct loader *l, struct cursor *c, struct node *owner,
		      struct graph **g, unsigned depth)
{
	if (!owner)
		return load_fail(l, "a graph is a default value");
	if (depth >= BODY_DEPTH)
		return load_fail(l, "graphs are nested too deeply");
	*g = graph_create(l->m, owner);
	return load_graph(l, c, *g, depth + 1);
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
static bool load_entry(struct loader *l, struct cursor *c, struct node *owner,
		       struct attr *a, uint32_t i, unsigned depth)
{
	uint32_t bits;
	bool sparse = a->kind == ATTR_SPARSE || a->kind == ATTR_SPARSES;

	switch (a->kind) {
	case ATTR_FLOAT:
	case ATTR_FLOATS:
		bits = cur_fixed32(c);
		memcpy(&a->u.f[i], &bits, sizeof bits);
		return true;
	case ATTR_INT:
	case ATTR_INTS:
		a->u.i[i] = cur_i64(c);
		return true;
	case ATTR_STRING:
	case ATTR_STRINGS:
		return load_str(l, c, &a->u.s[i]);
	case ATTR_TYPE:
	case ATTR_TYPES:
		return load_type(l, c, &a->u.type[i]);
	case ATTR_GRAPH:
	case ATTR_GRAPHS:
		return load_body(l, c, owner, &a->u.g[i], depth);
	default:
		if (!load_tensor(l, c, &a->u.t[i]))
			return false;
		return (a->u.t[i] &&
			sparse == (a->u.t[i]->sparse_indices != NULL)) ||
		       load_fail(l, "an attribute has no tensor");
	}
}

static bool in_function(const struct graph *g)
{
	while (g->owner)
		g = g->owner->graph;
	return g->func != NULL;
}

static bool is_singular(enum attr_kind k)
{
	return k <= ATTR_GRAPH || k == ATTR_SPARSE || k == ATTR_TYPE;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
bool load_attr(struct loader *l, struct cursor *c, struct node *owner,
	       struct attr *a, unsigned depth)
{
	uint32_t kind, flags;

	if (!load_sym(l, c, &a->name))
		return false;
	kind = cur_u32(c);
	if (!load_sym(l, c, &a->ref))
		return false;
	flags = cur_u32(c);
	if (!load_str(l, c, &a->rest))
		return false;
	a->n = cur_u32(c);
	if (kind > ATTR_TYPES || flags > 3 || !sym_str(l->m, a->name).n ||
	    (a->ref ? a->n : is_singular(kind) && a->n != 1) ||
	    (kind == ATTR_NONE && !a->ref))
		return load_fail(l, "an attribute is impossible");
	if (a->ref && !(owner && in_function(owner->graph)))
		return load_fail(l, "an attribute refers to no parameter");
	a->kind = kind;
	a->implicit_kind = flags & ATTR_IMPLICIT_KIND;
	a->implicit_value = flags & ATTR_IMPLICIT_VALUE;
	if (!cur_count(l, c, a->n, 1, sizeof *a->u.s))
		return false;
	/* as large as the largest entry of the union */
	a->u.s = arena_array(&l->m->arena, a->n, sizeof *a->u.s);
	for (uint32_t i = 0; i < a->n; i++)
		if (!load_entry(l, c, owner, a, i, depth))
			return false;
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
static bool load_attrs(struct loader *l, struct cursor *c, struct node *n,
		       uint32_t count, unsigned depth)
{
	struct map seen = {0};
	bool ok = true;

	n->attr = arena_array(&l->m->arena, count, sizeof *n->attr);
	for (uint32_t i = 0; ok && i < count; i++) {
		n->nattr = i + 1;
		ok = load_attr(l, c, n, &n->attr[i], depth);
		if (ok && !map_put(&seen, n->attr[i].name, 1))
			ok = load_fail(l, "an attribute is there twice");
	}
	map_release(&seen);
	return ok;
}

/* ---- nodes ---- */

static bool load_outputs(struct loader *l, struct cursor *c, struct node *n)
{
	for (uint32_t i = 0; i < n->nout; i++) {
		uint32_t has = cur_u32(c);

		if (has > 1)
			return load_fail(l, "an output is impossible");
		if (!has)
			n->out[i] = NULL;
		else if (!load_value(l, c, n->out[i]))
			return false;
	}
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
static bool load_node(struct loader *l, struct cursor *c, struct graph *g,
		      unsigned depth)
{
	sym domain, type, overload, name;
	uint32_t nin, nattr, nout;
	struct str rest;
	struct value *v;
	struct node *n;

	if (!load_sym(l, c, &domain) || !load_sym(l, c, &type) ||
	    !load_sym(l, c, &overload) || !load_sym(l, c, &name) ||
	    !load_str(l, c, &rest))
		return false;
	nin = cur_u32(c);
	nattr = cur_u32(c);
	nout = cur_u32(c);
	if (!cur_count(l, c, nin, 1, sizeof(struct use)) ||
	    !cur_count(l, c, nattr, 6, sizeof(struct attr)) ||
	    !cur_count(l, c, nout, 1, sizeof(struct value) + 8))
		return false;
	if (!sym_str(l->m, type).n)
		return load_fail(l, "a node has no operator");
	n = node_create(g, op_unknown(), nin, nout, NULL);
	n->domain = domain;
	n->type = type;
	n->overload = overload;
	n->name = name;
	n->rest = rest;
	bind_node(n, &l->funcs);
	for (uint32_t i = 0; i < nin; i++) {
		if (!load_use(l, c, g, &v))
			return false;
		node_set_input(n, i, v);
	}
	return load_attrs(l, c, n, nattr, depth) && load_outputs(l, c, n);
}

/* ---- graphs ---- */

static bool load_infos(struct loader *l, struct cursor *c, struct graph *g,
		       uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct info *info = arena_new(&l->m->arena, struct info);

		if (!load_info(l, c, info))
			return false;
		vec_push(&g->infos, info);
	}
	return true;
}

static bool load_inputs(struct loader *l, struct cursor *c, struct graph *g,
			uint32_t n)
{
	graph_set_inputs(g, n);
	for (uint32_t i = 0; i < n; i++)
		if (!load_info(l, c, &g->in_info[i]) ||
		    !load_value(l, c, g->in[i]))
			return false;
	return true;
}

/* A stored tensor: of an input, or a value of its own. */
static bool load_init(struct loader *l, struct cursor *c, struct graph *g)
{
	uint32_t input = cur_u32(c);
	const struct tensor *t;
	struct value *v;

	if (!load_tensor(l, c, &t))
		return false;
	if (!t || g->func || input > g->nin)
		return load_fail(l, "an initializer is impossible");
	if (!input) {
		v = graph_add_init(g, 0, t);
		return load_value(l, c, v) &&
		       (v->konst == (t->sparse_indices ? NULL : t) ||
			load_fail(l, "an initializer is not constant"));
	}
	v = g->in[input - 1];
	if (v->init || !type_compatible(v->type, tensor_type(l->m, t)))
		return load_fail(l, "an initializer does not fit its input");
	v->init = t;
	vec_push(&g->init, v);
	return true;
}

static bool load_inits(struct loader *l, struct cursor *c, struct graph *g,
		       uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!load_init(l, c, g))
			return false;
	for (uint32_t i = 0; i < g->nin; i++)
		if (g->in[i]->konst && g->in[i]->konst != g->in[i]->init)
			return load_fail(l, "an input is constant");
	return true;
}

static bool load_results(struct loader *l, struct cursor *c, struct graph *g,
			 uint32_t n)
{
	struct value *v;

	graph_set_outputs(g, n);
	for (uint32_t i = 0; i < n; i++) {
		if (!load_info(l, c, &g->out_info[i]) || !load_use(l, c, g, &v))
			return false;
		if (!v)
			return load_fail(l, "a graph returns nothing");
		use_set(&g->ret->in[i], v);
	}
	return true;
}

static bool load_sizes(struct loader *l, struct cursor *c, struct sizes *s)
{
	s->nin = cur_u32(c);
	s->ninfo = cur_u32(c);
	s->ninit = cur_u32(c);
	s->nnode = cur_u32(c);
	s->nout = cur_u32(c);
	return cur_count(l, c, s->nin, 8,
			 sizeof(struct value) + sizeof(struct info) + 8) &&
	       cur_count(l, c, s->ninfo, 4, sizeof(struct info) + 8) &&
	       cur_count(l, c, s->ninit, 2, sizeof(struct value) + 8) &&
	       cur_count(l, c, s->nnode, 8, sizeof(struct node)) &&
	       cur_count(l, c, s->nout, 5,
			 sizeof(struct use) + sizeof(struct info));
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
static bool load_graph(struct loader *l, struct cursor *c, struct graph *g,
		       unsigned depth)
{
	struct sizes s;

	if (!load_sym(l, c, &g->name) || !load_str(l, c, &g->rest) ||
	    !load_sizes(l, c, &s) || !load_infos(l, c, g, s.ninfo) ||
	    !load_inputs(l, c, g, s.nin) || !load_inits(l, c, g, s.ninit))
		return false;
	for (uint32_t i = 0; i < s.nnode; i++)
		if (!load_node(l, c, g, depth))
			return false;
	return load_results(l, c, g, s.nout);
}

bool load_graphs(struct loader *l)
{
	struct cursor c = cur_section(l, SEC_GRAPHS);
	struct model *m = l->m;

	if (l->sec[SEC_GRAPHS].count != m->func.n + 1)
		return load_fail(l, "a function has no body");
	if (!load_graph(l, &c, m->main, 0))
		return false;
	for (size_t i = 0; i < m->func.n; i++)
		if (!load_graph(l, &c, m->func.p[i]->body, 0))
			return false;
	return cur_end(l, &c, "GRAPHS");
}

/* SPDX-License-Identifier: MIT */
/*
 * parse_graph.c -- graphs and functions of the ONNX text syntax.
 *
 * "name (float[N] x, float w = {1}) => (float[N] y) <float[2] b = {1, 2},
 * float[N] t> {nodes}".  Initializers stand among the inputs, where they are
 * defaults, or in angle brackets.
 */
#include <stdlib.h>
#include "ir/parse_p.h"

/* One side of an interface. */
struct side {
	VEC(struct info) info;
	VEC(const struct tensor *) init; /* inputs: the default or NULL */
	VEC(sym) alias; /* outputs: the name of the value returned */
	VEC(const char *) at;
};

static void side_release(struct side *l)
{
	vec_release(&l->info);
	vec_release(&l->init);
	vec_release(&l->alias);
	vec_release(&l->at);
}

/* An initializer that is a graph input too is a default, from version 4 on. */
static void set_default(struct parser *p, struct value *v,
			const struct tensor *t)
{
	v->init = t;
	if (p->m->ir_version < 4 && !t->sparse_indices)
		v->konst = t;
	if (v->type == type_unknown())
		v->type = tensor_type(p->m, t);
	vec_push(&v->graph->init, v);
}

/* "float x" or "float[1] x = {1}" */
static bool parse_input(struct parser *p, struct side *l, bool func)
{
	const struct tensor *t = NULL;
	struct info i;

	if (!parse_info(p, &i))
		return false;
	if (!func && lex_accept(p, '=') && !parse_tensor_data(p, i.decl, 0, &t))
		return false;
	vec_push(&l->info, i);
	vec_push(&l->init, t);
	return true;
}

/* "float y", or "float y = t": returns t under the name y */
static bool parse_output(struct parser *p, struct side *l)
{
	struct info i;
	struct str s;
	sym alias;

	if (!parse_info(p, &i))
		return false;
	alias = i.name;
	if (lex_accept(p, '=')) {
		if (!lex_name(p, &s, "a name"))
			return false;
		alias = lex_sym(p, s);
	}
	vec_push(&l->info, i);
	vec_push(&l->alias, alias);
	return true;
}

static bool parse_side(struct parser *p, struct side *l, bool func, bool out)
{
	if (!lex_expect(p, '('))
		return false;
	if (lex_accept(p, ')'))
		return true;
	do {
		lex_peek(p);
		vec_push(&l->at, p->p);
		if (out ? !parse_output(p, l) : !parse_input(p, l, func))
			return false;
	} while (lex_accept(p, ','));
	return lex_expect(p, ')');
}

static void add_info(struct graph *g, const struct info *i)
{
	struct info *copy = arena_dup(&g->model->arena, i, sizeof *i);

	vec_push(&g->infos, copy);
}

/* The interface of a function has names alone: a type is a value_info. */
static struct info split_info(struct graph *g, struct info i)
{
	if (g->func && i.has_type)
		add_info(g, &i);
	if (g->func) {
		i.decl = type_unknown();
		i.has_type = false;
	}
	return i;
}

static bool set_inputs(struct parser *p, struct graph *g, const struct side *l)
{
	graph_set_inputs(g, (uint32_t)l->info.n);
	for (uint32_t i = 0; i < g->nin; i++) {
		struct value *v = g->in[i];

		g->in_info[i] = split_info(g, l->info.p[i]);
		v->name = g->in_info[i].name;
		v->type = g->in_info[i].decl;
		if (!parse_define(p, v, l->at.p[i]))
			return false;
		if (l->init.p[i])
			set_default(p, v, l->init.p[i]);
	}
	return true;
}

static void set_outputs(struct parser *p, struct graph *g, const struct side *l)
{
	graph_set_outputs(g, (uint32_t)l->info.n);
	for (uint32_t i = 0; i < g->ret->nin; i++) {
		g->out_info[i] = split_info(g, l->info.p[i]);
		parse_pending(p, g->ret, i, l->alias.p[i], l->at.p[i]);
	}
}

static bool parse_interface(struct parser *p, struct graph *g)
{
	struct side in = {0}, out = {0};
	bool func = g->func != NULL, ok;

	ok = (lex_peek(p) != '(' && !func) || parse_side(p, &in, func, false);
	ok = ok && set_inputs(p, g, &in);
	ok = ok && lex_arrow(p) && parse_side(p, &out, func, true);
	if (ok)
		set_outputs(p, g, &out);
	side_release(&in);
	side_release(&out);
	return ok;
}

static bool add_init(struct parser *p, struct graph *g, const struct info *i,
		     const char *at)
{
	struct value *v = scope_local(&p->names, g, i->name);
	const struct tensor *t;

	if (!parse_tensor_data(p, i->decl, 0, &t))
		return false;
	if (v && v->is_input && !v->init) {
		set_default(p, v, t);
		return true;
	}
	v = graph_add_init(g, i->name, t);
	if (t->sparse_indices)
		v->konst = NULL; /* holds only the nonzero elements */
	return parse_define(p, v, at);
}

/* "<float[2] w = {1, 2}, float[N] t>" */
static bool parse_values(struct parser *p, struct graph *g)
{
	if (!lex_accept(p, '<') || lex_accept(p, '>'))
		return true;
	do {
		const char *at;
		struct info i;

		lex_peek(p);
		at = p->p;
		if (!parse_info(p, &i))
			return false;
		if (!g->func && lex_accept(p, '=')) {
			if (!add_init(p, g, &i, at))
				return false;
		} else {
			add_info(g, &i);
		}
	} while (lex_accept(p, ','));
	return lex_expect(p, '>');
}

/* NOLINTNEXTLINE(misc-no-recursion): at most TEXT_MAX_DEPTH deep. */
bool parse_graph(struct parser *p, struct graph *g, unsigned depth)
{
	struct str s;

	if (!lex_name(p, &s, "a graph name"))
		return false;
	g->name = lex_sym(p, s);
	return parse_interface(p, g) && parse_values(p, g) &&
	       parse_nodes(p, g, depth);
}

/* ---- functions ---- */

static bool func_key(struct parser *p, struct func *f)
{
	struct str key, s;

	if (!lex_ident(p, &key, "a keyword") || !lex_expect(p, ':'))
		return false;
	if (str_is(key, "opset_import"))
		return parse_opsets(p, &f->opset, &f->nopset);
	if (!str_is(key, "domain") && !str_is(key, "overload") &&
	    !str_is(key, "doc_string"))
		return parse_fail(p, "unknown keyword '%.*s'", (int)key.n,
				  key.p);
	if (!lex_string(p, &s))
		return false;
	if (str_is(key, "domain"))
		f->domain = lex_sym(p, s);
	else if (str_is(key, "overload"))
		f->overload = lex_sym(p, s);
	else if (f->rest.n)
		return parse_fail(p, "the keyword is repeated");
	else
		parse_rest(p, &f->rest, 8, s);
	return true;
}

struct params {
	VEC(sym) name;
	VEC(struct attr) dflt;
};

static bool parse_params(struct parser *p, struct params *l)
{
	struct attr a;
	struct str s;
	sym name;

	do {
		if (!lex_name(p, &s, "an attribute name"))
			return false;
		name = lex_sym(p, s);
		if (lex_peek(p) != ':' && lex_peek(p) != '=') {
			vec_push(&l->name, name);
			continue;
		}
		if (!parse_attr(p, NULL, name, &a, 0))
			return false;
		vec_push(&l->dflt, a);
	} while (lex_accept(p, ','));
	return lex_expect(p, '>');
}

/* "<a, b: int = 3>" */
static bool func_params(struct parser *p, struct func *f)
{
	struct params l = {0};
	struct arena *a = &p->m->arena;
	bool ok;

	if (!lex_accept(p, '<'))
		return true;
	ok = parse_params(p, &l);
	if (ok) {
		f->nattr = (uint32_t)l.name.n;
		f->attr = arena_dup(a, l.name.p, l.name.n * sizeof(sym));
		f->nattr_default = (uint32_t)l.dflt.n;
		f->attr_default =
			arena_dup(a, l.dflt.p, l.dflt.n * sizeof(struct attr));
	}
	vec_release(&l.name);
	vec_release(&l.dflt);
	return ok;
}

bool parse_func(struct parser *p)
{
	struct func *f = arena_new(&p->m->arena, struct func);
	struct str s;

	f->body = graph_create(p->m, NULL);
	f->body->func = f;
	vec_push(&p->m->func, f);
	if (lex_accept(p, '<')) {
		do {
			if (!func_key(p, f))
				return false;
		} while (lex_accept(p, ','));
		if (!lex_expect(p, '>'))
			return false;
	}
	if (!lex_name(p, &s, "a function name"))
		return false;
	f->name = lex_sym(p, s);
	f->body->name = f->name;
	return func_params(p, f) && parse_interface(p, f->body) &&
	       parse_values(p, f->body) && parse_nodes(p, f->body, 0);
}

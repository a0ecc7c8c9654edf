/* SPDX-License-Identifier: MIT */
/*
 * check.c -- the rules of ONNX that hold for whole models: imports, names,
 * interfaces, functions, payloads.  check_node.c has those of single nodes.
 *
 * All violations are reported.  What the IR cannot hold at all (a use of an
 * undefined name, a cycle) is refused by the readers.  Cost O(size) plus shape
 * inference.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include "ir/calls.h"
#include "ir/check_p.h"
#include "ir/scope.h"

enum { MAX_FUNCTIONS = 10000 };

static void note(struct check *c, enum status st)
{
	if (!c->first)
		c->first = st;
}

void check_error(struct check *c, const struct at *at, enum diag_code code,
		 const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	note(c, diag_error(c->m->diag, at, code, "%s", b.p));
	buf_release(&b);
}

void check_strict(struct check *c, const struct at *at, enum diag_code code,
		  const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (c->strict)
		note(c, diag_error(c->m->diag, at, code, "%s", b.p));
	else
		diag_warn(c->m->diag, at, code, "%s", b.p);
	buf_release(&b);
}

/* ---- imports ---- */

/* "ai.onnx" and an absent domain are the same one. */
static uint64_t domain_key(struct model *m, sym domain)
{
	struct str d = sym_str(m, domain);

	return d.n == 0 || str_is(d, "ai.onnx") ? 0 : domain;
}

static void check_imports(struct check *c, const struct opset *o, uint32_t n,
			  const struct at *at)
{
	struct map seen = {0};

	for (uint32_t i = 0; i < n; i++) {
		struct str d = sym_str(c->m, o[i].domain);
		const uint64_t *before =
			map_get(&seen, domain_key(c->m, o[i].domain));

		if (o[i].version < 1 || o[i].version > INT_MAX)
			check_error(c, at, E_opset,
				    "domain '%.*s' is imported at version "
				    "%lld",
				    (int)d.n, d.p, (long long)o[i].version);
		if (before && *before != (uint64_t)o[i].version)
			check_error(c, at, E_opset,
				    "domain '%.*s' is imported at two versions",
				    (int)d.n, d.p);
		map_put(&seen, domain_key(c->m, o[i].domain),
			(uint64_t)o[i].version);
	}
	map_release(&seen);
}

static void check_header(struct check *c)
{
	const struct model *m = c->m;

	if (!m->has_ir_version || m->ir_version < 1)
		check_strict(c, NULL, E_opset, "the model has no IR version");
	if (m->ir_version >= 3 && m->nopset == 0)
		check_strict(c, NULL, E_opset, "no operator set is imported");
	check_imports(c, m->opset, m->nopset, NULL);
}

/* ---- names and interfaces ---- */

/* Is v named like a value of a graph around its own? */
static void check_shadow(struct check *c, const struct scope *s,
			 const struct value *v)
{
	const struct graph *g = v->graph;
	struct at at = {.graph = graph_path(g)};
	struct str name = sym_str(c->m, v->name);

	if (v->name && g->owner && scope_find(s, g->owner->graph, v->name))
		check_strict(c, &at, E_name,
			     "'%.*s' hides a value of a graph around it",
			     (int)name.n, name.p);
}

typedef void value_fn(struct check *c, struct scope *s, struct value *v);

/* Inputs, initializers, node outputs. */
static void each_value(struct check *c, struct graph *g, struct scope *s,
		       value_fn *fn)
{
	struct node *n;

	for (uint32_t i = 0; i < g->nin; i++)
		fn(c, s, g->in[i]);
	for (size_t i = 0; i < g->init.n; i++)
		if (!g->init.p[i]->is_input)
			fn(c, s, g->init.p[i]);
	graph_foreach (n, g)
		for (uint32_t i = 0; i < n->nout; i++)
			if (n->out[i])
				fn(c, s, n->out[i]);
}

static void define(struct check *c, struct scope *s, struct value *v)
{
	struct at at = {.graph = graph_path(v->graph)};
	struct str name = sym_str(c->m, v->name);

	if (v->name && !scope_define(s, v))
		check_error(c, &at, E_name, "'%.*s' is defined twice",
			    (int)name.n, name.p);
}

static void shadow(struct check *c, struct scope *s, struct value *v)
{
	check_shadow(c, s, v);
}

static void check_names(struct check *c, const graph_vec *graphs)
{
	struct scope s = {0};

	for (size_t i = 0; i < graphs->n; i++)
		each_value(c, graphs->p[i], &s, define);
	for (size_t i = 0; i < graphs->n; i++)
		each_value(c, graphs->p[i], &s, shadow);
	scope_release(&s);
}

/* Inputs and outputs of the main graph need a type with a shape. */
static void check_info(struct check *c, const struct info *info,
		       const char *what, const struct at *at)
{
	const struct type *t = info->decl;
	struct str name = sym_str(c->m, info->name);

	if (name.n == 0)
		check_strict(c, at, E_name, "%s has no name", what);
	if (!info->has_type || t->kind == TY_UNKNOWN)
		check_strict(c, at, E_type, "%s '%.*s' has no type", what,
			     (int)name.n, name.p);
	else if (t->kind == TY_TENSOR && t->dt == DT_NONE)
		check_strict(c, at, E_type, "%s '%.*s' has no element type",
			     what, (int)name.n, name.p);
	else if (t->kind == TY_TENSOR && t->rank < 0)
		check_strict(c, at, E_shape, "%s '%.*s' has no shape", what,
			     (int)name.n, name.p);
}

static void check_interface(struct check *c)
{
	struct graph *g = c->m->main;
	struct at at = {.graph = graph_path(g)};

	if (sym_str(c->m, g->name).n == 0)
		check_strict(c, &at, E_name, "the graph has no name");
	if (g->ret->nin == 0)
		check_strict(c, &at, E_undefined, "the graph has no outputs");
	for (uint32_t i = 0; i < g->nin; i++)
		check_info(c, &g->in_info[i], "input", &at);
	for (uint32_t i = 0; i < g->ret->nin; i++)
		check_info(c, &g->out_info[i], "output", &at);
}

static void check_returns(struct check *c, const struct graph *g)
{
	struct at at = {.graph = graph_path(g)};

	for (uint32_t i = 0; i < g->ret->nin; i++) {
		struct str name = sym_str(c->m, g->out_info[i].name);

		if (!g->ret->in[i].v)
			check_error(c, &at, E_undefined,
				    "output '%.*s' is not defined", (int)name.n,
				    name.p);
	}
}

/* ---- initializers ---- */

static void check_inits(struct check *c, const struct graph *g)
{
	struct at at = {.graph = graph_path(g)};

	for (size_t i = 0; i < g->init.n; i++) {
		const struct value *v = g->init.p[i];
		struct str name = sym_str(c->m, v->name);
		struct at one = at;
		struct buf a = {0}, b = {0};

		one.slot = name;
		if (v->init)
			check_tensor(c, &one, v->init);
		if (c->m->ir_version < 4 && c->m->has_ir_version &&
		    !v->is_input && !g->owner)
			check_strict(c, &at, E_undefined,
				     "initializer '%.*s' is no graph input, "
				     "as IR version %lld wants",
				     (int)name.n, name.p,
				     (long long)c->m->ir_version);
		if (!v->init || !v->is_input || v->init->sparse_indices ||
		    type_compatible(tensor_type(c->m, v->init), v->type))
			continue;
		type_print(c->m, &a, tensor_type(c->m, v->init));
		type_print(c->m, &b, v->type);
		check_error(c, &at, E_shape,
			    "initializer '%.*s' has type '%s', but the input "
			    "is declared as '%s'",
			    (int)name.n, name.p, a.p, b.p);
		buf_release(&a);
		buf_release(&b);
	}
}

/* ---- functions ---- */

static void func_at(struct check *c, const struct func *f, struct at *at)
{
	*at = (struct at){.graph = graph_path(f->body)};
	at->op = sym_str(c->m, f->name);
}

/* An operator must mean the same at the function's and the model's version. */
static void check_func_opset(struct check *c, const struct func *f)
{
	struct model *m = c->m;
	struct node *n;

	graph_foreach (n, f->body) {
		const struct op *op = n->op;
		struct at at = node_at(n);
		int64_t v;

		if (op->domain == DOM_NONE)
			continue;
		v = model_opset(m->main, op->domain);
		if (v && op_latest(op->id, v) != op)
			check_strict(c, &at, E_opset,
				     "version %d of the operator differs from "
				     "that of the model's opset %lld",
				     op->since, (long long)v);
	}
}

static int func_cmp(const void *pa, const void *pb)
{
	const struct func *a = *(struct func *const *)pa;
	const struct func *b = *(struct func *const *)pb;

	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	if (a->name != b->name)
		return a->name < b->name ? -1 : 1;
	return a->overload < b->overload ? -1 : a->overload > b->overload;
}

static void check_functions(struct check *c)
{
	struct model *m = c->m;
	struct func **f;
	struct at at;

	if (m->func.n == 0)
		return;
	if (m->func.n > MAX_FUNCTIONS)
		check_error(c, NULL, E_func, "%zu functions, at most %d",
			    m->func.n, MAX_FUNCTIONS);
	f = arena_dup(&m->arena, m->func.p, m->func.n * sizeof(*f));
	qsort(f, m->func.n, sizeof(*f), func_cmp);
	for (size_t i = 0; i < m->func.n; i++) {
		func_at(c, m->func.p[i], &at);
		if (i && func_cmp(&f[i - 1], &f[i]) == 0)
			check_error(c, &at, E_func,
				    "a function of this name exists already");
		if (sym_str(m, m->func.p[i]->name).n == 0)
			check_error(c, &at, E_func, "a function has no name");
		check_imports(c, m->func.p[i]->opset, m->func.p[i]->nopset,
			      &at);
		check_func_opset(c, m->func.p[i]);
	}
	note(c, model_check_calls(m));
}

/* ---- all of it ---- */

enum status model_check(struct model *m, bool strict)
{
	struct check c = {.m = m, .strict = strict};
	graph_vec graphs = {0};
	struct node *n;

	check_header(&c);
	check_interface(&c);
	model_graphs(m, &graphs);
	check_names(&c, &graphs);
	check_functions(&c);
	for (size_t i = 0; i < graphs.n; i++) {
		check_inits(&c, graphs.p[i]);
		check_returns(&c, graphs.p[i]);
		graph_foreach (n, graphs.p[i])
			check_node(&c, n);
	}
	note(&c, model_infer(m));
	for (size_t i = 0; i < graphs.n; i++)
		graph_foreach (n, graphs.p[i])
			check_node_types(&c, n);
	vec_release(&graphs);
	return c.first;
}

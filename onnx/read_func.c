/* SPDX-License-Identifier: MIT */
/*
 * read_func.c -- model-local functions: signatures, bodies, and the checks
 * that calls end.
 *
 * A file of 2.6 kB can hold 31 functions that each call the next one twice:
 * 2^30 nodes when expanded.  So the size after expansion is computed first,
 * over the call graph, and bounded.
 */
#include <stdlib.h>
#include "base/buf.h"
#include "onnx/read_p.h"

enum { FUNC_MAX = 10000, CALL_DEPTH_MAX = 100, EXPANDED_MAX = 10000000 };

sym func_key(struct model *m, sym domain, sym name, sym overload)
{
	struct str s[3] = {sym_str(m, domain), sym_str(m, name),
			   sym_str(m, overload)};
	struct buf b = {0};
	sym key;

	if (str_is(s[0], "ai.onnx"))
		s[0].n = 0;
	for (unsigned i = 0; i < 3; i++) { /* lengths keep the parts apart */
		buf_le(&b, s[i].n, 8);
		buf_add(&b, s[i].p, s[i].n);
	}
	key = intern_str(m->syms, (struct str){b.p, b.n});
	buf_release(&b);
	return key;
}

static struct where where_func(const struct func *f)
{
	return (struct where){.what = "function", .name = f->name};
}

static enum status read_signature(struct reader *r,
				  const Onnx__FunctionProto *p)
{
	struct model *m = r->m;
	struct func *f = arena_new(&m->arena, struct func);
	const struct where w = {.what = "function",
				.name = pb_sym(m->syms, p->has_name, p->name)};

	f->name = w.name;
	f->domain = pb_sym(m->syms, p->has_domain, p->domain);
	f->overload = pb_sym(m->syms, p->has_overload, p->overload);
	f->rest = pb_rest(&m->arena, &p->base, PB_FUNC_MASK);
	if (!p->name.len)
		return diag_error(r->d, where_at(r, &w), E_func,
				  "the function has no name");
	if (!map_put_ptr(&r->funcs,
			 func_key(m, f->domain, f->name, f->overload), f))
		return diag_error(r->d, where_at(r, &w), E_func,
				  "the function is defined twice");
	f->nattr = (uint32_t)p->n_attribute;
	f->attr = arena_array(&m->arena, p->n_attribute, sizeof *f->attr);
	for (uint32_t i = 0; i < f->nattr; i++)
		f->attr[i] = intern_str(m->syms, pb_str(p->attribute[i]));
	f->body = graph_create(m, NULL);
	f->body->func = f;
	vec_push(&m->func, f);
	return read_opsets(r, p->opset_import, p->n_opset_import, &f->opset,
			   &f->nopset);
}

static enum status read_params(struct reader *r, struct graph *g,
			       const Onnx__FunctionProto *p)
{
	enum status st = OK;

	graph_set_inputs(g, (uint32_t)p->n_input);
	for (uint32_t i = 0; !st && i < p->n_input; i++) {
		const sym name = intern_str(r->m->syms, pb_str(p->input[i]));
		const struct where w = {
			.g = g, .what = "parameter", .name = name};

		g->in[i]->name = g->in_info[i].name = name;
		g->in_info[i].decl = type_unknown();
		st = define(r, g->in[i], &w);
	}
	return st;
}

static enum status read_results(struct reader *r, struct graph *g,
				const Onnx__FunctionProto *p)
{
	graph_set_outputs(g, (uint32_t)p->n_output);
	for (uint32_t i = 0; i < p->n_output; i++) {
		const sym name = intern_str(r->m->syms, pb_str(p->output[i]));
		const struct where w = {.g = g, .what = "result", .name = name};
		struct value *v = names_find(&r->names, g, name);

		g->out_info[i].name = name;
		g->out_info[i].decl = type_unknown();
		if (!v)
			return diag_error(r->d, where_at(r, &w), E_undefined,
					  "nothing defines this value");
		use_set(&g->ret->in[i], v);
	}
	return OK;
}

static enum status read_body(struct reader *r, struct func *f,
			     const Onnx__FunctionProto *p)
{
	struct graph *g = f->body;
	enum status st = read_params(r, g, p);

	if (!st)
		st = read_attrs(r, g, NULL, p->attribute_proto,
				p->n_attribute_proto, 0, &f->attr_default,
				&f->nattr_default);
	if (!st)
		st = read_infos(r, g, p->value_info, p->n_value_info);
	if (!st)
		st = define_nodes(r, g, p->node, p->n_node);
	if (st)
		return st;
	link_infos(r, g);
	st = fill_nodes(r, g, p->node, p->n_node, 0);
	if (!st)
		st = read_results(r, g, p);
	if (!st)
		st = graph_sort(g);
	return st;
}

enum status read_funcs(struct reader *r, Onnx__FunctionProto **p, size_t n)
{
	const struct at at = {.file = r->path};
	enum status st = OK;

	if (n > FUNC_MAX)
		return diag_error(r->d, &at, E_func,
				  "%zu functions are more than %d", n,
				  FUNC_MAX);
	for (size_t i = 0; !st && i < n; i++)
		st = read_signature(r, p[i]);
	for (size_t i = 0; !st && i < n; i++)
		st = read_body(r, r->m->func.p[i], p[i]);
	return st;
}

/* ---- the call graph ---- */

enum color { NEW, OPEN, DONE };

/* A function, or main, as a vertex. */
struct vertex {
	const struct func *f;      /* NULL: main */
	VEC(struct func *) callee; /* in node order, with repeats */
	size_t next;               /* callee to visit next */
	enum color color;
	uint32_t depth; /* of the calls below */
	uint64_t nodes; /* after expansion; saturates */
};

struct calls {
	struct vertex *v; /* functions in order, then main */
	size_t n;
	struct map index; /* func -> position in v */
};

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return __builtin_add_overflow(a, b, &a) ? UINT64_MAX : a;
}

static void collect(struct vertex *v, const struct graph *top)
{
	VEC(const struct graph *) work = {0};

	vec_push(&work, top);
	while (work.n) {
		const struct graph *g = vec_pop(&work);
		const struct node *n;

		graph_foreach (n, g) {
			const size_t bodies = node_graph_count(n);

			v->nodes++;
			if (n->func)
				vec_push(&v->callee, n->func);
			for (size_t i = 0; i < bodies; i++)
				vec_push(&work, node_graph(n, i));
		}
	}
	vec_release(&work);
}

static enum status call_error(struct reader *r, const struct func *f,
			      const char *what)
{
	const struct where w = f ? where_func(f) : (struct where){0};

	return diag_error(r->d, where_at(r, &w), E_func, "%s", what);
}

/* A callee is done: count it into its caller. */
static enum status count_call(struct reader *r, struct vertex *v,
			      const struct vertex *c)
{
	v->nodes = add_saturated(v->nodes, c->nodes);
	if (v->depth < c->depth + 1)
		v->depth = c->depth + 1;
	if (v->depth > CALL_DEPTH_MAX)
		return call_error(r, v->f, "calls are nested too deeply");
	if (v->nodes > EXPANDED_MAX)
		return call_error(r, v->f,
				  "calls expand to more than 10 million "
				  "nodes");
	return OK;
}

/* Depth first from one vertex, with a stack of our own. */
static enum status visit(struct reader *r, struct calls *c, size_t start)
{
	VEC(struct vertex *) stack = {0};
	enum status st = OK;

	vec_push(&stack, &c->v[start]);
	while (!st && stack.n) {
		struct vertex *v = stack.p[stack.n - 1], *to;

		v->color = OPEN;
		if (v->next == v->callee.n) {
			v->color = DONE;
			stack.n--;
			continue;
		}
		to = &c->v[*map_get(&c->index,
				    map_ptr_key(v->callee.p[v->next]))];
		if (to->color == OPEN) {
			st = call_error(r, to->f, "the function calls itself");
		} else if (to->color == NEW) {
			vec_push(&stack, to);
		} else {
			v->next++;
			st = count_call(r, v, to);
		}
	}
	vec_release(&stack);
	return st;
}

enum status check_funcs(struct reader *r)
{
	struct calls c = {.n = r->m->func.n + 1};
	enum status st = OK;

	if (c.n == 1)
		return OK;
	c.v = xcalloc(c.n, sizeof *c.v);
	for (size_t i = 0; i < c.n; i++) {
		const bool is_main = i == r->m->func.n;

		c.v[i].f = is_main ? NULL : r->m->func.p[i];
		if (!is_main)
			map_put(&c.index, map_ptr_key(c.v[i].f), i);
		collect(&c.v[i], is_main ? r->m->main : r->m->func.p[i]->body);
	}
	for (size_t i = 0; !st && i < c.n; i++)
		if (c.v[i].color == NEW)
			st = visit(r, &c, i);
	for (size_t i = 0; i < c.n; i++)
		vec_release(&c.v[i].callee);
	free(c.v);
	map_release(&c.index);
	return st;
}

/* SPDX-License-Identifier: MIT */
/*
 * model.c -- models: creation, release, symbols, imports, lists of graphs.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/core_p.h"

struct model *model_create(struct diag *d)
{
	struct model *m = xcalloc(1, sizeof *m);

	arena_init(&m->arena);
	m->syms = intern_create();
	m->diag = d;
	m->main = graph_create(m, NULL);
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->graphs.n; i++) {
		vec_release(&m->graphs.p[i]->init);
		vec_release(&m->graphs.p[i]->infos);
	}
	vec_release(&m->graphs);
	vec_release(&m->func);
	for (size_t i = 0; i < m->blobs.n; i++)
		blob_unref(m->blobs.p[i]);
	vec_release(&m->blobs);
	map_release(&m->types);
	map_release(&m->exprs);
	map_release(&m->open);
	map_release(&m->owner);
	map_release(&m->gone);
	map_release(&m->moved);
	intern_free(m->syms);
	arena_release(&m->arena);
	free(m);
}

sym model_sym(struct model *m, const char *cstr)
{
	return intern_cstr(m->syms, cstr);
}

struct str sym_str(const struct model *m, sym s)
{
	return intern_get(m->syms, s);
}

const char *sym_text(const struct model *m, sym s)
{
	return intern_text(m->syms, s);
}

void model_keep_blob(struct model *m, struct blob *b)
{
	vec_push(&m->blobs, b);
}

/* ---- operator set imports ---- */

static bool is_domain(const struct model *m, sym s, enum op_domain d)
{
	struct str name = sym_str(m, s);

	if (d == DOM_ONNX)
		return name.n == 0 || str_is(name, "ai.onnx");
	return d != DOM_NONE && str_is(name, op_domain_name(d));
}

static const struct graph *graph_top(const struct graph *g)
{
	while (g->owner && g->owner->graph)
		g = g->owner->graph;
	return g;
}

int64_t model_opset(const struct graph *g, enum op_domain d)
{
	const struct model *m = g->model;
	const struct func *f = graph_top(g)->func;
	const struct opset *o = f ? f->opset : m->opset;
	uint32_t n = f ? f->nopset : m->nopset;

	for (uint32_t i = 0; i < n; i++)
		if (is_domain(m, o[i].domain, d))
			return o[i].version;
	return 0;
}

void model_import(struct graph *g, enum op_domain d, int64_t version)
{
	struct model *m = g->model;
	struct func *f = graph_top(g)->func;
	struct opset **o = f ? &f->opset : &m->opset;
	uint32_t *n = f ? &f->nopset : &m->nopset;
	struct opset *to;

	if (d == DOM_NONE || model_opset(g, d))
		return;
	to = arena_array(&m->arena, (size_t)*n + 1, sizeof *to);
	if (*n)
		memcpy(to, *o, *n * sizeof *to);
	to[*n].domain = model_sym(m, op_domain_name(d));
	to[*n].version = version;
	to[*n].has_version = true;
	*o = to;
	++*n;
}

void model_graphs(const struct model *m, graph_vec *out)
{
	size_t i = out->n;
	const struct node *n;

	vec_push(out, m->main);
	for (size_t k = 0; k < m->func.n; k++)
		vec_push(out, m->func.p[k]->body);
	for (; i < out->n; i++)
		graph_foreach (n, out->p[i])
			node_push_bodies(n, out);
}

/* ---- names ---- */

/* Names are printed and parsed by people: keep letters, digits and '_'. */
static size_t clean_base(char *to, size_t cap, struct str base)
{
	size_t n = 0;

	for (size_t i = 0; i < base.n && n < cap; i++) {
		char c = base.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			to[n++] = c;
		else
			to[n++] = '_';
	}
	return n;
}

sym model_fresh_name(struct model *m, struct str base)
{
	char name[64 + 24];
	size_t n = clean_base(name, 64, base);
	struct str s = {name, 0};

	do {
		s.n = n + (size_t)snprintf(name + n, sizeof name - n, "_%u",
					   ++m->fresh);
	} while (intern_find(m->syms, s));
	return intern_str(m->syms, s);
}

/* SPDX-License-Identifier: MIT */
/*
 * attr.c -- attributes: lookup by name, replacement, comparison.
 *
 * Nodes have few attributes, so lookup is a scan.  The arrays of an
 * attribute are never written after it was set, hence may be shared.
 */
#include <string.h>
#include "ir/core_p.h"

static struct attr *find(const struct node *n, const char *name)
{
	const struct model *m;

	if (!n->nattr || !n->graph)
		return NULL;
	m = n->graph->model;
	for (uint32_t i = 0; i < n->nattr; i++)
		if (str_is(sym_str(m, n->attr[i].name), name))
			return &n->attr[i];
	return NULL;
}

static const struct attr *find_kind(const struct node *n, const char *name,
				    enum attr_kind kind)
{
	const struct attr *a = find(n, name);

	return a && a->kind == kind && !a->ref ? a : NULL;
}

const struct attr *node_attr(const struct node *n, const char *name)
{
	return find(n, name);
}

bool node_has_attr(const struct node *n, const char *name)
{
	return find(n, name) != NULL;
}

bool node_has_attr_ref(const struct node *n)
{
	for (uint32_t i = 0; i < n->nattr; i++)
		if (n->attr[i].ref)
			return true;
	return false;
}

int64_t node_attr_int(const struct node *n, const char *name, int64_t dflt)
{
	const struct attr *a = find_kind(n, name, ATTR_INT);

	return a && a->n ? a->u.i[0] : dflt;
}

double node_attr_float(const struct node *n, const char *name, double dflt)
{
	const struct attr *a = find_kind(n, name, ATTR_FLOAT);

	return a && a->n ? (double)a->u.f[0] : dflt;
}

struct str node_attr_str(const struct node *n, const char *name,
			 const char *dflt)
{
	const struct attr *a = find_kind(n, name, ATTR_STRING);

	if (a && a->n)
		return a->u.s[0];
	return (struct str){dflt, dflt ? strlen(dflt) : 0};
}

const int64_t *node_attr_ints(const struct node *n, const char *name,
			      size_t *count)
{
	const struct attr *a = find_kind(n, name, ATTR_INTS);

	*count = a ? a->n : 0;
	return a ? a->u.i : NULL;
}

const float *node_attr_floats(const struct node *n, const char *name,
			      size_t *count)
{
	const struct attr *a = find_kind(n, name, ATTR_FLOATS);

	*count = a ? a->n : 0;
	return a ? a->u.f : NULL;
}

const struct tensor *node_attr_tensor(const struct node *n, const char *name)
{
	const struct attr *a = find_kind(n, name, ATTR_TENSOR);

	return a && a->n ? a->u.t[0] : NULL;
}

struct graph *node_attr_graph(const struct node *n, const char *name)
{
	const struct attr *a = find_kind(n, name, ATTR_GRAPH);

	return a && a->n ? a->u.g[0] : NULL;
}

/* ---- changing ---- */

static void release_bodies(struct node *n, const struct attr *a)
{
	if (a->kind != ATTR_GRAPH && a->kind != ATTR_GRAPHS)
		return;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->u.g[i]->owner == n)
			graph_release(a->u.g[i]);
}

/* The attribute of that name, emptied; new ones go to the end. */
static struct attr *set(struct node *n, const char *name, enum attr_kind kind,
			size_t count)
{
	struct model *m = n->graph->model;
	struct attr *a = find(n, name), *to;

	if (count > UINT32_MAX)
		BUG("an attribute of %zu entries", count);
	if (a) {
		release_bodies(n, a);
	} else {
		to = arena_array(&m->arena, (size_t)n->nattr + 1, sizeof *to);
		if (n->nattr)
			memcpy(to, n->attr, n->nattr * sizeof *to);
		n->attr = to;
		a = &to[n->nattr++];
		a->name = model_sym(m, name);
	}
	a->kind = kind;
	a->n = (uint32_t)count;
	a->ref = 0;
	a->implicit_kind = a->implicit_value = false;
	return a;
}

void node_set_int(struct node *n, const char *name, int64_t v)
{
	struct attr *a = set(n, name, ATTR_INT, 1);

	a->u.i = arena_dup(&n->graph->model->arena, &v, sizeof v);
}

void node_set_float(struct node *n, const char *name, float v)
{
	struct attr *a = set(n, name, ATTR_FLOAT, 1);

	a->u.f = arena_dup(&n->graph->model->arena, &v, sizeof v);
}

void node_set_str(struct node *n, const char *name, const char *v)
{
	struct attr *a = set(n, name, ATTR_STRING, 1);
	struct arena *arena = &n->graph->model->arena;

	a->u.s = arena_new(arena, struct str);
	*a->u.s = arena_str(arena, (struct str){v, strlen(v)});
}

void node_set_ints(struct node *n, const char *name, const int64_t *v,
		   size_t count)
{
	/* copied first: v may be what the attribute holds now */
	int64_t *copy = arena_array(&n->graph->model->arena, count, sizeof *v);

	if (count)
		memcpy(copy, v, count * sizeof *v);
	set(n, name, ATTR_INTS, count)->u.i = copy;
}

void node_set_tensor(struct node *n, const char *name, const struct tensor *t)
{
	struct attr *a = set(n, name, ATTR_TENSOR, 1);

	a->u.t = arena_dup(&n->graph->model->arena, &t, sizeof t);
}

void node_set_graph(struct node *n, const char *name, struct graph *g)
{
	struct attr *a;

	g->owner = NULL; /* not released if it was here before */
	a = set(n, name, ATTR_GRAPH, 1);
	a->u.g = arena_dup(&n->graph->model->arena, &g, sizeof g);
	g->owner = n;
}

void node_drop_attr(struct node *n, const char *name)
{
	struct attr *a = find(n, name);

	if (!a)
		return;
	release_bodies(n, a);
	n->nattr--;
	memmove(a, a + 1, (size_t)(n->attr + n->nattr - a) * sizeof *a);
}

void node_clear_attrs(struct node *n)
{
	for (uint32_t i = 0; i < n->nattr; i++)
		release_bodies(n, &n->attr[i]);
	n->nattr = 0;
}

/* ---- bodies ---- */

size_t node_graph_count(const struct node *n)
{
	size_t count = 0;

	for (uint32_t i = 0; i < n->nattr; i++)
		if (n->attr[i].kind == ATTR_GRAPH ||
		    n->attr[i].kind == ATTR_GRAPHS)
			count += n->attr[i].n;
	return count;
}

struct graph *node_graph(const struct node *n, size_t i)
{
	for (uint32_t k = 0; k < n->nattr; k++) {
		const struct attr *a = &n->attr[k];

		if (a->kind != ATTR_GRAPH && a->kind != ATTR_GRAPHS)
			continue;
		if (i < a->n)
			return a->u.g[i];
		i -= a->n;
	}
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * cone.c -- what a node takes along when it goes, and what that is worth.
 *
 * The cone of a node is the set of nodes and initializers that serve nobody
 * else: its maximal fanout-free cone (Cong and Ding 1994).  Found by counting
 * users downwards, O(size of the cone).
 */
#include <stdlib.h>
#include "passes/constant_p.h"

enum {
	FRESH_NAME = 16, /* of a name that model_finish() will make up */
	MAX_CONE = 4096, /* nodes looked at; more would count for less */
};

static size_t name_size(const struct model *m, sym s)
{
	return s ? sym_str(m, s).n + 2 : FRESH_NAME;
}

static size_t tensor_size(const struct tensor *t)
{
	size_t bytes = 8 + t->len + (size_t)t->rank * 3;

	for (int64_t i = 0; t->strings && i < t->n; i++)
		bytes += t->strings[i].n + 2;
	return bytes;
}

static size_t attr_size(const struct model *m, const struct attr *a)
{
	size_t bytes = sym_str(m, a->name).n + 8;

	for (uint32_t i = 0; i < a->n; i++) {
		if (a->kind == ATTR_STRING || a->kind == ATTR_STRINGS)
			bytes += a->u.s[i].n + 2;
		else if (a->kind == ATTR_TENSOR || a->kind == ATTR_TENSORS)
			bytes += tensor_size(a->u.t[i]) + 2;
		else if (a->kind == ATTR_FLOAT || a->kind == ATTR_FLOATS)
			bytes += 5;
		else
			bytes += 2;
	}
	return bytes;
}

/* A fresh name is made of the operator's. */
static size_t value_name_size(const struct model *m, const struct value *v)
{
	if (v->name || !v->def)
		return name_size(m, v->name);
	return sym_str(m, v->def->type).n + FRESH_NAME - 5;
}

size_t node_size(const struct model *m, const struct node *n)
{
	size_t bytes = 4 + sym_str(m, n->type).n + sym_str(m, n->domain).n;

	if (n->name)
		bytes += name_size(m, n->name);
	for (uint32_t i = 0; i < n->nin; i++)
		bytes += n->in[i].v ? value_name_size(m, n->in[i].v) : 2;
	for (uint32_t i = 0; i < n->nout; i++)
		bytes += n->out[i] ? value_name_size(m, n->out[i]) : 2;
	for (uint32_t i = 0; i < n->nattr; i++)
		bytes += attr_size(m, &n->attr[i]);
	return bytes + n->rest.n;
}

size_t const_size(const struct model *m, const struct tensor *t, sym name)
{
	return 4 + tensor_size(t) + name_size(m, name);
}

size_t const_place_size(const struct graph *g, const struct tensor *t, sym name,
			bool fill, const struct value *shape)
{
	const struct model *m = g->model;
	/* A Constant node: type, attribute with its name and kind, output. */
	size_t node = const_storable(g) ? 0 : 2 * 4 + 8 + 7 + 8, out, in;

	if (!fill)
		return node + const_size(m, t, name);
	/* ConstantOfShape with its attribute, output, input, and the shape. */
	out = name ? name_size(m, name) : FRESH_NAME + 10;
	in = shape ? name_size(m, shape->name) : FRESH_NAME;
	if (shape && shape->init)
		node = const_size(m, shape->init, shape->name);
	else if (!shape)
		node += 4 + FRESH_NAME + 8 + 3 + (size_t)t->rank * 8;
	else
		node = 0;
	return node + 4 + 15 + out + in + 13 + 8 + 3 + t->blob->elem;
}

uint64_t node_cost(const struct node *n)
{
	switch (n->op->id) {
	case OP_Constant:
	case OP_RETURN:
		return 0;
	case OP_Identity:
	case OP_ConstantOfShape:
	case OP_Dropout:
		return 1;
	case OP_Conv:
	case OP_ConvTranspose:
	case OP_Gemm:
	case OP_MatMul:
	case OP_Pow:
		return 16;
	default:
		return n->op->flags & OPF_SHAPE_ONLY ? 2 : 8;
	}
}

/* Only unknown operators can have effects.  A function that calls others is
 * not looked into: chains of calls can be exponentially long. */
static bool effect_free(const struct graph *top, bool in_call)
{
	graph_vec work = {0};
	const struct node *n;
	bool ok = true;

	vec_push(&work, (struct graph *)top);
	while (ok && work.n) {
		const struct graph *g = vec_pop(&work);

		graph_foreach (n, g) {
			ok = ok && n->op->id != OP_UNKNOWN &&
			     (n->op->id != OP_CALL || !in_call);
			for (size_t i = 0; ok && i < node_graph_count(n); i++)
				vec_push(&work, node_graph(n, i));
		}
	}
	vec_release(&work);
	return ok;
}

bool node_removable(const struct node *n)
{
	if (n->op->id == OP_UNKNOWN || n->op->id == OP_RETURN)
		return false;
	if (n->op->id == OP_CALL)
		return n->func && effect_free(n->func->body, true);
	for (size_t i = 0; i < node_graph_count(n); i++)
		if (!effect_free(node_graph(n, i), true))
			return false;
	return true;
}

static bool all_gone(const struct node *n, const struct map *seen,
		     const struct value *keep)
{
	for (uint32_t i = 0; i < n->nout; i++) {
		const struct value *v = n->out[i];
		uint64_t *k = v ? map_get(seen, map_ptr_key(v)) : NULL;

		if (v && (v == keep || (v->nuse && (!k || *k < v->nuse))))
			return false;
	}
	return true;
}

/* One user of v is in the cone: is v itself, then? */
static void lose_use(struct cone *c, struct value *v, struct map *seen,
		     const struct value *keep)
{
	const struct model *m;
	uint64_t *k = map_get(seen, map_ptr_key(v));
	uint64_t count = k ? *k + 1 : 1;

	if (!v->graph)
		return;
	m = v->graph->model;
	map_put(seen, map_ptr_key(v), count);
	if (count != v->nuse || v == keep)
		return;
	if (!v->def) {
		if (!v->init ||
		    (v->is_input && (!v->konst || const_storable(v->graph))))
			return;
		vec_push(&c->init, v);
		c->bytes += const_size(m, v->init, v->name);
	} else if (all_gone(v->def, seen, keep) && node_removable(v->def)) {
		vec_push(&c->node, v->def);
	}
}

void cone_find(struct cone *c, struct node *n, const struct value *keep)
{
	const struct model *m = n->graph->model;
	struct map seen = {0};

	*c = (struct cone){.bytes = 0};
	vec_push(&c->node, n);
	for (size_t i = 0; i < c->node.n && i < MAX_CONE; i++) {
		struct node *k = c->node.p[i];

		c->bytes += node_size(m, k);
		c->cost += node_cost(k);
		for (uint32_t j = 0; j < k->nin; j++)
			if (k->in[j].v)
				lose_use(c, k->in[j].v, &seen, keep);
	}
	if (c->node.n > MAX_CONE)
		c->node.n = MAX_CONE;
	map_release(&seen);
}

void cone_release(struct cone *c)
{
	vec_release(&c->node);
	vec_release(&c->init);
}

static bool in_use(const struct node *n)
{
	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i] && n->out[i]->nuse)
			return true;
	return false;
}

void cone_remove(struct cone *c)
{
	/* What is new may use something of the cone again. */
	for (size_t i = 0; i < c->node.n; i++)
		if (!in_use(c->node.p[i]))
			node_remove(c->node.p[i]);
	for (size_t i = 0; i < c->init.n; i++)
		if (!c->init.p[i]->nuse)
			value_remove(c->init.p[i]);
}

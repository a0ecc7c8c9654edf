/* SPDX-License-Identifier: MIT */
/*
 * value.c -- values and their uses.
 */
#include "ir/core_p.h"

struct value *value_create(struct graph *g, sym name)
{
	struct value *v = arena_new(&g->model->arena, struct value);

	v->name = name;
	v->type = type_unknown();
	v->graph = g;
	return v;
}

void use_set(struct use *u, struct value *v)
{
	if (u->v == v)
		return;
	if (u->v) {
		*u->pprev = u->next;
		if (u->next)
			u->next->pprev = u->pprev;
		u->v->nuse--;
	}
	u->v = v;
	u->next = NULL;
	u->pprev = NULL;
	if (!v)
		return;
	u->next = v->uses;
	if (u->next)
		u->next->pprev = &u->next;
	u->pprev = &v->uses;
	v->uses = u;
	v->nuse++;
}

void value_replace_uses(struct value *from, struct value *to)
{
	value_replace_uses_except(from, to, NULL);
}

void value_replace_uses_except(struct value *from, struct value *to,
			       const struct node *user)
{
	struct use *u, *next;

	if (from == to)
		return;
	for (u = from->uses; u; u = next) {
		next = u->next;
		if (u->user != user)
			use_set(u, to);
	}
}

bool value_is_output(const struct value *v)
{
	const struct use *u;

	for (u = v->uses; u; u = u->next)
		if (v->graph && u->user == v->graph->ret)
			return true;
	return false;
}

enum op_id value_op(const struct value *v)
{
	return v && v->def ? v->def->op->id : OP_UNKNOWN;
}

void value_gone(struct value *v)
{
	if (v->graph && v->info && v->name)
		map_put(&v->graph->model->gone, v->name, 1);
	v->graph = NULL;
}

void value_remove(struct value *v)
{
	if (v->nuse)
		BUG("removal of a value that is used");
	if (v->is_input) {
		graph_drop_input(v->graph, v->slot);
		return;
	}
	if (v->def)
		v->def->out[v->slot] = NULL;
	value_gone(v);
}

/* Function bodies have no place for initializers; before IR version 4 each
 * would have to be a graph input, too. */
static bool holds_inits(const struct graph *g)
{
	const struct model *m = g->model;

	return !g->func && (!m->has_ir_version || m->ir_version >= 4);
}

struct value *value_const(struct graph *g, const struct tensor *t,
			  struct node *before)
{
	struct node *n;

	if (holds_inits(g))
		return graph_add_init(g, 0, t);
	n = node_make(g, OP_Constant, 0, 1, before);
	if (!n) {
		model_import(g, DOM_ONNX, 1);
		n = node_make(g, OP_Constant, 0, 1, before);
	}
	node_set_tensor(n, "value", t);
	n->out[0]->type = tensor_type(g->model, t);
	n->out[0]->konst = t;
	return n->out[0];
}

/* SPDX-License-Identifier: MIT */
/*
 * place.c -- which nodes become integer, and which values get Q and DQ.
 *
 * A MAC node (Conv, Gemm, MatMul with a constant weight) is integer if its
 * types allow.  A glue node (Add, pooling, ...) follows only inside an island
 * of integer nodes: some producer and every consumer must be integer, so that
 * no boundary is added for its sake and float chains (residual streams into
 * LayerNormalization, masked scores into Softmax) stay exact.
 */
#include <stdlib.h>
#include <string.h>
#include "quant/quant_p.h"

static const struct kind_row {
	enum op_id op;
	enum unit_kind kind;
} kinds[] = {
	{OP_Conv, UNIT_MAC},         {OP_Gemm, UNIT_MAC},
	{OP_MatMul, UNIT_MAC},       {OP_Add, UNIT_GLUE},
	{OP_Mul, UNIT_GLUE},         {OP_Concat, UNIT_GLUE},
	{OP_AveragePool, UNIT_GLUE}, {OP_GlobalAveragePool, UNIT_GLUE},
	{OP_LeakyRelu, UNIT_GLUE},   {OP_Sigmoid, UNIT_GLUE},
	{OP_MaxPool, UNIT_PASS},     {OP_Reshape, UNIT_PASS},
	{OP_Flatten, UNIT_PASS},     {OP_Transpose, UNIT_PASS},
	{OP_Squeeze, UNIT_PASS},     {OP_Unsqueeze, UNIT_PASS},
};

static bool named(const char *const *list, struct str a, struct str b)
{
	for (; list && *list; list++)
		if (str_is(a, *list) || str_is(b, *list))
			return true;
	return false;
}

enum status plan_each_node(struct plan *p,
			   enum status (*visit)(struct plan *p, struct node *n))
{
	graph_vec graphs = {0};
	struct node *n, *next;
	enum status s = OK;

	model_graphs(p->m, &graphs);
	for (size_t i = 0; i < graphs.n && !s; i++) {
		if (graphs.p[i]->func)
			continue;
		graph_foreach_safe (n, next, graphs.p[i])
			if (!s)
				s = visit(p, n);
	}
	vec_release(&graphs);
	return s;
}

bool plan_excluded(const struct plan *p, const struct node *n)
{
	struct str op = sym_str(p->m, n->type);

	if (p->o->only && *p->o->only && !named(p->o->only, op, op))
		return true;
	return named(p->o->exclude, sym_str(p->m, n->name), op);
}

void plan_skip(struct plan *p, const struct node *n, const char *why)
{
	struct quant_skip s = {
		n->name ? sym_text(p->m, n->name) : "(unnamed)",
		sym_text(p->m, n->type),
		why,
	};

	vec_push(&p->skips, s);
}

struct unit *plan_unit(struct plan *p, const struct node *n)
{
	uint64_t *i = n ? map_get(&p->unit_of, map_ptr_key(n)) : NULL;

	return i && p->units.p[*i].kind ? &p->units.p[*i] : NULL;
}

static bool is_float(const struct value *v)
{
	return v && v->type->kind == TY_TENSOR && v->type->dt == DT_F32;
}

/* Relu, or Clip with constant bounds and a minimum of zero. */
static bool absorbable(const struct node *n)
{
	double lo, hi;

	if (node_is(n, OP_Relu))
		return true;
	if (!node_is(n, OP_Clip))
		return false;
	return node_float_param(n, "min", 1, -3.4e38, &lo) &&
	       node_float_param(n, "max", 2, 3.4e38, &hi) && lo == 0 && hi > 0;
}

/* Inputs of n that carry activations: pass-through nodes have one. */
static uint32_t act_inputs(const struct unit *u)
{
	return u->kind == UNIT_PASS ? 1 : u->n->nin;
}

static const char *unfit_mac(const struct node *n)
{
	struct weight w[WEIGHT_MAX];
	size_t k = node_weights(n, w);

	if (!is_float(node_in(n, 0)) || !is_float(node_out(n, 0)))
		return "it does not compute in float32";
	if (k == 0 || w[0].v->konst->dt != DT_F32)
		return "its weight is not a stored constant";
	if (k > 1 || w[0].input != 1)
		return "its activation is not its first input";
	if (w[0].channel < 0)
		return "its weight has a single column";
	return NULL;
}

static const char *unfit(const struct unit *u)
{
	if (u->kind == UNIT_MAC)
		return unfit_mac(u->n);
	for (uint32_t i = 0; i < act_inputs(u); i++) {
		const struct value *v = node_in(u->n, i);

		if (!is_float(v))
			return "it does not compute in float32";
		if (v->konst)
			return "an input is constant";
	}
	if (u->n->nout != 1 && u->n->out[1] && u->n->out[1]->nuse)
		return "it has a second output";
	return NULL;
}

static void add_unit(struct plan *p, struct node *n, enum unit_kind kind)
{
	struct unit u = {.n = n,
			 .kind = kind,
			 .x = node_in(n, 0),
			 .out = node_out(n, 0)};
	const char *why;

	if (!u.out)
		return;
	why = plan_excluded(p, n) ? "excluded" : unfit(&u);
	if (why && kind == UNIT_MAC)
		plan_skip(p, n, why);
	if (why)
		return;
	if (u.out->nuse == 1 && kind != UNIT_PASS) {
		struct node *user = u.out->uses->user;

		if (user->graph == n->graph && absorbable(user) &&
		    u.out->uses == &user->in[0]) {
			u.relu = user;
			u.out = node_out(user, 0);
		}
	}
	map_put(&p->unit_of, map_ptr_key(n), p->units.n);
	vec_push(&p->units, u);
}

static enum status visit_unit(struct plan *p, struct node *n)
{
	for (size_t k = 0; k < countof(kinds); k++)
		if (node_is(n, kinds[k].op))
			add_unit(p, n, kinds[k].kind);
	return OK;
}

/* The integer unit whose output v is: its node's, or its absorbed Relu's. */
static struct unit *producer(struct plan *p, const struct value *v)
{
	struct node *def = v->def;
	struct unit *u = plan_unit(p, def);

	if (u)
		return u->out == v ? u : NULL;
	if (!def || !absorbable(def) || !node_in(def, 0))
		return NULL;
	u = plan_unit(p, node_in(def, 0)->def);
	return u && u->relu == def ? u : NULL;
}

static bool feeds_only_units(struct plan *p, const struct value *v)
{
	if (!v->uses)
		return false;
	for (const struct use *u = v->uses; u; u = u->next) {
		const struct unit *c = plan_unit(p, u->user);

		if (!c || (size_t)(u - u->user->in) >= act_inputs(c) ||
		    (c->kind == UNIT_MAC && u != &u->user->in[0]))
			return false;
	}
	return true;
}

static bool inside_island(struct plan *p, const struct unit *u)
{
	bool fed = false;

	for (uint32_t i = 0; i < act_inputs(u); i++)
		fed |= producer(p, node_in(u->n, i)) != NULL;
	return fed && feeds_only_units(p, u->out);
}

/* The greatest set in which every glue node is inside an island. */
static void drop_outside(struct plan *p)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < p->units.n; i++) {
			struct unit *u = &p->units.p[i];

			if (u->kind <= UNIT_MAC || inside_island(p, u))
				continue;
			u->kind = UNIT_NONE;
			changed = true;
		}
	}
}

static struct act *add_act(struct plan *p, struct value *v)
{
	struct act *a = map_get_ptr(&p->act_of, map_ptr_key(v));
	const struct unit *u;

	if (a)
		return a;
	a = arena_new(&p->m->arena, struct act);
	a->v = v;
	a->p.scale = 1;
	map_put_ptr(&p->act_of, map_ptr_key(v), a);
	vec_push(&p->acts, a);
	u = producer(p, v);
	a->everywhere = u && !value_is_output(v);
	return a;
}

/* An integer Conv needs integer output even if the consumer is float;
 * MatMul and Gemm exist with float output. */
static bool wants_output(struct plan *p, const struct unit *u)
{
	if (u->kind != UNIT_MAC)
		return true;
	if (node_is(u->n, OP_Conv))
		return !value_is_output(u->out) && u->out->uses;
	return feeds_only_units(p, u->out);
}

static void find_acts(struct plan *p)
{
	for (size_t i = 0; i < p->units.n; i++) {
		const struct unit *u = &p->units.p[i];
		uint32_t n = u->kind == UNIT_MAC ? 1 : act_inputs(u);

		for (uint32_t k = 0; u->kind && k < n; k++)
			add_act(p, node_in(u->n, k));
		if (u->kind && wants_output(p, u))
			add_act(p, u->out);
	}
	for (size_t i = 0; i < p->units.n; i++) {
		const struct unit *u = &p->units.p[i];

		if (u->kind == UNIT_PASS)
			add_act(p, u->out)->same = add_act(p, node_in(u->n, 0));
	}
}

void plan_make(struct plan *p)
{
	plan_each_node(p, visit_unit);
	drop_outside(p);
	find_acts(p);
}

void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->acts.n; i++)
		free(p->acts.p[i]->obs);
	vec_release(&p->units);
	vec_release(&p->acts);
	vec_release(&p->skips);
	map_release(&p->unit_of);
	map_release(&p->act_of);
	map_release(&p->zeros);
}

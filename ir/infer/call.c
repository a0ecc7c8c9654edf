/* SPDX-License-Identifier: MIT */
/*
 * call.c -- model-local functions.
 *
 * A function has one body and many callers.  Each call types the body with its
 * own inputs to learn its outputs; at the end the body is typed with what all
 * calls have in common.  The nodes visited are limited: a chain of functions
 * that each call the next twice would take for ever.
 */
#include "ir/infer/infer.h"

/* What the calls of a function have in common. */
struct callee {
	struct func *func;
	uint32_t calls, nin, nout;
	const struct type **in, **out;
};

static struct callee *callee_of(struct infer *s, struct func *f)
{
	struct callee *c = map_get_ptr(&s->call, map_ptr_key(f));
	struct arena *a = &f->body->model->arena;

	if (c)
		return c;
	c = arena_new(a, struct callee);
	c->func = f;
	c->nin = f->body->nin;
	c->nout = f->body->ret->nin;
	c->in = arena_array(a, c->nin + 1u, sizeof(*c->in));
	c->out = arena_array(a, c->nout + 1u, sizeof(*c->out));
	map_put_ptr(&s->call, map_ptr_key(f), c);
	return c;
}

static void join_into(struct model *m, const struct type **to,
		      const struct type *t)
{
	*to = *to ? type_join(m, *to, t) : t;
}

static bool over_budget(const struct infer *s)
{
	return s->visited > INFER_CALL_BUDGET;
}

static void set_inputs(struct node *n, struct graph *body)
{
	for (uint32_t i = 0; i < body->nin; i++) {
		struct value *v = body->in[i];
		const struct dim *d;
		uint32_t count;

		v->type = in_type(n, i);
		infer_name_dims(v);
		v->data = v->real = NULL;
		if (in_data(n, i, &d, &count)) {
			v->data = d;
			v->ndata = count;
		}
		if (in_real(n, i, &d, &count)) {
			v->real = d;
			v->nreal = count;
		}
	}
}

static void take_data(struct node *n, uint32_t i, const struct value *v)
{
	struct dim *d = dims_copy(n, v->data, v->ndata);

	for (uint32_t k = 0; k < v->ndata; k++)
		d[k] = dim_leave(d[k], n->func->body);
	out_data(n, i, d, v->ndata);
}

static enum status take_outputs(struct node *n, struct callee *c)
{
	struct graph *body = c->func->body;
	enum status st = OK;

	for (uint32_t i = 0; i < c->nout; i++) {
		const struct value *v = body->ret->in[i].v;
		const struct type *t =
			v ? type_leave(v->type, body) : type_unknown();

		join_into(body->model, &c->out[i], t);
		if (!st)
			st = out_type(n, i, t);
		if (v && v->data)
			take_data(n, i, v);
	}
	return st;
}

static enum status call(struct node *n, struct infer *s)
{
	struct callee *c = callee_of(s, n->func);
	struct graph *body = n->func->body;
	enum status st;

	if (s->depth >= INFER_MAX_DEPTH)
		s->visited = INFER_CALL_BUDGET + 1;
	if (over_budget(s))
		return OK;
	s->visited += body->nnode + 1;
	for (uint32_t i = 0; i < c->nin; i++)
		join_into(body->model, &c->in[i], in_type(n, i));
	infer_reset(body);
	set_inputs(n, body);
	s->depth++;
	st = infer_graph(body);
	s->depth--;
	if (!st)
		st = take_outputs(n, c);
	c->calls++;
	return st;
}

/* In the last walk over the bodies: what all calls returned. */
static enum status recall(struct node *n, struct infer *s)
{
	struct callee *c = callee_of(s, n->func);
	enum status st = OK;

	for (uint32_t i = 0; i < c->nout && !over_budget(s) && !st; i++)
		if (c->out[i])
			st = out_type(n, i, c->out[i]);
	return st;
}

enum status infer_call(struct node *n)
{
	struct model *m = node_model(n);
	struct infer own = {0};
	enum status st;

	if (!n->func || !n->func->body)
		return OK;
	if (m->infer)
		return m->infer->last ? recall(n, m->infer) : call(n, m->infer);
	arena_init(&own.scratch);
	m->infer = &own;
	st = call(n, &own);
	m->infer = NULL;
	map_release(&own.call);
	arena_release(&own.scratch);
	return st;
}

enum status infer_calls_finish(struct model *m)
{
	enum status st = OK;

	m->infer->last = true;
	for (size_t i = 0; i < m->func.n && !st; i++) {
		struct graph *body = m->func.p[i]->body;
		struct callee *c = callee_of(m->infer, m->func.p[i]);

		bool known = c->calls && !over_budget(m->infer);

		if (c->calls == 1 && known)
			continue;
		infer_reset(body);
		for (uint32_t k = 0; k < c->nin && known; k++)
			body->in[k]->type = c->in[k];
		for (uint32_t k = 0; k < c->nin; k++)
			infer_name_dims(body->in[k]);
		st = infer_graph(body);
	}
	return st;
}

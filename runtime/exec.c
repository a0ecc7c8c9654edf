/* SPDX-License-Identifier: MIT */
/*
 * exec.c -- runs a model that build.c made ready.
 *
 * Arrays are released at their last use.  Bodies of If, Loop and Scan and
 * functions run in frames of their own.  Time and memory limits are checked
 * at every node.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ir/formal.h"
#include "runtime/exec_p.h"

static enum status run_sub(struct exec *e, const struct node *n, struct body *b,
			   struct frame *up, struct array *const *in,
			   struct array **out);

struct exec *exec_create(struct model *m, const struct exec_opts *o)
{
	struct exec *e = xcalloc(1, sizeof *e);

	e->m = m;
	if (o)
		e->o = *o;
	arena_init(&e->mem);
	if (exec_build(e)) {
		exec_free(e);
		return NULL;
	}
	if (!e->o.keep_all)
		exec_plan(e);
	return e;
}

void exec_free(struct exec *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->bodies.n; i++)
		map_release(&e->bodies.p[i]->slots);
	for (size_t i = 0; i < e->cached.n; i++)
		for (struct cached *k = e->cached.p[i]->cache; k; k = k->next)
			blob_unref(k->blob);
	for (size_t i = 0; i < e->konsts.n; i++)
		array_unref(e->konsts.p[i]);
	vec_release(&e->bodies);
	vec_release(&e->cached);
	vec_release(&e->konsts);
	map_release(&e->konst_of);
	blob_unref(e->arena);
	arena_release(&e->mem);
	free(e);
}

static struct array *operand(const struct ref *r, struct frame *f)
{
	if (r->konst)
		return r->konst;
	if (r->slot == SLOT_NONE)
		return NULL;
	for (uint32_t i = 0; i < r->up; i++)
		f = f->up;
	return f->slot[r->slot];
}

/* The same with its data, which stay. */
static enum status whole_operand(struct exec *e, const struct ref *r,
				 struct frame *f, struct array **out)
{
	struct array *a = *out = operand(r, f);

	if (!a || !a->source)
		return OK;
	a->pinned = true;
	return array_load(e->m, a);
}

/* ---- one step ---- */

static kernel_fn *step_fn(const struct exec *e, const struct step *s)
{
	if (e->o.set == EXEC_FAST && s->k->fast)
		return s->k->fast;
	return s->k->ref;
}

/* Required operands are there, and sequences come only where the operator
 * takes them: kernels rely on it. */
enum status call_check(struct kcall *c, bool tensors_only)
{
	const struct op *op = c->node->op;
	struct formal f;

	if (c->nin < (uint32_t)op->in_min || c->nout < (uint32_t)op->out_min)
		return kcall_error(c, E_arity, "too few inputs or outputs");
	for (uint32_t i = 0; i < c->nin; i++) {
		const struct array *a = c->in[i];

		if (!a && formal_at(op->in, i, &f) && !f.optional)
			return kcall_error(c, E_value, "input %u has no value",
					   i);
		if (a && a->kind != ARR_TENSOR && tensors_only)
			return kcall_error(c, E_type,
					   "input %u is not a tensor", i);
	}
	return OK;
}

/* The operands of what follows, which are all there already. */
static enum status tail_operands(struct exec *e, struct step *s,
				 struct frame *f)
{
	enum status st = OK;

	for (uint32_t k = 0; k < s->ntail; k++)
		for (uint32_t i = 0; i < s->tail[k]->n->nin && !st; i++)
			st = whole_operand(e, &s->tail[k]->in[i], f,
					   &s->tail_in[k].in[i]);
	return st;
}

/* A weight that the step packs need not be there again. */
static enum status step_operands(struct exec *e, const struct step *s,
				 struct frame *f, struct array **in)
{
	enum status st = OK;

	for (uint32_t i = 0; i < s->n->nin && !st; i++) {
		in[i] = operand(&s->in[i], f);
		if (in[i] && !(i < 32 && s->packed >> i & 1))
			st = array_load(e->m, in[i]);
	}
	return st;
}

/* After the step: whoever did not pack a constant will want it again. */
static void step_unload(const struct step *s, struct array *const *in)
{
	for (uint32_t i = 0; i < s->n->nin; i++) {
		if (!s->in[i].konst || !in[i]->source)
			continue;
		if (i < 32 && s->packed >> i & 1)
			array_unload(in[i]);
		else
			in[i]->pinned = true;
	}
}

static enum status call_kernel(struct exec *e, struct step *s, struct frame *f,
			       struct array **in, struct array **out);

/* What the kernel left of its tail, operator by operator. */
static enum status run_tail(struct exec *e, struct step *s, uint32_t k,
			    struct frame *f, struct array **out)
{
	enum status st = OK;

	for (; k < s->ntail && !st; k++) {
		struct kcall_tail *t = &s->tail_in[k];
		struct array *x = out[0];

		t->in[t->into] = x;
		out[0] = NULL;
		st = call_kernel(e, s->tail[k], f, t->in, out);
		array_unref(x);
	}
	return st;
}

static enum status call_kernel(struct exec *e, struct step *s, struct frame *f,
			       struct array **in, struct array **out)
{
	struct call call = {
		.c = {.m = e->m,
		      .d = e->m->diag,
		      .node = s->n,
		      .exec = e,
		      .in = in,
		      .nin = s->n->nin,
		      .out = out,
		      .nout = s->n->nout,
		      .tail = s->tail_in,
		      .ntail = s->ntail},
		.step = s,
		.frame = f,
	};
	enum status st = call_check(&call.c, s->tensors_only);

	if (!st)
		st = tail_operands(e, s, f);
	if (!st)
		st = step_fn(e, s)(&call.c);
	if (!st && call.c.taken < s->ntail)
		st = run_tail(e, s, call.c.taken, f, out);
	for (uint32_t i = 0; !st && i < s->n->nout; i++)
		if (out[i] && out[i]->kind == ARR_TENSOR)
			st = array_own_strings(e->m->diag, out[i]);
	call_release(&call);
	return st;
}

/* A function may have more parameters and results than the call names. */
static enum status call_func(struct exec *e, struct step *s, struct array **in,
			     struct array **out)
{
	struct body *b = s->sub[0];
	uint32_t nin = s->n->nin, nout = s->n->nout;
	struct array **args = xcalloc((size_t)b->g->nin + 1, sizeof *args);
	struct array **rets = xcalloc((size_t)b->nret + 1, sizeof *rets);
	enum status st;

	for (uint32_t i = 0; i < b->g->nin && i < nin; i++)
		args[i] = in[i];
	st = run_sub(e, s->n, b, NULL, args, rets);
	for (uint32_t i = 0; i < b->nret; i++) {
		if (i < nout)
			out[i] = rets[i];
		else
			array_unref(rets[i]);
	}
	free(args);
	free(rets);
	return st;
}

static void step_drop(const struct exec *e, const struct step *s,
		      struct frame *f)
{
	if (e->o.keep_all)
		return;
	for (uint32_t i = 0; i < s->ndrop; i++) {
		array_unref(f->slot[s->drop[i]]);
		f->slot[s->drop[i]] = NULL;
	}
}

static void step_store(struct exec *e, const struct step *s, struct frame *f,
		       struct array **out)
{
	for (uint32_t i = 0; i < s->n->nout; i++) {
		if (s->out[i] == SLOT_NONE) {
			array_unref(out[i]);
			continue;
		}
		f->slot[s->out[i]] = out[i];
		if (e->o.hook && out[i])
			e->o.hook(e->o.hook_arg, s->n->out[i], out[i]);
	}
	step_drop(e, s, f);
}

/* Apart, for node_at() takes memory that only an error may take. */
static enum status out_of_time(struct exec *e, const struct node *n)
{
	struct at at = node_at(n);

	return diag_error(e->m->diag, &at, E_time,
			  "the time limit was reached");
}

static enum status run_step(struct exec *e, struct step *s, struct frame *f,
			    struct array **in, struct array **out)
{
	double start = e->o.timer ? clock_seconds() : 0;
	enum status st;

	if (!limit_time_ok())
		return out_of_time(e, s->n);
	if (s->merged) {
		step_drop(e, s, f);
		return OK;
	}
	memset(out, 0, s->n->nout * sizeof *out);
	st = step_operands(e, s, f, in);
	if (!st)
		st = s->k ? call_kernel(e, s, f, in, out)
			  : call_func(e, s, in, out);
	if (st) {
		for (uint32_t i = 0; i < s->n->nout; i++)
			array_unref(out[i]);
		return st;
	}
	if (e->o.timer)
		e->o.timer(e->o.timer_arg,
			   &(struct exec_event){s->n, in, out, start,
						clock_seconds() - start});
	step_unload(s, in);
	step_store(e, s, f, out);
	return OK;
}

/* ---- bodies ---- */

static enum status run_steps(struct exec *e, struct body *b, struct frame *f)
{
	struct array **io = NULL;
	size_t cap = 0;
	enum status st = OK;

	for (uint32_t i = 0; !st && i < b->nstep; i++) {
		const struct node *n = b->step[i].n;
		size_t need = (size_t)n->nin + n->nout;

		if (need > cap) {
			cap = 2 * need;
			io = xrealloc(io, cap * sizeof *io);
		}
		st = run_step(e, &b->step[i], f, io, io + n->nin);
	}
	free(io);
	return st;
}

static void frame_inputs(struct exec *e, struct frame *f,
			 struct array *const *in)
{
	const struct body *b = f->body;

	for (uint32_t i = 0; i < b->g->nin; i++) {
		struct array *a = in ? in[i] : NULL;

		if (!a || b->g->in[i]->konst)
			a = b->dflt[i] ? b->dflt[i] : a;
		f->slot[i] = array_ref(a);
		if (a && e->o.hook)
			e->o.hook(e->o.hook_arg, b->g->in[i], a);
	}
}

static enum status run_body(struct exec *e, struct body *b, struct frame *up,
			    struct array *const *in, struct array **out)
{
	struct frame f = {.up = up, .body = b};
	enum status st;

	f.slot = xcalloc(b->nslot ? b->nslot : 1, sizeof *f.slot);
	frame_inputs(e, &f, in);
	st = run_steps(e, b, &f);
	for (uint32_t i = 0; !st && i < b->nret; i++)
		st = whole_operand(e, &b->ret[i], &f, &out[i]);
	for (uint32_t i = 0; i < b->nret; i++)
		out[i] = st ? NULL : array_ref(out[i]);
	for (uint32_t i = 0; i < b->nslot; i++)
		array_unref(f.slot[i]);
	free(f.slot);
	return st;
}

/* A body of n, with the caller told when it begins and ends. */
static enum status run_sub(struct exec *e, const struct node *n, struct body *b,
			   struct frame *up, struct array *const *in,
			   struct array **out)
{
	enum status st;

	if (e->o.frame)
		e->o.frame(e->o.frame_arg, n, b->g, true);
	st = run_body(e, b, up, in, out);
	if (e->o.frame)
		e->o.frame(e->o.frame_arg, n, b->g, false);
	return st;
}

enum status kcall_body(struct kcall *c, struct graph *g,
		       struct array *const *in, struct array **out)
{
	struct call *call = (struct call *)c;

	if (!call->step)
		return kcall_error(c, E_unsupported,
				   "bodies are not evaluated while folding");
	for (uint32_t i = 0; i < call->step->nsub; i++)
		if (call->step->sub[i]->g == g)
			return run_sub(c->exec, c->node, call->step->sub[i],
				       call->frame, in, out);
	return kcall_error(c, E_attr, "the body is not one of the node's");
}

/* ---- the whole model ---- */

static enum status check_inputs(const struct exec *e, struct array *const *in)
{
	const struct graph *g = e->m->main;

	for (uint32_t i = 0; i < g->nin; i++) {
		const struct value *v = g->in[i];
		struct buf why = {0};
		enum status st = OK;

		if (!in[i] && !e->main->dflt[i])
			st = diag_error(e->m->diag, NULL, E_input,
					"no data for input '%s'",
					sym_text(e->m, v->name));
		else if (in[i] && !array_fits(in[i], v->type, &why))
			st = diag_error(e->m->diag, NULL, E_input,
					"data for input '%s' has %s",
					sym_text(e->m, v->name), why.p);
		buf_release(&why);
		if (st)
			return st;
	}
	return OK;
}

/* What leaves the executor must not live in its arena. */
static bool holds_planned(const struct array *a)
{
	for (uint32_t i = 0; i < a->nitem; i++)
		if (holds_planned(a->item[i]))
			return true;
	return a->region != NULL;
}

static enum status unplan_outputs(struct exec *e, struct array **out)
{
	enum status st = OK;

	for (uint32_t i = 0; i < e->main->nret; i++) {
		struct array *a = out[i];

		if (!a) {
			st = diag_error(e->m->diag, NULL, E_value,
					"graph output %u has no value", i);
			continue;
		}
		if (!holds_planned(a))
			continue;
		out[i] = array_copy(e->m->diag, a);
		array_unref(a);
		if (!out[i])
			st = LIMIT;
	}
	for (uint32_t i = 0; st && i < e->main->nret; i++) {
		array_unref(out[i]);
		out[i] = NULL;
	}
	return st;
}

enum status exec_run(struct exec *e, struct array *const *in,
		     struct array **out)
{
	enum status st = check_inputs(e, in);

	memset(out, 0, e->main->nret * sizeof *out);
	if (st)
		return st;
	if (e->stats.planned && !e->arena) {
		e->arena = blob_alloc(e->m->diag, e->stats.planned);
		if (!e->arena)
			return LIMIT;
	}
	e->runs++;
	st = run_body(e, e->main, NULL, in, out);
	if (st)
		return st;
	return unplan_outputs(e, out);
}

uint32_t exec_random_nodes(const struct exec *e)
{
	return e->nrandom;
}

size_t exec_planned_bytes(const struct exec *e)
{
	return e->stats.planned;
}

void exec_plan_stats(const struct exec *e, struct plan_stats *s)
{
	*s = e->stats;
}

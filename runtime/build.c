/* SPDX-License-Identifier: MIT */
/*
 * build.c -- makes graphs ready to run: numbers values, resolves operands,
 * selects kernels, finds where each value dies.
 *
 * A function's body is built once per call, with the caller's attributes
 * bound into copies of its nodes.  Depth and total steps are limited.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/exec_p.h"

/* Attributes of the call whose function body is being built. */
struct binding {
	const struct node *call; /* NULL: not in a function */
	const struct func *func;
};

static struct body *build_body(struct exec *e, const struct graph *g,
			       struct body *parent, const struct binding *bind,
			       int depth);

struct array *exec_konst(struct exec *e, const struct tensor *t)
{
	struct array *a = map_get_ptr(&e->konst_of, map_ptr_key(t));

	if (a)
		return a;
	a = array_of_tensor_late(e->m, t);
	if (!a)
		return NULL;
	map_put_ptr(&e->konst_of, map_ptr_key(t), a);
	vec_push(&e->konsts, a);
	return a;
}

/* Slots grow by doubling; the arena keeps the outgrown ones. */
static uint32_t slot_new(struct exec *e, struct body *b, const struct value *v)
{
	uint32_t s = b->nslot++;

	if ((s & (s - 1)) == 0) {
		size_t cap = s ? 2 * (size_t)s : 1;
		const struct value **val =
			arena_array(&e->mem, cap, sizeof *val);
		uint32_t *first = arena_array(&e->mem, cap, sizeof *first);
		uint32_t *last = arena_array(&e->mem, cap, sizeof *last);

		if (s) {
			memcpy(val, b->value, s * sizeof *val);
			memcpy(first, b->first, s * sizeof *first);
			memcpy(last, b->last, s * sizeof *last);
		}
		b->value = val;
		b->first = first;
		b->last = last;
	}
	b->value[s] = v;
	b->first[s] = b->last[s] = b->cur;
	map_put(&b->slots, map_ptr_key(v), s);
	return s;
}

static enum status resolve(struct exec *e, struct body *b,
			   const struct value *v, struct ref *r)
{
	const struct tensor *konst;
	uint64_t *slot;

	*r = (struct ref){.slot = SLOT_NONE};
	if (!v)
		return OK;
	/* A sparse initializer is no constant to the passes. */
	konst = v->konst || v->is_input ? v->konst : v->init;
	if (konst) {
		r->konst = exec_konst(e, konst);
		return r->konst ? OK : BAD_MODEL;
	}
	for (; b; b = b->parent, r->up++) {
		slot = map_get(&b->slots, map_ptr_key(v));
		if (!slot)
			continue;
		r->slot = (uint32_t)*slot;
		if (b->last[r->slot] != UINT32_MAX)
			b->last[r->slot] = b->cur;
		return OK;
	}
	return diag_error(e->m->diag, NULL, E_undefined,
			  "value '%s' is not defined in the scope of its user",
			  sym_text(e->m, v->name));
}

/* ---- attributes of functions ---- */

static const struct attr *bound_attr(const struct binding *bind, sym ref)
{
	const struct node *call = bind->call;

	for (uint32_t i = 0; i < call->nattr; i++)
		if (call->attr[i].name == ref)
			return &call->attr[i];
	for (uint32_t i = 0; i < bind->func->nattr_default; i++)
		if (bind->func->attr_default[i].name == ref)
			return &bind->func->attr_default[i];
	return NULL;
}

/* The node itself, or a copy whose attribute references are replaced. */
static const struct node *bind_node(struct exec *e, const struct node *n,
				    const struct binding *bind)
{
	struct node *copy;
	uint32_t refs = 0;

	for (uint32_t i = 0; i < n->nattr; i++)
		refs += n->attr[i].ref != 0;
	if (!refs || !bind->call)
		return n;
	copy = arena_dup(&e->mem, n, sizeof *n);
	copy->attr = arena_array(&e->mem, n->nattr, sizeof *n->attr);
	copy->nattr = 0;
	for (uint32_t i = 0; i < n->nattr; i++) {
		struct attr *to = &copy->attr[copy->nattr];
		const struct attr *a = &n->attr[i];

		if (a->ref && !(a = bound_attr(bind, a->ref)))
			continue; /* not given: the default */
		*to = *a;
		to->name = n->attr[i].name;
		copy->nattr++;
	}
	return copy;
}

/* ---- steps ---- */

static enum status build_subs(struct exec *e, struct body *b, struct step *s,
			      const struct binding *bind, int depth)
{
	size_t n = s->k ? node_graph_count(s->n) : 1;

	s->sub = arena_array(&e->mem, n, sizeof(struct body *));
	for (size_t i = 0; i < n; i++) {
		struct binding inner = {s->n, s->n->func};

		s->sub[i] = s->k ? build_body(e, node_graph(s->n, i), b, bind,
					      depth + 1)
				 : build_body(e, s->n->func->body, NULL, &inner,
					      depth + 1);
		if (!s->sub[i])
			return BAD_MODEL;
		s->nsub++;
	}
	return OK;
}

/* Operators of other domains than ours, which no schema lists. */
static const char *foreign_refusal(struct str domain)
{
	if (str_is(domain, "com.microsoft.nchwc"))
		return "its layout is that of one kind of CPU, which ONNX "
		       "Runtime writes at ORT_ENABLE_ALL; at "
		       "ORT_ENABLE_EXTENDED it does not";
	return NULL;
}

static enum status no_kernel(struct exec *e, const struct node *n)
{
	const char *why = n->op->id == OP_UNKNOWN
				  ? foreign_refusal(sym_str(e->m, n->domain))
				  : kernel_refusal(n->op->id);
	struct at at = node_at(n);

	return diag_error(e->m->diag, &at, E_unsupported,
			  "no kernel for operator '%s' version %d%s%s",
			  sym_text(e->m, n->type), n->op->since,
			  why ? ": " : "", why ? why : "");
}

bool op_tensors_only(const struct op *op)
{
	return !(op->flags & OPF_SUBGRAPH) &&
	       !strstr(op->constraints, "seq(") &&
	       !strstr(op->constraints, "map(") &&
	       !strstr(op->constraints, "optional(") && !strstr(op->in, "seq(");
}

static bool used(const struct node *n)
{
	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i] && n->out[i]->nuse)
			return true;
	return false;
}

static enum status build_step(struct exec *e, struct body *b,
			      const struct node *n, const struct binding *bind,
			      int depth)
{
	struct step *s = &b->step[b->nstep];
	enum status st;

	s->n = bind_node(e, n, bind);
	s->k = n->op->id == OP_CALL ? NULL : kernel_find(n->op);
	if (!s->k && (n->op->id != OP_CALL || !n->func))
		return no_kernel(e, n);
	s->tensors_only = s->k && op_tensors_only(n->op);
	if (++e->nstep > STEPS_MAX)
		return diag_error(e->m->diag, NULL, E_func,
				  "functions expand to more than %u nodes",
				  STEPS_MAX);
	if (node_random(s->n) && used(n))
		s->random = ++e->nrandom;
	b->cur = b->nstep;
	s->in = arena_array(&e->mem, n->nin, sizeof *s->in);
	for (uint32_t i = 0; i < n->nin; i++) {
		st = resolve(e, b, n->in[i].v, &s->in[i]);
		if (st)
			return st;
	}
	st = build_subs(e, b, s, bind, depth);
	if (st)
		return st;
	s->out = arena_array(&e->mem, n->nout, sizeof *s->out);
	for (uint32_t i = 0; i < n->nout; i++)
		s->out[i] = n->out[i] ? slot_new(e, b, n->out[i]) : SLOT_NONE;
	b->nstep++;
	return OK;
}

/* Per step, the slots whose last use it is. */
static void build_drops(struct exec *e, struct body *b)
{
	for (uint32_t i = 0; i < b->nslot; i++)
		if (b->last[i] < b->nstep)
			b->step[b->last[i]].ndrop++;
	for (uint32_t i = 0; i < b->nstep; i++) {
		struct step *s = &b->step[i];

		s->drop = arena_array(&e->mem, s->ndrop, sizeof *s->drop);
		s->ndrop = 0;
	}
	for (uint32_t i = 0; i < b->nslot; i++)
		if (b->last[i] < b->nstep) {
			struct step *s = &b->step[b->last[i]];

			s->drop[s->ndrop++] = i;
		}
}

static enum status build_inputs(struct exec *e, struct body *b)
{
	const struct graph *g = b->g;

	b->dflt = arena_array(&e->mem, g->nin, sizeof(struct array *));
	for (uint32_t i = 0; i < g->nin; i++) {
		const struct value *v = g->in[i];

		slot_new(e, b, v);
		/* Held by the caller anyway; unused ones stay too. */
		if (v->konst || v->init) {
			b->dflt[i] =
				exec_konst(e, v->konst ? v->konst : v->init);
			if (!b->dflt[i] || array_load(e->m, b->dflt[i]))
				return BAD_MODEL;
			b->dflt[i]->pinned = true;
		}
	}
	return OK;
}

static bool is_const_node(const struct node *n)
{
	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i] && !n->out[i]->konst)
			return false;
	return n->op->id == OP_Constant;
}

static enum status build_ret(struct exec *e, struct body *b)
{
	const struct node *ret = b->g->ret;

	b->nret = ret->nin;
	b->cur = b->nstep;
	b->ret = arena_array(&e->mem, b->nret, sizeof *b->ret);
	for (uint32_t i = 0; i < b->nret; i++) {
		enum status st = resolve(e, b, ret->in[i].v, &b->ret[i]);

		if (st)
			return st;
		if (b->ret[i].slot != SLOT_NONE && b->ret[i].up == 0)
			b->last[b->ret[i].slot] = UINT32_MAX;
	}
	return OK;
}

static struct body *build_body(struct exec *e, const struct graph *g,
			       struct body *parent, const struct binding *bind,
			       int depth)
{
	struct body *b = arena_new(&e->mem, struct body);
	const struct node *n;
	size_t count = 0;

	vec_push(&e->bodies, b);
	b->g = g;
	b->parent = parent;
	if (depth > BODY_MAX_DEPTH) {
		diag_error(e->m->diag, NULL, E_func,
			   "bodies or functions nested deeper than %d",
			   BODY_MAX_DEPTH);
		return NULL;
	}
	graph_foreach (n, g)
		count++;
	b->step = arena_array(&e->mem, count, sizeof *b->step);
	if (build_inputs(e, b))
		return NULL;
	graph_foreach (n, g)
		if (!is_const_node(n) && build_step(e, b, n, bind, depth))
			return NULL;
	if (build_ret(e, b))
		return NULL;
	exec_fuse(e, b);
	build_drops(e, b);
	return b;
}

enum status exec_build(struct exec *e)
{
	const struct binding none = {0};

	e->main = build_body(e, e->m->main, NULL, &none, 0);
	return e->main ? OK : BAD_MODEL;
}

/* ---- support ---- */

/* How many nodes to look at, functions expanded: those may double at every
 * level. */
struct probe {
	uint32_t left;
};

static const struct node *unsupported_in(struct probe *p, const struct graph *g,
					 int depth);

static bool supports_at(struct probe *p, const struct node *n, int depth)
{
	if (depth > BODY_MAX_DEPTH || p->left == 0)
		return false;
	p->left--;
	if (n->op->id == OP_CALL)
		return n->func && !unsupported_in(p, n->func->body, depth + 1);
	if (!kernel_find(n->op))
		return false;
	for (size_t i = 0; i < node_graph_count(n); i++)
		if (unsupported_in(p, node_graph(n, i), depth + 1))
			return false;
	return true;
}

static const struct node *unsupported_in(struct probe *p, const struct graph *g,
					 int depth)
{
	const struct node *n;

	graph_foreach (n, g)
		if (!is_const_node(n) && !supports_at(p, n, depth))
			return n;
	return NULL;
}

bool exec_supports(const struct node *n)
{
	struct probe p = {STEPS_MAX};

	return supports_at(&p, n, 0);
}

const struct node *exec_unsupported(const struct model *m)
{
	struct probe p = {STEPS_MAX};

	return unsupported_in(&p, m->main, 0);
}

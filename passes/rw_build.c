/* SPDX-License-Identifier: MIT */
/*
 * rw_build.c -- run a rule's guards and build its replacement as a patch.
 *
 * An operator whose inputs are all constant is evaluated at once by the
 * reference evaluator; floats in double, rounded once when the result becomes
 * an operand of a node.  Other operators become nodes in front of the root,
 * without users, with inferred types: rw_drop() leaves no trace of them.
 */
#include <string.h>
#include "ir/formal.h"
#include "passes/params_p.h"
#include "passes/rewrite_p.h"

struct operand_list {
	struct rw_val a[RW_MAX_KIDS];
	uint32_t n;
	struct rw_val set[RW_MAX_KIDS];
	const char *name[RW_MAX_KIDS];
	uint32_t nset;
	const struct node *copy; /* attributes of this one */
};

/* ---- values of expressions ---- */

const struct tensor *rw_tensor(const struct rw_val *a)
{
	if (a->kind == RV_CONST)
		return a->t;
	return a->kind == RV_VALUE ? a->v->konst : NULL;
}

struct rw_val rw_of_value(struct value *v)
{
	return (struct rw_val){.kind = v ? RV_VALUE : RV_NONE, .v = v};
}

struct rw_val rw_of_tensor(const struct tensor *t, enum dtype dt)
{
	return (struct rw_val){.kind = RV_CONST, .t = t, .dt = dt};
}

struct rw_val rw_of_num(double x)
{
	return (struct rw_val){.kind = RV_NUM, .num = x};
}

struct rw_val rw_of_ints(struct rewrite *w, const int64_t *v, size_t n)
{
	struct rw_val r = {.kind = RV_INTS, .n = n};

	r.i = arena_dup(&w->m->arena, v, n * sizeof *v);
	return r;
}

/* The element type that a constant has as an operand. */
static enum dtype val_dtype(const struct rw_val *a)
{
	switch (a->kind) {
	case RV_CONST:
		return a->dt;
	case RV_VALUE:
		return a->v->type->kind == TY_TENSOR ? a->v->type->dt : DT_NONE;
	case RV_INTS:
		return DT_I64;
	default:
		return DT_NONE;
	}
}

static const struct tensor *as_tensor(struct rewrite *w, const struct rw_val *a,
				      enum dtype like)
{
	int64_t n = (int64_t)a->n;

	switch (a->kind) {
	case RV_CONST:
	case RV_VALUE:
		return rw_tensor(a);
	case RV_NUM:
		return like == DT_NONE ? NULL
				       : tensor_scalar(w->m, like, a->num);
	case RV_INTS:
		return tensor_i64(w->m, 1, &n, a->i);
	default:
		return NULL;
	}
}

bool rw_as_value(struct rewrite *w, const struct rw_val *a, enum dtype like,
		 struct value **out)
{
	const struct tensor *t;
	struct value *v;

	*out = a->kind == RV_VALUE ? a->v : NULL;
	if (a->kind == RV_NONE || a->kind == RV_VALUE)
		return true;
	t = as_tensor(w, a, like);
	if (t && a->kind == RV_CONST)
		t = const_cast_to(w->m, t, a->dt);
	if (!t || !const_finite(w->m, t))
		return rw_miss(w, "a new constant cannot be computed or is "
				  "not finite");
	v = value_create(w->root->graph, 0);
	v->konst = t;
	v->type = tensor_type(w->m, t);
	vec_push(&w->konst, v);
	*out = v;
	return true;
}

/* Does this version of the operator take these operands? */
static bool operands_allowed(const struct node *n)
{
	struct formal f;

	if ((int)n->nin < n->op->in_min || (int)n->nin > n->op->in_max)
		return false;
	for (uint32_t i = 0; i < n->nin; i++) {
		const struct value *v = n->in[i].v;

		if (!formal_at(n->op->in, i, &f))
			continue;
		if (v ? !formal_allows(formal_types(n->op, f.type), v->type)
		      : !f.optional)
			return false;
	}
	return true;
}

bool rw_adopt(struct rewrite *w, struct node *n)
{
	struct diag *d = w->m->diag, quiet = {0};
	enum status s;

	vec_push(&w->made, n);
	if (!operands_allowed(n))
		return rw_miss(w, "this opset's %s does not take the operands",
			       n->op->name);
	w->m->diag = &quiet;
	s = node_infer(n);
	w->m->diag = d;
	diag_release(&quiet);
	return s == OK ||
	       rw_miss(w, "the new %s does not type-check", n->op->name);
}

/* ---- operators ---- */

static bool all_const(const struct operand_list *l)
{
	bool any = false;

	for (uint32_t i = 0; i < l->n; i++) {
		if (l->a[i].kind == RV_VALUE && !l->a[i].v->konst)
			return false;
		any |= l->a[i].kind != RV_NONE;
	}
	return any;
}

static enum dtype list_dtype(const struct operand_list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (val_dtype(&l->a[i]) != DT_NONE)
			return val_dtype(&l->a[i]);
	return DT_NONE;
}

static bool apply_set(struct rewrite *w, struct node *n, const char *name,
		      const struct rw_val *a, enum dtype like)
{
	int input = param_input(n->op, name);
	struct value *v;

	if (param_attr_kind(n->op, name) == 0 && input >= 0) {
		if (!rw_as_value(w, a, like, &v))
			return false;
		if (!v)
			return true;
		if ((uint32_t)input >= n->nin)
			node_resize_inputs(n, (uint32_t)input + 1);
		node_set_input(n, (uint32_t)input, v);
		return true;
	}
	return param_set_attr(w, n, name, a);
}

static bool apply_attrs(struct rewrite *w, struct node *n,
			const struct operand_list *l, enum dtype like)
{
	if (l->copy)
		node_copy_attrs(n, l->copy);
	for (uint32_t i = 0; i < l->nset; i++)
		if (!apply_set(w, n, l->name[i], &l->set[i], like))
			return rw_miss(w, "the new %s has no '%s'", n->op->name,
				       l->name[i]);
	return true;
}

/* Constant operands in double, but for operators that name their type. */
static bool fold_make(struct rewrite *w, struct node *n, struct operand_list *l,
		      struct rw_val *out)
{
	const struct tensor *in[RW_MAX_KIDS], *t = NULL;
	enum dtype like = list_dtype(l);
	bool wide = dtype_is_float(like) && !node_is(n, OP_Cast);

	for (uint32_t i = 0; i < l->n; i++) {
		in[i] = as_tensor(w, &l->a[i], wide ? DT_F64 : like);
		if (!in[i] && l->a[i].kind != RV_NONE)
			return rw_miss(w, "an operand is no tensor");
		if (in[i] && wide && dtype_is_float(in[i]->dt))
			in[i] = const_cast_to(w->m, in[i], DT_F64);
	}
	if (!const_eval(n, in, l->n, &t) || !t)
		return rw_miss(w, "%s cannot be evaluated", n->op->name);
	*out = rw_of_tensor(t, wide && t->dt == DT_F64 ? like : t->dt);
	return true;
}

static bool node_fill(struct rewrite *w, struct node *n,
		      const struct operand_list *l, enum dtype like)
{
	struct value *v;

	for (uint32_t i = 0; i < l->n; i++) {
		if (!rw_as_value(w, &l->a[i], like, &v))
			return false;
		node_set_input(n, i, v);
	}
	return apply_attrs(w, n, l, like);
}

static bool make_op(struct rewrite *w, const struct rw_exp *e,
		    struct operand_list *l, struct rw_val *out)
{
	enum dtype like = list_dtype(l);
	bool fold = all_const(l) && !l->nset, ok;
	struct node *n;

	while (l->n && l->a[l->n - 1].kind == RV_NONE)
		l->n--;
	n = node_make(w->root->graph, (enum op_id)e->what, l->n, 1, w->root);
	if (!n)
		return rw_miss(w, "there is no %s at this opset", e->name);
	if (fold) {
		if (l->copy)
			node_copy_attrs(n, l->copy);
		ok = fold_make(w, n, l, out);
		node_remove(n);
		return ok;
	}
	ok = node_fill(w, n, l, like);
	*out = rw_of_value(n->out[0]);
	return rw_adopt(w, n) && ok;
}

/* ---- expressions ---- */

static void skip(const struct rw_exp **cursor)
{
	for (int left = 1; left > 0; left--)
		left += (*cursor)++->nkid;
}

static bool eval(struct rewrite *w, const struct rw_exp **cursor,
		 struct rw_val *out, int depth);

/* NOLINTNEXTLINE(misc-no-recursion): depth <= RW_MAX_DEPTH, by genrw */
static bool eval_make(struct rewrite *w, const struct rw_exp *e,
		      const struct rw_exp **cursor, struct rw_val *out,
		      int depth)
{
	struct operand_list l = {.n = 0};

	for (int i = 0; i < e->nkid; i++) {
		const struct rw_exp *k = *cursor;

		if (k->kind == RW_COPY) {
			l.copy = w->slot[k->slot].v->def;
			(*cursor)++;
		} else if (k->kind == RW_SET) {
			(*cursor)++;
			l.name[l.nset] = k->name;
			if (!eval(w, cursor, &l.set[l.nset++], depth + 1))
				return false;
		} else if (!eval(w, cursor, &l.a[l.n++], depth + 1)) {
			return false;
		}
	}
	return make_op(w, e, &l, out);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= RW_MAX_DEPTH, by genrw */
static bool eval_args(struct rewrite *w, const struct rw_exp *e,
		      const struct rw_exp **cursor, struct rw_val *a, int depth)
{
	for (int i = 0; i < e->nkid; i++)
		if (!eval(w, cursor, &a[i], depth + 1))
			return false;
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= RW_MAX_DEPTH, by genrw */
static bool eval_if(struct rewrite *w, const struct rw_exp *e,
		    const struct rw_exp **cursor, struct rw_val *out, int depth)
{
	bool ok;

	if (w->slot[e->slot].kind == RV_NONE) {
		skip(cursor);
		return eval(w, cursor, out, depth + 1);
	}
	ok = eval(w, cursor, out, depth + 1);
	skip(cursor);
	return ok;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= RW_MAX_DEPTH, by genrw */
static bool eval(struct rewrite *w, const struct rw_exp **cursor,
		 struct rw_val *out, int depth)
{
	const struct rw_exp *e = (*cursor)++;
	struct rw_val a[RW_MAX_KIDS];

	if (depth > RW_MAX_DEPTH)
		BUG("expression of rule '%s' is too deep", w->row->rule->name);
	switch (e->kind) {
	case RW_REF:
		*out = w->slot[e->slot];
		return true;
	case RW_LIT:
		*out = rw_of_num(e->num);
		return true;
	case RW_WORD:
	case RW_STR:
		*out = (struct rw_val){.kind = RV_WORD, .s = e->name};
		return true;
	case RW_NONE:
		*out = (struct rw_val){.kind = RV_NONE};
		return true;
	case RW_MAKE:
		return eval_make(w, e, cursor, out, depth);
	case RW_IF:
		return eval_if(w, e, cursor, out, depth);
	case RW_CALL:
		return eval_args(w, e, cursor, a, depth) &&
		       (rw_builtins[e->what](w, a, out) ||
			rw_miss(w, "(%s ...) has no result", e->name));
	default:
		BUG("bad expression in rule '%s'", w->row->rule->name);
	}
}

/* ---- the result ---- */

static bool types_fit(struct rewrite *w)
{
	const struct type *new = w->result->type;
	const struct type *old = w->root->out[0]->type;

	if (!type_compatible(new, old))
		return rw_miss(w, "the replacement has another type");
	return true;
}

/* A graph output needs a value of its own, made by a node of its graph. */
static bool needs_identity(const struct value *old, const struct value *v)
{
	return value_is_output(old) &&
	       (v->graph != old->graph || !v->def || value_is_output(v));
}

static bool set_result(struct rewrite *w, const struct rw_val *a)
{
	struct value *old = w->root->out[0];
	enum dtype like =
		old->type->kind == TY_TENSOR ? old->type->dt : DT_NONE;
	struct node *n;

	if (!rw_as_value(w, a, like, &w->result) || !w->result)
		return rw_miss(w, "the replacement is empty");
	if (!types_fit(w))
		return false;
	if (needs_identity(old, w->result)) {
		n = node_is(w->root, OP_Identity)
			    ? NULL
			    : node_make(w->root->graph, OP_Identity, 1, 1,
					w->root);
		if (!n)
			return rw_miss(w, "it is what makes a graph output");
		node_set_input(n, 0, w->result);
		w->result = n->out[0];
		if (!rw_adopt(w, n))
			return false;
	}
	for (size_t i = 0; i < w->made.n; i++)
		w->result_made |= w->result->def == w->made.p[i];
	if (w->result_made) {
		w->result->name = old->name;
		w->result->def->name = w->root->name;
	}
	return true;
}

bool rw_build(struct rewrite *w)
{
	const struct rw_exp *c = w->row->exp, *e;
	struct rw_val a[RW_MAX_KIDS];

	w->result = NULL;
	w->result_made = false;
	w->mark = scratch_begin(w->m);
	for (;;) {
		e = c++;
		switch (e->kind) {
		case RW_GUARD:
			if (!eval_args(w, e, &c, a, 0))
				return false;
			if (!rw_guards[e->what](w, a))
				return rw_miss(w, "guard %s fails", e->name);
			break;
		case RW_LET:
			if (!eval(w, &c, &w->slot[e->slot], 0))
				return false;
			break;
		default:
			return eval(w, &c, &a[0], 0) && set_result(w, &a[0]);
		}
	}
}

void rw_drop(struct rewrite *w)
{
	const struct map none = {0};

	while (w->made.n)
		node_remove(vec_pop(&w->made));
	w->konst.n = 0;
	scratch_end(w->m, w->mark, &none);
}

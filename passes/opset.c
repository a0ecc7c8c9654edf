/* SPDX-License-Identifier: MIT */
/*
 * opset.c -- take a model from one version of ai.onnx to another.
 *
 * One version at a time: the imports are set, then each node whose operator has
 * another row there takes that row.  Attributes that are gone become constant
 * inputs (up) and the other way round (down); what an attribute's default says
 * is dropped; the rest is in opset.def and opset_steps.c.  What cannot be said
 * in the other version is refused, and the node named.
 *
 * Cost O(nodes) per version.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir/formal.h"
#include "passes/opset_p.h"

enum { OLDEST = 7, AXES_MAX = 64 };

static const struct param {
	enum op_id id;
	int since;
	const char *attr, *input;
	int rank;
} params[] = {
#define PARAM(op, since, attr, input, rank) {OP_##op, since, attr, input, rank},
#define STEP(op, since, up, down)
#include "passes/opset.def"
#undef PARAM
#undef STEP
};

enum status opset_refuse(const struct node *n, const char *why)
{
	struct at at = node_at(n);

	return diag_error(n->graph->model->diag, &at, E_unsupported,
			  "the operator cannot be expressed in the other "
			  "opset: %s",
			  why);
}

/* ---- parameters that are attributes here and inputs there ---- */

static const struct param *param_of(enum op_id id, int since, struct str name,
				    bool by_attr)
{
	for (size_t i = 0; i < countof(params); i++)
		if (params[i].id == id && params[i].since == since &&
		    str_is(name, by_attr ? params[i].attr : params[i].input))
			return &params[i];
	return NULL;
}

/* The number of an input of `op` by name, and its type; -1: none. */
static int input_named(const struct op *op, struct str name, struct formal *f)
{
	for (uint32_t i = 0; formal_at(op->in, i, f) && !f->variadic; i++)
		if (str_eq(f->name, name))
			return (int)i;
	return -1;
}

static const struct tensor *
attr_tensor(const struct node *n, const struct attr *a, int rank, enum dtype dt)
{
	int64_t dim = a->n;
	bool whole = a->kind == ATTR_INT || a->kind == ATTR_INTS;
	struct tensor *t =
		tensor_create(n->graph->model, whole ? DT_I64 : dt, rank, &dim);

	for (uint32_t i = 0; t && i < a->n; i++) {
		if (whole)
			dtype_set_int(DT_I64, tensor_data_mut(t), i, a->u.i[i]);
		else
			dtype_set(dt, tensor_data_mut(t), i, (double)a->u.f[i]);
	}
	return t;
}

/* An attribute that `to` lacks becomes an input, or goes. */
static enum status attr_to_input(struct node *n, const struct attr *a,
				 const struct op *to)
{
	struct str name = sym_str(n->graph->model, a->name);
	const struct param *p = param_of(to->id, to->since, name, true);
	struct str input = p ? (struct str){p->input, strlen(p->input)} : name;
	const struct type *x = n->nin && n->in[0].v ? n->in[0].v->type : NULL;
	bool list = a->kind == ATTR_INTS || a->kind == ATTR_FLOATS;
	const struct tensor *t;
	enum dtype dt = DT_F32;
	struct formal f;
	int i = input_named(to, input, &f);

	if (a->ref)
		return opset_refuse(n, "a parameter is the function's own");
	if (i < 0 || (!list && a->kind != ATTR_INT && a->kind != ATTR_FLOAT))
		return opset_refuse(
			n, arena_printf(&n->graph->model->arena,
					"there is no '%s'",
					sym_text(n->graph->model, a->name)));
	if (str_is(f.type, "T") && x && x->kind == TY_TENSOR)
		dt = x->dt;
	if (dt == DT_NONE)
		return opset_refuse(n, "its type is not known");
	t = attr_tensor(n, a, p ? p->rank : 1, dt);
	if (!t)
		return LIMIT;
	if ((uint32_t)i >= n->nin)
		node_resize_inputs(n, (uint32_t)i + 1);
	node_set_input(n, (uint32_t)i, value_const(n->graph, t, n));
	return OK;
}

static enum status attrs_up(struct node *n, const struct op *to)
{
	struct model *m = n->graph->model;
	struct attr_spec spec;
	enum status s = OK;

	for (uint32_t i = n->nattr; i-- > 0 && !s;) {
		struct str name = sym_str(m, n->attr[i].name);

		if (!attr_spec_find(n->op, name, &spec) ||
		    attr_spec_find(to, name, &spec))
			continue;
		s = attr_to_input(n, &n->attr[i], to);
		if (!s)
			node_drop_attr(n, sym_text(m, n->attr[i].name));
	}
	return s;
}

static void set_numbers(struct node *n, const struct attr_spec *spec,
			const char *name, const struct tensor *t)
{
	struct model *m = n->graph->model;
	bool whole = spec->kind == ATTR_INT || spec->kind == ATTR_INTS;
	int64_t *v = arena_array(&m->arena, (size_t)t->n, sizeof *v);

	for (int64_t i = 0; whole && i < t->n; i++)
		v[i] = tensor_int(m, t, i);
	if (spec->kind == ATTR_INTS)
		node_set_ints(n, name, v, (size_t)t->n);
	else if (whole)
		node_set_int(n, name, v[0]);
	else
		node_set_float(n, name, (float)tensor_float(m, t, 0));
}

void opset_drop_input(struct node *n, uint32_t i)
{
	struct value *v = node_in(n, i);

	if (!v)
		return;
	use_set(&n->in[i], NULL);
	if (v->nuse || v->is_input)
		return;
	if (!v->def)
		value_remove(v);
	else if (node_is(v->def, OP_Constant))
		node_remove(v->def);
}

/* Constant input i, which `to` lacks, becomes an attribute. */
static enum status input_to_attr(struct node *n, uint32_t i,
				 const struct op *to)
{
	struct model *m = n->graph->model;
	const struct tensor *t = n->in[i].v->konst;
	const struct param *p;
	struct attr_spec spec;
	const char *name;
	struct formal f;

	if (!formal_at(n->op->in, i, &f))
		return opset_refuse(n, "it has too many inputs");
	p = param_of(to->id, n->op->since, f.name, false);
	name = p ? p->attr : arena_str(&m->arena, f.name).p;
	if (!attr_spec_find(to, (struct str){name, strlen(name)}, &spec) ||
	    (spec.kind != ATTR_INTS && spec.kind != ATTR_INT &&
	     spec.kind != ATTR_FLOAT))
		return opset_refuse(
			n, arena_printf(&m->arena, "there is no '%s'", name));
	if (!t || (spec.kind != ATTR_INTS && t->n != 1))
		return opset_refuse(
			n,
			arena_printf(&m->arena, "'%s' is not constant", name));
	set_numbers(n, &spec, name, t);
	opset_drop_input(n, i);
	return OK;
}

static bool is_default(const struct attr *a, const struct attr_spec *spec)
{
	struct str d = spec->dflt;
	char *text;
	bool same = false;

	if (a->ref || a->n != 1 || !d.n)
		return false;
	text = strndup(d.p, d.n);
	if (a->kind == ATTR_INT)
		same = a->u.i[0] == strtoll(text, NULL, 10);
	else if (a->kind == ATTR_FLOAT)
		same = a->u.f[0] == strtof(text, NULL);
	else if (a->kind == ATTR_STRING)
		same = d.n >= 2 &&
		       str_eq(a->u.s[0], (struct str){d.p + 1, d.n - 2});
	free(text);
	return same;
}

static enum status attrs_down(struct node *n, const struct op *to)
{
	struct model *m = n->graph->model;
	struct attr_spec spec, old;

	for (uint32_t i = n->nattr; i-- > 0;) {
		struct str name = sym_str(m, n->attr[i].name);

		if (attr_spec_find(to, name, &old) ||
		    !attr_spec_find(n->op, name, &spec))
			continue;
		if (!is_default(&n->attr[i], &spec))
			return opset_refuse(
				n, arena_printf(&m->arena, "there is no '%s'",
						sym_text(m, n->attr[i].name)));
		node_drop_attr(n, sym_text(m, n->attr[i].name));
	}
	return OK;
}

/* Before version 11 axes counted from the front only. */
static enum status axes_from_front(struct node *n)
{
	static const char *const names[] = {"axis", "axes"};
	const struct value *x = node_in(n, 0);
	int64_t out[AXES_MAX], rank = -1;

	if (x && x->type->kind == TY_TENSOR && x->type->rank >= 0)
		rank = x->type->rank;
	for (size_t k = 0; k < countof(names); k++) {
		const struct attr *a = node_attr(n, names[k]);
		bool behind = false;

		if (!a || a->ref || a->n > AXES_MAX ||
		    (a->kind != ATTR_INT && a->kind != ATTR_INTS))
			continue;
		for (uint32_t i = 0; i < a->n; i++) {
			out[i] = a->u.i[i];
			behind |= out[i] < 0;
			if (out[i] < 0)
				out[i] += rank + (node_is(n, OP_Unsqueeze)
							  ? (int64_t)a->n
							  : 0);
		}
		if (behind && rank < 0)
			return opset_refuse(n, "an axis counts from the back "
					       "of an unknown rank");
		if (behind && a->kind == ATTR_INT)
			node_set_int(n, names[k], out[0]);
		else if (behind)
			node_set_ints(n, names[k], out, a->n);
	}
	return OK;
}

/* ---- single steps ---- */

static void take_row(struct node *n, const struct op *row)
{
	n->op = row;
	n->type = model_sym(n->graph->model, row->name);
}

static enum status step_up(struct node *n, const struct op *to)
{
	opset_step *own = opset_step_find(n->op->id, to->since, true);
	enum op_id id = n->op->id;
	enum status s = own ? own(n) : OK;

	if (s || n->op->id != id)
		return s;
	s = attrs_up(n, to);
	if (!s)
		take_row(n, to);
	return s;
}

static enum status step_down(struct node *n, const struct op *to)
{
	opset_step *own = opset_step_find(n->op->id, n->op->since, false);
	enum op_id id = n->op->id;
	enum status s = own ? own(n) : OK;

	if (s || n->op->id != id)
		return s;
	if (!to)
		return opset_refuse(n, "it is new in the present one");
	for (uint32_t i = (uint32_t)to->in_max; i < n->nin && !s; i++)
		if (n->in[i].v)
			s = input_to_attr(n, i, to);
	if (!s && n->nin > (uint32_t)to->in_max)
		node_resize_inputs(n, (uint32_t)to->in_max);
	if (!s)
		s = attrs_down(n, to);
	if (!s && n->op->since >= 11 && to->since < 11)
		s = axes_from_front(n);
	for (uint32_t i = (uint32_t)to->out_max; i < n->nout && !s; i++)
		if (n->out[i])
			s = opset_refuse(n, "it has too many outputs");
	if (!s)
		take_row(n, to);
	return s;
}

/* Nodes made on the way have the row of `version` already. */
static enum status step_node(struct pass_run *r, struct node *n,
			     int64_t version)
{
	const struct op *to = op_latest(n->op->id, version);
	enum status s;

	if (n->op->domain != DOM_ONNX || n->op->id <= OP_CALL || to == n->op)
		return OK;
	s = to && to->since > n->op->since ? step_up(n, to) : step_down(n, to);
	r->nrewrite++;
	r->changed = true;
	return s;
}

static void set_import(struct opset *o, uint32_t n, const struct model *m,
		       int64_t version)
{
	for (uint32_t i = 0; i < n; i++) {
		struct str d = sym_str(m, o[i].domain);

		if (d.n && !str_is(d, "ai.onnx"))
			continue;
		o[i].version = version;
		o[i].has_version = true;
	}
}

static enum status step_graph(struct pass_run *r, struct graph *g,
			      int64_t version)
{
	struct node *n, *next;
	enum status s = OK;

	graph_foreach_safe (n, next, g) {
		s = step_node(r, n, version);
		if (s)
			break;
	}
	return s;
}

/* Graphs that share a list of imports: the main one, or a function. */
static enum status step_scope(struct pass_run *r, const struct func *f,
			      int64_t version)
{
	struct model *m = r->m;
	graph_vec all = {0};
	enum status s = OK;

	set_import(f ? f->opset : m->opset, f ? f->nopset : m->nopset, m,
		   version);
	model_graphs(m, &all);
	for (size_t i = 0; i < all.n && !s; i++) {
		const struct graph *top = all.p[i];

		while (top->owner)
			top = top->owner->graph;
		if (top->func == f)
			s = step_graph(r, all.p[i], version);
	}
	vec_release(&all);
	return s;
}

static enum status convert_scope(struct pass_run *r, const struct func *f,
				 int64_t to)
{
	const struct graph *g = f ? f->body : r->m->main;
	int64_t at = model_opset(g, DOM_ONNX);
	enum status s = OK;

	if (at && at < OLDEST)
		return diag_error(r->m->diag, NULL, E_unsupported,
				  "version %lld of ai.onnx is too old to be "
				  "converted; %d is the oldest",
				  (long long)at, OLDEST);
	while (at && at != to && !s) {
		at += at < to ? 1 : -1;
		s = step_scope(r, f, at);
		if (!s)
			s = model_infer(r->m);
	}
	return s;
}

enum status opset_convert(struct pass_run *r, struct model *m, int64_t to)
{
	enum status s;

	r->m = m;
	s = model_infer(m);
	if (!s)
		s = convert_scope(r, NULL, to);
	for (size_t i = 0; i < m->func.n && !s; i++)
		s = convert_scope(r, m->func.p[i], to);
	if (!s)
		s = model_finish(m);
	if (!s)
		s = model_check(m, false);
	return s;
}

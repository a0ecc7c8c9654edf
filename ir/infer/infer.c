/* SPDX-License-Identifier: MIT */
/*
 * infer.c -- the walk over the model, and the table of shape functions.
 *
 * One pass in list order, which is topological; bodies are walked when their
 * owner is, function bodies at each call.  Cost O(nodes), times the rounds
 * that loops need.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ir/formal.h"
#include "ir/infer/infer.h"

enum { SCRATCH_KEEP = 1 << 20 };

struct row {
	enum op_id id;
	int since;
	infer_fn *fn;
};

#define INFER(op, ver, f) {OP_##op, ver, f},
static const struct row table[] = {
#include "ir/infer/infer.def"
};
#undef INFER

infer_fn *infer_find(const struct op *op)
{
	static uint16_t first[OP_COUNT]; /* index + 1; 0: no row */
	static bool ready;
	infer_fn *fn = NULL;

	if (!ready) {
		for (size_t i = countof(table); i-- > 0;)
			first[table[i].id] = (uint16_t)(i + 1);
		ready = true;
	}
	if (!first[op->id])
		return NULL;
	for (size_t i = first[op->id] - 1u;
	     i < countof(table) && table[i].id == op->id; i++)
		if (table[i].since <= op->since)
			fn = table[i].fn;
	return fn;
}

enum status infer_error(const struct node *n, enum diag_code code,
			const char *fmt, ...)
{
	struct at at = node_at(n);
	struct buf b = {0};
	enum status st;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	st = diag_error(node_model(n)->diag, &at, code, "%s", b.p);
	buf_release(&b);
	return st;
}

/* ---- Constant nodes ---- */

static const struct tensor *ints_tensor(struct model *m, const struct attr *a,
					bool scalar)
{
	const int64_t n = a->n;

	return tensor_i64(m, scalar ? 0 : 1, &n, a->u.i);
}

static const struct tensor *floats_tensor(struct model *m, const struct attr *a,
					  bool scalar)
{
	const int64_t n = a->n;
	struct tensor *t = tensor_create(m, DT_F32, scalar ? 0 : 1, &n);

	if (t && n)
		memcpy(tensor_data_mut(t), a->u.f, (size_t)n * sizeof(float));
	return t;
}

static const struct tensor *strings_tensor(struct model *m,
					   const struct attr *a, bool scalar)
{
	size_t size;
	struct tensor *t;

	if (!add_size(sizeof(*t), scalar ? 0 : sizeof(int64_t), &size))
		return NULL;
	t = arena_alloc(&m->arena, size);
	t->dt = DT_STRING;
	t->enc = ENC_TYPED;
	t->rank = scalar ? 0 : 1;
	t->n = a->n;
	t->strings = a->u.s;
	if (!scalar)
		t->dim[0] = a->n;
	return t;
}

/* The tensor that a Constant node's one attribute stands for, or NULL. */
static const struct tensor *constant_tensor(const struct node *n)
{
	static const struct {
		const char *name;
		enum attr_kind kind;
		bool scalar;
	} forms[] = {
		{"value", ATTR_TENSOR, false},
		{"value_float", ATTR_FLOAT, true},
		{"value_floats", ATTR_FLOATS, false},
		{"value_int", ATTR_INT, true},
		{"value_ints", ATTR_INTS, false},
		{"value_string", ATTR_STRING, true},
		{"value_strings", ATTR_STRINGS, false},
	};
	struct model *m = node_model(n);

	for (size_t i = 0; i < countof(forms); i++) {
		const struct attr *a = node_attr(n, forms[i].name);

		if (!a || a->ref || a->kind != forms[i].kind)
			continue;
		switch (a->kind) {
		case ATTR_TENSOR:
			return a->u.t[0];
		case ATTR_FLOAT:
		case ATTR_FLOATS:
			return floats_tensor(m, a, forms[i].scalar);
		case ATTR_INT:
		case ATTR_INTS:
			return ints_tensor(m, a, forms[i].scalar);
		default:
			return strings_tensor(m, a, forms[i].scalar);
		}
	}
	return NULL;
}

void value_note_consts(struct model *m)
{
	graph_vec graphs = {0};

	model_graphs(m, &graphs);
	for (size_t i = 0; i < graphs.n; i++) {
		struct node *n;

		graph_foreach (n, graphs.p[i]) {
			struct value *v = node_out(n, 0);

			if (node_is(n, OP_Constant) && v && !v->konst)
				v->konst = constant_tensor(n);
		}
	}
	vec_release(&graphs);
}

/* The operator takes exactly one of its attributes. */
enum status infer_constant(struct node *n)
{
	struct value *v = node_out(n, 0);
	const struct tensor *t = v && v->konst ? v->konst : constant_tensor(n);
	const struct attr *a = node_attr(n, "sparse_value");
	struct dim *d;

	if (n->nattr != 1)
		return infer_error(n, E_attr_schema,
				   "%u values are given, expected one",
				   (unsigned)n->nattr);
	if (t) {
		if (v && !v->konst)
			v->konst = t;
		return out_type(n, 0, tensor_type(node_model(n), t));
	}
	if (!a || a->kind != ATTR_SPARSE || a->n != 1 ||
	    a->u.t[0]->dense_rank < 0)
		return OK;
	t = a->u.t[0];
	d = dims_new(n, (size_t)t->dense_rank);
	for (int i = 0; i < t->dense_rank; i++)
		d[i] = dim_of(t->dense_dim[i]);
	return out_tensor(n, 0, t->dt, t->dense_rank, d);
}

/* ---- the walk ---- */

static bool inferable(const struct node *n)
{
	return n->op->id == OP_CALL || n->op->id == OP_Constant ||
	       infer_find(n->op);
}

/* Back to what the file declared. */
static void value_reset(struct model *m, struct value *v,
			const struct type *kept)
{
	const struct type *decl = v->info ? v->info->decl : type_unknown();
	const struct type *t = type_merge(m, kept, decl);

	v->type = t ? t : kept;
	v->data = v->real = NULL;
	v->ndata = v->nreal = 0;
}

static void reset_one(struct graph *g)
{
	struct model *m = g->model;
	struct node *n;

	for (uint32_t i = 0; i < g->nin; i++)
		value_reset(m, g->in[i],
			    g == m->main ? g->in[i]->type : g->in_info[i].decl);
	for (size_t i = 0; i < g->init.n; i++) {
		g->init.p[i]->data = g->init.p[i]->real = NULL;
		g->init.p[i]->ndata = g->init.p[i]->nreal = 0;
	}
	graph_foreach (n, g)
		for (uint32_t i = 0; i < n->nout; i++)
			if (n->out[i])
				value_reset(m, n->out[i],
					    inferable(n) ? type_unknown()
							 : n->out[i]->type);
	for (uint32_t i = 0; g->ret && i < g->ret->nin; i++) {
		struct value *v = g->ret->in[i].v;
		const struct type *t;

		if (!v || v->graph != g || !v->def)
			continue;
		t = type_merge(m, v->type, g->out_info[i].decl);
		if (t)
			v->type = t;
	}
}

void infer_reset(struct graph *g)
{
	VEC(struct graph *) work = {0};

	vec_push(&work, g);
	while (work.n) {
		struct node *n;

		g = vec_pop(&work);
		reset_one(g);
		graph_foreach (n, g) {
			size_t k = node_graph_count(n);

			for (size_t i = 0; i < k; i++)
				vec_push(&work, node_graph(n, i));
		}
	}
	vec_release(&work);
}

static enum status schema_types(struct node *n)
{
	for (uint32_t i = 0; i < n->nout; i++) {
		enum status st;

		if (!n->out[i])
			continue;
		st = out_type(n, i, formal_output(node_model(n), n, i));
		if (st)
			return st;
	}
	return OK;
}

enum status node_infer(struct node *n)
{
	infer_fn *fn = infer_find(n->op);
	enum status st;

	if (n->op->id == OP_CALL)
		return infer_call(n);
	if (n->op->id == OP_UNKNOWN || n->op->id == OP_RETURN)
		return OK;
	st = schema_types(n);
	if (st || node_has_attr_ref(n))
		return st;
	if (fn)
		st = fn(n);
	if (!st)
		infer_data(n);
	return st;
}

/* A graph output that is no node output of this graph keeps its own
 * type; the declaration must fit. */
static enum status check_outputs(struct graph *g)
{
	struct model *m = g->model;
	struct buf a = {0}, b = {0};
	enum status st = OK;

	for (uint32_t i = 0; !st && g->ret && i < g->ret->nin; i++) {
		const struct value *v = g->ret->in[i].v;
		const struct type *decl = g->out_info[i].decl;
		struct str name = sym_str(m, g->out_info[i].name);
		struct at at = {.graph = graph_path(g)};

		if (!v || type_compatible(v->type, decl))
			continue;
		type_print(m, &a, v->type);
		type_print(m, &b, decl);
		st = diag_error(m->diag, &at, E_shape,
				"output '%.*s' is declared as '%s', but the "
				"value has type '%s'",
				(int)name.n, name.p, b.p, a.p);
	}
	buf_release(&a);
	buf_release(&b);
	return st;
}

/* How deep g is nested in bodies. */
static int nesting(const struct graph *g)
{
	int d = 0;

	while (g->owner && d <= INFER_MAX_DEPTH) {
		g = g->owner->graph;
		d++;
	}
	return d;
}

/* Only between nodes of the main graph: nothing is in use then. */
static void scratch_clear(struct infer *s)
{
	if (s->scratch.total < SCRATCH_KEEP)
		return;
	arena_release(&s->scratch);
	arena_init(&s->scratch);
}

enum status infer_graph(struct graph *g)
{
	enum status first = OK;
	struct node *n;

	if (nesting(g) > INFER_MAX_DEPTH)
		return OK;
	graph_foreach (n, g) {
		enum status st = node_infer(n);

		infer_name_outputs(n);
		if (!first)
			first = st;
		if (g == g->model->main && g->model->infer)
			scratch_clear(g->model->infer);
	}
	if (!first)
		first = check_outputs(g);
	return first;
}

/* Notes s, says no: dim_mentions() asks about each symbol. */
static bool note_symbol(const void *ctx, sym s)
{
	map_put(&((struct model *)(uintptr_t)ctx)->infer->inputs, s, 1);
	return false;
}

static void name_inputs(struct model *m)
{
	for (uint32_t i = 0; i < m->main->nin; i++) {
		struct value *v = m->main->in[i];

		infer_name_dims(v);
		for (int k = 0; v->type->kind == TY_TENSOR && k < v->type->rank;
		     k++)
			(void)dim_mentions(m, v->type->dim[k], note_symbol, m);
	}
}

enum status model_infer(struct model *m)
{
	struct infer state = {0};
	graph_vec graphs = {0};
	enum status st;

	value_note_consts(m);
	model_graphs(m, &graphs);
	for (size_t i = 0; i < graphs.n; i++)
		reset_one(graphs.p[i]);
	vec_release(&graphs);
	arena_init(&state.scratch);
	m->infer = &state;
	name_inputs(m);
	st = infer_graph(m->main);
	if (!st)
		st = infer_calls_finish(m);
	m->infer = NULL;
	map_release(&state.call);
	map_release(&state.inputs);
	arena_release(&state.scratch);
	return st;
}

/* SPDX-License-Identifier: MIT */
/*
 * read_attr.c -- AttributeProto becomes an attribute with exactly one value.
 */
#include <string.h>
#include "onnx/read_p.h"

/* The field that holds each kind. */
static const struct kind {
	enum attr_kind kind;
	uint32_t field;
	bool list;
} kinds[] = {
	{ATTR_FLOAT, 2, false},   {ATTR_INT, 3, false},
	{ATTR_STRING, 4, false},  {ATTR_TENSOR, 5, false},
	{ATTR_GRAPH, 6, false},   {ATTR_FLOATS, 7, true},
	{ATTR_INTS, 8, true},     {ATTR_STRINGS, 9, true},
	{ATTR_TENSORS, 10, true}, {ATTR_GRAPHS, 11, true},
	{ATTR_SPARSE, 22, false}, {ATTR_SPARSES, 23, true},
	{ATTR_TYPE, 14, false},   {ATTR_TYPES, 15, true},
};

/* The attribute being read. */
struct job {
	struct reader *r;
	struct graph *g; /* where its node is */
	struct node *owner;
	const Onnx__AttributeProto *p;
	struct attr *a;
	struct where w;
	int depth;
	uint64_t mask; /* fields that the IR takes over */
};

static enum status fail(struct job *j, const char *what)
{
	return diag_error(j->r->d, where_at(j->r, &j->w), E_attr, "%s", what);
}

/* Find the kind by tag and by the field in use; both must agree. */
static enum status find_kind(struct job *j)
{
	const Onnx__AttributeProto *p = j->p;
	const struct kind *tagged = NULL, *used = NULL;
	struct attr *a = j->a;

	for (size_t i = 0; i < countof(kinds); i++) {
		if (p->has_type && p->type == (int32_t)kinds[i].kind)
			tagged = &kinds[i];
		if (!pb_has(&p->base, kinds[i].field))
			continue;
		if (used)
			return fail(j, "the attribute has two values");
		used = &kinds[i];
	}
	a->implicit_kind = !p->has_type;
	if (p->has_type && !tagged)
		return fail(j, "the type tag is undefined");
	if (used && a->ref)
		return fail(j, "a reference to a parameter has a value, too");
	if (!tagged)
		tagged = used;
	if (used && used != tagged)
		return fail(j, "the type tag does not match the value");
	if (!tagged && !a->ref)
		return fail(j, "the attribute has no value");
	a->kind = tagged ? tagged->kind : ATTR_NONE;
	if (a->ref || used || (tagged && tagged->list))
		return OK;
	/* Writers that know no presence leave zeros out. */
	a->implicit_value = true;
	if (a->kind == ATTR_FLOAT || a->kind == ATTR_INT ||
	    a->kind == ATTR_STRING)
		return OK;
	return fail(j, "the attribute has no value");
}

static void read_numbers(struct job *j)
{
	const Onnx__AttributeProto *p = j->p;
	struct arena *m = &j->r->m->arena;
	struct attr *a = j->a;

	switch (a->kind) {
	case ATTR_FLOAT:
		a->u.f = arena_dup(m, &p->f, sizeof p->f);
		break;
	case ATTR_INT:
		a->u.i = arena_dup(m, &p->i, sizeof p->i);
		break;
	case ATTR_FLOATS:
		a->n = (uint32_t)p->n_floats;
		a->u.f = arena_dup(m, p->floats, a->n * sizeof *p->floats);
		break;
	default:
		a->n = (uint32_t)p->n_ints;
		a->u.i = arena_dup(m, p->ints, a->n * sizeof *p->ints);
		break;
	}
}

static void read_strings(struct job *j)
{
	const Onnx__AttributeProto *p = j->p;
	const bool one = j->a->kind == ATTR_STRING;
	const ProtobufCBinaryData *s = one ? &p->s : p->strings;
	struct arena *m = &j->r->m->arena;
	struct attr *a = j->a;

	a->n = one ? 1 : (uint32_t)p->n_strings;
	a->u.s = arena_array(m, a->n, sizeof *a->u.s);
	for (uint32_t i = 0; i < a->n; i++)
		a->u.s[i] = arena_str(m, pb_str(s[i]));
}

static enum status read_tensors(struct job *j)
{
	const Onnx__AttributeProto *p = j->p;
	const bool one = j->a->kind == ATTR_TENSOR;
	Onnx__TensorProto *const *t = one ? &p->t : p->tensors;
	struct attr *a = j->a;
	struct tensor *out;
	enum status st = OK;

	a->n = one ? 1 : (uint32_t)p->n_tensors;
	a->u.t = arena_array(&j->r->m->arena, a->n, sizeof *a->u.t);
	for (uint32_t i = 0; !st && i < a->n; i++) {
		st = read_tensor(j->r, &j->w, t[i], &out);
		a->u.t[i] = out;
	}
	return st;
}

static enum status read_sparses(struct job *j)
{
	const Onnx__AttributeProto *p = j->p;
	const bool one = j->a->kind == ATTR_SPARSE;
	Onnx__SparseTensorProto *const *t =
		one ? &p->sparse_tensor : p->sparse_tensors;
	struct attr *a = j->a;
	struct tensor *out;
	enum status st = OK;

	a->n = one ? 1 : (uint32_t)p->n_sparse_tensors;
	a->u.t = arena_array(&j->r->m->arena, a->n, sizeof *a->u.t);
	for (uint32_t i = 0; !st && i < a->n; i++) {
		st = read_sparse(j->r, &j->w, t[i], &out);
		a->u.t[i] = out;
	}
	return st;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
static enum status read_graphs(struct job *j)
{
	const Onnx__AttributeProto *p = j->p;
	const bool one = j->a->kind == ATTR_GRAPH;
	Onnx__GraphProto *const *t = one ? &p->g : p->graphs;
	struct attr *a = j->a;
	enum status st = OK;

	if (!j->owner)
		return diag_error(j->r->d, where_at(j->r, &j->w), E_unsupported,
				  "a function's attribute has a graph as its "
				  "default");
	a->n = one ? 1 : (uint32_t)p->n_graphs;
	a->u.g = arena_array(&j->r->m->arena, a->n, sizeof *a->u.g);
	for (uint32_t i = 0; i < a->n; i++)
		a->u.g[i] = graph_create(j->r->m, j->owner);
	for (uint32_t i = 0; !st && i < a->n; i++)
		st = read_graph(j->r, a->u.g[i], t[i], j->depth + 1);
	return st;
}

/* Types that the IR cannot reproduce stay in rest, too. */
static enum status read_types(struct job *j)
{
	const Onnx__AttributeProto *p = j->p;
	const bool one = j->a->kind == ATTR_TYPE;
	Onnx__TypeProto *const *t = one ? &p->tp : p->type_protos;
	struct attr *a = j->a;
	bool exact = true;

	a->n = one ? 1 : (uint32_t)p->n_type_protos;
	a->u.type = arena_array(&j->r->m->arena, a->n, sizeof *a->u.type);
	for (uint32_t i = 0; i < a->n; i++)
		a->u.type[i] = read_type(j->r->m, t[i], &exact);
	if (!exact)
		j->mask &= ~(PB_BIT(14) | PB_BIT(15));
	return OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_graphs() */
static enum status read_attr_value(struct job *j)
{
	j->a->n = 1;
	switch (j->a->kind) {
	case ATTR_FLOAT:
	case ATTR_INT:
	case ATTR_FLOATS:
	case ATTR_INTS:
		read_numbers(j);
		return OK;
	case ATTR_STRING:
	case ATTR_STRINGS:
		read_strings(j);
		return OK;
	case ATTR_TENSOR:
	case ATTR_TENSORS:
		return read_tensors(j);
	case ATTR_SPARSE:
	case ATTR_SPARSES:
		return read_sparses(j);
	case ATTR_GRAPH:
	case ATTR_GRAPHS:
		return read_graphs(j);
	case ATTR_TYPE:
	case ATTR_TYPES:
		return read_types(j);
	case ATTR_NONE:
		break;
	}
	BUG("attribute kind %d", (int)j->a->kind);
}

static bool in_function(const struct graph *g)
{
	while (g->owner)
		g = g->owner->graph;
	return g->func != NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_graphs() */
static enum status read_attr(struct job *j)
{
	const Onnx__AttributeProto *p = j->p;
	struct model *m = j->r->m;
	struct attr *a = j->a;
	enum status st;

	a->ref = pb_sym(m->syms, p->has_ref_attr_name, p->ref_attr_name);
	if (a->ref && !p->ref_attr_name.len) {
		/* An empty reference is none, but must be written again. */
		j->mask &= ~PB_BIT(21);
		a->ref = 0;
	}
	if (a->ref && !in_function(j->g))
		return fail(j, "a reference to a parameter outside of a "
			       "function");
	st = find_kind(j);
	if (!st && !a->ref)
		st = read_attr_value(j);
	a->rest = pb_rest(&m->arena, &p->base, j->mask);
	return st;
}

/* Enter a name; false if it was there.  Few names are compared in turn. */
static bool enter_name(struct map *seen, const struct attr *a, uint32_t i)
{
	if (i < 16) {
		for (uint32_t k = 0; k < i; k++)
			if (a[k].name == a[i].name)
				return false;
		return true;
	}
	if (i == 16)
		for (uint32_t k = 0; k < i; k++)
			map_put(seen, a[k].name, 0);
	return map_put(seen, a[i].name, 0);
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_graphs() */
enum status read_attrs(struct reader *r, struct graph *g, struct node *owner,
		       Onnx__AttributeProto **p, size_t n, int depth,
		       struct attr **out, uint32_t *nout)
{
	struct map seen = {0};
	struct attr *a;
	enum status st = OK;

	if (!n)
		return OK;
	*out = a = arena_array(&r->m->arena, n, sizeof *a);
	for (uint32_t i = 0; !st && i < n; i++) {
		struct job j = {.r = r,
				.g = g,
				.owner = owner,
				.p = p[i],
				.a = &a[i],
				.w = {.g = g, .n = owner},
				.depth = depth,
				.mask = PB_ATTR_MASK};

		a[i].name = pb_sym(r->m->syms, p[i]->has_name, p[i]->name);
		j.w.what = "attribute";
		j.w.name = a[i].name;
		*nout = i + 1; /* messages from inside name the attribute */
		if (!p[i]->name.len)
			st = fail(&j, "the attribute has no name");
		else if (!enter_name(&seen, a, i))
			st = fail(&j, "the attribute occurs twice");
		else
			st = read_attr(&j);
	}
	map_release(&seen);
	return st;
}

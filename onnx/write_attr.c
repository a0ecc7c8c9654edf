/* SPDX-License-Identifier: MIT */
/*
 * write_attr.c -- attributes become AttributeProto.
 */
#include "onnx/write_p.h"

static void write_strings(struct writer *w, const struct attr *a,
			  Onnx__AttributeProto *p)
{
	if (a->kind == ATTR_STRING) {
		p->has_s = true;
		p->s = pb_bytes(a->u.s[0]);
		return;
	}
	p->n_strings = a->n;
	p->strings = arena_array(&w->tmp, a->n, sizeof *p->strings);
	for (uint32_t i = 0; i < a->n; i++)
		p->strings[i] = pb_bytes(a->u.s[i]);
}

static void write_tensors(struct writer *w, const struct attr *a,
			  Onnx__AttributeProto *p)
{
	if (a->kind == ATTR_TENSOR) {
		p->t = write_tensor(w, a->u.t[0], a->u.t[0]->name);
		return;
	}
	p->n_tensors = a->n;
	p->tensors = write_array(w, a->n);
	for (uint32_t i = 0; i < a->n; i++)
		p->tensors[i] = write_tensor(w, a->u.t[i], a->u.t[i]->name);
}

static void write_sparses(struct writer *w, const struct attr *a,
			  Onnx__AttributeProto *p)
{
	if (a->kind == ATTR_SPARSE) {
		p->sparse_tensor = write_sparse(w, a->u.t[0], a->u.t[0]->name);
		return;
	}
	p->n_sparse_tensors = a->n;
	p->sparse_tensors = write_array(w, a->n);
	for (uint32_t i = 0; i < a->n; i++)
		p->sparse_tensors[i] =
			write_sparse(w, a->u.t[i], a->u.t[i]->name);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is limited in write_graph() */
static void write_graphs(struct writer *w, const struct attr *a,
			 Onnx__AttributeProto *p, int depth)
{
	if (a->kind == ATTR_GRAPH) {
		p->g = write_graph(w, a->u.g[0], depth + 1);
		return;
	}
	p->n_graphs = a->n;
	p->graphs = write_array(w, a->n);
	for (uint32_t i = 0; i < a->n; i++)
		p->graphs[i] = write_graph(w, a->u.g[i], depth + 1);
}

/* Messages kept because the IR could not reproduce them are written again
 * if all of them still stand for the attribute's types. */
static bool types_kept(struct writer *w, const struct attr *a,
		       const Onnx__AttributeProto *p)
{
	if (a->kind == ATTR_TYPE)
		return type_kept(w, p->tp, a->u.type[0]);
	if (p->n_type_protos != a->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!type_kept(w, p->type_protos[i], a->u.type[i]))
			return false;
	return true;
}

static void write_types(struct writer *w, const struct attr *a,
			Onnx__AttributeProto *p)
{
	if (types_kept(w, a, p))
		return;
	if (a->kind == ATTR_TYPE) {
		p->tp = write_type(w, a->u.type[0]);
		return;
	}
	p->n_type_protos = a->n;
	p->type_protos = write_array(w, a->n);
	for (uint32_t i = 0; i < a->n; i++)
		p->type_protos[i] = write_type(w, a->u.type[i]);
}

/* NOLINTNEXTLINE(misc-no-recursion): see write_graphs() */
static void write_value(struct writer *w, const struct attr *a,
			Onnx__AttributeProto *p, int depth)
{
	switch (a->kind) {
	case ATTR_FLOAT:
		p->has_f = true;
		p->f = a->u.f[0];
		break;
	case ATTR_INT:
		p->has_i = true;
		p->i = a->u.i[0];
		break;
	case ATTR_FLOATS:
		p->n_floats = a->n;
		p->floats = a->u.f;
		break;
	case ATTR_INTS:
		p->n_ints = a->n;
		p->ints = a->u.i;
		break;
	case ATTR_STRING:
	case ATTR_STRINGS:
		write_strings(w, a, p);
		break;
	case ATTR_TENSOR:
	case ATTR_TENSORS:
		write_tensors(w, a, p);
		break;
	case ATTR_SPARSE:
	case ATTR_SPARSES:
		write_sparses(w, a, p);
		break;
	case ATTR_GRAPH:
	case ATTR_GRAPHS:
		write_graphs(w, a, p, depth);
		break;
	case ATTR_TYPE:
	case ATTR_TYPES:
		write_types(w, a, p);
		break;
	case ATTR_NONE:
		break;
	}
}

static bool is_zero(const struct attr *a)
{
	switch (a->kind) {
	case ATTR_FLOAT:
		return a->u.f[0] == 0 && !__builtin_signbit(a->u.f[0]);
	case ATTR_INT:
		return a->u.i[0] == 0;
	case ATTR_STRING:
		return a->u.s[0].n == 0;
	default:
		return false;
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): see write_graphs() */
static Onnx__AttributeProto *write_attr(struct writer *w, const struct attr *a,
					int depth)
{
	Onnx__AttributeProto *p =
		write_open(w, &onnx__attribute_proto__descriptor, a->rest);

	p->name = write_sym(w, a->name, &p->has_name);
	if (a->ref)
		p->ref_attr_name = write_sym(w, a->ref, &p->has_ref_attr_name);
	if (!a->implicit_kind) {
		p->has_type = true;
		p->type = (int32_t)a->kind;
	}
	if (!a->ref && !(a->implicit_value && is_zero(a)))
		write_value(w, a, p, depth);
	return p;
}

/* NOLINTNEXTLINE(misc-no-recursion): see write_graphs() */
Onnx__AttributeProto **write_attrs(struct writer *w, const struct attr *a,
				   size_t n, int depth)
{
	Onnx__AttributeProto **p = write_array(w, n);

	for (size_t i = 0; i < n; i++)
		p[i] = write_attr(w, &a[i], depth);
	return p;
}

/* SPDX-License-Identifier: MIT */
/*
 * read_type.c -- TypeProto and ValueInfoProto become types and infos.
 *
 * A type says less than the message may hold: unknown fields, numbers that
 * are no element type, negative dimensions, spellings of expressions.  Where
 * that happens the message is kept in `rest`, to be written again as long as
 * the type is still the one that it stands for.
 */
#include <stdlib.h>
#include "onnx/read_p.h"

static enum dtype read_dtype(protobuf_c_boolean has, int32_t v, bool *exact)
{
	if (has && dtype_valid(v))
		return (enum dtype)v;
	if (has)
		*exact = false;
	return DT_NONE;
}

static struct dim read_dim(struct model *m,
			   const Onnx__TensorShapeProto__Dimension *p,
			   bool *exact)
{
	struct dim d = {.n = DIM_UNKNOWN};
	sym text;

	if (p->base.n_unknown_fields)
		*exact = false;
	switch (p->value_case) {
	case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE:
		if (p->dim_value >= 0)
			d.n = p->dim_value;
		else
			*exact = false;
		break;
	case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
		text = intern_str(m->syms, pb_str(p->dim_param));
		if (p->dim_param.len)
			d = dim_sym(m, text);
		if (d.s != text)
			*exact = false;
		break;
	default:
		break;
	}
	d.denotation = pb_sym(m->syms, p->has_denotation, p->denotation);
	return d;
}

static const struct type *read_shaped(struct model *m, const struct type *head,
				      const Onnx__TensorShapeProto *s,
				      bool *exact)
{
	const struct type *r;
	struct type *t;
	const size_t n = s ? s->n_dim : 0;

	t = xcalloc(1, sizeof *t + n * sizeof t->dim[0]);
	t->kind = head->kind;
	t->dt = head->dt;
	t->denotation = head->denotation;
	t->rank = s ? (int)n : -1;
	if (s && s->base.n_unknown_fields)
		*exact = false;
	for (size_t i = 0; i < n; i++)
		t->dim[i] = read_dim(m, s->dim[i], exact);
	r = type_intern(m, t);
	free(t);
	return r;
}

/* The element type of a sequence, optional or map. */
/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
static const struct type *read_elem(struct model *m, const Onnx__TypeProto *p,
				    bool *exact)
{
	const struct type *t;

	if (!p)
		return type_unknown();
	t = read_type(m, p, exact);
	if (t == type_unknown())
		*exact = false; /* empty, which is not absent */
	return t;
}

static void read_tensor_type(struct model *m, const Onnx__TypeProto__Tensor *p,
			     struct type *t, bool *exact)
{
	(void)m;
	t->kind = TY_TENSOR;
	t->dt = read_dtype(p->has_elem_type, p->elem_type, exact);
	if (p->base.n_unknown_fields)
		*exact = false;
}

static void read_sparse_type(const Onnx__TypeProto__SparseTensor *p,
			     struct type *t, bool *exact)
{
	t->kind = TY_SPARSE;
	t->dt = read_dtype(p->has_elem_type, p->elem_type, exact);
	if (p->base.n_unknown_fields)
		*exact = false;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
static void read_container(struct model *m, const Onnx__TypeProto *p,
			   struct type *t, bool *exact)
{
	const ProtobufCMessage *inner = NULL;

	switch (p->value_case) {
	case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
		inner = &p->sequence_type->base;
		t->kind = TY_SEQ;
		t->elem = read_elem(m, p->sequence_type->elem_type, exact);
		break;
	case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
		inner = &p->optional_type->base;
		t->kind = TY_OPTIONAL;
		t->elem = read_elem(m, p->optional_type->elem_type, exact);
		break;
	case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
		inner = &p->map_type->base;
		t->kind = TY_MAP;
		t->dt = read_dtype(p->map_type->has_key_type,
				   p->map_type->key_type, exact);
		t->elem = read_elem(m, p->map_type->value_type, exact);
		break;
	case ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE:
		inner = &p->opaque_type->base;
		t->kind = TY_OPAQUE;
		t->opaque_domain = pb_sym(m->syms, p->opaque_type->has_domain,
					  p->opaque_type->domain);
		t->opaque_name = pb_sym(m->syms, p->opaque_type->has_name,
					p->opaque_type->name);
		break;
	default:
		break;
	}
	if (inner && inner->n_unknown_fields)
		*exact = false;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
const struct type *read_type(struct model *m, const Onnx__TypeProto *p,
			     bool *exact)
{
	struct type t = {.rank = -1};

	t.denotation = pb_sym(m->syms, p->has_denotation, p->denotation);
	if (p->base.n_unknown_fields)
		*exact = false;
	switch (p->value_case) {
	case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
		read_tensor_type(m, p->tensor_type, &t, exact);
		return read_shaped(m, &t, p->tensor_type->shape, exact);
	case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
		read_sparse_type(p->sparse_tensor_type, &t, exact);
		return read_shaped(m, &t, p->sparse_tensor_type->shape, exact);
	default:
		read_container(m, p, &t, exact);
		return type_intern(m, &t);
	}
}

enum status read_info(struct reader *r, const Onnx__ValueInfoProto *p,
		      struct info *out)
{
	struct model *m = r->m;
	uint64_t mask = PB_INFO_MASK;
	bool exact = true;

	*out = (struct info){.decl = type_unknown()};
	out->name = pb_sym(m->syms, p->has_name, p->name);
	out->has_type = p->type != NULL;
	if (p->type)
		out->decl = read_type(m, p->type, &exact);
	if (!exact)
		mask &= ~PB_BIT(2);
	out->rest = pb_rest(&m->arena, &p->base, mask);
	return OK;
}

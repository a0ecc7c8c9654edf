/* SPDX-License-Identifier: MIT */
/*
 * write_type.c -- types and infos become TypeProto and ValueInfoProto.
 */
#include <stdlib.h>
#include "onnx/read_p.h"
#include "onnx/write_p.h"

static Onnx__TensorShapeProto__Dimension *write_dim(struct writer *w,
						    struct dim d)
{
	Onnx__TensorShapeProto__Dimension *p =
		arena_new(&w->tmp, Onnx__TensorShapeProto__Dimension);

	onnx__tensor_shape_proto__dimension__init(p);
	if (d.s) {
		p->value_case =
			ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
		p->dim_param = pb_bytes(sym_str(w->m, d.s));
	} else if (d.n >= 0) {
		p->value_case =
			ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		p->dim_value = d.n;
	}
	p->denotation = write_sym(w, d.denotation, &p->has_denotation);
	return p;
}

static Onnx__TensorShapeProto *write_shape(struct writer *w,
					   const struct type *t)
{
	Onnx__TensorShapeProto *p;

	if (t->rank < 0)
		return NULL;
	p = arena_new(&w->tmp, Onnx__TensorShapeProto);
	onnx__tensor_shape_proto__init(p);
	p->n_dim = (size_t)t->rank;
	p->dim = write_array(w, p->n_dim);
	for (size_t i = 0; i < p->n_dim; i++)
		p->dim[i] = write_dim(w, t->dim[i]);
	return p;
}

static void write_tensor_type(struct writer *w, const struct type *t,
			      Onnx__TypeProto *p)
{
	Onnx__TypeProto__Tensor *q =
		arena_new(&w->tmp, Onnx__TypeProto__Tensor);

	onnx__type_proto__tensor__init(q);
	q->has_elem_type = t->dt != DT_NONE;
	q->elem_type = (int32_t)t->dt;
	q->shape = write_shape(w, t);
	p->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	p->tensor_type = q;
}

static void write_sparse_type(struct writer *w, const struct type *t,
			      Onnx__TypeProto *p)
{
	Onnx__TypeProto__SparseTensor *q =
		arena_new(&w->tmp, Onnx__TypeProto__SparseTensor);

	onnx__type_proto__sparse_tensor__init(q);
	q->has_elem_type = t->dt != DT_NONE;
	q->elem_type = (int32_t)t->dt;
	q->shape = write_shape(w, t);
	p->value_case = ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE;
	p->sparse_tensor_type = q;
}

static void write_map_type(struct writer *w, const struct type *t,
			   Onnx__TypeProto *elem, Onnx__TypeProto *p)
{
	Onnx__TypeProto__Map *q = arena_new(&w->tmp, Onnx__TypeProto__Map);

	onnx__type_proto__map__init(q);
	q->has_key_type = t->dt != DT_NONE;
	q->key_type = (int32_t)t->dt;
	q->value_type = elem;
	p->value_case = ONNX__TYPE_PROTO__VALUE_MAP_TYPE;
	p->map_type = q;
}

static void write_opaque_type(struct writer *w, const struct type *t,
			      Onnx__TypeProto *p)
{
	Onnx__TypeProto__Opaque *q =
		arena_new(&w->tmp, Onnx__TypeProto__Opaque);

	onnx__type_proto__opaque__init(q);
	q->domain = write_sym(w, t->opaque_domain, &q->has_domain);
	q->name = write_sym(w, t->opaque_name, &q->has_name);
	p->value_case = ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE;
	p->opaque_type = q;
}

static void write_list_type(struct writer *w, const struct type *t,
			    Onnx__TypeProto *elem, Onnx__TypeProto *p)
{
	if (t->kind == TY_SEQ) {
		Onnx__TypeProto__Sequence *q =
			arena_new(&w->tmp, Onnx__TypeProto__Sequence);

		onnx__type_proto__sequence__init(q);
		q->elem_type = elem;
		p->value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE;
		p->sequence_type = q;
	} else {
		Onnx__TypeProto__Optional *q =
			arena_new(&w->tmp, Onnx__TypeProto__Optional);

		onnx__type_proto__optional__init(q);
		q->elem_type = elem;
		p->value_case = ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE;
		p->optional_type = q;
	}
}

/* One level; elem is the encoded element type, if there is one. */
static Onnx__TypeProto *write_level(struct writer *w, const struct type *t,
				    Onnx__TypeProto *elem)
{
	Onnx__TypeProto *p = arena_new(&w->tmp, Onnx__TypeProto);

	onnx__type_proto__init(p);
	p->denotation = write_sym(w, t->denotation, &p->has_denotation);
	switch (t->kind) {
	case TY_UNKNOWN:
		break;
	case TY_TENSOR:
		write_tensor_type(w, t, p);
		break;
	case TY_SPARSE:
		write_sparse_type(w, t, p);
		break;
	case TY_SEQ:
	case TY_OPTIONAL:
		write_list_type(w, t, elem, p);
		break;
	case TY_MAP:
		write_map_type(w, t, elem, p);
		break;
	case TY_OPAQUE:
		write_opaque_type(w, t, p);
		break;
	}
	return p;
}

Onnx__TypeProto *write_type(struct writer *w, const struct type *t)
{
	Onnx__TypeProto *p = NULL;
	VEC(const struct type *) chain = {0};

	for (; t && (t != type_unknown() || !chain.n); t = t->elem)
		vec_push(&chain, t);
	while (chain.n)
		p = write_level(w, vec_pop(&chain), p);
	vec_release(&chain);
	return p;
}

/* Types are interned: reading the message again adds nothing to the model. */
bool type_kept(const struct writer *w, const Onnx__TypeProto *p,
	       const struct type *t)
{
	struct model *m = (struct model *)(uintptr_t)w->m;
	bool exact = true;

	return p && read_type(m, p, &exact) == t;
}

Onnx__ValueInfoProto *write_info(struct writer *w, const struct info *info)
{
	Onnx__ValueInfoProto *p =
		write_open(w, &onnx__value_info_proto__descriptor, info->rest);

	p->name = write_sym(w, info->name, &p->has_name);
	if (!type_kept(w, p->type, info->decl))
		p->type = info->has_type ? write_type(w, info->decl) : NULL;
	return p;
}

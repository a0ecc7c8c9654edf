/* SPDX-License-Identifier: MIT */
/*
 * write_tensor.c -- tensors become TensorProto, in the field they came from.
 *
 * The message borrows the payload from its blob; only narrow integers that
 * go back to int32_data or uint64_data are widened into temporary memory.
 */
#include <string.h>
#include "onnx/data_plan_p.h"
#include "onnx/payload_p.h"
#include "onnx/write_p.h"

enum { LOCATION_EXTERNAL = 1 };

/* The tensor's bytes, for good or as a stand-in: a splat is expanded only
 * while it is written (write.c), keyed by the address of its blob. */
static ProtobufCBinaryData borrow(struct writer *w, const struct tensor *t)
{
	ProtobufCBinaryData b = {t->len, NULL};

	if (!t->len)
		return b;
	if (t->blob->kind == BLOB_SPLAT && t->len == t->blob->len) {
		map_put(&w->splats, map_ptr_key(t->blob), t->len);
		b.data = (uint8_t *)t->blob;
		return b;
	}
	b.data = (uint8_t *)(uintptr_t)tensor_data(w->m, t);
	if (!b.data && !w->status)
		w->status = LIMIT;
	return b;
}

/* n entries of `size` bytes, zero- or sign-extended. */
static int32_t *widen32(struct writer *w, const uint8_t *p, size_t n,
			size_t size, bool sign)
{
	int32_t *out = arena_array(&w->tmp, n, sizeof *out);

	for (size_t i = 0; i < n; i++) {
		uint32_t v = 0;

		for (size_t k = size; k--;)
			v = v << 8 | p[i * size + k];
		if (sign && size < 4 && v >> (8 * size - 1))
			v |= UINT32_MAX << 8 * size;
		out[i] = (int32_t)v;
	}
	return out;
}

static uint64_t *widen64(struct writer *w, const uint8_t *p, size_t n)
{
	uint64_t *out = arena_array(&w->tmp, n, sizeof *out);

	for (size_t i = 0; i < n; i++) {
		uint32_t v;

		memcpy(&v, p + 4 * i, sizeof v);
		out[i] = v;
	}
	return out;
}

static void write_typed(struct writer *w, const struct tensor *t,
			Onnx__TensorProto *p)
{
	const bool sign = dtype_kind(t->dt) == 'i' && dtype_bits(t->dt) >= 8;
	void *data = (void *)(uintptr_t)tensor_data(w->m, t);
	unsigned bits;
	const uint32_t field = typed_field(t->dt, &bits);
	const size_t size = bits / 8, n = t->len / size;

	if (!data) {
		w->status = w->status ? w->status : LIMIT;
		return;
	}
	switch (field) {
	case FIELD_FLOAT:
		p->n_float_data = n;
		p->float_data = data;
		break;
	case FIELD_DOUBLE:
		p->n_double_data = n;
		p->double_data = data;
		break;
	case FIELD_INT64:
		p->n_int64_data = n;
		p->int64_data = data;
		break;
	case FIELD_UINT64:
		p->n_uint64_data = n;
		p->uint64_data = size == 8 ? data : widen64(w, data, n);
		break;
	default:
		p->n_int32_data = n;
		p->int32_data = widen32(w, data, n, size, sign);
		break;
	}
}

static void write_strings(struct writer *w, const struct tensor *t,
			  Onnx__TensorProto *p)
{
	p->n_string_data = (size_t)t->n;
	p->string_data =
		arena_array(&w->tmp, p->n_string_data, sizeof *p->string_data);
	for (size_t i = 0; i < p->n_string_data; i++)
		p->string_data[i] = pb_bytes(t->strings[i]);
}

static void write_raw(struct writer *w, const struct tensor *t,
		      Onnx__TensorProto *p)
{
	p->has_raw_data = true;
	p->raw_data = borrow(w, t);
}

static Onnx__StringStringEntryProto *
write_entry(struct writer *w, const char *key, const char *value)
{
	Onnx__StringStringEntryProto *e =
		arena_new(&w->tmp, Onnx__StringStringEntryProto);

	onnx__string_string_entry_proto__init(e);
	e->has_key = e->has_value = true;
	e->key = pb_bytes((struct str){key, strlen(key)});
	e->value = pb_bytes((struct str){value, strlen(value)});
	return e;
}

static void write_location(struct writer *w, const struct tensor *t,
			   uint64_t off, Onnx__TensorProto *p)
{
	p->n_external_data = 3;
	p->external_data = write_array(w, 3);
	p->external_data[0] = write_entry(w, "location", w->plan->name);
	p->external_data[1] = write_entry(
		w, "offset",
		arena_printf(&w->tmp, "%llu", (unsigned long long)off));
	p->external_data[2] =
		write_entry(w, "length", arena_printf(&w->tmp, "%zu", t->len));
	p->has_data_location = true;
	p->data_location = LOCATION_EXTERNAL;
}

Onnx__TensorProto *write_tensor(struct writer *w, const struct tensor *t,
				sym name)
{
	Onnx__TensorProto *p =
		write_open(w, &onnx__tensor_proto__descriptor, t->rest);
	uint64_t off;

	p->n_dims = (size_t)t->rank;
	p->dims = (int64_t *)(uintptr_t)t->dim;
	p->has_data_type = true;
	p->data_type = (int32_t)t->dt;
	p->name = write_sym(w, name, &p->has_name);
	if (t->enc == ENC_EXTERNAL && w->keep_external)
		return p;
	if (p->has_data_location && p->data_location == LOCATION_EXTERNAL) {
		p->n_external_data = 0;
		p->has_data_location = false;
	}
	if (w->plan && data_plan_find(w->plan, t, &off))
		write_location(w, t, off, p);
	else if (t->dt == DT_STRING)
		write_strings(w, t, p);
	else if (t->enc == ENC_TYPED)
		write_typed(w, t, p);
	else
		write_raw(w, t, p);
	return p;
}

Onnx__SparseTensorProto *write_sparse(struct writer *w, const struct tensor *t,
				      sym name)
{
	Onnx__SparseTensorProto *p = write_open(
		w, &onnx__sparse_tensor_proto__descriptor, t->sparse_rest);

	p->values = write_tensor(w, t, name);
	p->indices =
		write_tensor(w, t->sparse_indices, t->sparse_indices->name);
	p->n_dims = (size_t)t->dense_rank;
	p->dims = (int64_t *)(uintptr_t)t->dense_dim;
	return p;
}

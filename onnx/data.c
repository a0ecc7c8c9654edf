/* SPDX-License-Identifier: MIT */
/*
 * data.c -- TensorProto, SequenceProto, OptionalProto and MapProto files.
 *
 * Test data sets store one value a file; the model's type for it says which
 * message the file holds.
 */
#include <string.h>
#include "onnx/read_p.h"
#include "onnx/write_p.h"

/* Numbers of SequenceProto.DataType and OptionalProto.DataType. */
enum content { C_NONE, C_TENSOR, C_SPARSE, C_SEQ, C_MAP, C_OPTIONAL };

static enum status get_seq(struct reader *r, const Onnx__SequenceProto *p,
			   struct onnx_data *out, int depth);
static enum status get_map(struct reader *r, const Onnx__MapProto *p,
			   struct onnx_data *out, int depth);
static enum status get_optional(struct reader *r, const Onnx__OptionalProto *p,
				struct onnx_data *out, int depth);

static enum status bad_data(struct reader *r, const char *what)
{
	const struct at at = {.file = r->path};

	return diag_error(r->d, &at, E_data, "%s", what);
}

static enum status get_tensor(struct reader *r, const Onnx__TensorProto *p,
			      struct onnx_data *out)
{
	const struct where w = {
		.what = "tensor",
		.name = pb_sym(r->m->syms, p->has_name, p->name)};
	struct tensor *t;
	enum status st = read_tensor(r, &w, p, &t);

	*out = (struct onnx_data){.kind = DATA_TENSOR, .name = w.name};
	if (!st)
		out->t = t;
	return st;
}

static enum status get_sparse(struct reader *r,
			      const Onnx__SparseTensorProto *p,
			      struct onnx_data *out)
{
	const struct where w = {.what = "sparse tensor"};
	struct tensor *t;
	enum status st = read_sparse(r, &w, p, &t);

	*out = (struct onnx_data){.kind = DATA_TENSOR};
	if (!st) {
		out->t = t;
		out->name = t->name;
	}
	return st;
}

static enum content seq_content(const Onnx__SequenceProto *p)
{
	const size_t n[] = {p->n_tensor_values, p->n_sparse_tensor_values,
			    p->n_sequence_values, p->n_map_values,
			    p->n_optional_values};
	enum content c = C_NONE;

	for (unsigned i = 0; i < countof(n); i++)
		if (n[i] && c)
			return (enum content) - 1; /* mixed */
		else if (n[i])
			c = (enum content)(C_TENSOR + i);
	return c;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
static enum status get_element(struct reader *r, const Onnx__SequenceProto *p,
			       enum content c, size_t i, struct onnx_data *out,
			       int depth)
{
	switch (c) {
	case C_TENSOR:
		return get_tensor(r, p->tensor_values[i], out);
	case C_SPARSE:
		return get_sparse(r, p->sparse_tensor_values[i], out);
	case C_SEQ:
		return get_seq(r, p->sequence_values[i], out, depth);
	case C_MAP:
		return get_map(r, p->map_values[i], out, depth);
	default:
		return get_optional(r, p->optional_values[i], out, depth);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
static enum status get_seq(struct reader *r, const Onnx__SequenceProto *p,
			   struct onnx_data *out, int depth)
{
	const enum content c = seq_content(p);
	enum status st = OK;

	*out = (struct onnx_data){
		.kind = DATA_SEQ,
		.name = pb_sym(r->m->syms, p->has_name, p->name)};
	if (depth > SKIM_DEPTH || c == (enum content) - 1)
		return bad_data(r, "a sequence holds several kinds of values");
	out->n = p->n_tensor_values + p->n_sparse_tensor_values +
		 p->n_sequence_values + p->n_map_values + p->n_optional_values;
	out->e = arena_array(&r->m->arena, out->n, sizeof *out->e);
	for (size_t i = 0; !st && i < out->n; i++)
		st = get_element(r, p, c, i, &out->e[i], depth + 1);
	return st;
}

static const struct tensor *string_keys(struct reader *r,
					const Onnx__MapProto *p)
{
	const int64_t n = (int64_t)p->n_string_keys;
	struct tensor *t = tensor_create(r->m, DT_STRING, 1, &n);

	for (size_t i = 0; t && i < p->n_string_keys; i++)
		t->strings[i] =
			arena_str(&r->m->arena, pb_str(p->string_keys[i]));
	return t;
}

static const struct tensor *number_keys(struct reader *r, enum dtype dt,
					const Onnx__MapProto *p)
{
	const int64_t n = (int64_t)p->n_keys;
	struct tensor *t = tensor_create(r->m, dt, 1, &n);

	for (size_t i = 0; t && i < p->n_keys; i++)
		dtype_set_int(dt, tensor_data_mut(t), i, p->keys[i]);
	return t;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
static enum status get_map(struct reader *r, const Onnx__MapProto *p,
			   struct onnx_data *out, int depth)
{
	enum status st;
	char kind;

	*out = (struct onnx_data){
		.kind = DATA_MAP,
		.name = pb_sym(r->m->syms, p->has_name, p->name)};
	if (!dtype_valid(p->key_type) || !p->values)
		return bad_data(r, "a map has no key type or no values");
	out->key = (enum dtype)p->key_type;
	kind = dtype_kind(out->key);
	if (kind != 's' && kind != 'i' && kind != 'u')
		return bad_data(r, "a map's keys are no strings or integers");
	out->keys =
		kind == 's' ? string_keys(r, p) : number_keys(r, out->key, p);
	if (!out->keys)
		return LIMIT;
	out->e = arena_new(&r->m->arena, struct onnx_data);
	out->n = 1;
	st = get_seq(r, p->values, out->e, depth + 1);
	if (!st && out->e->n != (size_t)out->keys->n)
		st = bad_data(r, "a map has not as many values as keys");
	return st;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the skim */
static enum status get_optional(struct reader *r, const Onnx__OptionalProto *p,
				struct onnx_data *out, int depth)
{
	*out = (struct onnx_data){
		.kind = DATA_OPTIONAL,
		.name = pb_sym(r->m->syms, p->has_name, p->name)};
	out->e = arena_new(&r->m->arena, struct onnx_data);
	out->n = 1;
	if (p->tensor_value)
		return get_tensor(r, p->tensor_value, out->e);
	if (p->sparse_tensor_value)
		return get_sparse(r, p->sparse_tensor_value, out->e);
	if (p->sequence_value)
		return get_seq(r, p->sequence_value, out->e, depth + 1);
	if (p->map_value)
		return get_map(r, p->map_value, out->e, depth + 1);
	if (p->optional_value)
		return get_optional(r, p->optional_value, out->e, depth + 1);
	out->n = 0;
	return OK;
}

static const ProtobufCMessageDescriptor *message_for(const struct type *t)
{
	switch (t ? t->kind : TY_UNKNOWN) {
	case TY_SEQ:
		return &onnx__sequence_proto__descriptor;
	case TY_OPTIONAL:
		return &onnx__optional_proto__descriptor;
	case TY_MAP:
		return &onnx__map_proto__descriptor;
	case TY_SPARSE:
		return &onnx__sparse_tensor_proto__descriptor;
	default:
		return &onnx__tensor_proto__descriptor;
	}
}

static enum status get_data(struct reader *r, const ProtobufCMessage *p,
			    struct onnx_data *out)
{
	const ProtobufCMessageDescriptor *d = p->descriptor;

	if (d == &onnx__sequence_proto__descriptor)
		return get_seq(r, (const Onnx__SequenceProto *)p, out, 0);
	if (d == &onnx__optional_proto__descriptor)
		return get_optional(r, (const Onnx__OptionalProto *)p, out, 0);
	if (d == &onnx__map_proto__descriptor)
		return get_map(r, (const Onnx__MapProto *)p, out, 0);
	if (d == &onnx__sparse_tensor_proto__descriptor)
		return get_sparse(r, (const Onnx__SparseTensorProto *)p, out);
	return get_tensor(r, (const Onnx__TensorProto *)p, out);
}

enum status onnx_read_data(struct model *m, const char *path,
			   const struct type *type, struct onnx_data *out)
{
	struct blob *file;
	struct reader r;
	ProtobufCMessage *p;
	enum status st = file_map(m->diag, path, &file);

	*out = (struct onnx_data){0};
	if (st)
		return st;
	reader_init(&r, m, path, file, NULL);
	p = read_message(&r, message_for(type), &st);
	if (p) {
		st = get_data(&r, p, out);
		protobuf_c_message_free_unpacked(p, NULL);
	}
	reader_release(&r);
	blob_unref(file); /* the tensors have their own references */
	return st;
}

/* ---- writing ---- */

static enum content content_of(const struct onnx_data *in)
{
	switch (in->kind) {
	case DATA_SEQ:
		return C_SEQ;
	case DATA_OPTIONAL:
		return C_OPTIONAL;
	case DATA_MAP:
		return C_MAP;
	case DATA_TENSOR:
		break;
	}
	return in->t->sparse_indices ? C_SPARSE : C_TENSOR;
}

static void *put_data(struct writer *w, const struct onnx_data *in, int depth);

/* NOLINTNEXTLINE(misc-no-recursion): depth is checked in put_data() */
static Onnx__SequenceProto *put_seq(struct writer *w,
				    const struct onnx_data *in, int depth)
{
	Onnx__SequenceProto *p = arena_new(&w->tmp, Onnx__SequenceProto);
	const enum content c = in->n ? content_of(&in->e[0]) : C_TENSOR;
	void **e = write_array(w, in->n);
	struct list {
		size_t *n;
		void *p;
	} lists[] = {{&p->n_tensor_values, &p->tensor_values},
		     {&p->n_sparse_tensor_values, &p->sparse_tensor_values},
		     {&p->n_sequence_values, &p->sequence_values},
		     {&p->n_map_values, &p->map_values},
		     {&p->n_optional_values, &p->optional_values}};

	onnx__sequence_proto__init(p);
	p->name = write_sym(w, in->name, &p->has_name);
	p->has_elem_type = true;
	p->elem_type = (int32_t)c;
	for (size_t i = 0; i < in->n; i++) {
		if (content_of(&in->e[i]) != c)
			BUG("a sequence of several kinds");
		e[i] = put_data(w, &in->e[i], depth + 1);
	}
	*lists[c - C_TENSOR].n = in->n;
	memcpy(lists[c - C_TENSOR].p, &e, sizeof e);
	return p;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is checked in put_data() */
static Onnx__OptionalProto *put_optional(struct writer *w,
					 const struct onnx_data *in, int depth)
{
	Onnx__OptionalProto *p = arena_new(&w->tmp, Onnx__OptionalProto);
	void *const slots[] = {&p->tensor_value, &p->sparse_tensor_value,
			       &p->sequence_value, &p->map_value,
			       &p->optional_value};

	onnx__optional_proto__init(p);
	p->name = write_sym(w, in->name, &p->has_name);
	if (in->n) {
		const enum content c = content_of(in->e);
		void *e = put_data(w, in->e, depth + 1);

		p->has_elem_type = true;
		p->elem_type = (int32_t)c;
		memcpy(slots[c - C_TENSOR], &e, sizeof e);
	}
	return p;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is checked in put_data() */
static Onnx__MapProto *put_map(struct writer *w, const struct onnx_data *in,
			       int depth)
{
	Onnx__MapProto *p = arena_new(&w->tmp, Onnx__MapProto);
	const struct tensor *k = in->keys;
	const size_t n = (size_t)k->n;

	onnx__map_proto__init(p);
	p->name = write_sym(w, in->name, &p->has_name);
	p->has_key_type = true;
	p->key_type = (int32_t)in->key;
	if (k->dt == DT_STRING) {
		p->n_string_keys = n;
		p->string_keys =
			arena_array(&w->tmp, n, sizeof *p->string_keys);
		for (size_t i = 0; i < n; i++)
			p->string_keys[i] = pb_bytes(k->strings[i]);
	} else {
		p->n_keys = n;
		p->keys = arena_array(&w->tmp, n, sizeof *p->keys);
		for (size_t i = 0; i < n; i++)
			p->keys[i] = tensor_int(w->m, k, (int64_t)i);
	}
	p->values = put_seq(w, in->e, depth + 1);
	return p;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is checked here */
static void *put_data(struct writer *w, const struct onnx_data *in, int depth)
{
	if (depth > SKIM_DEPTH)
		BUG("data nested more than %d deep", SKIM_DEPTH);
	switch (content_of(in)) {
	case C_TENSOR:
		return write_tensor(w, in->t, in->name);
	case C_SPARSE:
		return write_sparse(w, in->t, in->name);
	case C_SEQ:
		return put_seq(w, in, depth);
	case C_MAP:
		return put_map(w, in, depth);
	default:
		return put_optional(w, in, depth);
	}
}

enum status onnx_write_data(struct model *m, const char *path,
			    const struct onnx_data *in)
{
	struct writer w;
	struct outfile *f;
	struct sink out = {sink_file, NULL};
	const ProtobufCMessage *p;
	enum status st;

	writer_init(&w, m);
	p = put_data(&w, in, 0);
	st = w.status ? w.status : outfile_open(m->diag, path, &f);
	if (!st) {
		out.arg = f;
		st = write_stream(&w, p, &out);
		if (w.status)
			outfile_abort(f);
		else
			st = outfile_commit(f, false);
	}
	writer_release(&w);
	return st;
}

/* SPDX-License-Identifier: MIT */
/*
 * read_tensor.c -- TensorProto becomes a tensor over mapped or decoded bytes.
 *
 * The payload is where the skim's ticket says.  raw_data, float_data and
 * double_data are the elements' bytes already; numbers stored as varints are
 * decoded into packed elements, each checked against the element type.
 */
#include <string.h>
#include "onnx/payload_p.h"
#include "ir/sparse.h"
#include "onnx/read_p.h"

enum { RANK_MAX = 1024, LOCATION_EXTERNAL = 1 };

uint32_t typed_field(enum dtype dt, unsigned *entry_bits)
{
	*entry_bits = dtype_bits(dt) < 8 ? 8 : dtype_bits(dt);
	switch (dt) {
	case DT_F32:
		return FIELD_FLOAT;
	case DT_C64:
		*entry_bits = 32;
		return FIELD_FLOAT;
	case DT_F64:
		return FIELD_DOUBLE;
	case DT_C128:
		*entry_bits = 64;
		return FIELD_DOUBLE;
	case DT_I64:
		return FIELD_INT64;
	case DT_U32:
	case DT_U64:
		return FIELD_UINT64;
	case DT_STRING:
		return FIELD_STRING;
	default:
		return FIELD_INT32;
	}
}

/* Element type, dimensions, sizes: everything but the data. */
static enum status read_head(struct reader *r, const struct where *w,
			     const Onnx__TensorProto *p, int64_t *n,
			     size_t *bytes)
{
	if (!p->has_data_type || !dtype_valid(p->data_type))
		return diag_error(r->d, where_at(r, w), E_dtype,
				  "data type %d is not defined",
				  p->has_data_type ? p->data_type : 0);
	if (p->n_dims > RANK_MAX)
		return diag_error(r->d, where_at(r, w), E_dims,
				  "rank %zu is over %d", p->n_dims, RANK_MAX);
	*bytes = 0;
	if (!shape_count((int)p->n_dims, p->dims, n) ||
	    (p->data_type != DT_STRING &&
	     !dtype_bytes((enum dtype)p->data_type, *n, bytes)))
		return diag_error(r->d, where_at(r, w), E_dims,
				  "a dimension is negative, or there are too "
				  "many elements");
	if (p->segment)
		return diag_error(r->d, where_at(r, w), E_unsupported,
				  "the tensor is stored in segments");
	return OK;
}

static struct tensor *make(struct reader *r, const Onnx__TensorProto *p,
			   struct blob *blob, size_t off, enum tensor_enc enc)
{
	static struct blob empty;
	struct tensor *t;

	t = tensor_of_blob(r->m, (enum dtype)p->data_type, (int)p->n_dims,
			   p->dims, blob ? blob : &empty, off);
	if (t)
		t->enc = enc;
	return t;
}

static enum status read_external(struct reader *r, const struct where *w,
				 const Onnx__TensorProto *p, size_t bytes,
				 struct tensor **out)
{
	const struct at *at = where_at(r, w);
	struct location l;
	struct blob *blob = NULL;
	enum status st;
	size_t off = 0;

	if (p->data_type == DT_STRING)
		return diag_error(r->d, at, E_external,
				  "strings cannot be external data");
	if (r->o->no_external)
		return diag_error(r->d, at, E_external,
				  "external data is not allowed here");
	st = location_read(r->d, at, p->external_data, p->n_external_data, &l);
	if (!st)
		st = external_read(&r->ext, r->m, at, &l, bytes, &blob, &off);
	if (!st)
		*out = make(r, p, blob, off, ENC_EXTERNAL);
	return st;
}

static enum status read_strings(struct reader *r, const struct where *w,
				const Onnx__TensorProto *p, int64_t n,
				struct tensor **out)
{
	struct tensor *t;

	if ((uint64_t)n != p->n_string_data)
		return diag_error(r->d, where_at(r, w), E_payload,
				  "%zu strings are stored, %lld are needed",
				  p->n_string_data, (long long)n);
	*out = t = make(r, p, NULL, 0, ENC_TYPED);
	if (!t || !n)
		return OK;
	t->strings =
		arena_array(&r->m->arena, p->n_string_data, sizeof *t->strings);
	for (size_t i = 0; i < p->n_string_data; i++)
		t->strings[i] =
			arena_str(&r->m->arena, pb_str(p->string_data[i]));
	return OK;
}

static bool entry_fits(enum dtype dt, uint64_t v)
{
	const int64_t s = (int64_t)v;

	switch (dt) {
	case DT_I8:
		return s >= INT8_MIN && s <= INT8_MAX;
	case DT_I16:
		return s >= INT16_MIN && s <= INT16_MAX;
	case DT_I32:
		/* protobuf keeps the low 32 bits of an int32 */
	case DT_I64:
	case DT_U64:
		return true;
	case DT_U32:
		return v <= UINT32_MAX;
	case DT_BOOL:
		return v <= 1;
	case DT_U16:
	case DT_F16:
	case DT_BF16:
		return v <= UINT16_MAX;
	default:
		return v <= UINT8_MAX;
	}
}

/* Varints become little-endian entries of `size` bytes each. */
static enum status decode(struct reader *r, const struct where *w,
			  enum dtype dt, const uint8_t *p, const uint8_t *end,
			  uint8_t *out, size_t size)
{
	uint64_t v;

	for (; p < end; out += size) {
		if (!varint_get(&p, end, &v))
			return diag_error(r->d, where_at(r, w), E_proto,
					  "damaged number in the data");
		if (!entry_fits(dt, v))
			return diag_error(r->d, where_at(r, w), E_payload,
					  "the number %lld is outside of the "
					  "element type %s",
					  (long long)v, dtype_name(dt));
		for (size_t i = 0; i < size; i++)
			out[i] = (uint8_t)(v >> 8 * i);
	}
	return OK;
}

static size_t count_varints(const uint8_t *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += p[i] < 0x80;
	return count;
}

static enum status size_error(struct reader *r, const struct where *w,
			      size_t have, size_t need)
{
	return diag_error(r->d, where_at(r, w), E_payload,
			  "%zu bytes of data are stored, the shape needs %zu",
			  have, need);
}

static enum status read_varints(struct reader *r, const struct where *w,
				const Onnx__TensorProto *p, const uint8_t *src,
				size_t len, size_t bytes, struct tensor **out)
{
	const enum dtype dt = (enum dtype)p->data_type;
	struct blob *blob;
	unsigned bits;
	size_t size, have;
	enum status st;

	typed_field(dt, &bits);
	size = bits / 8;
	if (!mul_size(count_varints(src, len), size, &have) || have != bytes)
		return size_error(r, w, have, bytes);
	if (!bytes) {
		*out = make(r, p, NULL, 0, ENC_TYPED);
		return OK;
	}
	blob = blob_alloc(r->d, bytes);
	if (!blob)
		return LIMIT;
	st = decode(r, w, dt, src, src + len, blob->p, size);
	if (!st)
		*out = make(r, p, blob, 0, ENC_TYPED);
	blob_unref(blob);
	return st;
}

/* Bytes that are the elements as they stand: map them, or copy a gathered
 * payload out of the skim's buffer. */
static enum status read_flat(struct reader *r, const Onnx__TensorProto *p,
			     const struct ticket *k, enum tensor_enc enc,
			     struct tensor **out)
{
	struct blob *blob;

	if (!k->side) {
		*out = make(r, p, r->file, (size_t)k->off, enc);
		return OK;
	}
	blob = blob_alloc(r->d, (size_t)k->len);
	if (!blob)
		return LIMIT;
	memcpy(blob->p, r->skim.side + k->off, (size_t)k->len);
	*out = make(r, p, blob, 0, enc);
	blob_unref(blob);
	return OK;
}

static enum status read_ticket(struct reader *r, const struct where *w,
			       const Onnx__TensorProto *p, size_t bytes,
			       struct tensor **out)
{
	const uint8_t *base;
	struct ticket k;
	unsigned bits;

	memcpy(&k, p->ticket.data, sizeof k);
	base = k.side ? r->skim.side : r->file->p;
	if (k.field != FIELD_RAW &&
	    k.field != typed_field((enum dtype)p->data_type, &bits))
		return diag_error(r->d, where_at(r, w), E_payload,
				  "the values are in a field that is not for "
				  "%s",
				  dtype_name((enum dtype)p->data_type));
	if (k.field == FIELD_INT32 || k.field == FIELD_INT64 ||
	    k.field == FIELD_UINT64)
		return read_varints(r, w, p, base + k.off, (size_t)k.len, bytes,
				    out);
	if (k.len != bytes)
		return size_error(r, w, (size_t)k.len, bytes);
	return read_flat(r, p, &k, k.field == FIELD_RAW ? ENC_RAW : ENC_TYPED,
			 out);
}

static enum status read_payload(struct reader *r, const struct where *w,
				const Onnx__TensorProto *p, int64_t n,
				size_t bytes, struct tensor **out)
{
	const bool external =
		p->has_data_location && p->data_location == LOCATION_EXTERNAL;

	if (external + p->has_ticket + (p->n_string_data > 0) > 1)
		return diag_error(r->d, where_at(r, w), E_payload,
				  "the values are stored twice");
	if (external)
		return read_external(r, w, p, bytes, out);
	if (p->data_type == DT_STRING && !p->has_ticket)
		return read_strings(r, w, p, n, out);
	if (p->data_type == DT_STRING || p->n_string_data)
		return diag_error(r->d, where_at(r, w), E_payload,
				  "the values are in a field that is not for "
				  "%s",
				  dtype_name((enum dtype)p->data_type));
	if (p->has_ticket)
		return read_ticket(r, w, p, bytes, out);
	if (n)
		return size_error(r, w, 0, bytes);
	*out = make(r, p, NULL, 0, ENC_TYPED);
	return OK;
}

enum status read_tensor(struct reader *r, const struct where *w,
			const Onnx__TensorProto *p, struct tensor **out)
{
	enum status st;
	int64_t n = 0;
	size_t bytes = 0;

	*out = NULL;
	st = read_head(r, w, p, &n, &bytes);
	if (!st)
		st = read_payload(r, w, p, n, bytes, out);
	if (st)
		return st;
	if (!*out)
		return LIMIT; /* the callee said why */
	(*out)->name = pb_sym(r->m->syms, p->has_name, p->name);
	(*out)->rest = pb_rest(&r->m->arena, &p->base, PB_TENSOR_MASK);
	return OK;
}

static enum status check_sparse(struct reader *r, const struct where *w,
				const Onnx__SparseTensorProto *p,
				const struct tensor *v, const struct tensor *ix)
{
	int64_t total;

	if (p->n_dims == 0 || p->n_dims > RANK_MAX ||
	    !shape_count((int)p->n_dims, p->dims, &total) || total < 1)
		return diag_error(r->d, where_at(r, w), E_dims,
				  "impossible dense dimensions");
	if (!sparse_valid(r->m, v, ix, p->dims, (int)p->n_dims))
		return diag_error(r->d, where_at(r, w), E_payload,
				  "the indices do not fit the values or the "
				  "dimensions, or are not ascending");
	return OK;
}

enum status read_sparse(struct reader *r, const struct where *w,
			const Onnx__SparseTensorProto *p, struct tensor **out)
{
	struct tensor *v, *ix;
	enum status st;

	if (!p->values || !p->indices)
		return diag_error(r->d, where_at(r, w), E_payload,
				  "a sparse tensor has no values or no "
				  "indices");
	st = read_tensor(r, w, p->values, &v);
	if (!st)
		st = read_tensor(r, w, p->indices, &ix);
	if (!st)
		st = check_sparse(r, w, p, v, ix);
	if (st)
		return st;
	v->sparse_indices = ix;
	v->dense_rank = (int)p->n_dims;
	v->dense_dim =
		arena_dup(&r->m->arena, p->dims, p->n_dims * sizeof *p->dims);
	v->sparse_rest = pb_rest(&r->m->arena, &p->base, PB_SPARSE_MASK);
	*out = v;
	return OK;
}

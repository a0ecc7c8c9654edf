/* SPDX-License-Identifier: MIT */
/*
 * quant.c -- quantization, and the fused and quantized operators of the
 * domain com.microsoft.
 */
#include "ir/infer/infer.h"

static enum status dtype_or(struct node *n, const char *name, enum dtype dflt)
{
	int64_t v = node_attr_int(n, name, 0);

	if (v == 0)
		v = dflt;
	if (v == 0)
		return OK;
	if (!dtype_valid(v))
		return infer_error(n, E_dtype, "%s %lld is no element type",
				   name, (long long)v);
	return out_dtype(n, 0, (enum dtype)v);
}

/* The zero point's type, else output_dtype, else uint8. */
enum status infer_quantize(struct node *n)
{
	enum status st = OK;

	if (!in_given(n, 2))
		st = dtype_or(n, "output_dtype", DT_U8);
	else if (in_dtype(n, 2))
		st = out_dtype(n, 0, in_dtype(n, 2));
	return st ? st : out_shape_of(n, 0, 0);
}

enum status infer_dequantize(struct node *n)
{
	enum dtype scale = in_dtype(n, 1);
	enum status st = dtype_or(n, "output_dtype",
				  scale == DT_F8E8M0 ? DT_F32 : scale);

	return st ? st : out_shape_of(n, 0, 0);
}

enum status infer_dynamic_quantize(struct node *n)
{
	enum status st = out_shape_of(n, 0, 0);

	if (!st)
		st = out_shape(n, 1, 0, NULL);
	return st ? st : out_shape(n, 2, 0, NULL);
}

/* Operands at inputs 0 and 3, each followed by scale and zero point. */
enum status infer_qlinear_binary(struct node *n)
{
	static const uint32_t in[] = {0, 3};
	struct dim *d;
	int rank;
	enum status st = broadcast_types(n, in, 2, &rank, &d);

	return st || rank < 0 ? st : out_shape(n, 0, rank, d);
}

/* Integers in an element: the last axis is longer by as much. */
static int64_t packed_in(const struct node *n)
{
	int64_t bits = node_attr_int(n, "bits", 4);

	if (in_dtype(n, 0) != DT_U8)
		return 1;
	return bits == 2 || bits == 4 ? 8 / bits : 1;
}

enum status infer_qlinear_where(struct node *n)
{
	static const uint32_t in[] = {0, 1, 4};
	struct dim *d;
	int rank;
	enum status st = broadcast_types(n, in, 3, &rank, &d);

	return st || rank < 0 ? st : out_shape(n, 0, rank, d);
}

enum status infer_gather_quantized(struct node *n)
{
	int rx, ri, axis, k = 0;
	const struct dim *x = in_dims(n, 0, &rx), *ix = in_dims(n, 1, &ri);
	struct dim *d;
	enum status st;

	if (!x || !ix || in_dtype(n, 0) == DT_NONE)
		return OK;
	st = axis_attr(n, "gather_axis", 0, rx, &axis);
	if (st)
		return st;
	d = dims_new(n, (size_t)rx + (size_t)ri);
	for (int i = 0; i < rx; i++) {
		if (i != axis)
			d[k++] = i == rx - 1 ? dim_mul(node_model(n), x[i],
						       dim_of(packed_in(n)))
					     : x[i];
		for (int j = 0; i == axis && j < ri; j++)
			d[k++] = ix[j];
	}
	return out_shape(n, 0, k, d);
}

/* input_ids [batch, seq], ..., word_embedding [words, hidden], ... */
enum status infer_embed_norm(struct node *n)
{
	int ri, rw;
	const struct dim *ids = in_dims(n, 0, &ri), *w = in_dims(n, 2, &rw);
	struct dim d[3] = {dim_none(), dim_none(), dim_none()};
	enum status st;

	if (ids && ri == 2) {
		d[0] = ids[0];
		d[1] = ids[1];
	}
	if (w && rw == 2)
		d[2] = w[1];
	st = out_shape(n, 0, 3, d);
	if (!st)
		st = out_shape(n, 1, 1, d);
	return st ? st : out_shape(n, 2, 3, d);
}

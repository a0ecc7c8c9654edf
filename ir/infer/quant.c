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
	enum status st = dtype_or(n, "output_dtype", in_dtype(n, 1));

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

enum status infer_gather_quantized(struct node *n)
{
	int rx, ri, axis, k = 0;
	const struct dim *x = in_dims(n, 0, &rx), *ix = in_dims(n, 1, &ri);
	int64_t q = node_attr_int(n, "quantize_axis", 1);
	int64_t pack = in_dtype(n, 0) == DT_U8
			       ? 8 / (node_attr_int(n, "bits", 4) == 8 ? 8 : 4)
			       : 1;
	struct dim *d;
	enum status st;

	if (!x || !ix || in_dtype(n, 0) == DT_NONE)
		return OK;
	st = axis_attr(n, "gather_axis", 0, rx, &axis);
	if (st)
		return st;
	q += q < 0 ? rx : 0;
	d = dims_new(n, (size_t)rx + (size_t)ri);
	for (int i = 0; i < rx; i++) {
		if (i != axis)
			d[k++] = i == q ? dim_mul(node_model(n), x[i],
						  dim_of(pack))
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

/* ---- attention ---- */

/* Hidden size of the values: a third of the weight's columns or as given. */
static struct dim value_size(struct node *n)
{
	size_t k;
	const int64_t *sizes = node_attr_ints(n, "qkv_hidden_sizes", &k);
	int rank;
	const struct dim *w = in_dims(n, 1, &rank);

	if (sizes)
		return k == 3 && sizes[2] >= 0 ? dim_of(sizes[2]) : dim_none();
	if (!w || rank != 2)
		return dim_none();
	return dim_floordiv(node_model(n), w[1], dim_of(3));
}

/* input [batch, seq, hidden] and one weight for query, key and value */
enum status infer_packed_attention(struct node *n)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim d[3] = {dim_none(), dim_none(), value_size(n)};

	if (x && rank != 3)
		return infer_error(n, E_shape, "input has rank %d, expected 3",
				   rank);
	if (x) {
		d[0] = x[0];
		d[1] = x[1];
	}
	return out_shape(n, 0, 3, d);
}

/* query [batch, seq, hidden]; the values may have another hidden size */
enum status infer_multihead_attention(struct node *n)
{
	int rank, rv;
	const struct dim *q = in_dims(n, 0, &rank), *v = in_dims(n, 2, &rv);
	struct dim d[3] = {dim_none(), dim_none(), dim_none()};

	if (!q || rank != 3)
		return OK;
	d[0] = q[0];
	d[1] = q[1];
	if (v && rv == 3)
		d[2] = v[2];
	else if (v && rv == 4)
		d[2] = dim_mul(node_model(n), v[1], v[3]);
	return out_shape(n, 0, 3, d);
}

/* packed: query holds heads + 2*kv_heads heads */
enum status infer_group_attention(struct node *n)
{
	struct model *m = node_model(n);
	int64_t heads = node_attr_int(n, "num_heads", 0);
	int64_t kv = node_attr_int(n, "kv_num_heads", 0), all;
	int rank;
	const struct dim *q = in_dims(n, 0, &rank);
	struct dim d[3], head;

	if (!q || rank != 3 || heads <= 0 || kv <= 0 || kv > INT32_MAX ||
	    heads > INT32_MAX)
		return OK;
	d[0] = q[0];
	d[1] = q[1];
	d[2] = q[2];
	all = heads + 2 * kv;
	if (!in_given(n, 1)) {
		head = dim_floordiv(m, q[2], dim_of(all));
		d[2] = dim_mul(m, head, dim_of(heads));
	}
	return out_shape(n, 0, 3, d);
}

/*
 * Attention of ai.onnx: Q, K, V of rank 4 [batch, heads, seq, size] or of rank
 * 3 [batch, seq, heads*size] with head counts as attributes.
 */
struct heads {
	struct dim batch, heads, seq, size;
};

static bool heads_of(struct node *n, uint32_t i, const char *count,
		     struct heads *h)
{
	int64_t k = node_attr_int(n, count, 0);
	int rank;
	const struct dim *x = in_dims(n, i, &rank);

	if (!x || (rank != 3 && rank != 4))
		return false;
	h->batch = x[0];
	if (rank == 4) {
		h->heads = x[1];
		h->seq = x[2];
		h->size = x[3];
		return true;
	}
	h->seq = x[1];
	h->heads = k > 0 ? dim_of(k) : dim_none();
	h->size = k > 0 ? dim_floordiv(node_model(n), x[2], dim_of(k))
			: dim_none();
	return true;
}

/* Length with the past that input i brings; axis 2 of rank 4. */
static struct dim with_past(struct node *n, uint32_t i, struct dim seq)
{
	int rank;
	const struct dim *p = in_dims(n, i, &rank);

	if (!in_given(n, i))
		return seq;
	return p && rank == 4 ? dim_add(node_model(n), p[2], seq) : dim_none();
}

enum status infer_attention(struct node *n)
{
	struct model *m = node_model(n);
	struct heads q, k, v;
	struct dim total;
	int rank;
	enum status st;

	if (!in_rank(n, 0, &rank) || !heads_of(n, 0, "q_num_heads", &q) ||
	    !heads_of(n, 1, "kv_num_heads", &k) ||
	    !heads_of(n, 2, "kv_num_heads", &v))
		return OK;
	if (rank == 4)
		st = out_shape(n, 0, 4,
			       (struct dim[]){q.batch, q.heads, q.seq, v.size});
	else
		st = out_shape(n, 0, 3,
			       (struct dim[]){q.batch, q.seq,
					      dim_mul(m, q.heads, v.size)});
	total = with_past(n, 4, k.seq);
	if (!st)
		st = out_shape(n, 1, 4,
			       (struct dim[]){k.batch, k.heads, total, k.size});
	if (!st)
		st = out_shape(n, 2, 4,
			       (struct dim[]){v.batch, v.heads,
					      with_past(n, 5, v.seq), v.size});
	if (!st)
		st = out_shape(n, 3, 4,
			       (struct dim[]){q.batch, q.heads, q.seq, total});
	return st;
}

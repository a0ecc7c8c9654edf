/* SPDX-License-Identifier: MIT */
/*
 * attention.c -- attention in its forms: ai.onnx, com.microsoft, linear.
 */
#include "ir/infer/infer.h"

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

/* Output 1 of Attention and QAttention: [2, batch, heads, past + seq, size] */
static enum status packed_present(struct node *n, const struct dim *y)
{
	uint32_t jpast = node_is(n, OP_ms_QAttention) ? 8 : 4;
	int64_t heads = node_attr_int(n, "num_heads", 0);
	struct model *m = node_model(n);
	int rank;
	const struct dim *p = in_dims(n, jpast, &rank);
	struct dim d[5] = {dim_of(2), y[0], dim_none(), y[1], dim_none()};

	if (heads > 0) {
		d[2] = dim_of(heads);
		d[4] = dim_floordiv(m, y[2], d[2]);
	}
	if (in_given(n, jpast))
		d[3] = p && rank == 5 ? dim_add(m, p[3], y[1]) : dim_none();
	return out_shape(n, 1, 5, d);
}

/* input [batch, seq, hidden] and one weight for query, key and value */
enum status infer_packed_attention(struct node *n)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim d[3] = {dim_none(), dim_none(), value_size(n)};
	enum status st;

	if (x && rank != 3)
		return infer_error(n, E_shape, "input has rank %d, expected 3",
				   rank);
	if (x) {
		d[0] = x[0];
		d[1] = x[1];
	}
	st = out_shape(n, 0, 3, d);
	return st ? st : packed_present(n, d);
}

/* Keys or values so far: [batch, heads, past + length, size] */
static enum status multi_present(struct node *n, uint32_t i, uint32_t jpast,
				 struct dim batch, struct dim len,
				 struct dim size)
{
	int64_t heads = node_attr_int(n, "num_heads", 0);
	int rank;
	const struct dim *p = in_dims(n, jpast, &rank);
	struct dim d[4] = {batch, dim_none(), len, size};

	if (heads > 0)
		d[1] = dim_of(heads);
	if (in_given(n, jpast))
		d[2] = p && rank == 4 ? dim_add(node_model(n), p[2], len)
				      : dim_none();
	return out_shape(n, i, 4, d);
}

/* query [batch, seq, hidden]; the values may have another hidden size */
enum status infer_multihead_attention(struct node *n)
{
	struct model *m = node_model(n);
	int64_t k = node_attr_int(n, "num_heads", 0);
	struct dim heads = k > 0 ? dim_of(k) : dim_none();
	int rank, rk, rv;
	const struct dim *q = in_dims(n, 0, &rank), *key = in_dims(n, 1, &rk);
	const struct dim *v = in_dims(n, 2, &rv);
	struct dim d[3], len = dim_none(), size = dim_none();
	enum status st;

	if (!q || (rank != 3 && rank != 5))
		return OK;
	d[0] = q[0];
	d[1] = q[1];
	d[2] = dim_none();
	if (rank == 5) {
		size = q[4];
		len = q[1];
		d[2] = dim_mul(m, heads, size);
	} else {
		size = k > 0 ? dim_floordiv(m, q[2], heads) : size;
		if (key && rk >= 3 && rk <= 5)
			len = key[rk == 4 ? 2 : 1];
		if (v && rv == 3)
			d[2] = v[2];
		else if (v && rv == 4)
			d[2] = dim_mul(m, v[1], v[3]);
		else if (key && rk == 5)
			d[2] = q[2];
	}
	st = out_shape(n, 0, 3, d);
	if (!st)
		st = multi_present(n, 1, 6, d[0], len, size);
	if (!st)
		st = multi_present(n, 2, 7, d[0], len,
				   k > 0 ? dim_floordiv(m, d[2], heads)
					 : dim_none());
	return st;
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
	enum status st;

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
	st = out_shape(n, 0, 3, d);
	/* How long the store is depends on data. */
	for (uint32_t i = 1; i < 3 && !st; i++)
		st = out_shape(
			n, i, 4,
			(struct dim[]){d[0], dim_of(kv), dim_none(),
				       dim_floordiv(m, d[2], dim_of(heads))});
	return st;
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

	for (uint32_t i = 0; i < 3; i++)
		if (in_rank(n, i, &rank) && rank != 3 && rank != 4)
			return infer_error(n, E_shape,
					   "input %u has rank %d, expected 3 "
					   "or 4",
					   (unsigned)i, rank);
	if (!in_rank(n, 0, &rank) || !heads_of(n, 0, "q_num_heads", &q) ||
	    !heads_of(n, 1, "kv_num_heads", &k) ||
	    !heads_of(n, 2, "kv_num_heads", &v))
		return OK;
	if (!dim_join(q.batch, k.batch, &q.batch) ||
	    !dim_join(q.batch, v.batch, &q.batch))
		return infer_error(n, E_shape,
				   "query, key and value differ in batch "
				   "size");
	k.batch = v.batch = q.batch;
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

/* Input i, if it is given, has the dims d; its names are kept. */
static enum status like_past(struct node *n, uint32_t i, struct dim *d,
			     int rank)
{
	int r;
	const struct dim *p = in_dims(n, i, &r);

	if (!p)
		return OK;
	if (r != rank)
		return infer_error(n, E_shape, "state has rank %d, expected %d",
				   r, rank);
	for (int k = 0; k < rank; k++)
		if (!dim_join(p[k], d[k], &d[k]))
			return infer_error(n, E_shape,
					   "size %lld of the state at axis %d, "
					   "expected %lld",
					   (long long)p[k].n, k,
					   (long long)d[k].n);
	return OK;
}

/* query, key, value packed [batch, seq, heads*size]; the state is 4-D */
enum status infer_linear_attention(struct node *n)
{
	struct heads q, k, v;
	struct dim d[4];
	int r0, r1, r2;
	enum status st;

	if (!in_rank(n, 0, &r0) || !in_rank(n, 1, &r1) || !in_rank(n, 2, &r2))
		return OK;
	if (r0 != 3 || r1 != 3 || r2 != 3)
		return infer_error(n, E_shape,
				   "ranks are %d, %d and %d, expected 3", r0,
				   r1, r2);
	heads_of(n, 0, "q_num_heads", &q);
	heads_of(n, 1, "kv_num_heads", &k);
	heads_of(n, 2, "kv_num_heads", &v);
	st = out_shape(n, 0, 3,
		       (struct dim[]){q.batch, q.seq,
				      dim_mul(node_model(n), q.heads, v.size)});
	if (!st && !in_given(n, 3) && in_dtype(n, 0))
		st = out_dtype(n, 1, in_dtype(n, 0));
	d[0] = k.batch;
	d[1] = k.heads;
	d[2] = k.size;
	d[3] = v.size;
	if (!st)
		st = like_past(n, 3, d, 4);
	return st ? st : out_shape(n, 1, 4, d);
}

/* The state holds the last kernel - 1 positions. */
enum status infer_causal_conv(struct node *n)
{
	int rx, rw, rb;
	const struct dim *x = in_dims(n, 0, &rx), *w = in_dims(n, 1, &rw);
	const struct dim *b = in_dims(n, 2, &rb);
	struct dim d[3];
	enum status st = out_shape_of(n, 0, 0);

	if (st || !x)
		return st;
	if (rx != 3 || (w && rw != 3))
		return infer_error(n, E_shape, "rank %d, expected 3",
				   rx != 3 ? rx : rw);
	d[0] = x[0];
	d[1] = x[1];
	if (w && !dim_join(d[1], w[0], &d[1]))
		return infer_error(n, E_shape,
				   "%lld channels, but kernels for %lld",
				   (long long)x[1].n, (long long)w[0].n);
	if (b && rb == 1 && !dim_join(d[1], b[0], &d[1]))
		return infer_error(n, E_shape,
				   "%lld channels, but a bias for %lld",
				   (long long)d[1].n, (long long)b[0].n);
	d[2] = w ? dim_sub(node_model(n), w[2], dim_of(1)) : dim_none();
	if (!dim_known(d[2]) && d[2].s == 0)
		d[2] = dim_none();
	st = like_past(n, 3, d, 3);
	return st ? st : out_shape(n, 1, 3, d);
}

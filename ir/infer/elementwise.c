/* SPDX-License-Identifier: MIT */
/*
 * elementwise.c -- outputs of the shape of an input, or of all broadcast.
 */
#include "ir/infer/infer.h"

enum status infer_same(struct node *n)
{
	return out_shape_of(n, 0, 0);
}

/* Whatever the type is: tensor, sequence or optional. */
enum status infer_identity(struct node *n)
{
	return out_type(n, 0, in_type(n, 0));
}

static enum status broadcast_first(struct node *n, const uint32_t *in,
				   size_t nin)
{
	struct dim *d;
	int rank;
	enum status st = broadcast_types(n, in, nin, &rank, &d);

	return st || rank < 0 ? st : out_shape(n, 0, rank, d);
}

enum status infer_broadcast(struct node *n)
{
	uint32_t *in = scratch(n, n->nin + 1u, sizeof(*in));

	for (uint32_t i = 0; i < n->nin; i++)
		in[i] = i;
	return broadcast_first(n, in, n->nin);
}

/* All inputs of one shape: until version 6. */
static enum status same_shapes(struct node *n)
{
	enum status st = OK;

	for (uint32_t i = 0; i < n->nin && !st; i++)
		st = out_shape_of(n, 0, i);
	return st;
}

/* The second operand spans a part of the first, given by attributes. */
enum status infer_binary_old(struct node *n)
{
	if (node_attr_int(n, "broadcast", 0))
		return out_shape_of(n, 0, 0);
	return same_shapes(n);
}

enum status infer_variadic_old(struct node *n)
{
	return same_shapes(n);
}

/* The slope is repeated to the input, never the other way round. */
enum status infer_prelu(struct node *n)
{
	return out_shape_of(n, 0, 0);
}

static enum status dtype_attr(struct node *n, const char *name, enum dtype dflt)
{
	int64_t to = node_attr_int(n, name, dflt);

	if (to == 0 && !node_has_attr(n, name))
		return OK;
	if (!dtype_valid(to))
		return infer_error(n, E_dtype, "%s %lld is no element type",
				   name, (long long)to);
	return out_dtype(n, 0, (enum dtype)to);
}

/* The names of element types as version 1 wrote them. */
static enum status dtype_attr_name(struct node *n)
{
	struct str s = node_attr_str(n, "to", "");
	char low[16];
	enum dtype dt;

	for (size_t i = 0; i < s.n && i < sizeof(low); i++)
		low[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z'
					? s.p[i] - 'A' + 'a'
					: s.p[i]);
	if (s.n > sizeof(low))
		return OK;
	dt = dtype_from_name((struct str){low, s.n});
	return dt ? out_dtype(n, 0, dt) : OK;
}

enum status infer_cast_old(struct node *n)
{
	enum status st = dtype_attr_name(n);

	return st ? st : out_shape_of(n, 0, 0);
}

enum status infer_cast(struct node *n)
{
	enum status st = dtype_attr(n, "to", DT_NONE);

	return st ? st : out_shape_of(n, 0, 0);
}

enum status infer_castlike(struct node *n)
{
	enum status st = OK;

	if (in_dtype(n, 1))
		st = out_dtype(n, 0, in_dtype(n, 1));
	return st ? st : out_shape_of(n, 0, 0);
}

/* A target type of another width scales the last dim. */
enum status infer_bitcast(struct node *n)
{
	int64_t to = node_attr_int(n, "to", 0);
	enum status st = dtype_attr(n, "to", DT_NONE);

	if (st || !dtype_valid(to) || !in_dtype(n, 0) ||
	    dtype_bits((enum dtype)to) != dtype_bits(in_dtype(n, 0)))
		return st;
	return out_shape_of(n, 0, 0);
}

/* Output 0 and the mask look like the input. */
enum status infer_dropout(struct node *n)
{
	enum status st = out_shape_of(n, 0, 0);

	return st ? st : out_shape_of(n, 1, 0);
}

/* ---- random numbers ---- */

static enum status shape_attr(struct node *n)
{
	size_t count;
	const int64_t *v = node_attr_ints(n, "shape", &count);
	struct dim *d = dims_new(n, count);

	if (!v && !node_has_attr(n, "shape"))
		return OK;
	for (size_t i = 0; i < count; i++) {
		if (v[i] < 0)
			return infer_error(n, E_shape,
					   "attribute shape has the size %lld",
					   (long long)v[i]);
		d[i] = dim_of(v[i]);
	}
	return out_shape(n, 0, (int)count, d);
}

enum status infer_random(struct node *n)
{
	enum status st = dtype_attr(n, "dtype", DT_F32);

	return st ? st : shape_attr(n);
}

/* dtype: the attribute, else as the input. */
enum status infer_random_like(struct node *n)
{
	enum status st = dtype_attr(n, "dtype", in_dtype(n, 0));

	return st ? st : out_shape_of(n, 0, 0);
}

enum status infer_multinomial(struct node *n)
{
	struct dim d[2];
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	int64_t k = node_attr_int(n, "sample_size", 1);
	enum status st = dtype_attr(n, "dtype", DT_I32);

	if (st)
		return st;
	if (x && rank != 2)
		return infer_error(n, E_shape, "input has rank %d, expected 2",
				   rank);
	d[0] = x ? x[0] : dim_none();
	d[1] = k >= 0 ? dim_of(k) : dim_none();
	return out_shape(n, 0, 2, d);
}

enum status infer_eyelike(struct node *n)
{
	return infer_random_like(n);
}

/* A window of `size` points. */
enum status infer_window(struct node *n)
{
	enum status st = dtype_attr(n, "output_datatype", DT_F32);
	const struct dim *v;
	struct dim d = dim_none();
	uint32_t count;
	int64_t k;

	if (st)
		return st;
	if (in_data(n, 0, &v, &count) && count == 1 &&
	    (!dim_number(node_model(n), v[0], &k) || k >= 0))
		d = v[0];
	return out_shape(n, 0, 1, &d);
}

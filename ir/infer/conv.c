/* SPDX-License-Identifier: MIT */
/*
 * conv.c -- windows that slide: convolutions and pools.
 *
 * For an input of size x with pads p and q, a kernel spanning
 * k = (kernel - 1)*dilation + 1 and stride s (ONNX operators, AveragePool):
 *	floor((x + p + q - k)/s) + 1
 * with ceil_mode ceil instead of floor, but no window that starts beyond
 * x + p.
 */
#include "ir/infer/infer.h"

enum auto_pad { NOTSET, SAME_UPPER, SAME_LOWER, VALID };

struct window {
	int nd; /* spatial axes */
	enum auto_pad pad;
	bool ceil;
	struct dim *kernel; /* nd; span before dilation */
	int64_t *stride, *dilation;
	int64_t *pads; /* 2 * nd */
};

static enum status auto_pad_attr(const struct node *n, enum auto_pad *p)
{
	static const char *const names[] = {"NOTSET", "SAME_UPPER",
					    "SAME_LOWER", "VALID"};
	struct str s = node_attr_str(n, "auto_pad", "NOTSET");

	*p = NOTSET;
	if (s.n == 0)
		return OK;
	for (size_t i = 0; i < countof(names); i++)
		if (str_is(s, names[i])) {
			*p = (enum auto_pad)i;
			return OK;
		}
	return infer_error(n, E_value, "auto_pad '%.*s' is unknown", (int)s.n,
			   s.p);
}

/* An attribute of `count` ints at least `min`, or the default repeated. */
static enum status ints_attr(const struct node *n, const char *name,
			     size_t count, int64_t dflt, int64_t min,
			     int64_t **out)
{
	size_t k;
	const int64_t *v = node_attr_ints(n, name, &k);
	int64_t *r = scratch(n, count + 1, sizeof(*r));

	if (v && k != count)
		return infer_error(n, E_shape,
				   "%s has %zu entries, expected "
				   "%zu",
				   name, k, count);
	for (size_t i = 0; i < count; i++) {
		r[i] = v ? v[i] : dflt;
		if (r[i] < min || r[i] > INT32_MAX)
			return infer_error(n, E_value, "%s has the entry %lld",
					   name, (long long)r[i]);
	}
	*out = r;
	return OK;
}

/* The kernel: from the attribute, else from the last dims of the weight. */
static enum status kernel_of(const struct node *n, uint32_t weight,
			     struct window *w)
{
	size_t k;
	const int64_t *v = node_attr_ints(n, "kernel_shape", &k);
	int rank;
	const struct dim *wd =
		weight == ARITY_ANY ? NULL : in_dims(n, weight, &rank);

	w->kernel = dims_new(n, (size_t)w->nd);
	if (v && k != (size_t)w->nd)
		return infer_error(n, E_shape,
				   "kernel_shape has %zu entries, expected %d",
				   k, w->nd);
	if (wd && rank != w->nd + 2)
		return infer_error(n, E_shape,
				   "weight has rank %d, expected %d", rank,
				   w->nd + 2);
	for (int i = 0; i < w->nd; i++) {
		w->kernel[i] = wd ? wd[i + 2] : dim_none();
		if (v && (v[i] < 1 || v[i] > INT32_MAX))
			return infer_error(n, E_value,
					   "kernel_shape has the entry %lld",
					   (long long)v[i]);
		if (v && !dim_join(dim_of(v[i]), w->kernel[i], &w->kernel[i]))
			return infer_error(n, E_shape,
					   "kernel_shape has %lld at axis %d, "
					   "the weight has %lld",
					   (long long)v[i], i,
					   (long long)w->kernel[i].n);
	}
	return OK;
}

static enum status window_of(const struct node *n, uint32_t weight, int nd,
			     struct window *w)
{
	size_t k = (size_t)nd;
	enum status st;

	w->nd = nd;
	w->ceil = node_attr_int(n, "ceil_mode", 0) != 0;
	st = auto_pad_attr(n, &w->pad);
	if (!st)
		st = kernel_of(n, weight, w);
	if (!st)
		st = ints_attr(n, "strides", k, 1, 1, &w->stride);
	if (!st)
		st = ints_attr(n, "dilations", k, 1, 1, &w->dilation);
	if (!st)
		st = ints_attr(n, "pads", 2 * k, 0, -(int64_t)INT32_MAX,
			       &w->pads);
	return st;
}

/* (kernel - 1)*dilation + 1 */
static struct dim span(struct model *m, const struct window *w, int i)
{
	struct dim k = dim_sub(m, w->kernel[i], dim_of(1));

	return dim_add(m, dim_mul(m, k, dim_of(w->dilation[i])), dim_of(1));
}

static enum status window_out(struct node *n, const struct window *w, int i,
			      struct dim x, struct dim *out)
{
	struct model *m = node_model(n);
	struct dim s = dim_of(w->stride[i]), k = span(m, w, i), room, before;
	bool same = w->pad == SAME_UPPER || w->pad == SAME_LOWER;
	int64_t p = w->pad == NOTSET ? w->pads[i] : 0;
	int64_t q = w->pad == NOTSET ? w->pads[i + w->nd] : 0, v;

	if (same) {
		*out = dim_ceildiv(m, x, s);
		return OK;
	}
	before = dim_add(m, x, dim_num(m, p));
	room = dim_sub(m, dim_add(m, before, dim_num(m, q)), k);
	if (dim_number(m, room, &v) && v < 0 && !(dim_known(x) && x.n == 0))
		return infer_error(n, E_shape,
				   "the kernel spans %lld, but axis %d has "
				   "only %lld with pads",
				   (long long)k.n, i + 2, (long long)(v + k.n));
	if (w->ceil) {
		*out = dim_add(m, dim_ceildiv(m, room, s), dim_of(1));
		*out = dim_min(m, *out, dim_ceildiv(m, before, s));
	} else {
		*out = dim_add(m, dim_floordiv(m, room, s), dim_of(1));
	}
	if (dim_number(m, *out, &v) && v < 0)
		*out = dim_of(0);
	return OK;
}

/* Batch, channels and what the window makes of the spatial axes. */
static enum status window_dims(struct node *n, const struct window *w,
			       const struct dim *x, struct dim channels,
			       struct dim **out)
{
	struct dim *d = dims_new(n, (size_t)w->nd + 2);

	d[0] = x[0];
	d[1] = channels;
	for (int i = 0; i < w->nd; i++) {
		enum status st = window_out(n, w, i, x[i + 2], &d[i + 2]);

		if (st)
			return st;
	}
	*out = d;
	return OK;
}

static enum status image_rank(const struct node *n, int rank)
{
	if (rank >= 3)
		return OK;
	return infer_error(n, E_shape, "input has rank %d, expected 3 or more",
			   rank);
}

/* Channels of input and weight: x[1] = w[1]*group. */
static enum status check_channels(struct node *n, const struct dim *x,
				  const struct dim *w)
{
	int64_t g = node_attr_int(n, "group", 1), per;

	if (g < 1)
		return infer_error(n, E_value, "group is %lld", (long long)g);
	if (dim_known(w[0]) && w[0].n % g != 0)
		return infer_error(n, E_shape,
				   "%lld groups do not divide %lld output "
				   "channels",
				   (long long)g, (long long)w[0].n);
	if (!dim_known(x[1]) || !dim_known(w[1]) ||
	    (mul_i64(w[1].n, g, &per) && per == x[1].n))
		return OK;
	return infer_error(n, E_shape,
			   "input has %lld channels, the weight takes %lld in "
			   "%lld groups",
			   (long long)x[1].n, (long long)w[1].n, (long long)g);
}

/* Are the channels of input and output their last axis? */
static bool channels_last(const struct node *n)
{
	return node_is(n, OP_ms_NhwcMaxPool) ||
	       (n->op->domain == DOM_MS &&
		node_attr_int(n, "channels_last", 0) != 0);
}

/* Input i's dims with the channels second. */
static const struct dim *image_dims(struct node *n, uint32_t i, int *rank)
{
	const struct dim *x = in_dims(n, i, rank);
	struct dim *d;

	if (!x || *rank < 3 || !channels_last(n))
		return x;
	d = dims_new(n, (size_t)*rank);
	d[0] = x[0];
	d[1] = x[*rank - 1];
	for (int k = 2; k < *rank; k++)
		d[k] = x[k - 1];
	return d;
}

/* Output i from dims with the channels second. */
static enum status out_image(struct node *n, uint32_t i, int rank,
			     struct dim *d)
{
	struct dim *y;

	if (!channels_last(n))
		return out_shape(n, i, rank, d);
	y = dims_copy(n, d, (size_t)rank);
	for (int k = 1; k < rank - 1; k++)
		y[k] = d[k + 1];
	y[rank - 1] = d[1];
	return out_shape(n, i, rank, y);
}

static enum status conv(struct node *n, uint32_t data, uint32_t weight)
{
	struct window w = {0};
	int rank, wrank;
	const struct dim *x = image_dims(n, data, &rank);
	const struct dim *wd = in_dims(n, weight, &wrank);
	struct dim *d;
	enum status st;

	if (!x)
		return wd ? out_rank(n, 0, wrank) : OK;
	st = image_rank(n, rank);
	if (!st)
		st = window_of(n, weight, rank - 2, &w);
	if (!st && wd)
		st = check_channels(n, x, wd);
	if (!st)
		st = window_dims(n, &w, x, wd ? wd[0] : dim_none(), &d);
	return st ? st : out_image(n, 0, rank, d);
}

enum status infer_conv(struct node *n)
{
	return conv(n, 0, 1);
}

enum status infer_qlinear_conv(struct node *n)
{
	return conv(n, 0, 3);
}

/* ---- pools ---- */

enum status infer_pool(struct node *n)
{
	struct window w = {0};
	int rank;
	const struct dim *x = image_dims(n, 0, &rank);
	struct dim *d;
	enum status st;

	if (!x)
		return OK;
	st = image_rank(n, rank);
	if (!st)
		st = window_of(n, ARITY_ANY, rank - 2, &w);
	if (!st)
		st = window_dims(n, &w, x, x[1], &d);
	if (!st)
		st = out_image(n, 0, rank, d);
	return st ? st : out_shape(n, 1, rank, d); /* MaxPool: indices */
}

enum status infer_global_pool(struct node *n)
{
	bool last = node_attr_int(n, "channels_last", 0) != 0;
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;

	if (!x)
		return OK;
	if (rank < 2)
		return infer_error(n, E_shape,
				   "input has rank %d, expected 2 or more",
				   rank);
	d = dims_copy(n, x, (size_t)rank);
	for (int i = last ? 1 : 2; i < (last ? rank - 1 : rank); i++)
		d[i] = dim_of(1);
	return out_shape(n, 0, rank, d);
}

enum status infer_max_unpool(struct node *n)
{
	struct model *m = node_model(n);
	struct window w = {0};
	const struct dim *v, *x;
	struct dim *d;
	uint32_t count;
	int rank;
	enum status st;

	x = in_dims(n, 0, &rank);
	if (!x)
		return OK;
	if (in_data(n, 2, &v, &count) && count == (uint32_t)rank)
		return out_shape(n, 0, rank, v);
	if (in_given(n, 2))
		return out_rank(n, 0, rank);
	st = image_rank(n, rank);
	if (!st)
		st = window_of(n, ARITY_ANY, rank - 2, &w);
	if (st)
		return st;
	d = dims_copy(n, x, (size_t)rank);
	for (int i = 0; i < w.nd; i++) {
		struct dim r = dim_sub(m, x[i + 2], dim_of(1));

		r = dim_add(m, dim_mul(m, r, dim_of(w.stride[i])), w.kernel[i]);
		d[i + 2] =
			dim_sub(m, r, dim_num(m, w.pads[i] + w.pads[i + w.nd]));
	}
	return out_shape(n, 0, rank, d);
}

/* ---- ConvTranspose ---- */

static struct dim transpose_out(struct node *n, const struct window *w, int i,
				struct dim x, int64_t extra)
{
	struct model *m = node_model(n);
	struct dim s = dim_of(w->stride[i]), r;
	int64_t p = w->pad == NOTSET ? w->pads[i] + w->pads[i + w->nd] : 0, v;

	if (w->pad == SAME_UPPER || w->pad == SAME_LOWER)
		return dim_mul(m, x, s);
	r = dim_mul(m, dim_sub(m, x, dim_of(1)), s);
	r = dim_add(m, dim_add(m, r, span(m, w, i)), dim_num(m, extra - p));
	return dim_number(m, r, &v) && v < 0 ? dim_none() : r;
}

/* Output channels: w[1]*group. */
static enum status transpose_channels(struct node *n, const struct dim *x,
				      const struct dim *w, struct dim *out)
{
	int64_t g = node_attr_int(n, "group", 1);

	if (g < 1)
		return infer_error(n, E_value, "group is %lld", (long long)g);
	if (w && dim_known(w[0]) && dim_known(x[1]) && w[0].n != x[1].n)
		return infer_error(n, E_shape,
				   "input has %lld channels, the weight takes "
				   "%lld",
				   (long long)x[1].n, (long long)w[0].n);
	*out = w ? dim_mul(node_model(n), w[1], dim_of(g)) : dim_none();
	return OK;
}

enum status infer_conv_transpose(struct node *n)
{
	struct window w = {0};
	int rank, wrank;
	const struct dim *x = in_dims(n, 0, &rank);
	const struct dim *wd = in_dims(n, 1, &wrank);
	size_t k;
	const int64_t *shape = node_attr_ints(n, "output_shape", &k);
	int64_t *extra;
	struct dim *d;
	enum status st;

	if (!x)
		return wd ? out_rank(n, 0, wrank) : OK;
	st = image_rank(n, rank);
	if (!st)
		st = window_of(n, 1, rank - 2, &w);
	if (!st)
		st = ints_attr(n, "output_padding", (size_t)rank - 2, 0, 0,
			       &extra);
	if (st)
		return st;
	d = dims_copy(n, x, (size_t)rank);
	st = transpose_channels(n, x, wd, &d[1]);
	if (st)
		return st;
	if (shape && k != (size_t)w.nd && k != (size_t)rank)
		return infer_error(n, E_shape, "output_shape has %zu entries",
				   k);
	for (int i = 0; i < w.nd; i++)
		d[i + 2] = shape ? dim_of(shape[k - (size_t)(w.nd - i)])
				 : transpose_out(n, &w, i, x[i + 2], extra[i]);
	for (int i = 2; i < rank; i++)
		if (d[i].s == 0 && d[i].n < 0)
			d[i] = dim_none();
	return out_shape(n, 0, rank, d);
}

/* ---- DeformConv: as Conv, offsets do not change the shape ---- */

enum status infer_deform_conv(struct node *n)
{
	return conv(n, 0, 1);
}

/* Col2Im: input [N, C*prod(block), L] to [N, C, image...]. */
enum status infer_col2im(struct node *n)
{
	struct model *m = node_model(n);
	const struct dim *img, *blk, *x;
	uint32_t ni, nb;
	int rank;
	struct dim *d;

	x = in_dims(n, 0, &rank);
	if (!in_data(n, 1, &img, &ni)) {
		if (!in_length(n, 1, &ni) || ni > INFER_MAX_RANK)
			return OK;
		d = dims_new(n, ni);
		for (uint32_t i = 0; i < ni; i++)
			d[i] = dim_none();
		img = d;
	}
	d = dims_new(n, ni + 2u);
	d[0] = x && rank == 3 ? x[0] : dim_none();
	d[1] = dim_none();
	if (x && rank == 3 && in_data(n, 2, &blk, &nb))
		d[1] = dim_divexact(m, x[1], infer_product(m, blk, 0, nb));
	for (uint32_t i = 0; i < ni; i++)
		d[i + 2] = img[i];
	return out_shape(n, 0, (int)ni + 2, d);
}

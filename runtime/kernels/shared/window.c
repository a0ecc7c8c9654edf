/* SPDX-License-Identifier: MIT */
/*
 * window.c -- sliding windows of convolution and pooling: attributes,
 * output shape, and the list of taps under one output position.
 *
 * Shapes as in the ONNX specification of Conv, MaxPool and ConvTranspose.
 */
#include "runtime/kernels/shared/nn_p.h"

enum { FIELD_MAX = 1 << 30 }; /* of a stride, dilation, pad or kernel */

enum auto_pad { PAD_NOTSET, PAD_UPPER, PAD_LOWER, PAD_VALID };

/* An ints attribute of exactly n entries in [lo, FIELD_MAX]; dflt where the
 * node has none. */
static enum status attr_fields(struct kcall *c, const char *name, size_t n,
			       int64_t lo, int64_t dflt, int64_t *out)
{
	size_t count;
	const int64_t *v = node_attr_ints(c->node, name, &count);

	if (v && count != n)
		return kcall_error(c, E_shape,
				   "attribute %s has %zu entries, expected %zu",
				   name, count, n);
	for (size_t i = 0; i < n; i++) {
		out[i] = v ? v[i] : dflt;
		if (out[i] < lo || out[i] > FIELD_MAX)
			return kcall_error(c, E_value,
					   "attribute %s has the value %lld",
					   name, (long long)out[i]);
	}
	return OK;
}

static enum status auto_pad_of(struct kcall *c, enum auto_pad *p)
{
	static const char *const name[] = {
		[PAD_NOTSET] = "NOTSET",
		[PAD_UPPER] = "SAME_UPPER",
		[PAD_LOWER] = "SAME_LOWER",
		[PAD_VALID] = "VALID",
	};
	struct str s = node_attr_str(c->node, "auto_pad", "NOTSET");

	for (size_t i = 0; i < countof(name); i++)
		if (str_is(s, name[i])) {
			*p = (enum auto_pad)i;
			return OK;
		}
	return kcall_error(c, E_value, "unknown auto_pad '%.*s'", (int)s.n,
			   s.p);
}

/* kernel, stride, dilation and the explicit padding. */
static enum status window_attrs(struct kcall *c, struct window *w,
				const int64_t *kernel, enum auto_pad *ap)
{
	size_t n = (size_t)w->rank;
	int64_t pads[2 * WINDOW_MAX];
	enum status s = auto_pad_of(c, ap);

	/* The attribute is optional where a weight gives the shape. */
	if (s == OK && (!kernel || node_has_attr(c->node, "kernel_shape")))
		s = attr_fields(c, "kernel_shape", n, 1, 0, w->kernel);
	if (s == OK)
		s = attr_fields(c, "strides", n, 1, 1, w->stride);
	if (s == OK)
		s = attr_fields(c, "dilations", n, 1, 1, w->dilation);
	if (s == OK)
		s = attr_fields(c, "pads", 2 * n, 0, 0, pads);
	if (s != OK)
		return s;
	for (size_t i = 0; i < n; i++) {
		bool use = *ap == PAD_NOTSET;

		if (kernel && node_has_attr(c->node, "kernel_shape") &&
		    w->kernel[i] != kernel[i])
			return kcall_error(c, E_shape,
					   "kernel_shape differs from the "
					   "shape of the weight");
		if (kernel)
			w->kernel[i] = kernel[i];
		if (w->kernel[i] < 1 || w->kernel[i] > FIELD_MAX)
			return kcall_error(c, E_shape, "empty kernel");
		w->lo[i] = use ? pads[i] : 0;
		w->hi[i] = use ? pads[n + i] : 0;
	}
	return OK;
}

/* (kernel - 1) * dilation + 1: at most 2^60. */
static int64_t extent(const struct window *w, int i)
{
	return (w->kernel[i] - 1) * w->dilation[i] + 1;
}

static void pad_same(struct window *w, int i, enum auto_pad ap, int64_t total)
{
	int64_t less = max64(total, 0) / 2, more = max64(total, 0) - less;

	w->lo[i] = ap == PAD_UPPER ? less : more;
	w->hi[i] = ap == PAD_UPPER ? more : less;
}

static enum status axis_out(struct kcall *c, struct window *w, int i,
			    enum auto_pad ap, bool ceil)
{
	int64_t span, e = extent(w, i);

	if (w->in[i] > INT64_MAX / 4)
		return kcall_error(c, E_shape, "dimension is too large");
	if (ap == PAD_UPPER || ap == PAD_LOWER) {
		w->out[i] = ceil_div(w->in[i], w->stride[i]);
		pad_same(w, i, ap,
			 (w->out[i] - 1) * w->stride[i] + e - w->in[i]);
		return OK;
	}
	span = w->in[i] + w->lo[i] + w->hi[i] - e;
	if (span < 0)
		return kcall_error(c, E_shape,
				   "window of extent %lld on an input of %lld "
				   "with padding",
				   (long long)e,
				   (long long)(w->in[i] + w->lo[i] + w->hi[i]));
	w->out[i] =
		(ceil ? ceil_div(span, w->stride[i]) : span / w->stride[i]) + 1;
	/* A window that would begin in the right padding does not count. */
	if (ceil && (w->out[i] - 1) * w->stride[i] >= w->in[i] + w->lo[i])
		w->out[i]--;
	return OK;
}

static enum status window_products(struct kcall *c, struct window *w)
{
	if (!nn_count(w->rank, w->in, &w->nin) ||
	    !nn_count(w->rank, w->out, &w->nout))
		return kcall_error(c, E_dims, "dimensions overflow");
	if (!nn_count(w->rank, w->kernel, &w->nkernel))
		return kcall_error(c, E_value, "kernel is too large");
	return OK;
}

enum status window_init(struct kcall *c, struct window *w, int rank,
			const int64_t *in, const int64_t *kernel)
{
	bool ceil = node_attr_int(c->node, "ceil_mode", 0) != 0;
	enum auto_pad ap;
	enum status s;

	if (rank < 1 || rank > WINDOW_MAX)
		return kcall_error(c, E_unsupported, "%d spatial axes", rank);
	w->rank = rank;
	s = window_attrs(c, w, kernel, &ap);
	for (int i = 0; s == OK && i < rank; i++) {
		w->in[i] = in[i];
		s = axis_out(c, w, i, ap, ceil);
	}
	return s == OK ? window_products(c, w) : s;
}

/* Result size of one axis of a transposed convolution, or its padding where
 * output_shape gives the size. */
static enum status axis_transposed(struct kcall *c, struct window *w, int i,
				   enum auto_pad ap, int64_t extra,
				   const int64_t *want)
{
	int64_t full = w->stride[i] * (w->out[i] - 1) + extra + extent(w, i);
	int64_t size;

	if (want) {
		size = want[i];
		if (size < 0 || size > INT64_MAX / 4)
			return kcall_error(c, E_value,
					   "output_shape has the value %lld",
					   (long long)size);
		pad_same(w, i, ap, full - size);
	} else if (ap == PAD_UPPER || ap == PAD_LOWER) {
		size = w->out[i] * w->stride[i];
		pad_same(w, i, ap, full - size);
	} else {
		size = full - w->lo[i] - w->hi[i];
	}
	if (size < 0)
		return kcall_error(c, E_shape, "output dimension %lld",
				   (long long)size);
	w->in[i] = size;
	return OK;
}

enum status window_init_transposed(struct kcall *c, struct window *w, int rank,
				   const int64_t *in, const int64_t *kernel)
{
	int64_t extra[WINDOW_MAX];
	const int64_t *want;
	enum auto_pad ap;
	enum status s;
	size_t n;

	if (rank < 1 || rank > WINDOW_MAX)
		return kcall_error(c, E_unsupported, "%d spatial axes", rank);
	w->rank = rank;
	s = window_attrs(c, w, kernel, &ap);
	if (s == OK)
		s = attr_fields(c, "output_padding", (size_t)rank, 0, 0, extra);
	if (s != OK)
		return s;
	want = node_attr_ints(c->node, "output_shape", &n);
	/* Some exporters give the full shape: its last entries count. */
	if (want && n != (size_t)rank && n != (size_t)rank + 2)
		return kcall_error(c, E_shape,
				   "attribute output_shape has %zu entries", n);
	if (want)
		want += n - (size_t)rank;
	for (int i = 0; i < rank; i++) {
		if (in[i] < 1 || in[i] > INT32_MAX)
			return kcall_error(c, E_shape, "input dimension %lld",
					   (long long)in[i]);
		w->out[i] = in[i];
		s = axis_transposed(c, w, i, ap, extra[i], want);
		if (s != OK)
			return s;
	}
	return window_products(c, w);
}

/* ---- taps ---- */

enum status taps_create(struct kcall *c, const struct window *w, struct taps *t)
{
	int64_t dim[WINDOW_MAX], most;

	for (int i = 0; i < w->rank; i++)
		dim[i] = min64(w->kernel[i], max64(w->in[i], 1));
	if (!nn_count(w->rank, dim, &most))
		return kcall_error(c, E_value, "kernel is too large");
	t->n = 0;
	t->at = nn_scratch(c, most, sizeof *t->at);
	t->k = nn_scratch(c, most, sizeof *t->k);
	return t->at && t->k ? OK : LIMIT;
}

/* The k of an axis with an input in [0, limit). */
static void axis_range(const struct window *w, int i, int64_t o, int64_t *from,
		       int64_t *to)
{
	int64_t first = o * w->stride[i] - w->lo[i], d = w->dilation[i];

	*from = first < 0 ? ceil_div(-first, d) : 0;
	*to = first >= w->in[i] ? 0 : ceil_div(w->in[i] - first, d);
	*from = min64(*from, w->kernel[i]);
	*to = max64(min64(*to, w->kernel[i]), *from);
}

/* Number of k of an axis inside the padded input. */
static int64_t axis_padded(const struct window *w, int i, int64_t o)
{
	int64_t first = o * w->stride[i] - w->lo[i];
	int64_t end = w->in[i] + w->hi[i] - first;

	return end <= 0 ? 0
			: min64(ceil_div(end, w->dilation[i]), w->kernel[i]);
}

void taps_at(const struct window *w, const int64_t *o, struct taps *t)
{
	int64_t from[WINDOW_MAX], size[WINDOW_MAX], k[WINDOW_MAX] = {0};

	t->n = 0;
	t->padded = 1;
	for (int i = 0; i < w->rank; i++) {
		int64_t to;

		axis_range(w, i, o[i], &from[i], &to);
		size[i] = to - from[i];
		t->padded *= axis_padded(w, i, o[i]);
	}
	for (int i = 0; i < w->rank; i++)
		if (size[i] == 0)
			return;
	do {
		int64_t at = 0, flat = 0;

		for (int i = 0; i < w->rank; i++) {
			int64_t kk = from[i] + k[i];

			at = at * w->in[i] + o[i] * w->stride[i] - w->lo[i] +
			     kk * w->dilation[i];
			flat = flat * w->kernel[i] + kk;
		}
		t->at[t->n] = at;
		t->k[t->n++] = flat;
	} while (odometer_next(w->rank, size, k));
}

bool odometer_next(int rank, const int64_t *dim, int64_t *o)
{
	for (int i = rank - 1; i >= 0; i--) {
		if (++o[i] < dim[i])
			return true;
		o[i] = 0;
	}
	return false;
}

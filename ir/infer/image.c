/* SPDX-License-Identifier: MIT */
/*
 * image.c -- resizing, sampling and boxes.
 */
#include <math.h>

#include "ir/infer/infer.h"

/* ---- Resize and Upsample ---- */

/* The scales, from an attribute or a constant input; NULL if not known. */
static const float *floats_of(struct node *n, const char *name, uint32_t in,
			      size_t *count)
{
	struct model *m = node_model(n);
	const float *v = node_attr_floats(n, name, count);
	const struct tensor *t = in_const(n, in);
	float *r;

	if (v || !t || !dtype_is_float(t->dt) || t->n > INFER_MAX_RANK ||
	    (t->n && !tensor_data(m, t)))
		return v;
	r = scratch(n, (size_t)t->n + 1, sizeof(*r));
	for (int64_t i = 0; i < t->n; i++)
		r[i] = (float)tensor_float(m, t, i);
	*count = (size_t)t->n;
	return r;
}

/* floor(size*scale); the product is rounded to float, as runtimes do. */
static struct dim scaled(struct model *m, struct dim size, float scale)
{
	float parts = scale * 4096.0f;

	if (dim_known(size)) {
		double v = floor((double)((float)size.n * scale));

		return v >= 0 && v < 9e15 ? dim_of((int64_t)v) : dim_none();
	}
	/* a scale of few bits multiplies symbols without rounding */
	if (!(parts >= 1 && parts < 1e9f) || floorf(parts) != parts)
		return dim_none();
	return dim_floordiv(m, dim_mul(m, size, dim_of((int64_t)parts)),
			    dim_of(4096));
}

static enum status by_scales(struct node *n, const struct dim *x, int rank,
			     const float *scale, size_t count, const int *axes)
{
	struct dim *d = dims_copy(n, x, (size_t)rank);

	for (size_t i = 0; i < count; i++) {
		if (!(scale[i] > 0))
			return infer_error(n, E_value, "scale %g is not > 0",
					   (double)scale[i]);
		d[axes[i]] = scaled(node_model(n), x[axes[i]], scale[i]);
	}
	return out_shape(n, 0, rank, d);
}

/* One factor for all axes: the smallest or the largest of size/x. */
static struct dim *keep_aspect(struct node *n, const struct dim *x,
			       const struct dim *size, uint32_t count,
			       const int *axes, bool smallest)
{
	struct dim *d = dims_new(n, count);
	float best = 0;
	bool known = true;

	for (uint32_t i = 0; i < count; i++) {
		const struct dim *s = &x[axes[i]];
		float f;

		d[i] = dim_none();
		known = known && dim_known(*s) && s->n > 0 &&
			dim_known(size[i]);
		if (!known)
			continue;
		f = (float)size[i].n / (float)s->n;
		if (i == 0 || (smallest ? f < best : f > best))
			best = f;
	}
	for (uint32_t i = 0; known && i < count; i++) {
		double v = floor((double)(best * (float)x[axes[i]].n) + 0.5);

		d[i] = v < 9e15 ? dim_of((int64_t)v) : dim_none();
	}
	return d;
}

static enum status by_sizes(struct node *n, const struct dim *x, int rank,
			    const struct dim *size, uint32_t count,
			    const int *axes)
{
	struct str policy =
		node_attr_str(n, "keep_aspect_ratio_policy", "stretch");
	struct dim *d = dims_copy(n, x, (size_t)rank);

	if (!str_is(policy, "stretch"))
		size = keep_aspect(n, x, size, count, axes,
				   str_is(policy, "not_larger"));
	for (uint32_t i = 0; i < count; i++) {
		int64_t v;

		if (dim_number(node_model(n), size[i], &v) && v < 0)
			return infer_error(n, E_shape, "size %lld",
					   (long long)v);
		d[axes[i]] = size[i];
	}
	return out_shape(n, 0, rank, d);
}

/* Axes that are not listed keep their sizes. */
static enum status keep_others(struct node *n, const struct dim *x, int rank,
			       const int *axes, size_t naxes)
{
	struct dim *d = dims_copy(n, x, (size_t)rank);

	for (size_t i = 0; i < naxes; i++)
		d[axes[i]] = dim_none();
	return out_shape(n, 0, rank, d);
}

static enum status resize(struct node *n, uint32_t scales, uint32_t sizes)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank), *size;
	const float *f;
	const int *axes;
	size_t naxes, nf = 0;
	uint32_t count;
	bool known;
	int *all;
	enum status st;

	if (!x)
		return OK;
	st = axes_of(n, "axes", ARITY_ANY, rank, &known, &axes, &naxes);
	if (st)
		return st;
	if (naxes == 0) {
		all = scratch(n, (size_t)rank + 1, sizeof(*all));
		for (int i = 0; i < rank; i++)
			all[i] = i;
		axes = all;
		naxes = (size_t)rank;
	}
	f = floats_of(n, "scales", scales, &nf);
	if (in_given(n, sizes) && in_data(n, sizes, &size, &count) && count) {
		if (nf)
			return infer_error(n, E_value,
					   "both sizes and scales are given");
		if (count != naxes)
			return infer_error(n, E_shape, "%u sizes for %zu axes",
					   (unsigned)count, naxes);
		return by_sizes(n, x, rank, size, count, axes);
	}
	if (!f || nf == 0)
		return keep_others(n, x, rank, axes, naxes);
	if (nf != naxes)
		return infer_error(n, E_shape, "%zu scales for %zu axes", nf,
				   naxes);
	return by_scales(n, x, rank, f, nf, axes);
}

enum status infer_resize(struct node *n)
{
	return resize(n, 2, 3);
}

/* Resize 10 and Upsample: the scales are input 1 or an attribute. */
enum status infer_upsample(struct node *n)
{
	return resize(n, 1, ARITY_ANY);
}

enum status infer_upsample_old(struct node *n)
{
	static const int axes[] = {2, 3};
	float f[2] = {(float)node_attr_float(n, "height_scale", 1),
		      (float)node_attr_float(n, "width_scale", 1)};
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);

	return x && rank == 4 ? by_scales(n, x, rank, f, 2, axes) : OK;
}

/* ---- sampling ---- */

/* X [N, C, d...], grid [N, e..., k]: [N, C, e...] */
enum status infer_grid_sample(struct node *n)
{
	int rx, rg;
	const struct dim *x = in_dims(n, 0, &rx), *g = in_dims(n, 1, &rg);
	struct dim *d;

	if (!x || !g)
		return OK;
	if (rx != rg || rx < 3)
		return infer_error(n, E_shape,
				   "ranks %d and %d of input and "
				   "grid do not fit",
				   rx, rg);
	d = dims_copy(n, x, (size_t)rx);
	for (int i = 2; i < rx; i++)
		d[i] = g[i - 1];
	return out_shape(n, 0, rx, d);
}

/* theta [N, k, k+1], size [N, C, d...]: [N, d..., k] */
enum status infer_affine_grid(struct node *n)
{
	const struct dim *v = NULL, *theta;
	uint32_t count;
	struct dim *d;
	int rank;

	if (!in_data(n, 1, &v, &count) && !in_length(n, 1, &count))
		return OK;
	if (count != 4 && count != 5)
		return OK;
	theta = in_dims(n, 0, &rank);
	d = dims_new(n, count);
	d[0] = v ? v[0] : dim_none();
	if (theta && rank == 3 && !dim_join(d[0], theta[0], &d[0]))
		return infer_error(n, E_shape,
				   "%lld transforms for a batch of %lld",
				   (long long)theta[0].n, (long long)d[0].n);
	for (uint32_t i = 1; i + 1 < count; i++)
		d[i] = v ? v[i + 1] : dim_none();
	d[count - 1] = dim_of(count - 2);
	return out_shape(n, 0, (int)count, d);
}

static struct dim attr_size(const struct node *n, const char *name,
			    int64_t dflt)
{
	int64_t v = node_attr_int(n, name, dflt);

	return v >= 0 ? dim_of(v) : dim_none();
}

/* X [N, C, H, W], rois [R, 4]: [R, C, height, width] */
enum status infer_roi_align(struct node *n)
{
	int rx, rr, rb;
	const struct dim *x = in_dims(n, 0, &rx), *r = in_dims(n, 1, &rr);
	const struct dim *b = in_dims(n, 2, &rb);
	struct dim d[4] = {r && rr == 2 ? r[0] : dim_none(),
			   x && rx == 4 ? x[1] : dim_none(),
			   attr_size(n, "output_height", 1),
			   attr_size(n, "output_width", 1)};

	if (b && rb == 1 && !dim_join(d[0], b[0], &d[0]))
		return infer_error(n, E_shape,
				   "%lld regions, but %lld batch indices",
				   (long long)d[0].n, (long long)b[0].n);
	return out_shape(n, 0, 4, d);
}

enum status infer_max_roi_pool(struct node *n)
{
	size_t k;
	const int64_t *s = node_attr_ints(n, "pooled_shape", &k);
	int rx, rr;
	const struct dim *x = in_dims(n, 0, &rx), *r = in_dims(n, 1, &rr);
	struct dim d[4] = {r && rr == 2 ? r[0] : dim_none(),
			   x && rx == 4 ? x[1] : dim_none(), dim_none(),
			   dim_none()};

	for (size_t i = 0; s && k == 2 && i < 2; i++)
		if (s[i] >= 0)
			d[i + 2] = dim_of(s[i]);
	return out_shape(n, 0, 4, d);
}

enum status infer_non_max_suppression(struct node *n)
{
	struct dim d[2] = {dim_none(), dim_of(3)};

	return out_shape(n, 0, 2, d);
}

/* Axes set to the sizes in input 1. */
enum status infer_center_crop_pad(struct node *n)
{
	const struct dim *v;
	const int *axes;
	size_t naxes;
	uint32_t count;
	bool known;
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st;

	if (!x)
		return OK;
	st = axes_of(n, "axes", ARITY_ANY, rank, &known, &axes, &naxes);
	if (st)
		return st;
	if (!in_data(n, 1, &v, &count))
		return naxes ? keep_others(n, x, rank, axes, naxes)
			     : out_rank(n, 0, rank);
	if (count != (naxes ? naxes : (size_t)rank))
		return infer_error(n, E_shape, "%u sizes for rank %d",
				   (unsigned)count, rank);
	d = dims_copy(n, x, (size_t)rank);
	for (uint32_t i = 0; i < count; i++)
		d[naxes ? axes[i] : (int)i] = v[i];
	return out_shape(n, 0, rank, d);
}

/* [height, width, channels] */
enum status infer_image_decoder(struct node *n)
{
	bool gray =
		str_is(node_attr_str(n, "pixel_format", "RGB"), "Grayscale");
	struct dim d[3] = {dim_none(), dim_none(), dim_of(gray ? 1 : 3)};

	return out_shape(n, 0, 3, d);
}

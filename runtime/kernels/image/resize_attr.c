/* SPDX-License-Identifier: MIT */
/*
 * resize_attr.c -- attributes and inputs of Resize and Upsample, all
 * versions, as one struct.
 */
#include <math.h>

#include "runtime/kernels/image/resize_p.h"

/* Position of an attribute's text in a list; E-value. */
static enum status pick(struct kcall *c, const char *attr, const char *dflt,
			const char *const *list, size_t n, int *out)
{
	struct str s = node_attr_str(c->node, attr, dflt);

	for (size_t i = 0; i < n; i++)
		if (list[i] && str_is(s, list[i])) {
			*out = (int)i;
			return OK;
		}
	return kcall_error(c, E_value, "attribute %s is '%.*s'", attr, (int)s.n,
			   s.p);
}

static enum status read_modes(struct kcall *c, struct resize *r)
{
	static const char *const mode[] = {"nearest", "linear", "cubic"};
	static const char *const coord[] = {
		"half_pixel",           "half_pixel_symmetric",
		"pytorch_half_pixel",   "align_corners",
		"asymmetric",           "tf_crop_and_resize",
		"tf_half_pixel_for_nn", /* before version 13 */
	};
	size_t ncoord = countof(coord) - (c->node->op->since >= 13);
	static const char *const round[] = {
		"round_prefer_floor",
		"round_prefer_ceil",
		"floor",
		"ceil",
	};
	struct str m = node_attr_str(c->node, "mode", "nearest");
	int k = RESIZE_LINEAR;
	enum status s = OK;

	/* Upsample of version 1 says bilinear. */
	if (!str_is(m, "bilinear"))
		s = pick(c, "mode", "nearest", mode, countof(mode), &k);
	r->mode = (enum resize_mode)k;
	if (node_is(c->node, OP_Upsample) || c->node->op->since < 11) {
		r->coord = COORD_ASYMMETRIC;
		r->round = ROUND_SIMPLE;
		return s;
	}
	if (s == OK)
		s = pick(c, "coordinate_transformation_mode", "half_pixel",
			 coord, ncoord, &k);
	r->coord = (enum resize_coord)k;
	if (s == OK)
		s = pick(c, "nearest_mode", "round_prefer_floor", round,
			 countof(round), &k);
	r->round = (enum resize_round)k;
	r->antialias = node_attr_int(c->node, "antialias", 0) != 0;
	r->exclude_outside = node_attr_int(c->node, "exclude_outside", 0) != 0;
	r->cubic_a = node_attr_float(c->node, "cubic_coeff_a", -0.75);
	r->extrapolation = node_attr_float(c->node, "extrapolation_value", 0);
	return s;
}

static enum status set_scale(struct kcall *c, struct resize *r, int a, float s)
{
	float size = floorf((float)r->in[a] * s);

	if (!(s > 0) || !(size < 0x1p62f))
		return kcall_error(c, E_value, "scale %g is not usable",
				   (double)s);
	r->scale[a] = s;
	r->out[a] = (int64_t)size;
	return OK;
}

/* axes: n of them, or all in order. */
static enum status read_axes(struct kcall *c, const struct resize *r, int *axis,
			     size_t *n)
{
	size_t count;
	const int64_t *v = node_attr_ints(c->node, "axes", &count);

	*n = v ? count : (size_t)r->rank;
	if (*n > KERNEL_MAX_RANK)
		return kcall_error(c, E_value, "too many axes");
	for (size_t i = 0; i < *n; i++) {
		enum status s = OK;

		if (v)
			s = kcall_axis(c, v[i], r->rank, &axis[i]);
		else
			axis[i] = (int)i;
		if (s != OK)
			return s;
	}
	return OK;
}

static enum status apply_sizes(struct kcall *c, struct resize *r, uint32_t j,
			       const int *axis, size_t n)
{
	static const char *const policy[] = {"stretch", "not_larger",
					     "not_smaller"};
	const int64_t *size;
	float keep = 0;
	size_t count;
	int k = 0;
	enum status s = kcall_ints(c, j, &size, &count);

	if (s == OK)
		s = pick(c, "keep_aspect_ratio_policy", "stretch", policy,
			 countof(policy), &k);
	if (s != OK)
		return s;
	if (count != n)
		return kcall_error(c, E_shape, "%zu sizes for %zu axes", count,
				   n);
	for (size_t i = 0; i < n; i++) {
		float f = (float)size[i] / (float)r->in[axis[i]];

		if (size[i] < 0 || (k != 0 && r->in[axis[i]] == 0))
			return kcall_error(c, E_value, "size %lld",
					   (long long)size[i]);
		if (i == 0 || (k == 1 ? f < keep : f > keep))
			keep = f;
	}
	for (size_t i = 0; i < n; i++) {
		int a = axis[i];

		r->out[a] = k ? (int64_t)floorf(keep * (float)r->in[a] + 0.5f)
			      : size[i];
		r->scale[a] = k          ? keep
			      : r->in[a] ? (float)size[i] / (float)r->in[a]
					 : 1;
	}
	return OK;
}

static enum status apply_scales(struct kcall *c, struct resize *r,
				const struct array *a, const int *axis,
				size_t n)
{
	if (a->kind != ARR_TENSOR || !dtype_is_float(a->dt) || a->rank != 1)
		return kcall_error(c, E_type, "scales are not a float vector");
	if (a->n != (int64_t)n)
		return kcall_error(c, E_shape, "%lld scales for %zu axes",
				   (long long)a->n, n);
	for (size_t i = 0; i < n; i++) {
		enum status s = set_scale(c, r, axis[i],
					  (float)dtype_get(a->dt, a->data, i));

		if (s != OK)
			return s;
	}
	return OK;
}

static enum status apply_roi(struct kcall *c, struct resize *r, const int *axis,
			     size_t n)
{
	const struct array *a = kcall_has(c, 1) ? c->in[1] : NULL;

	for (int i = 0; i < r->rank; i++)
		r->roi[r->rank + i] = 1;
	if (r->coord != COORD_TF_CROP)
		return OK;
	if (!a || a->kind != ARR_TENSOR || !dtype_is_float(a->dt) ||
	    a->n != (int64_t)(2 * n))
		return kcall_error(c, E_shape, "roi needs %zu elements", 2 * n);
	for (size_t i = 0; i < n; i++) {
		r->roi[axis[i]] = dtype_get(a->dt, a->data, i);
		r->roi[r->rank + axis[i]] = dtype_get(a->dt, a->data, n + i);
	}
	return OK;
}

/* Scales of Upsample before version 9: attributes. */
static enum status attr_scales(struct kcall *c, struct resize *r)
{
	size_t n;
	const float *v = node_attr_floats(c->node, "scales", &n);
	enum status s = OK;

	if (c->node->op->since < 7) {
		if (r->rank != 4)
			return kcall_error(c, E_shape, "input of rank %d",
					   r->rank);
		s = set_scale(
			c, r, 2,
			(float)node_attr_float(c->node, "height_scale", 0));
		return s != OK ? s
			       : set_scale(c, r, 3,
					   (float)node_attr_float(
						   c->node, "width_scale", 0));
	}
	if (!v || n != (size_t)r->rank)
		return kcall_error(c, E_shape, "%zu scales for %d axes", n,
				   r->rank);
	for (int i = 0; s == OK && i < r->rank; i++)
		s = set_scale(c, r, i, v[i]);
	return s;
}

static bool given(const struct kcall *c, uint32_t j)
{
	return kcall_has(c, j) && c->in[j]->n > 0;
}

static enum status read_sizes(struct kcall *c, struct resize *r)
{
	bool old = node_is(c->node, OP_Upsample) || c->node->op->since < 11;
	uint32_t js = old ? 1 : 2;
	int axis[KERNEL_MAX_RANK];
	size_t n;
	enum status s = read_axes(c, r, axis, &n);

	if (s != OK)
		return s;
	if (node_is(c->node, OP_Upsample) && c->node->op->since < 9)
		return attr_scales(c, r);
	if (!old) {
		s = apply_roi(c, r, axis, n);
		if (s != OK)
			return s;
		if (given(c, 3))
			return apply_sizes(c, r, 3, axis, n);
	}
	if (given(c, js))
		return apply_scales(c, r, c->in[js], axis, n);
	if (r->rank == 0 || n == 0)
		return OK;
	return kcall_error(c, E_value, "neither scales nor sizes are given");
}

enum status resize_init(struct kcall *c, struct resize *r)
{
	enum status s = nn_rank(c, 0, 0, KERNEL_MAX_RANK);
	int64_t n;

	*r = (struct resize){0};
	if (s != OK)
		return s;
	r->rank = c->in[0]->rank;
	for (int i = 0; i < r->rank; i++) {
		r->in[i] = r->out[i] = c->in[0]->dim[i];
		r->scale[i] = 1;
	}
	s = read_modes(c, r);
	if (s == OK)
		s = read_sizes(c, r);
	if (s == OK && !nn_count(r->rank, r->out, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	return s;
}

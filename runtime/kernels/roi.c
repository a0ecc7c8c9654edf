/* SPDX-License-Identifier: MIT */
/*
 * roi.c -- RoiAlign and MaxRoiPool: bins of boxes in images, in double.
 */
#include <math.h>

#include "runtime/kernels/nn_p.h"

/* ---- RoiAlign (He et al., Mask R-CNN, 2017) ---- */

enum { SAMPLES_MAX = 4096 }; /* along one axis of a bin */

struct roi {
	int64_t height, width, ph, pw, channels, images, n, ratio;
	double scale, offset;
	bool max, half_pixel;
	const double *x, *box;
	double *y;
};

/* Bilinear value, or the largest weighted corner, at (y, x). */
static double corners(const struct roi *r, const double *img, double y,
		      double x)
{
	int64_t y0, x0, y1, x1;
	double ly, lx, v[4];

	if (!(y >= -1 && y <= (double)r->height && x >= -1 &&
	      x <= (double)r->width))
		return 0;
	y = y > 0 ? y : 0;
	x = x > 0 ? x : 0;
	y0 = min64((int64_t)y, r->height - 1);
	x0 = min64((int64_t)x, r->width - 1);
	y1 = min64(y0 + 1, r->height - 1);
	x1 = min64(x0 + 1, r->width - 1);
	ly = y0 == r->height - 1 ? 0 : y - (double)y0;
	lx = x0 == r->width - 1 ? 0 : x - (double)x0;
	v[0] = (1 - ly) * (1 - lx) * img[y0 * r->width + x0];
	v[1] = (1 - ly) * lx * img[y0 * r->width + x1];
	v[2] = ly * (1 - lx) * img[y1 * r->width + x0];
	v[3] = ly * lx * img[y1 * r->width + x1];
	if (!r->max)
		return v[0] + v[1] + v[2] + v[3];
	for (int i = 1; i < 4; i++)
		v[0] = v[i] > v[0] ? v[i] : v[0];
	return v[0];
}

/* Samples along an axis of a bin of this size. */
static int64_t samples(const struct roi *r, double bin)
{
	double n = r->ratio > 0 ? (double)r->ratio : ceil(bin);

	return !(n > 0) ? 0 : n > SAMPLES_MAX ? SAMPLES_MAX + 1 : (int64_t)n;
}

static void one_bin(const struct roi *r, const double *img, double y0,
		    double x0, double bh, double bw, double *out)
{
	int64_t ny = samples(r, bh), nx = samples(r, bw);
	double acc = r->max && ny * nx > 0 ? -INFINITY : 0;

	for (int64_t i = 0; i < ny; i++)
		for (int64_t j = 0; j < nx; j++) {
			double v = corners(
				r, img,
				y0 + ((double)i + 0.5) * bh / (double)ny,
				x0 + ((double)j + 0.5) * bw / (double)nx);

			acc = !r->max ? acc + v : v > acc ? v : acc;
		}
	*out = r->max ? acc : acc / (double)max64(ny * nx, 1);
}

static enum status one_roi(struct kcall *c, const struct roi *r, int64_t n,
			   int64_t image)
{
	const double *b = r->box + 4 * n;
	double x0 = b[0] * r->scale - r->offset;
	double y0 = b[1] * r->scale - r->offset;
	double w = b[2] * r->scale - r->offset - x0;
	double h = b[3] * r->scale - r->offset - y0;

	/* Without the half pixel, boxes have at least one. */
	if (!r->half_pixel) {
		w = w > 1 ? w : 1;
		h = h > 1 ? h : 1;
	}
	w /= (double)r->pw;
	h /= (double)r->ph;
	if (samples(r, h) > SAMPLES_MAX || samples(r, w) > SAMPLES_MAX)
		return kcall_error(c, E_value, "box %lld is too large",
				   (long long)n);
	for (int64_t ch = 0; ch < r->channels; ch++)
		for (int64_t i = 0; i < r->ph * r->pw; i++)
			one_bin(r,
				r->x + (image * r->channels + ch) * r->height *
						r->width,
				y0 + (double)(i / r->pw) * h,
				x0 + (double)(i % r->pw) * w, h, w,
				r->y + (n * r->channels + ch) * r->ph * r->pw +
					i);
	return OK;
}

static enum status roi_attrs(struct kcall *c, struct roi *r)
{
	struct str mode = node_attr_str(c->node, "mode", "avg");
	struct str coord = node_attr_str(
		c->node, "coordinate_transformation_mode", "half_pixel");

	r->max = str_is(mode, "max");
	if (!r->max && !str_is(mode, "avg"))
		return kcall_error(c, E_value, "attribute mode is '%.*s'",
				   (int)mode.n, mode.p);
	r->half_pixel = c->node->op->since >= 16 && str_is(coord, "half_pixel");
	if (c->node->op->since >= 16 && !r->half_pixel &&
	    !str_is(coord, "output_half_pixel"))
		return kcall_error(c, E_value,
				   "attribute coordinate_transformation_mode "
				   "is '%.*s'",
				   (int)coord.n, coord.p);
	r->offset = r->half_pixel ? 0.5 : 0;
	r->ph = node_attr_int(c->node, "output_height", 1);
	r->pw = node_attr_int(c->node, "output_width", 1);
	r->ratio = node_attr_int(c->node, "sampling_ratio", 0);
	r->scale = node_attr_float(c->node, "spatial_scale", 1);
	if (r->ph < 1 || r->pw < 1 || r->ph > INT32_MAX || r->pw > INT32_MAX ||
	    r->ratio < 0 || r->ratio > SAMPLES_MAX)
		return kcall_error(c, E_value,
				   "output of %lld x %lld, ratio %lld",
				   (long long)r->ph, (long long)r->pw,
				   (long long)r->ratio);
	return OK;
}

static enum status roi_shapes(struct kcall *c, struct roi *r,
			      const int64_t **image)
{
	size_t n;
	enum status s = nn_floats(c, 2, 2);

	if (s == OK)
		s = nn_rank(c, 0, 4, 4);
	if (s == OK)
		s = nn_rank(c, 1, 2, 2);
	if (s == OK)
		s = kcall_ints(c, 2, image, &n);
	if (s != OK)
		return s;
	r->images = c->in[0]->dim[0];
	r->channels = c->in[0]->dim[1];
	r->height = c->in[0]->dim[2];
	r->width = c->in[0]->dim[3];
	r->n = c->in[1]->dim[0];
	if (c->in[1]->dim[1] != 4 || n != (size_t)r->n || r->height < 1 ||
	    r->width < 1)
		return kcall_error(c, E_shape,
				   "boxes or batch_indices do not fit");
	for (size_t i = 0; i < n; i++)
		if ((*image)[i] < 0 || (*image)[i] >= r->images)
			return kcall_error(c, E_value, "image %lld of %lld",
					   (long long)(*image)[i],
					   (long long)r->images);
	return OK;
}

enum status k_roi_align(struct kcall *c)
{
	struct roi r = {0};
	const int64_t *image = NULL;
	int64_t dim[4], n;
	enum status s = roi_shapes(c, &r, &image);

	if (s == OK)
		s = roi_attrs(c, &r);
	if (s != OK)
		return s;
	dim[0] = r.n;
	dim[1] = r.channels;
	dim[2] = r.ph;
	dim[3] = r.pw;
	if (!nn_count(4, dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	r.x = nn_load(c, 0);
	r.box = nn_load(c, 1);
	r.y = nn_temp(c, n);
	if (!r.x || !r.box || !r.y)
		return LIMIT;
	for (int64_t i = 0; s == OK && i < r.n; i++)
		s = one_roi(c, &r, i, image[i]);
	return s == OK ? nn_save(c, 0, c->in[0]->dt, 4, dim, r.y) : s;
}

/* ---- MaxRoiPool (Girshick, Fast R-CNN, 2015) ---- */

struct roi_pool {
	int64_t dim[4]; /* [boxes, channels, ph, pw] */
	int64_t images, height, width;
	double scale;
	const double *x, *box;
	double *y;
};

/* One box along one axis: its first pixel, and how many. */
struct span {
	int64_t first, n;
};

static enum status roi_pool_init(struct kcall *c, struct roi_pool *r)
{
	size_t n;
	const int64_t *pool = node_attr_ints(c->node, "pooled_shape", &n);
	const struct array *x;
	enum status s = nn_floats(c, 2, 2);

	if (s == OK)
		s = nn_rank(c, 0, 4, 4);
	if (s == OK)
		s = nn_rank(c, 1, 2, 2);
	if (s != OK)
		return s;
	if (!pool || n != 2 || pool[0] < 1 || pool[1] < 1 ||
	    pool[0] > INT32_MAX || pool[1] > INT32_MAX)
		return kcall_error(c, E_value,
				   "attribute pooled_shape is not two sizes");
	if (c->in[1]->dim[1] != 5)
		return kcall_error(c, E_shape, "boxes of %lld numbers",
				   (long long)c->in[1]->dim[1]);
	x = c->in[0];
	r->images = x->dim[0];
	r->height = x->dim[2];
	r->width = x->dim[3];
	r->dim[0] = c->in[1]->dim[0];
	r->dim[1] = x->dim[1];
	r->dim[2] = pool[0];
	r->dim[3] = pool[1];
	r->scale = node_attr_float(c->node, "spatial_scale", 1);
	return OK;
}

/* Ends are rounded, half away from zero, and both belong to the box, which
 * has at least one pixel. */
static bool span_of(const struct roi_pool *r, double from, double to,
		    struct span *s)
{
	double a = (double)roundf((float)(from * r->scale));
	double b = (double)roundf((float)(to * r->scale));

	if (!(fabs(a) < 0x1p31 && fabs(b) < 0x1p31))
		return false;
	s->first = (int64_t)a;
	s->n = max64((int64_t)b - s->first + 1, 1);
	return true;
}

/* Pixels [lo, hi) of bin i of n, in float as runtimes do: whether an end
 * falls on a pixel depends on it. */
static void bin_of(const struct span *s, int64_t i, int64_t n, int64_t size,
		   int64_t *lo, int64_t *hi)
{
	float bin = (float)s->n / (float)n;

	*lo = (int64_t)floorf((float)i * bin) + s->first;
	*hi = (int64_t)ceilf((float)(i + 1) * bin) + s->first;
	*lo = min64(max64(*lo, 0), size);
	*hi = min64(max64(*hi, 0), size);
}

static double largest(const double *img, int64_t width, const int64_t *y,
		      const int64_t *x)
{
	double top = -INFINITY;

	if (y[0] >= y[1] || x[0] >= x[1])
		return 0;
	for (int64_t i = y[0]; i < y[1]; i++)
		for (int64_t j = x[0]; j < x[1]; j++) {
			double v = img[i * width + j];

			top = v > top ? v : top;
		}
	return top;
}

static enum status pool_box(struct kcall *c, const struct roi_pool *r,
			    int64_t n)
{
	const double *b = r->box + 5 * n;
	struct span across, down;
	int64_t y[2], x[2], image;

	if (!(b[0] >= 0 && b[0] < (double)r->images))
		return kcall_error(c, E_value,
				   "box %lld is of image %g of %lld",
				   (long long)n, b[0], (long long)r->images);
	if (!span_of(r, b[1], b[3], &across) || !span_of(r, b[2], b[4], &down))
		return kcall_error(c, E_value, "box %lld is too large",
				   (long long)n);
	image = (int64_t)b[0];
	for (int64_t i = 0; i < r->dim[2] * r->dim[3]; i++) {
		bin_of(&down, i / r->dim[3], r->dim[2], r->height, &y[0],
		       &y[1]);
		bin_of(&across, i % r->dim[3], r->dim[3], r->width, &x[0],
		       &x[1]);
		for (int64_t ch = 0; ch < r->dim[1]; ch++)
			r->y[(n * r->dim[1] + ch) * r->dim[2] * r->dim[3] + i] =
				largest(r->x + (image * r->dim[1] + ch) *
							r->height * r->width,
					r->width, y, x);
	}
	return OK;
}

enum status k_max_roi_pool(struct kcall *c)
{
	struct roi_pool r = {0};
	int64_t n;
	enum status s = roi_pool_init(c, &r);

	if (s != OK)
		return s;
	if (!nn_count(4, r.dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	r.x = nn_load(c, 0);
	r.box = nn_load(c, 1);
	r.y = nn_temp(c, n);
	if (!r.x || !r.box || !r.y)
		return LIMIT;
	for (int64_t i = 0; s == OK && n > 0 && i < r.dim[0]; i++)
		s = pool_box(c, &r, i);
	return s == OK ? nn_save(c, 0, c->in[0]->dt, 4, r.dim, r.y) : s;
}

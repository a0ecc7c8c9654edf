/* SPDX-License-Identifier: MIT */
/*
 * roi.c -- RoiAlign and MaxRoiPool: bins of boxes in images, in double.
 */
#include <math.h>

#include "base/pool.h"
#include "runtime/kernels/shared/nn_p.h"

/* ---- RoiAlign (He et al., Mask R-CNN, 2017) ---- */

enum {
	SAMPLES_MAX = 4096, /* along one axis of a bin */
	ROI_CHANNELS = 32,  /* of a task */
};

/* Pixels around a sample along one axis; lo -1: outside of the image. */
struct roi_tap {
	int64_t lo, hi;
	double part; /* of hi */
};

/* A box: samples along each axis of a bin, and their taps, bin by bin. */
struct roi_box {
	int64_t image, ny, nx;
	struct roi_tap *y, *x;
};

struct roi {
	int64_t height, width, ph, pw, channels, images, n, ratio;
	double scale, offset;
	bool max, half_pixel;
	const double *x, *corner; /* four of each box */
	double *y;
	struct roi_box *box;
};

static struct roi_tap tap_at(double v, int64_t size)
{
	struct roi_tap t = {.lo = -1};

	if (!(v >= -1 && v <= (double)size))
		return t;
	v = v > 0 ? v : 0;
	t.lo = min64((int64_t)v, size - 1);
	t.hi = min64(t.lo + 1, size - 1);
	t.part = t.lo == size - 1 ? 0 : v - (double)t.lo;
	return t;
}

/* Samples along an axis of a bin of this size. */
static int64_t samples(const struct roi *r, double bin)
{
	double n = r->ratio > 0 ? (double)r->ratio : ceil(bin);

	return !(n > 0) ? 0 : n > SAMPLES_MAX ? SAMPLES_MAX + 1 : (int64_t)n;
}

/* Taps of all bins along one axis; NULL: E-memory. */
static struct roi_tap *axis_taps(struct kcall *c, double from, double bin,
				 int64_t bins, int64_t n, int64_t size)
{
	struct roi_tap *t = nn_scratch(c, bins * n, sizeof *t);

	for (int64_t i = 0; t && i < bins * n; i++)
		t[i] = tap_at(from + (double)(i / n) * bin +
				      ((double)(i % n) + 0.5) * bin / (double)n,
			      size);
	return t;
}

static enum status box_init(struct kcall *c, const struct roi *r, int64_t n,
			    int64_t image)
{
	const double *b = r->corner + 4 * n;
	struct roi_box *box = &r->box[n];
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
	*box = (struct roi_box){image, samples(r, h), samples(r, w), NULL,
				NULL};
	if (box->ny > SAMPLES_MAX || box->nx > SAMPLES_MAX)
		return kcall_error(c, E_value, "box %lld is too large",
				   (long long)n);
	box->y = axis_taps(c, y0, h, r->ph, box->ny, r->height);
	box->x = axis_taps(c, x0, w, r->pw, box->nx, r->width);
	return box->y && box->x ? OK : LIMIT;
}

/* Bilinear value, or the largest weighted corner. */
static double sample(const struct roi *r, const double *img,
		     const struct roi_tap *y, const struct roi_tap *x)
{
	const double *up = img + y->lo * r->width;
	const double *down = img + y->hi * r->width;
	double v[4];

	v[0] = (1 - y->part) * (1 - x->part) * up[x->lo];
	v[1] = (1 - y->part) * x->part * up[x->hi];
	v[2] = y->part * (1 - x->part) * down[x->lo];
	v[3] = y->part * x->part * down[x->hi];
	if (!r->max)
		return v[0] + v[1] + v[2] + v[3];
	for (int i = 1; i < 4; i++)
		v[0] = v[i] > v[0] ? v[i] : v[0];
	return v[0];
}

static double one_bin(const struct roi *r, const struct roi_box *b,
		      const double *img, int64_t by, int64_t bx)
{
	int64_t n = b->ny * b->nx;
	double acc = r->max && n > 0 ? -INFINITY : 0;

	for (int64_t i = 0; i < b->ny; i++)
		for (int64_t j = 0; j < b->nx; j++) {
			const struct roi_tap *y = &b->y[by * b->ny + i];
			const struct roi_tap *x = &b->x[bx * b->nx + j];
			double v = 0;

			if (y->lo >= 0 && x->lo >= 0)
				v = sample(r, img, y, x);
			acc = !r->max ? acc + v : v > acc ? v : acc;
		}
	return r->max ? acc : acc / (double)max64(n, 1);
}

/* Some channels of a box. */
static void roi_task(void *arg, size_t task)
{
	const struct roi *r = arg;
	int64_t blocks = ceil_div(r->channels, ROI_CHANNELS);
	int64_t n = (int64_t)task / blocks;
	int64_t from = (int64_t)task % blocks * ROI_CHANNELS;
	int64_t to = min64(from + ROI_CHANNELS, r->channels);
	const struct roi_box *b = &r->box[n];

	for (int64_t ch = from; ch < to; ch++) {
		const double *img = r->x + (b->image * r->channels + ch) *
						   r->height * r->width;
		double *y = r->y + (n * r->channels + ch) * r->ph * r->pw;

		for (int64_t i = 0; i < r->ph * r->pw; i++) {
			/* A file may ask for very many. */
			if (b->ny * b->nx > 1024 && !limit_time_ok())
				return;
			y[i] = one_bin(r, b, img, i / r->pw, i % r->pw);
		}
	}
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
	r.corner = nn_load(c, 1);
	r.y = nn_temp(c, n);
	r.box = nn_scratch(c, r.n, sizeof *r.box);
	if (!r.x || !r.corner || !r.y || !r.box)
		return LIMIT;
	for (int64_t i = 0; s == OK && n > 0 && i < r.n; i++)
		s = box_init(c, &r, i, image[i]);
	if (s != OK)
		return s;
	if (n > 0)
		pool_for((size_t)(r.n * ceil_div(r.channels, ROI_CHANNELS)),
			 roi_task, &r);
	if (!limit_time_ok())
		return kcall_error(c, E_time, "the time limit was reached");
	return nn_save(c, 0, c->in[0]->dt, 4, dim, r.y);
}

/* ---- MaxRoiPool (Girshick, Fast R-CNN, 2015) ---- */

/* A box along one axis: its first pixel, and how many. */
struct span {
	int64_t first, n;
};

struct pool_box {
	int64_t image;
	struct span down, across;
};

struct roi_pool {
	int64_t dim[4]; /* [boxes, channels, ph, pw] */
	int64_t images, height, width;
	double scale;
	const double *x, *corner; /* five of each box */
	double *y;
	struct pool_box *box;
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

static enum status pool_box_init(struct kcall *c, const struct roi_pool *r,
				 int64_t n)
{
	const double *b = r->corner + 5 * n;
	struct pool_box *box = &r->box[n];

	if (!(b[0] >= 0 && b[0] < (double)r->images))
		return kcall_error(c, E_value,
				   "box %lld is of image %g of %lld",
				   (long long)n, b[0], (long long)r->images);
	if (!span_of(r, b[1], b[3], &box->across) ||
	    !span_of(r, b[2], b[4], &box->down))
		return kcall_error(c, E_value, "box %lld is too large",
				   (long long)n);
	box->image = (int64_t)b[0];
	return OK;
}

static void pool_task(void *arg, size_t n)
{
	const struct roi_pool *r = arg;
	const struct pool_box *b = &r->box[n];
	int64_t bins = r->dim[2] * r->dim[3], size = r->height * r->width;

	for (int64_t i = 0; i < bins; i++) {
		int64_t y[2], x[2];

		bin_of(&b->down, i / r->dim[3], r->dim[2], r->height, &y[0],
		       &y[1]);
		bin_of(&b->across, i % r->dim[3], r->dim[3], r->width, &x[0],
		       &x[1]);
		for (int64_t ch = 0; ch < r->dim[1]; ch++)
			r->y[((int64_t)n * r->dim[1] + ch) * bins + i] =
				largest(r->x + (b->image * r->dim[1] + ch) *
							size,
					r->width, y, x);
	}
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
	r.corner = nn_load(c, 1);
	r.y = nn_temp(c, n);
	r.box = nn_scratch(c, r.dim[0], sizeof *r.box);
	if (!r.x || !r.corner || !r.y || !r.box)
		return LIMIT;
	for (int64_t i = 0; s == OK && n > 0 && i < r.dim[0]; i++)
		s = pool_box_init(c, &r, i);
	if (s != OK)
		return s;
	if (n > 0)
		pool_for((size_t)r.dim[0], pool_task, &r);
	return nn_save(c, 0, c->in[0]->dt, 4, r.dim, r.y);
}

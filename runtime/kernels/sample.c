/* SPDX-License-Identifier: MIT */
/*
 * sample.c -- GridSample and RoiAlign: reading images between the pixels, in
 * double.
 *
 * GridSample takes any number of spatial axes: per output position each axis
 * has a list of (index, weight), and the value is the sum over their product.
 * Cubic weights: Keys 1981 with -0.75.
 */
#include <math.h>

#include "runtime/kernels/nn_p.h"

/* ---- GridSample ---- */

enum grid_mode { GRID_NEAREST, GRID_LINEAR, GRID_CUBIC };
enum grid_pad { GRID_ZEROS, GRID_BORDER, GRID_REFLECTION };

struct grid {
	enum grid_mode mode;
	enum grid_pad pad;
	bool corners;
	int axes; /* spatial */
	int64_t in[WINDOW_MAX], out[WINDOW_MAX];
	int64_t batch, channels, nin, nout;
};

/* Inputs of one axis; index -1: outside, zero. */
struct grid_tap {
	int n;
	int64_t index[4];
	double weight[4];
};

static enum status grid_attrs(struct kcall *c, struct grid *g)
{
	struct str m = node_attr_str(c->node, "mode", "linear");
	struct str p = node_attr_str(c->node, "padding_mode", "zeros");

	if (str_is(m, "nearest"))
		g->mode = GRID_NEAREST;
	else if (str_is(m, "linear") || str_is(m, "bilinear"))
		g->mode = GRID_LINEAR;
	else if (str_is(m, "cubic") || str_is(m, "bicubic"))
		g->mode = GRID_CUBIC;
	else
		return kcall_error(c, E_value, "attribute mode is '%.*s'",
				   (int)m.n, m.p);
	if (str_is(p, "zeros"))
		g->pad = GRID_ZEROS;
	else if (str_is(p, "border"))
		g->pad = GRID_BORDER;
	else if (str_is(p, "reflection"))
		g->pad = GRID_REFLECTION;
	else
		return kcall_error(c, E_value,
				   "attribute padding_mode is '%.*s'", (int)p.n,
				   p.p);
	g->corners = node_attr_int(c->node, "align_corners", 0) != 0;
	return OK;
}

static enum status grid_init(struct kcall *c, struct grid *g)
{
	const struct array *x, *q;
	enum status s = nn_rank(c, 0, 3, WINDOW_MAX + 2);

	if (s == OK)
		s = nn_rank(c, 1, c->in[0]->rank, c->in[0]->rank);
	if (s == OK)
		s = grid_attrs(c, g);
	if (s != OK)
		return s;
	x = c->in[0];
	q = c->in[1];
	g->axes = x->rank - 2;
	g->batch = x->dim[0];
	g->channels = x->dim[1];
	if (!dtype_is_float(x->dt) || !dtype_is_float(q->dt))
		return kcall_error(c, E_unsupported, "images of type %s",
				   dtype_name(x->dt));
	if (q->dim[0] != g->batch || q->dim[x->rank - 1] != g->axes)
		return kcall_error(c, E_shape, "the grid does not fit");
	for (int i = 0; i < g->axes; i++) {
		g->in[i] = x->dim[2 + i];
		g->out[i] = q->dim[1 + i];
		if (g->in[i] < 1)
			return kcall_error(c, E_shape, "the image is empty");
	}
	if (!nn_count(g->axes, g->in, &g->nin) ||
	    !nn_count(g->axes, g->out, &g->nout))
		return kcall_error(c, E_dims, "dimensions overflow");
	return OK;
}

/* Fold x into [lo, hi]. */
static double reflect(double x, double lo, double hi)
{
	double range = hi - lo, d, turns, rest;
	bool below = x < lo;

	if (x >= lo && x <= hi)
		return x;
	if (range <= 0)
		return lo;
	d = below ? lo - x : x - hi;
	turns = floor(d / range);
	rest = d - turns * range;
	if ((fmod(turns, 2) == 0) == below)
		return lo + rest;
	return hi - rest;
}

static double axis_lo(const struct grid *g)
{
	return g->corners ? 0 : -0.5;
}

static double axis_hi(const struct grid *g, int a)
{
	return (double)g->in[a] - (g->corners ? 1 : 0.5);
}

/* A position that may lie outside, as an index. */
static int64_t pad_index(const struct grid *g, int a, double i)
{
	double last = (double)(g->in[a] - 1);

	if (g->pad == GRID_REFLECTION)
		i = trunc(reflect(i, axis_lo(g), axis_hi(g, a)));
	else if (g->pad == GRID_ZEROS && (i < 0 || i > last))
		return -1;
	return i < 0 ? 0 : i > last ? g->in[a] - 1 : (int64_t)i;
}

static double cubic(double d)
{
	const double a = -0.75;

	if (d <= 1)
		return ((a + 2) * d - (a + 3)) * d * d + 1;
	return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* The inputs around the normalized coordinate v. */
static void axis_taps(const struct grid *g, int a, double v, struct grid_tap *t)
{
	double n = (double)g->in[a], lo = axis_lo(g), hi = axis_hi(g, a);
	double x = g->corners ? (v + 1) / 2 * (n - 1) : ((v + 1) * n - 1) / 2;
	int first = g->mode == GRID_CUBIC ? -1 : 0;

	x = (double)(float)x;
	if (!(fabs(x) < 1e15))
		x = -1e9;
	if (g->mode == GRID_NEAREST)
		x = nearbyint(x);
	if (x < lo || x > hi) {
		if (g->pad == GRID_BORDER)
			x = x < 0 ? 0 : x > n - 1 ? n - 1 : x;
		else if (g->pad == GRID_REFLECTION)
			x = reflect(x, lo, hi);
	}
	t->n = g->mode == GRID_NEAREST ? 1 : g->mode == GRID_LINEAR ? 2 : 4;
	for (int k = 0; k < t->n; k++) {
		double i = t->n == 1 ? trunc(x) : floor(x) + first + k;
		double d = fabs(x - i);

		t->index[k] = pad_index(g, a, i);
		t->weight[k] = t->n == 1 ? 1 : t->n == 2 ? 1 - d : cubic(d);
	}
}

/* Flat inputs and weights of a position: products over the axes. */
static int64_t combine(const struct grid *g, const struct grid_tap *t,
		       int64_t *at, double *w)
{
	int64_t k[WINDOW_MAX] = {0}, size[WINDOW_MAX], n = 0;

	for (int a = 0; a < g->axes; a++)
		size[a] = t[a].n;
	do {
		int64_t flat = 0;
		double p = 1;

		for (int a = 0; a < g->axes; a++) {
			int64_t i = t[a].index[k[a]];

			p *= i < 0 ? 0 : t[a].weight[k[a]];
			flat = flat * g->in[a] + max64(i, 0);
		}
		at[n] = flat;
		w[n++] = p;
	} while (odometer_next(g->axes, size, k));
	return n;
}

enum status k_grid_sample(struct kcall *c)
{
	int64_t dim[WINDOW_MAX + 2], most = 1, ny, *at;
	struct grid_tap t[WINDOW_MAX];
	struct grid g;
	const double *x, *q;
	double *y, *w;
	enum status s = grid_init(c, &g);

	if (s != OK)
		return s;
	dim[0] = g.batch;
	dim[1] = g.channels;
	for (int a = 0; a < g.axes; a++) {
		dim[2 + a] = g.out[a];
		most *= 4;
	}
	if (!nn_count(g.axes + 2, dim, &ny))
		return kcall_error(c, E_dims, "dimensions overflow");
	x = nn_load(c, 0);
	q = nn_load(c, 1);
	y = nn_temp(c, ny);
	at = nn_scratch(c, most, sizeof *at);
	w = nn_temp(c, most);
	if (!x || !q || !y || !at || !w)
		return LIMIT;
	for (int64_t o = 0; o < g.batch * g.nout; o++) {
		int64_t b = o / g.nout, n;

		/* The grid names the last axis first. */
		for (int a = 0; a < g.axes; a++)
			axis_taps(&g, a, q[o * g.axes + g.axes - 1 - a], &t[a]);
		n = combine(&g, t, at, w);
		for (int64_t ch = 0; ch < g.channels; ch++) {
			int64_t plane = b * g.channels + ch;
			double sum = 0;

			for (int64_t i = 0; i < n; i++)
				if (w[i] != 0)
					sum += w[i] * x[plane * g.nin + at[i]];
			y[plane * g.nout + o % g.nout] = sum;
		}
	}
	return nn_save(c, 0, c->in[0]->dt, g.axes + 2, dim, y);
}

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

/* SPDX-License-Identifier: MIT */
/*
 * resize_map.c -- which inputs an output of Resize sees, axis by axis.
 *
 * Interpolation is separable, so that one list of (index, weight) per output
 * coordinate says everything.  Coordinates are computed in float, as runtimes
 * do: whether a position lies on a rounding boundary depends on it.
 * Cubic: Keys, Cubic Convolution Interpolation (1981), parameter cubic_a.
 */
#include <math.h>

#include "runtime/kernels/image/resize_p.h"

/* Position of output x in the input.  length: of the output, before it was
 * rounded down. */
static float coordinate(const struct resize *r, int a, int64_t x)
{
	float s = r->scale[a], in = (float)r->in[a], length = s * in;
	float i = (float)x, start, end;

	switch (r->coord) {
	case COORD_ALIGN_CORNERS:
		return length == 1 ? 0 : i * (in - 1) / (length - 1);
	case COORD_ASYMMETRIC:
		return i / s;
	case COORD_TF_HALF_PIXEL_NN:
		return (i + 0.5f) / s;
	case COORD_TF_CROP:
		start = (float)r->roi[a];
		end = (float)r->roi[r->rank + a];
		if (length == 1)
			return 0.5f * (end - start) * (in - 1) +
			       start * (in - 1);
		return start * (in - 1) +
		       i * (end - start) * (in - 1) / (length - 1);
	case COORD_PYTORCH_HALF_PIXEL:
		return r->out[a] > 1 ? (i + 0.5f) / s - 0.5f : 0;
	case COORD_HALF_PIXEL_SYMMETRIC:
		return in / 2 * (1 - (float)r->out[a] / length) +
		       (i + 0.5f) / s - 0.5f;
	default:
		return (i + 0.5f) / s - 0.5f;
	}
}

static double nearest(const struct resize *r, int a, double x)
{
	double low = floor(x), f = x - low;

	switch (r->round) {
	case ROUND_PREFER_FLOOR:
		return f <= 0.5 ? low : low + 1;
	case ROUND_PREFER_CEIL:
		return f < 0.5 ? low : low + 1;
	case ROUND_CEIL:
		return ceil(x);
	case ROUND_SIMPLE:
		return r->scale[a] < 1 ? ceil(x) : low;
	default:
		return low;
	}
}

/* The interpolation kernel at distance x >= 0; zero from its support on. */
static double kernel_at(const struct resize *r, double x)
{
	double a = r->cubic_a;

	if (r->mode == RESIZE_LINEAR)
		return x < 1 ? 1 - x : 0;
	if (x <= 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static int64_t clamp_index(double i, int64_t n)
{
	return i < 0 ? 0 : i > (double)(n - 1) ? n - 1 : (int64_t)i;
}

/* Taps around x: `first` and its followers, weights of sum one. */
static void fill_taps(const struct resize *r, const struct axis_map *m, int a,
		      int64_t o, double x, double narrow)
{
	double reach = (r->mode == RESIZE_LINEAR ? 1 : 2) / narrow, sum = 0;
	double first = floor(x - reach) + 1;
	int64_t *index = m->index + o * m->taps;
	double *w = m->weight + o * m->taps;

	for (int64_t t = 0; t < m->taps; t++) {
		double i = first + (double)t;
		bool out = i < 0 || i > (double)(r->in[a] - 1);

		index[t] = clamp_index(i, r->in[a]);
		w[t] = kernel_at(r, fabs(i - x) * narrow);
		if (out && r->exclude_outside)
			w[t] = 0;
		sum += w[t];
	}
	for (int64_t t = 0; sum != 0 && t < m->taps; t++)
		w[t] /= sum;
}

static bool is_identity(const struct resize *r, int a)
{
	return r->out[a] == r->in[a] && r->scale[a] == 1 &&
	       r->coord != COORD_TF_CROP;
}

static enum status map_alloc(struct kcall *c, const struct resize *r, int a,
			     double narrow, struct axis_map *m)
{
	double reach = (r->mode == RESIZE_LINEAR ? 2 : 4) / narrow;
	int64_t n;

	if (r->mode == RESIZE_NEAREST)
		reach = 1;
	if (!(reach < 1e9) || !mul_i64(r->out[a], (int64_t)ceil(reach), &n))
		return kcall_error(c, E_value, "scale %g is too small",
				   (double)r->scale[a]);
	m->taps = (int64_t)ceil(reach);
	m->index = nn_scratch(c, n, sizeof *m->index);
	m->weight = nn_temp(c, n);
	m->outside = NULL;
	if (!m->index || !m->weight)
		return LIMIT;
	if (r->coord == COORD_TF_CROP)
		m->outside = nn_scratch(c, r->out[a], sizeof *m->outside);
	return r->coord == COORD_TF_CROP && !m->outside ? LIMIT : OK;
}

enum status axis_map_init(struct kcall *c, const struct resize *r, int a,
			  struct axis_map *m)
{
	double narrow =
		r->antialias && r->scale[a] < 1 ? (double)r->scale[a] : 1;
	enum status s;

	m->identity = is_identity(r, a);
	if (m->identity || r->out[a] == 0)
		return OK;
	if (r->in[a] == 0)
		return kcall_error(c, E_shape, "resizing an empty axis");
	s = map_alloc(c, r, a, narrow, m);
	if (s != OK)
		return s;
	for (int64_t o = 0; o < r->out[a]; o++) {
		double x = (double)coordinate(r, a, o);

		if (!(fabs(x) < 1e15))
			return kcall_error(c, E_value,
					   "a coordinate is not a number");
		if (m->outside)
			m->outside[o] = x < 0 || x > (double)(r->in[a] - 1);
		if (r->mode == RESIZE_NEAREST) {
			m->index[o] = clamp_index(nearest(r, a, x), r->in[a]);
			m->weight[o] = 1;
		} else {
			fill_taps(r, m, a, o, x, narrow);
		}
	}
	return OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * sample.c -- AffineGrid and GridSample: reading images between the pixels, in
 * double.
 *
 * GridSample takes any number of spatial axes: per output position each axis
 * has a list of (index, weight), and the value is the sum over their product.
 * Cubic weights: Keys 1981 with -0.75.
 */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/move_p.h"
#include "runtime/kernels/shared/nn_p.h"

/* ---- GridSample ---- */

enum grid_mode { GRID_NEAREST, GRID_LINEAR, GRID_CUBIC };
/* Taps along one axis. */
static const int taps_of[] = {1, 2, 4};

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
	if (!dtype_is_float(q->dt))
		return kcall_error(c, E_type, "a grid of type %s",
				   dtype_name(q->dt));
	if (x->dt == DT_STRING && g->mode != GRID_NEAREST)
		return kcall_error(c, E_unsupported, "strings between pixels");
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
	t->n = taps_of[g->mode];
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

enum {
	GRID_CHUNK = 32, /* positions of a task */
	GRID_TAPS = 64,  /* that fit on the stack: up to three axes */
};

/* A call: the grid, images as elements to move or as doubles, of which
 * complex numbers are two parts. */
struct grid_call {
	const struct grid *g;
	const double *q;
	struct elems from, to;
	const double *x;
	double *y;
	int parts;
	int64_t taps; /* of a position */
};

/* The taps of a run of positions: n of each. */
struct grid_taps {
	int64_t first, count, n;
	int64_t *at;
	double *w;
};

/* Elements of any type, unchanged; zeros outside.  One tap. */
static void grid_move(const struct grid_call *k, const struct grid_taps *t,
		      int64_t plane, int64_t o)
{
	size_t size = k->from.size;
	const uint8_t *x = k->from.p + (size_t)(plane * k->g->nin) * size;
	uint8_t *y = k->to.p + (size_t)(plane * k->g->nout + o) * size;

	for (int64_t p = 0; p < t->count; p++, y += size)
		if (t->w[p] != 0)
			memcpy(y, x + (size_t)t->at[p] * size, size);
		else
			memset(y, 0, size);
}

static void grid_weigh(const struct grid_call *k, const struct grid_taps *t,
		       int64_t plane, int64_t o)
{
	int parts = k->parts;
	const double *x = k->x + plane * k->g->nin * parts;
	double *y = k->y + (plane * k->g->nout + o) * parts;

	for (int64_t p = 0; p < t->count * parts; p++) {
		const int64_t *at = t->at + p / parts * t->n;
		const double *w = t->w + p / parts * t->n;
		double sum = 0;

		for (int64_t i = 0; i < t->n; i++)
			if (w[i] != 0)
				sum += w[i] * x[at[i] * parts + p % parts];
		y[p] = sum;
	}
}

/* Some positions of one image: their taps, then every channel. */
static void grid_some(const struct grid_call *k, struct grid_taps *t)
{
	const struct grid *g = k->g;
	int64_t image = t->first / g->nout;

	for (int64_t p = 0; p < t->count; p++) {
		const double *q = k->q + (t->first + p) * g->axes;
		struct grid_tap tap[WINDOW_MAX];

		/* The grid names the last axis first. */
		for (int a = 0; a < g->axes; a++)
			axis_taps(g, a, q[g->axes - 1 - a], &tap[a]);
		t->n = combine(g, tap, t->at + p * t->n, t->w + p * t->n);
	}
	for (int64_t ch = 0; ch < g->channels; ch++)
		(g->mode == GRID_NEAREST ? grid_move : grid_weigh)(
			k, t, image * g->channels + ch, t->first % g->nout);
}

static void grid_task(void *arg, size_t task)
{
	const struct grid_call *k = arg;
	int64_t chunks = ceil_div(k->g->nout, GRID_CHUNK);
	int64_t from = (int64_t)task % chunks * GRID_CHUNK;
	int64_t at[GRID_CHUNK * GRID_TAPS];
	double w[GRID_CHUNK * GRID_TAPS];
	struct grid_taps t = {
		.first = (int64_t)task / chunks * k->g->nout + from,
		.count = min64(k->g->nout - from, GRID_CHUNK),
		.n = k->taps,
		.at = at,
		.w = w,
	};

	grid_some(k, &t);
}

static enum status grid_run(struct kcall *c, struct grid_call *k)
{
	const struct grid *g = k->g;
	struct grid_taps t = {.count = 1};

	k->q = nn_load(c, 1);
	if (!k->q)
		return LIMIT;
	k->taps = 1;
	for (int a = 0; a < g->axes; a++)
		k->taps *= taps_of[g->mode];
	if (k->taps <= GRID_TAPS) {
		pool_for((size_t)(g->batch * ceil_div(g->nout, GRID_CHUNK)),
			 grid_task, k);
		return OK;
	}
	t.n = k->taps;
	t.at = nn_scratch(c, t.n, sizeof *t.at);
	t.w = nn_temp(c, t.n);
	if (!t.at || !t.w)
		return LIMIT;
	for (; t.first < g->batch * g->nout; t.first++)
		grid_some(k, &t);
	return OK;
}

static enum status grid_nearest(struct kcall *c, struct grid_call *k,
				struct array *y)
{
	enum status s = elems_in(c, c->in[0], &k->from);

	if (s == OK)
		s = elems_out(c, y, &k->to);
	if (s == OK)
		s = grid_run(c, k);
	if (s == OK)
		elems_done(&k->to);
	return s;
}

static enum status grid_linear(struct kcall *c, struct grid_call *k,
			       struct array *y)
{
	const struct array *x = c->in[0];
	enum dtype dt = x->dt == DT_C64    ? DT_F32
			: x->dt == DT_C128 ? DT_F64
					   : x->dt;
	double *from;
	int64_t n;
	enum status s;

	k->parts = dt == x->dt ? 1 : 2;
	n = y->n * k->parts;
	from = nn_temp(c, x->n * k->parts);
	k->x = from;
	k->y = nn_temp(c, n);
	if (!from || !k->y)
		return LIMIT;
	lanes_load(LANE_F64, dt, x->data, 0, 1, (size_t)(x->n * k->parts),
		   from);
	s = grid_run(c, k);
	if (s != OK)
		return s;
	if (dtype_is_float(dt)) {
		lanes_store(LANE_F64, dt, y->data, 0, (size_t)n, k->y);
		return OK;
	}
	/* Integers are cut towards zero. */
	for (int64_t i = 0; i < n; i++)
		dtype_set(dt, y->data, (size_t)i,
			  dt == DT_BOOL ? k->y[i] : trunc(k->y[i]));
	return OK;
}

enum status k_grid_sample(struct kcall *c)
{
	int64_t dim[WINDOW_MAX + 2], ny;
	struct grid g;
	struct grid_call k = {.g = &g};
	struct array *y;
	enum status s = grid_init(c, &g);

	if (s != OK)
		return s;
	dim[0] = g.batch;
	dim[1] = g.channels;
	for (int a = 0; a < g.axes; a++)
		dim[2 + a] = g.out[a];
	if (!nn_count(g.axes + 2, dim, &ny))
		return kcall_error(c, E_dims, "dimensions overflow");
	y = kcall_out(c, 0, c->in[0]->dt, g.axes + 2, dim);
	if (!y || y->n == 0)
		return y ? OK : LIMIT;
	return g.mode == GRID_NEAREST ? grid_nearest(c, &k, y)
				      : grid_linear(c, &k, y);
}

/* ---- AffineGrid ---- */

struct affine {
	int k;          /* spatial axes */
	int64_t dim[5]; /* of the grid: N, D.., k */
	bool corners;
};

static enum status affine_init(struct kcall *c, struct affine *g)
{
	const struct array *t;
	const int64_t *size;
	size_t n;
	enum status s = nn_rank(c, 0, 3, 3);

	if (s == OK)
		s = nn_floats(c, 1, 1);
	if (s == OK)
		s = kcall_ints(c, 1, &size, &n);
	if (s != OK)
		return s;
	if (n != 4 && n != 5)
		return kcall_error(c, E_shape, "size has %zu entries", n);
	t = c->in[0];
	g->k = (int)n - 2;
	g->corners = node_attr_int(c->node, "align_corners", 0) != 0;
	if (t->dim[0] != size[0] || t->dim[1] != g->k || t->dim[2] != g->k + 1)
		return kcall_error(c, E_shape,
				   "theta is %lld x %lld x %lld for %lld "
				   "images of %d axes",
				   (long long)t->dim[0], (long long)t->dim[1],
				   (long long)t->dim[2], (long long)size[0],
				   g->k);
	g->dim[0] = size[0];
	for (int i = 0; i < g->k; i++) {
		g->dim[1 + i] = size[2 + i];
		if (size[2 + i] < 0)
			return kcall_error(c, E_value, "size %lld",
					   (long long)size[2 + i]);
	}
	g->dim[1 + g->k] = g->k;
	return OK;
}

/* Position i of n in [-1, 1]: centers of pixels; of corner pixels with
 * corners, where a single one lies at -1. */
static double affine_place(bool corners, int64_t i, int64_t n)
{
	if (corners)
		return n > 1 ? -1 + 2 * (double)i / (double)(n - 1) : -1;
	return (2 * (double)i + 1) / (double)n - 1;
}

enum status k_affine_grid(struct kcall *c)
{
	struct affine g;
	int64_t o[5] = {0}, n, at = 0;
	const double *theta;
	double *y;
	enum status s = affine_init(c, &g);

	if (s != OK)
		return s;
	if (!nn_count(g.k + 2, g.dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	theta = nn_load(c, 0);
	y = nn_temp(c, n);
	if (!theta || !y)
		return LIMIT;
	if (n > 0)
		do {
			const double *row =
				theta + (o[0] * g.k + o[g.k + 1]) * (g.k + 1);
			double sum = row[g.k];

			/* Columns name the last axis first. */
			for (int j = 0; j < g.k; j++)
				sum += row[j] * affine_place(g.corners,
							     o[g.k - j],
							     g.dim[g.k - j]);
			y[at++] = sum;
		} while (odometer_next(g.k + 2, g.dim, o));
	return nn_save(c, 0, c->in[0]->dt, g.k + 2, g.dim, y);
}

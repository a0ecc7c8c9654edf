/* SPDX-License-Identifier: MIT */
/*
 * spectrum.c -- what spectra are weighted with: HannWindow, HammingWindow,
 * BlackmanWindow, MelWeightMatrix.
 *
 * A window of size N is a sum of cosines of 2 pi n / N, or of 2 pi n / (N-1)
 * if it is symmetric; one of a single point is 1 then, where the formula says
 * 0/0.  Integer results are cut toward zero.
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/signal/fft_p.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

/* Floats of 16 bits or more, integers of 8 or more. */
static enum status number_type(struct kcall *c, enum dtype *dt)
{
	int64_t to = node_attr_int(c->node, "output_datatype", DT_F32);
	char kind = dtype_valid(to) ? dtype_kind((enum dtype)to) : 0;
	unsigned bits = dtype_valid(to) ? dtype_bits((enum dtype)to) : 0;

	if (!(kind == 'f' && bits >= 16) &&
	    !((kind == 'i' || kind == 'u') && bits >= 8))
		return kcall_error(c, E_attr, "output_datatype %lld",
				   (long long)to);
	*dt = (enum dtype)to;
	return OK;
}

static void store(struct array *y, int64_t at, double v)
{
	lanes_store(LANE_F64, y->dt, y->data, at, 1, &v);
}

/* ---- windows ---- */

struct shape { /* a - b cos(x) + d cos(2x) */
	enum op_id id;
	double a, b, d;
};

static const struct shape shapes[] = {
	{OP_HannWindow, 0.5, 0.5, 0},
	{OP_HammingWindow, 25.0 / 46, 21.0 / 46, 0},
	{OP_BlackmanWindow, 0.42, 0.5, 0.08},
};

static double window_at(const struct shape *s, int64_t n, int64_t period)
{
	double co, twice, im;

	fft_root(n % period, period, &co, &im);
	fft_root(2 * (n % period) % period, period, &twice, &im);
	return s->d * twice - s->b * co + s->a; /* 1 at the peak */
}

enum status k_window(struct kcall *c)
{
	bool periodic = node_attr_int(c->node, "periodic", 1) != 0;
	const struct shape *s = shapes;
	int64_t size, period;
	struct array *y;
	enum dtype dt;
	enum status st = kcall_int(c, 0, 0, &size);

	if (!st)
		st = number_type(c, &dt);
	if (!st && size < 0)
		st = kcall_error(c, E_value, "size %lld", (long long)size);
	if (st)
		return st;
	y = kcall_out(c, 0, dt, 1, &size);
	if (!y)
		return LIMIT;
	while (s->id != c->node->op->id)
		s++;
	period = periodic ? size : size - 1;
	for (int64_t n = 0; n < size; n++)
		store(y, n, period ? window_at(s, n, period) : 1);
	return OK;
}

/* ---- MelWeightMatrix ---- */

struct mel {
	double low, step; /* in mel */
	int64_t length, rate, bins;
};

/* floor(a / b) of the exact quotient, b > 0 */
static double floor_div(double a, double b)
{
	double q = floor(a / b);

	return q * b > a ? q - 1 : q;
}

/* The bin in which edge number i of the triangles falls, at most the one past
 * the last; -1: none. */
static int64_t mel_bin(const struct mel *m, int64_t i)
{
	double mel = (double)i * m->step + m->low;
	double hertz = 700 * (md_pow(10, mel / 2595) - 1);
	double bin =
		floor_div((double)(m->length + 1) * hertz, (double)m->rate);

	return bin >= 0 && bin <= (double)m->bins ? (int64_t)bin : -1;
}

static void triangle(struct array *y, int64_t column, const int64_t *edge)
{
	int64_t n = y->dim[1];
	int64_t lo = edge[0], mid = edge[1], hi = edge[2];

	if (lo == mid)
		store(y, mid * n + column, 1);
	for (int64_t j = lo; lo != mid && j <= mid; j++)
		store(y, j * n + column, (double)(j - lo) / (double)(mid - lo));
	for (int64_t j = mid; j < hi; j++)
		store(y, j * n + column, (double)(hi - j) / (double)(hi - mid));
}

static double hertz_to_mel(double f)
{
	const double ln10 = 0x1.26bb1bbb55516p+1;

	return 2595 * (md_log(1 + f / 700) / ln10);
}

static enum status mel_params(struct kcall *c, struct mel *m, int64_t *columns)
{
	double lo = 0, hi = 0;
	enum status st = kcall_int(c, 0, 0, columns);

	if (!st)
		st = kcall_int(c, 1, 0, &m->length);
	if (!st)
		st = kcall_int(c, 2, 0, &m->rate);
	if (!st)
		st = kcall_float(c, 3, 0, &lo);
	if (!st)
		st = kcall_float(c, 4, 0, &hi);
	if (st)
		return st;
	if (*columns < 0 || *columns > INT64_MAX - 2 || m->length < 0 ||
	    m->length == INT64_MAX || m->rate < 1)
		return kcall_error(c, E_value,
				   "%lld bands, %lld points, %lld samples per "
				   "second",
				   (long long)*columns, (long long)m->length,
				   (long long)m->rate);
	m->bins = m->length / 2 + 1;
	m->low = hertz_to_mel(lo);
	m->step = (hertz_to_mel(hi) - m->low) / (double)(*columns + 2);
	return OK;
}

enum status k_mel_weight_matrix(struct kcall *c)
{
	int64_t dim[2], edge[3];
	struct mel m;
	struct array *y;
	enum dtype dt;
	enum status st = mel_params(c, &m, &dim[1]);

	if (!st)
		st = number_type(c, &dt);
	if (st)
		return st;
	dim[0] = m.bins;
	y = kcall_out(c, 0, dt, 2, dim);
	if (!y)
		return LIMIT;
	memset(y->data, 0, y->bytes);
	for (int64_t i = 0; i < dim[1]; i++) {
		for (int k = 0; k < 3; k++) {
			edge[k] = mel_bin(&m, i + k);
			if (edge[k] < 0 || (k < 2 && edge[k] == m.bins))
				return kcall_error(c, E_value,
						   "edge %lld of the bands is "
						   "outside of the spectrum",
						   (long long)(i + k));
		}
		triangle(y, i, edge);
	}
	return OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * signal.c -- DFT and STFT, all versions: lines of an array, transformed in
 * double and rounded once.
 *
 * A half spectrum goes out with onesided, or comes in with onesided and
 * inverse; then the bins beyond are the conjugates.  Lines are shared among
 * a constant number of tasks, each with work space of its own.
 */
#include <string.h>

#include "base/io.h"
#include "base/pool.h"
#include "runtime/kernels/signal/fft_p.h"
#include "runtime/kernels/shared/nn_p.h"

enum { TASKS = 16 };

/* Line l starts at (l / group) outer + (l % group) step; in elements of
 * `parts` numbers each. */
struct lines {
	int64_t outer, step, stride;
	int64_t len, parts;
};

struct transform {
	struct fft fft;
	const struct array *x;
	struct array *y;
	struct lines in, out;
	int64_t n, group;
	const double *window; /* NULL: none */
	bool inverse, half;
	double *work; /* per task */
	int64_t each; /* doubles of one task's space */
	bool late[TASKS];
};

static int64_t line_start(const struct transform *t, const struct lines *s,
			  int64_t l)
{
	return l / t->group * s->outer + l % t->group * s->step;
}

static void load_line(const struct transform *t, int64_t l, double *buf)
{
	int64_t at = line_start(t, &t->in, l), p = t->in.parts;
	int64_t n = min64(t->in.len, t->n);
	const struct array *x = t->x;

	memset(buf, 0, (size_t)t->n * 2 * sizeof *buf);
	for (int64_t i = 0; i < n; i++) {
		size_t k = (size_t)((at + i * t->in.stride) * p);
		double w = t->window ? t->window[i] : 1;

		buf[2 * i] = dtype_get(x->dt, x->data, k) * w;
		if (p == 2)
			buf[2 * i + 1] = dtype_get(x->dt, x->data, k + 1) * w;
	}
}

/* The upper half of a real signal's spectrum; what is its own conjugate has
 * no imaginary part. */
static void mirror(double *buf, int64_t n)
{
	buf[1] = 0;
	if (n % 2 == 0)
		buf[n + 1] = 0;
	for (int64_t k = 1; 2 * k < n; k++) {
		buf[2 * (n - k)] = buf[2 * k];
		buf[2 * (n - k) + 1] = -buf[2 * k + 1];
	}
}

static void swap_parts(double *buf, int64_t n, double scale)
{
	for (int64_t k = 0; k < n; k++) {
		double re = buf[2 * k];

		buf[2 * k] = buf[2 * k + 1] * scale;
		buf[2 * k + 1] = re * scale;
	}
}

static void save_line(const struct transform *t, int64_t l, const double *buf)
{
	int64_t at = line_start(t, &t->out, l), p = t->out.parts;

	for (int64_t i = 0; i < t->out.len; i++)
		for (int64_t k = 0; k < p; k++)
			dtype_set(t->y->dt, t->y->data,
				  (size_t)((at + i * t->out.stride) * p + k),
				  buf[2 * i + k]);
}

static void one_line(const struct transform *t, int64_t l, double *buf)
{
	load_line(t, l, buf);
	if (t->inverse && t->half)
		mirror(buf, t->n);
	if (t->inverse)
		swap_parts(buf, t->n, 1);
	fft_run(&t->fft, buf, buf + 2 * t->n);
	if (t->inverse)
		swap_parts(buf, t->n, 1 / (double)t->n);
	save_line(t, l, buf);
}

static int64_t count_lines(const struct transform *t)
{
	return t->y->n / (t->out.len * t->out.parts);
}

static void task(void *arg, size_t i)
{
	struct transform *t = arg;
	int64_t lines = count_lines(t), each = ceil_div(lines, TASKS);
	int64_t from = (int64_t)i * each, to = min64(from + each, lines);

	for (int64_t l = from; l < to && !t->late[i]; l++) {
		one_line(t, l, t->work + (int64_t)i * t->each);
		t->late[i] = !limit_time_ok();
	}
}

static enum status run_lines(struct kcall *c, struct transform *t)
{
	int64_t busy = min64(count_lines(t), TASKS);

	t->each = 2 * t->n + fft_work(&t->fft);
	t->work = nn_scratch(c, t->each * busy, sizeof *t->work);
	if (!t->work)
		return LIMIT;
	pool_for((size_t)busy, task, t);
	for (int i = 0; i < TASKS; i++)
		if (t->late[i])
			return kcall_error(c, E_time,
					   "the time limit was reached");
	return OK;
}

/* ---- DFT ---- */

static enum status dft_length(struct kcall *c, struct transform *t, int axis)
{
	int64_t len = c->in[0]->dim[axis];
	int64_t dflt = t->inverse && t->half ? 2 * (max64(len, 1) - 1) : len;
	enum status st = kcall_int(c, 1, dflt, &t->n);

	if (!st && t->n < 1)
		st = kcall_error(c, E_value, "a transform of length %lld",
				 (long long)t->n);
	return st;
}

static enum status dft_axis(struct kcall *c, int *axis)
{
	bool attr = c->node->op->since < 20;
	int64_t at = attr ? node_attr_int(c->node, "axis", 1) : -2;
	int rank = c->in[0]->rank;
	enum status st = attr ? OK : kcall_int(c, 2, -2, &at);

	if (!st)
		st = kcall_axis(c, at, rank, axis);
	if (!st && *axis == rank - 1)
		st = kcall_error(c, E_value,
				 "axis %lld holds the parts of numbers",
				 (long long)at);
	return st;
}

/* Real numbers or pairs; half a spectrum belongs to a real signal. */
static enum status check_parts(struct kcall *c, const struct transform *t,
			       int64_t parts)
{
	if (parts != 1 && parts != 2)
		return kcall_error(c, E_shape,
				   "the last dimension is %lld, expected 1 or "
				   "2",
				   (long long)parts);
	if (t->half && parts != (t->inverse ? 2 : 1))
		return kcall_error(c, E_shape, "onesided needs %s input",
				   t->inverse ? "complex" : "real");
	return OK;
}

static enum status dft_run(struct kcall *c, struct transform *t, int axis)
{
	int64_t dim[KERNEL_MAX_RANK];
	const struct array *x = t->x = c->in[0];
	int last = x->rank - 1;

	memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
	dim[axis] = t->half && !t->inverse ? t->n / 2 + 1 : t->n;
	dim[last] = t->half && t->inverse ? 1 : 2;
	t->y = kcall_out(c, 0, x->dt, x->rank, dim);
	if (!t->y)
		return LIMIT;
	if (!t->y->n)
		return OK;
	t->group = nn_product(dim, axis + 1, last);
	t->in = (struct lines){x->dim[axis] * t->group, 1, t->group,
			       x->dim[axis], x->dim[last]};
	t->out = (struct lines){dim[axis] * t->group, 1, t->group, dim[axis],
				dim[last]};
	return fft_init(c, &t->fft, t->n) ? LIMIT : run_lines(c, t);
}

enum status k_dft(struct kcall *c)
{
	struct transform t = {
		.inverse = node_attr_int(c->node, "inverse", 0) != 0,
		.half = node_attr_int(c->node, "onesided", 0) != 0,
	};
	enum status st = nn_floats(c, 1, 1);
	int axis;

	if (!st)
		st = nn_rank(c, 0, 2, KERNEL_MAX_RANK);
	if (!st)
		st = check_parts(c, &t, c->in[0]->dim[c->in[0]->rank - 1]);
	if (!st)
		st = dft_axis(c, &axis);
	if (!st)
		st = dft_length(c, &t, axis);
	return st ? st : dft_run(c, &t, axis);
}

/* ---- STFT ---- */

/* Frames of n samples, `step` apart, within the signal; n is given, or the
 * window's length, or the signal's. */
static enum status stft_frames(struct kcall *c, struct transform *t,
			       int64_t *step, int64_t *frames)
{
	const struct array *w = kcall_has(c, 2) ? c->in[2] : NULL;
	int64_t len = c->in[0]->dim[1];
	enum status st = kcall_int(c, 1, 1, step);

	if (!st && w)
		st = nn_rank(c, 2, 1, 1);
	if (!st)
		st = kcall_int(c, 3, w ? w->n : len, &t->n);
	if (st)
		return st;
	if (*step < 1)
		return kcall_error(c, E_value, "frames every %lld samples",
				   (long long)*step);
	if (t->n < 1 || t->n > len)
		return kcall_error(c, E_value,
				   "frames of %lld samples in a signal of "
				   "%lld",
				   (long long)t->n, (long long)len);
	if (w && (w->n != t->n || w->dt != c->in[0]->dt))
		return kcall_error(c, E_shape,
				   "window of %lld samples for frames of %lld",
				   (long long)w->n, (long long)t->n);
	*frames = 1 + (len - t->n) / *step;
	return OK;
}

static enum status stft_run(struct kcall *c, struct transform *t, int64_t step,
			    int64_t frames)
{
	const struct array *x = t->x = c->in[0];
	int64_t bins = t->half ? t->n / 2 + 1 : t->n;
	int64_t dim[4] = {x->dim[0], frames, bins, 2};

	t->y = kcall_out(c, 0, x->dt, 4, dim);
	if (!t->y)
		return LIMIT;
	if (!t->y->n)
		return OK;
	t->group = frames;
	t->in = (struct lines){x->dim[1], step, 1, t->n,
			       x->rank == 3 ? x->dim[2] : 1};
	t->out = (struct lines){frames * bins, bins, 1, bins, 2};
	if (kcall_has(c, 2) && !(t->window = nn_load(c, 2)))
		return LIMIT;
	return fft_init(c, &t->fft, t->n) ? LIMIT : run_lines(c, t);
}

/* A signal of rank 2 is real.  Half of a complex signal's bins are what
 * onesided asks for, though the other half does not follow from them. */
enum status k_stft(struct kcall *c)
{
	struct transform t = {
		.half = node_attr_int(c->node, "onesided", 1) != 0,
	};
	const struct array *x = c->in[0];
	int64_t step = 1, frames = 0;
	enum status st = nn_floats(c, 1, 1);

	if (!st)
		st = nn_rank(c, 0, 2, 3);
	if (!st && x->rank == 3 && x->dim[2] != 1 && x->dim[2] != 2)
		st = kcall_error(c, E_shape,
				 "the last dimension is %lld, expected 1 or 2",
				 (long long)x->dim[2]);
	if (!st)
		st = stft_frames(c, &t, &step, &frames);
	return st ? st : stft_run(c, &t, step, frames);
}

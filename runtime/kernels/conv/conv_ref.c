/* SPDX-License-Identifier: MIT */
/*
 * conv_ref.c -- Conv and ConvTranspose by the definition, in double.
 *
 * Any number of spatial axes.  The taps of an output position are listed
 * once and used for all channels; sums run over channels, then taps.
 */
#include "runtime/kernels/shared/activate_p.h"
#include "runtime/kernels/conv/conv_p.h"

#include <string.h>

struct operands {
	const double *x, *w, *b; /* b NULL: none */
	double *y;
};

static bool load_operands(struct kcall *c, const struct conv *v,
			  struct operands *o, int64_t ny)
{
	o->x = nn_load(c, v->jx);
	o->w = nn_load(c, v->jw);
	o->b = kcall_has(c, 2) ? nn_load(c, 2) : NULL;
	o->y = nn_temp(c, ny);
	return o->x && o->w && o->y && (o->b || !kcall_has(c, 2));
}

/* All channels of image n at the output position `at` whose taps are t. */
static void conv_position(const struct conv *v, const struct operands *o,
			  const struct taps *t, int64_t n, int64_t at)
{
	const struct window *w = &v->w;

	for (int64_t f = 0; f < v->group * v->m; f++) {
		int64_t g = f / v->m;
		const double *x = o->x + (n * v->group + g) * v->c * w->nin;
		const double *k = o->w + f * v->c * w->nkernel;
		double sum = 0;

		for (int64_t c = 0; c < v->c; c++) {
			for (int64_t i = 0; i < t->n; i++)
				sum += x[t->at[i]] * k[t->k[i]];
			x += w->nin;
			k += w->nkernel;
		}
		o->y[(n * v->group * v->m + f) * w->nout + at] =
			sum + (o->b ? o->b[f] : 0);
	}
}

enum status k_conv(struct kcall *c)
{
	struct conv v;
	struct operands o;
	struct taps t;
	int64_t pos[WINDOW_MAX] = {0}, at = 0, ny;
	enum status s = nn_floats(c, 2, 4);

	if (s == OK)
		s = conv_init(c, &v, 0, 1, 2, c->in[0]->dt);
	if (s == OK)
		s = taps_create(c, &v.w, &t);
	if (s != OK)
		return s;
	nn_count(v.rank, v.dim, &ny);
	if (!load_operands(c, &v, &o, ny))
		return LIMIT;
	if (ny > 0)
		do {
			taps_at(&v.w, pos, &t);
			for (int64_t n = 0; n < v.batch; n++)
				conv_position(&v, &o, &t, n, at);
			at++;
		} while (odometer_next(v.w.rank, v.w.out, pos));
	s = activate_f64(c, v.rank, v.dim, o.y);
	return s == OK ? nn_save(c, 0, c->in[0]->dt, v.rank, v.dim, o.y) : s;
}

/* Spread the inputs at position `at` over the taps t of the result. */
static void spread_position(const struct conv *v, const struct operands *o,
			    const struct taps *t, int64_t n, int64_t at)
{
	const struct window *w = &v->w;

	for (int64_t f = 0; f < v->group * v->m; f++) {
		int64_t g = f / v->m;
		double *y = o->y + (n * v->group * v->m + f) * w->nin;

		for (int64_t c = g * v->c; c < (g + 1) * v->c; c++) {
			double x =
				o->x[(n * v->group * v->c + c) * w->nout + at];
			const double *k =
				o->w + (c * v->m + f % v->m) * w->nkernel;

			for (int64_t i = 0; i < t->n; i++)
				y[t->at[i]] += x * k[t->k[i]];
		}
	}
}

enum status k_conv_transpose(struct kcall *c)
{
	struct conv v;
	struct operands o;
	struct taps t;
	int64_t pos[WINDOW_MAX] = {0}, at = 0, ny;
	enum status s = nn_floats(c, 2, 3);

	if (s == OK)
		s = conv_init_transposed(c, &v);
	if (s == OK)
		s = taps_create(c, &v.w, &t);
	if (s != OK)
		return s;
	nn_count(v.rank, v.dim, &ny);
	if (!load_operands(c, &v, &o, ny))
		return LIMIT;
	for (int64_t i = 0; i < ny; i++)
		o.y[i] = o.b ? o.b[i / v.w.nin % (v.group * v.m)] : 0;
	if (ny > 0)
		do {
			taps_at(&v.w, pos, &t);
			for (int64_t n = 0; n < v.batch; n++)
				spread_position(&v, &o, &t, n, at);
			at++;
		} while (odometer_next(v.w.rank, v.w.out, pos));
	return nn_save(c, 0, c->in[0]->dt, v.rank, v.dim, o.y);
}

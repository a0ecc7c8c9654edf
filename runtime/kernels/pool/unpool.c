/* SPDX-License-Identifier: MIT */
/*
 * unpool.c -- windows put back into images: MaxUnpool, Col2Im.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/move_p.h"
#include "runtime/kernels/shared/nn_p.h"

/* ---- MaxUnpool ---- */

struct unpool {
	int rank;
	int64_t dim[WINDOW_MAX + 2];  /* what the indices count in */
	int64_t want[WINDOW_MAX + 2]; /* the result: as large or larger */
	int64_t n;                    /* product of dim */
};

static enum status unpool_shapes(struct kcall *c, struct unpool *u)
{
	const struct array *x;
	const int64_t *want;
	struct window w;
	size_t n;
	enum status s = nn_rank(c, 0, 3, WINDOW_MAX + 2);

	if (s == OK)
		s = nn_rank(c, 1, c->in[0]->rank, c->in[0]->rank);
	if (s == OK)
		s = kcall_ints(c, 2, &want, &n);
	if (s != OK)
		return s;
	x = c->in[0];
	u->rank = x->rank;
	if (c->in[1]->dt != DT_I64 || !array_same_dims(x, c->in[1]))
		return kcall_error(c, E_shape, "the indices do not fit");
	s = window_init_transposed(c, &w, x->rank - 2, x->dim + 2, NULL);
	if (s != OK)
		return s;
	if (want && n != (size_t)x->rank)
		return kcall_error(c, E_shape, "output_shape has %zu entries",
				   n);
	for (int i = 0; i < x->rank; i++) {
		u->dim[i] = i < 2 ? x->dim[i] : w.in[i - 2];
		u->want[i] = want ? want[i] : u->dim[i];
		if (u->want[i] < u->dim[i])
			return kcall_error(c, E_shape,
					   "output_shape has %lld along axis "
					   "%d, the windows need %lld",
					   (long long)u->want[i], i,
					   (long long)u->dim[i]);
	}
	if (!nn_count(u->rank, u->dim, &u->n))
		return kcall_error(c, E_dims, "dimensions overflow");
	return OK;
}

/* Position in the result of index `at` of the smaller shape. */
static int64_t unpool_place(const struct unpool *u, int64_t at)
{
	int64_t to = 0, step = 1;

	for (int i = u->rank - 1; i >= 0; i--) {
		to += step * (at % u->dim[i]);
		at /= u->dim[i];
		step *= u->want[i];
	}
	return to;
}

enum status k_max_unpool(struct kcall *c)
{
	const struct array *x = c->in[0];
	const int64_t *at;
	struct elems in, out;
	struct unpool u;
	struct array *y;
	enum status s = unpool_shapes(c, &u);

	if (s != OK)
		return s;
	at = c->in[1]->data;
	for (int64_t i = 0; i < x->n; i++)
		if (at[i] < 0 || at[i] >= u.n)
			return kcall_error(c, E_value, "index %lld of %lld",
					   (long long)at[i], (long long)u.n);
	s = elems_in(c, x, &in);
	if (s == OK)
		s = move_out(c, 0, x->dt, u.rank, u.want, &y, &out);
	if (s != OK || y->n == 0)
		return s;
	memset(out.p, 0, (size_t)y->n * out.size);
	for (int64_t i = 0; i < x->n; i++)
		memcpy(out.p + (size_t)unpool_place(&u, at[i]) * out.size,
		       in.p + (size_t)i * in.size, in.size);
	elems_done(&out);
	return OK;
}

/* ---- Col2Im ---- */

struct fold {
	struct window w; /* over the image; out counts the blocks */
	int64_t batch, channels;
	int64_t dim[WINDOW_MAX + 2];
	int64_t n; /* elements of the result */
};

static enum status fold_shapes(struct kcall *c, struct fold *f)
{
	const int64_t *image, *block, *x;
	size_t n, nblock;
	enum status s = nn_rank(c, 0, 3, 3);

	if (s == OK)
		s = kcall_ints(c, 1, &image, &n);
	if (s == OK)
		s = kcall_ints(c, 2, &block, &nblock);
	if (s != OK)
		return s;
	if (n != nblock || n < 1 || n > WINDOW_MAX)
		return kcall_error(c, E_shape,
				   "image_shape has %zu entries, block_shape "
				   "%zu",
				   n, nblock);
	for (size_t i = 0; i < n; i++)
		if (image[i] < 0)
			return kcall_error(c, E_value,
					   "image_shape has the value %lld",
					   (long long)image[i]);
	s = window_init(c, &f->w, (int)n, image, block);
	if (s != OK)
		return s;
	x = c->in[0]->dim;
	if (x[1] % f->w.nkernel != 0 || x[2] != f->w.nout)
		return kcall_error(c, E_shape,
				   "%lld x %lld columns for blocks of %lld at "
				   "%lld positions",
				   (long long)x[1], (long long)x[2],
				   (long long)f->w.nkernel,
				   (long long)f->w.nout);
	f->batch = f->dim[0] = x[0];
	f->channels = f->dim[1] = x[1] / f->w.nkernel;
	memcpy(f->dim + 2, image, n * sizeof *image);
	if (!nn_count((int)n + 2, f->dim, &f->n))
		return kcall_error(c, E_dims, "dimensions overflow");
	return OK;
}

/* Elements as lanes: doubles (r) or integers that wrap (i). */
struct fold_lanes {
	const struct fold *f;
	union lane_array {
		void *p;
		double *r;
		int64_t *i;
	} x, y;
	bool real;
	int parts; /* 2: complex */
};

/* n elements of x from number `from`, added to every stride-th of y. */
static void fold_add(const struct fold_lanes *l, int64_t from, int64_t to,
		     int64_t stride, int64_t n)
{
	int64_t each = l->parts;

	if (l->real && each == 1) {
		for (int64_t i = 0; i < n; i++)
			l->y.r[to + i * stride] += l->x.r[from + i];
		return;
	}
	for (int64_t i = 0; i < n * each; i++) {
		int64_t a = (to + i / each * stride) * each + i % each;
		int64_t b = from * each + i;

		if (l->real)
			l->y.r[a] += l->x.r[b];
		else
			l->y.i[a] = (int64_t)((uint64_t)l->y.i[a] +
					      (uint64_t)l->x.i[b]);
	}
}

/* Position k of the blocks, one per row of x from number `from` on, into the
 * image at `to`: row by row of the last axis. */
static void fold_tap(const struct fold_lanes *l, const int64_t *k, int64_t from,
		     int64_t to)
{
	const struct window *w = &l->f->w;
	int last = w->rank - 1;
	int64_t first = k[last] * w->dilation[last] - w->lo[last];
	int64_t o[WINDOW_MAX] = {0}, lo, hi;

	lo = first < 0 ? ceil_div(-first, w->stride[last]) : 0;
	hi = first < w->in[last]
		     ? ceil_div(w->in[last] - first, w->stride[last])
		     : 0;
	hi = min64(hi, w->out[last]);
	do {
		int64_t at = 0;
		bool inside = lo < hi;

		for (int i = 0; i < last; i++) {
			int64_t p = o[i] * w->stride[i] - w->lo[i] +
				    k[i] * w->dilation[i];

			inside = inside && p >= 0 && p < w->in[i];
			at = (at + (inside ? p : 0)) * w->in[i + 1];
		}
		if (inside)
			fold_add(l, from + lo,
				 to + at + first + lo * w->stride[last],
				 w->stride[last], hi - lo);
		from += w->out[last];
	} while (odometer_next(last, w->out, o));
}

/* One plane of the result. */
static void fold_task(void *arg, size_t plane)
{
	const struct fold_lanes *l = arg;
	const struct window *w = &l->f->w;
	int64_t k[WINDOW_MAX] = {0};
	int64_t from = (int64_t)plane * w->nkernel * w->nout;

	do {
		fold_tap(l, k, from, (int64_t)plane * w->nin);
		from += w->nout;
	} while (odometer_next(w->rank, w->kernel, k));
}

/* y from elements of type dt; of complex ones, the parts' type. */
static enum status fold_run(struct kcall *c, const struct fold *f,
			    enum dtype dt, enum lane lane, int parts,
			    struct array *y)
{
	struct fold_lanes l = {
		.f = f, .real = lane == LANE_F64, .parts = parts};
	size_t nx = (size_t)c->in[0]->n * (size_t)parts;
	size_t ny = (size_t)y->n * (size_t)parts;

	l.x.p = nn_scratch(c, (int64_t)nx, lane_size(lane));
	l.y.p = kcall_scratch(c, ny * lane_size(lane));
	if (!l.x.p || !l.y.p)
		return LIMIT;
	lanes_load(lane, dt, c->in[0]->data, 0, 1, nx, l.x.p);
	pool_for((size_t)(f->batch * f->channels), fold_task, &l);
	lanes_store(lane, dt, y->data, 0, ny, l.y.p);
	return OK;
}

enum status k_col2im(struct kcall *c)
{
	enum dtype dt = c->in[0]->dt;
	struct fold f;
	struct array *y;
	enum lane l;
	int parts = 1;
	enum status s = fold_shapes(c, &f);

	if (s != OK)
		return s;
	y = kcall_out(c, 0, dt, f.w.rank + 2, f.dim);
	if (!y)
		return LIMIT;
	if (dtype_kind(dt) == 'c') {
		dt = dt == DT_C64 ? DT_F32 : DT_F64;
		parts = 2;
	}
	if (!lane_of(dt, &l))
		return kcall_error(c, E_unsupported, "sums of type %s",
				   dtype_name(dt));
	if (y->bytes)
		memset(y->data, 0, y->bytes);
	/* Without elements, the counts of the loops have no bound. */
	if (y->n == 0 || c->in[0]->n == 0)
		return OK;
	return fold_run(c, &f, dt, l, parts, y);
}

/* SPDX-License-Identifier: MIT */
/*
 * data_pick.c -- rules for elements that are chosen by position.
 *
 * Shapes of at most INFER_MAX_DATA elements, so offsets fit any integer; an
 * index is used once it is known to lie within its axis.
 */
#include "ir/infer/data_p.h"

int64_t data_offset(const struct type *t, int64_t k, const int64_t *step)
{
	int64_t at = 0;

	for (int i = t->rank - 1; i >= 0; i--) {
		at += k % t->dim[i].n * step[i];
		k /= t->dim[i].n;
	}
	return at;
}

/* Row-major distances of a static shape. */
static int64_t *strides_of(const struct node *n, const struct type *t)
{
	int64_t *s = scratch(n, (size_t)t->rank + 1, sizeof(*s)), k = 1;

	for (int i = t->rank - 1; i >= 0; i--) {
		s[i] = k;
		k *= t->dim[i].n;
	}
	return s;
}

/* Fills the output with x[base + offset], the offset by steps per axis of the
 * output. */
static void data_walk(const struct node *n, struct out *o, const struct dim *x,
		      uint32_t count, int64_t base, const int64_t *step)
{
	const struct type *t = n->out[0]->type;

	for (uint32_t k = 0; k < o->n; k++) {
		int64_t at = base + data_offset(t, k, step);

		if (at < 0 || at >= count)
			return;
		o->d[k] = x[at];
	}
	o->done = true;
}

/* Input 0: its elements and distances; false unless its shape is known. */
static bool source(struct node *n, const struct dim **x, uint32_t *count,
		   int64_t **stride)
{
	const struct type *t = in_type(n, 0);
	int64_t c;

	if (!data_known(n, 0, x, count) || !type_count(t, &c) || c != *count ||
	    c == 0)
		return false;
	*stride = strides_of(n, t);
	return true;
}

/* An index into an axis of a size, counted from the end if negative. */
static bool index_at(int64_t i, int64_t size, int64_t *at)
{
	*at = i < 0 ? i + size : i;
	return *at >= 0 && *at < size;
}

void data_transpose(struct node *n, struct out *o)
{
	const struct dim *x;
	uint32_t count;
	size_t np;
	const int64_t *perm = node_attr_ints(n, "perm", &np);
	int64_t *stride, *step;
	int rank = in_type(n, 0)->rank;

	if (!source(n, &x, &count, &stride) || n->out[0]->type->rank != rank)
		return;
	step = scratch(n, (size_t)rank + 1, sizeof(*step));
	for (int i = 0; i < rank; i++)
		step[i] = stride[perm ? perm[i] : rank - 1 - i];
	data_walk(n, o, x, count, 0, step);
}

/* Starts and steps of Slice per axis, with the axis's size. */
static bool slice_at(struct node *n, const struct type *t, int64_t *first,
		     int64_t *step)
{
	bool attr = n->op->since < 10;
	const int64_t *start, *axes = NULL, *by = NULL;
	uint32_t count = 0, k;
	size_t c;

	if (attr) {
		start = node_attr_ints(n, "starts", &c);
		count = (uint32_t)c;
		axes = node_attr_ints(n, "axes", &c);
		if (!start || (axes && c != count))
			return false;
	} else if (!in_ints(n, 1, &start, &count) ||
		   (in_given(n, 3) &&
		    (!in_ints(n, 3, &axes, &k) || k != count)) ||
		   (in_given(n, 4) &&
		    (!in_ints(n, 4, &by, &k) || k != count))) {
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		int64_t a = axes ? axes[i] : i, s = start[i], size;

		a += a < 0 ? t->rank : 0;
		if (a < 0 || a >= t->rank)
			return false;
		size = t->dim[a].n;
		step[a] = by ? by[i] : 1;
		s += s < 0 ? size : 0;
		if (step[a] < 0 && s > size - 1)
			s = size - 1;
		first[a] = s < 0 ? 0 : s > size ? size : s;
	}
	return true;
}

void data_slice(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0);
	const struct dim *x;
	uint32_t count;
	int64_t *stride, *first, *step, base = 0;
	size_t r = t->rank > 0 ? (size_t)t->rank : 0;

	if (!source(n, &x, &count, &stride) || n->out[0]->type->rank != t->rank)
		return;
	first = scratch(n, r + 1, sizeof(*first));
	step = scratch(n, r + 1, sizeof(*step));
	for (size_t i = 0; i < r; i++)
		step[i] = 1;
	if (!slice_at(n, t, first, step))
		return;
	for (size_t i = 0; i < r; i++) {
		base += first[i] * stride[i];
		if (!mul_i64(step[i], stride[i], &step[i]) ||
		    step[i] > INFER_MAX_DATA || step[i] < -INFER_MAX_DATA)
			step[i] = 0; /* one element: the step is not used */
	}
	data_walk(n, o, x, count, base, step);
}

void data_gather(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0);
	int64_t *stride, at, inner, size;
	const struct dim *x;
	const int64_t *ix;
	uint32_t count, ni, k = 0;
	int axis;

	if (!source(n, &x, &count, &stride) || t->rank < 1 ||
	    axis_attr(n, "axis", 0, t->rank, &axis) || !in_ints(n, 1, &ix, &ni))
		return;
	inner = stride[axis];
	size = t->dim[axis].n;
	if (count / size * ni != o->n)
		return;
	for (int64_t a = 0; a < count / (inner * size); a++)
		for (uint32_t i = 0; i < ni; i++) {
			if (!index_at(ix[i], size, &at))
				return;
			for (int64_t j = 0; j < inner; j++)
				o->d[k++] = x[(a * size + at) * inner + j];
		}
	o->done = true;
}

/* Element k of the indices takes or gets what lies there, the axis replaced;
 * -1: out of range. */
static int64_t along(const struct node *n, const struct type *t,
		     const int64_t *stride, int axis, int64_t k, int64_t index)
{
	const struct type *ti = in_type(n, 1);
	int64_t at = 0, c;

	for (int i = t->rank - 1; i >= 0; i--) {
		c = k % ti->dim[i].n;
		k /= ti->dim[i].n;
		if (i == axis && !index_at(index, t->dim[i].n, &c))
			return -1;
		if (c >= t->dim[i].n)
			return -1;
		at += c * stride[i];
	}
	return at;
}

void data_gather_elements(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0);
	const struct dim *x;
	const int64_t *ix;
	uint32_t count, ni;
	int64_t *stride, c;
	int axis;

	if (!source(n, &x, &count, &stride) || !in_ints(n, 1, &ix, &ni) ||
	    !type_count(in_type(n, 1), &c) || c != ni || ni != o->n ||
	    in_type(n, 1)->rank != t->rank ||
	    axis_attr(n, "axis", 0, t->rank, &axis))
		return;
	for (uint32_t k = 0; k < ni; k++) {
		int64_t at = along(n, t, stride, axis, k, ix[k]);

		if (at < 0)
			return;
		o->d[k] = x[at];
	}
	o->done = true;
}

/* Where a tuple of q indices into axes from..from+q points; -1: nowhere. */
static int64_t tuple_at(const struct type *t, const int64_t *stride, int from,
			const int64_t *ix, int64_t q)
{
	int64_t at = 0, c;

	for (int64_t i = 0; i < q; i++) {
		if (!index_at(ix[i], t->dim[from + i].n, &c))
			return -1;
		at += c * stride[from + i];
	}
	return at;
}

/* Indices [..., q] of input 1; the size of what each tuple points at. */
static bool tuples(struct node *n, const struct type *t, const int64_t *stride,
		   int from, const int64_t **ix, int64_t *count, int64_t *q,
		   int64_t *size)
{
	const struct type *ti = in_type(n, 1);
	uint32_t ni;
	int64_t c;

	if (!in_ints(n, 1, ix, &ni) || !type_count(ti, &c) || c != ni ||
	    ti->rank < 1 || c == 0)
		return false;
	*q = ti->dim[ti->rank - 1].n;
	if (*q < 1 || *q > t->rank - from)
		return false;
	*count = c / *q;
	*size = stride[from + *q - 1];
	return true;
}

void data_gather_nd(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0);
	int64_t b = node_attr_int(n, "batch_dims", 0);
	int64_t *stride, nt, q, size, per, batches = 1;
	const struct dim *x;
	const int64_t *ix;
	uint32_t count;

	if (!source(n, &x, &count, &stride) || b < 0 || b >= t->rank ||
	    !tuples(n, t, stride, (int)b, &ix, &nt, &q, &size) ||
	    nt * size != o->n)
		return;
	for (int64_t i = 0; i < b; i++)
		batches *= t->dim[i].n;
	per = nt / batches;
	if (per * batches != nt)
		return;
	for (int64_t i = 0; i < nt; i++) {
		int64_t at = tuple_at(t, stride, (int)b, ix + i * q, q);

		if (at < 0)
			return;
		at += i / per * (count / batches);
		for (int64_t j = 0; j < size; j++)
			o->d[i * size + j] = x[at + j];
	}
	o->done = true;
}

static void scatter_nd(struct node *n, struct out *o, const struct dim *u,
		       uint32_t nu, const int64_t *stride)
{
	const struct type *t = in_type(n, 0);
	int64_t nt, q, size;
	const int64_t *ix;

	o->done =
		tuples(n, t, stride, 0, &ix, &nt, &q, &size) && nt * size == nu;
	for (int64_t i = 0; o->done && i < nt; i++) {
		int64_t at = tuple_at(t, stride, 0, ix + i * q, q);

		o->done = at >= 0;
		for (int64_t j = 0; o->done && j < size; j++)
			o->d[at + j] = u[i * size + j];
	}
}

void data_scatter(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0);
	const struct dim *u, *x;
	uint32_t ni, nu, count;
	const int64_t *ix;
	int64_t *stride;
	int axis;

	if (!source(n, &x, &count, &stride) || !data_in(n, 2, &u, &nu) ||
	    !str_is(node_attr_str(n, "reduction", "none"), "none"))
		return;
	data_copy(n, o);
	if (o->done && node_is(n, OP_ScatterND)) {
		scatter_nd(n, o, u, nu, stride);
		return;
	}
	o->done = o->done && in_ints(n, 1, &ix, &ni) && ni == nu &&
		  in_type(n, 1)->rank == t->rank && t->rank > 0 &&
		  !axis_attr(n, "axis", 0, t->rank, &axis);
	for (uint32_t k = 0; o->done && k < ni; k++) {
		int64_t at = along(n, t, stride, axis, k, ix[k]);

		o->done = at >= 0;
		if (o->done)
			o->d[at] = u[k];
	}
}

void data_split(struct node *n, struct out *o)
{
	const struct dim *x;
	uint32_t count, at = 0;

	(void)o;
	if (!data_known(n, 0, &x, &count) || in_type(n, 0)->rank != 1)
		return;
	for (uint32_t i = 0; i < n->nout; i++) {
		int64_t c;

		if (!n->out[i] || !type_count(n->out[i]->type, &c) ||
		    c > count - at)
			return;
		out_data(n, i, x + at, (uint32_t)c);
		at += (uint32_t)c;
	}
}

/* ---- repeated elements ---- */

void data_expand(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0), *y = n->out[0]->type;
	const struct dim *x;
	uint32_t count;
	int64_t *stride, *step;

	if (!source(n, &x, &count, &stride) || y->rank < t->rank)
		return;
	step = scratch(n, (size_t)y->rank + 1, sizeof(*step));
	for (int i = 0; i < t->rank; i++)
		if (t->dim[i].n != 1)
			step[i + y->rank - t->rank] = stride[i];
	data_walk(n, o, x, count, 0, step);
}

void data_tile(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0), *y = n->out[0]->type;
	const struct dim *x;
	uint32_t count;
	int64_t *stride;

	if (!source(n, &x, &count, &stride) || n->op->since < 6 ||
	    y->rank != t->rank)
		return;
	for (int64_t k = 0; k < o->n; k++) {
		int64_t rest = k, at = 0;

		for (int i = y->rank - 1; i >= 0; i--) {
			at += rest % y->dim[i].n % t->dim[i].n * stride[i];
			rest /= y->dim[i].n;
		}
		o->d[k] = x[at];
	}
	o->done = true;
}

/* ---- counted and added up ---- */

/* Only where infer_nonzero() could tell each element from 0. */
void data_nonzero(struct node *n, struct out *o)
{
	const struct type *t = in_type(n, 0), *y = n->out[0]->type;
	const struct dim *x;
	uint32_t count, k = 0;
	int64_t *stride;
	bool is;

	if (!source(n, &x, &count, &stride) || y->rank != 2 ||
	    y->dim[0].n != t->rank)
		return;
	for (uint32_t i = 0; i < count; i++) {
		if (!infer_nonzero_element(node_model(n), x[i], &is))
			return;
		if (!is)
			continue;
		if (k >= y->dim[1].n)
			return;
		for (int a = 0; a < t->rank; a++)
			o->d[a * y->dim[1].n + k] =
				dim_of(i / stride[a] % t->dim[a].n);
		k++;
	}
	o->done = k == y->dim[1].n;
}

void data_cumsum(struct node *n, struct out *o)
{
	bool late = node_attr_int(n, "exclusive", 0) != 0;
	bool back = node_attr_int(n, "reverse", 0) != 0;
	struct dim sum = dim_of(0);
	const struct dim *x;
	uint32_t count;

	if (in_type(n, 0)->rank != 1 || !data_known(n, 0, &x, &count) ||
	    count != o->n)
		return;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t k = back ? count - 1 - i : i;
		struct dim next = dim_add(node_model(n), sum, x[k]);

		o->d[k] = late ? sum : next;
		sum = next;
	}
	o->done = true;
}

/* SPDX-License-Identifier: MIT */
/*
 * select.c -- operators whose result depends on values: NonZero, TopK,
 * Unique.
 *
 * Sorting is by value and then by position, so that equal values have one
 * order; NaN counts as the largest value.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/move_p.h"

/* ---- NonZero ---- */

static bool is_nonzero(const struct array *a, int64_t i)
{
	if (a->dt == DT_STRING)
		return ((const struct str *)a->data)[i].n != 0;
	if (dtype_is_float(a->dt))
		return dtype_get(a->dt, a->data, (size_t)i) != 0;
	if (a->dt == DT_C64)
		return ((const float *)a->data)[2 * i] != 0 ||
		       ((const float *)a->data)[2 * i + 1] != 0;
	if (a->dt == DT_C128)
		return ((const double *)a->data)[2 * i] != 0 ||
		       ((const double *)a->data)[2 * i + 1] != 0;
	return dtype_get_int(a->dt, a->data, (size_t)i) != 0;
}

enum status k_nonzero(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t dim[2] = {x->rank, 0}, at = 0, *out;
	struct array *y;

	for (int64_t i = 0; i < x->n; i++)
		dim[1] += is_nonzero(x, i);
	y = kcall_out(c, 0, DT_I64, 2, dim);
	if (!y)
		return LIMIT;
	out = y->data;
	for (int64_t i = 0; i < x->n; i++) {
		int64_t rest = i;

		if (!is_nonzero(x, i))
			continue;
		for (int d = x->rank - 1; d >= 0; d--) {
			out[d * dim[1] + at] = rest % x->dim[d];
			rest /= x->dim[d];
		}
		at++;
	}
	return OK;
}

/* ---- ordering ---- */

struct key {
	union {
		double f;
		int64_t i;
		uint64_t u;
	} v;
	int64_t at;
};

static int by_place(const struct key *a, const struct key *b)
{
	return a->at < b->at ? -1 : a->at > b->at;
}

static int order_f(double a, double b)
{
	if (a != a || b != b)
		return (a != a) - (b != b);
	return a < b ? -1 : a > b;
}

#define ORDER(name, expr)                               \
	static int name(const void *pa, const void *pb) \
	{                                               \
		const struct key *a = pa, *b = pb;      \
		int r = (expr);                         \
                                                        \
		return r ? r : by_place(a, b);          \
	}

ORDER(up_f, order_f(a->v.f, b->v.f))
ORDER(up_i, a->v.i<b->v.i ? -1 : a->v.i> b->v.i)
ORDER(up_u, a->v.u<b->v.u ? -1 : a->v.u> b->v.u)
ORDER(down_f, order_f(b->v.f, a->v.f))
ORDER(down_i, a->v.i > b->v.i ? -1 : a->v.i < b->v.i)
ORDER(down_u, a->v.u > b->v.u ? -1 : a->v.u < b->v.u)

typedef int order_fn(const void *, const void *);

static order_fn *order_of(enum dtype dt, bool down)
{
	if (dtype_is_float(dt))
		return down ? down_f : up_f;
	if (dt == DT_U64)
		return down ? down_u : up_u;
	return down ? down_i : up_i;
}

static void load_key(const struct array *x, int64_t i, struct key *k)
{
	if (dtype_is_float(x->dt))
		k->v.f = dtype_get(x->dt, x->data, (size_t)i);
	else
		k->v.i = dtype_get_int(x->dt, x->data, (size_t)i);
}

/* ---- TopK ---- */

static enum status topk_k(struct kcall *c, int64_t *k)
{
	enum status st = OK;

	if (c->node->op->since < 10)
		*k = node_attr_int(c->node, "k", -1);
	else
		st = kcall_int(c, 1, 0, k);
	if (!st && *k < 0)
		st = kcall_error(c, E_value, "k is %lld", (long long)*k);
	return st;
}

struct topk {
	const struct array *x;
	struct array *val, *ind;
	int64_t len, inner, k;
	struct key *keys;
	order_fn *order;
};

static void topk_row(const struct topk *t, int64_t o, int64_t i)
{
	size_t es = elem_size(t->x->dt);
	int64_t from = o * t->len * t->inner + i;
	int64_t to = o * t->k * t->inner + i;

	for (int64_t p = 0; p < t->len; p++) {
		load_key(t->x, from + p * t->inner, &t->keys[p]);
		t->keys[p].at = p;
	}
	qsort(t->keys, (size_t)t->len, sizeof *t->keys, t->order);
	for (int64_t p = 0; p < t->k; p++) {
		int64_t at = t->keys[p].at, dst = to + p * t->inner;

		memcpy((char *)t->val->data + (size_t)dst * es,
		       (char *)t->x->data + (size_t)(from + at * t->inner) * es,
		       es);
		if (t->ind)
			((int64_t *)t->ind->data)[dst] = at;
	}
}

enum status k_topk(struct kcall *c)
{
	const struct array *x = c->in[0];
	bool largest = node_attr_int(c->node, "largest", 1) != 0;
	int64_t dim[KERNEL_MAX_RANK], outer;
	struct topk t = {.x = x};
	enum lane lane;
	int axis;
	enum status st = move_rank(c, x->rank);

	/* sorted=0 leaves the order open: sorted is one of the answers. */
	if (!st)
		st = topk_k(c, &t.k);
	if (!st)
		st = kcall_axis(c, node_attr_int(c->node, "axis", -1), x->rank,
				&axis);
	if (!st && (!lane_of(x->dt, &lane) || dtype_bits(x->dt) < 8))
		st = kcall_error(c, E_type, "elements of type %s",
				 dtype_name(x->dt));
	if (!st && t.k > x->dim[axis])
		st = kcall_error(c, E_value, "k is %lld of %lld",
				 (long long)t.k, (long long)x->dim[axis]);
	if (st)
		return st;
	memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
	dim[axis] = t.k;
	t.len = x->dim[axis];
	t.inner = dims_product(x, axis + 1, x->rank);
	t.order = order_of(x->dt, largest);
	outer = dims_product(x, 0, axis);
	t.keys = kcall_scratch(c, (size_t)t.len * sizeof *t.keys);
	t.val = kcall_out(c, 0, x->dt, x->rank, dim);
	t.ind = c->nout > 1 ? kcall_out(c, 1, DT_I64, x->rank, dim) : NULL;
	if (!t.keys || !t.val || (c->nout > 1 && !t.ind))
		return LIMIT;
	for (int64_t o = 0; t.val->n && o < outer; o++)
		for (int64_t i = 0; i < t.inner; i++)
			topk_row(&t, o, i);
	return OK;
}

/* ---- Unique ---- */

/* Slices along the axis (the elements, when there is none) are compared
 * element by element. */
struct unique {
	const struct array *x;
	int64_t n, inner, outer; /* slices; inner elements each of
				    outer places */
	int64_t *order;          /* slices, sorted */
	int64_t *group;          /* per slice */
	int64_t *first, *count;  /* per group */
	int64_t groups;
};

/* By the real part, then by the imaginary one. */
static int order_c(const struct array *x, int64_t a, int64_t b)
{
	enum dtype dt = x->dt == DT_C64 ? DT_F32 : DT_F64;
	size_t i = 2 * (size_t)a, k = 2 * (size_t)b;
	int r = order_f(dtype_get(dt, x->data, i), dtype_get(dt, x->data, k));

	return r ? r
		 : order_f(dtype_get(dt, x->data, i + 1),
			   dtype_get(dt, x->data, k + 1));
}

static int order_elem(const struct array *x, int64_t a, int64_t b)
{
	struct key p, q;

	if (dtype_kind(x->dt) == 'c')
		return order_c(x, a, b);
	if (x->dt == DT_STRING)
		return str_cmp(((const struct str *)x->data)[a],
			       ((const struct str *)x->data)[b]);
	load_key(x, a, &p);
	load_key(x, b, &q);
	p.at = q.at = 0;
	return order_of(x->dt, false)(&p, &q);
}

static int order_slice(const struct unique *u, int64_t a, int64_t b)
{
	for (int64_t o = 0; o < u->outer; o++)
		for (int64_t i = 0; i < u->inner; i++) {
			int64_t base = o * u->n * u->inner + i;
			int r = order_elem(u->x, base + a * u->inner,
					   base + b * u->inner);

			if (r)
				return r;
		}
	return 0;
}

/* Merge sort: stable, and the comparison may have a context. */
static void sort_slices(const struct unique *u, int64_t *v, int64_t *tmp)
{
	for (int64_t w = 1; w < u->n; w *= 2) {
		for (int64_t lo = 0; lo < u->n; lo += 2 * w) {
			int64_t mid = lo + w < u->n ? lo + w : u->n;
			int64_t hi = mid + w < u->n ? mid + w : u->n;
			int64_t i = lo, k = mid;

			for (int64_t d = lo; d < hi; d++) {
				bool left = k >= hi ||
					    (i < mid &&
					     order_slice(u, v[i], v[k]) <= 0);

				tmp[d] = left ? v[i++] : v[k++];
			}
		}
		memcpy(v, tmp, (size_t)u->n * sizeof *v);
	}
}

/* Groups are numbered by value or by first appearance. */
static void group_slices(struct unique *u, bool sorted, int64_t *tmp)
{
	int64_t g = -1;

	for (int64_t i = 0; i < u->n; i++) {
		if (i == 0 || order_slice(u, u->order[i - 1], u->order[i]))
			u->first[++g] = u->order[i];
		u->group[u->order[i]] = g;
		u->count[g]++;
	}
	u->groups = g + 1;
	if (sorted)
		return;
	/* tmp: old number to new, in order of first appearance. */
	g = 0;
	for (int64_t i = 0; i < u->n; i++)
		if (u->first[u->group[i]] == i)
			tmp[u->group[i]] = g++;
	for (int64_t i = 0; i < u->n; i++)
		u->group[i] = tmp[u->group[i]];
	memset(u->count, 0, (size_t)u->n * sizeof *u->count);
	for (int64_t i = u->n - 1; i >= 0; i--) {
		u->first[u->group[i]] = i;
		u->count[u->group[i]]++;
	}
}

static enum status unique_values(struct kcall *c, const struct unique *u,
				 bool flat, int axis)
{
	const struct array *x = u->x;
	int64_t dim[KERNEL_MAX_RANK];
	struct elems in, out;
	struct array *y;
	size_t row;
	enum status st;

	if (!flat)
		memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
	dim[axis] = u->groups;
	st = elems_in(c, x, &in);
	if (!st)
		st = move_out(c, 0, x->dt, flat ? 1 : x->rank, dim, &y, &out);
	if (st || y->n == 0)
		return st;
	row = (size_t)u->inner * in.size;
	for (int64_t o = 0; o < u->outer; o++)
		for (int64_t g = 0; g < u->groups; g++)
			memcpy(out.p + (size_t)(o * u->groups + g) * row,
			       in.p + (size_t)(o * u->n + u->first[g]) * row,
			       row);
	elems_done(&out);
	return OK;
}

static enum status unique_list(struct kcall *c, uint32_t i, const int64_t *v,
			       int64_t n)
{
	struct array *y;

	if (!kcall_wants(c, i))
		return OK;
	y = kcall_out(c, i, DT_I64, 1, &n);
	if (!y)
		return LIMIT;
	memcpy(y->data, v, (size_t)n * sizeof *v);
	return OK;
}

static enum status unique_run(struct kcall *c, struct unique *u, bool sorted)
{
	int64_t *mem;
	size_t bytes;

	/* Slices without elements may be many. */
	if (!mul_size((size_t)u->n, 5 * sizeof *mem, &bytes))
		return kcall_error(c, E_dims, "%lld slices", (long long)u->n);
	mem = kcall_scratch(c, bytes);
	if (!mem)
		return LIMIT;
	u->order = mem;
	u->group = mem + u->n;
	u->first = mem + 2 * u->n;
	u->count = mem + 3 * u->n;
	for (int64_t i = 0; i < u->n; i++)
		u->order[i] = i;
	sort_slices(u, u->order, mem + 4 * u->n);
	group_slices(u, sorted, mem + 4 * u->n);
	return OK;
}

enum status k_unique(struct kcall *c)
{
	const struct array *x = c->in[0];
	bool flat = !node_has_attr(c->node, "axis");
	bool sorted = node_attr_int(c->node, "sorted", 1) != 0;
	struct unique u = {.x = x, .n = x->n, .inner = 1, .outer = 1};
	int axis = 0;
	enum status st = move_rank(c, x->rank);

	if (!st && !flat)
		st = kcall_axis(c, node_attr_int(c->node, "axis", 0), x->rank,
				&axis);
	if (!st && !flat) {
		u.n = x->dim[axis];
		u.inner = dims_product(x, axis + 1, x->rank);
		u.outer = dims_product(x, 0, axis);
	}
	if (!st)
		st = unique_run(c, &u, sorted);
	if (!st)
		st = unique_values(c, &u, flat, axis);
	if (!st)
		st = unique_list(c, 1, u.first, u.groups);
	if (!st)
		st = unique_list(c, 2, u.group, u.n);
	if (!st)
		st = unique_list(c, 3, u.count, u.groups);
	return st;
}

/* SPDX-License-Identifier: MIT */
/*
 * make.c -- operators that make data from little: constants, ranges, fills,
 * triangles.
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/shared/move_p.h"

/* ---- Constant ---- */

static enum status const_tensor(struct kcall *c, const struct tensor *t)
{
	struct array *a = array_of_tensor(c->m, t);

	if (!a)
		return BAD_MODEL;
	kcall_pass(c, 0, a);
	array_unref(a);
	return OK;
}

static enum status const_list(struct kcall *c, const struct attr *a)
{
	bool list = a->kind == ATTR_INTS || a->kind == ATTR_FLOATS ||
		    a->kind == ATTR_STRINGS;
	int64_t n = a->n;
	enum dtype dt = a->kind == ATTR_INT || a->kind == ATTR_INTS ? DT_I64
			: a->kind == ATTR_FLOAT || a->kind == ATTR_FLOATS
				? DT_F32
				: DT_STRING;
	struct array *y = kcall_out(c, 0, dt, list ? 1 : 0, &n);

	if (!y)
		return LIMIT;
	if (y->n > (int64_t)a->n)
		return kcall_error(c, E_attr, "the attribute has no value");
	if (y->n)
		memcpy(y->data,
		       dt == DT_I64   ? (const void *)a->u.i
		       : dt == DT_F32 ? (const void *)a->u.f
				      : (const void *)a->u.s,
		       y->bytes);
	return OK;
}

enum status k_constant(struct kcall *c)
{
	static const char *const lists[] = {
		"value_float", "value_floats", "value_int",
		"value_ints",  "value_string", "value_strings",
	};
	static const enum attr_kind kinds[] = {
		ATTR_FLOAT, ATTR_FLOATS, ATTR_INT,
		ATTR_INTS,  ATTR_STRING, ATTR_STRINGS,
	};
	const struct attr *a = node_attr(c->node, "value");

	if (!a)
		a = node_attr(c->node, "sparse_value");
	if (a && (a->kind == ATTR_TENSOR || a->kind == ATTR_SPARSE) && a->n)
		return const_tensor(c, a->u.t[0]);
	for (size_t i = 0; i < countof(lists); i++) {
		a = node_attr(c->node, lists[i]);
		if (a && a->kind == kinds[i])
			return const_list(c, a);
	}
	return kcall_error(c, E_attr, "no value that is understood");
}

/* ---- ConstantOfShape ---- */

static void fill(void *p, size_t bytes, const void *elem, size_t es)
{
	size_t done = es < bytes ? es : bytes;

	memcpy(p, elem, done);
	while (done < bytes) {
		size_t n = done < bytes - done ? done : bytes - done;

		memcpy((char *)p + done, p, n);
		done += n;
	}
}

/* One element as bytes, repeated over the byte for types below a byte. */
static void splat_bytes(enum dtype dt, const void *one, uint8_t *elem)
{
	unsigned bits = dtype_bits(dt), v;

	if (bits >= 8) {
		memcpy(elem, one, bits / 8);
		return;
	}
	v = *(const uint8_t *)one & ((1u << bits) - 1);
	*elem = 0;
	for (unsigned at = 0; at < 8; at += bits)
		*elem |= (uint8_t)(v << at);
}

enum status k_constant_of_shape(struct kcall *c)
{
	const struct tensor *t = node_attr_tensor(c->node, "value");
	enum dtype dt = t ? t->dt : DT_F32;
	uint8_t elem[16] = {0};
	const void *one = elem;
	struct array *y;
	const int64_t *dim;
	size_t n;
	enum status st = kcall_ints(c, 0, &dim, &n);

	if (st)
		return st;
	if (t && (t->n != 1 || t->dt == DT_STRING))
		return kcall_error(c, E_attr, "value is not one number");
	if (t && !(one = tensor_data(c->m, t)))
		return LIMIT;
	y = kcall_out(c, 0, dt, n > INT32_MAX ? INT32_MAX : (int)n, dim);
	if (!y)
		return LIMIT;
	splat_bytes(dt, one, elem);
	fill(y->data, y->bytes, elem, elem_size(dt));
	return OK;
}

/* ---- Range, EyeLike, Trilu ---- */

static enum status range_int(struct kcall *c, enum dtype dt)
{
	int64_t v[3], n = 0;
	struct array *y;

	for (uint32_t i = 0; i < 3; i++) {
		enum status st = kcall_int(c, i, 1, &v[i]);

		if (st)
			return st;
	}
	if (v[2] == 0)
		return kcall_error(c, E_value, "the step is 0");
	if (v[2] > 0 && v[1] > v[0])
		n = (int64_t)(((uint64_t)v[1] - (uint64_t)v[0] - 1) /
			      (uint64_t)v[2]);
	else if (v[2] < 0 && v[1] < v[0])
		n = (int64_t)(((uint64_t)v[0] - (uint64_t)v[1] - 1) /
			      (0 - (uint64_t)v[2]));
	else
		n = -1;
	if (n == INT64_MAX || n < -1)
		return kcall_error(c, E_value, "the range is too long");
	n++;
	y = kcall_out(c, 0, dt, 1, &n);
	if (!y)
		return LIMIT;
	for (int64_t i = 0; i < n; i++)
		dtype_set_int(dt, y->data, (size_t)i,
			      (int64_t)((uint64_t)v[0] +
					(uint64_t)i * (uint64_t)v[2]));
	return OK;
}

enum status k_range(struct kcall *c)
{
	enum dtype dt = c->in[0]->dt;
	struct array *y;
	double v[3], n;
	int64_t count;

	/* The contributed Range may lack its step. */
	if (c->in[1]->dt != dt || (kcall_has(c, 2) && c->in[2]->dt != dt))
		return kcall_error(c, E_type, "bounds of different types");
	if (!dtype_is_float(dt))
		return range_int(c, dt);
	for (uint32_t i = 0; i < 3; i++) {
		enum status st = kcall_float(c, i, 1, &v[i]);

		if (st)
			return st;
	}
	n = ceil((v[1] - v[0]) / v[2]);
	if (!(n < 0x1p62)) /* also NaN: 0/0 */
		return kcall_error(c, E_value, "the range has no end");
	count = n > 0 ? (int64_t)n : 0;
	y = kcall_out(c, 0, dt, 1, &count);
	if (!y)
		return LIMIT;
	for (int64_t i = 0; i < count; i++)
		dtype_set(dt, y->data, (size_t)i, v[0] + (double)i * v[2]);
	return OK;
}

enum status k_eye_like(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t k = node_attr_int(c->node, "k", 0);
	int64_t num = node_attr_int(c->node, "dtype", x->dt);
	struct array *y;

	if (x->rank != 2)
		return kcall_error(c, E_shape, "rank %d, expected 2", x->rank);
	if (!dtype_valid(num) || num == DT_STRING ||
	    dtype_kind((enum dtype)num) == 'c')
		return kcall_error(c, E_attr, "dtype %lld", (long long)num);
	y = kcall_out(c, 0, (enum dtype)num, 2, x->dim);
	if (!y)
		return LIMIT;
	memset(y->data, 0, y->bytes);
	for (int64_t i = 0; i < x->dim[0]; i++) {
		int64_t j;

		if (add_i64(i, k, &j) && j >= 0 && j < x->dim[1])
			dtype_set(y->dt, y->data, (size_t)(i * x->dim[1] + j),
				  1);
	}
	return OK;
}

static void tri_row(uint8_t *row, int64_t i, int64_t cols, int64_t k,
		    bool upper, size_t es)
{
	int64_t at; /* first column of the upper triangle */

	if (!add_i64(i, k, &at))
		at = k > 0 ? cols : 0;
	if (!upper && at < INT64_MAX)
		at++;
	at = at < 0 ? 0 : at > cols ? cols : at;
	if (upper)
		memset(row, 0, (size_t)at * es);
	else
		memset(row + (size_t)at * es, 0, (size_t)(cols - at) * es);
}

enum status k_trilu(struct kcall *c)
{
	const struct array *x = c->in[0];
	bool upper = node_attr_int(c->node, "upper", 1) != 0;
	struct elems in, out;
	int64_t k, rows, cols;
	struct array *y;
	enum status st = kcall_int(c, 1, 0, &k);

	if (!st && x->rank < 2)
		st = kcall_error(c, E_shape, "needs rank 2 or more");
	if (!st)
		st = elems_in(c, x, &in);
	if (!st)
		st = move_out(c, 0, x->dt, x->rank, x->dim, &y, &out);
	if (st)
		return st;
	cols = x->dim[x->rank - 1];
	rows = x->dim[x->rank - 2];
	memcpy(out.p, in.p, (size_t)x->n * in.size);
	for (int64_t r = 0; cols && r < x->n / cols; r++)
		tri_row(out.p + (size_t)(r * cols) * in.size, r % rows, cols, k,
			upper, in.size);
	elems_done(&out);
	return OK;
}

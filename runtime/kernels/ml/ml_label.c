/* SPDX-License-Identifier: MIT */
/*
 * ml_label.c -- categories of ai.onnx.ml: LabelEncoder, CategoryMapper,
 * OneHotEncoder.
 *
 * Each element is looked up in a table made of one attribute.
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/ml/ml_p.h"
#include "runtime/kernels/shared/nn_p.h"

/* ---- the keys ---- */

/* The first attribute of the names (NULL ends) that is given. */
static enum status first_of(struct kcall *c, const char *const *names,
			    struct ml_list *l)
{
	*l = (struct ml_list){.dt = DT_NONE};
	for (; *names; names++) {
		enum status st = ml_list(c, *names, l);

		if (st || l->n)
			return st;
	}
	return OK;
}

static enum status encoder_keys(struct kcall *c, struct ml_list *l)
{
	static const char *const names[] = {"keys_strings", "keys_int64s",
					    "keys_floats", "keys_tensor", NULL};

	if (c->node->op->since == 1)
		return ml_strings(c, "classes_strings", l);
	return first_of(c, names, l);
}

/* Strings look up strings, all else integers. */
static enum status category_keys(struct kcall *c, struct ml_list *l)
{
	return c->in[0]->dt == DT_STRING ? ml_strings(c, "cats_strings", l)
					 : ml_numbers(c, "cats_int64s", l);
}

static enum status keys_of(struct kcall *c, struct ml_list *l)
{
	return c->node->op->id == OP_ml_LabelEncoder ? encoder_keys(c, l)
						     : category_keys(c, l);
}

static void make_keys(struct kcall *c, void *dst)
{
	struct ml_list l;

	if (keys_of(c, &l) == OK)
		ml_keys_fill(dst, &l);
}

/* The node's table, for elements of type dt. */
static enum status table(struct kcall *c, enum dtype dt,
			 const struct ml_keys **keys)
{
	struct ml_list l;
	size_t bytes;
	enum status st = keys_of(c, &l);

	if (st)
		return st;
	if (!ml_keys_bytes(l.n, &bytes))
		return kcall_error(c, E_memory, "a table of %zu keys", l.n);
	*keys = kcall_cached(c, bytes, make_keys);
	if (!*keys)
		return LIMIT;
	if (l.n == 0)
		return kcall_error(c, E_attr, "there are no keys");
	if ((*keys)->dt != dt)
		return kcall_error(c, E_type,
				   "elements of type %s, but keys of %s",
				   dtype_name(dt), dtype_name((*keys)->dt));
	return OK;
}

/* ---- the values ---- */

/* What becomes of the element with key number i, or of an unknown one. */
struct values {
	struct ml_list list; /* empty: i itself */
	enum dtype dt;
	struct str s; /* of unknown elements */
	double f;
	int64_t i;
};

static void put_value(struct array *y, int64_t at, const struct values *v,
		      int64_t i)
{
	const struct ml_list *l = &v->list;
	size_t k = (size_t)at, n = (size_t)i;

	if (v->dt == DT_STRING)
		((struct str *)y->data)[at] = i < 0 ? v->s : l->s[n];
	else if (dtype_is_float(v->dt))
		dtype_set(v->dt, y->data, k, i < 0 ? v->f : ml_f64(l, n));
	else
		dtype_set_int(v->dt, y->data, k,
			      i < 0  ? v->i
			      : l->n ? ml_i64(l, n)
				     : i);
}

static struct values defaults(const struct kcall *c, enum dtype dt)
{
	return (struct values){
		.dt = dt,
		.s = node_attr_str(c->node, "default_string", "_Unused"),
		.f = node_attr_float(c->node, "default_float", -0.0),
		.i = node_attr_int(c->node, "default_int64", -1),
	};
}

/* A tensor of one value, of the type of the values. */
static enum status default_tensor(struct kcall *c, struct values *v)
{
	struct ml_list l;
	enum status st = ml_list(c, "default_tensor", &l);

	if (st || l.n == 0)
		return st;
	if (l.dt != v->dt || l.n != 1)
		return kcall_error(c, E_attr,
				   "default_tensor is not one value of type %s",
				   dtype_name(v->dt));
	if (l.dt == DT_STRING)
		v->s = l.s[0];
	else if (dtype_is_float(l.dt))
		v->f = ml_f64(&l, 0);
	else
		v->i = ml_i64(&l, 0);
	return OK;
}

static enum status map_all(struct kcall *c, const struct ml_keys *keys,
			   const struct values *v)
{
	const struct array *x = c->in[0];
	struct ml_list in = ml_list_of(x);
	struct array *y = kcall_out(c, 0, v->dt, x->rank, x->dim);

	if (!y)
		return LIMIT;
	for (int64_t i = 0; i < x->n; i++)
		put_value(y, i, v, ml_find(keys, &in, (size_t)i));
	return OK;
}

/* ---- LabelEncoder ---- */

/* Version 1: places in one list of strings, either way. */
static enum status by_place(struct kcall *c)
{
	const struct array *x = c->in[0];
	const struct ml_keys *keys;
	struct values v = defaults(c, DT_STRING);
	struct array *y;
	enum status st;

	if (x->dt == DT_STRING) {
		v.dt = DT_I64;
		st = table(c, x->dt, &keys);
		return st ? st : map_all(c, keys, &v);
	}
	st = ml_strings(c, "classes_strings", &v.list);
	if (!st && x->dt != DT_I64)
		st = kcall_error(c, E_type, "elements of type %s",
				 dtype_name(x->dt));
	if (st)
		return st;
	y = kcall_out(c, 0, DT_STRING, x->rank, x->dim);
	if (!y)
		return LIMIT;
	for (int64_t i = 0; i < x->n; i++) {
		int64_t k = ((const int64_t *)x->data)[i];

		put_value(y, i, &v, k < 0 || k >= (int64_t)v.list.n ? -1 : k);
	}
	return OK;
}

enum status k_ml_label_encoder(struct kcall *c)
{
	static const char *const names[] = {"values_strings", "values_int64s",
					    "values_floats", "values_tensor",
					    NULL};
	const struct ml_keys *keys;
	struct ml_list l;
	struct values v;
	enum status st;

	if (c->node->op->since == 1)
		return by_place(c);
	st = table(c, c->in[0]->dt, &keys);
	if (!st)
		st = first_of(c, names, &l);
	if (st)
		return st;
	if (l.n != keys->n)
		return kcall_error(c, E_attr, "%zu keys have %zu values",
				   keys->n, l.n);
	v = defaults(c, l.dt);
	v.list = l;
	st = default_tensor(c, &v);
	return st ? st : map_all(c, keys, &v);
}

/* ---- CategoryMapper ---- */

enum status k_ml_category_mapper(struct kcall *c)
{
	bool strings = c->in[0]->dt == DT_STRING;
	struct values v = defaults(c, strings ? DT_I64 : DT_STRING);
	const struct ml_keys *keys;
	enum status st = table(c, c->in[0]->dt, &keys);

	if (!st && strings)
		st = ml_numbers(c, "cats_int64s", &v.list);
	else if (!st)
		st = ml_strings(c, "cats_strings", &v.list);
	if (!st && v.list.n != keys->n)
		st = kcall_error(c, E_attr,
				 "cats_strings and cats_int64s differ in "
				 "length");
	return st ? st : map_all(c, keys, &v);
}

/* ---- OneHotEncoder ---- */

/* Numbers count as the integer they are cut to. */
static int64_t category(const struct ml_keys *keys, const struct ml_list *in,
			size_t i)
{
	double v;

	if (!dtype_is_float(in->dt))
		return keys->dt == DT_STRING ? ml_find(keys, in, i)
					     : ml_find_int(keys, ml_i64(in, i));
	v = ml_f64(in, i);
	if (!(fabs(v) < 0x1p63))
		return -1;
	return ml_find_int(keys, (int64_t)v);
}

enum status k_ml_one_hot_encoder(struct kcall *c)
{
	const struct array *x = c->in[0];
	bool zeros = node_attr_int(c->node, "zeros", 1) != 0;
	struct ml_list in = ml_list_of(x);
	int64_t dim[KERNEL_MAX_RANK + 1];
	const struct ml_keys *keys;
	struct array *y;
	enum status st = nn_rank(c, 0, 0, KERNEL_MAX_RANK);

	if (!st && !strchr("fiubs", dtype_kind(x->dt)))
		st = kcall_error(c, E_type, "categories of type %s",
				 dtype_name(x->dt));
	if (!st)
		st = table(c, x->dt == DT_STRING ? DT_STRING : DT_I64, &keys);
	if (st)
		return st;
	for (int i = 0; i < x->rank; i++)
		dim[i] = x->dim[i];
	dim[x->rank] = (int64_t)keys->n;
	y = kcall_out(c, 0, DT_F32, x->rank + 1, dim);
	if (!y)
		return LIMIT;
	if (y->bytes)
		memset(y->data, 0, y->bytes);
	for (int64_t i = 0; i < x->n; i++) {
		int64_t k = category(keys, &in, (size_t)i);

		if (k < 0 && !zeros)
			return kcall_error(c, E_value,
					   "element %lld is of no category",
					   (long long)i);
		if (k >= 0)
			((float *)y->data)[i * dim[x->rank] + k] = 1;
	}
	return OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * sequence.c -- sequences and optionals.
 */
#include "ir/infer/infer.h"

static enum status out_seq(struct node *n, uint32_t i, const struct type *elem)
{
	return out_type(n, i,
			type_of_elem(node_model(n), TY_SEQ, DT_NONE, elem));
}

static const struct type *elem_of(const struct type *t)
{
	return t->elem ? t->elem : type_unknown();
}

enum status infer_sequence_construct(struct node *n)
{
	const struct type *t = in_type(n, 0);

	for (uint32_t i = 1; i < n->nin; i++)
		t = type_join(node_model(n), t, in_type(n, i));
	return n->nin ? out_seq(n, 0, t) : OK;
}

enum status infer_sequence_empty(struct node *n)
{
	int64_t dt = node_attr_int(n, "dtype", DT_F32);

	if (!dtype_valid(dt))
		return infer_error(n, E_dtype, "dtype %lld is no element type",
				   (long long)dt);
	return out_seq(n, 0,
		       type_tensor(node_model(n), (enum dtype)dt, -1, NULL));
}

enum status infer_sequence_at(struct node *n)
{
	return out_type(n, 0, elem_of(in_type(n, 0)));
}

enum status infer_sequence_insert(struct node *n)
{
	const struct type *s = in_type(n, 0);

	if (s->kind != TY_SEQ)
		return OK;
	return out_seq(n, 0,
		       type_join(node_model(n), elem_of(s), in_type(n, 1)));
}

enum status infer_scalar(struct node *n)
{
	return out_shape(n, 0, 0, NULL);
}

/* The split axis of an element is open unless one size serves all. */
enum status infer_split_to_sequence(struct node *n)
{
	struct model *m = node_model(n);
	bool keep = in_given(n, 1) || node_attr_int(n, "keepdims", 1) != 0;
	int rank, axis, r = 0;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;
	enum status st;

	if (!x)
		return in_dtype(n, 0) ? out_seq(n, 0,
						type_tensor(m, in_dtype(n, 0),
							    -1, NULL))
				      : OK;
	st = axis_attr(n, "axis", 0, rank, &axis);
	if (st)
		return st;
	d = dims_new(n, (size_t)rank);
	for (int i = 0; i < rank; i++) {
		if (i != axis)
			d[r++] = x[i];
		else if (keep)
			d[r++] = in_given(n, 1) ? dim_none() : dim_of(1);
	}
	return out_seq(n, 0, type_tensor(m, in_dtype(n, 0), r, d));
}

enum status infer_concat_from_sequence(struct node *n)
{
	const struct type *e = elem_of(in_type(n, 0));
	bool stack = node_attr_int(n, "new_axis", 0) != 0;
	struct dim *d;
	int rank, axis, k = 0;
	enum status st;

	if (e->kind != TY_TENSOR)
		return OK;
	st = out_dtype(n, 0, e->dt);
	if (st || e->rank < 0)
		return st;
	rank = e->rank + stack;
	st = axis_attr(n, "axis", 0, rank, &axis);
	if (st)
		return st;
	d = dims_new(n, (size_t)rank);
	for (int i = 0; i < rank; i++) {
		bool at = i == axis;

		d[i] = at ? dim_none() : e->dim[k];
		k += !(at && stack);
	}
	return out_shape(n, 0, rank, d);
}

/* ---- optional ---- */

enum status infer_optional(struct node *n)
{
	const struct attr *a = node_attr(n, "type");
	const struct type *t = in_type(n, 0);

	if (!in_given(n, 0) && a && a->kind == ATTR_TYPE)
		t = a->u.type[0];
	if (t->kind == TY_UNKNOWN)
		return OK;
	return out_type(n, 0,
			type_of_elem(node_model(n), TY_OPTIONAL, DT_NONE, t));
}

enum status infer_optional_get(struct node *n)
{
	const struct type *t = in_type(n, 0);

	return out_type(n, 0, t->kind == TY_OPTIONAL ? elem_of(t) : t);
}

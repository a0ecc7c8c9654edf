/* SPDX-License-Identifier: MIT */
/*
 * sequence.c -- sequences, optionals and the operators of ai.onnx.ml.
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

/* ---- ai.onnx.ml ---- */

/* Batch: the first dim of a matrix, one for a vector. */
static struct dim batch(struct node *n)
{
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);

	if (!x || rank < 1)
		return dim_none();
	return rank == 1 ? dim_of(1) : x[0];
}

static size_t attr_count(const struct node *n, const char *name)
{
	const struct attr *a = node_attr(n, name);

	return a ? a->n : 0;
}

/* Strings for labels given as strings, else int64. */
static enum status label_dtype(struct node *n, const char *strings)
{
	return out_dtype(n, 0, attr_count(n, strings) ? DT_STRING : DT_I64);
}

/* Labels [batch] and scores [batch, classes]. */
static enum status classifier(struct node *n, const char *strings,
			      const char *ints)
{
	size_t k = attr_count(n, strings);
	struct dim d[2] = {batch(n), dim_none()};
	enum status st = label_dtype(n, strings);

	if (k == 0)
		k = attr_count(n, ints);
	if (k > 1)
		d[1] = dim_of((int64_t)k);
	if (!st)
		st = out_shape(n, 0, 1, d);
	return st ? st : out_shape(n, 1, 2, d);
}

enum status infer_tree_classifier(struct node *n)
{
	return classifier(n, "classlabels_strings", "classlabels_int64s");
}

enum status infer_linear_classifier(struct node *n)
{
	return classifier(n, "classlabels_strings", "classlabels_ints");
}

/* The number of scores depends on the kernel and the voting. */
enum status infer_svm_classifier(struct node *n)
{
	struct dim d[2] = {batch(n), dim_none()};
	enum status st = label_dtype(n, "classlabels_strings");

	if (!st)
		st = out_shape(n, 0, 1, d);
	return st ? st : out_shape(n, 1, 2, d);
}

static enum status regressor(struct node *n, const char *count)
{
	int64_t k = node_attr_int(n, count, 1);
	struct dim d[2] = {batch(n), k >= 1 ? dim_of(k) : dim_none()};

	return out_shape(n, 0, 2, d);
}

enum status infer_tree_regressor(struct node *n)
{
	return regressor(n, "n_targets");
}

enum status infer_linear_regressor(struct node *n)
{
	return regressor(n, "targets");
}

enum status infer_svm_regressor(struct node *n)
{
	return regressor(n, "");
}

/* The type of the values decides, whatever their attribute is called. */
enum status infer_label_encoder(struct node *n)
{
	static const struct {
		const char *name;
		enum dtype dt;
	} forms[] = {
		{"values_strings", DT_STRING},
		{"values_int64s", DT_I64},
		{"values_floats", DT_F32},
		{"classes_strings", DT_NONE},
	};
	const struct tensor *t = node_attr_tensor(n, "values_tensor");
	enum dtype dt = t ? t->dt : DT_NONE;
	enum status st;

	for (size_t i = 0; i < countof(forms) && !t; i++)
		if (attr_count(n, forms[i].name))
			dt = forms[i].dt ? forms[i].dt
			     : in_dtype(n, 0) == DT_STRING
				     ? DT_I64
				     : (in_dtype(n, 0) ? DT_STRING : DT_NONE);
	st = dt ? out_dtype(n, 0, dt) : OK;
	return st ? st : out_shape_of(n, 0, 0);
}

/* A category becomes an axis of all categories. */
enum status infer_one_hot_encoder(struct node *n)
{
	size_t k = attr_count(n, "cats_int64s");
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;

	if (k == 0)
		k = attr_count(n, "cats_strings");
	if (!x || k == 0)
		return OK;
	d = dims_new(n, (size_t)rank + 1);
	for (int i = 0; i < rank; i++)
		d[i] = x[i];
	d[rank] = dim_of((int64_t)k);
	return out_shape(n, 0, rank + 1, d);
}

enum status infer_category_mapper(struct node *n)
{
	enum dtype in = in_dtype(n, 0);
	enum status st = OK;

	if (in)
		st = out_dtype(n, 0, in == DT_STRING ? DT_I64 : DT_STRING);
	return st ? st : out_shape_of(n, 0, 0);
}

/* [batch, all lengths] */
enum status infer_feature_vectorizer(struct node *n)
{
	struct model *m = node_model(n);
	struct dim d[2] = {dim_none(), dim_of(0)};

	for (uint32_t i = 0; i < n->nin; i++) {
		int rank;
		const struct dim *x = in_dims(n, i, &rank);

		if (!x || rank < 1) {
			d[1] = dim_none();
			continue;
		}
		if (dim_unknown(d[0]))
			d[0] = rank == 1 ? dim_of(1) : x[0];
		d[1] = dim_add(m, d[1], x[rank - 1]);
	}
	return out_shape(n, 0, 2, d);
}

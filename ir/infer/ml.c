/* SPDX-License-Identifier: MIT */
/*
 * ml.c -- the operators of ai.onnx.ml.
 *
 * Their models work on rows [batch, features]; a vector is one row.
 */
#include "ir/infer/infer.h"

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

/* The last axis has as many elements as there are indices. */
enum status infer_array_feature(struct node *n)
{
	int rx, ri;
	const struct dim *x = in_dims(n, 0, &rx), *ix = in_dims(n, 1, &ri);
	struct dim *d;

	if (!x || !ix || rx < 1)
		return OK;
	d = dims_new(n, (size_t)rx + 1);
	d[0] = dim_of(1);
	for (int i = 0; i < rx - 1; i++)
		d[i] = x[i];
	rx = rx == 1 ? 2 : rx;
	d[rx - 1] = infer_product(node_model(n), ix, 0, (size_t)ri);
	return out_shape(n, 0, rx, d);
}

/* ---- scores ---- */

/* Labels [batch] and scores [batch, k]; strings for labels given as such. */
static enum status classifier(struct node *n, struct dim k)
{
	struct dim d[2] = {batch(n), k};
	enum status st = out_dtype(
		n, 0,
		attr_count(n, "classlabels_strings") ? DT_STRING : DT_I64);

	if (!st)
		st = out_shape(n, 0, 1, d);
	return st ? st : out_shape(n, 1, 2, d);
}

static int64_t class_count(const struct node *n, const char *ints)
{
	size_t k = attr_count(n, "classlabels_strings");

	return (int64_t)(k ? k : attr_count(n, ints));
}

enum status infer_tree_classifier(struct node *n)
{
	int64_t k = class_count(n, "classlabels_int64s");

	return classifier(n, k ? dim_of(k) : dim_none());
}

/* One row of coefficients tells two classes apart. */
enum status infer_linear_classifier(struct node *n)
{
	size_t k = attr_count(n, "intercepts");

	return classifier(n, k ? dim_of(k == 1 ? 2 : (int64_t)k) : dim_none());
}

/* A score per class, or one per pair of classes that vote. */
enum status infer_svm_classifier(struct node *n)
{
	int64_t k = class_count(n, "classlabels_ints"), wide = k;
	size_t count;
	const int64_t *v = node_attr_ints(n, "vectors_per_class", &count);
	bool voting = false;

	for (size_t i = 0; i < count; i++)
		voting = voting || v[i] != 0;
	if (voting && k > 2 && k < 65536 && !attr_count(n, "prob_a"))
		wide = k * (k - 1) / 2;
	return classifier(n, k ? dim_of(wide) : dim_none());
}

/* sklearn-onnx declares one column whatever the count: believed of a result
 * that nothing in the graph reads. */
static bool declared_otherwise(const struct node *n, int64_t k)
{
	const struct value *v = node_out(n, 0);
	const struct type *t = v ? v->type : type_unknown();

	return v && v->nuse == 1 && value_is_output(v) &&
	       t->kind == TY_TENSOR && t->rank == 2 && dim_known(t->dim[1]) &&
	       t->dim[1].n == 1 && k != 1;
}

static enum status regressor(struct node *n, const char *count)
{
	int64_t k = node_attr_int(n, count, 1);
	struct dim d[2] = {batch(n), k >= 1 ? dim_of(k) : dim_none()};

	if (declared_otherwise(n, k))
		d[1] = dim_none();
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

/* ---- categories ---- */

static enum dtype flip(enum dtype in)
{
	return in == DT_STRING ? DT_I64 : in ? DT_STRING : DT_NONE;
}

/* The type of the values decides. */
enum status infer_label_encoder(struct node *n)
{
	static const struct {
		const char *name;
		enum dtype dt;
	} forms[] = {
		{"values_strings", DT_STRING},
		{"values_int64s", DT_I64},
		{"values_floats", DT_F32},
	};
	const struct tensor *t = node_attr_tensor(n, "values_tensor");
	enum dtype dt = t ? t->dt : DT_NONE;
	enum status st;

	if (n->op->since == 1)
		dt = flip(in_dtype(n, 0));
	for (size_t i = countof(forms); i-- > 0;)
		if (attr_count(n, forms[i].name))
			dt = forms[i].dt;
	st = dt ? out_dtype(n, 0, dt) : OK;
	return st ? st : out_shape_of(n, 0, 0);
}

enum status infer_category_mapper(struct node *n)
{
	enum dtype dt = flip(in_dtype(n, 0));
	enum status st = dt ? out_dtype(n, 0, dt) : OK;

	return st ? st : out_shape_of(n, 0, 0);
}

/* A category becomes an axis of all categories. */
enum status infer_one_hot_encoder(struct node *n)
{
	enum dtype dt = in_dtype(n, 0);
	size_t k =
		attr_count(n, dt == DT_STRING ? "cats_strings" : "cats_int64s");
	int rank;
	const struct dim *x = in_dims(n, 0, &rank);
	struct dim *d;

	if (!x || k == 0 || !dt)
		return OK;
	d = dims_new(n, (size_t)rank + 1);
	for (int i = 0; i < rank; i++)
		d[i] = x[i];
	d[rank] = dim_of((int64_t)k);
	return out_shape(n, 0, rank + 1, d);
}

/* ---- columns ---- */

/* Columns from input i: as given, or all there are. */
static struct dim columns(struct node *n, uint32_t i)
{
	size_t count;
	const int64_t *given = node_attr_ints(n, "inputdimensions", &count);
	int rank;
	const struct dim *x = in_dims(n, i, &rank);

	if (count == n->nin && given[i] >= 0)
		return dim_of(given[i]);
	if (count || !x || rank < 1)
		return dim_none();
	return infer_product(node_model(n), x, rank > 1, (size_t)rank);
}

/* [batch, all columns] */
enum status infer_feature_vectorizer(struct node *n)
{
	struct dim d[2] = {batch(n), dim_of(0)};

	for (uint32_t i = 0; i < n->nin; i++)
		d[1] = dim_add(node_model(n), d[1], columns(n, i));
	return out_shape(n, 0, 2, d);
}

/* ---- maps ---- */

enum status infer_zip_map(struct node *n)
{
	struct model *m = node_model(n);
	enum dtype key =
		attr_count(n, "classlabels_strings") ? DT_STRING : DT_I64;
	const struct type *t = type_tensor(m, DT_F32, -1, NULL);

	t = type_of_elem(m, TY_MAP, key, t);
	return out_type(n, 0, type_of_elem(m, TY_SEQ, DT_NONE, t));
}

/* A row with a column per word. */
enum status infer_dict_vectorizer(struct node *n)
{
	const struct type *t = in_type(n, 0);
	size_t k = attr_count(n, t->dt == DT_STRING ? "string_vocabulary"
						    : "int64_vocabulary");
	struct dim d[2] = {dim_of(1), dim_of((int64_t)k)};
	enum status st = OK;

	if (t->kind != TY_MAP)
		return out_rank(n, 0, 2);
	if (t->elem && t->elem->kind == TY_TENSOR && t->elem->dt)
		st = out_dtype(n, 0, t->elem->dt);
	return st ? st : out_shape(n, 0, 2, d);
}

enum status infer_cast_map(struct node *n)
{
	struct str to = node_attr_str(n, "cast_to", "TO_FLOAT");
	bool sparse = str_is(node_attr_str(n, "map_form", "DENSE"), "SPARSE");
	int64_t k = node_attr_int(n, "max_map", 1);
	struct dim d[2] = {dim_of(1), sparse && k > 0 ? dim_of(k) : dim_none()};

	return out_tensor(n, 0,
			  str_is(to, "TO_STRING")  ? DT_STRING
			  : str_is(to, "TO_INT64") ? DT_I64
						   : DT_F32,
			  2, d);
}

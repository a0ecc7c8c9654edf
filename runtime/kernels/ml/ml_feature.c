/* SPDX-License-Identifier: MIT */
/*
 * ml_feature.c -- features of ai.onnx.ml, column by column: Binarizer,
 * Imputer, Scaler, Normalizer, FeatureVectorizer, ArrayFeatureExtractor.
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/ml/ml_p.h"
#include "runtime/kernels/shared/move_p.h"
#include "runtime/kernels/shared/nn_p.h"

static enum status need_numbers(struct kcall *c, uint32_t j)
{
	const struct array *x = c->in[j];

	if (x->dt != DT_STRING && dtype_kind(x->dt) != 'c')
		return OK;
	return kcall_error(c, E_type, "input %u is of type %s", j,
			   dtype_name(x->dt));
}

enum status k_ml_binarizer(struct kcall *c)
{
	const struct array *x = c->in[0];
	double threshold = node_attr_float(c->node, "threshold", 0);
	enum status st = need_numbers(c, 0);
	struct array *y;

	if (st)
		return st;
	y = kcall_out(c, 0, x->dt, x->rank, x->dim);
	if (!y)
		return LIMIT;
	for (int64_t i = 0; i < x->n; i++)
		dtype_set(y->dt, y->data, (size_t)i,
			  dtype_get(x->dt, x->data, (size_t)i) > threshold);
	return OK;
}

/* A parameter per column or one for all. */
static enum status per_column(struct kcall *c, const struct ml_list *l,
			      int64_t columns, const char *name)
{
	if (l->n == 1 || (int64_t)l->n == columns)
		return OK;
	return kcall_error(c, E_shape,
			   "attribute %s has %zu values for %lld features",
			   name, l->n, (long long)columns);
}

/* ---- Imputer ---- */

static void impute_floats(const struct array *x, struct array *y,
			  const struct ml_list *v, double missing)
{
	for (int64_t i = 0; i < x->n; i++) {
		double e = dtype_get(x->dt, x->data, (size_t)i);

		if (e == missing || (e != e && missing != missing))
			e = ml_f64(v, (size_t)i % v->n);
		dtype_set(y->dt, y->data, (size_t)i, e);
	}
}

static void impute_ints(const struct array *x, struct array *y,
			const struct ml_list *v, int64_t missing)
{
	for (int64_t i = 0; i < x->n; i++) {
		int64_t e = dtype_get_int(x->dt, x->data, (size_t)i);

		dtype_set_int(y->dt, y->data, (size_t)i,
			      e == missing ? ml_i64(v, (size_t)i % v->n) : e);
	}
}

enum status k_ml_imputer(struct kcall *c)
{
	const struct array *x = c->in[0];
	bool floats = dtype_is_float(x->dt);
	const char *name =
		floats ? "imputed_value_floats" : "imputed_value_int64s";
	struct ml_list v;
	struct array *y;
	enum status st = need_numbers(c, 0);

	if (!st)
		st = ml_numbers(c, name, &v);
	if (!st)
		st = per_column(c, &v, x->rank ? x->dim[x->rank - 1] : 1, name);
	if (st)
		return st;
	y = kcall_out(c, 0, x->dt, x->rank, x->dim);
	if (!y)
		return LIMIT;
	if (floats)
		impute_floats(
			x, y, &v,
			node_attr_float(c->node, "replaced_value_float", 0));
	else
		impute_ints(x, y, &v,
			    node_attr_int(c->node, "replaced_value_int64", 0));
	return OK;
}

/* ---- Scaler ---- */

enum status k_ml_scaler(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t columns = x->rank ? x->dim[x->rank - 1] : 1;
	struct ml_list offset, scale;
	const double *a, *b, *v;
	double *y;
	enum status st = need_numbers(c, 0);

	if (!st)
		st = ml_numbers(c, "offset", &offset);
	if (!st)
		st = ml_numbers(c, "scale", &scale);
	if (!st && offset.n)
		st = per_column(c, &offset, columns, "offset");
	if (!st && scale.n)
		st = per_column(c, &scale, columns, "scale");
	if (st)
		return st;
	a = ml_doubles(c, &offset);
	b = ml_doubles(c, &scale);
	v = nn_load(c, 0);
	y = nn_temp(c, x->n);
	if (!a || !b || !v || !y)
		return LIMIT;
	for (int64_t i = 0; i < x->n; i++) {
		size_t k = (size_t)i;

		y[i] = v[i] - (offset.n ? a[k % offset.n] : 0);
		y[i] *= scale.n ? b[k % scale.n] : 1;
	}
	return nn_save(c, 0, DT_F32, x->rank, x->dim, y);
}

/* ---- Normalizer ---- */

enum norm { NORM_MAX, NORM_L1, NORM_L2 };

static enum status norm_attr(struct kcall *c, enum norm *norm)
{
	static const char *const names[] = {"MAX", "L1", "L2"};
	struct str s = node_attr_str(c->node, "norm", "MAX");

	for (size_t i = 0; i < countof(names); i++)
		if (str_is(s, names[i])) {
			*norm = (enum norm)i;
			return OK;
		}
	return kcall_error(c, E_attr, "norm is not MAX, L1 or L2");
}

/* The divisor of a row; MAX is that of the values, not of their sizes. */
static double divisor(enum norm norm, const double *x, int64_t n)
{
	double d = norm == NORM_MAX ? -INFINITY : 0;

	for (int64_t i = 0; i < n; i++)
		if (norm == NORM_MAX)
			d = x[i] > d ? x[i] : d;
		else
			d += norm == NORM_L1 ? fabs(x[i]) : x[i] * x[i];
	return norm == NORM_L2 ? sqrt(d) : d;
}

enum status k_ml_normalizer(struct kcall *c)
{
	struct ml_rows r;
	enum norm norm = NORM_MAX;
	double *y;
	enum status st = ml_rows(c, &r);

	if (!st)
		st = norm_attr(c, &norm);
	if (st)
		return st;
	y = nn_temp(c, r.x->n);
	if (!y)
		return LIMIT;
	for (int64_t i = 0; i < r.n; i++) {
		double *row = y + i * r.f, d;

		ml_row(&r, i, row);
		d = divisor(norm, row, r.f);
		for (int64_t k = 0; d != 0 && k < r.f; k++)
			row[k] /= d;
	}
	return nn_save(c, 0, DT_F32, r.x->rank, r.x->dim, y);
}

/* ---- FeatureVectorizer ---- */

/* Input j as rows: [n, all the rest]; a vector is one row. */
static enum status part(struct kcall *c, uint32_t j, int64_t *n, int64_t *f)
{
	const struct array *x = c->in[j];
	enum status st = need_numbers(c, j);

	if (!st && x->rank < 1)
		st = kcall_error(c, E_shape, "input %u is a scalar", j);
	if (st)
		return st;
	*n = x->rank == 1 ? 1 : x->dim[0];
	*f = dims_product(x, x->rank == 1 ? 0 : 1, x->rank);
	return OK;
}

/* Columns of the result that come from each input: cut or padded by 0. */
static enum status widths(struct kcall *c, int64_t *w, int64_t dim[2])
{
	struct ml_list given;
	enum status st = ml_numbers(c, "inputdimensions", &given);

	dim[1] = 0;
	if (!st && given.n && given.n != c->nin)
		st = kcall_error(c, E_attr,
				 "inputdimensions has %zu values for %u inputs",
				 given.n, c->nin);
	for (uint32_t j = 0; !st && j < c->nin; j++) {
		int64_t n;

		st = part(c, j, &n, &w[j]);
		if (!st && given.n)
			w[j] = ml_i64(&given, j);
		if (!st && (w[j] < 0 || !add_i64(dim[1], w[j], &dim[1])))
			st = kcall_error(c, E_value,
					 "inputdimensions are out of range");
		if (!st && j && n != dim[0])
			st = kcall_error(c, E_shape,
					 "input %u has %lld rows, input 0 %lld",
					 j, (long long)n, (long long)dim[0]);
		dim[0] = n;
	}
	return st;
}

enum status k_ml_feature_vectorizer(struct kcall *c)
{
	int64_t *w = nn_scratch(c, c->nin, sizeof *w), dim[2], at = 0;
	struct array *y;
	enum status st = w ? widths(c, w, dim) : LIMIT;

	if (st)
		return st;
	y = kcall_out(c, 0, DT_F32, 2, dim);
	if (!y)
		return LIMIT;
	if (y->bytes)
		memset(y->data, 0, y->bytes);
	for (uint32_t j = 0; j < c->nin; at += w[j++]) {
		const struct array *x = c->in[j];
		int64_t n, f, take;

		st = part(c, j, &n, &f);
		take = min64(w[j], f);
		for (int64_t i = 0; i < n; i++)
			for (int64_t k = 0; k < take; k++)
				((float *)y->data)[i * dim[1] + at + k] =
					(float)dtype_get(x->dt, x->data,
							 (size_t)(i * f + k));
	}
	return st;
}

/* ---- ArrayFeatureExtractor ---- */

/* Columns of the last axis; a vector gives one row. */
enum status k_ml_array_feature(struct kcall *c)
{
	const struct array *x = c->in[0], *ix = c->in[1];
	int64_t dim[KERNEL_MAX_RANK], len, rows;
	struct elems in, out;
	struct array *y;
	enum status st = move_rank(c, x->rank);

	if (!st && (x->rank < 1 || ix->dt != DT_I64))
		st = kcall_error(c, E_type, "X is a scalar or Y not of int64");
	if (st)
		return st;
	len = x->dim[x->rank - 1];
	for (int64_t i = 0; i < ix->n; i++) {
		int64_t v = ((const int64_t *)ix->data)[i];

		if (v < 0 || v >= len)
			return kcall_error(c, E_value, "index %lld of %lld",
					   (long long)v, (long long)len);
	}
	memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
	if (x->rank == 1)
		dim[0] = 1;
	dim[x->rank == 1 ? 1 : x->rank - 1] = ix->n;
	st = elems_in(c, x, &in);
	if (!st)
		st = move_out(c, 0, x->dt, x->rank == 1 ? 2 : x->rank, dim, &y,
			      &out);
	if (st)
		return st;
	rows = ix->n ? y->n / ix->n : 0;
	for (int64_t i = 0; i < rows; i++)
		for (int64_t k = 0; k < ix->n; k++) {
			int64_t v = ((const int64_t *)ix->data)[k];

			memcpy(out.p + (size_t)(i * ix->n + k) * out.size,
			       in.p + (size_t)(i * len + v) * in.size, in.size);
		}
	elems_done(&out);
	return OK;
}

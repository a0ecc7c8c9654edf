/* SPDX-License-Identifier: MIT */
/*
 * nn.c -- checks and double copies that the compute kernels share.
 */
#include "runtime/kernels/shared/nn_p.h"

enum status nn_rank(struct kcall *c, uint32_t j, int lo, int hi)
{
	const struct array *a = j < c->nin ? c->in[j] : NULL;

	if (!a || a->kind != ARR_TENSOR)
		return kcall_error(c, E_type, "input %u is not a tensor", j);
	if (a->rank < lo || a->rank > hi)
		return kcall_error(c, E_shape,
				   "input %u has rank %d, expected %d to %d", j,
				   a->rank, lo, hi);
	return OK;
}

enum status nn_vector(struct kcall *c, uint32_t j, enum dtype dt, int64_t n)
{
	const struct array *a = j < c->nin ? c->in[j] : NULL;

	if (!a)
		return OK;
	if (a->kind != ARR_TENSOR || a->dt != dt)
		return kcall_error(c, E_type, "input %u is not of type %s", j,
				   dtype_name(dt));
	if (a->rank != 1 || (n >= 0 && a->n != n))
		return kcall_error(c, E_shape,
				   "input %u has rank %d and %lld elements, "
				   "expected a vector of %lld",
				   j, a->rank, (long long)a->n, (long long)n);
	return OK;
}

enum status nn_floats(struct kcall *c, uint32_t need, uint32_t n)
{
	for (uint32_t j = 0; j < n; j++) {
		const struct array *a = j < c->nin ? c->in[j] : NULL;

		if (!a && j >= need)
			continue;
		if (!a || a->kind != ARR_TENSOR || !dtype_is_float(a->dt))
			return kcall_error(c, E_type,
					   "input %u is not a float tensor", j);
		if (a->dt != c->in[0]->dt)
			return kcall_error(c, E_type,
					   "input %u is of type %s, input 0 of "
					   "%s",
					   j, dtype_name(a->dt),
					   dtype_name(c->in[0]->dt));
	}
	return OK;
}

bool nn_all_f32(const struct kcall *c, uint32_t n)
{
	for (uint32_t j = 0; j < n && j < c->nin; j++)
		if (c->in[j] &&
		    (c->in[j]->kind != ARR_TENSOR || c->in[j]->dt != DT_F32))
			return false;
	return c->nin > 0 && c->in[0];
}

bool nn_count(int rank, const int64_t *dim, int64_t *n)
{
	*n = 1;
	for (int i = 0; i < rank; i++)
		if (dim[i] < 0 || !mul_i64(*n, dim[i], n))
			return false;
	return true;
}

int64_t nn_product(const int64_t *dim, int from, int to)
{
	int64_t n = 1;

	for (int i = from; i < to; i++)
		n *= dim[i];
	return n;
}

void *nn_scratch(struct kcall *c, int64_t n, size_t size)
{
	size_t bytes;

	if (n < 0 || !mul_size((size_t)n, size, &bytes) ||
	    bytes > PTRDIFF_MAX) {
		kcall_error(c, E_memory, "%lld elements of scratch",
			    (long long)n);
		return NULL;
	}
	return kcall_scratch_dirty(c, bytes ? bytes : 1);
}

double *nn_temp(struct kcall *c, int64_t n)
{
	return nn_scratch(c, n, sizeof(double));
}

float *nn_temp_f32(struct kcall *c, int64_t n)
{
	return nn_scratch(c, n, sizeof(float));
}

void nn_load_range(const struct array *a, int64_t at, int64_t n, double *dst)
{
	if (a->dt == DT_F32) {
		const float *f = (const float *)a->data + at;

		for (int64_t i = 0; i < n; i++)
			dst[i] = (double)f[i];
	} else {
		for (int64_t i = 0; i < n; i++)
			dst[i] = dtype_get(a->dt, a->data, (size_t)(at + i));
	}
}

void nn_save_range(struct array *a, int64_t at, int64_t n, const double *v)
{
	if (a->dt == DT_F32) {
		float *f = (float *)a->data + at;

		for (int64_t i = 0; i < n; i++)
			f[i] = (float)v[i];
	} else {
		for (int64_t i = 0; i < n; i++)
			dtype_set(a->dt, a->data, (size_t)(at + i), v[i]);
	}
}

const double *nn_load(struct kcall *c, uint32_t j)
{
	const struct array *a = c->in[j];
	double *v;

	if (a->dt == DT_F64 && ((uintptr_t)a->data & 7) == 0)
		return a->data;
	v = nn_temp(c, a->n);
	if (v)
		nn_load_range(a, 0, a->n, v);
	return v;
}

enum status nn_save(struct kcall *c, uint32_t i, enum dtype dt, int rank,
		    const int64_t *dim, const double *v)
{
	struct array *a;

	if (!kcall_wants(c, i))
		return OK;
	a = kcall_out(c, i, dt, rank, dim);
	if (!a)
		return LIMIT;
	nn_save_range(a, 0, a->n, v);
	return OK;
}

enum status nn_expand(struct kcall *c, uint32_t j, int rank, const int64_t *dim,
		      const double **out)
{
	int64_t o[KERNEL_MAX_RANK] = {0}, n, at = 0;
	const struct array *a = j < c->nin ? c->in[j] : NULL;
	const double *v;
	double *y;

	if (!a || a->kind != ARR_TENSOR || !dtype_is_float(a->dt))
		return kcall_error(c, E_type, "input %u is not a float tensor",
				   j);
	for (int i = 0; i < a->rank; i++) {
		int k = rank - a->rank + i;

		if (k < 0 ? a->dim[i] != 1
			  : a->dim[i] != 1 && a->dim[i] != dim[k])
			return kcall_error(c, E_shape,
					   "input %u does not broadcast", j);
	}
	v = nn_load(c, j);
	y = nn_count(rank, dim, &n) ? nn_temp(c, n) : NULL;
	if (!v || !y)
		return LIMIT;
	*out = y;
	if (n == 0)
		return OK;
	do {
		int64_t from = 0;

		for (int i = 0; i < a->rank; i++) {
			int k = rank - a->rank + i;

			from = from * a->dim[i] + (a->dim[i] == 1 ? 0 : o[k]);
		}
		y[at++] = v[from];
	} while (odometer_next(rank, dim, o));
	return OK;
}

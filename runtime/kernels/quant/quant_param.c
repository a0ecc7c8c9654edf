/* SPDX-License-Identifier: MIT */
/*
 * quant_param.c -- scales and zero points as plain arrays, checked.
 */
#include "runtime/kernels/quant/quant_p.h"

enum status q8_tensor(struct kcall *c, uint32_t j)
{
	const struct array *a = kcall_has(c, j) ? c->in[j] : NULL;

	if (!a || a->kind != ARR_TENSOR || (a->dt != DT_U8 && a->dt != DT_I8))
		return kcall_error(
			c,
			a && a->kind == ARR_TENSOR && dtype_bits(a->dt) == 8
				? E_unsupported
				: E_type,
			"input %u is not an 8-bit integer tensor", j);
	return OK;
}

enum status q8_zeros(struct kcall *c, uint32_t j, enum dtype dt, int64_t n,
		     const int32_t **zero, int *step)
{
	static const int32_t none;
	const struct array *a = kcall_has(c, j) ? c->in[j] : NULL;
	int32_t *v;

	*zero = &none;
	*step = 0;
	if (!a)
		return OK;
	if (a->kind != ARR_TENSOR || a->dt != dt)
		return kcall_error(c, E_type, "zero point %u is not of type %s",
				   j, dtype_name(dt));
	if (a->n != 1 && a->n != n)
		return kcall_error(c, E_shape,
				   "input %u has %lld zero points, expected 1 "
				   "or %lld",
				   j, (long long)a->n, (long long)n);
	v = nn_scratch(c, a->n, sizeof *v);
	if (!v)
		return LIMIT;
	for (int64_t i = 0; i < a->n; i++)
		v[i] = (int32_t)dtype_get_int(a->dt, a->data, (size_t)i);
	*zero = v;
	*step = a->n != 1;
	return OK;
}

enum status q8_scales(struct kcall *c, uint32_t j, int64_t n,
		      const float **scale, int *step)
{
	const struct array *a = kcall_has(c, j) ? c->in[j] : NULL;
	float *v;

	if (!a || a->kind != ARR_TENSOR || !dtype_is_float(a->dt))
		return kcall_error(c, E_type, "scale %u is not a float tensor",
				   j);
	if (a->n != 1 && a->n != n)
		return kcall_error(c, E_shape,
				   "input %u has %lld scales, expected 1 or "
				   "%lld",
				   j, (long long)a->n, (long long)n);
	v = nn_scratch(c, a->n, sizeof *v);
	if (!v)
		return LIMIT;
	for (int64_t i = 0; i < a->n; i++)
		v[i] = (float)dtype_get(a->dt, a->data, (size_t)i);
	*scale = v;
	*step = a->n != 1;
	return OK;
}

enum status q8_scale(struct kcall *c, uint32_t j, float *scale)
{
	const float *v;
	int step;
	enum status s = q8_scales(c, j, 1, &v, &step);

	if (s == OK)
		*scale = *v;
	return s;
}

enum status q8_zero(struct kcall *c, uint32_t j, enum dtype dt, int32_t *zero)
{
	const int32_t *v;
	int step;
	enum status s = q8_zeros(c, j, dt, 1, &v, &step);

	if (s == OK)
		*zero = *v;
	return s;
}

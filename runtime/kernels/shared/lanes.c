/* SPDX-License-Identifier: MIT */
/*
 * lanes.c -- element types to lanes and back.
 *
 * Types with a C type of their own have a loop each, from one macro; the
 * others go through dtype_get and dtype_set.
 */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
/* Below -O3 this compiler leaves loops of unknown length scalar. */
#pragma GCC optimize("O3")
#endif

#include <math.h>
#include <string.h>

#include "runtime/kernels/shared/lanes_p.h"

#define C_TYPES(X)          \
	X(DT_F32, float)    \
	X(DT_F64, double)   \
	X(DT_I8, int8_t)    \
	X(DT_U8, uint8_t)   \
	X(DT_I16, int16_t)  \
	X(DT_U16, uint16_t) \
	X(DT_I32, int32_t)  \
	X(DT_U32, uint32_t) \
	X(DT_I64, int64_t)  \
	X(DT_U64, uint64_t)

bool lane_of(enum dtype t, enum lane *l)
{
	char k = dtype_kind(t);

	*l = k == 'f' ? LANE_F64 : LANE_I64;
	return k == 'f' || k == 'i' || k == 'u' || k == 'b';
}

#define LOAD(T, D)                                                    \
	do {                                                          \
		const T *from = (const T *)base + off;                \
		D *to = dst;                                          \
                                                                      \
		if (stride == 1) {                                    \
			for (size_t i = 0; i < n; i++)                \
				to[i] = (D)from[i];                   \
		} else if (stride == 0) {                             \
			const D one = (D)from[0];                     \
                                                                      \
			for (size_t i = 0; i < n; i++)                \
				to[i] = one;                          \
		} else {                                              \
			for (size_t i = 0; i < n; i++)                \
				to[i] = (D)from[(int64_t)i * stride]; \
		}                                                     \
	} while (0)

static void load_f64(enum dtype t, const void *base, int64_t off,
		     int64_t stride, size_t n, void *dst)
{
	double *d = dst;

	switch (t) {
#define X(dt, T)                 \
	case dt:                 \
		LOAD(T, double); \
		return;
		C_TYPES(X)
#undef X
	default:
		break;
	}
	for (size_t i = 0; i < n; i++)
		d[i] = dtype_get(t, base, (size_t)(off + (int64_t)i * stride));
}

static void load_i64(enum dtype t, const void *base, int64_t off,
		     int64_t stride, size_t n, void *dst)
{
	int64_t *d = dst;

	switch (t) {
#define X(dt, T)                  \
	case dt:                  \
		LOAD(T, int64_t); \
		return;
		C_TYPES(X)
#undef X
	default:
		break;
	}
	for (size_t i = 0; i < n; i++)
		d[i] = dtype_get_int(t, base,
				     (size_t)(off + (int64_t)i * stride));
}

void lanes_load(enum lane l, enum dtype t, const void *base, int64_t off,
		int64_t stride, size_t n, void *dst)
{
	if (l == LANE_F64)
		load_f64(t, base, off, stride, n, dst);
	else if (l == LANE_I64)
		load_i64(t, base, off, stride, n, dst);
	else
		LOAD(float, float);
}

/* Truncation as x86 does it: 32-bit conversion for types up to 32 bits, else
 * 64-bit; what is out of range or NaN becomes the smallest integer, of which
 * narrower types keep the low bits. */
static int64_t cast_to_int(enum dtype t, double v)
{
	unsigned bits = dtype_bits(t);

	if (bits < 32 || t == DT_I32)
		return v > -2147483649.0 && v < 2147483648.0 ? (int64_t)v
							     : INT32_MIN;
	if (t == DT_U64 && v >= 0x1p63)
		return v < 0x1p64 ? (int64_t)(uint64_t)v : INT64_MIN;
	return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

static void store_f64(enum dtype t, void *base, int64_t off, size_t n,
		      const double *s)
{
	char k = dtype_kind(t);

	if (t == DT_F32) {
		float *d = (float *)base + off;

		for (size_t i = 0; i < n; i++)
			d[i] = (float)s[i];
	} else if (t == DT_F64) {
		memcpy((double *)base + off, s, n * sizeof *s);
	} else if (k == 'b') {
		uint8_t *d = (uint8_t *)base + off;

		for (size_t i = 0; i < n; i++)
			d[i] = s[i] != 0;
	} else if (k == 'f') {
		for (size_t i = 0; i < n; i++)
			dtype_set(t, base, (size_t)off + i, s[i]);
	} else {
		for (size_t i = 0; i < n; i++)
			dtype_set_int(t, base, (size_t)off + i,
				      cast_to_int(t, s[i]));
	}
}

static void store_i64(enum dtype t, void *base, int64_t off, size_t n,
		      const int64_t *s)
{
	switch (t) {
#define X(dt, T)                                        \
	case dt:                                        \
		for (size_t i = 0; i < n; i++)          \
			((T *)base + off)[i] = (T)s[i]; \
		return;
		C_TYPES(X)
#undef X
	case DT_BOOL:
		for (size_t i = 0; i < n; i++)
			((uint8_t *)base + off)[i] = s[i] != 0;
		return;
	default:
		break;
	}
	for (size_t i = 0; i < n; i++) {
		if (dtype_is_float(t))
			dtype_set(t, base, (size_t)off + i, (double)s[i]);
		else
			dtype_set_int(t, base, (size_t)off + i, s[i]);
	}
}

void lanes_store_u64(enum dtype t, void *base, int64_t off, size_t n,
		     const void *src)
{
	const uint64_t *s = src;

	if (!dtype_is_float(t)) {
		store_i64(t, base, off, n, src);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (t == DT_F32)
			((float *)base + off)[i] = (float)s[i];
		else
			dtype_set(t, base, (size_t)off + i, (double)s[i]);
	}
}

void lanes_store(enum lane l, enum dtype t, void *base, int64_t off, size_t n,
		 const void *src)
{
	const float *s = src;

	if (l == LANE_F64) {
		store_f64(t, base, off, n, src);
	} else if (l == LANE_I64) {
		store_i64(t, base, off, n, src);
	} else if (t == DT_BOOL) {
		for (size_t i = 0; i < n; i++)
			((uint8_t *)base + off)[i] = s[i] != 0;
	} else {
		memcpy((float *)base + off, s, n * sizeof *s);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * dtype.h -- element types (numbers of TensorProto.DataType) and conversions.
 *
 * Sub-byte types are packed, first element in the low bits.
 */
#ifndef BASE_DTYPE_H
#define BASE_DTYPE_H

#include "base/util.h"

/* DTYPE(id, ONNX number, text name, bits, kind)
 * kind: f float, i signed, u unsigned, b bool, s string, c complex */
#define DTYPE_LIST(DTYPE)                               \
	DTYPE(F32, 1, "float", 32, 'f')                 \
	DTYPE(U8, 2, "uint8", 8, 'u')                   \
	DTYPE(I8, 3, "int8", 8, 'i')                    \
	DTYPE(U16, 4, "uint16", 16, 'u')                \
	DTYPE(I16, 5, "int16", 16, 'i')                 \
	DTYPE(I32, 6, "int32", 32, 'i')                 \
	DTYPE(I64, 7, "int64", 64, 'i')                 \
	DTYPE(STRING, 8, "string", 0, 's')              \
	DTYPE(BOOL, 9, "bool", 8, 'b')                  \
	DTYPE(F16, 10, "float16", 16, 'f')              \
	DTYPE(F64, 11, "double", 64, 'f')               \
	DTYPE(U32, 12, "uint32", 32, 'u')               \
	DTYPE(U64, 13, "uint64", 64, 'u')               \
	DTYPE(C64, 14, "complex64", 64, 'c')            \
	DTYPE(C128, 15, "complex128", 128, 'c')         \
	DTYPE(BF16, 16, "bfloat16", 16, 'f')            \
	DTYPE(F8E4M3FN, 17, "float8e4m3fn", 8, 'f')     \
	DTYPE(F8E4M3FNUZ, 18, "float8e4m3fnuz", 8, 'f') \
	DTYPE(F8E5M2, 19, "float8e5m2", 8, 'f')         \
	DTYPE(F8E5M2FNUZ, 20, "float8e5m2fnuz", 8, 'f') \
	DTYPE(U4, 21, "uint4", 4, 'u')                  \
	DTYPE(I4, 22, "int4", 4, 'i')                   \
	DTYPE(F4E2M1, 23, "float4e2m1", 4, 'f')         \
	DTYPE(F8E8M0, 24, "float8e8m0", 8, 'f')         \
	DTYPE(U2, 25, "uint2", 2, 'u')                  \
	DTYPE(I2, 26, "int2", 2, 'i')

enum dtype {
	DT_NONE = 0,
#define DTYPE(id, num, text, bits, kind) DT_##id = num,
	DTYPE_LIST(DTYPE)
#undef DTYPE
		DT_COUNT
};

bool dtype_valid(int64_t number);
const char *dtype_name(enum dtype t);        /* "float", "int4", ... */
enum dtype dtype_from_name(struct str name); /* DT_NONE if unknown */
unsigned dtype_bits(enum dtype t);           /* 0 for strings */
char dtype_kind(enum dtype t);
static inline bool dtype_is_float(enum dtype t)
{
	return dtype_kind(t) == 'f';
}
/* Bytes of n packed elements; false on overflow or for strings. */
bool dtype_bytes(enum dtype t, int64_t n, size_t *bytes);

/* Element i of packed data as double / int64; exact for the type.
 * BOOL reads as 0/1.  Not for strings and complex. */
double dtype_get(enum dtype t, const void *p, size_t i);
int64_t dtype_get_int(enum dtype t, const void *p, size_t i);
/* Store with one rounding (nearest even); integers saturate; NaN becomes 0
 * for integers; float8 saturate as ONNX Cast with saturate=1. */
void dtype_set(enum dtype t, void *p, size_t i, double v);
/* The same, but float8 overflows to NaN or Inf (Cast with saturate=0). */
void dtype_set_unsaturated(enum dtype t, void *p, size_t i, double v);
void dtype_set_int(enum dtype t, void *p, size_t i, int64_t v); /* wraps */

/* IEEE binary16, bfloat16: round to nearest even. */
uint16_t f16_from_f64(double v);
double f16_to_f64(uint16_t h);
uint16_t bf16_from_f32(float v);
float bf16_to_f32(uint16_t h);

#endif

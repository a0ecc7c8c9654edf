/* SPDX-License-Identifier: MIT */
/*
 * dtype.c -- element types and conversions, each with a single rounding.
 *
 * Small floats go through one encoder and one decoder that are driven by a
 * table of formats; every value of theirs is exact as a double.
 * Sources: IEEE 754; OCP 8-bit Floating Point Specification 1.0 (e4m3fn,
 * e5m2); OCP Microscaling Formats 1.0 (e2m1, e8m0); arXiv 2206.02915 (fnuz);
 * saturation as in the ONNX Cast operator.
 */
#include "base/dtype.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned bits;
	char kind;
} table[DT_COUNT] = {[DT_NONE] = {"undefined", 0, 0},
#define DTYPE(id, num, text, bits, kind) [num] = {text, bits, kind},
		     DTYPE_LIST(DTYPE)
#undef DTYPE
};

/* How a format spells Inf and NaN. */
enum special { IEEE, FN, FNUZ, FINITE };

struct format {
	int ebits, mbits, bias;
	enum special special;
	unsigned max;      /* code of the largest finite value */
	unsigned inf, nan; /* codes without sign; inf 0: none */
	bool saturate;     /* as ONNX Cast does by default */
};

static const struct format f16 = {5,      10,     15,     IEEE,
				  0x7bff, 0x7c00, 0x7e00, false};
static const struct format bf16 = {8,      7,      127,    IEEE,
				   0x7f7f, 0x7f80, 0x7fc0, false};
static const struct format e4m3fn = {4, 3, 7, FN, 0x7e, 0, 0x7f, true};
static const struct format e4m3fnuz = {4, 3, 8, FNUZ, 0x7f, 0, 0x80, true};
static const struct format e5m2 = {5, 2, 15, IEEE, 0x7b, 0x7c, 0x7e, true};
static const struct format e5m2fnuz = {5, 2, 16, FNUZ, 0x7f, 0, 0x80, true};
static const struct format e2m1 = {2, 1, 1, FINITE, 0x7, 0, 0x0, true};

bool dtype_valid(int64_t number)
{
	return number > DT_NONE && number < DT_COUNT;
}

const char *dtype_name(enum dtype t)
{
	return (unsigned)t < DT_COUNT ? table[t].name : "undefined";
}

enum dtype dtype_from_name(struct str name)
{
	int t;

	for (t = DT_NONE + 1; t < DT_COUNT; t++)
		if (str_is(name, table[t].name))
			return (enum dtype)t;
	return DT_NONE;
}

unsigned dtype_bits(enum dtype t)
{
	return (unsigned)t < DT_COUNT ? table[t].bits : 0;
}

char dtype_kind(enum dtype t)
{
	return (unsigned)t < DT_COUNT ? table[t].kind : '\0';
}

bool dtype_bytes(enum dtype t, int64_t n, size_t *bytes)
{
	unsigned bits = dtype_bits(t);
	uint64_t per;

	if (n < 0 || bits == 0)
		return false;
	if (bits >= 8)
		return mul_size((size_t)n, bits / 8, bytes);
	per = 8 / bits;
	*bytes = (size_t)((uint64_t)n / per + ((uint64_t)n % per != 0));
	return true;
}

static uint64_t bits_of(double v)
{
	uint64_t u;

	memcpy(&u, &v, sizeof(u));
	return u;
}

static double double_of(uint64_t u)
{
	double v;

	memcpy(&v, &u, sizeof(v));
	return v;
}

/* m / 2^shift, to nearest even; 0 < m < 2^53. */
static uint64_t shift_even(uint64_t m, int shift)
{
	uint64_t half, rest, q;

	if (shift > 54)
		return 0;
	q = m >> shift;
	rest = m - (q << shift);
	half = UINT64_C(1) << (shift - 1);
	return q + (rest > half || (rest == half && (q & 1)));
}

/* The magnitude of a finite non-zero double as a code; may exceed max. */
static uint64_t encode_magnitude(const struct format *f, uint64_t u)
{
	uint64_t m = u & ((UINT64_C(1) << 52) - 1);
	int e = (int)(u >> 52 & 0x7ff) - 1023;
	int low = 1 - f->bias; /* exponent of the smallest normal */
	uint64_t r;

	if (e == -1023)
		return 0; /* a subnormal double: below every format */
	m |= UINT64_C(1) << 52;
	if (e < low)
		return shift_even(m, 52 - f->mbits + (low - e));
	/* The implicit bit and any carry add up in the exponent field. */
	r = shift_even(m, 52 - f->mbits);
	return r + ((uint64_t)(e - low) << f->mbits);
}

static unsigned encode(const struct format *f, double v, bool saturate)
{
	uint64_t u = bits_of(v), code;
	unsigned sign = (unsigned)(u >> 63) << (f->ebits + f->mbits);

	u &= INT64_MAX;
	if (u > UINT64_C(0x7ff) << 52)
		return f->special == FNUZ ? f->nan : sign | f->nan;
	code = u == UINT64_C(0x7ff) << 52 ? UINT64_MAX : encode_magnitude(f, u);
	if (code > f->max) {
		if (saturate || f->special == FINITE)
			code = f->max;
		else if (f->inf)
			code = f->inf;
		else
			return f->special == FNUZ ? f->nan : sign | f->nan;
	}
	if (code == 0 && f->special == FNUZ)
		return 0; /* there is no negative zero */
	return sign | (unsigned)code;
}

/* 2^e for a normal double. */
static double pow2(int e)
{
	return double_of((uint64_t)(e + 1023) << 52);
}

static double decode(const struct format *f, unsigned code)
{
	unsigned sign = code >> (f->ebits + f->mbits) & 1;
	unsigned mag = code & ((1u << (f->ebits + f->mbits)) - 1);
	int e = (int)(mag >> f->mbits);
	unsigned m = mag & ((1u << f->mbits) - 1);
	double v;

	if (f->special == FNUZ && sign && mag == 0)
		return NAN;
	if (mag > f->max)
		v = mag == f->inf ? INFINITY : NAN;
	else if (e == 0)
		v = (double)m * pow2(1 - f->bias - f->mbits);
	else
		v = (double)(m | 1u << f->mbits) * pow2(e - f->bias - f->mbits);
	return sign ? -v : v;
}

uint16_t f16_from_f64(double v)
{
	return (uint16_t)encode(&f16, v, false);
}

double f16_to_f64(uint16_t h)
{
	return decode(&f16, h);
}

uint16_t bf16_from_f32(float v)
{
	return (uint16_t)encode(&bf16, (double)v, false);
}

float bf16_to_f32(uint16_t h)
{
	uint32_t u = (uint32_t)h << 16;
	float v;

	memcpy(&v, &u, sizeof(v));
	return v;
}

/* Powers of two 2^-127 .. 2^127, code 0xff NaN; negatives have no code. */
static unsigned encode_e8m0(double v, bool saturate)
{
	uint64_t u = bits_of(v), r;
	int64_t e;

	if (v != v || u >> 63)
		return v == 0 && saturate ? 0 : 0xff;
	if (v > 0x1p127)
		return saturate || v <= 0x1.8p127 ? 0xfe : 0xff;
	r = u & ((UINT64_C(1) << 52) - 1);
	e = (int64_t)(u >> 52) - 1023 + 127;
	if (e < 0)
		return saturate ? 0 : 0xff;
	/* Half way to the next power of two: to the even code. */
	if (r > UINT64_C(1) << 51 || (r == UINT64_C(1) << 51 && (e & 1)))
		e++;
	return (unsigned)e;
}

static double decode_e8m0(unsigned code)
{
	return code == 0xff ? (double)NAN : pow2((int)code - 127);
}

static const struct format *small_float(enum dtype t)
{
	switch (t) {
	case DT_F16:
		return &f16;
	case DT_BF16:
		return &bf16;
	case DT_F8E4M3FN:
		return &e4m3fn;
	case DT_F8E4M3FNUZ:
		return &e4m3fnuz;
	case DT_F8E5M2:
		return &e5m2;
	case DT_F8E5M2FNUZ:
		return &e5m2fnuz;
	case DT_F4E2M1:
		return &e2m1;
	default:
		return NULL;
	}
}

/* The bits of element i as a little number; bits <= 64. */
static uint64_t load(unsigned bits, const void *p, size_t i)
{
	const uint8_t *b = p;
	uint64_t v = 0;
	unsigned per;

	if (bits >= 8) {
		memcpy(&v, b + i * (bits / 8), bits / 8);
		return v;
	}
	per = 8 / bits;
	return b[i / per] >> (i % per * bits) & ((1u << bits) - 1);
}

static void store(unsigned bits, void *p, size_t i, uint64_t v)
{
	uint8_t *b = p;
	unsigned per, shift, mask;

	if (bits >= 8) {
		memcpy(b + i * (bits / 8), &v, bits / 8);
		return;
	}
	per = 8 / bits;
	shift = (unsigned)(i % per) * bits;
	mask = ((1u << bits) - 1) << shift;
	b[i / per] = (uint8_t)((b[i / per] & ~mask) |
			       (((unsigned)v << shift) & mask));
}

static int64_t sign_extend(uint64_t v, unsigned bits)
{
	uint64_t top = UINT64_C(1) << (bits - 1);

	return (int64_t)((v ^ top) - top);
}

double dtype_get(enum dtype t, const void *p, size_t i)
{
	unsigned bits = dtype_bits(t);
	uint64_t v;
	float f;

	switch (dtype_kind(t)) {
	case 'b':
		return ((const uint8_t *)p)[i] != 0;
	case 'u':
		return (double)load(bits, p, i);
	case 'i':
		return (double)sign_extend(load(bits, p, i), bits);
	case 'f':
		break;
	default:
		BUG("no number in a %s", dtype_name(t));
	}
	if (t == DT_F32) {
		memcpy(&f, (const uint8_t *)p + i * sizeof(f), sizeof(f));
		return (double)f;
	}
	v = load(bits, p, i);
	if (t == DT_F64)
		return double_of(v);
	if (t == DT_F8E8M0)
		return decode_e8m0((unsigned)v);
	return decode(small_float(t), (unsigned)v);
}

/* Toward zero, saturating; NaN is 0. */
static int64_t to_int(double v)
{
	if (v != v)
		return 0;
	if (v >= 0x1p63)
		return INT64_MAX;
	return v < -0x1p63 ? INT64_MIN : (int64_t)v;
}

int64_t dtype_get_int(enum dtype t, const void *p, size_t i)
{
	unsigned bits = dtype_bits(t);

	switch (dtype_kind(t)) {
	case 'b':
		return ((const uint8_t *)p)[i] != 0;
	case 'u':
		return (int64_t)load(bits, p, i);
	case 'i':
		return sign_extend(load(bits, p, i), bits);
	default:
		return to_int(dtype_get(t, p, i));
	}
}

static void set_float(enum dtype t, void *p, size_t i, double v, bool saturate)
{
	const struct format *fmt;
	float f;

	if (t == DT_F64) {
		store(64, p, i, bits_of(v));
	} else if (t == DT_F32) {
		f = (float)v;
		memcpy((uint8_t *)p + i * sizeof(f), &f, sizeof(f));
	} else if (t == DT_F8E8M0) {
		store(8, p, i, encode_e8m0(v, saturate));
	} else {
		fmt = small_float(t);
		store(dtype_bits(t), p, i,
		      encode(fmt, v, saturate && fmt->saturate));
	}
}

/* To nearest even, then clamped to the type. */
static uint64_t round_int(bool is_signed, unsigned bits, double v)
{
	double low = is_signed ? -pow2((int)bits - 1) : 0;
	double high = pow2((int)bits - is_signed); /* exclusive */

	if (v != v)
		return 0;
	v = rint(v);
	if (v <= low)
		return is_signed ? UINT64_MAX << (bits - 1) : 0;
	if (v >= high)
		return UINT64_MAX >> (64 - bits + is_signed);
	return v < 0 ? (uint64_t)(int64_t)v : (uint64_t)v;
}

static void set(enum dtype t, void *p, size_t i, double v, bool saturate)
{
	unsigned bits = dtype_bits(t);
	char kind = dtype_kind(t);

	if (kind == 'f')
		set_float(t, p, i, v, saturate);
	else if (kind == 'b')
		((uint8_t *)p)[i] = v != 0;
	else if (kind == 'i' || kind == 'u')
		store(bits, p, i, round_int(kind == 'i', bits, v));
	else
		BUG("no number in a %s", dtype_name(t));
}

void dtype_set(enum dtype t, void *p, size_t i, double v)
{
	set(t, p, i, v, true);
}

void dtype_set_unsaturated(enum dtype t, void *p, size_t i, double v)
{
	set(t, p, i, v, false);
}

/* Like v, but cut so that a second rounding cannot see a false tie. */
static double round_to_odd(int64_t v)
{
	uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	uint64_t cut = m & 0x7ff;

	if (m >> 53 && cut)
		m = (m - cut) | 0x800;
	return v < 0 ? -(double)m : (double)m;
}

void dtype_set_int(enum dtype t, void *p, size_t i, int64_t v)
{
	char kind = dtype_kind(t);
	float f;

	if (kind == 'i' || kind == 'u') {
		store(dtype_bits(t), p, i, (uint64_t)v);
	} else if (kind == 'b') {
		((uint8_t *)p)[i] = v != 0;
	} else if (t == DT_F32) {
		f = (float)v;
		memcpy((uint8_t *)p + i * sizeof(f), &f, sizeof(f));
	} else {
		dtype_set(t, p, i, t == DT_F64 ? (double)v : round_to_odd(v));
	}
}

/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/dtype.h"
#include "base/rng.h"
#include "tests/unit/dtype_table.h"

static bool same(double a, double b)
{
	return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

static unsigned store(enum dtype t, double v)
{
	uint32_t code = 0;

	dtype_set(t, &code, 0, v);
	return code;
}

static double load(enum dtype t, unsigned code)
{
	uint32_t c = code;

	return dtype_get(t, &c, 0);
}

Test(dtype, names_and_sizes)
{
	size_t n = 0;
	int t;

	for (t = 1; t < DT_COUNT; t++) {
		const char *s = dtype_name((enum dtype)t);

		cr_assert(dtype_valid(t));
		cr_assert_eq(dtype_from_name((struct str){s, strlen(s)}), t);
	}
	cr_assert(!dtype_valid(0) && !dtype_valid(DT_COUNT) &&
		  !dtype_valid(-1));
	cr_assert(dtype_bytes(DT_I4, 3, &n) && n == 2);
	cr_assert(dtype_bytes(DT_U2, 5, &n) && n == 2);
	cr_assert(dtype_bytes(DT_I4, INT64_MAX, &n) && n == (size_t)1 << 62);
	cr_assert(dtype_bytes(DT_C128, 2, &n) && n == 32);
	cr_assert(dtype_bytes(DT_F32, 0, &n) && n == 0);
	cr_assert(!dtype_bytes(DT_F32, -1, &n));
	cr_assert(!dtype_bytes(DT_F64, INT64_MAX, &n));
	cr_assert(!dtype_bytes(DT_STRING, 1, &n));
}

/* Every code decodes as the table says and encodes back to itself. */
static void check_codes(enum dtype t, const double *want, unsigned n)
{
	unsigned c;

	for (c = 0; c < n; c++) {
		double v = load(t, c);

		cr_assert(same(v, want[c]), "%s %#x: %a, expected %a",
			  dtype_name(t), c, v, want[c]);
		if (isfinite(v))
			cr_assert_eq(store(t, v), c, "%s %#x", dtype_name(t),
				     c);
	}
}

Test(dtype, small_floats_match_ml_dtypes)
{
	check_codes(DT_F8E4M3FN, e4m3fn_values, 256);
	check_codes(DT_F8E4M3FNUZ, e4m3fnuz_values, 256);
	check_codes(DT_F8E5M2, e5m2_values, 256);
	check_codes(DT_F8E5M2FNUZ, e5m2fnuz_values, 256);
	check_codes(DT_F4E2M1, e2m1_values, 16);
	check_codes(DT_F8E8M0, e8m0_values, 256);
}

/* Between neighbours a rounding to nearest even flips exactly at the middle;
 * codes of one sign are in order of magnitude. */
static void check_rounding(enum dtype t, unsigned last, unsigned sign)
{
	unsigned c;

	for (c = 0; c < last; c++) {
		double a = load(t, c), b = load(t, c + 1), m = (a + b) / 2;
		unsigned even = c & 1 ? c + 1 : c;

		cr_assert(a < b);
		cr_assert_eq(store(t, m), even, "%s %#x", dtype_name(t), c);
		cr_assert_eq(store(t, nextafter(m, a)), c);
		cr_assert_eq(store(t, nextafter(m, b)), c + 1);
		if (!sign)
			continue;
		cr_assert_eq(store(t, nextafter(-m, -b)), (c + 1) | sign);
		if (even)
			cr_assert_eq(store(t, -m), even | sign);
	}
}

Test(dtype, rounding_is_to_nearest_even)
{
	check_rounding(DT_F16, 0x7bff, 0x8000);
	check_rounding(DT_BF16, 0x7f7f, 0x8000);
	check_rounding(DT_F8E4M3FN, 0x7e, 0x80);
	check_rounding(DT_F8E4M3FNUZ, 0x7f, 0x80);
	check_rounding(DT_F8E5M2, 0x7b, 0x80);
	check_rounding(DT_F8E5M2FNUZ, 0x7f, 0x80);
	check_rounding(DT_F4E2M1, 0x7, 0x8);
	check_rounding(DT_F8E8M0, 0xfe, 0);
}

Test(dtype, half_floats_decode)
{
	unsigned c;

	for (c = 0; c < 0x10000; c++) {
		int e = c >> 10 & 31, m = c & 1023;
		double v = e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);

		if (e == 31)
			v = m ? NAN : INFINITY;
		v = c >> 15 ? -v : v;
		cr_assert(same(f16_to_f64((uint16_t)c), v), "%#x", c);
		if (!isnan(v))
			cr_assert_eq(f16_from_f64(v), c);
	}
	cr_assert_eq(f16_from_f64(65519.99), 0x7bff);
	cr_assert_eq(f16_from_f64(65520), 0x7c00);
	cr_assert_eq(f16_from_f64(-1e300), 0xfc00);
	cr_assert_eq(f16_from_f64(0x1p-1074), 0);
	cr_assert_eq(bf16_from_f32(1.0f), 0x3f80);
	cr_assert_eq(bf16_from_f32(-INFINITY), 0xff80);
	cr_assert_eq(bf16_from_f32(3.4e38f), 0x7f80);
}

Test(dtype, overflow_saturates_as_cast)
{
	static const struct {
		enum dtype t;
		unsigned max, inf; /* inf: of an unsaturated overflow */
	} row[] = {
		{DT_F8E4M3FN, 0x7e, 0x7f},
		{DT_F8E4M3FNUZ, 0x7f, 0x80},
		{DT_F8E5M2, 0x7b, 0x7c},
		{DT_F8E5M2FNUZ, 0x7f, 0x80},
	};
	size_t i;

	for (i = 0; i < countof(row); i++) {
		uint8_t c;

		cr_assert_eq(store(row[i].t, INFINITY), row[i].max);
		cr_assert_eq(store(row[i].t, 1e30), row[i].max);
		cr_assert_eq(store(row[i].t, -1e30), row[i].max | 0x80);
		dtype_set_unsaturated(row[i].t, &c, 0, 1e30);
		cr_assert_eq(c, row[i].inf);
		cr_assert(isnan(load(row[i].t, store(row[i].t, NAN))));
	}
	cr_assert_eq(store(DT_F4E2M1, INFINITY), 7);
	cr_assert_eq(store(DT_F8E8M0, 0), 0);
	cr_assert_eq(store(DT_F8E8M0, -1), 0xff);
	cr_assert_eq(store(DT_F8E8M0, INFINITY), 0xfe);
}

Test(dtype, integers_round_and_saturate)
{
	static const struct {
		enum dtype t;
		double v;
		int64_t want;
	} row[] = {
		{DT_I8, 127.5, 127},
		{DT_I8, 2.5, 2},
		{DT_I8, 3.5, 4},
		{DT_I8, -2.5, -2},
		{DT_I8, -1e9, -128},
		{DT_U8, -1, 0},
		{DT_U8, 254.5, 254},
		{DT_U8, 255.5, 255},
		{DT_I4, 9, 7},
		{DT_I4, -9, -8},
		{DT_U4, 15.5, 15},
		{DT_U2, 4, 3},
		{DT_I2, -3, -2},
		{DT_I2, 1.4, 1},
		{DT_I64, 1e300, INT64_MAX},
		{DT_I64, -1e300, INT64_MIN},
		{DT_U64, -5, 0},
		{DT_U64, 1e300, -1},
		{DT_U64, 0x1p63, INT64_MIN},
		{DT_I32, NAN, 0},
		{DT_U32, 4294967295.5, 4294967295},
		{DT_BOOL, -0.5, 1},
	};
	size_t i;

	for (i = 0; i < countof(row); i++) {
		uint64_t x = 0;

		dtype_set(row[i].t, &x, 0, row[i].v);
		cr_assert_eq(dtype_get_int(row[i].t, &x, 0), row[i].want,
			     "%s %g", dtype_name(row[i].t), row[i].v);
	}
}

Test(dtype, set_int_wraps_and_rounds_once)
{
	uint64_t x = 0;
	float f;

	dtype_set_int(DT_I8, &x, 0, 200);
	cr_assert_eq(dtype_get_int(DT_I8, &x, 0), -56);
	dtype_set_int(DT_U4, &x, 1, -1);
	cr_assert_eq(dtype_get_int(DT_U4, &x, 1), 15);
	/* Through double, 2^60 + 2^36 + 1 would look like a tie. */
	dtype_set_int(DT_F32, &f, 0, (INT64_C(1) << 60) + (1 << 30) * 64L + 1);
	cr_assert_eq(f, 0x1p60f + 0x1p37f);
	/* bf16: step 2^53 at 2^60; just above the middle goes up. */
	dtype_set_int(DT_BF16, &x, 0,
		      (INT64_C(1) << 60) + (INT64_C(1) << 52) + 1);
	cr_assert_eq(dtype_get(DT_BF16, &x, 0), 0x1p60 + 0x1p53);
	dtype_set_int(DT_BF16, &x, 0, INT64_MIN);
	cr_assert_eq(dtype_get(DT_BF16, &x, 0), -0x1p63);
	dtype_set_int(DT_BOOL, &x, 0, 256);
	cr_assert_eq(dtype_get(DT_BOOL, &x, 0), 1);
}

/* Neighbours in a byte stay as they are. */
Test(dtype, packing)
{
	static const enum dtype type[] = {DT_U4, DT_I4, DT_F4E2M1, DT_U2,
					  DT_I2};
	uint8_t p[16] = {0};
	int64_t want[32];
	size_t i, k, step;
	struct rng r = rng_make(1, 2);

	for (k = 0; k < countof(type); k++) {
		for (step = 0; step < 1000; step++) {
			i = rng_below(&r, 32);
			want[i] = (int64_t)rng_below(&r, 2);
			dtype_set(type[k], p, i, (double)want[i]);
			cr_assert_eq(dtype_get_int(type[k], p, i), want[i]);
		}
		for (i = 0; i < 32; i++)
			cr_assert_eq(dtype_get_int(type[k], p, i), want[i]);
	}
	memset(p, 0, sizeof(p));
	dtype_set(DT_U4, p, 0, 1);
	dtype_set(DT_U4, p, 1, 2);
	dtype_set(DT_U2, p + 1, 3, 3);
	cr_assert_eq(p[0], 0x21);
	cr_assert_eq(p[1], 0xc0);
}

/* SPDX-License-Identifier: MIT */
/*
 * cast.c -- Cast, CastLike, BitCast.
 *
 * Floats to integers are cut toward zero, and out of range behave as x86
 * conversion (lanes.h); integers wrap; each float result is rounded once.
 * Numbers become the shortest text that reads back as the same number.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/elementwise/cast_p.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/move_p.h"

enum { CAST_BLOCK = 512, CAST_CHUNK = 1 << 15 };

struct cast {
	const struct array *x;
	struct array *y;
	enum lane lane;
	bool overflow; /* float8: beyond the range is Inf or NaN */
	char round;    /* float8e8m0: 'u'p, 'd'own, 'n'earest */
};

/* Where rounding to nearest leaves a float8's range, and the code beyond. */
static const struct {
	enum dtype dt;
	double edge;
	bool tie; /* the edge itself is beyond */
	uint8_t code, sign;
} edges[] = {
	{DT_F8E4M3FN, 464, false, 0x7f, 0x80},
	{DT_F8E4M3FNUZ, 248, true, 0x80, 0},
	{DT_F8E5M2, 61440, true, 0x7c, 0x80},
	{DT_F8E5M2FNUZ, 61440, true, 0x80, 0},
};

static void fix_overflow(const struct cast *k, int64_t at, size_t n,
			 const double *v)
{
	uint8_t *out = (uint8_t *)k->y->data + at;

	for (size_t e = 0; e < countof(edges); e++) {
		if (edges[e].dt != k->y->dt)
			continue;
		for (size_t i = 0; i < n; i++) {
			double a = fabs(v[i]);

			if (a > edges[e].edge ||
			    (a == edges[e].edge && edges[e].tie))
				out[i] = edges[e].code |
					 (v[i] < 0 ? edges[e].sign : 0);
		}
	}
}

/* A power of two: up, down, or to the nearest, ties up. */
static double round_e8m0(double v, char how)
{
	double m;
	int e;

	if (!(v > 0) || isinf(v))
		return v;
	m = frexp(v, &e); /* v = m 2^e, 1/2 <= m < 1 */
	if (m == 0.5)
		return v;
	if (how == 'u' || (how == 'n' && m >= 0.75))
		return ldexp(1, e);
	return ldexp(1, e - 1);
}

/* Where nothing is saturated, what has no place in the range is NaN. */
static double cast_e8m0(const struct cast *k, double v)
{
	double r = round_e8m0(v, k->round);

	return !k->overflow || (r >= 0x1p-127 && r <= 0x1p127) ? r : NAN;
}

static void cast_block(const struct cast *k, int64_t at, size_t n)
{
	double buf[CAST_BLOCK];
	enum dtype to = k->y->dt;

	lanes_load(k->lane, k->x->dt, k->x->data, at, 1, n, buf);
	if (k->lane == LANE_I64 && (to == DT_F8E8M0 || k->overflow)) {
		int64_t v[CAST_BLOCK];

		memcpy(v, buf, n * sizeof *v);
		for (size_t i = 0; i < n; i++)
			buf[i] = k->x->dt == DT_U64 ? (double)(uint64_t)v[i]
						    : (double)v[i];
	} else if (k->lane == LANE_I64) {
		if (k->x->dt == DT_U64)
			lanes_store_u64(to, k->y->data, at, n, buf);
		else
			lanes_store(LANE_I64, to, k->y->data, at, n, buf);
		return;
	}
	if (to == DT_F8E8M0)
		for (size_t i = 0; i < n; i++)
			buf[i] = cast_e8m0(k, buf[i]);
	lanes_store(LANE_F64, to, k->y->data, at, n, buf);
	if (k->overflow)
		fix_overflow(k, at, n, buf);
}

static void cast_chunk(void *arg, size_t i)
{
	const struct cast *k = arg;
	int64_t lo = (int64_t)i * CAST_CHUNK, hi = lo + CAST_CHUNK;

	if (hi > k->x->n)
		hi = k->x->n;
	for (; lo < hi; lo += CAST_BLOCK)
		cast_block(
			k, lo,
			(size_t)(hi - lo < CAST_BLOCK ? hi - lo : CAST_BLOCK));
}

static enum status cast_numbers(struct kcall *c, struct cast *k)
{
	size_t chunks = (size_t)((k->x->n + CAST_CHUNK - 1) / CAST_CHUNK);

	if (!lane_of(k->x->dt, &k->lane))
		return kcall_error(c, E_unsupported, "from type %s",
				   dtype_name(k->x->dt));
	/* Chunks are multiples of a byte's elements: threads share none. */
	if (chunks >= 4)
		pool_for(chunks, cast_chunk, k);
	else
		for (size_t i = 0; i < chunks; i++)
			cast_chunk(k, i);
	return OK;
}

/* ---- text ---- */

static double read_back(enum dtype dt, const char *s)
{
	uint8_t one[8] = {0};

	if (dt == DT_F32)
		return (double)strtof(s, NULL);
	dtype_set(dt, one, 0, strtod(s, NULL));
	return dtype_get(dt, one, 0);
}

/* As Python prints floats: shortest digits, exponents outside 1e-4..1e16. */
static int print_float(enum dtype dt, double v, char *out, size_t cap)
{
	char digits[40];
	int prec = 0, e;

	if (v != v)
		return snprintf(out, cap, "nan");
	if (isinf(v))
		return snprintf(out, cap, v < 0 ? "-inf" : "inf");
	for (; prec < 17; prec++) {
		snprintf(digits, sizeof digits, "%.*e", prec, v);
		if (read_back(dt, digits) == v)
			break;
	}
	e = atoi(strchr(digits, 'e') + 1);
	if (e < -4 || e >= 16)
		return snprintf(out, cap, "%.*e", prec, v);
	return snprintf(out, cap, "%.*f", prec > e + 1 ? prec - e : 1, v);
}

static enum status to_strings(struct kcall *c, const struct array *x)
{
	struct array *y = kcall_out(c, 0, DT_STRING, x->rank, x->dim);
	struct str *out;
	enum lane lane;
	char *text;
	size_t size;

	if (!lane_of(x->dt, &lane))
		return kcall_error(c, E_unsupported, "from type %s",
				   dtype_name(x->dt));
	if (!y)
		return LIMIT;
	if (!mul_size((size_t)x->n, 48, &size) ||
	    !(text = kcall_scratch(c, size)))
		return LIMIT;
	out = y->data;
	for (int64_t i = 0; i < x->n; i++, text += 48) {
		int n;

		if (lane == LANE_F64)
			n = print_float(x->dt,
					dtype_get(x->dt, x->data, (size_t)i),
					text, 48);
		else if (x->dt == DT_BOOL)
			n = snprintf(text, 48, "%s",
				     dtype_get_int(DT_BOOL, x->data, (size_t)i)
					     ? "True"
					     : "False");
		else
			n = snprintf(text, 48,
				     x->dt == DT_U64 ? "%llu" : "%lld",
				     (long long)dtype_get_int(x->dt, x->data,
							      (size_t)i));
		out[i] = (struct str){text, (size_t)n};
	}
	return OK;
}

bool cast_parse(struct str s, enum dtype dt, struct array *y, int64_t at)
{
	char buf[1200], *end; /* any float in full has fewer digits */
	int64_t v;
	double f;

	if (s.n == 0 || s.n >= sizeof buf)
		return false;
	memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	errno = 0;
	v = dt == DT_U64 ? (int64_t)strtoull(buf, &end, 10)
			 : strtoll(buf, &end, 10);
	if (!dtype_is_float(dt) && *end == '\0' && !errno) {
		dtype_set_int(dt, y->data, (size_t)at, v);
		return true;
	}
	f = dt == DT_F32 ? (double)strtof(buf, &end) : strtod(buf, &end);
	while (isspace((unsigned char)*end))
		end++;
	if (*end)
		return false;
	lanes_store(LANE_F64, dt, y->data, at, 1, &f);
	return true;
}

static enum status from_strings(struct kcall *c, const struct array *x,
				struct array *y)
{
	const struct str *s = x->data;
	struct buf shown = {0};
	enum status st = OK;

	for (int64_t i = 0; i < x->n && !st; i++) {
		if (cast_parse(s[i], y->dt, y, i))
			continue;
		buf_escaped(&shown, s[i]);
		st = kcall_error(c, E_value, "'%.60s' is not a number",
				 shown.p);
	}
	buf_release(&shown);
	return st;
}

/* ---- kernels ---- */

static enum status cast_to(struct kcall *c, enum dtype to)
{
	const struct array *x = c->in[0];
	struct cast k = {.x = x, .round = 'u'};
	struct str mode = node_attr_str(c->node, "round_mode", "up");
	char ck = dtype_kind(to);

	if (x->dt == to) {
		kcall_pass(c, 0, c->in[0]);
		return OK;
	}
	if (to == DT_STRING)
		return to_strings(c, x);
	if (ck == 'c' || dtype_kind(x->dt) == 'c')
		return kcall_error(c, E_unsupported, "complex numbers");
	k.overflow = !node_attr_int(c->node, "saturate", 1);
	if (mode.n)
		k.round = mode.p[0];
	k.y = kcall_out(c, 0, to, x->rank, x->dim);
	if (!k.y)
		return LIMIT;
	if (x->dt == DT_STRING)
		return from_strings(c, x, k.y);
	return cast_numbers(c, &k);
}

/* Version 1 names the type by the word of TensorProto.DataType. */
static enum dtype old_type(struct str s)
{
	static const struct {
		const char *word;
		enum dtype dt;
	} words[] = {
		{"FLOAT", DT_F32},   {"UINT8", DT_U8},      {"INT8", DT_I8},
		{"UINT16", DT_U16},  {"INT16", DT_I16},     {"INT32", DT_I32},
		{"INT64", DT_I64},   {"STRING", DT_STRING}, {"BOOL", DT_BOOL},
		{"FLOAT16", DT_F16}, {"DOUBLE", DT_F64},    {"UINT32", DT_U32},
		{"UINT64", DT_U64},
	};

	for (size_t i = 0; i < countof(words); i++)
		if (str_is(s, words[i].word))
			return words[i].dt;
	return DT_NONE;
}

enum status k_cast(struct kcall *c)
{
	int64_t to = node_attr_int(c->node, "to", DT_NONE);

	if (c->node->op->since < 6)
		to = old_type(node_attr_str(c->node, "to", ""));
	if (!dtype_valid(to))
		return kcall_error(c, E_attr, "to type %lld", (long long)to);
	return cast_to(c, (enum dtype)to);
}

enum status k_cast_like(struct kcall *c)
{
	return cast_to(c, c->in[1]->dt);
}

enum status k_bit_cast(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t to = node_attr_int(c->node, "to", DT_NONE);
	struct array *y;

	if (!dtype_valid(to) || to == DT_STRING || x->dt == DT_STRING ||
	    dtype_bits((enum dtype)to) != dtype_bits(x->dt))
		return kcall_error(c, E_type, "types of different sizes");
	y = kcall_out(c, 0, (enum dtype)to, x->rank, x->dim);
	if (!y)
		return LIMIT;
	if (x->bytes)
		memcpy(y->data, x->data, x->bytes);
	return OK;
}

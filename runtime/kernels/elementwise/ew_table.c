/* SPDX-License-Identifier: MIT */
/*
 * ew_table.c -- the elementwise operators: reference loops and their rows.
 *
 * D1/D2: one or two operands in double; I1/I2: in int64, wrapping; U2: in
 * uint64 where the signed loop would be wrong.  a, b: the operands; p: the
 * parameters of the row.
 */
#include <math.h>

#include "runtime/kernels/elementwise/ew_p.h"
#include "runtime/mathd.h"

#define LOOP1(prefix, name, T, expr)                                           \
	static void prefix##_##name(const struct ew_par *p, size_t n, void *y, \
				    const void *const *x)                      \
	{                                                                      \
		const T *xa = x[0];                                            \
		T *out = y;                                                    \
                                                                               \
		(void)p;                                                       \
		for (size_t k = 0; k < n; k++) {                               \
			const T a = xa[k];                                     \
                                                                               \
			out[k] = (T)(expr);                                    \
		}                                                              \
	}
#define LOOP2(prefix, name, T, expr)                                           \
	static void prefix##_##name(const struct ew_par *p, size_t n, void *y, \
				    const void *const *x)                      \
	{                                                                      \
		const T *xa = x[0], *xb = x[1];                                \
		T *out = y;                                                    \
                                                                               \
		(void)p;                                                       \
		for (size_t k = 0; k < n; k++) {                               \
			const T a = xa[k], b = xb[k];                          \
                                                                               \
			(void)b;                                               \
			out[k] = (T)(expr);                                    \
		}                                                              \
	}
#define D1(name, expr) LOOP1(d, name, double, expr)
#define D2(name, expr) LOOP2(d, name, double, expr)
#define I1(name, expr) LOOP1(i, name, int64_t, expr)
#define I2(name, expr) LOOP2(i, name, int64_t, expr)
#define U1(name, expr) LOOP1(u, name, uint64_t, expr)
#define U2(name, expr) LOOP2(u, name, uint64_t, expr)

#define ALPHA (p->a[0])
#define BETA  (p->a[1])
#define W(v)  ((uint64_t)(v)) /* wrapping arithmetic */

/* ---- arithmetic ---- */

D2(add, a + b)
D2(sub, a - b)
D2(mul, a *b)
D2(div, a / b)
I2(add, W(a) + W(b))
I2(sub, W(a) - W(b))
I2(mul, W(a) * W(b))
I2(div, b == -1 ? (int64_t)(0 - W(a)) : a / b)
U2(div, a / b)
/* NaN wins, as in NumPy. */
D2(max, a > b || a != a ? a : b)
D2(min, a < b || a != a ? a : b)
I2(max, a > b ? a : b)
I2(min, a < b ? a : b)
U2(max, a > b ? a : b)
U2(min, a < b ? a : b)

static double floor_mod(double a, double b)
{
	double r = fmod(a, b);

	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static int64_t int_mod(int64_t a, int64_t b, bool like_c)
{
	int64_t r = b == -1 ? 0 : a % b;

	return !like_c && r && (r < 0) != (b < 0) ? r + b : r;
}

D2(mod, p->i[0] ? fmod(a, b) : floor_mod(a, b))
I2(mod, int_mod(a, b, p->i[0]))
U2(mod, a % b)

D1(abs, fabs(a))
D1(neg, -a)
D1(sign, a > 0 ? 1 : a < 0 ? -1 : a)
I1(abs, a < 0 ? 0 - W(a) : W(a))
I1(neg, 0 - W(a))
I1(sign, (a > 0) - (a < 0))
U1(abs, a)
U1(sign, a != 0)
D1(ceil, ceil(a))
D1(floor, floor(a))
D1(round, rint(a))
D1(sqrt, sqrt(a))
D1(reciprocal, 1 / a)

/* ---- comparison and logic: 0 or 1 ---- */

D2(equal, a == b)
I2(equal, a == b)
D2(greater, a > b)
I2(greater, a > b)
U2(greater, a > b)
D2(greater_equal, a >= b)
I2(greater_equal, a >= b)
U2(greater_equal, a >= b)
D2(less, a < b)
I2(less, a < b)
U2(less, a < b)
D2(less_equal, a <= b)
I2(less_equal, a <= b)
U2(less_equal, a <= b)
I2(and, a &&b)
I2(or, a || b)
I2(xor, !a != !b)
I1(not, !a)
D1(isnan, a != a)
D1(isinf, isinf(a) && (a > 0 ? p->i[1] : p->i[0]))

I2(bit_and, a &b)
I2(bit_or, a | b)
I2(bit_xor, a ^ b)
I1(bit_not, ~a)

static uint64_t shift(uint64_t a, uint64_t b, bool right)
{
	if (b > 63)
		return 0;
	return right ? a >> b : a << b;
}

U2(shift, shift(a, b, p->i[0]))

/* ---- functions ---- */

D1(exp, md_exp(a))
D1(log, md_log(a))
D1(sin, md_sin(a))
D1(cos, md_cos(a))
D1(tan, md_tan(a))
D1(asin, md_asin(a))
D1(acos, md_acos(a))
D1(atan, md_atan(a))
D1(sinh, md_sinh(a))
D1(cosh, md_cosh(a))
D1(tanh, md_tanh(a))
D1(asinh, md_asinh(a))
D1(acosh, md_acosh(a))
D1(atanh, md_atanh(a))
D1(erf, md_erf(a))

/* ---- activations ---- */

static double clamp01(double v)
{
	return v < 0 ? 0 : v > 1 ? 1 : v;
}

static double gelu(double a, bool tanh_form)
{
	const double s = 0.79788456080286535588; /* sqrt(2 / pi) */

	if (tanh_form)
		return 0.5 * a * (1 + md_tanh(s * (a + 0.044715 * a * a * a)));
	return 0.5 * a * (1 + md_erf(a * 0.70710678118654752440));
}

static double shrink(double a, double lambd, double bias)
{
	return a < -lambd ? a + bias : a > lambd ? a - bias : 0;
}

D1(relu, a > 0 || a != a ? a : 0)
I1(relu, a > 0 ? a : 0)
D1(leakyrelu, a < 0 ? ALPHA * a : a)
D1(elu, a < 0 ? ALPHA * md_expm1(a) : a)
D1(selu, BETA *(a > 0 ? a : ALPHA * md_expm1(a)))
D1(celu, a > 0 ? a : ALPHA * md_expm1(a / ALPHA))
D1(thresholded, a > ALPHA ? a : a != a ? a : 0)
D1(hardsigmoid, clamp01(ALPHA *a + BETA))
D1(hardswish, a *clamp01(a / 6 + 0.5))
D1(sigmoid, md_sigmoid(a))
D1(softplus, md_softplus(a))
D1(softsign, a / (1 + fabs(a)))
D1(gelu, gelu(a, p->i[0]))

static void d_bias_gelu(const struct ew_par *p, size_t n, void *y,
			const void *const *x)
{
	const void *sum[] = {y};

	if (x[1])
		d_add(p, n, y, x);
	d_gelu(p, n, y, x[1] ? sum : x);
}

/* Cut toward zero; beyond the range as x86 converts. */
static int64_t whole(double v)
{
	return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

D1(swish, a *md_sigmoid(ALPHA *a))
D1(mish, a *md_tanh(md_softplus(a)))
D1(shrink, shrink(a, ALPHA, BETA))
I1(shrink, whole(shrink((double)a, ALPHA, BETA)))
D2(prelu, a < 0 ? a * b : a)
I2(prelu, a < 0 ? (int64_t)(W(a) * W(b)) : a)
U2(prelu, a)

/* ---- attributes that are not numbers ---- */

static enum status prep_mod(struct kcall *c, struct ew_par *p)
{
	p->i[0] = node_attr_int(c->node, "fmod", 0);
	return OK;
}

static enum status prep_shift(struct kcall *c, struct ew_par *p)
{
	struct str s = node_attr_str(c->node, "direction", "");

	p->i[0] = str_is(s, "RIGHT");
	if (p->i[0] || str_is(s, "LEFT"))
		return OK;
	return kcall_error(c, E_attr, "direction is neither LEFT nor RIGHT");
}

static enum status prep_isinf(struct kcall *c, struct ew_par *p)
{
	p->i[0] = node_attr_int(c->node, "detect_negative", 1);
	p->i[1] = node_attr_int(c->node, "detect_positive", 1);
	return OK;
}

static enum status prep_gelu(struct kcall *c, struct ew_par *p)
{
	struct str s = node_attr_str(c->node, "approximate", "none");

	p->i[0] = str_is(s, "tanh");
	if (p->i[0] || str_is(s, "none"))
		return OK;
	return kcall_error(c, E_attr, "approximate is neither none nor tanh");
}

static enum status prep_tanh(struct kcall *c, struct ew_par *p)
{
	(void)c;
	p->i[0] = 1;
	return OK;
}

#define ROW(op, fl, df, di, du, qf) \
	.id = OP_##op, .flags = (fl), .f = (df), .i = (di), .u = (du), .q = (qf)

static const struct ew_row rows[] = {
	{ROW(Add, 0, d_add, i_add, NULL, q_add)},
	{ROW(Sub, 0, d_sub, i_sub, NULL, q_sub)},
	{ROW(Mul, 0, d_mul, i_mul, NULL, q_mul)},
	{ROW(Div, EW_DIVIDES, d_div, i_div, u_div, q_div)},
	{ROW(Mod, EW_DIVIDES, d_mod, i_mod, u_mod, NULL), .prep = prep_mod},
	{ROW(Max, EW_VARIADIC, d_max, i_max, u_max, q_max)},
	{ROW(Min, EW_VARIADIC, d_min, i_min, u_min, q_min)},
	{ROW(Sum, EW_VARIADIC, d_add, NULL, NULL, q_add)},
	{ROW(Mean, EW_VARIADIC | EW_MEAN, d_add, NULL, NULL, NULL)},
	{ROW(Abs, 0, d_abs, i_abs, u_abs, q_abs)},
	{ROW(Neg, 0, d_neg, i_neg, NULL, q_neg)},
	{ROW(Sign, 0, d_sign, i_sign, u_sign, NULL)},
	{ROW(Ceil, 0, d_ceil, NULL, NULL, q_ceil)},
	{ROW(Floor, 0, d_floor, NULL, NULL, q_floor)},
	{ROW(Round, 0, d_round, NULL, NULL, q_round)},
	{ROW(Sqrt, 0, d_sqrt, NULL, NULL, q_sqrt)},
	{ROW(Reciprocal, 0, d_reciprocal, NULL, NULL, q_reciprocal)},
	{ROW(Equal, EW_BOOL, d_equal, i_equal, NULL, q_equal)},
	{ROW(Greater, EW_BOOL, d_greater, i_greater, u_greater, q_greater)},
	{ROW(GreaterOrEqual, EW_BOOL, d_greater_equal, i_greater_equal,
	     u_greater_equal, q_greater_equal)},
	{ROW(Less, EW_BOOL, d_less, i_less, u_less, q_less)},
	{ROW(LessOrEqual, EW_BOOL, d_less_equal, i_less_equal, u_less_equal,
	     q_less_equal)},
	{ROW(And, EW_BOOL, NULL, i_and, NULL, NULL)},
	{ROW(Or, EW_BOOL, NULL, i_or, NULL, NULL)},
	{ROW(Xor, EW_BOOL, NULL, i_xor, NULL, NULL)},
	{ROW(Not, EW_BOOL, NULL, i_not, NULL, NULL)},
	{ROW(IsNaN, EW_BOOL, d_isnan, NULL, NULL, NULL)},
	{ROW(IsInf, EW_BOOL, d_isinf, NULL, NULL, NULL), .prep = prep_isinf},
	{ROW(BitwiseAnd, 0, NULL, i_bit_and, NULL, NULL)},
	{ROW(BitwiseOr, 0, NULL, i_bit_or, NULL, NULL)},
	{ROW(BitwiseXor, 0, NULL, i_bit_xor, NULL, NULL)},
	{ROW(BitwiseNot, 0, NULL, i_bit_not, NULL, NULL)},
	{ROW(BitShift, 0, NULL, u_shift, NULL, NULL), .prep = prep_shift},
	{ROW(Exp, EW_HEAVY, d_exp, NULL, NULL, q_exp)},
	{ROW(Log, EW_HEAVY, d_log, NULL, NULL, q_log)},
	{ROW(Sin, EW_HEAVY, d_sin, NULL, NULL, NULL)},
	{ROW(Cos, EW_HEAVY, d_cos, NULL, NULL, NULL)},
	{ROW(Tan, EW_HEAVY, d_tan, NULL, NULL, NULL)},
	{ROW(Asin, EW_HEAVY, d_asin, NULL, NULL, NULL)},
	{ROW(Acos, EW_HEAVY, d_acos, NULL, NULL, NULL)},
	{ROW(Atan, EW_HEAVY, d_atan, NULL, NULL, NULL)},
	{ROW(Sinh, EW_HEAVY, d_sinh, NULL, NULL, NULL)},
	{ROW(Cosh, EW_HEAVY, d_cosh, NULL, NULL, NULL)},
	{ROW(Tanh, EW_HEAVY, d_tanh, NULL, NULL, q_tanh)},
	{ROW(Asinh, EW_HEAVY, d_asinh, NULL, NULL, NULL)},
	{ROW(Acosh, EW_HEAVY, d_acosh, NULL, NULL, NULL)},
	{ROW(Atanh, EW_HEAVY, d_atanh, NULL, NULL, NULL)},
	{ROW(Erf, EW_HEAVY, d_erf, NULL, NULL, q_erf)},
	{ROW(Relu, 0, d_relu, i_relu, NULL, q_relu)},
	{ROW(LeakyRelu, 0, d_leakyrelu, NULL, NULL, q_leakyrelu),
	 .attr = {"alpha"}, .dflt = {0.01f}},
	{ROW(Elu, EW_HEAVY, d_elu, NULL, NULL, q_elu), .attr = {"alpha"},
	 .dflt = {1}},
	{ROW(Selu, EW_HEAVY, d_selu, NULL, NULL, q_selu),
	 .attr = {"alpha", "gamma"},
	 .dflt = {1.67326319217681884765625f, 1.05070102214813232421875f}},
	{ROW(Celu, EW_HEAVY, d_celu, NULL, NULL, q_celu), .attr = {"alpha"},
	 .dflt = {1}},
	{ROW(ThresholdedRelu, 0, d_thresholded, NULL, NULL, q_thresholded),
	 .attr = {"alpha"}, .dflt = {1}},
	{ROW(HardSigmoid, 0, d_hardsigmoid, NULL, NULL, q_hardsigmoid),
	 .attr = {"alpha", "beta"}, .dflt = {0.2f, 0.5f}},
	{ROW(HardSwish, 0, d_hardswish, NULL, NULL, q_hardswish)},
	{ROW(Sigmoid, EW_HEAVY, d_sigmoid, NULL, NULL, q_sigmoid)},
	{ROW(Softplus, EW_HEAVY, d_softplus, NULL, NULL, q_softplus)},
	{ROW(Softsign, 0, d_softsign, NULL, NULL, q_softsign)},
	{ROW(Gelu, EW_HEAVY, d_gelu, NULL, NULL, q_gelu), .prep = prep_gelu},
	{ROW(ms_Gelu, EW_HEAVY, d_gelu, NULL, NULL, q_gelu)},
	{ROW(ms_BiasGelu, EW_HEAVY | EW_INTO, d_bias_gelu, NULL, NULL,
	     q_bias_gelu)},
	{ROW(ms_FastGelu, EW_HEAVY | EW_INTO | EW_BIAS, d_bias_gelu, NULL, NULL,
	     q_bias_gelu),
	 .prep = prep_tanh},
	{ROW(Swish, EW_HEAVY, d_swish, NULL, NULL, q_swish), .attr = {"alpha"},
	 .dflt = {1}},
	{ROW(ms_QuickGelu, EW_HEAVY, d_swish, NULL, NULL, q_swish),
	 .attr = {"alpha"}, .dflt = {1.702f}},
	{ROW(Mish, EW_HEAVY, d_mish, NULL, NULL, q_mish)},
	{ROW(Shrink, 0, d_shrink, i_shrink, NULL, NULL),
	 .attr = {"lambd", "bias"}, .dflt = {0.5f, 0}},
	{ROW(PRelu, EW_INTO, d_prelu, i_prelu, u_prelu, q_prelu)},
};

const struct ew_row *ew_find(enum op_id id)
{
	for (size_t i = 0; i < countof(rows); i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

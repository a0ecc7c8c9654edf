/* SPDX-License-Identifier: MIT */
/*
 * ew_fast_body.h -- the float loops of the fast set, included once per
 * instruction set with NAME(op) for the functions' names.
 *
 * Plain loops over inline functions without branches: vectors of every width
 * give the same bits as scalar code.
 */
#if !defined(LANES_APART)
/* A result is stored over its own operand or apart from all of them: without
 * this, a loop in place would run element by element. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* some stay scalar */
#define LANES_APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define LANES_APART _Pragma("GCC ivdep")
#endif
#endif
#define Q1(name, expr)                                                     \
	void NAME(name)(const struct ew_par *p, size_t n, void *y,         \
			const void *const *x)                              \
	{                                                                  \
		const float *xa = x[0];                                    \
		const float ALPHA = (float)p->a[0], BETA = (float)p->a[1]; \
		float *out = y;                                            \
                                                                           \
		(void)ALPHA;                                               \
		(void)BETA;                                                \
		LANES_APART                                                \
		for (size_t k = 0; k < n; k++) {                           \
			const float a = xa[k];                             \
                                                                           \
			out[k] = (expr);                                   \
		}                                                          \
	}
#define Q2(name, expr)                                             \
	void NAME(name)(const struct ew_par *p, size_t n, void *y, \
			const void *const *x)                      \
	{                                                          \
		const float *xa = x[0], *xb = x[1];                \
		float *out = y;                                    \
                                                                   \
		(void)p;                                           \
		LANES_APART                                        \
		for (size_t k = 0; k < n; k++) {                   \
			const float a = xa[k], b = xb[k];          \
                                                                   \
			out[k] = (expr);                           \
		}                                                  \
	}

/* exp(x) - 1 for x <= 0: the series near 0 keeps the relative error */
static inline float expm1_neg(float x)
{
	float p = 1.0f / 5040, e = mf_exp(x) - 1.0f;

	p = p * x + 1.0f / 720;
	p = p * x + 1.0f / 120;
	p = p * x + 1.0f / 24;
	p = p * x + 1.0f / 6;
	p = p * x + 0.5f;
	p = x + x * x * p;
	return x > -0.5f ? p : e;
}

/* log(1 + t), 0 <= t <= 1 */
static inline float log1p_unit(float t)
{
	float u = 1.0f + t, d = u - 1.0f;
	float r = mf_log(u) * (t / d);

	return d == 0.0f ? t : r;
}

static inline float softplus(float x)
{
	float m = x > 0.0f || x != x ? x : 0.0f;

	return m + log1p_unit(mf_exp(-mf_abs(x)));
}

static inline float clamp01(float v)
{
	v = v < 0.0f ? 0.0f : v;
	return v > 1.0f ? 1.0f : v;
}

/* tanh(softplus(x)) = s (s + 2) / (s (s + 2) + 2) with s = exp(x) */
static inline float mish(float x)
{
	float s = mf_exp(x > 20.0f ? 20.0f : x), n = s * (s + 2.0f);

	return x * (n / (n + 2.0f));
}

static inline float gelu_tanh(float x)
{
	float t = 0.797884561f * (x + 0.044715f * x * x * x);

	return 0.5f * x * (1.0f + mf_tanh(t));
}

Q2(add, a + b)
Q2(sub, a - b)
Q2(mul, a *b)
Q2(div, a / b)
Q2(max, a > b || a != a ? a : b)
Q2(min, a < b || a != a ? a : b)
Q2(equal, a == b ? 1.0f : 0.0f)
Q2(greater, a > b ? 1.0f : 0.0f)
Q2(greater_equal, a >= b ? 1.0f : 0.0f)
Q2(less, a < b ? 1.0f : 0.0f)
Q2(less_equal, a <= b ? 1.0f : 0.0f)
Q2(prelu, a < 0.0f ? a * b : a)
Q1(abs, mf_abs(a))
Q1(neg, -a)
Q1(ceil, ceilf(a))
Q1(floor, floorf(a))
Q1(round, rintf(a))
Q1(sqrt, sqrtf(a))
Q1(square, a *a)
/* pow(a, 0.5): positive for -0 and -infinity */
Q1(root, a == -INFINITY ? INFINITY : sqrtf(a) + 0.0f)
Q1(reciprocal, 1.0f / a)
Q1(exp, mf_exp(a))
Q1(log, mf_log(a))
Q1(relu, a > 0.0f || a != a ? a : 0.0f)
Q1(leakyrelu, a < 0.0f ? ALPHA * a : a)
Q1(elu, a < 0.0f ? ALPHA * expm1_neg(a) : a)
Q1(selu, BETA *(a > 0.0f ? a : ALPHA * expm1_neg(a)))
Q1(celu, a > 0.0f ? a : ALPHA * expm1_neg(a / ALPHA))
Q1(thresholded, a > ALPHA || a != a ? a : 0.0f)
Q1(hardsigmoid, clamp01(ALPHA *a + BETA))
Q1(hardswish, a *clamp01(a / 6.0f + 0.5f))
Q1(sigmoid, mf_sigmoid(a))
Q1(tanh, mf_tanh(a))
Q1(erf, mf_erf(a))
Q1(softplus, softplus(a))
Q1(softsign, a / (1.0f + mf_abs(a)))
Q1(gelu_erf, 0.5f * a * (1.0f + mf_erf(a * 0.707106781f)))
Q1(gelu_tanh, gelu_tanh(a))
Q1(swish, a *mf_sigmoid(ALPHA *a))
Q1(mish, mish(a))

void NAME(gelu)(const struct ew_par *p, size_t n, void *y, const void *const *x)
{
	if (p->i[0])
		NAME(gelu_tanh)(p, n, y, x);
	else
		NAME(gelu_erf)(p, n, y, x);
}

/* The second operand, where there is one, is added first. */
void NAME(bias_gelu)(const struct ew_par *p, size_t n, void *y,
		     const void *const *x)
{
	const void *sum[] = {y};

	if (x[1])
		NAME(add)(p, n, y, x);
	NAME(gelu)(p, n, y, x[1] ? sum : x);
}

void NAME(clip)(const struct ew_par *p, size_t n, void *y, const void *const *x)
{
	const float lo = (float)p->a[0], hi = (float)p->a[1], *xa = x[0];
	float *out = y;

	LANES_APART
	for (size_t k = 0; k < n; k++) {
		float v = xa[k];

		v = v < lo ? lo : v;
		out[k] = v > hi ? hi : v;
	}
}

/* SPDX-License-Identifier: MIT */
/* Merged elementwise steps: the same bits as one step after the other. */
#include "tests/unit/kernel_run.h"

#define HEAD "<ir_version: 8, opset_import: [\"\" : 18]>\n"

static const char *const text[] = {
	HEAD "conv (float[1,3,9,11] x, float[4,3,3,3] w, float[1,4,9,11] r) "
	     "=> (float y) { a = Conv <pads = [1,1,1,1]> (x, w)\n"
	     "b = Add (r, a)\n c = Relu (b)\n y = Sigmoid (c) }",
	HEAD "pack (float[2,3,5,5] x, float[4,3,3,3] w, float[4,1,1] s) "
	     "=> (float y) { a = Conv (x, w)\n b = Mul (a, s)\n"
	     "lo = Constant <value_float = 0.0> ()\n"
	     "y = Clip (b, lo) }",
	HEAD "depthwise (float[2,3,9,9] x, float[6,1,3,3] w, float[9] r) "
	     "=> (float y) { a = Conv <group = 3, strides = [2,1], pads = "
	     "[1,2,1,2]> (x, w)\n b = HardSwish (a)\n"
	     "c = ReduceSum (r)\n y = Div (c, b) }",
	HEAD "swap (float[1,70,7,7] x, float[64,70,1,1] w, float[64,1,1] s) "
	     "=> (float y) { a = Conv (x, w)\n y = PRelu (a, s) }",
	/* x W + b, then Gelu as exporters write it: u has two users. */
	HEAD "gelu (float[2,5,40] x, float[40,50] w, float[50] b, float t) "
	     "=> (float y) { a = MatMul (x, w)\n u = Add (b, a)\n"
	     "d = Div (u, t)\n e = Erf (d)\n f = Add (e, t)\n"
	     "g = Mul (u, f)\n y = Mul (g, t) }",
	HEAD "gemm (float[7,40] x, float[40,50] w, float[7,50] r) "
	     "=> (float y, float z) { a = Gemm (x, w, r)\n b = Neg (a)\n"
	     "y = Tanh (b)\n z = Exp (b) }",
	/* The second operand is larger: nothing to run in place. */
	HEAD "wider (float[1,2,4,4] x, float[3,2,1,1] w, float[5,3,4,4] r) "
	     "=> (float y) { a = Conv (x, w)\n b = Add (a, r)\n"
	     "y = Abs (b) }",
	/* The second operand comes later; one value is a result. */
	HEAD "later (float[3,4] x) => (float y, float z) { a = Neg (x)\n"
	     "c = Exp (x)\n b = Add (a, c)\n z = Relu (b)\n"
	     "y = Mul (z, b) }",
	HEAD "twice (float[600] x) => (float y) { a = Neg (x)\n"
	     "b = Mul (a, a)\n c = Sub (x, b)\n y = Sqrt (c) }",
	HEAD "integers (int32[6] x) => (int32 y) { a = Neg (x)\n"
	     "y = Abs (a) }",
	/* A body takes a value from outside, and has tails of its own. */
	HEAD "body (float[6] x, bool p) => (float y) { a = Neg (x)\n"
	     "b = Exp (a)\n y = If (p) <then_branch = t () => (float q) "
	     "{ c = Abs (b)\n q = Neg (c) }, else_branch = f () => "
	     "(float r) { r = Relu (b) }> }",
};

Test(tail, changes_no_bit)
{
	for (size_t i = 0; i < countof(text); i++) {
		struct exec_opts all = {.set = EXEC_FAST, .keep_all = true};
		struct run_result want = run_opts(text[i], &all, CPU_AVX512);
		struct run_result got =
			run_text(text[i], EXEC_FAST, CPU_AVX512);

		cr_assert_eq(want.status, OK, "%s", text[i]);
		cr_assert_eq(got.status, OK, "%s", text[i]);
		for (uint32_t k = 0; k < want.nout; k++) {
			cr_assert_eq(got.out[k]->bytes, want.out[k]->bytes);
			cr_assert_arr_eq(got.out[k]->data, want.out[k]->data,
					 want.out[k]->bytes, "%s", text[i]);
		}
		run_release(&want);
		run_release(&got);
		run_agrees(text[i], 1e-3, 1e-4);
	}
}

Test(tail, refuses_what_the_operators_refuse)
{
	run_refuses(HEAD "g (float[1,2,4,4] x, float[3,2,1,1] w, float[5] r) "
			 "=> (float y) { a = Conv (x, w)\n b = Add (a, r)\n"
			 "y = Abs (b) }");
	run_refuses(HEAD "g (float[4] x, double[4] w) => (float y) {"
			 "a = Neg (x)\n y = Add (a, w) }");
	run_refuses(HEAD "g (float[4] x, float[2] w) => (float y) {"
			 "a = Neg (x)\n y = Clip (a, w) }");
}

/* One rounding of the same double: the float loops give the same bits. */
Test(tail, squares_and_roots_are_exact)
{
	run_agrees(HEAD "g (float[3,300] x) => (float y) {"
			"e = Constant <value_float = 2.0> ()\n"
			"y = Pow (x, e) }",
		   0, 0);
	run_agrees(HEAD "g (float[3,300] x) => (float y, float z) {"
			"e = Constant <value_float = 0.5> ()\n"
			"a = Constant <value_floats = [-inf, -0.0, 0.0, inf, "
			"1e-44, 4.0]> ()\n"
			"b = Abs (x)\n y = Pow (b, e)\n c = Pow (a, e)\n"
			"z = Reciprocal (c) }",
		   0, 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * t_elementwise.c -- elementwise operators: both kernel sets agree, integers
 * follow the rules the README states, and what does not fit is refused.
 */
#include <math.h>
#include <stdio.h>
#include "tests/unit/kernel_show.h"

#define HEAD "<ir_version: 10, opset_import: [\"\" : 22]>\n"

/* Values of every size, so that block and chunk borders are crossed. */
static const char *const sizes[] = {"7", "513", "3,170,129", "1", "4,0"};

Test(elementwise, unary_sets_agree)
{
	static const char *const ops[] = {
		"Abs",  "Neg",      "Ceil",        "Floor",     "Round",
		"Exp",  "Relu",     "LeakyRelu",   "Elu",       "Selu",
		"Celu", "Sigmoid",  "Tanh",        "Erf",       "Softplus",
		"Mish", "Softsign", "HardSigmoid", "HardSwish", "Gelu",
		"Sign", "Sin",      "Cos",         "Atan",      "Reciprocal",
	};
	char t[256];

	for (size_t i = 0; i < countof(ops); i++)
		for (size_t k = 0; k < countof(sizes); k++) {
			snprintf(t, sizeof t,
				 HEAD "g (float[%s] x) => (float y) {"
				      " y = %s(x) }",
				 sizes[k], ops[i]);
			run_agrees(t, 2e-6, 1e-7);
		}
}

Test(elementwise, positive_only_sets_agree)
{
	static const char *const ops[] = {"Log", "Sqrt", "Reciprocal"};
	char t[256];

	for (size_t i = 0; i < countof(ops); i++) {
		snprintf(t, sizeof t,
			 HEAD "g (float[3,401] s) => (float y) { y = %s(s) }",
			 ops[i]);
		run_agrees(t, 2e-6, 1e-7);
	}
}

Test(elementwise, broadcasting_agrees)
{
	static const char *const dims[][2] = {
		{"3,1,5", "4,1"},
		{"2,3,4", "2,3,4"},
		{"2,300,7", "300,1"},
		{"1", "5"},
		{"1,600", "40,1"},
		{"0,3", "1,3"},
		{"1,2,1,2,1,2", "2,1,2,1,2,1"},
	};
	static const char *const ops[] = {"Add", "Sub", "Mul",  "Div",
					  "Max", "Min", "Less", "Equal"};
	char t[256];

	for (size_t i = 0; i < countof(dims); i++)
		for (size_t k = 0; k < countof(ops); k++) {
			snprintf(t, sizeof t,
				 HEAD "g (float[%s] x, float[%s] w) => (%s y)"
				      " { y = %s(x, w) }",
				 dims[i][0], dims[i][1],
				 k < 6 ? "float" : "bool", ops[k]);
			run_agrees(t, 1e-6, 0);
		}
	run_agrees(HEAD "g (float[2,9,40] x, float[9,1] w) => (float y) {"
			" y = PRelu(x, w) }",
		   1e-6, 0);
}

/* Every type goes through the same loops. */
Test(elementwise, every_type)
{
	static const char *const types[] = {
		"double", "float16", "bfloat16", "int8",  "uint8",  "int16",
		"uint16", "int32",   "uint32",   "int64", "uint64",
	};
	char t[256];

	for (size_t i = 0; i < countof(types); i++) {
		snprintf(t, sizeof t,
			 HEAD "g (%s[5,1] x, %s[3] w) => (%s y) {"
			      " a = Add(x, w) b = Mul(a, x) c = Max(b, w)"
			      " y = Sub(c, x) }",
			 types[i], types[i], types[i]);
		run_agrees(t, 0, 0);
	}
}

/* One result of a model without inputs. */
static void gives(const char *nodes, const char *type, int64_t want)
{
	char t[512];
	struct run_result r;

	snprintf(t, sizeof t, HEAD "g () => (%s y) { %s }", type, nodes);
	r = run_text(t, EXEC_REFERENCE, CPU_AVX512);
	cr_assert_eq(r.status, OK, "%s", t);
	cr_assert_eq(dtype_get_int(r.out[0]->dt, r.out[0]->data, 0), want, "%s",
		     t);
	run_release(&r);
}

#define C(name, type, v) name " = Constant <value = " type " {" v "}> () "

Test(elementwise, integer_rules)
{
	gives(C("a", "int32", "-7") C("b", "int32", "2") "y = Div(a, b)",
	      "int32", -3);
	gives(C("a", "int32", "-7") C("b", "int32", "2") "y = Mod(a, b)",
	      "int32", 1);
	gives(C("a", "int32", "-7")
		      C("b", "int32", "2") "y = Mod <fmod = 1> (a, b)",
	      "int32", -1);
	gives(C("a", "int32", "-2147483648")
		      C("b", "int32", "-1") "y = Div(a, b)",
	      "int32", INT32_MIN);
	gives(C("a", "int32", "-2147483648")
		      C("b", "int32", "-1") "y = Mod(a, b)",
	      "int32", 0);
	gives(C("a", "int8", "100") C("b", "int8", "100") "y = Add(a, b)",
	      "int8", -56);
	gives(C("a", "uint8", "1")
		      C("b", "uint8",
			"9") "y = BitShift <direction = \"LEFT\"> (a, b)",
	      "uint8", 0);
	gives(C("a", "int64", "3") C("b", "int64", "-1") "y = Pow(a, b)",
	      "int64", 0);
	gives(C("a", "float", "-3.7") "y = Cast <to = 6> (a)", "int32", -3);
	gives(C("a", "float", "300.5") "y = Cast <to = 2> (a)", "uint8", 44);
	gives(C("a", "float", "1e30") "y = Cast <to = 7> (a)", "int64",
	      INT64_MIN);
}

Test(elementwise, refusals)
{
	run_refuses(HEAD "g (int32[2] x) => (int32 y) {"
			 " z = Sub(x, x) y = Div(x, z) }");
	run_refuses(HEAD "g (int64[2] x) => (int64 y) {"
			 " z = Sub(x, x) y = Mod(x, z) }");
	run_refuses(HEAD "g (float[2] x, float[3] w) => (float y) {"
			 " y = Add(x, w) }");
	run_refuses(HEAD "g (float[2] x, int32[2] w) => (float y) {"
			 " y = Add(x, w) }");
	run_refuses(HEAD "g (float[2] x, float[3,2] w) => (float y) {"
			 " y = PRelu(x, w) }");
	run_refuses(HEAD "g (uint8[2] x) => (uint8 y) {"
			 " y = BitShift <direction = \"UP\"> (x, x) }");
}

Test(elementwise, cast_to_exponents)
{
	/* float8e8m0 read back as float; a float zero point is added */
	static const struct show_case cases[] = {
		{25, "float", "float[5] x = {0, 0.75, 3, 1e38, 3e38}",
		 "e = Cast<to = 24>(x) y = Cast<to = 1>(e)",
		 "5: 0 1 4 1.7014e+38 1.7014e+38"},
		{25, "float", "float[5] x = {1, 0.75, 3, 5, 7}",
		 "e = Cast<to = 24, round_mode = \"down\">(x) "
		 "y = Cast<to = 1>(e)",
		 "5: 1 0.5 2 4 4"},
		{25, "bool", "float[4] x = {0, 1, 3e38, -1}",
		 "e = Cast<to = 24, round_mode = \"nearest\", saturate = 0>(x) "
		 "f = Cast<to = 1>(e) y = IsNaN(f)",
		 "4: 1 0 1 1"},
		{25, "float",
		 "float[2] x = {1, 2}, float s = {1}, float o = {2}",
		 "z = Cast<to = 23>(o) q = QuantizeLinear(x, s, z) "
		 "y = Cast<to = 1>(q)",
		 "2: 3 4"},
	};

	show_cases(cases, countof(cases));
}

/* SPDX-License-Identifier: MIT */
#include "ir/ir.h"
#include "tests/unit/kernel_show.h"

#define F "float"
#define X "float[2,2] x = {-1, -2, -3, -4}, int64[2] t = {1, 0}"
#define NLL(more, in) \
	"y = NegativeLogLikelihoodLoss<reduction = " more ">(" in ")"
#define SCE(out, more, in) out " = SoftmaxCrossEntropyLoss<" more ">(" in ")"

Test(training, losses)
{
	static const struct show_case cases[] = {
		{13, F, X, NLL("\"none\"", "x, t"), "2: 2 3"},
		{13, F, X, NLL("\"sum\"", "x, t"), ": 5"},
		{22, F, X, NLL("\"mean\"", "x, t"), ": 2.5"},
		{13, F, X ", float[2] w = {1, 3}", NLL("\"mean\"", "x, t, w"),
		 ": 2.25"},
		{13, F, X, NLL("\"mean\", ignore_index = 1", "x, t"), ": 3"},
		{13, F, X, NLL("\"none\", ignore_index = 1", "x, t"), "2: 0 3"},
		{13, F,
		 "float[1,2,2] x = {-1, -2, -3, -4}, int32[1,2] t = {1, -9}",
		 NLL("\"sum\", ignore_index = -9", "x, t"), ": 3"},
		{13, F, "float[0,3] x = {}, int64[0] t = {}",
		 NLL("\"sum\"", "x, t"), ": 0"},
		{13, F, "float[1,2] x = {0, 0}, int64[1] t = {1}",
		 SCE("y", "reduction = \"sum\"", "x, t"), ": 0.69315"},
		{13, F, "float[1,2] x = {1000, 1000}, int64[1] t = {7}",
		 SCE("l, y", "ignore_index = 7", "x, t"),
		 "1x2: -0.69315 -0.69315"},
		/* refused */
		{13, F, "float[1,2] x = {0, 0}, int64[1] t = {2}",
		 NLL("\"sum\"", "x, t"), "E-value"},
		{13, F, "float[1,2] x = {0, 0}, int64[1] t = {-1}",
		 SCE("y", "reduction = \"sum\"", "x, t"), "E-value"},
		{13, F, "float[1,2] x = {0, 0}, int64[2] t = {0, 0}",
		 NLL("\"sum\"", "x, t"), "E-shape"},
		{13, F, X ", float[3] w = {1, 1, 1}", NLL("\"sum\"", "x, t, w"),
		 "E-shape"},
		{13, F, X ", double[2] w = {1, 1}", NLL("\"sum\"", "x, t, w"),
		 "E-type"},
		{13, F, "float[2] x = {0, 0}, int64 t = {0}",
		 NLL("\"sum\"", "x, t"), "E-shape"},
		{13, F, X, NLL("\"max\"", "x, t"), "E-attr"},
	};

	show_cases(cases, countof(cases));
}

#define RT "float r = {0.5}, int64 n = {1}, "
#define OPT(out, op, attrs, in) \
	out " = ai.onnx.preview.training." op "<" attrs ">(" in ")"

Test(training, optimizers)
{
	static const struct show_case cases[] = {
		{17, F,
		 RT "float[1] x = {2}, float[1] g = {3}, float[1] h = {16}",
		 OPT("y, m", "Adagrad", "epsilon = 0.0", "r, n, x, g, h"),
		 "1: 1.7"},
		{17, F,
		 RT "float[1] x = {2}, float[1] g = {3}, float[1] h = {16}",
		 OPT("x2, y", "Adagrad", "epsilon = 0.0", "r, n, x, g, h"),
		 "1: 25"},
		{17, F, RT "float x = {2}, float g = {3}, float v = {1}",
		 OPT("y, m", "Momentum",
		     "alpha = 0.5, beta = 1.0, norm_coefficient = 0.0, "
		     "mode = \"standard\"",
		     "r, n, x, g, v"),
		 ": 0.25"},
		{17, F, RT "float x = {2}, float g = {3}, float v = {1}",
		 OPT("y, m", "Momentum",
		     "alpha = 0.5, beta = 1.0, norm_coefficient = 0.0, "
		     "mode = \"nesterov\"",
		     "r, n, x, g, v"),
		 ": -0.375"},
		{17, F,
		 RT
		 "float x = {2}, float g = {3}, float v = {0}, float h = {0}",
		 OPT("y, v2, h2", "Adam", "epsilon = 0.0", "r, n, x, g, v, h"),
		 ": 1.5"},
		/* two groups */
		{17, F,
		 RT
		 "float a = {1}, float[2] b = {1, 2}, float ga = {1}, "
		 "float[2] gb = {1, 1}, float ha = {0}, float[2] hb = {0, 0}",
		 OPT("a2, y, ha2, hb2", "Adagrad", "epsilon = 0.0",
		     "r, n, a, b, ga, gb, ha, hb"),
		 "2: 0.5 1.5"},
		/* refused */
		{17, F, RT "float x = {2}, float g = {3}",
		 OPT("y, m", "Adagrad", "epsilon = 0.0", "r, n, x, g"),
		 "E-arity"},
		{17, F, RT "float x = {2}, float[2] g = {3, 3}, float h = {0}",
		 OPT("y, m", "Adagrad", "epsilon = 0.0", "r, n, x, g, h"),
		 "E-shape"},
		{17, F, RT "float x = {2}, double g = {3}, float h = {0}",
		 OPT("y, m", "Adagrad", "epsilon = 0.0", "r, n, x, g, h"),
		 "E-type"},
		{17, F,
		 "float[2] r = {1, 1}, int64 n = {1}, float x = {2}, float g = "
		 "{3}, float h = {0}",
		 OPT("y, m", "Adagrad", "epsilon = 0.0", "r, n, x, g, h"),
		 "E-type"},
	};

	show_cases(cases, countof(cases));
}

Test(training, dropout)
{
	static const struct show_case cases[] = {
		{13, F, "float[3] x = {1, 2, 3}", "y = Dropout(x)", "3: 1 2 3"},
		{13, "bool", "float[2] x = {1, 2}, float r = {0}, bool t = {1}",
		 "d, y = Dropout(x, r, t)", "2: 1 1"},
		{1, F, "float[2] x = {1, 2}", "y = Dropout<is_test = 1>(x)",
		 "2: 1 2"},
		{6, F, "float[2] x = {1, 2}", "d, y = Dropout<is_test = 1>(x)",
		 "2: 1 1"},
		{7, F, "float[2] x = {1, 2}", "d, y = Dropout(x)", "2: 1 1"},
		/* what is kept is scaled: only 0 and 4 appear */
		{13, F,
		 "float r = {0.75}, bool t = {1}, int64[1] k = "
		 "{200}, float v = {0}, float q = {4}",
		 "c = ConstantOfShape<value = float[1] {1}>(k) "
		 "d = Dropout(c, r, t) a = Equal(d, v) b = Equal(d, q) "
		 "e = Or(a, b) f = Cast<to = 1>(e) "
		 "y = ReduceMin<keepdims = 0>(f)",
		 ": 1"},
		{6, F, "float[0] x = {}", "y = Dropout(x)", "0:"},
		{13, F, "float[1] x = {1}, float r = {1}, bool t = {1}",
		 "y = Dropout(x, r, t)", "E-value"},
		{13, F, "float[1] x = {1}, float r = {-0.5}, bool t = {1}",
		 "y = Dropout(x, r, t)", "E-value"},
		{13, F, "float[1] x = {1}, float[2] r = {0, 0}, bool t = {1}",
		 "y = Dropout(x, r, t)", "E-type"},
	};

	show_cases(cases, countof(cases));
}

Test(training, random_numbers)
{
	static const struct show_case cases[] = {
		/* certain outcomes */
		{15, F, "float[2,2] x = {0, 1, 1, 0}", "y = Bernoulli(x)",
		 "2x2: 0 1 1 0"},
		{15, "int32", "float[1,3] x = {-1000, 0, -1000}",
		 "y = Multinomial<sample_size = 4>(x)", "1x4: 1 1 1 1"},
		{15, "int64", "double[2,1] x = {5, -5}",
		 "y = Multinomial<dtype = 7>(x)", "2x1: 0 0"},
		{15, F, "float[0,3] x = {}", "y = Multinomial(x)", "0x1:"},
		/* both of two numbers of a node, and two nodes, differ */
		{15, "bool", "",
		 "a = RandomUniform<shape = [1]>() "
		 "b = RandomUniform<shape = [1]>() y = Equal(a, b)",
		 "1: 0"},
		{15, "bool", "",
		 "a = RandomNormal<shape = [2], seed = 3.0>() "
		 "b, c = Split<axis = 0>(a) y = Equal(b, c)",
		 "1: 0"},
		{15, "int32", "float[1,0] x = {}", "y = Multinomial(x)",
		 "E-value"},
		{15, "int32", "float[1,1] x = {1}",
		 "y = Multinomial<sample_size = -1>(x)", "E-dims"},
		{15, "int32", "float[1] x = {1}", "y = Multinomial(x)",
		 "E-shape"},
		{15, F, "float[1] x = {1}",
		 "y = RandomNormalLike<dtype = 7>(x)", "E-attr"},
		{15, F, "int64[1] x = {1}", "y = Bernoulli(x)", "E-type"},
	};

	show_cases(cases, countof(cases));
}

/* Numbers belong to a random node's place among the random nodes; in a loop
 * every turn has its own; every run repeats them. */
Test(training, random_places)
{
	static const char *const same[] = {
		"a = Identity(x) b = RandomUniformLike(a)",
		"a = Neg(x) c = Neg(a) d = Neg(c) b = RandomUniformLike(d)",
	};
	struct run_result r[2];
	char t[512];

	for (int i = 0; i < 2; i++) {
		snprintf(t, sizeof t,
			 "<ir_version: 10, opset_import: [\"\" : 20]> "
			 "g (float[4] x) => (float b) { %s }",
			 same[i]);
		r[i] = run_text(t, EXEC_FAST, CPU_AVX512);
	}
	cr_assert(!memcmp(r[0].out[0]->data, r[1].out[0]->data, 16));
	run_release(&r[0]);
	run_release(&r[1]);
	r[0] = run_text("<ir_version: 10, opset_import: [\"\" : 20]> "
			"g () => (float y) <int64 n = {2}, bool c = {1}> { y = "
			"Loop(n, c) <body = b (int64 i, bool cc) => (bool co, "
			"float r) { co = Identity(cc) r = RandomUniform<shape "
			"= [1]>() }> }",
			EXEC_FAST, CPU_AVX512);
	cr_assert_eq(r[0].status, OK);
	cr_assert_neq(((float *)r[0].out[0]->data)[0],
		      ((float *)r[0].out[0]->data)[1]);
	run_release(&r[0]);
}

Test(training, random_outputs)
{
	static const char text[] =
		"<ir_version: 10, opset_import: [\"\" : 20, \"f\" : 1]> "
		"g (float[2] x, bool t) => (float a, b, c, d, e, f) "
		"<float r = {0.5}, bool no = {0}, bool yes = {1}> {"
		"a = Dropout(x, r, no) b = Dropout(x, r, t) c = Neg(b) "
		"d = If(t) <then_branch = p () => (float y) { y = Neg(x) }, "
		"else_branch = q () => (float z) { z = Neg(c) }> "
		"e = f.noise(x) f = Dropout(x) }"
		"<domain: \"f\", opset_import: [\"\" : 20]> noise (u) => (v) "
		"{ v = RandomNormalLike(u) }";
	static const bool want[] = {false, true, true, true, true, false};
	bool got[6];
	struct diag d;
	struct model *m;

	diag_init(&d, NULL);
	m = model_parse(&d, "test", (struct str){text, strlen(text)});
	cr_assert_not_null(m, "%s", d.last.p);
	random_outputs(m, got);
	for (int i = 0; i < 6; i++)
		cr_assert_eq(got[i], want[i], "output %d", i);
	model_free(m);
	diag_release(&d);
}

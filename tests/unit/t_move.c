/* SPDX-License-Identifier: MIT */
/*
 * t_move.c -- movement and reduction operators against plain loops, and
 * their refusals.
 */
#include <stdio.h>
#include "tests/unit/kernel_show.h"

#define HEAD "<ir_version: 10, opset_import: [\"\" : 22]>\n"

/* Steps that undo each other leave the input, whatever the type. */
Test(move, round_trips)
{
	static const char *const types[] = {"float", "int8", "int64", "float16",
					    "bool",  "int4", "uint4", "double"};
	static const char *const body[] = {
		"t = Transpose <perm = [2,0,1]> (x)"
		" y = Transpose <perm = [1,2,0]> (t)",
		"a, b = Split <axis = 1, num_outputs = 2> (x)"
		" y = Concat <axis = 1> (a, b)",
		"p = Pad(x, pads) y = Slice(p, from, to)",
		"t = Slice(x, back, stop, all, neg)"
		" y = Slice(t, back, stop, all, neg)",
		"f = Flatten(x) s = Shape(x) y = Reshape(f, s)",
		"t = Tile(x, rep) y = Slice(t, zero, dims)",
		"y = GatherND(x, grid)",
	};
	char t[1024];

	for (size_t i = 0; i < countof(types); i++)
		for (size_t k = 0; k < countof(body); k++) {
			struct run_result r;

			snprintf(t, sizeof t,
				 HEAD
				 "g (%s[2,5,3] x) => (%s y, %s z) <int64[6] "
				 "pads = {1,0,2,0,1,3}, int64[3] from = "
				 "{1,0,2}, int64[3] to = {3,5,5}, int64[3] "
				 "back = {-1,-1,-1}, int64[3] stop = "
				 "{-9,-9,-9}, int64[3] all = {0,1,2}, "
				 "int64[3] neg = {-1,-1,-1}, int64[3] rep = "
				 "{2,1,3}, int64[3] zero = {0,0,0}, int64[3] "
				 "dims = {2,5,3}, int64[2,1] grid = {0,-1}> {"
				 " %s z = Identity(x) }",
				 types[i], types[i], types[i], body[k]);
			r = run_text(t, EXEC_FAST, CPU_AVX512);
			cr_assert_eq(r.status, OK, "%s", t);
			cr_assert_eq(r.out[0]->n, 30, "%s", t);
			cr_assert(!memcmp(r.out[0]->data, r.out[1]->data,
					  r.out[0]->bytes),
				  "%s", t);
			run_release(&r);
		}
}

static void expect_ints(const char *body, const char *inits, int64_t n,
			const int64_t *want)
{
	char t[1024];
	struct run_result r;

	snprintf(t, sizeof t, HEAD "g () => (int64 y) <%s> { %s }", inits,
		 body);
	r = run_text(t, EXEC_FAST, CPU_AVX512);
	cr_assert_eq(r.status, OK, "%s", t);
	cr_assert_eq(r.out[0]->n, n, "%s", t);
	for (int64_t i = 0; i < n; i++)
		cr_assert_eq(((int64_t *)r.out[0]->data)[i], want[i], "%s", t);
	run_release(&r);
}

#define INTS(...)           \
	(const int64_t[])   \
	{                   \
		__VA_ARGS__ \
	}

Test(move, known_results)
{
	expect_ints("y = Range(a, b, s)",
		    "int64 a = {5}, int64 b = {-2}, int64 s = {-3}", 3,
		    INTS(5, 2, -1));
	expect_ints("v, y = TopK(x, k)",
		    "int64[5] x = {3,9,9,1,9}, int64[1] k = {3}", 3,
		    INTS(1, 2, 4));
	expect_ints("y = ScatterElements <reduction = \"add\"> (x, i, u)",
		    "int64[3] x = {1,1,1}, int64[3] i = {0,0,-1}, int64[3] u "
		    "= {5,6,7}",
		    3, INTS(12, 1, 8));
	expect_ints("u, f, v, y = Unique(x)", "int64[5] x = {2,1,1,3,2}", 3,
		    INTS(2, 2, 1));
	expect_ints("y = CumSum <exclusive = 1, reverse = 1> (x, a)",
		    "int64[3] x = {1,2,3}, int64 a = {0}", 3, INTS(5, 3, 0));
	expect_ints("y = ReduceSum <keepdims = 0> (x, a)",
		    "int64[2,3] x = {1,2,3,4,5,6}, int64[1] a = {-1}", 2,
		    INTS(6, 15));
	expect_ints("y = ArgMax <select_last_index = 1> (x)",
		    "int64[3,1] x = {4,7,7}", 1, INTS(2));
	expect_ints("y = Pad <mode = \"reflect\"> (x, p)",
		    "int64[3] x = {1,2,3}, int64[2] p = {2,2}", 7,
		    INTS(3, 2, 1, 2, 3, 2, 1));
}

Test(move, reductions_agree)
{
	static const char *const ops[] = {
		"ReduceSum",       "ReduceMean", "ReduceMax",
		"ReduceMin",       "ReduceL1",   "ReduceL2",
		"ReduceSumSquare", "ReduceProd", "ReduceLogSumExp",
	};
	static const char *const axes[] = {"{0}", "{1}", "{2}", "{-1}"};
	char t[256];

	for (size_t i = 0; i < countof(ops); i++)
		for (size_t k = 0; k < countof(axes); k++) {
			snprintf(t, sizeof t,
				 HEAD "g (float[3,41,300] x) => (float y) "
				      "<int64[1] a = %s> { y = %s(x, a) }",
				 axes[k], ops[i]);
			run_agrees(t, 1e-5, 1e-5);
		}
}

Test(move, refusals)
{
	static const char *const body[] = {
		"y = Gather(x, big)",
		"y = GatherElements(x, big)",
		"y = Reshape(x, big)",
		"y = Expand(x, big)",
		"y = Tile(x, huge)",
		"y = Pad(x, pads)",
		"y = Transpose <perm = [0,0]> (x)",
		"y = Concat <axis = 5> (x, x)",
		"y = Slice(x, big, big, big, none)",
		"y = ReduceSum(x, big)",
		"v, y0 = TopK(x, big) y = Identity(v)",
		"y = DepthToSpace <blocksize = 2> (x)",
		"s = Range(one, two, nil) y = Cast <to = 1> (s)",
		"y = ConstantOfShape(huge)",
	};
	char t[600];

	for (size_t i = 0; i < countof(body); i++) {
		snprintf(t, sizeof t,
			 HEAD "g (float[2,3] x) => (float y) <int64[2] big = "
			      "{7,7}, int64[2] huge = {4611686018427387904,"
			      "4611686018427387904}, int64[4] pads = "
			      "{-9,0,0,0}, int64[2] none = {0,0}, int64 one "
			      "= {1}, int64 two = {2}, int64 nil = {0}> { %s }",
			 body[i]);
		run_refuses(t);
	}
}

/* Sparse constants and initializers are dense where they are used. */
Test(move, sparse)
{
#define SPARSE(type, dims, values, at)                             \
	"sparse_tensor(" type dims ") {" type "[2] {" values "}, " \
	"int64" at "}"
	static const struct show_case cases[] = {
		{16, "float", "",
		 "y = Constant<sparse_value = " SPARSE("float", "[2,3]", "7, 8",
						       "[2] {1, 5}") ">()",
		 "2x3: 0 7 0 0 0 8"},
		{16, "float", "",
		 "y = Constant<sparse_value = " SPARSE(
			 "float", "[2,3]", "7, 8", "[2,2] {0, 1, 1, 2}") ">()",
		 "2x3: 0 7 0 0 0 8"},
		{21, "int4", "",
		 "y = Constant<sparse_value = " SPARSE("int4", "[5]", "-3, 7",
						       "[2] {1, 4}") ">()",
		 "5: 0 -3 0 0 7"},
		{16, "string", "",
		 "y = Constant<sparse_value = " SPARSE(
			 "string", "[3]", "\"a\", \"b\"", "[2] {0, 2}") ">()",
		 "3: 'a' '' 'b'"},
		{16, "float",
		 "sparse_tensor(float[3]) s = {float[1] {5}, int64[1] {2}}",
		 "y = Neg(s)", "3: 0 0 -5"},
	};

	show_cases(cases, countof(cases));
}

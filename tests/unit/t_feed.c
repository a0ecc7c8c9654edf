/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/runtime.h"

static struct diag diag;
static struct model *model;
static struct feed feed;

/* A weight of these dims, for use among the nodes. */
#define W(name, rank, dims)                                                   \
	" " name "_ = Constant <value = int64[" rank "] {" dims "}> () " name \
	" = ConstantOfShape (" name "_) "

/* A graph at opset 17 and a feed for it. */
static enum status make(const char *graph, unsigned round)
{
	struct buf b = {0};
	enum status st;

	diag_init(&diag, stderr);
	buf_printf(&b, "<ir_version: 8, opset_import: [\"\": 17]>\n%s", graph);
	model = model_parse(&diag, "test", (struct str){b.p, b.n});
	buf_release(&b);
	cr_assert_not_null(model);
	st = feed_generate(model, 1, round, &feed);
	return st;
}

static void done(void)
{
	feed_release(&feed);
	model_free(model);
	diag_release(&diag);
}

static double at(uint32_t i, int64_t k)
{
	return dtype_get(feed.in[i]->dt, feed.in[i]->data, (size_t)k);
}

/* All elements of input i are integers in [lo, hi], and not all the same
 * unless they must be. */
static void check_range(uint32_t i, double lo, double hi)
{
	bool varied = false;
	int64_t k;

	for (k = 0; k < feed.in[i]->n; k++) {
		cr_assert(at(i, k) >= lo && at(i, k) <= hi,
			  "input %u: %g is not in [%g, %g]", i, at(i, k), lo,
			  hi);
		cr_assert_eq(at(i, k), floor(at(i, k)));
		varied |= at(i, k) != at(i, 0);
	}
	cr_assert(varied || lo == hi || feed.in[i]->n < 8);
}

/* Words and keys come from the tables that they are looked up in. */
Test(feed, words_and_maps)
{
	static const char text[] =
		"<ir_version: 8, opset_import: [\"\": 17, \"ai.onnx.ml\": 1]>\n"
		"g (string[40] s, map(int64, float) m) => (float[] a, float[] "
		"b)"
		"{ a = ai.onnx.ml.OneHotEncoder <cats_strings = [\"red\"]> (s) "
		"b = ai.onnx.ml.DictVectorizer <int64_vocabulary = [-70]> (m) "
		"}";
	const struct array *keys;
	bool found = false;

	diag_init(&diag, stderr);
	model = model_parse(&diag, "test",
			    (struct str){text, sizeof(text) - 1});
	cr_assert_not_null(model);
	cr_assert_eq(feed_generate(model, 1, 0, &feed), OK);
	for (int i = 0; i < 40; i++)
		found |= str_is(((const struct str *)feed.in[0]->data)[i],
				"red");
	cr_expect(found);
	cr_assert_eq(feed.in[1]->kind, ARR_MAP);
	keys = feed.in[1]->item[0];
	cr_assert_geq(keys->n, 1);
	cr_expect_eq(keys->n, feed.in[1]->item[1]->n);
	for (int64_t i = 0; i < keys->n; i++) {
		int64_t k = ((const int64_t *)keys->data)[i];

		cr_expect(k == -70 || k == 0);
	}
	done();
}

Test(feed, sizes_of_symbols)
{
	static const int64_t batch[] = {1, 2, 1};
	unsigned round;

	for (round = 0; round < 3; round++) {
		make("g (float[N,3,H,W] x, float[N,S] y, float[2,?] z) => "
		     "(float[N,3,H,W] o) { o = Relu (x) }",
		     round);
		cr_assert_eq(feed.n, 3);
		cr_assert_eq(feed.in[0]->dim[0], batch[round]);
		cr_assert_eq(feed.in[1]->dim[0], batch[round]);
		cr_assert_eq(feed.in[0]->dim[1], 3);
		if (round != 1)
			cr_assert_neq(feed.in[0]->dim[2], feed.in[0]->dim[3]);
		cr_assert_eq(feed.in[2]->dim[0], 2);
		cr_assert(feed.in[2]->dim[1] > 0);
		cr_assert_eq(feed.in[0]->dt, DT_F32);
		cr_assert(strstr(feed.sizes, "N="));
		cr_assert(feed_is_dynamic(model));
		done();
	}
}

Test(feed, expressions)
{
	make("g (float[N,\"2*N\"] x, float[\"N + 3\"] y) => (float[N,M] o) { o "
	     "= Relu (x) }",
	     1);
	cr_assert_eq(feed.in[0]->dim[1], 2 * feed.in[0]->dim[0]);
	cr_assert_eq(feed.in[1]->dim[0], feed.in[0]->dim[0] + 3);
	done();
}

Test(feed, sizes_that_nodes_fix)
{
	/* Columns, channels, a flattened picture, two unnamed dims. */
	make("g (float[N,K] x) => (float[N,7] o) {" W(
		     "w", "2", "5, 7") "o = MatMul (x, w) }",
	     0);
	cr_assert_eq(feed.in[0]->dim[1], 5);
	done();
	make("g (float[N,C,H,W] x) => (o) {" W(
		     "w", "4", "4, 6, 3, 3") "o = Conv <group = 2> (x, w) }",
	     0);
	cr_assert_eq(feed.in[0]->dim[1], 12);
	done();
	make("g (float[?,?,8] x, float[?,?,8] y) => (o) { o = Add (x, y) }", 1);
	cr_assert_eq(feed.in[0]->dim[0], feed.in[1]->dim[0]);
	cr_assert_eq(feed.in[0]->dim[1], feed.in[1]->dim[1]);
	done();
	make("g (float[S,B,I] x, float[?,?,?] h) => (o) {" W("w", "3",
							     "1, 12, 5")
		     W("r", "3", "1, 12, 3") "o = LSTM <hidden_size = 3> (x, "
					     "w, r, , , h, h) }",
	     0);
	cr_assert_eq(feed.in[0]->dim[2], 5);
	cr_assert_eq(feed.in[1]->dim[0], 1);
	cr_assert_eq(feed.in[1]->dim[1], feed.in[0]->dim[1]);
	cr_assert_eq(feed.in[1]->dim[2], 3);
	done();
}

Test(feed, sizes_that_inference_refuses)
{
	/* A window of 20 does not fit into the usual sizes. */
	make("g (float[N,1,L] x) => (o) {" W("w", "3",
					     "2, 1, 200") "o = Conv (x, w) }",
	     0);
	cr_assert_geq(feed.in[0]->dim[2], 200);
	done();
	/* past + 1 = total, told only by the addition */
	make("g (float[B,P,4] past, float[B,1,4] x, float[B,T,4] mask) => (o) "
	     "{ c = Concat <axis = 1> (past, x) o = Add (c, mask) }",
	     0);
	cr_assert_eq(feed.in[2]->dim[1], feed.in[0]->dim[1] + 1);
	done();
}

Test(feed, indices)
{
	make("g (int64[N,S] ids, int64[N,S] kinds, int64[N,S] mask) => (o) "
	     "<float one = {1}> {" W("we", "2", "1000, 8")
		     W("ke", "2", "2, 8") "a = Gather (we, ids) b = Gather "
					  "(ke, kinds) o = Add (a, b) c = Cast "
					  "<to = 1> (mask) d = Sub (one, c) }",
	     1);
	check_range(0, 0, 999);
	check_range(1, 0, 1);
	check_range(2, 0, 1);
	cr_assert_eq(at(2, 0), 1);
	done();
}

Test(feed, indices_through_arithmetic)
{
	/* 2 x + 3 is in [-20, 19]; x / 4 in [-5, 4] */
	make("g (int64[50] x, int32[50] y, int64[50] z) => (o, p, q) <int64 "
	     "two = {2}, int64 three = {3}, int32 four = {4}, int64 zero = "
	     "{0}, int64 n = {20}> {" W("t", "1", "20")
		     W("u", "1",
		       "5") "a = Mul (x, two) b = Add (three, a) o = Gather "
			    "(t, b) c = Div (y, four) p = Gather (u, c) l = "
			    "Less (z, zero) s = Add (z, n) w = Where (l, s, z) "
			    "q = Gather (t, w) }",
	     0);
	check_range(0, 0, 8);
	check_range(1, 0, 16);
	check_range(2, 0, 19);
	done();
}

Test(feed, clipped_indices_are_free)
{
	make("g (int64[50] x) => (o) <int64 lo = {0}, int64 hi = {4}> {" W(
		     "t", "1", "5") "c = Clip (x, lo, hi) o = Gather (t, c) }",
	     0);
	check_range(0, 0, 9);
	done();
}

Test(feed, bytes_are_pictures)
{
	make("g (uint8[1,3,8,8] x, int8[64] y) => (o, p) { o = Cast <to = 1> "
	     "(x) p = Cast <to = 1> (y) }",
	     0);
	check_range(0, 0, 255);
	check_range(1, -128, 127);
	cr_assert(!feed_is_dynamic(model));
	done();
}

Test(feed, values_that_are_compared)
{
	static const double want[] = {16000, 8000};
	unsigned round;

	for (round = 0; round < 3; round++) {
		make("g (int64 sr) => (o) <int64 a = {16000}, int64 b = "
		     "{8000}> { c = Equal (sr, a) d = Equal (sr, b) o = And "
		     "(c, d) }",
		     round);
		cr_assert(at(0, 0) == want[0] || at(0, 0) == want[1]);
		done();
	}
}

Test(feed, shapes_and_lengths)
{
	make("g (float[2,3,4] x, int64[3] shape, int64[2] axes, int64[1] k, "
	     "int64[2] split, int64 n) => (o, p, q, r, s, t) <int64 zero = "
	     "{0}, int64 one = {1}> {o = Reshape (x, shape) p = ReduceSum (x, "
	     "axes) q, i = TopK (x, k) r, s = Split <axis = 2> (x, split) t = "
	     "Range (zero, n, one) }",
	     0);
	cr_assert_eq(at(1, 0) * at(1, 1) * at(1, 2), 24);
	cr_assert_neq(at(2, 0), at(2, 1));
	cr_assert(at(3, 0) >= 1 && at(3, 0) <= 4);
	cr_assert_eq(at(4, 0) + at(4, 1), 4);
	cr_assert(at(5, 0) >= 3 && at(5, 0) <= 8);
	done();
}

/* Where the result is declared, its shape input leads there. */
Test(feed, declared_results)
{
	make("g (int64[1] s) => (int32[0] y) { y = ConstantOfShape (s) }", 0);
	cr_assert_eq(at(0, 0), 0);
	done();
	make("g (float[4,6] x, int64[3] s) => (float[2,3,4] y) { y = Reshape "
	     "(x, s) }",
	     0);
	cr_assert(at(1, 0) == 2 && at(1, 1) == 3 && at(1, 2) == 4);
	done();
	make("g (float[1,3,1] x, int64[2] s) => (float[1,3,5] y) { y = Expand "
	     "(x, s) }",
	     0);
	cr_assert(at(1, 0) == 3 && at(1, 1) == 5);
	done();
}

Test(feed, same_seed_same_bytes)
{
	struct feed first;

	make("g (float[N,5] x, float16[9] y) => (o) { o = Relu (x) }", 2);
	first = feed;
	cr_assert_eq(feed_generate(model, 1, 2, &feed), OK);
	cr_assert(arrays_close(feed.in[0], first.in[0], 0, 0, NULL));
	cr_assert(arrays_close(feed.in[1], first.in[1], 0, 0, NULL));
	feed_release(&first);
	first = feed;
	cr_assert_eq(feed_generate(model, 2, 2, &feed), OK);
	cr_assert(!arrays_close(feed.in[0], first.in[0], 0, 0, NULL));
	feed_release(&first);
	done();
}

Test(feed, defaults_and_refusals)
{
	cr_assert_eq(make("g (float[2] x, float[2] y = {1, 2}) => (o) { o = "
			  "Add (x, y) }",
			  0),
		     OK);
	cr_assert_not_null(feed.in[0]);
	cr_assert_null(feed.in[1]);
	done();
	cr_assert_eq(make("g (float[] x) => (o) { o = Relu (x) }", 0),
		     BAD_MODEL);
	cr_assert_eq(diag.first, E_unsupported);
	done();
	cr_assert_eq(make("g (seq(float[?,3]) x, optional(float[2]) y) => (o) "
			  "{ o = Identity (x) }",
			  0),
		     OK);
	cr_assert_eq(feed.in[0]->kind, ARR_SEQ);
	cr_assert_eq(feed.in[0]->item[0]->dim[1], 3);
	cr_assert_eq(feed.in[1]->kind, ARR_OPTIONAL);
	done();
}

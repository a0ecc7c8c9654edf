/* SPDX-License-Identifier: MIT */
/*
 * t_ml.c -- the operators of ai.onnx.ml where ONNX Runtime is no judge: what
 * it does not run or computes otherwise than specified, and refusals.
 * tests/models/ml.py compares all else.
 */
#include "tests/unit/ml_run.h"

Test(ml, features)
{
	static const struct run cases[] = {
		{1,
		 ON("double[4]", "-1, 0.5, 0.75, 2",
		    "Binarizer <threshold = 0.5>"),
		 "0 0 1 1"},
		{1, ON("int32[3]", "-1, 0, 2", "Binarizer"), "0 0 1"},
		{1,
		 ON("int32[2,2]", "5, 5, 1, 2",
		    "Imputer <replaced_value_int64 = 5, imputed_value_int64s "
		    "= [7, 8]>"),
		 "7 8 1 2"},
		{1,
		 ON("double[2,2]", "0, 0.5, 1, 0",
		    "Imputer <imputed_value_floats = [0.25]>"),
		 "0.25 0.5 1 0.25"},
		{1, ON("float[2]", "1, 2", "Scaler <scale = [2.0, 3.0]>"),
		 "2 6"},
		{1, ON("int64[2]", "1, 2", "Scaler <offset = [2.0]>"), "-1 0"},
		{1,
		 ON("float[2,2]", "0, 0, -3, 4", "Normalizer <norm = \"L2\">"),
		 "0 0 -0.6 0.8"},
		{1, ON("float[2]", "-4, -2", "Normalizer"), "2 1"},
		{1, ON("float[0,2]", "", "Normalizer"), ""},
		{1,
		 ON("float[2,2,2]", "1, 2, 3, 4, 5, 6, 7, 8",
		    "FeatureVectorizer"),
		 "1 2 3 4 5 6 7 8"},
		{1,
		 ON("float[2]", "1, 2",
		    "FeatureVectorizer <inputdimensions = [3]>"),
		 "1 2 0"},
		{1,
		 "() => (string y) <string[2] x = {\"p\", \"q\"}, int64[1,3] i "
		 "= {1, 0, 1}> { y = ai.onnx.ml.ArrayFeatureExtractor (x, i) }",
		 "q p q"},
		{1,
		 "() => (int64 y) <float[2,2] x = {1, 2, 3, 4}, int64[3] i = "
		 "{1, 0, 1}> { z = ai.onnx.ml.ArrayFeatureExtractor (x, i) y "
		 "= Shape (z) }",
		 "2 3"},
	};

	RUN(cases);
}

Test(ml, categories)
{
	static const struct run cases[] = {
		/* the last of equal keys, whatever their sign of zero */
		{4,
		 ON("float[3]", "0, -0.0, 2",
		    "LabelEncoder <keys_floats = [0.0, 1.0, -0.0], "
		    "values_strings = [\"a\", \"b\", \"c\"]>"),
		 "c c _Unused"},
		{4,
		 ON("int32[3]", "3, 1, 4",
		    "LabelEncoder <keys_tensor = int32[2] {1, 3}, "
		    "values_tensor = int16[2] {10, 30}>"),
		 "30 10 -1"},
		{4,
		 ON("int16[2]", "3, 1",
		    "LabelEncoder <keys_tensor = int16[2] {1, 2}, "
		    "values_tensor = double[2] {0.5, 1.5}, default_tensor = "
		    "double[1] {9}>"),
		 "9 0.5"},
		{2,
		 ON("string[2]", "\"q\", \"\"",
		    "LabelEncoder <keys_strings = [\"\", \"p\"], values_floats "
		    "= [1.5, 2.5]>"),
		 "-0 1.5"},
		{2,
		 "() => (int64 y) <float[2] a = {1, 0}> { x = Div (a, a) y = "
		 "ai.onnx.ml.OneHotEncoder <cats_int64s = [0, 1]> (x) }",
		 "0 1 0 0"},
		{4,
		 "() => (int64 y) <float[2] a = {1, 0}> { x = Div (a, a) k = "
		 "Identity (x) y = ai.onnx.ml.LabelEncoder <keys_floats = "
		 "[1.0], values_int64s = [5]> (x) }",
		 "5 -1"},
		{1,
		 ON("int32[2]", "2, 7", "OneHotEncoder <cats_int64s = [7, 2]>"),
		 "0 1 1 0"},
		{1,
		 ON("double[2]", "2.9, 1e30",
		    "OneHotEncoder <cats_int64s = [2]>"),
		 "1 0"},
		{1, ON("float", "2", "OneHotEncoder <cats_int64s = [1, 2]>"),
		 "0 1"},
		{1,
		 ON("int64[1]", "3",
		    "OneHotEncoder <cats_int64s = [1], zeros = 0>"),
		 NULL},
		{1,
		 ON("int64[3]", "-1, 0, 5",
		    "LabelEncoder <classes_strings = [\"a\"], default_string = "
		    "\"no\">"),
		 "no a no"},
	};

	RUN(cases);
}

Test(ml, maps)
{
#define ZIP(dims, values, attrs)                                          \
	"() => (seq(map(string, float)) y) <float[" dims "] x = {" values \
	"}> { y = ai.onnx.ml.ZipMap <" attrs "> (x) }"
#define FIRST(values, attrs, rest)                                            \
	"() => (float y) <float[1,3] x = {" values "}, int64 i = {0}> { s = " \
	"ai.onnx.ml.ZipMap <" attrs "> (x) m = SequenceAt (s, i) y = "        \
	"ai.onnx.ml." rest " (m) }"
	static const struct run cases[] = {
		{1,
		 ZIP("2,2", "1, 2, 3, 4",
		     "classlabels_strings = [\"b\", \"a\"]"),
		 "b a: 1 2, b a: 3 4"},
		{1, ZIP("2", "1, 2", "classlabels_int64s = [5, -6]"),
		 "5 -6: 1 2"},
		{1, ZIP("0,1", "", "classlabels_int64s = [5]"), ""},
		{1, ZIP("2", "1, 2", "classlabels_int64s = [5]"), NULL},
		{1, ZIP("2", "1, 2", "classlabels_int64s = [5, 5]"), NULL},
		{1, ZIP("2", "1, 2", "foo = 1"), NULL},
		{1,
		 FIRST("1, 2, -3.75", "classlabels_int64s = [4, 0, -1]",
		       "CastMap <cast_to = \"TO_INT64\">"),
		 "-3 2 1"},
		{1,
		 FIRST("1, 2, -3.75", "classlabels_int64s = [4, 0, 2]",
		       "CastMap <cast_to = \"TO_STRING\", map_form = "
		       "\"SPARSE\", max_map = 6>"),
		 "2.000000 0.f -3.750000 0.f 1.000000 0.f"},
		{1,
		 FIRST("1, 2, 3", "classlabels_int64s = [4, 0, 2]",
		       "CastMap <map_form = \"SPARSE\", max_map = 4>"),
		 NULL},
		{1,
		 FIRST("1, 2, 3", "classlabels_int64s = [4, 0, 2]",
		       "CastMap <map_form = \"SPARSE\", max_map = "
		       "9223372036854775807>"),
		 NULL},
		{1,
		 FIRST("1, 2, 3", "classlabels_int64s = [4, 0, -2]",
		       "CastMap <map_form = \"SPARSE\", max_map = 9>"),
		 NULL},
		{1,
		 FIRST("1, 2, 3", "classlabels_strings = [\"a\", \"b\", \"c\"]",
		       "CastMap"),
		 NULL},
		{1,
		 FIRST("1, 2, 3", "classlabels_strings = [\"a\", \"b\", \"c\"]",
		       "DictVectorizer <string_vocabulary = [\"c\", \"x\", "
		       "\"a\", \"c\"]>"),
		 "3 0 1 3"},
		{1,
		 FIRST("1, 2, 3", "classlabels_strings = [\"a\", \"b\", \"c\"]",
		       "DictVectorizer <int64_vocabulary = [1]>"),
		 NULL},
		{1,
		 "() => (float y) <float[1] x = {1}> { y = "
		 "ai.onnx.ml.CastMap (x) }",
		 NULL},
	};

	RUN(cases);
}

Test(ml, linear_and_vectors)
{
	static const struct run cases[] = {
		/* no intercepts; PROBIT of both */
		{1,
		 XY("2,1", "1, -2",
		    "LinearClassifier <coefficients = [1.0, 0.5], "
		    "classlabels_ints = [7, 8]>"),
		 "7 8 | 1 0.5 -2 -1"},
		{1,
		 XY("1,1", "0.75",
		    "LinearClassifier <coefficients = [1.0], "
		    "classlabels_ints = [7, 8], post_transform = \"PROBIT\">"),
		 "8 | -0.67457 0.67457"},
		{1,
		 ON("double[2,2]", "1, 2, 3, 4",
		    "LinearRegressor <coefficients = [1.0, 10.0]>"),
		 "21 43"},
		{1,
		 ON("int32[2]", "1, 2",
		    "SVMRegressor <coefficients = [1.0, 10.0], rho = [0.5]>"),
		 "21.5"},
		{1,
		 ON("float[1,2]", "1, 2",
		    "LinearRegressor <coefficients = [1.0]>"),
		 NULL},
		{1,
		 ON("float[1,2]", "1, 2",
		    "LinearRegressor <coefficients = [1.0, 2.0], targets = "
		    "9223372036854775807>"),
		 NULL},
		{1,
		 ON("float[1,0]", "", "LinearRegressor <coefficients = [1.0]>"),
		 NULL},
		{1, ON("float", "1", "LinearRegressor <coefficients = [1.0]>"),
		 NULL},
		{1,
		 XY("1,1", "1",
		    "LinearClassifier <coefficients = [1.0, 2.0, 3.0], "
		    "classlabels_ints = [7, 8]>"),
		 NULL},
		{1,
		 XY("1,1", "1",
		    "LinearClassifier <coefficients = [1.0, 2.0], intercepts "
		    "= [1.0], classlabels_ints = [7, 8]>"),
		 NULL},
		{1,
		 XY("1,1", "1",
		    "LinearClassifier <coefficients = [1.0, 2.0], "
		    "post_transform = \"X\", classlabels_ints = [7, 8]>"),
		 NULL},
		{1,
		 XY("1,1", "1",
		    "SVMClassifier <coefficients = [1.0, 2.0], rho = [1.0], "
		    "support_vectors = [1.0, 2.0], vectors_per_class = "
		    "[3, -1], classlabels_ints = [7, 8]>"),
		 NULL},
		{1,
		 XY("1,1", "1",
		    "SVMClassifier <coefficients = [1.0, 2.0], rho = [1.0], "
		    "support_vectors = [1.0, 2.0], vectors_per_class = "
		    "[9223372036854775807, 1], classlabels_ints = [7, 8]>"),
		 NULL},
		{1,
		 XY("1,1", "1",
		    "SVMClassifier <coefficients = [1.0, 2.0], rho = [1.0], "
		    "support_vectors = [1.0, 2.0], vectors_per_class = [1, 1], "
		    "kernel_params = [1.0], classlabels_ints = [7, 8]>"),
		 NULL},
		{1,
		 XY("1,1", "1",
		    "SVMClassifier <coefficients = [1.0, 2.0], rho = [1.0], "
		    "support_vectors = [1.0, 2.0], vectors_per_class = [1, 1], "
		    "prob_a = [1.0], classlabels_ints = [7, 8]>"),
		 NULL},
		{1,
		 ON("float[1]", "1",
		    "SVMRegressor <coefficients = [1.0], rho = [0.5], "
		    "n_supports = 9223372036854775807, support_vectors = "
		    "[1.0]>"),
		 NULL},
		{1,
		 ON("string[1]", "\"a\"",
		    "SVMRegressor <coefficients = [1.0], rho = [0.5]>"),
		 NULL},
	};

	RUN(cases);
}

/* ---- shape functions ---- */

struct type_case {
	int ml;
	const char *in, *body; /* y is the output */
	const char *type;
};

static void check_type(const struct type_case *c)
{
	struct buf text = {0}, got = {0};
	struct diag d;
	struct model *m;

	buf_printf(&text,
		   "<ir_version: 10, opset_import: [\"\" : 18, "
		   "\"ai.onnx.ml\" : %d]>\ng (%s) => (y) { %s }",
		   c->ml, c->in, c->body);
	diag_init(&d, NULL);
	m = model_parse(&d, "test", (struct str){text.p, text.n});
	cr_assert(m, "%s: %s", d.last.p, c->body);
	cr_expect_eq(model_infer(m), OK, "%s: %s", c->body, d.last.p);
	type_print(m, &got, m->main->ret->in[0].v->type);
	cr_expect_str_eq(got.p, c->type, "%s, expected %s: %s", got.p, c->type,
			 c->body);
	model_free(m);
	diag_release(&d);
	buf_release(&text);
	buf_release(&got);
}

Test(ml, types)
{
#define ML "ai.onnx.ml."
	static const struct type_case cases[] = {
		{1, "double[N,3] x", "y = " ML "Scaler (x)", "float[N,3]"},
		{1, "int32[N,3] x", "y = " ML "Binarizer (x)", "int32[N,3]"},
		{1, "float[4] x, int64[K] i",
		 "y = " ML "ArrayFeatureExtractor (x, i)", "float[1,K]"},
		{1, "float[N,4] a, int32[N,2,3] b",
		 "y = " ML "FeatureVectorizer (a, b)", "float[N,10]"},
		{1, "float[N,4] a",
		 "y = " ML "FeatureVectorizer <inputdimensions = [9]> (a)",
		 "float[N,9]"},
		{1, "string[N] x",
		 "y = " ML "OneHotEncoder <cats_strings = [\"a\", \"b\"]> (x)",
		 "float[N,2]"},
		{1, "string[N,1] x", "y = " ML "LabelEncoder (x)",
		 "int64[N,1]"},
		{1, "int64[N,1] x", "y = " ML "CategoryMapper (x)",
		 "string[N,1]"},
		{4, "string[N] x",
		 "y = " ML
		 "LabelEncoder <keys_strings = [\"a\"], values_tensor "
		 "= int16[1] {1}> (x)",
		 "int16[N]"},
		{1, "float[N,F] x",
		 "l, y = " ML "LinearClassifier <coefficients = [1.0], "
		 "intercepts = [1.0], classlabels_ints = [1, 2]> (x)",
		 "float[N,2]"},
		{1, "float[N,F] x",
		 "y, z = " ML "SVMClassifier <classlabels_strings = [\"a\", "
		 "\"b\"]> (x)",
		 "string[N]"},
		{1, "float[N,F] x",
		 "l, y = " ML "SVMClassifier <classlabels_ints = [1,2,3,4], "
		 "vectors_per_class = [1,1,1,1]> (x)",
		 "float[N,6]"},
		{1, "float[F] x", "y = " ML "SVMRegressor (x)", "float[1,1]"},
		{1, "float[N,F] x",
		 "l, y = " ML "TreeEnsembleClassifier <classlabels_int64s = "
		 "[1,2,3]> (x)",
		 "float[N,3]"},
		{5, "double[N,F] x",
		 "y = " ML "TreeEnsemble <n_targets = 4> (x)", "double[N,4]"},
		{1, "float[N,2] x",
		 "y = " ML "ZipMap <classlabels_int64s = [1, 2]> (x)",
		 "seq(map(int64, float[]))"},
		{1, "map(string, double) x",
		 "y = " ML "DictVectorizer <string_vocabulary = [\"a\"]> (x)",
		 "double[1,1]"},
		{1, "map(int64, float) x",
		 "y = " ML
		 "CastMap <map_form = \"SPARSE\", max_map = 7, cast_to "
		 "= \"TO_STRING\"> (x)",
		 "string[1,7]"},
	};

	for (size_t i = 0; i < countof(cases); i++)
		check_type(&cases[i]);
}

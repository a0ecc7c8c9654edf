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

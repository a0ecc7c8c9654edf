/* SPDX-License-Identifier: MIT */
/*
 * t_ml.c -- the operators of ai.onnx.ml where ONNX Runtime is no judge: what
 * it does not run or computes otherwise than specified, and refusals.
 * tests/models/ml.py compares all else.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/runtime.h"

/* A model's graph after its name, run without inputs. */
struct run {
	int ml; /* opset of ai.onnx.ml */
	const char *graph;
	const char *want; /* results, outputs apart by " | "; NULL: refused */
};

static void put_tensor(struct buf *b, const struct array *a)
{
	for (int64_t i = 0; i < a->n; i++) {
		if (i)
			buf_putc(b, ' ');
		if (a->dt == DT_STRING)
			buf_escaped(b, ((const struct str *)a->data)[i]);
		else
			buf_printf(b, "%.5g",
				   dtype_get(a->dt, a->data, (size_t)i));
	}
}

static void put_value(struct buf *b, const struct array *a)
{
	if (a->kind == ARR_TENSOR) {
		put_tensor(b, a);
		return;
	}
	for (uint32_t i = 0; i < a->nitem; i++) {
		if (i)
			buf_puts(b, a->kind == ARR_MAP ? ": " : ", ");
		put_value(b, a->item[i]);
	}
}

/* "" with *st for a failure. */
static char *run_graph(const struct run *r, enum exec_set set, enum status *st)
{
	struct exec_opts o = {.set = set};
	struct array *out[4] = {0};
	struct buf text = {0}, got = {0};
	struct diag d;
	struct model *m;
	struct exec *e;
	uint32_t n;

	buf_printf(&text,
		   "<ir_version: 10, opset_import: [\"\" : 18, "
		   "\"ai.onnx.ml\" : %d]>\ng %s",
		   r->ml, r->graph);
	diag_init(&d, NULL);
	m = model_parse(&d, "test", (struct str){text.p, text.n});
	cr_assert(m, "%s: %s", d.last.p, r->graph);
	n = m->main->ret->nin;
	cr_assert_leq(n, countof(out));
	e = exec_create(m, &o);
	*st = e ? exec_run(e, NULL, out) : BAD_MODEL;
	if (*st)
		cr_assert_gt(d.nerror, 0, "no message: %s", r->graph);
	if (!*st) { /* again, with what the node keeps */
		for (uint32_t i = 0; i < n; i++)
			array_unref(out[i]);
		*st = exec_run(e, NULL, out);
	}
	buf_puts(&got, "");
	for (uint32_t i = 0; !*st && i < n; i++) {
		if (i)
			buf_puts(&got, " | ");
		put_value(&got, out[i]);
		array_unref(out[i]);
	}
	exec_free(e);
	model_free(m);
	diag_release(&d);
	buf_release(&text);
	return got.p ? got.p : xstrdup("");
}

static void run_all(const struct run *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int set = EXEC_FAST; set <= EXEC_REFERENCE; set++) {
			enum status st;
			char *got = run_graph(&r[i], (enum exec_set)set, &st);

			if (r[i].want)
				cr_expect(!st && !strcmp(got, r[i].want),
					  "'%s', expected '%s': %s", got,
					  r[i].want, r[i].graph);
			else
				cr_expect(st && st != INTERNAL,
					  "accepted, gives '%s': %s", got,
					  r[i].graph);
			free(got);
		}
}

#define RUN(list) run_all(list, countof(list))

/* { y = op(x) } with x of a type and values. */
#define ON(type, values, op)                              \
	"() => (float y) <" type " x = {" values "}> { y" \
	" = ai.onnx.ml." op " (x) }"

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

#define LABELS "() => (int64 l, float y) "
#define XY(dims, values, op)                                \
	LABELS "<float[" dims "] x = {" values "}> { l, y " \
	       "= ai.onnx.ml." op " (x) }"

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

/* ---- trees ---- */

/* One node, which tests feature 0 against t; leaves 1 (true) and 2. */
#define STUMP(mode, t)                                                 \
	"nodes_treeids = [0,0,0], nodes_nodeids = [0,1,2], "           \
	"nodes_featureids = [0,0,0], nodes_values = [" t ",0.0,0.0], " \
	"nodes_modes = [\"" mode "\",\"LEAF\",\"LEAF\"], "             \
	"nodes_truenodeids = [1,0,0], nodes_falsenodeids = [2,0,0]"
#define REG(nodes, more)                                                \
	"TreeEnsembleRegressor <" nodes ", target_treeids = [0,0], "    \
	"target_nodeids = [1,2], target_ids = [0,0], target_weights = " \
	"[1.0, 2.0], n_targets = 1" more ">"
#define CLS(ids, weights, more)                                      \
	"TreeEnsembleClassifier <" STUMP(                            \
		"BRANCH_LEQ", "0.5") ", class_treeids = [0,0,0,0], " \
				     "class_nodeids = [1,1,2,2], "   \
				     "class_ids = " ids              \
				     ", class_weights = " weights more ">"

/* -inf, 1, 2, inf, NaN */
#define EDGES(op)                                                           \
	"() => (float y) <float[5,1] a = {-1, 1, 2, 1, 0}, float[5,1] b = " \
	"{0, 1, 1, 0, 0}> { x = Div (a, b) y = ai.onnx.ml." op " (x) }"

Test(ml, tree_modes)
{
	static const struct run cases[] = {
		{1, EDGES(REG(STUMP("BRANCH_LEQ", "1.0"), "")), "1 1 2 2 2"},
		{1, EDGES(REG(STUMP("BRANCH_LT", "1.0"), "")), "1 2 2 2 2"},
		{1, EDGES(REG(STUMP("BRANCH_GTE", "1.0"), "")), "2 1 1 1 2"},
		{1, EDGES(REG(STUMP("BRANCH_GT", "1.0"), "")), "2 2 1 1 2"},
		{1, EDGES(REG(STUMP("BRANCH_EQ", "1.0"), "")), "2 1 2 2 2"},
		{1, EDGES(REG(STUMP("BRANCH_NEQ", "1.0"), "")), "1 2 1 1 1"},
		{1,
		 EDGES(REG(STUMP("BRANCH_GT", "1.0"),
			   ", nodes_missing_value_tracks_true = [1,0,0]")),
		 "2 2 1 1 1"},
		{1,
		 EDGES(REG(STUMP("BRANCH_LT", "1.0"),
			   ", nodes_missing_value_tracks_true = [1,0,0]")),
		 "1 2 2 2 1"},
		{1, EDGES(REG(STUMP("BRANCH_LT", "0.0"), "")), "1 2 2 2 2"},
	};

	RUN(cases);
}

/* Version 5: node 0 tests feature 0 against -inf and the like. */
#define V5(mode, split, more)                                              \
	"TreeEnsemble <tree_roots = [0], nodes_featureids = [0], "         \
	"nodes_modes = uint8[1] {" mode "}, nodes_splits = " split ", "    \
	"nodes_truenodeids = [0], nodes_falsenodeids = [1], "              \
	"nodes_trueleafs = [1], nodes_falseleafs = [1], leaf_targetids = " \
	"[0, 1], leaf_weights = float[2] {1, 2}, n_targets = 2" more ">"

Test(ml, trees)
{
	static const struct run cases[] = {
		/* numbers of post_transform: SOFTMAX 1, LOGISTIC 2 */
		{5, ON("float[1,1]", "0", V5("0", "float[1] {1}", "")), "1 0"},
		{5,
		 ON("float[1,1]", "0",
		    V5("0", "float[1] {1}", ", post_transform = 1")),
		 "0.73106 0.26894"},
		{5,
		 ON("float[1,1]", "0",
		    V5("0", "float[1] {1}", ", post_transform = 2")),
		 "0.73106 0.5"},
		{5, ON("float16[2,1]", "0, 2", V5("1", "float16[1] {1}", "")),
		 "1 0 0 2"},
		/* members 0 and 3; the last set may lack its NaN */
		{5,
		 ON("double[3,1]", "0, 2, 3",
		    V5("6", "float[1] {1}",
		       ", membership_values = float[2] {3, 0}")),
		 "1 0 0 2 1 0"},
		/* votes for both classes: the larger wins */
		{1,
		 XY("2,1", "0, 1",
		    CLS("[0,1,0,1]", "[0.75, 0.25, 0.25, 0.75]",
			", classlabels_int64s = [10, 20]")),
		 "10 20 | 0.75 0.25 0.25 0.75"},
		/* base values of both classes count */
		{1,
		 XY("1,1", "0",
		    CLS("[0,0,0,0]", "[0.5, 0.5, 0.5, 0.5]",
			", base_values = [0.5, 1.75], classlabels_int64s = "
			"[10, 20]")),
		 "20 | 1.5 1.75"},
		/* several votes of a leaf for one target add up */
		{1,
		 XY("1,1", "0",
		    CLS("[2,2,0,1]", "[0.5, 0.75, 0.5, 0.5]",
			", classlabels_int64s = [1, 2, 3]")),
		 "3 | 0 0 1.25"},
		/* a single class */
		{1,
		 XY("2,1", "0, 1",
		    CLS("[0,0,0,0]", "[0.5, 0.75, -0.5, -0.5]",
			", classlabels_int64s = [9]")),
		 "1 0 | 1.25 -1"},
		/* a leaf without votes; ids in no order, two trees */
		{1,
		 ON("float[2,1]", "0, 1",
		    "TreeEnsembleRegressor <n_targets = 1, nodes_treeids = "
		    "[5,5,5,3], nodes_nodeids = [7,2,9,0], nodes_featureids = "
		    "[0,0,0,0], nodes_values = [0.5,0.0,0.0,0.0], nodes_modes "
		    "= [\"BRANCH_LEQ\",\"LEAF\",\"LEAF\",\"LEAF\"], "
		    "nodes_truenodeids = [2,0,0,0], nodes_falsenodeids = "
		    "[9,0,0,0], target_treeids = [3,5], target_nodeids = "
		    "[0,9], target_ids = [0,0], target_weights = [8.0, 1.0]>"),
		 "8 9"},
		{1, ON("float[0,1]", "", REG(STUMP("BRANCH_LEQ", "1.0"), "")),
		 ""},
		{1, ON("float[1]", "3", REG(STUMP("BRANCH_LEQ", "1.0"), "")),
		 "2"},
	};

	RUN(cases);
}

#define BAD5(roots, feature, yes, no, leafs, targets)                       \
	"TreeEnsemble <tree_roots = " roots ", nodes_featureids = " feature \
	", nodes_modes = uint8[2] {0, 0}, nodes_splits = float[2] {1, 2}, " \
	"nodes_truenodeids = " yes ", nodes_falsenodeids = " no             \
	", nodes_trueleafs = " leafs ", nodes_falseleafs = [1, 1], "        \
	"leaf_targetids = " targets ", leaf_weights = float[2] {1, 2}, "    \
	"n_targets = 2>"

Test(ml, trees_refused)
{
#define X1(op) ON("float[1,2]", "1, 2", op)
	static const struct run cases[] = {
		{5,
		 X1(BAD5("[0]", "[0,1]", "[1,0]", "[0,1]", "[0,1]", "[0,1]")),
		 "1 0"},
		{5,
		 X1(BAD5("[0]", "[0,1]", "[1,0]", "[0,1]", "[0,0]", "[0,1]")),
		 NULL}, /* a cycle */
		{5,
		 X1(BAD5("[0]", "[0,1]", "[0,0]", "[0,1]", "[0,1]", "[0,1]")),
		 NULL}, /* itself */
		{5,
		 X1(BAD5("[2]", "[0,1]", "[1,0]", "[0,1]", "[0,1]", "[0,1]")),
		 NULL},
		{5,
		 X1(BAD5("[-1]", "[0,1]", "[1,0]", "[0,1]", "[0,1]", "[0,1]")),
		 NULL},
		{5,
		 X1(BAD5("[0]", "[0,2]", "[1,0]", "[0,1]", "[0,1]", "[0,1]")),
		 NULL},
		{5,
		 X1(BAD5("[0]", "[0,-1]", "[1,0]", "[0,1]", "[0,1]", "[0,1]")),
		 NULL},
		{5, X1(BAD5("[0]", "[0]", "[1,0]", "[0,1]", "[0,1]", "[0,1]")),
		 NULL},
		{5,
		 X1(BAD5("[0]", "[0,1]", "[2,0]", "[0,1]", "[0,1]", "[0,1]")),
		 NULL},
		{5,
		 X1(BAD5("[0]", "[0,1]", "[1,0]", "[0,2]", "[0,1]", "[0,1]")),
		 NULL},
		{5,
		 X1(BAD5("[0]", "[0,1]", "[1,0]", "[0,1]", "[0,1]", "[0,2]")),
		 NULL},
		{5,
		 X1(BAD5("[0]", "[0,1]", "[1,0]", "[0,1]", "[0,1]", "[0,-1]")),
		 NULL},
		{5, X1(V5("7", "float[1] {1}", "")), NULL},
		{5, X1(V5("6", "float[1] {1}", "")), NULL},
		{5, X1(V5("0", "float[2] {1, 2}", "")), NULL},
		{5, X1(V5("0", "string[1] {\"a\"}", "")), NULL},
		{5, X1(V5("0", "float[1] {1}", ", aggregate_function = 4")),
		 NULL},
		{5, X1(V5("0", "float[1] {1}", ", post_transform = -1")), NULL},
		{5,
		 X1(V5("0", "float[1] {1}",
		       ", membership_values = float[1] {1}")),
		 NULL},
		{1, X1(REG(STUMP("BRANCH_LE", "1.0"), "")), NULL},
		{1,
		 X1(REG(STUMP("BRANCH_LT", "1.0"),
			", aggregate_function = \"X\"")),
		 NULL},
		{1,
		 X1(REG(STUMP("BRANCH_LT", "1.0"),
			", base_values = [1.0, 2.0]")),
		 NULL},
		{1,
		 X1(REG(STUMP("BRANCH_LT", "1.0"),
			", nodes_missing_value_tracks_true = [1]")),
		 NULL},
		{1, X1(REG(STUMP("BRANCH_LT", "1.0, 2.0"), "")), NULL},
		{1, X1("TreeEnsembleRegressor <n_targets = 1>"), NULL},
		{1,
		 ON("float[1,2,1]", "1, 2", REG(STUMP("BRANCH_LT", "1.0"), "")),
		 NULL},
		{1, ON("string[1]", "\"\"", REG(STUMP("BRANCH_LT", "1.0"), "")),
		 NULL},
		{1, ON("float[1,0]", "", REG(STUMP("BRANCH_LT", "1.0"), "")),
		 NULL},
		{1,
		 XY("1,1", "0",
		    CLS("[0,0,0,3]", "[0.5, 0.5, 0.5, 0.5]",
			", classlabels_int64s = [1, 2, 3]")),
		 NULL},
		{1,
		 XY("1,1", "0", CLS("[0,0,0,0]", "[0.5, 0.5, 0.5, 0.5]", "")),
		 NULL},
	};

	RUN(cases);
}

/* Rows do not depend on their neighbours, nor on the threads. */
Test(ml, rows_apart)
{
	struct buf graph = {0};
	struct run r = {.ml = 1};
	enum status st;
	char *one, *many;

	buf_puts(&graph, "() => (float y) <float[9001,1] x = {");
	for (int i = 0; i < 9001; i++)
		buf_printf(&graph, "%s%d.%d", i ? ", " : "", i % 3, i % 7);
	buf_puts(&graph, "}> { y = ai.onnx.ml." REG(STUMP("BRANCH_GT", "1.25"),
						    "") " (x) }");
	r.graph = graph.p;
	pool_set_threads(1);
	one = run_graph(&r, EXEC_FAST, &st);
	cr_assert_eq(st, OK);
	pool_set_threads(3);
	many = run_graph(&r, EXEC_FAST, &st);
	pool_set_threads(1);
	cr_assert_str_eq(one, many);
	for (size_t i = 0; i < 9001; i++) {
		int tenths = (int)(i % 3) * 10 + (int)(i % 7);

		cr_assert_eq(one[2 * i], tenths > 12 ? '1' : '2', "row %zu", i);
	}
	free(one);
	free(many);
	buf_release(&graph);
}

/* SPDX-License-Identifier: MIT */
/*
 * t_ml_tree.c -- tree ensembles where ONNX Runtime is no judge, and those
 * that are refused.
 */
#include "tests/unit/ml_run.h"

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

Test(ml_tree, tree_modes)
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

Test(ml_tree, trees)
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

Test(ml_tree, trees_refused)
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
Test(ml_tree, rows_apart)
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

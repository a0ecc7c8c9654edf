/* SPDX-License-Identifier: MIT */
/*
 * ml_tree_p.h -- tree ensembles made ready: one array of nodes.
 *
 * A forest is built once per node from the attributes of TreeEnsemble or of
 * the older TreeEnsemble*, checked while it is built, and kept with the node.
 */
#ifndef RUNTIME_KERNELS_ML_TREE_P_H
#define RUNTIME_KERNELS_ML_TREE_P_H

#include "runtime/kernels/ml/ml_p.h"

/* How a node decides; all orders become "at most" when the forest is built. */
enum tree_kind { TREE_AT_MOST, TREE_EQUAL, TREE_UNEQUAL, TREE_MEMBER };

/*
 * The next node is child[x <= t].  A leaf has itself as both children, so
 * that rows which arrive early may go on.  nan: child[1] if x is NaN.
 */
struct tree_node {
	double t;
	uint32_t feature;
	uint32_t child[2];
	unsigned kind : 2, nan : 1, leaf : 1;
	unsigned number : 28; /* of the leaf, or of the set */
};

struct tree_vote {
	double weight;
	int64_t target;
};

/* A set or the votes of a leaf: [first[i], first[i + 1]) */
struct tree_ranges {
	size_t *first;
	size_t n;
};

struct forest {
	enum status status; /* not OK: the attributes are wrong */
	size_t nnode, nroot;
	struct tree_node *node;
	uint32_t *root;
	struct tree_ranges leaf, set;
	struct tree_vote *vote;
	double *member;   /* each set sorted */
	int64_t targets;  /* what votes are for: classes or targets */
	int64_t nfeature; /* largest feature number + 1 */
	int64_t voted;    /* the one target that all votes are for, or -1 */
	bool positive;    /* no vote is below 0 */
	bool ordered;     /* no kind but TREE_AT_MOST */
};

/* ---- inside (ml_tree_read.c, ml_tree_build.c) ---- */

/* Attributes of both forms; lists that a form does not have are empty. */
struct tree_source {
	bool v5;
	size_t n, nleaf, nvote;
	struct ml_list tree, id, feature, mode, split, yes, no, missing;
	struct ml_list yes_leaf, no_leaf, roots, members;    /* version 5 */
	struct ml_list vote_tree, vote_node, target, weight; /* weight: both */
};

/* Checks the lengths.  E-attr, E-value. */
enum status tree_source_read(struct kcall *c, struct tree_source *s);

/* ---- for evaluation ---- */

/* The node's forest; E-attr, E-value, E-memory. */
enum status forest_get(struct kcall *c, const struct forest **f);

#endif

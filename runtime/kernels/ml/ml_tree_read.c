/* SPDX-License-Identifier: MIT */
/*
 * ml_tree_read.c -- the list attributes of tree ensembles, and their lengths.
 */
#include <string.h>

#include "runtime/kernels/ml/ml_tree_p.h"

#define TREE_MAX_NODES (1u << 28)

struct spec {
	struct ml_list *to;
	const char *name;
};

static enum status read_all(struct kcall *c, const struct spec *s, size_t n)
{
	enum status st = OK;

	for (size_t i = 0; !st && i < n; i++)
		st = ml_numbers(c, s[i].name, s[i].to);
	return st;
}

static enum status same_lengths(struct kcall *c, const struct spec *s,
				size_t count, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (s[i].to->n != n)
			return kcall_error(c, E_attr,
					   "attribute %s has %zu values, not "
					   "%zu",
					   s[i].name, s[i].to->n, n);
	return OK;
}

static enum status read_old(struct kcall *c, struct tree_source *s)
{
	bool classes = c->node->op->id == OP_ml_TreeEnsembleClassifier;
	const struct spec nodes[] = {
		{&s->tree, "nodes_treeids"},
		{&s->id, "nodes_nodeids"},
		{&s->feature, "nodes_featureids"},
		{&s->yes, "nodes_truenodeids"},
		{&s->no, "nodes_falsenodeids"},
		{&s->mode, "nodes_modes"},
		{&s->split, "nodes_values"},
	};
	const struct spec votes[] = {
		{&s->target, classes ? "class_ids" : "target_ids"},
		{&s->vote_tree, classes ? "class_treeids" : "target_treeids"},
		{&s->vote_node, classes ? "class_nodeids" : "target_nodeids"},
		{&s->weight, classes ? "class_weights" : "target_weights"},
	};
	enum status st = read_all(c, nodes, 5);

	if (!st)
		st = ml_strings(c, "nodes_modes", &s->mode);
	if (!st)
		st = ml_numbers_or_tensor(c, "nodes_values", &s->split);
	if (!st)
		st = read_all(c, votes, 3);
	if (!st)
		st = ml_numbers_or_tensor(c, votes[3].name, &s->weight);
	if (!st)
		st = same_lengths(c, nodes, countof(nodes), s->tree.n);
	if (!st)
		st = same_lengths(c, votes, countof(votes), s->target.n);
	s->n = s->nleaf = s->tree.n;
	s->nvote = s->target.n;
	return st;
}

static enum status read_v5(struct kcall *c, struct tree_source *s)
{
	const struct spec nodes[] = {
		{&s->feature, "nodes_featureids"},
		{&s->yes, "nodes_truenodeids"},
		{&s->no, "nodes_falsenodeids"},
		{&s->yes_leaf, "nodes_trueleafs"},
		{&s->no_leaf, "nodes_falseleafs"},
		{&s->mode, "nodes_modes"},
		{&s->split, "nodes_splits"},
	};
	const struct spec leaves[] = {
		{&s->target, "leaf_targetids"},
		{&s->weight, "leaf_weights"},
	};
	const struct spec others[] = {
		{&s->roots, "tree_roots"},
		{&s->members, "membership_values"},
	};
	enum status st = read_all(c, nodes, countof(nodes));

	if (!st)
		st = read_all(c, leaves, countof(leaves));
	if (!st)
		st = read_all(c, others, countof(others));
	if (!st)
		st = same_lengths(c, nodes, countof(nodes), s->feature.n);
	if (!st)
		st = same_lengths(c, leaves, countof(leaves), s->target.n);
	s->n = s->feature.n;
	s->nleaf = s->nvote = s->target.n;
	return st;
}

enum status tree_source_read(struct kcall *c, struct tree_source *s)
{
	enum status st;

	memset(s, 0, sizeof *s);
	s->v5 = c->node->op->id == OP_ml_TreeEnsemble;
	st = s->v5 ? read_v5(c, s) : read_old(c, s);
	if (!st)
		st = ml_numbers(c, "nodes_missing_value_tracks_true",
				&s->missing);
	if (!st && s->missing.n && s->missing.n != s->n)
		st = kcall_error(c, E_attr,
				 "nodes_missing_value_tracks_true has %zu "
				 "values for %zu nodes",
				 s->missing.n, s->n);
	if (!st && (s->n == 0 || s->n >= TREE_MAX_NODES ||
		    s->nleaf >= TREE_MAX_NODES - s->n))
		st = kcall_error(c, E_value, "%zu nodes and %zu leaves", s->n,
				 s->nleaf);
	return st;
}

/* SPDX-License-Identifier: MIT */
/*
 * prune.h -- setting weights to zero by a criterion, exactly to a target.
 */
#ifndef PRUNE_PRUNE_H
#define PRUNE_PRUNE_H

#include "passes/pass.h"

enum prune_scope { PRUNE_LAYER, PRUNE_GLOBAL, PRUNE_NM };
enum prune_score { SCORE_MAGNITUDE };

struct prune_opts {
	enum prune_scope scope;
	enum prune_score score;
	double sparsity; /* 0..1, of the prunable weights */
	unsigned n, m;   /* PRUNE_NM: n kept of each m */
	const char *const *exclude;
};

struct prune_layer {
	const char *node, *weight;
	int64_t total, zeros;
};

struct prune_report {
	struct prune_layer *layer;
	size_t nlayer;
	int64_t total, zeros;
	struct prune_skip {
		const char *node, *why;
	} * skip;
	size_t nskip;
};

enum status prune(struct model *m, const struct prune_opts *o,
		  struct prune_report *r);

#endif

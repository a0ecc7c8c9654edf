/* SPDX-License-Identifier: MIT */
/*
 * cost.h -- what a model holds and does: counts for reports.
 */
#ifndef IR_COST_H
#define IR_COST_H

#include "ir/ir.h"

struct op_count {
	const char *name; /* "Conv", "com.microsoft.QGemm" */
	uint64_t n;
};

struct cost {
	struct op_count *op; /* sorted by name; Constants not counted */
	size_t nop;
	uint64_t nodes;        /* all subgraphs and functions, no Constants */
	uint64_t params;       /* elements of float/integer weights */
	uint64_t weight_bytes; /* of all constants */
	uint64_t zeros;        /* elements of float weights equal to 0 */
	uint64_t macs;         /* multiply-accumulates where shapes are known;
				  symbolic dims count as 1 */
	uint64_t macs_unknown; /* nodes whose MACs could not be told */
};

/* Needs inferred types.  Arrays live in m's arena. */
void model_cost(struct model *m, struct cost *c);
/* A node with the types of its first inputs and output; NULL: left out. */
struct node_types {
	const struct node *n;
	const struct type *in[4], *out;
};
bool node_macs_of(const struct node_types *t, uint64_t *macs);
/* MACs of one node; false if its shapes are not known well enough. */
bool node_macs(const struct node *n, uint64_t *macs);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * regions_p.h -- between finding the regions where two models differ
 * (regions.c) and running them (region_run.c).
 */
#ifndef PASSES_REGIONS_P_H
#define PASSES_REGIONS_P_H

#include "passes/regions.h"

struct area {
	struct value *a, *b;    /* the roots */
	VEC(struct value *) in; /* boundary, values of b's side */
	bool deep;              /* reaches back to the graph's inputs */
};

/* Two graphs that correspond, and the pairs of graphs around them. */
struct scope {
	struct graph *a, *b;
	struct scope *up;
	struct map names; /* symbol in a -> value of a */
	struct map seen;  /* values of b already followed */
	VEC(struct area *) regions;
	VEC(struct value *) work; /* pairs: a, b, a, b, ... */
};

struct check {
	struct model *a, *b;
	const struct verify_opts *o;
	struct verify_report *r;
	double slack; /* verify_slack() of both */
};

/* The value of a's side that has vb's name in the corresponding graph. */
struct value *region_counterpart(const struct scope *s, const struct value *vb);
/* The boundary of r, walking back from its roots; false if something in
 * between cannot be run or the region is too large. */
bool region_boundary(struct scope *s, struct area *r);
/* Runs the regions of s on both sides and notes differences in k->r. */
void regions_run(struct check *k, struct scope *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * regions.h -- verification without running the whole model.
 */
#ifndef PASSES_REGIONS_H
#define PASSES_REGIONS_H

#include "passes/pass.h"

/* What to multiply tolerances by: models that compute in 16 bits round by that
 * much more. */
double verify_slack(const struct model *m);

/*
 * Walks both models back from their outputs.  Nodes that are equal on both
 * sides need no check; where they differ, the region between values of the
 * same name is cut out of each model and both cuts run on random inputs.
 * Sets r->regions, r->regions_skipped (could not be run) and r->differs.
 */
enum status verify_regions(struct model *original, struct model *result,
			   const struct verify_opts *o,
			   struct verify_report *r);

#endif

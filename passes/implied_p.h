/* SPDX-License-Identifier: MIT */
/*
 * implied_p.h -- conditions that hold in every run that succeeds.
 */
#ifndef PASSES_IMPLIED_P_H
#define PASSES_IMPLIED_P_H

#include "ir/ir.h"

struct implication {
	const struct value *condition;
	const struct graph *graph; /* where it holds, bodies included */
	bool yes;
};

struct implied {
	VEC(struct implication) known;
};

/* Needs types; what it finds is void once the model changes in ways other
 * than taking a branch it names. */
void implied_find(struct implied *out, const struct model *m);
/* Is the condition of the If n known to be *yes? */
bool implied_condition(const struct implied *f, const struct node *n,
		       bool *yes);
void implied_release(struct implied *f);

#endif

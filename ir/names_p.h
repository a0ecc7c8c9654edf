/* SPDX-License-Identifier: MIT */
/*
 * names_p.h -- names of values while text is read: definitions per graph,
 * looked up through the enclosing graphs.
 *
 * One table serves a whole model; nothing is entered or left, so that a use
 * may be resolved after everything was read, whatever the order of the text.
 */
#ifndef IR_NAMES_P_H
#define IR_NAMES_P_H

#include "ir/ir.h"

struct names {
	struct map graph; /* graph -> its number */
	struct map value; /* number << 32 | sym -> value */
};

void names_release(struct names *s); /* a zeroed struct names is empty */
/* Defines v->name in v->graph; false if that graph already has the name. */
bool names_define(struct names *s, struct value *v);
/* The value of that name in g itself; NULL if there is none. */
struct value *names_local(const struct names *s, const struct graph *g,
			  sym name);
/* The same, then in the graphs around g, innermost first. */
struct value *names_find(const struct names *s, const struct graph *g,
			 sym name);

#endif

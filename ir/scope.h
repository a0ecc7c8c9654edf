/* SPDX-License-Identifier: MIT */
/*
 * scope.h -- names of values while a model is read: definitions per graph,
 * looked up through the enclosing graphs.
 *
 * One table serves a whole model; nothing is entered or left, so that a use
 * may be resolved after everything was read, whatever the order of the file.
 */
#ifndef IR_SCOPE_H
#define IR_SCOPE_H

#include "ir/ir.h"

struct scope {
	struct map graph; /* graph -> its number */
	struct map name;  /* number << 32 | sym -> value */
};

void scope_release(struct scope *s); /* a zeroed struct scope is empty */
/* Defines v->name in v->graph; false if that graph already has the name. */
bool scope_define(struct scope *s, struct value *v);
/* The value of that name in g itself; NULL if there is none. */
struct value *scope_local(const struct scope *s, const struct graph *g,
			  sym name);
/* The same, then in the graphs around g, innermost first. */
struct value *scope_find(const struct scope *s, const struct graph *g,
			 sym name);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * names_p.h -- names of values while a file is read.
 *
 * One table serves all graphs of a model; uses are looked up through the
 * graphs around them, whatever the order of the file.
 */
#ifndef ONNX_NAMES_P_H
#define ONNX_NAMES_P_H

#include "ir/ir.h"

struct names {
	struct map graph; /* graph -> its number */
	struct map value; /* number << 32 | name -> value */
};

void names_release(struct names *t); /* a zeroed table is empty */
/* Enter v->name in v->graph; false if that graph already has the name. */
bool names_add(struct names *t, struct value *v);
/* The value of that name in g itself; NULL if there is none. */
struct value *names_local(const struct names *t, const struct graph *g,
			  sym name);
/* The same, then in the graphs around g, innermost first. */
struct value *names_find(const struct names *t, const struct graph *g,
			 sym name);

#endif

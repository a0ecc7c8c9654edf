/* SPDX-License-Identifier: MIT */
/*
 * params_p.h -- an operator's parameters by name, whether this version of it
 * takes them as attributes or as inputs.
 */
#ifndef PASSES_PARAMS_P_H
#define PASSES_PARAMS_P_H

#include "ir/ir.h"

struct rewrite;
struct rw_val;

/* Index of the input of that name; -1: none. */
int param_input(const struct op *op, const char *name);
/* The attribute's type as the schema writes it: 'i' 'f' 's' 't' 'g', upper
 * case for lists; 0: no such attribute. */
char param_attr_kind(const struct op *op, const char *name);
/* Numbers of an attribute or constant input; false if not known.  *n is 0
 * when the parameter is not given. */
bool param_ints(const struct node *n, const char *name, const int64_t **v,
		size_t *count);
/* One number; dflt if not given; false if given but not known. */
bool param_num(const struct node *n, const char *name, double dflt, double *x);
/* Is the parameter given at all? */
bool param_given(const struct node *n, const char *name);
/* Set an attribute from the value of an expression; false if the operator has
 * none of that name or the value does not fit. */
bool param_set_attr(struct rewrite *w, struct node *n, const char *name,
		    const struct rw_val *a);

#endif

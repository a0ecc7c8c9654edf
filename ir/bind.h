/* SPDX-License-Identifier: MIT */
/*
 * bind.h -- what a node calls: a model-local function or an operator.
 */
#ifndef IR_BIND_H
#define IR_BIND_H

#include "ir/ir.h"

/* Fills the empty map with the model's functions; returns NULL, or the first
 * function that is there twice. */
const struct func *bind_index(struct model *m, struct map *funcs);
/* Sets n->op and n->func from type, domain and overload, by the imports in
 * the scope of n.  An operator that is not known passes through. */
void bind_node(struct node *n, const struct map *funcs);

#endif

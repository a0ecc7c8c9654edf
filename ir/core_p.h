/* SPDX-License-Identifier: MIT */
/*
 * core_p.h -- what the files of the IR's core share.
 */
#ifndef IR_CORE_P_H
#define IR_CORE_P_H

#include "ir/ir.h"

/* order numbers: a fresh list has gaps of ORDER_STEP */
#define ORDER_STEP ((uint64_t)1 << 40)
#define ORDER_MAX  ((uint64_t)1 << 63)
#define ORDER_RET  UINT64_MAX

typedef VEC(struct use *) use_vec;

void graph_renumber(struct graph *g);
/* Drop every use that the nodes of g and of its bodies make. */
void graph_release(struct graph *g);
/* Push the bodies of n that n owns. */
void node_push_bodies(const struct node *n, graph_vec *out);
/* The node of g that is user, or whose bodies hold it; NULL: neither. */
struct node *graph_ancestor(const struct graph *g, struct node *user);
void node_clear_attrs(struct node *n);
/* v leaves the model: its value_info entry is dropped by model_finish(). */
void value_gone(struct value *v);
/* A name that nothing in the model has: "BASE_1", lower case. */
/* Names of dims that inference gave (infer/name.c); done: values in `from` to
 * those in `to`, whose symbols have the same numbers. */
void infer_copy_names(struct model *to, const struct model *from,
		      const struct map *done);
sym model_fresh_name(struct model *m, struct str base);

#endif

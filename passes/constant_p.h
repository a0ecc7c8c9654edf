/* SPDX-License-Identifier: MIT */
/*
 * constant_p.h -- constants as passes see them: evaluation without touching
 * the graph, large uniform ones without their bytes, encoded sizes.
 */
#ifndef PASSES_CONSTANT_P_H
#define PASSES_CONSTANT_P_H

#include "ir/ir.h"

/* Sets value.konst of Constant nodes' outputs, and of ConstantOfShape
 * nodes' with a known shape: a splat, which has no bytes. */
void model_find_consts(struct model *m);
/* Same for one new node. */
void node_find_const(struct node *n);

/*
 * Evaluate a pure node on constants; n has nin inputs, which are not looked
 * at.  Uniform inputs of elementwise and data-moving operators give a splat
 * without touching bytes.  out: n->nout entries.  False, quietly: it cannot
 * be evaluated.
 */
bool const_eval(struct node *n, const struct tensor *const *in, uint32_t nin,
		const struct tensor **out);
/* t in another element type, one rounding per element; splats stay splats. */
const struct tensor *const_cast_to(struct model *m, const struct tensor *t,
				   enum dtype dt);
/* A splat of x. */
const struct tensor *const_splat(struct model *m, enum dtype dt, int rank,
				 const int64_t *dim, double x);
bool const_is_splat(const struct tensor *t);
bool const_finite(const struct model *m, const struct tensor *t);
/* The tensor that integer data of a value is known to be; NULL if not. */
const struct tensor *const_of_data(struct value *v);

/*
 * A constant as a value of g, placed before a node: an initializer, a
 * Constant node, or with fill a ConstantOfShape node (shape: a value that
 * holds t's dims already; or NULL).
 */
struct value *const_place(struct graph *g, const struct tensor *t, bool fill,
			  struct value *shape, struct node *before);
/* The shape input of v's ConstantOfShape if it gives t's dims; else NULL. */
struct value *const_shape_of(const struct value *v, const struct tensor *t);
bool const_same_dims(const struct tensor *a, const struct tensor *b);
/* Can g hold initializers of its own?  Function bodies cannot, nor graphs
 * before IR version 4, where they would have to be graph inputs. */
bool const_storable(const struct graph *g);
/* Would const_place make a ConstantOfShape node of it? */
bool const_fillable(const struct graph *g, const struct tensor *t);

/* Encoded bytes, a little pessimistic for what is new: names that are not
 * there yet count as fresh ones. */
size_t node_size(const struct model *m, const struct node *n);
size_t const_size(const struct model *m, const struct tensor *t, sym name);
size_t const_place_size(const struct graph *g, const struct tensor *t, sym name,
			bool fill, const struct value *shape);

/*
 * What removing a node would take along: nodes and constants that have no
 * other users.  keep (may be NULL) is a value that gets the users of the
 * node's outputs.
 */
struct cone {
	VEC(struct node *) node;  /* the node itself first */
	VEC(struct value *) init; /* initializers */
	size_t bytes;
	uint64_t cost;
};
void cone_find(struct cone *c, struct node *n, const struct value *keep);
void cone_release(struct cone *c);
/* Removes all of it; the node's outputs must have no users. */
void cone_remove(struct cone *c);
/* What a node costs: 0 constants, 1 moves, then by weight of arithmetic. */
uint64_t node_cost(const struct node *n);
/* Has a node an effect besides its outputs?  Unknown operators may. */
bool node_removable(const struct node *n);
/* Temporary tensors: forget every blob made since the mark but those whose
 * address is a key of keep. */
size_t scratch_begin(const struct model *m);
void scratch_end(struct model *m, size_t mark, const struct map *keep);

#endif

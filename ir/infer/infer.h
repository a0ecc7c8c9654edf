/* SPDX-License-Identifier: MIT */
/*
 * infer.h -- shape functions: one per operator family, listed in infer.def.
 *
 * A shape function reads the input types through the helpers and sets output
 * types.  It never guesses: what it cannot tell stays unknown.  It checks rank
 * before index and computes dims with dim_*().
 *
 * Element types follow from the schema (formal_output) before a shape
 * function runs; out_shape() keeps them.
 */
#ifndef IR_INFER_INFER_H
#define IR_INFER_INFER_H

#include "ir/ir.h"

enum {
	INFER_MAX_DATA = 4096,       /* elements of propagated integer data */
	INFER_DATA_BUDGET = 1 << 19, /* ... in one model_infer() */
	INFER_MAX_REALS = 64,        /* ... of float data */
	INFER_UNIT = 1 << 16,        /* parts that float elements count in */
	INFER_MAX_RANK = 128,        /* a larger rank is unknown */
	INFER_MAX_DEPTH = 200, /* bodies within bodies, calls within calls */
	INFER_CALL_BUDGET = 1 << 20, /* nodes visited in function bodies */
};

typedef enum status infer_fn(struct node *n);

/* The row for a node's operator version; NULL: nothing known. */
infer_fn *infer_find(const struct op *op);

/* ---- reading inputs ---- */

/* Type of input i: type_unknown() when left out. */
const struct type *in_type(const struct node *n, uint32_t i);
bool in_rank(const struct node *n, uint32_t i, int *rank);
enum dtype in_dtype(const struct node *n, uint32_t i);
/* Dims of a tensor of known rank, else NULL; of rank 0: not NULL. */
const struct dim *in_dims(const struct node *n, uint32_t i, int *rank);
/* Integer data of input i (constant or propagated); false if unknown. */
bool in_data(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count);
/* As in_data of a float or double tensor; elements in 1/INFER_UNIT, those that
 * are no multiple of it are unknown. */
bool in_real(const struct node *n, uint32_t i, const struct dim **d,
	     uint32_t *count);
/* As in_data with every element a number. */
bool in_ints(const struct node *n, uint32_t i, const int64_t **v,
	     uint32_t *count);
/* The constant that input i is, or NULL. */
const struct tensor *in_const(const struct node *n, uint32_t i);
bool in_given(const struct node *n, uint32_t i);
/* Element count of a rank-1 (or rank-0) input, if known and sane. */
bool in_length(const struct node *n, uint32_t i, uint32_t *count);
struct model *node_model(const struct node *n);
/* Zeroed space for as long as this node is inferred; may be of size 0. */
void *scratch(const struct node *n, size_t count, size_t size);
/* Scratch for rank dims; not NULL for rank 0. */
struct dim *dims_new(const struct node *n, size_t rank);
struct dim *dims_copy(const struct node *n, const struct dim *d, size_t rank);
struct dim dim_none(void); /* unknown */
/* dims[from, to) multiplied. */
struct dim infer_product(struct model *m, const struct dim *d, size_t from,
			 size_t to);
/* The one of two equal dims that says more; false if they contradict. */
bool dim_join(struct dim a, struct dim b, struct dim *r);

/* Attribute `axis` of a node for a given rank, checked; E-shape. */
enum status axis_attr(const struct node *n, const char *name, int64_t dflt,
		      int rank, int *axis);
enum status axis_check(const struct node *n, int64_t axis, int rank, int *out);
/*
 * Axes of attribute `name` or of input `input` (ARITY_ANY: attribute only)
 * made non-negative for the rank.  *known is false if they come from data
 * that is not known; *count 0: none given.
 */
enum status axes_of(const struct node *n, const char *name, uint32_t input,
		    int rank, bool *known, const int **axes, size_t *count);

/* ---- writing outputs ---- */

/* Merge a computed type into output i; E-type / E-shape on conflict. */
enum status out_type(struct node *n, uint32_t i, const struct type *t);
/* type_merge() of an inferred type with a declared one, but that a dim which
 * follows from the symbols of the model's inputs keeps them: a number declared
 * in its place often is only what the exporter's example had. */
const struct type *infer_meet(struct model *m, const struct type *t,
			      const struct type *decl);
enum status out_tensor(struct node *n, uint32_t i, enum dtype dt, int rank,
		       const struct dim *dim);
enum status out_same(struct node *n, uint32_t i, const struct type *t);
/* Shape alone; the element type stays what the schema said. */
enum status out_shape(struct node *n, uint32_t i, int rank,
		      const struct dim *dim);
/* A rank without dims. */
enum status out_rank(struct node *n, uint32_t i, int rank);
/* Element type alone. */
enum status out_dtype(struct node *n, uint32_t i, enum dtype dt);
/* The shape of input k, if known. */
enum status out_shape_of(struct node *n, uint32_t i, uint32_t k);
void out_data(struct node *n, uint32_t i, const struct dim *d, uint32_t count);
/* A contradiction within the node. */
enum status infer_error(const struct node *n, enum diag_code code,
			const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Multidirectional broadcast; unknown where not provable; E-shape.
 * *rank is -1 if an input's rank is unknown. */
enum status broadcast_types(struct node *n, const uint32_t *in, size_t nin,
			    int *rank, struct dim **dim);
enum status infer_broadcast_dims(struct node *n, const struct dim *a, int ra,
				 const struct dim *b, int rb, int *rank,
				 struct dim **dim);

/* ---- names of open dims (name.c) ---- */

/* Gives each unknown dim of a tensor a symbol that stays the value's. */
void infer_name_dims(struct value *v);
void infer_name_outputs(struct node *n);
/* Without what was named in a body: its symbols mean nothing outside. */
struct dim dim_leave(struct dim d, const struct graph *body);
const struct type *type_leave(const struct type *t, const struct graph *body);

/* ---- the walk ---- */

/* Types of all nodes of a graph and of its outputs, in list order. */
enum status infer_graph(struct graph *g);
/* Forgets what was inferred in a graph and its bodies. */
void infer_reset(struct graph *g);
/* The most that holds for values of either type. */
const struct type *type_join(struct model *m, const struct type *a,
			     const struct type *b);
enum status infer_call(struct node *n); /* call.c */
enum status infer_calls_finish(struct model *m);
void infer_data(struct node *n); /* data.c */
/* Is an element other than 0?  False if that cannot be told. */
bool infer_nonzero_element(struct model *m, struct dim d, bool *is);

/* May count more elements be kept?  Takes them from the budget. */
bool data_budget(const struct model *m, int64_t count);

/* State of a running model_infer() (struct model has a pointer to it). */
struct infer {
	struct map inputs; /* symbols in the types of the main inputs */
	struct map call;   /* func -> struct callee, see call.c */
	struct arena scratch;
	uint64_t ndata;   /* elements kept so far */
	uint64_t visited; /* nodes of function bodies so far */
	int depth;        /* of calls */
	bool last;        /* bodies once more, with common types */
};

#define INFER(op, since, fn) infer_fn fn;
#include "ir/infer/infer.def"
#undef INFER

#endif

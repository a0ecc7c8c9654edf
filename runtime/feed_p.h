/* SPDX-License-Identifier: MIT */
/*
 * feed_p.h -- the inside of input generation: sizes first, then ranges, then
 * values.
 *
 * All work is done on a private clone of the model whose inputs get concrete
 * types, so that shape inference can tell which sizes and indices are legal.
 */
#ifndef RUNTIME_FEED_P_H
#define RUNTIME_FEED_P_H

#include "runtime/runtime.h"

/* Where a dynamic dim stands, which says what sizes are usual for it. */
enum feed_class { FEED_BATCH, FEED_SEQ, FEED_SPATIAL, FEED_CLASSES };

/* One dynamic size: a dim name of the model, or a dim without a name. */
struct feed_var {
	sym name;
	bool unnamed;
	uint32_t input, axis; /* where it appears first */
	enum feed_class cls;
	struct dim is; /* what it must be; s == name: free */
	int64_t n;     /* chosen */
};

struct feed_plan {
	struct model *m; /* the clone */
	struct diag quiet;
	unsigned round;
	struct dim **dim; /* per input: rank entries; NULL: no tensor */
	VEC(struct feed_var) var;
	struct map by_name; /* sym -> index into var */
	bool blind;         /* shape inference fails on the model itself */
};

/* Choose sizes and set the clone's input types to them; types of all values
 * are inferred as far as possible. */
void feed_plan_sizes(struct feed_plan *p);
/* Is there data to be made for this main graph input? */
bool feed_wants(const struct value *v);
/* Follow what nodes demand of their inputs' dims; true if a variable lost its
 * freedom (feed_pin.c). */
bool feed_pin_all(struct feed_plan *p);
/* a and b must be equal; true if that fixed a variable. */
bool feed_pin(struct feed_plan *p, struct dim a, struct dim b);
/* The number that d is under the chosen sizes; false if there is none. */
bool feed_eval(struct feed_plan *p, struct dim d, int64_t *n);

/* What the users of an input ask of its elements (feed_range.c). */
enum feed_fill {
	FILL_ANY,
	FILL_AXES,  /* 0, 1, 2, ...: all different */
	FILL_SHAPE, /* a shape of `total` elements */
	FILL_SPLIT, /* parts that sum to `total` */
};

struct feed_need {
	double lo, hi; /* infinite: no bound */
	bool whole;    /* integers, whatever the element type */
	bool truth;    /* used as true or false */
	enum feed_fill fill;
	int64_t total;
	VEC(double) equal; /* values that it is compared with */
};

void feed_trace(struct model *m, const struct value *input,
		struct feed_need *need);

/* Transfer and demand of one use, looked up by operator (feed_need.c).
 * A state says what is known of a traced value: y = clamp(a x + b, lo, hi)
 * with b in [b0, b1], for an element x of the input. */
struct feed_state {
	const struct value *v;
	double a, b0, b1, lo, hi;
	bool weak; /* only holds on some path */
};

struct feed_trace {
	struct feed_need *need;
	VEC(struct feed_state) work;
	VEC(struct feed_state) weak; /* demands for the end: y in [lo,hi] */
	struct map seen;             /* value -> states met */
	size_t budget;
};

/* y must lie in [lo, hi]. */
void feed_require(struct feed_trace *t, const struct feed_state *s, double lo,
		  double hi);
/* Value v is in state s, too. */
void feed_push(struct feed_trace *t, const struct value *v,
	       struct feed_state s);
/* Demands of node n on its input i; true if there was a rule. */
bool feed_demand(struct feed_trace *t, const struct feed_state *s,
		 const struct node *n, uint32_t i);
/* Smallest and largest element of a known tensor. */
bool feed_const_range(const struct value *v, double *lo, double *hi);
/* Size of dim `axis` (negative: from the end) of input i; -1: unknown. */
int64_t feed_dim_of(const struct node *n, uint32_t i, int64_t axis);

#endif

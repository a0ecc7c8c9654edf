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
	struct model *m;     /* the clone, its dims symbolic */
	struct model *sized; /* a clone with the sizes chosen, inferred */
	struct diag quiet;
	unsigned round;
	bool *want;       /* per input: is there data to be made */
	bool *settled;    /* per input: a value was chosen, which is the
			     constant of the clone's input */
	struct dim **dim; /* per input: rank entries; NULL: no tensor */
	VEC(struct feed_var) var;
	struct map by_name; /* sym -> index into var */
	bool checking;      /* feed_pin() only counts what conflicts */
	unsigned conflicts;
};

/* Choose values that decide branches, then sizes (feed_size.c). */
void feed_plan_sizes(struct feed_plan *p);
/* Choose values of single elements that the model compares (feed_fold.c). */
void feed_settle(struct feed_plan *p);
/* Infer m's types, evaluate its small constants, and put branches that are
 * decided in the place of their If (feed_fold.c). */
bool feed_infer_folded(struct model *m);
/* Rules that inference does not check; the number of nodes that break one. */
unsigned feed_misfits(const struct model *m);

/* Dims of input i as known numbers, variables or expressions (feed_var.c). */
void feed_add_input(struct feed_plan *p, uint32_t i);
/* d with variables that stand for something replaced. */
struct dim feed_resolve(const struct feed_plan *p, struct dim d);
/* a and b must be equal; true if that fixed a variable. */
bool feed_pin(struct feed_plan *p, struct dim a, struct dim b);
/* The number that d is under the chosen sizes; false if there is none. */
bool feed_eval(struct feed_plan *p, struct dim d, int64_t *n);
/* Apply every rule that makes two dims equal; true if that fixed a variable
 * (feed_pin.c). */
bool feed_pin_all(struct feed_plan *p, const struct model *m);

/* Words and integer keys, each once: those that the model's tables hold, and a
 * few others (feed_word.c).  Borrowed from the model. */
enum { FEED_WORDS = 64 };
struct feed_words {
	struct str word[FEED_WORDS];
	int64_t key[FEED_WORDS];
	uint32_t n, nkey;
};

void feed_words(const struct model *m, struct feed_words *w);

/* What the users of an input ask of its elements (feed_range.c). */
enum feed_fill {
	FILL_ANY,
	FILL_AXES,   /* 0, 1, 2, ...: all different */
	FILL_SHAPE,  /* a shape of `total` elements */
	FILL_SPLIT,  /* parts that sum to `total` */
	FILL_RESIZE, /* the last two in range; before them 1, or the sizes of
		`of` */
	FILL_DIMS,   /* the known dims of `of`, others in range */
};

struct feed_need {
	double lo, hi; /* infinite: no bound */
	bool whole;    /* integers, whatever the element type */
	bool truth;    /* used as true or false */
	enum feed_fill fill;
	int64_t total;
	const struct type *of;
	VEC(double) equal; /* values that it is compared with */
};

void feed_trace(const struct value *input, struct feed_need *need);

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

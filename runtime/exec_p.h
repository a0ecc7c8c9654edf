/* SPDX-License-Identifier: MIT */
/*
 * exec_p.h -- the executor's inside: bodies, steps, frames, planned memory.
 *
 * A body is a graph made ready: its values are numbered, every node is a step
 * with its kernel and resolved operands.  A frame holds the values of one run
 * of a body; captures climb the chain of frames.
 */
#ifndef RUNTIME_EXEC_P_H
#define RUNTIME_EXEC_P_H

#include "runtime/kernel.h"

enum {
	ARRAY_MAX_DEPTH = 100, /* sequences in sequences */
	BODY_MAX_DEPTH = 100,  /* bodies in bodies, functions in functions */
};
#define STEPS_MAX (1u << 22) /* over all bodies, functions expanded */
#define SLOT_NONE UINT32_MAX

/* Part of the arena in use; arrays that share it share the count. */
struct region {
	size_t off, len;
	uint32_t nref;
	struct region *next, **pprev;
};

/* Where an operand comes from: a constant, or a slot `up` frames away. */
struct ref {
	struct array *konst;
	uint32_t up, slot; /* SLOT_NONE: left out */
};

struct cached { /* packed weights of one step */
	void (*make)(struct kcall *c, void *dst);
	struct blob *blob;
	struct cached *next;
};

struct step {
	const struct node *n;   /* with bound attributes inside functions */
	const struct kernel *k; /* NULL: OP_CALL */
	struct ref *in;
	uint32_t *out; /* slots */
	size_t *off;   /* planned place per output; SIZE_MAX: heap */
	size_t *len;
	uint32_t *drop; /* slots that die here */
	uint32_t ndrop;
	struct body **sub;
	uint32_t nsub;
	bool tensors_only; /* the operator takes no sequences */
	uint32_t packed;   /* inputs that only the cache is made from */
	bool merged;       /* done as part of an earlier step's tail */
	struct step **tail;
	struct kcall_tail *tail_in;
	uint32_t ntail;
	struct cached *cache;
	uint32_t random; /* which of the random steps, from 1 */
	uint32_t draws;  /* executions in the run last_run */
	uint64_t last_run;
};

struct body {
	const struct graph *g;
	struct body *parent; /* NULL: main and functions */
	struct step *step;
	uint32_t nstep, cur; /* cur: the step being built */
	struct ref *ret;
	uint32_t nret;
	struct array **dflt; /* per input: overridable default or constant */
	uint32_t nslot;
	const struct value **value; /* per slot */
	uint32_t *first, *last; /* per slot: steps; last UINT32_MAX: returned */
	struct map slots;       /* value -> slot */
};

struct frame {
	struct frame *up;
	struct body *body;
	struct array **slot;
};

struct exec {
	struct model *m;
	struct exec_opts o;
	struct arena mem;
	struct body *main;
	VEC(struct body *) bodies;
	VEC(struct step *) cached; /* steps that have a cache */
	VEC(struct array *) konsts;
	struct map konst_of; /* tensor -> array */
	struct blob *arena;  /* planned memory */
	struct region *live;
	struct plan_stats stats;
	uint32_t nstep, nrandom;
	uint64_t runs;
	unsigned depth; /* bodies being run */
};

/* The kernels' struct kcall with what the helpers need. */
struct call {
	struct kcall c;
	struct step *step; /* NULL while folding */
	struct frame *frame;
	VEC(struct blob *) scratch;
};

void call_release(struct call *c); /* scratch memory */

/* exec.c: required operands are there and of a kind the operator takes */
enum status call_check(struct kcall *c, bool tensors_only);

/* array.c */
bool dims_count(int rank, const int64_t *dim, int64_t *n);
bool array_bytes(enum dtype dt, int64_t n, size_t *bytes);
/* An array without data yet. */
struct array *array_header(struct diag *d, enum dtype dt, int rank,
			   const int64_t *dim);
/* Is the caller's reference the only one to a and to its data? */
bool array_exclusive(const struct array *a);
void region_unref(struct region *r);

/* build.c */
enum status exec_build(struct exec *e);
bool op_tensors_only(const struct op *op);
struct array *exec_konst(struct exec *e, const struct tensor *t);

/* fuse.c: merges elementwise steps into the ones that they follow */
void exec_fuse(struct exec *e, struct body *b);

/* plan.c: places for the main graph's static values */
void exec_plan(struct exec *e);
/* Bytes [off, off+len) of the arena if nothing lives there, else NULL. */
struct region *region_take(struct exec *e, size_t off, size_t len);

#endif

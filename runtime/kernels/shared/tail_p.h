/* SPDX-License-Identifier: MIT */
/*
 * tail_p.h -- elementwise operators that run over a kernel's output while it
 * is in cache (runtime/fuse.c finds them).
 *
 * A kernel that made output 0 calls tail_init, then tail_run for every piece
 * of it once the piece is final.  Same loops, same operands: same bits as the
 * operators on their own.
 */
#ifndef RUNTIME_KERNELS_TAIL_P_H
#define RUNTIME_KERNELS_TAIL_P_H

#include "runtime/kernel.h"

struct ew_par {
	double a[4];
	int64_t i[4];
};

/* y[0..n) from x[k][0..n), all lanes of one kind; y may be one of x. */
typedef void ew_fn(const struct ew_par *p, size_t n, void *y,
		   const void *const *x);

enum { TAIL_MAX = 8, TAIL_BLOCK = 256 };

struct tail_op {
	ew_fn *fn;
	struct ew_par par;
	/* Second operand of output element p: other[p / inner % period]. */
	const float *other;
	int64_t inner, period;
	bool whole;   /* as many elements as the output */
	bool swapped; /* the value so far is operand 1 */
};

struct tail {
	uint32_t n;
	bool heavy; /* a polynomial or more per element */
	struct tail_op op[TAIL_MAX];
};

/* May node n be part of a tail, with the value so far as operand `into`? */
bool tail_can(const struct node *n, uint32_t into);
/* Do kernels of this operator run tails? */
bool tail_head(enum op_id id);
/* Takes as much of the call's tail as works on output y. */
enum status tail_init(struct kcall *c, const struct array *y, struct tail *t);
/* Elements [at, at + n) of the output that begins at y. */
void tail_run(const struct tail *t, float *y, int64_t at, int64_t n);

#endif

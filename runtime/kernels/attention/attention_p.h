/* SPDX-License-Identifier: MIT */
/*
 * attention_p.h -- what all attention operators share:
 * softmax(softcap(scale Q K') + mask) V, over heads that may share keys.
 *
 * The operators differ in how they arrange their inputs and in their masks;
 * they describe both here.  Elements are doubles in the reference set, floats
 * in the fast one (`es` bytes), and shapes are checked before.
 */
#ifndef RUNTIME_KERNELS_ATTENTION_P_H
#define RUNTIME_KERNELS_ATTENTION_P_H

#include "runtime/kernels/shared/nn_p.h"

/* A tensor [batch, heads, length, size]: element strides of the first three
 * axes, the last is dense. */
struct heads {
	void *p;
	int64_t bs, hs, ss;
};

/* Which stage of the scores is asked for. */
enum { SHOW_PRODUCT, SHOW_SOFTCAP, SHOW_MASKED, SHOW_SOFTMAX, SHOW_STAGES };

struct attention {
	size_t es;
	/* Query head h uses key head h / (qheads / heads). */
	int64_t batch, qheads, heads, q, total, size, vsize;
	double scale, softcap; /* softcap 0: none */
	struct heads x, k, v, y;
	/* What is added to the scores of query i in head h with keys [j, j +
	 * n): -INFINITY for keys it may not see.  NULL: nothing. */
	void (*mask)(const struct attention *t, int64_t b, int64_t h, int64_t i,
		     int64_t j, int64_t n, double *add);
	const void *rules;  /* the mask's */
	const double *sink; /* [qheads]: one more score without a value */
	int64_t stage;
	double *shown; /* [batch, qheads, q, total] at that stage, or NULL */
};

/* Head counts are positive and fit each other and the sizes; E_shape, E_dims.
 */
enum status attention_check(struct kcall *c, const struct attention *t);
/* Fills y; E_memory.  The float form does not show stages. */
enum status attention_run(struct kcall *c, const struct attention *t);
enum status attention_run_f32(struct kcall *c, const struct attention *t);
/* By t->es. */
enum status attention_compute(struct kcall *c, const struct attention *t);

/* ---- arranging inputs and outputs ---- */

/* Strides of a tensor stored [batch, heads, length, size], or, if flat,
 * [batch, length, heads, size]. */
struct heads heads_of(void *p, bool flat, int64_t heads, int64_t len,
		      int64_t size);
/* Input j as elements of es bytes; NULL: E_memory. */
void *heads_load(struct kcall *c, uint32_t j, size_t es);
/* Room for n elements; NULL: E_memory. */
void *heads_temp(struct kcall *c, int64_t n, size_t es);
/* Output i: memory to fill (doubles: scratch, stored by heads_save). */
void *heads_out(struct kcall *c, uint32_t i, size_t es, enum dtype dt, int rank,
		const int64_t *dim);
enum status heads_save(struct kcall *c, uint32_t i, size_t es, enum dtype dt,
		       int rank, const int64_t *dim, const void *p);
/* dst[b, h, at + s] = src[b, h, s] for s < len, rows of `size` elements. */
void heads_copy(const struct attention *t, struct heads dst, int64_t at,
		struct heads src, int64_t heads, int64_t len, int64_t size);

static inline char *heads_at(const struct heads *v, size_t es, int64_t b,
			     int64_t h, int64_t s)
{
	return (char *)v->p + (size_t)(b * v->bs + h * v->hs + s * v->ss) * es;
}

#endif

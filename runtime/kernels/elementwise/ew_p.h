/* SPDX-License-Identifier: MIT */
/*
 * ew_p.h -- the elementwise engine: broadcasting, types, blocks, threads.
 *
 * Operators are loops over contiguous lanes (lanes_p.h); the engine gathers
 * broadcast inputs into blocks of lanes and stores the result.
 */
#ifndef RUNTIME_KERNELS_EW_P_H
#define RUNTIME_KERNELS_EW_P_H

#include "runtime/kernel.h"
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/tail_p.h"

enum { EW_MAX_IN = 3 };

struct ew_input {
	const struct array *a;
	int64_t stride[KERNEL_MAX_RANK];
	bool flat; /* laid out as the output */
};

struct ew_job {
	struct kcall *c;
	enum lane lane;
	ew_fn *fn;
	struct ew_par par;
	bool heavy;       /* much work per element: threads pay sooner */
	bool pairwise;    /* fold any number of inputs with a binary fn */
	double divide;    /* not 0: of the folded sum */
	struct tail tail; /* what follows on float output */
	struct array *out;
	struct ew_input *in;
	uint32_t nin;
	int rank;
	int64_t dim[KERNEL_MAX_RANK]; /* collapsed */
};

/* Broadcasts j->in[0..nin) and makes output 0 of type dt; in place of an
 * input where that is allowed. */
enum status ew_prepare(struct ew_job *j, enum dtype dt);
/* Room for n inputs, from scratch. */
enum status ew_inputs(struct ew_job *j, struct kcall *c, uint32_t n);
void ew_run(const struct ew_job *j);

/* Rows of elementwise operators, by node (ew_table.c). */
enum {
	EW_BOOL = 1, /* the result is bool */
	EW_VARIADIC = 2,
	EW_MEAN = 4,
	EW_HEAVY = 16,  /* a polynomial or more per element */
	EW_DIVIDES = 8, /* an integer second operand must not be 0 */
	EW_INTO = 32,   /* the result has the first operand's shape */
	EW_BIAS = 64,   /* a second operand is optional: x[1] may be NULL */
};

struct ew_row {
	enum op_id id;
	unsigned flags;
	ew_fn *f;            /* double */
	ew_fn *i, *u;        /* int64; uint64 where it differs, else NULL */
	ew_fn *q;            /* float, for the fast set */
	const char *attr[3]; /* par.a */
	float dflt[3];
	enum status (*prep)(struct kcall *c, struct ew_par *p);
};

const struct ew_row *ew_find(enum op_id id);
/* Clip between par.a[0] and par.a[1] (elementwise.c). */
ew_fn ew_clip_f64;
/* Parameters of a row's operator from its attributes, of Clip from its
 * attributes or inputs. */
enum status ew_row_par(struct kcall *c, const struct ew_row *r,
		       struct ew_par *p);
enum status ew_clip_par(struct kcall *c, struct ew_par *p);

/* Fast float loops (ew_fast.c), used by the table. */
#define FAST(op) ew_fn q_##op, v_##op;
#include "runtime/kernels/elementwise/ew_fast.def"
#undef FAST

/* The same loop for this CPU: q_ runs everywhere, v_ has AVX2. */
ew_fn *ew_fast(ew_fn *q);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * kernel.h -- what a kernel sees, and the kernel table.
 *
 * runtime/kernels.def has one row per operator version range:
 *	KERNEL(Op, since, reference, fast)
 * A row holds for versions from `since` to the next row of the same operator.
 * fast may be k_none: the reference kernel is used.  A kernel checks shapes and
 * attributes against its inputs before it touches memory.
 */
#ifndef RUNTIME_KERNEL_H
#define RUNTIME_KERNEL_H

#include "base/rng.h"
#include "runtime/runtime.h"

struct exec;

/*
 * An elementwise operator that follows on output 0 and has no other user: in
 * holds its operands but the one at `into`, which is the value so far.
 */
struct kcall_tail {
	const struct node *node;
	struct array **in;
	uint32_t nin, into;
};

struct kcall {
	struct model *m;
	struct diag *d;
	const struct node *node;
	struct exec *exec; /* NULL while folding */
	struct array **in; /* NULL: left out */
	uint32_t nin;
	struct array **out; /* to be filled through kcall_out */
	uint32_t nout;
	void *state; /* per-node state made by prepare, or NULL */
	/* What a kernel may do to output 0 while it is in cache
	 * (kernels/tail_p.h); the executor does the rest. */
	struct kcall_tail *tail;
	uint32_t ntail;
	uint32_t taken; /* of them, done by the kernel */
};

typedef enum status kernel_fn(struct kcall *c);

struct kernel {
	enum op_id id;
	int since;
	kernel_fn *ref, *fast; /* fast NULL: none */
};

const struct kernel *kernel_find(const struct op *op);
/* Why an operator will never have one; NULL: no reason is listed. */
const char *kernel_refusal(enum op_id id);

/* Output i with uninitialized data, from the plan where it fits, else the
 * heap.  NULL: E-memory was reported. */
struct array *kcall_out(struct kcall *c, uint32_t i, enum dtype dt, int rank,
			const int64_t *dim);
/* Output i is the array a itself (identity, reshape); takes a reference. */
void kcall_pass(struct kcall *c, uint32_t i, struct array *a);
/* Output i is a's data with other dims (same element count). */
enum status kcall_view(struct kcall *c, uint32_t i, struct array *a, int rank,
		       const int64_t *dim);
/* Same data and element order, reshaped: reuses in[j]'s buffer when this
 * call holds the last reference, else allocates.  Other inputs may be the
 * same array. */
struct array *kcall_inplace(struct kcall *c, uint32_t i, uint32_t j);
/* return kcall_error(c, E_value, "stride %lld is not positive", ...); */
enum status kcall_error(struct kcall *c, enum diag_code code, const char *fmt,
			...) __attribute__((format(printf, 3, 4)));
bool kcall_wants(const struct kcall *c, uint32_t i); /* output i used */
/* Is input j the same array at every call (a weight)?  Packed forms of it
 * may be kept in a per-node cache. */
bool kcall_is_const(const struct kcall *c, uint32_t j);
/* Cached packed weight: 64-byte aligned bytes made once by `make`, kept with
 * the executor; made anew per call while folding. */
void *kcall_cached(struct kcall *c, size_t bytes,
		   void (*make)(struct kcall *c, void *dst));
/* From now on this node reads constant input j through kcall_cached alone, or
 * after kcall_load: its data may be dropped between calls. */
void kcall_packed(struct kcall *c, uint32_t j);
/* Input j's data are there until the executor goes. */
enum status kcall_load(struct kcall *c, uint32_t j);
/* Zeroed scratch memory until the call returns; NULL: E-memory. */
void *kcall_scratch(struct kcall *c, size_t bytes);
/* The same with undefined contents: no pages to clear. */
void *kcall_scratch_dirty(struct kcall *c, size_t bytes);
/* Run a body with captures already bound by the executor. */
enum status kcall_body(struct kcall *c, struct graph *g,
		       struct array *const *in, struct array **out);

/* Is input j given? */
bool kcall_has(const struct kcall *c, uint32_t j);
/* Input j as a list of int64 (any integer type, rank 0 or 1), valid until the
 * call returns.  Left out: NULL with *n = 0. */
enum status kcall_ints(struct kcall *c, uint32_t j, const int64_t **v,
		       size_t *n);
/* Input j as one number; dflt where it is left out. */
enum status kcall_int(struct kcall *c, uint32_t j, int64_t dflt, int64_t *v);
enum status kcall_float(struct kcall *c, uint32_t j, double dflt, double *v);
/* Attribute `name` or, from the version where it became one, input j. */
enum status kcall_attr_or_ints(struct kcall *c, const char *name, uint32_t j,
			       const int64_t **v, size_t *n);
/* axis in [-rank, rank) to [0, rank), else E-value. */
enum status kcall_axis(struct kcall *c, int64_t axis, int rank, int *out);
/*
 * Numbers of a random operator: its seed, the executor's, which of the random
 * nodes it is (in order of the steps, functions expanded, so that renaming,
 * inlining and rewriting its surroundings keep them), and how often it ran in
 * this run.
 */
struct rng kcall_rng(struct kcall *c);

/* Broadcast shape of two; false if they do not fit. */
bool broadcast_dims(const struct array *a, const struct array *b, int *rank,
		    int64_t *dim);
#define KERNEL_MAX_RANK 32 /* larger ranks: E-unsupported */

#define KERNEL(op, since, ref, fast) kernel_fn ref, fast;
#include "runtime/kernels.def"
#undef KERNEL

#endif

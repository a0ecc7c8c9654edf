/* SPDX-License-Identifier: MIT */
/*
 * runtime.h -- executes models: evaluator, kernels, memory plan, input
 * generation and output comparison.
 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include "ir/ir.h"

/* ---- run-time values (array.c) ---- */

enum array_kind { ARR_TENSOR, ARR_SEQ, ARR_OPTIONAL, ARR_MAP };

struct region;

/*
 * A reference-counted value.  TENSOR: n elements of dt at data, packed, C
 * order, 64-byte aligned where we allocated it, else aligned to the element.
 * STRING data is an array of n struct str; their bytes belong to the array
 * once array_own_strings() has copied them (the executor does so for what
 * kernels return).  SEQ and OPTIONAL: nitem entries of item.  MAP: item[0]
 * keys (TENSOR), item[1] values (SEQ or TENSOR).
 */
struct array {
	enum array_kind kind;
	enum dtype dt;
	int rank;
	int64_t n; /* elements */
	size_t bytes;
	void *data;
	struct blob *blob;     /* owner of data; NULL: planned memory, or
				  no bytes at all */
	struct region *region; /* planned memory in the executor's arena */
	struct array *base;    /* STRING views: the owner of the strings */
	struct array **item;   /* SEQ, OPTIONAL, MAP: nitem of them */
	uint32_t nitem;
	/* A constant whose data are made from here when somebody asks
	 * (array_load); data is NULL before and after array_unload. */
	const struct tensor *source;
	uint32_t nref;
	bool owns_strings;
	bool pinned; /* not to be unloaded */
	int64_t dim[];
};

/* Uninitialized data; NULL with E-memory or E-dims. */
struct array *array_create(struct diag *d, enum dtype dt, int rank,
			   const int64_t *dim);
struct array *array_ref(struct array *a);
void array_unref(struct array *a); /* NULL is fine */
/* Zero-copy both ways (a reference to the blob is taken). */
struct array *array_of_tensor(struct model *m, const struct tensor *t);
/* The same, but a mapped tensor that is not aligned for its elements, and so
 * has to be copied, is copied by array_load() only. */
struct array *array_of_tensor_late(struct model *m, const struct tensor *t);
enum status array_load(struct model *m, struct array *a);
void array_unload(struct array *a); /* unless it is pinned */
const struct tensor *array_to_tensor(struct model *m, const struct array *a);
struct array *array_seq(size_t n);
struct array *array_optional(struct array *a); /* takes its own reference;
						  NULL: none */
/* a's data under other dims of the same element count. */
struct array *array_view(struct array *a, int rank, const int64_t *dim);
/* A deep copy on the heap; NULL with E-memory. */
struct array *array_copy(struct diag *d, const struct array *a);
enum status array_own_strings(struct diag *d, struct array *a);
/* A private, writable copy, or the same array if nobody else holds it. */
struct array *array_writable(struct diag *d, struct array *a);
/* Rank-independent helpers. */
bool array_same_dims(const struct array *a, const struct array *b);
bool array_fits(const struct array *a, const struct type *t, struct buf *why);

/* ---- evaluator (exec.c) ---- */

enum exec_set { EXEC_FAST, EXEC_REFERENCE };

/* A node that ran; valid during the call of the timer. */
struct exec_event {
	const struct node *n;
	struct array *const *in;  /* n->nin; NULL: left out */
	struct array *const *out; /* n->nout; NULL: left out */
	double start, seconds;    /* clock_seconds(); bodies included */
};

struct exec_opts {
	enum exec_set set;
	uint64_t seed; /* of random operators */
	bool keep_all; /* keep intermediate values for exec_value */
	/* Called for every value that a node of any graph produces (and for
	 * graph inputs), in order of execution; not while folding. */
	void (*hook)(void *arg, const struct value *v, const struct array *a);
	void *hook_arg;
	/* Called after each node, those of bodies before their owner. */
	void (*timer)(void *arg, const struct exec_event *e);
	void *timer_arg;
	/* Called when a run of a body of n (If, Loop, Scan, function call)
	 * begins and ends, also if it failed. */
	void (*frame)(void *arg, const struct node *n, const struct graph *g,
		      bool begins);
	void *frame_arg;
};

struct exec;

/* Prepares m: kernel selection, packed weights, memory plan.  m must stay
 * unchanged and outlive it.  NULL with E-unsupported naming the first node
 * without a kernel. */
struct exec *exec_create(struct model *m, const struct exec_opts *o);
void exec_free(struct exec *e);
/* in: one per main graph input (NULL: take the initializer's default);
 * out: one per graph output, owned by the caller (array_unref). */
enum status exec_run(struct exec *e, struct array *const *in,
		     struct array **out);
/* Random nodes whose results are used.  Models with equally many, in the same
 * order, get the same random numbers. */
uint32_t exec_random_nodes(const struct exec *e);
size_t exec_planned_bytes(const struct exec *e); /* arena size */

struct plan_stats { /* bytes; of the last run or the static plan */
	size_t naive, bound, planned;
};
void exec_plan_stats(const struct exec *e, struct plan_stats *s);

/* Is there a kernel for this node (and, recursively, its bodies)? */
bool exec_supports(const struct node *n);
/* First node of m without a kernel, or NULL. */
const struct node *exec_unsupported(const struct model *m);

/* Evaluate one node on constants with the reference kernels: the folder.
 * in[i] NULL: left out.  out: nout entries, NULL where the node leaves one
 * out.  Needs no executor; works for nodes without subgraphs. */
enum status eval_node(struct model *m, const struct node *n,
		      const struct tensor *const *in,
		      const struct tensor **out);
/* Bytes that evaluating n on inputs of known types would produce; SIZE_MAX
 * when not known. */
size_t eval_output_bytes(const struct node *n);

/* ---- generated inputs (feed.c) ---- */

/* One array per main graph input; inputs with defaults get NULL. */
struct feed {
	struct array **in;
	uint32_t n;
	char *sizes; /* "N=2, H=32": what dynamic dims became */
};

/*
 * Inputs that make sense: equal symbols get equal sizes; integer inputs that
 * end as indices stay in range; masks are 0/1; floats moderate.  round 0, 1,
 * 2, ... picks other sizes and values.  E-unsupported if an input's type is
 * not known well enough.
 */
enum status feed_generate(struct model *m, uint64_t seed, unsigned round,
			  struct feed *out);
void feed_release(struct feed *f);
/* Does the model have dims that another round would change? */
bool feed_is_dynamic(const struct model *m);

/* ---- comparison (compare.c) ---- */

struct compare {                   /* accumulates over calls */
	double max_abs, max_rel;   /* rel: |a-b| / (|b| + 1e-6 scale) */
	double sum_abs;            /* over count elements */
	double signal, noise;      /* sums of squares: SQNR = 10 log10(s/n) */
	int64_t count, mismatched; /* non-float elements that differ;
				      NaN against number counts */
	int64_t rows, agree;       /* argmax along the last axis */
	bool shape_differs;
	char why[160]; /* first structural difference */
};

/* got against want. */
void compare_add(struct compare *c, const struct array *got,
		 const struct array *want);
double compare_sqnr(const struct compare *c);      /* dB; INFINITY if equal */
double compare_agreement(const struct compare *c); /* 0..1 */
double compare_mean(const struct compare *c);
/* |got - want| <= atol + rtol * |want| everywhere, integers equal? */
bool arrays_close(const struct array *got, const struct array *want,
		  double rtol, double atol, struct buf *why);
/* Same type and dims, elements of sequences included? */
bool arrays_alike(const struct array *a, const struct array *b);

/* ---- NumPy files (npy.c) ---- */
enum status npy_read(struct diag *d, const char *path, struct array **out);
enum status npy_parse(struct diag *d, const char *path, struct blob *file,
		      size_t off, size_t len, struct array **out);
/* False if the value has no npy form (bf16, fp8, int4, sequences, strings that
 * are no text). */
bool npy_can_hold(const struct array *a);
enum status npy_write(struct diag *d, const char *path, const struct array *a);
/* All members of an .npz; names without ".npy"; caller frees. */
struct npz_entry {
	char *name;
	struct array *a;
};
enum status npz_read(struct diag *d, const char *path, struct npz_entry **e,
		     size_t *n);
void npz_free(struct npz_entry *e, size_t n);
/* Uncompressed, as numpy.savez does; the same bytes for the same arrays. */
enum status npz_write(struct diag *d, const char *path,
		      const struct npz_entry *e, size_t n);
/* The bytes of an .npy file: those before the data, and the data. */
void npy_header(struct buf *b, const struct array *a);
void npy_body(struct buf *b, const struct array *a);

/* The header of an .npy file, given its first bytes; E-data. */
enum { NPY_RANK_MAX = 64 };
struct npy_layout {
	enum dtype dt;
	int rank;
	int64_t dim[NPY_RANK_MAX];
	size_t off; /* of the data */
};
enum status npy_layout(struct diag *d, const char *path, const uint8_t *p,
		       size_t len, struct npy_layout *out);

/* ---- rows of an .npz or .npy, streamed (rows.c) ---- */
struct rows;
enum status rows_open(struct diag *d, const char *path, struct rows **out);
void rows_free(struct rows *r); /* NULL is fine */
size_t rows_columns(const struct rows *r);
/* "" for an .npy file. */
const char *rows_name(const struct rows *r, size_t column);
const struct npy_layout *rows_layout(const struct rows *r, size_t column);
/*
 * The next up to `count` rows of a column as an array [rows, rest...], or,
 * with count 0, one row as [rest...].  *out is NULL at the end.
 */
enum status rows_next(struct rows *r, size_t column, int64_t count,
		      struct array **out);

#endif

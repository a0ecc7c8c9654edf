/* SPDX-License-Identifier: MIT */
/*
 * ml_p.h -- what the operators of ai.onnx.ml share.
 *
 * Their parameters are lists in attributes.  Scores are computed in double and
 * rounded once.  Where the specification is silent, ONNX Runtime's results are
 * followed, as exporters were tested against them.
 */
#ifndef RUNTIME_KERNELS_ML_P_H
#define RUNTIME_KERNELS_ML_P_H

#include "runtime/kernel.h"

/* ---- list attributes (ml.c) ---- */

/* INTS, FLOATS, STRINGS or a TENSOR, whatever its rank. */
struct ml_list {
	enum dtype dt; /* DT_NONE: not given */
	size_t n;
	const void *p;       /* numbers; not always aligned */
	const struct str *s; /* strings */
};

/* Attribute `name`; left out: n is 0.  E-attr, E-payload. */
enum status ml_list(struct kcall *c, const char *name, struct ml_list *l);
/* The same, refusing anything but strings or but numbers. */
enum status ml_strings(struct kcall *c, const char *name, struct ml_list *l);
enum status ml_numbers(struct kcall *c, const char *name, struct ml_list *l);
/* As ml_numbers, or from the tensor `name`_as_tensor if that is given. */
enum status ml_numbers_or_tensor(struct kcall *c, const char *name,
				 struct ml_list *l);
/* The elements of a tensor as a list. */
struct ml_list ml_list_of(const struct array *a);
double ml_f64(const struct ml_list *l, size_t i);
int64_t ml_i64(const struct ml_list *l, size_t i);
/* All of a list of numbers as doubles; NULL: E-memory. */
double *ml_doubles(struct kcall *c, const struct ml_list *l);

/* ---- tables: from an element to its place in a list (ml_keys.c) ---- */

/* Sorted by key (integers ascending); the last of equal keys wins.  Every NaN
 * is one key, and -0 is 0.  n log n to make, log n to look up. */
struct ml_key {
	struct str s; /* strings */
	uint64_t u;   /* numbers, made comparable */
	size_t at;    /* place in the list */
};

struct ml_keys {
	enum dtype dt; /* of the keys */
	size_t n;
	struct ml_key key[];
};

/* False: too large for memory. */
bool ml_keys_bytes(size_t n, size_t *bytes);
void ml_keys_fill(struct ml_keys *k, const struct ml_list *l);
/* A table that lives until the call returns; NULL: E-memory. */
struct ml_keys *ml_keys_make(struct kcall *c, const struct ml_list *l);
/* Place of element i of the list (of the keys' type), or -1. */
int64_t ml_find(const struct ml_keys *k, const struct ml_list *l, size_t i);
/* Among integer keys. */
int64_t ml_find_int(const struct ml_keys *k, int64_t v);
/* A key that occurs twice? */
bool ml_keys_unique(const struct ml_keys *k);

/* ---- rows of features ---- */

/* Input 0 as [n, f]: a vector is one row.  E-type, E-shape. */
struct ml_rows {
	const struct array *x;
	int64_t n, f;
};

enum status ml_rows(struct kcall *c, struct ml_rows *r);
void ml_row(const struct ml_rows *r, int64_t i, double *x);
/*
 * fn(arg, from, to, tmp) over [0, n) in blocks of at most ML_BLOCK rows, in
 * threads where n * cost (ns) is worth it.  tmp: `each` doubles per row of
 * the block, undefined contents.  E-memory.
 */
enum { ML_BLOCK = 32 };
typedef void ml_rows_fn(void *arg, int64_t from, int64_t to, double *tmp);
enum status ml_blocks(struct kcall *c, int64_t n, double cost, int64_t each,
		      ml_rows_fn *fn, void *arg);

/* ---- scores ---- */

/* In the order of TreeEnsemble's numbers. */
enum ml_post { ML_NONE, ML_SOFTMAX, ML_LOGISTIC, ML_SOFTMAX_ZERO, ML_PROBIT };

enum status ml_post_attr(struct kcall *c, enum ml_post *p);
/* Transforms a row of n scores.  One score alone: PROBIT or nothing. */
void ml_post(enum ml_post p, double *v, int64_t n);
/* Both scores of two classes from s, the second one's; mixed: scores of any
 * sign rather than probabilities. */
void ml_post_pair(enum ml_post p, double s, bool mixed, double v[2]);

/* Labels of classes: strings or integers. */
enum status ml_labels(struct kcall *c, const char *ints, struct ml_list *l);
/* Output 0: n labels. */
struct array *ml_label_out(struct kcall *c, const struct ml_list *l, int64_t n);
void ml_put_label(struct array *y, const struct ml_list *l, int64_t i,
		  int64_t class_number);

#endif

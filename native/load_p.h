/* SPDX-License-Identifier: MIT */
/*
 * load_p.h -- reading a .pare file, inside.
 *
 * Every number is read through a cursor that stops at the end of its section
 * and is checked before it is used.  Functions return false after the first
 * error, which has then been reported.
 */
#ifndef NATIVE_LOAD_P_H
#define NATIVE_LOAD_P_H

#include "ir/scope.h"
#include "native/format_p.h"

struct cursor {
	const uint8_t *p, *end;
	bool bad; /* read past the end; reads gave 0 */
};

struct section_view {
	const uint8_t *p;
	size_t bytes;
	uint64_t off, count, sum;
	bool present;
};

struct loader {
	struct diag *d;
	const char *path;
	struct blob *file;
	struct model *m;
	bool failed, verify_weights;
	struct section_view sec[SEC_COUNT];
	uint64_t budget; /* bytes that metadata may still take */
	uint32_t nstr;
	struct str *str; /* by number, from 1 */
	sym *sym;        /* of each string, 0: not yet interned */
	uint32_t ntype;
	const struct type **type;
	uint8_t *type_depth;
	uint32_t ntensor;
	struct tensor **tensor;
	VEC(struct value *) value;
	struct scope names;
	struct map funcs;
};

/* load_native.c */
/* Reports E-native once; returns false. */
bool load_fail(struct loader *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
uint32_t cur_fixed32(struct cursor *c); /* 4 bytes */
uint64_t cur_fixed64(struct cursor *c); /* 8 bytes */
uint32_t cur_u32(struct cursor *c);
uint64_t cur_u64(struct cursor *c);
int64_t cur_i64(struct cursor *c);
/* n records of at least `least` bytes are still there, and the `cost` bytes
 * of memory that each takes are within the budget. */
bool cur_count(struct loader *l, struct cursor *c, uint64_t n, size_t least,
	       size_t cost);
struct cursor cur_section(const struct loader *l, enum section_id id);
bool cur_end(struct loader *l, const struct cursor *c, const char *what);

/* load_meta.c */
bool load_strings(struct loader *l);
/* String number id - 1; id 0 is {NULL, 0}. */
bool load_str(struct loader *l, struct cursor *c, struct str *s);
bool load_sym(struct loader *l, struct cursor *c, sym *s);
bool load_types(struct loader *l);
bool load_type(struct loader *l, struct cursor *c, const struct type **t);
bool load_meta(struct loader *l);
bool load_funcs(struct loader *l);

/* load_tensor.c */
bool load_tensors(struct loader *l);
/* 0: NULL. */
bool load_tensor(struct loader *l, struct cursor *c, const struct tensor **t);

/* load_graph.c */
bool load_graphs(struct loader *l);
bool load_attr(struct loader *l, struct cursor *c, struct node *owner,
	       struct attr *a, unsigned depth);

#endif

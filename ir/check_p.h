/* SPDX-License-Identifier: MIT */
/*
 * check_p.h -- shared by the files that check the ONNX rules.
 */
#ifndef IR_CHECK_P_H
#define IR_CHECK_P_H

#include "ir/ir.h"

struct check {
	struct model *m;
	bool strict;
	enum status first; /* of the first error */
};

/* An error, whatever else is wrong. */
void check_error(struct check *c, const struct at *at, enum diag_code code,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* What runtimes tolerate: an error with --strict, else a warning. */
void check_strict(struct check *c, const struct at *at, enum diag_code code,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Operator, arity and attributes of a node; then, types inferred, its types. */
void check_node(struct check *c, const struct node *n);
void check_node_types(struct check *c, const struct node *n);
/* A payload against its type and shape. */
void check_tensor(struct check *c, const struct at *at, const struct tensor *t);

#endif

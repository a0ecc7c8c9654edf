/* SPDX-License-Identifier: MIT */
/*
 * formal.h -- the strings of struct op taken apart: parameters, type sets,
 * attributes.
 */
#ifndef IR_FORMAL_H
#define IR_FORMAL_H

#include "ir/ir.h"

struct formal { /* one declared input or output */
	struct str name;
	struct str type; /* "T" or "tensor(int64)" */
	bool optional, variadic;
	bool mixed; /* variadic of different types */
};

struct attr_spec { /* one declared attribute */
	struct str name;
	enum attr_kind kind;
	bool required;
	struct str dflt; /* text of the default; empty: none */
};

/* Parameter of input i or output i (the last variadic one repeats); false if
 * there is none.  spec is op->in or op->out. */
bool formal_at(const char *spec, uint32_t i, struct formal *f);
/* The "|"-separated types that a parameter's type stands for. */
struct str formal_types(const struct op *op, struct str type);
/* Is the type in the set, as far as it is known? */
bool formal_allows(struct str types, const struct type *t);
/* Steps through op->attrs; *at starts as op->attrs. */
bool attr_spec_next(const char **at, struct attr_spec *a);
bool attr_spec_find(const struct op *op, struct str name, struct attr_spec *a);
/* "tensor(float)", "seq(tensor(int64))": t without its shape. */
void formal_print(struct buf *b, const struct type *t);
/*
 * The type that output i has by the schema alone: the element type that its
 * type variable takes from the inputs, or the only one allowed; rank unknown.
 */
const struct type *formal_output(struct model *m, const struct node *n,
				 uint32_t i);

#endif

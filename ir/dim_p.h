/* SPDX-License-Identifier: MIT */
/*
 * dim_p.h -- symbolic integers, seen from inside: polynomials over atoms.
 *
 * An atom is a name or floor(a/b), max(...), min(...) and is identified by the
 * symbol of its text.  A polynomial is a sorted list of terms with non-zero
 * coefficients; equal polynomials print equal text, so that symbols compare.
 */
#ifndef IR_DIM_P_H
#define IR_DIM_P_H

#include "ir/ir.h"

enum {
	DIM_MAX_TERMS = 32,
	DIM_MAX_DEGREE = 8,
	DIM_MAX_TEXT = 256,
	DIM_MAX_ARGS = 16,
	DIM_MAX_DEPTH = 48,
};

struct term {
	int64_t c;             /* never 0 */
	uint32_t n;            /* factors, 0: the constant term */
	sym f[DIM_MAX_DEGREE]; /* sorted by text */
};

struct poly {
	uint32_t n;
	struct term t[DIM_MAX_TERMS]; /* see term_cmp() */
};

enum atom_kind { ATOM_NONE, ATOM_NAME, ATOM_FLOOR, ATOM_MAX, ATOM_MIN };

/* What a symbol means: kept in model.exprs, made once. */
struct expr {
	enum atom_kind kind; /* ATOM_NONE: a sum */
	uint32_t narg, nterm;
	struct dim *arg;   /* FLOOR: numerator, divisor; MAX, MIN */
	struct term *term; /* the expression as a polynomial */
};

/* The meaning of a symbol; parses it on first sight. */
const struct expr *expr_of(struct model *m, sym s);
/* Remembers a meaning; a symbol that has one keeps it. */
void expr_put(struct model *m, sym s, const struct expr *e);
/* -1, 0, 1: higher degree first, then by text of the factors. */
int term_cmp(const struct model *m, const struct term *a, const struct term *b);
/* The dim of an atom; unknown if its text grows too long.  args in order. */
struct dim atom_dim(struct model *m, enum atom_kind kind, const struct dim *arg,
		    uint32_t narg);
/* The dim of a polynomial. */
struct dim poly_dim(struct model *m, const struct poly *p);
/* The polynomial of a dim that is not unknown. */
void poly_of(struct model *m, struct dim d, struct poly *p);
/* p += t; false on overflow or too many terms. */
bool poly_add_term(const struct model *m, struct poly *p, const struct term *t);
/* Canonical text, without the quotes that a lone name does not need. */
void poly_text(struct model *m, struct buf *b, const struct poly *p);
void atom_text(struct model *m, struct buf *b, enum atom_kind kind,
	       const struct dim *arg, uint32_t narg);
/* The dim that text stands for; unknown if it is not canonical text. */
struct dim dim_parse(struct model *m, struct str text);

#endif

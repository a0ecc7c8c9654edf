/* SPDX-License-Identifier: MIT */
/*
 * rewrite_p.h -- the rule tables that tools/genrw makes, and the state of one
 * attempt to apply a rule.
 *
 *	rw_match.c    pattern against the producers of a value
 *	rw_build.c    guards, constants, and the nodes of the replacement
 *	rw_splice.c  what dies, what it costs, and the exchange itself
 *	rewrite.c  worklist, dispatch, explanation
 *	guards.c builtins.c   the functions that rules may call (guards.def)
 */
#ifndef PASSES_REWRITE_P_H
#define PASSES_REWRITE_P_H

#include <math.h>
#include "passes/constant_p.h"
#include "passes/pass.h"

enum {
	RW_MAX_SLOTS = 32,
	RW_MAX_DEPTH = 12, /* of patterns and expressions */
	RW_MAX_KIDS = 24,
};

#define RW_INF ((double)INFINITY)

/* ---- tables ---- */

enum rw_pat_kind {
	RW_LEAF, /* any value */
	RW_NUM,  /* a constant, every element rw_near() num */
	RW_OP,   /* output 0 of a node, its inputs follow */
};

enum rw_pat_flag {
	RW_ONE_USE = 1,
	RW_OPTIONAL = 2, /* a leaf may be left out, an operator missing */
	RW_CONST = 4,
	/* of a commutative operator, the only constant operand comes last */
	RW_CONST_LAST = 8,
};

struct rw_pat { /* preorder */
	enum rw_pat_kind kind;
	int op;
	unsigned flags;
	int slot; /* -1: not named */
	int nkid;
	double num;
};

enum rw_exp_kind {
	RW_REF,   /* slot */
	RW_LIT,   /* num */
	RW_WORD,  /* name: an attribute or type name */
	RW_STR,   /* name: a string attribute's value */
	RW_NONE,  /* an input left out */
	RW_MAKE,  /* operator `what` on nkid children */
	RW_COPY,  /* child of MAKE: all attributes of slot's node */
	RW_SET,   /* child of MAKE: attribute name, one child */
	RW_CALL,  /* builtin `what` on nkid children */
	RW_IF,    /* first child if slot is present, else second */
	RW_GUARD, /* guard `what`; name is its source text */
	RW_LET,   /* slot = child */
	RW_RESULT,
};

struct rw_exp { /* preorder; clauses end with RW_RESULT */
	enum rw_exp_kind kind;
	int what;
	int slot;
	int nkid;
	double num;
	const char *name;
};

struct rw_rule {
	const char *name, *file;
	int line;
	const char *class;
	bool canon;
	const char *summary, *comment;
};

struct rw_row { /* one per choice of `for` and order of :c */
	const struct rw_rule *rule;
	const struct rw_pat *pat;
	const struct rw_exp *exp;
};

extern const struct rw_rule rw_rules[];
extern const size_t rw_nrule;
extern const struct rw_row rw_rows[];
extern const size_t rw_nrow;

/* ---- one attempt ---- */

enum rw_kind { RV_NONE, RV_VALUE, RV_CONST, RV_NUM, RV_INTS, RV_WORD };

/* What a name is bound to and what an expression yields. */
struct rw_val {
	enum rw_kind kind;
	struct value *v;        /* VALUE */
	const struct tensor *t; /* CONST: floats possibly in double */
	enum dtype dt;          /* CONST: type once it becomes a value */
	double num;             /* NUM */
	const int64_t *i;       /* INTS */
	size_t n;
	const char *s; /* WORD */
};

struct rewrite {
	struct pass_run *r;
	struct model *m;
	const struct rw_row *row;
	struct node *root;
	struct rw_val slot[RW_MAX_SLOTS];
	struct node *matched[2 * RW_MAX_KIDS]; /* the pattern's nodes */
	uint32_t nmatched;
	/* The patch: nodes already in the graph but without users, and values
	 * without definition that stand for new constants. */
	VEC(struct node *) made;
	VEC(struct value *) konst;
	struct value *result; /* replaces output 0 of root */
	bool result_made;     /* it is an output of the patch */
	struct cone cone;     /* what goes; found by rw_profitable() */
	size_t bytes;         /* of what is new */
	bool fill;            /* place large uniform constants as fills */
	size_t mark;          /* of the model's blobs: see scratch_end() */
	struct buf *why;      /* --explain: the first obstacle; else NULL */
};

/* Records why the rule does not apply; false. */
bool rw_miss(struct rewrite *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Binds the names of w->row's pattern, or says why not. */
bool rw_match(struct rewrite *w);
/* Runs guards and builds the replacement; w->result is set on success. */
bool rw_build(struct rewrite *w);
/* Undoes rw_build. */
void rw_drop(struct rewrite *w);
/* Would the replacement be an improvement (or canonical) and not grow? */
bool rw_profitable(struct rewrite *w);
/* Puts the patch in the root's place, removes what is dead, releases the
 * cone.  Nodes that may match something new go to touched. */
typedef VEC(struct node *) node_vec;
void rw_splice(struct rewrite *w, node_vec *touched);

/* ---- for guards and builtins ---- */

typedef bool rw_guard_fn(struct rewrite *w, const struct rw_val *a);
typedef bool rw_builtin_fn(struct rewrite *w, const struct rw_val *a,
			   struct rw_val *out);

/* guard_into() and so on in guards.c, make_param() and so on in
 * builtins.c, or in the rw_*.c of their subject */
#define GUARD(name, id, sig)   rw_guard_fn guard_##id;
#define BUILTIN(name, id, sig) rw_builtin_fn make_##id;
#include "passes/guards.def"
#undef GUARD
#undef BUILTIN

enum rw_guard_id {
#define GUARD(name, id, sig) RWG_##id,
#define BUILTIN(name, id, sig)
#include "passes/guards.def"
#undef GUARD
#undef BUILTIN
	RWG_COUNT
};

enum rw_builtin_id {
#define GUARD(name, id, sig)
#define BUILTIN(name, id, sig) RWB_##id,
#include "passes/guards.def"
#undef GUARD
#undef BUILTIN
	RWB_COUNT
};

extern rw_guard_fn *const rw_guards[];
extern rw_builtin_fn *const rw_builtins[];

static inline struct node *rw_node(const struct rw_val *a)
{
	return a->v->def;
}

/* The constant behind a value or an evaluated expression; NULL if none. */
const struct tensor *rw_tensor(const struct rw_val *a);
/* Is x the number as a constant of this type would hold it? */
bool rw_near(enum dtype dt, double x, double num);
struct rw_val rw_of_value(struct value *v); /* NULL: RV_NONE */
struct rw_val rw_of_tensor(const struct tensor *t, enum dtype dt);
struct rw_val rw_of_ints(struct rewrite *w, const int64_t *v, size_t n);
struct rw_val rw_of_num(double x);
/* A constant's elements with other dims. */
bool rw_view(struct rewrite *w, const struct rw_val *a, int rank,
	     const int64_t *dim, struct rw_val *out);
/* The type of a tensor with known rank; NULL otherwise. */
const struct type *rw_ranked(const struct rw_val *a);
/* A value for an operator's input: constants become temporary values.
 * like: element type of a bare number.  NULL with false: failed. */
bool rw_as_value(struct rewrite *w, const struct rw_val *a, enum dtype like,
		 struct value **out);
/* Hands a node to the patch; infers its types.  False: it must be dropped. */
bool rw_adopt(struct rewrite *w, struct node *n);

#endif

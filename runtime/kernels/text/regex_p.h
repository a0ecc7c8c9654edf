/* SPDX-License-Identifier: MIT */
/*
 * regex_p.h -- regular expressions in RE2's syntax, matched as a whole in
 * time linear in the text.
 *
 * Syntax: literals, . [class] [[:name:]] \d \s \w \b and their opposites,
 * ^ $ \A \z, alternatives, groups with or without name, flags (?imsU),
 * * + ? {n,m} greedy or not, escapes with octal and hexadecimal numbers,
 * \Q...\E.  Not there: \pN (Unicode classes) and \C (one byte).
 */
#ifndef RUNTIME_KERNELS_REGEX_P_H
#define RUNTIME_KERNELS_REGEX_P_H

#include "base/vec.h"
#include "runtime/kernel.h"

enum {
	REGEX_MAX = 1 << 16, /* instructions, ranges */
	REGEX_DEPTH = 200,   /* groups in groups */
	REGEX_REPEAT = 1000, /* largest number in {n,m} */
};

enum regex_op {
	RX_CHAR, /* the character a */
	RX_FOLD, /* one that folds to a */
	RX_ANY,
	RX_LINE,  /* any but the end of a line */
	RX_CLASS, /* number a */
	RX_JUMP,  /* continue at x, relative */
	RX_SPLIT, /* at x and at y */
	RX_TEST,  /* if condition a holds */
	RX_MATCH,
};

enum regex_test {
	RX_BEGIN,
	RX_END,
	RX_LINE_BEGIN,
	RX_LINE_END,
	RX_WORD,
	RX_NOT_WORD,
};

struct regex_inst {
	enum regex_op op;
	uint32_t a;
	int32_t x, y;
};

struct regex_range {
	uint32_t lo, hi;
};

struct regex_class {
	uint32_t first, n; /* of the ranges */
	bool not, fold;
};

struct regex {
	VEC(struct regex_inst) code;
	VEC(struct regex_class) classes;
	VEC(struct regex_range) ranges;
};

/* Code (regex_code.c); false: it would be too large. */
bool regex_emit(struct regex *r, struct regex_inst in);
/* What is from instruction `start` on, min to max times; max < 0: min or
 * more. */
bool regex_repeat(struct regex *r, size_t start, int min, int max);

/* E-attr for what RE2 refuses, E-unsupported for what is missing here. */
enum status regex_compile(struct kcall *c, struct str pattern, struct regex *r);
void regex_release(struct regex *r);
enum { REGEX_NAMED = 70 };
/*
 * The class "d", "s", "w", or "alpha" and its like as ranges, their number;
 * 0: there is none of the name.  not: all others, where with fold those that
 * differ from a member in case only are no others.
 */
uint32_t regex_named(struct str name, bool not, bool fold,
		     struct regex_range out[REGEX_NAMED]);

/* Space for matching with r; E-memory. */
struct regex_run;
struct regex_run *regex_run(struct kcall *c, const struct regex *r);
/* Does all of s match?  E-time. */
enum status regex_match(struct kcall *c, struct regex_run *run, struct str s,
			bool *yes);

#endif

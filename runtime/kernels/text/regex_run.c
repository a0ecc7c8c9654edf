/* SPDX-License-Identifier: MIT */
/*
 * regex_run.c -- matching: all ways through the program at once, one
 * character after the other (Thompson, 1968).
 *
 * A set of instructions stands for the ways; each is in it once, so a
 * character costs at most one visit of each instruction.
 */
#include "base/io.h"
#include "base/lettercase.h"
#include "base/utf8.h"
#include "runtime/kernels/text/regex_p.h"

struct set { /* of instructions; member of `dense` if seen == generation */
	uint32_t *dense, n;
};

struct regex_run {
	const struct regex *r;
	struct set now, next;
	uint64_t *seen, generation;
	uint32_t *stack;
	uint64_t work;
};

struct place { /* between two characters */
	bool first, last, after_line, before_line, after_word, before_word;
};

enum { WORK = 1 << 22 }; /* visits between two looks at the clock */

struct regex_run *regex_run(struct kcall *c, const struct regex *r)
{
	size_t n = r->code.n;
	struct regex_run *run = kcall_scratch(c, sizeof *run);

	if (!run)
		return NULL;
	run->r = r;
	run->now.dense = kcall_scratch(c, n * sizeof *run->now.dense);
	run->next.dense = kcall_scratch(c, n * sizeof *run->next.dense);
	run->seen = kcall_scratch(c, n * sizeof *run->seen);
	/* A visit pushes two at most, and each is visited once. */
	run->stack = kcall_scratch(c, (2 * n + 2) * sizeof *run->stack);
	return run->now.dense && run->next.dense && run->seen && run->stack
		       ? run
		       : NULL;
}

static bool holds(uint32_t test, const struct place *p)
{
	switch ((enum regex_test)test) {
	case RX_BEGIN:
		return p->first;
	case RX_END:
		return p->last;
	case RX_LINE_BEGIN:
		return p->first || p->after_line;
	case RX_LINE_END:
		return p->last || p->before_line;
	case RX_WORD:
		return p->after_word != p->before_word;
	case RX_NOT_WORD:
		return p->after_word == p->before_word;
	}
	return false;
}

/* Adds to s what can be reached from instruction `at` without a character. */
static void reach(struct regex_run *run, struct set *s, uint32_t at,
		  const struct place *p)
{
	uint32_t depth = 0;

	run->stack[depth++] = at;
	while (depth) {
		uint32_t i = run->stack[--depth];
		const struct regex_inst *in = &run->r->code.p[i];

		if (run->seen[i] == run->generation)
			continue;
		run->seen[i] = run->generation;
		run->work++;
		if (in->op == RX_JUMP || in->op == RX_SPLIT)
			run->stack[depth++] = (uint32_t)((int64_t)i + in->x);
		if (in->op == RX_SPLIT)
			run->stack[depth++] = (uint32_t)((int64_t)i + in->y);
		if (in->op == RX_TEST && holds(in->a, p))
			run->stack[depth++] = i + 1;
		if (in->op != RX_JUMP && in->op != RX_SPLIT &&
		    in->op != RX_TEST)
			s->dense[s->n++] = i;
	}
}

static bool in_class(const struct regex *r, const struct regex_class *k,
		     uint32_t v)
{
	uint32_t folded = k->fold ? case_fold(v) : v;

	for (uint32_t i = k->first; i < k->first + k->n; i++) {
		const struct regex_range *g = &r->ranges.p[i];

		if ((v >= g->lo && v <= g->hi) ||
		    (folded >= g->lo && folded <= g->hi))
			return !k->not ;
	}
	return k->not ;
}

static bool accepts(const struct regex *r, const struct regex_inst *in,
		    uint32_t v)
{
	switch (in->op) {
	case RX_CHAR:
		return in->a == v;
	case RX_FOLD:
		return in->a == case_fold(v);
	case RX_ANY:
		return true;
	case RX_LINE:
		return v != '\n';
	case RX_CLASS:
		return in_class(r, &r->classes.p[in->a], v);
	default:
		return false;
	}
}

static bool is_word(char b)
{
	return (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') ||
	       (b >= 'a' && b <= 'z') || b == '_';
}

static struct place place_at(struct str s, size_t i)
{
	return (struct place){
		.first = i == 0,
		.last = i == s.n,
		.after_line = i > 0 && s.p[i - 1] == '\n',
		.before_line = i < s.n && s.p[i] == '\n',
		.after_word = i > 0 && is_word(s.p[i - 1]),
		.before_word = i < s.n && is_word(s.p[i]),
	};
}

/* The ways that go on over character v to place p. */
static void step(struct regex_run *run, uint32_t v, const struct place *p)
{
	struct set t = run->now;

	run->next.n = 0;
	run->generation++;
	for (uint32_t i = 0; i < run->now.n; i++) {
		uint32_t at = run->now.dense[i];
		const struct regex_inst *in = &run->r->code.p[at];

		run->work += in->op == RX_CLASS
				     ? run->r->classes.p[in->a].n / 4 + 1
				     : 1;
		if (accepts(run->r, in, v))
			reach(run, &run->next, at + 1, p);
	}
	run->now = run->next;
	run->next = t;
}

enum status regex_match(struct kcall *c, struct regex_run *run, struct str s,
			bool *yes)
{
	struct place p = place_at(s, 0);
	size_t n;

	*yes = false;
	run->now.n = 0;
	run->generation++;
	reach(run, &run->now, 0, &p);
	for (size_t i = 0; i < s.n && run->now.n; i += n) {
		uint32_t v;

		n = utf8_decode(s.p + i, s.n - i, &v);
		if (!n)
			return OK; /* nothing matches what is no character */
		p = place_at(s, i + n);
		step(run, v, &p);
		if (run->work < WORK)
			continue;
		run->work = 0;
		if (!limit_time_ok())
			return kcall_error(c, E_time,
					   "the time limit was reached");
	}
	for (uint32_t i = 0; i < run->now.n; i++)
		*yes |= run->r->code.p[run->now.dense[i]].op == RX_MATCH;
	return OK;
}

enum status k_regex_full_match(struct kcall *c)
{
	const struct array *x = c->in[0];
	const struct attr *a = node_attr(c->node, "pattern");
	struct regex r = {.code = {0}};
	struct regex_run *run = NULL;
	struct array *y;
	enum status st = OK;

	if (x->kind != ARR_TENSOR || x->dt != DT_STRING)
		return kcall_error(c, E_type, "input 0 holds no strings");
	if (!a || a->kind != ATTR_STRING)
		return kcall_error(c, E_attr, "attribute pattern is missing");
	y = kcall_out(c, 0, DT_BOOL, x->rank, x->dim);
	if (!y)
		return LIMIT;
	st = regex_compile(c, a->u.s[0], &r);
	if (!st && !(run = regex_run(c, &r)))
		st = LIMIT;
	for (int64_t i = 0; !st && i < x->n; i++) {
		bool yes;

		st = regex_match(c, run, ((const struct str *)x->data)[i],
				 &yes);
		((uint8_t *)y->data)[i] = yes;
	}
	regex_release(&r);
	return st;
}

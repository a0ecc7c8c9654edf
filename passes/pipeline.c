/* SPDX-License-Identifier: MIT */
/*
 * pipeline.c -- pipeline strings: parse and print.
 *
 *	pipeline = [item {"," item}]
 *	item = pass ["{" key "=" number {";" key "=" number} "}"]
 *	     | "fix" "(" pipeline ")" | alias
 *
 * Blanks may stand between tokens.  The printed form has no aliases, no
 * blanks, and only the options that differ from their default.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "passes/pass_p.h"

enum { MAX_DEPTH = 8, MAX_STEPS = 1000, MAX_NAME = 64 };

static const struct alias {
	const char *name, *pipeline;
} aliases[] = {
#define PASS(id, name, summary, opts, needs, keeps)
#define ALIAS(name, pipeline, summary) {name, pipeline},
#include "passes/passes.def"
#undef PASS
#undef ALIAS
};

struct parser {
	struct diag *d;
	const char *text, *p;
	step_vec *out;
};

static void blanks(struct parser *s)
{
	s->p += strspn(s->p, " \t\n");
}

static bool eat(struct parser *s, char c)
{
	blanks(s);
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

static enum status bad(struct parser *s, const char *expected)
{
	return diag_error(s->d, NULL, E_pipeline,
			  "'%s', character %td: expected %s", s->text,
			  s->p - s->text + 1, expected);
}

static bool word(struct parser *s, char *name)
{
	size_t n = 0;

	blanks(s);
	while (isalnum((unsigned char)*s->p) || *s->p == '-' || *s->p == '_') {
		if (n + 1 >= MAX_NAME)
			return false;
		name[n++] = *s->p++;
	}
	name[n] = '\0';
	return n > 0;
}

static enum status option(struct parser *s, struct step *st)
{
	const struct pass_opt *o = st->pass->opts;
	char name[MAX_NAME], *end;
	long long v;

	if (!word(s, name))
		return bad(s, "an option's name");
	for (size_t i = 0; o && o[i].key; i++) {
		if (strcmp(o[i].key, name) != 0)
			continue;
		if (!eat(s, '='))
			return bad(s, "'='");
		blanks(s);
		errno = 0;
		v = strtoll(s->p, &end, 10);
		if (end == s->p || errno)
			return bad(s, "a number");
		s->p = end;
		st->opt[i] = v;
		return OK;
	}
	return diag_error(s->d, NULL, E_pipeline,
			  "pass '%s' has no option '%s'", st->pass->name, name);
}

static enum status options(struct parser *s, struct step *st)
{
	enum status e;

	if (!eat(s, '{'))
		return OK;
	do {
		e = option(s, st);
	} while (!e && eat(s, ';'));
	if (!e && !eat(s, '}'))
		return bad(s, "';' or '}'");
	return e;
}

static enum status list(struct parser *s, int depth);

/* NOLINTNEXTLINE(misc-no-recursion): depth <= MAX_DEPTH */
static enum status fix(struct parser *s, int depth)
{
	size_t at = s->out->n;
	enum status e;

	if (depth >= MAX_DEPTH)
		return bad(s, "fewer nested 'fix'");
	if (!eat(s, '('))
		return bad(s, "'(' after 'fix'");
	vec_push(s->out, (struct step){.pass = NULL});
	e = list(s, depth + 1);
	if (e)
		return e;
	if (!eat(s, ')'))
		return bad(s, "',' or ')'");
	s->out->p[at].span = s->out->n - at - 1;
	return OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): aliases hold no aliases */
static enum status expand(struct parser *s, const char *text, int depth)
{
	struct parser in = {s->d, text, text, s->out};

	return list(&in, depth + 1);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= MAX_DEPTH */
static enum status item(struct parser *s, int depth)
{
	struct step st = {.pass = NULL};
	const char *start = s->p;
	char name[MAX_NAME];
	enum status e;

	if (!word(s, name))
		return bad(s, "a pass");
	if (s->out->n >= MAX_STEPS)
		return bad(s, "fewer passes");
	if (!strcmp(name, "fix"))
		return fix(s, depth);
	for (size_t i = 0; i < countof(aliases); i++)
		if (!strcmp(aliases[i].name, name))
			return expand(s, aliases[i].pipeline, depth);
	st.pass = pass_find(name);
	if (!st.pass) {
		s->p = start;
		e = diag_error(s->d, NULL, E_pipeline, "there is no pass '%s'",
			       name);
		diag_hint(s->d, "'pare passes' lists them");
		return e;
	}
	for (size_t i = 0; st.pass->opts && st.pass->opts[i].key; i++)
		st.opt[i] = st.pass->opts[i].dflt;
	e = options(s, &st);
	if (!e)
		vec_push(s->out, st);
	return e;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth <= MAX_DEPTH */
static enum status list(struct parser *s, int depth)
{
	enum status e;

	blanks(s);
	if (!*s->p || *s->p == ')')
		return OK;
	do {
		e = item(s, depth);
	} while (!e && eat(s, ','));
	return e;
}

enum status pipeline_parse(struct diag *d, const char *text, step_vec *out)
{
	struct parser s = {d, text, text, out};
	enum status e = list(&s, 0);

	blanks(&s);
	if (!e && *s.p)
		return bad(&s, "',' or the end");
	return e;
}

static void print_step(const struct step *st, struct buf *out)
{
	const struct pass_opt *o = st->pass->opts;
	bool any = false;

	buf_puts(out, st->pass->name);
	for (size_t i = 0; o && o[i].key; i++) {
		if (st->opt[i] == o[i].dflt)
			continue;
		buf_printf(out, "%c%s=%lld", any ? ';' : '{', o[i].key,
			   (long long)st->opt[i]);
		any = true;
	}
	if (any)
		buf_putc(out, '}');
}

static void print_steps(const step_vec *v, struct buf *out)
{
	size_t end[MAX_DEPTH + 2], depth = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (i && !(depth && !v->p[i - 1].pass))
			buf_putc(out, ',');
		if (v->p[i].pass) {
			print_step(&v->p[i], out);
		} else {
			buf_puts(out, "fix(");
			end[depth++] = i + v->p[i].span;
		}
		while (depth && end[depth - 1] == i) {
			buf_putc(out, ')');
			depth--;
		}
	}
}

enum status pipeline_print(struct diag *d, const char *pipeline,
			   struct buf *out)
{
	step_vec v = {0};
	enum status e = pipeline_parse(d, pipeline, &v);

	if (!e)
		print_steps(&v, out);
	vec_release(&v);
	return e;
}

/* SPDX-License-Identifier: MIT */
/*
 * dim_text.c -- text of symbolic integers, written and read back.
 *
 *	sum  = ["-"] prod { (" + " | " - ") prod }
 *	prod = number {"*" atom} | atom {"*" atom}
 *	atom = name | "floor(" part "/" part ")"
 *	     | ("max" | "min") "(" sum {", " sum} ")"
 *	part = prod | "(" sum ")"
 *
 * Any byte string is a name.  One that is not [A-Za-z_][A-Za-z0-9_.]* stands
 * bare alone and in single quotes within a larger text.  A lone negative
 * number is "(-1)", which no exporter uses as a name.  Text that is not what
 * the writer would print for its meaning is a name.
 */
#include <string.h>

#include "ir/dim_p.h"

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t ident_len(struct str s)
{
	size_t n = 0;

	if (s.n == 0 || !is_alpha(s.p[0]))
		return 0;
	while (n < s.n &&
	       (is_alpha(s.p[n]) || is_digit(s.p[n]) || s.p[n] == '.'))
		n++;
	return n;
}

/* ---- writing ---- */

static void put_factor(struct model *m, struct buf *b, sym f)
{
	struct str s = sym_str(m, f);

	if (expr_of(m, f)->kind != ATOM_NAME || ident_len(s) == s.n) {
		if (s.n)
			buf_add(b, s.p, s.n);
		else
			buf_puts(b, "''");
		return;
	}
	buf_putc(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	buf_putc(b, '\'');
}

static void put_sum(struct model *m, struct buf *b, const struct poly *p)
{
	if (p->n == 0)
		buf_putc(b, '0');
	for (uint32_t i = 0; i < p->n; i++) {
		const struct term *t = &p->t[i];
		uint64_t c = t->c < 0 ? 0 - (uint64_t)t->c : (uint64_t)t->c;

		if (i)
			buf_puts(b, t->c < 0 ? " - " : " + ");
		else if (t->c < 0)
			buf_putc(b, '-');
		if (c != 1 || t->n == 0)
			buf_printf(b, "%llu", (unsigned long long)c);
		for (uint32_t j = 0; j < t->n; j++) {
			if (j || c != 1)
				buf_putc(b, '*');
			put_factor(m, b, t->f[j]);
		}
	}
}

void poly_text(struct model *m, struct buf *b, const struct poly *p)
{
	if (p->n == 1 && p->t[0].n == 0 && p->t[0].c < 0)
		buf_printf(b, "(%lld)", (long long)p->t[0].c);
	else
		put_sum(m, b, p);
}

/* An operand of a division: a product with a sign or a sum needs brackets. */
static void put_part(struct model *m, struct buf *b, struct dim d, bool divisor)
{
	struct poly p;

	poly_of(m, d, &p);
	bool plain = p.n == 0 || (p.n == 1 && p.t[0].c > 0);

	if (plain && divisor && p.n)
		plain = p.t[0].n == 0 || (p.t[0].n == 1 && p.t[0].c == 1);
	if (!plain)
		buf_putc(b, '(');
	put_sum(m, b, &p);
	if (!plain)
		buf_putc(b, ')');
}

void atom_text(struct model *m, struct buf *b, enum atom_kind kind,
	       const struct dim *arg, uint32_t narg)
{
	struct poly p;

	if (kind == ATOM_FLOOR) {
		buf_puts(b, "floor(");
		put_part(m, b, arg[0], false);
		buf_putc(b, '/');
		put_part(m, b, arg[1], true);
		buf_putc(b, ')');
		return;
	}
	buf_puts(b, kind == ATOM_MAX ? "max(" : "min(");
	for (uint32_t i = 0; i < narg; i++) {
		if (i)
			buf_puts(b, ", ");
		poly_of(m, arg[i], &p);
		put_sum(m, b, &p);
	}
	buf_putc(b, ')');
}

/* ---- reading ---- */

struct reader {
	struct model *m;
	struct str s; /* what is left */
	int depth;
	bool bad;
};

static struct dim read_sum(struct reader *r);

static bool skip(struct reader *r, const char *text)
{
	size_t n = strlen(text);

	if (r->s.n < n || memcmp(r->s.p, text, n) != 0)
		return false;
	r->s.p += n;
	r->s.n -= n;
	return true;
}

static struct dim fail(struct reader *r)
{
	r->bad = true;
	return (struct dim){.n = DIM_UNKNOWN};
}

static struct dim read_number(struct reader *r)
{
	int64_t v = 0;

	while (r->s.n && is_digit(r->s.p[0])) {
		if (!mul_i64(v, 10, &v) || !add_i64(v, r->s.p[0] - '0', &v))
			return fail(r);
		r->s.p++;
		r->s.n--;
	}
	return dim_of(v);
}

static struct dim read_name(struct reader *r, struct str name)
{
	sym s = intern_str(r->m->syms, name);

	if (expr_of(r->m, s)->kind != ATOM_NAME)
		return fail(r);
	return (struct dim){.n = DIM_UNKNOWN, .s = s};
}

static struct dim read_quoted(struct reader *r)
{
	char name[DIM_MAX_TEXT];
	size_t n = 0;

	while (r->s.n && r->s.p[0] != '\'') {
		if (r->s.p[0] == '\\') {
			r->s.p++;
			r->s.n--;
			if (r->s.n == 0)
				return fail(r);
		}
		name[n++] = *r->s.p++;
		r->s.n--;
	}
	if (!skip(r, "'"))
		return fail(r);
	return read_name(r, (struct str){name, n});
}

static struct dim read_extremum(struct reader *r, bool is_max)
{
	struct dim d = read_sum(r);

	while (!r->bad && skip(r, ", ")) {
		struct dim e = read_sum(r);

		d = is_max ? dim_max(r->m, d, e) : dim_min(r->m, d, e);
	}
	return r->bad || !skip(r, ")") ? fail(r) : d;
}

static struct dim read_prod(struct reader *r);

static struct dim read_part(struct reader *r)
{
	struct dim d;

	if (!skip(r, "("))
		return read_prod(r);
	d = read_sum(r);
	return skip(r, ")") ? d : fail(r);
}

static struct dim read_atom(struct reader *r)
{
	struct str name = {r->s.p, ident_len(r->s)};
	struct dim a, b;

	if (skip(r, "'"))
		return read_quoted(r);
	if (skip(r, "floor(")) {
		a = read_part(r);
		if (r->bad || !skip(r, "/"))
			return fail(r);
		b = read_part(r);
		if (r->bad || !skip(r, ")"))
			return fail(r);
		return dim_floordiv(r->m, a, b);
	}
	if (skip(r, "max("))
		return read_extremum(r, true);
	if (skip(r, "min("))
		return read_extremum(r, false);
	if (name.n == 0)
		return fail(r);
	r->s.p += name.n;
	r->s.n -= name.n;
	return read_name(r, name);
}

static struct dim read_prod(struct reader *r)
{
	struct dim d;

	if (r->s.n && is_digit(r->s.p[0]))
		d = read_number(r);
	else
		d = read_atom(r);
	while (!r->bad && skip(r, "*"))
		d = dim_mul(r->m, d, read_atom(r));
	return d;
}

static struct dim read_sum(struct reader *r)
{
	struct dim d = dim_of(0);
	bool minus = skip(r, "-");

	if (r->bad || --r->depth <= 0)
		return fail(r);
	do {
		struct dim e = read_prod(r);

		d = minus ? dim_sub(r->m, d, e) : dim_add(r->m, d, e);
		if (r->bad)
			return d;
		minus = skip(r, " - ");
	} while (minus || skip(r, " + "));
	r->depth++;
	return d;
}

struct dim dim_parse(struct model *m, struct str text)
{
	const struct dim none = {.n = DIM_UNKNOWN};
	struct reader r = {.m = m, .s = text, .depth = DIM_MAX_DEPTH};
	struct str back;
	struct dim d;

	if (text.n == 0 || text.n > DIM_MAX_TEXT || ident_len(text) == text.n)
		return none;
	if (skip(&r, "(-")) {
		d = dim_sub(m, dim_of(0), read_number(&r));
		if (!skip(&r, ")"))
			return none;
	} else {
		d = read_sum(&r);
	}
	if (r.bad || r.s.n || d.s == 0)
		return none;
	back = sym_str(m, d.s);
	return str_eq(back, text) ? d : none;
}

/* ---- meanings ---- */

void expr_put(struct model *m, sym s, const struct expr *e)
{
	struct expr *c;

	if (map_get(&m->exprs, s))
		return;
	c = arena_new(&m->arena, struct expr);
	*c = *e;
	if (e->kind != ATOM_NONE) {
		c->nterm = 1;
		c->term = arena_new(&m->arena, struct term);
		*c->term = (struct term){.c = 1, .n = 1, .f = {s}};
	} else {
		c->term = arena_dup(&m->arena, e->term,
				    e->nterm * sizeof(*e->term));
	}
	if (e->narg)
		c->arg =
			arena_dup(&m->arena, e->arg, e->narg * sizeof(*e->arg));
	map_put_ptr(&m->exprs, s, c);
}

const struct expr *expr_of(struct model *m, sym s)
{
	static const struct expr name = {.kind = ATOM_NAME};
	const struct expr *e = map_get_ptr(&m->exprs, s);
	struct dim d;

	if (e)
		return e;
	/* Reading canonical text builds, and so remembers, its meaning. */
	d = dim_parse(m, sym_str(m, s));
	if (dim_unknown(d))
		expr_put(m, s, &name);
	return map_get_ptr(&m->exprs, s);
}

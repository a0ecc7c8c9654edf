/* SPDX-License-Identifier: MIT */
/*
 * parse_lex.c -- words, strings and numbers of the ONNX text syntax.
 *
 * Positions are not tracked: line and column are counted when an error is
 * reported.  Cost: one pass over the text.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "ir/parse_p.h"

static bool is_blank(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

__attribute__((format(printf, 4, 0))) static bool
vfail(struct parser *p, const char *pos, enum diag_code code, const char *fmt,
      va_list ap)
{
	struct at at = {.file = p->file};
	struct buf b = {0};
	size_t line = 1, col = 1;

	if (p->failed)
		return false;
	p->failed = true;
	for (const char *q = p->beg; q < pos; q++) {
		col = *q == '\n' ? 1 : col + 1;
		line += *q == '\n';
	}
	buf_vprintf(&b, fmt, ap);
	diag_error(p->d, &at, code, "%zu:%zu: %s", line, col, b.p);
	buf_release(&b);
	return false;
}

bool parse_fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(p, p->p, E_syntax, fmt, ap);
	va_end(ap);
	return false;
}

bool parse_fail_at(struct parser *p, const char *at, enum diag_code code,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(p, at, code, fmt, ap);
	va_end(ap);
	return false;
}

/* The byte n places on; 0 behind the end. */
static int ahead(const struct parser *p, size_t n)
{
	return n < (size_t)(p->end - p->p) ? (unsigned char)p->p[n] : 0;
}

int lex_peek(struct parser *p)
{
	while (p->p < p->end) {
		if (is_blank((unsigned char)*p->p))
			p->p++;
		else if (*p->p == '#')
			while (p->p < p->end && *p->p != '\n')
				p->p++;
		else
			break;
	}
	return ahead(p, 0);
}

bool lex_end(struct parser *p)
{
	lex_peek(p);
	return p->p == p->end;
}

bool lex_accept(struct parser *p, char c)
{
	if (lex_peek(p) != (unsigned char)c || p->p == p->end)
		return false;
	p->p++;
	return true;
}

bool lex_expect(struct parser *p, char c)
{
	return lex_accept(p, c) || parse_fail(p, "expected '%c'", c);
}

bool lex_arrow(struct parser *p)
{
	if (lex_peek(p) != '=' || ahead(p, 1) != '>')
		return parse_fail(p, "expected '=>'");
	p->p += 2;
	return true;
}

struct str lex_ident_opt(struct parser *p)
{
	int c = lex_peek(p);
	struct str s = {p->p, 0};

	if (text_is_alpha(c) || c == '_')
		while (text_is_word(ahead(p, s.n)))
			s.n++;
	p->p += s.n;
	return s;
}

struct str lex_peek_ident(struct parser *p)
{
	struct str s = lex_ident_opt(p);

	p->p -= s.n;
	return s;
}

bool lex_ident(struct parser *p, struct str *s, const char *what)
{
	*s = lex_ident_opt(p);
	return s->n || parse_fail(p, "expected %s", what);
}

/* A backslash stands for the byte behind it, whatever that is. */
bool lex_string(struct parser *p, struct str *s)
{
	const char *q;
	size_t esc = 0, n = 0;
	char *to;

	if (lex_peek(p) != '"')
		return parse_fail(p, "expected a string");
	for (q = p->p + 1; q < p->end && *q != '"'; q++) {
		if (*q == '\\') {
			esc++;
			q++;
		}
	}
	if (q >= p->end)
		return parse_fail(p, "the string has no closing quote");
	*s = (struct str){p->p + 1, (size_t)(q - p->p - 1)};
	p->p = q + 1;
	if (!esc)
		return true;
	to = arena_alloc(&p->m->arena, s->n);
	for (size_t i = 0; i < s->n; i++) {
		i += s->p[i] == '\\';
		to[n++] = s->p[i];
	}
	*s = (struct str){to, n};
	return true;
}

bool lex_name(struct parser *p, struct str *s, const char *what)
{
	return lex_peek(p) == '"' ? lex_string(p, s) : lex_ident(p, s, what);
}

sym lex_sym(struct parser *p, struct str s)
{
	return intern_str(p->m->syms, s);
}

bool lex_peek_float_word(struct parser *p)
{
	return text_is_float_word(lex_peek_ident(p));
}

/* The length of the digits, point and exponent at offset i. */
static size_t scan_decimal(const struct parser *p, size_t i, bool *real)
{
	while (text_is_digit(ahead(p, i)) || (ahead(p, i) == '.' && !*real))
		*real |= ahead(p, i++) == '.';
	if ((ahead(p, i) | 0x20) != 'e')
		return i;
	*real = true;
	i++;
	if (ahead(p, i) == '+' || ahead(p, i) == '-')
		i++;
	while (text_is_digit(ahead(p, i)))
		i++;
	return i;
}

static bool is_hex(int c)
{
	return text_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool lex_number(struct parser *p, struct number *n)
{
	size_t i = lex_peek(p) == '-', from = i;
	bool real = false;

	if (text_is_alpha(ahead(p, i))) {
		while (text_is_word(ahead(p, i)))
			i++;
		if (!text_is_float_word((struct str){p->p + from, i - from}))
			return parse_fail(p, "expected a number");
		real = true;
	} else if (ahead(p, 0) == '0' && ahead(p, 1) == 'x') {
		for (i = 2; is_hex(ahead(p, i)); i++)
			;
		n->kind = NUM_BITS;
		n->text = (struct str){p->p + 2, i - 2};
		p->p += i;
		return (i > 2 && i <= 18) ||
		       parse_fail(p, "expected 1 to 16 hexadecimal digits");
	} else if (text_is_digit(ahead(p, i))) {
		i = scan_decimal(p, i, &real);
	} else {
		return parse_fail(p, "expected a number");
	}
	n->kind = real ? NUM_FLOAT : NUM_INT;
	n->text = (struct str){p->p, i};
	p->p += i;
	return true;
}

static bool digits_u64(struct str s, unsigned base, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < s.n; i++) {
		int c = (unsigned char)s.p[i];
		unsigned x = text_is_digit(c)
				     ? (unsigned)(c - '0')
				     : (unsigned)((c | 0x20) - 'a' + 10);

		if (__builtin_mul_overflow(*v, base, v) ||
		    __builtin_add_overflow(*v, x, v))
			return false;
	}
	return true;
}

bool number_u64(struct parser *p, const struct number *n, uint64_t *v)
{
	if (n->kind == NUM_FLOAT)
		return parse_fail(p, "expected an integer");
	if (n->text.p[0] == '-')
		return parse_fail(p, "expected a number that is not negative");
	if (!digits_u64(n->text, n->kind == NUM_BITS ? 16 : 10, v))
		return parse_fail(p, "the number does not fit 64 bits");
	return true;
}

bool number_i64(struct parser *p, const struct number *n, int64_t *v)
{
	bool neg = n->text.p[0] == '-';
	struct str s = {n->text.p + neg, n->text.n - neg};
	uint64_t u;

	if (n->kind != NUM_INT)
		return parse_fail(p, "expected an integer");
	if (!digits_u64(s, 10, &u) || u > (uint64_t)INT64_MAX + neg)
		return parse_fail(p, "the number does not fit 64 bits");
	*v = (int64_t)(neg ? 0 - u : u);
	return true;
}

bool lex_int(struct parser *p, int64_t *v)
{
	struct number n;

	return lex_number(p, &n) && number_i64(p, &n, v);
}

/* A NUL-terminated copy: in tmp if it fits, else to be freed. */
static char *text_copy(struct str s, char *tmp, size_t cap)
{
	char *t = s.n < cap ? tmp : xmalloc(s.n + 1);

	memcpy(t, s.p, s.n);
	t[s.n] = '\0';
	return t;
}

double number_f64(const struct parser *p, const struct number *n)
{
	char tmp[64], *t = text_copy(n->text, tmp, sizeof tmp);
	double v = strtod_l(t, NULL, p->c);

	if (t != tmp)
		free(t);
	return v;
}

float number_f32(const struct parser *p, const struct number *n)
{
	char tmp[64], *t = text_copy(n->text, tmp, sizeof tmp);
	float v = strtof_l(t, NULL, p->c);

	if (t != tmp)
		free(t);
	return v;
}

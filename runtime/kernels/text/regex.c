/* SPDX-License-Identifier: MIT */
/*
 * regex.c -- regular expressions to instructions.
 *
 * Recursive descent, a group in a group at most REGEX_DEPTH times.  Since
 * whole texts are matched and nothing is captured, greedy or not makes no
 * difference.
 */
#include <string.h>

#include "base/lettercase.h"
#include "base/utf8.h"
#include "runtime/kernels/text/regex_p.h"

enum { FLAG_I = 1, FLAG_M = 2, FLAG_S = 4, FLAG_U = 8 };

#define NOTHING SIZE_MAX /* to repeat */

struct parser {
	struct kcall *c;
	struct regex *r;
	struct str s;
	size_t at;
	unsigned flags, depth;
};

static enum status refuse(struct parser *p, enum diag_code code,
			  const char *why)
{
	return kcall_error(p->c, code, "pattern, byte %zu: %s", p->at, why);
}

static bool looking_at(const struct parser *p, const char *text)
{
	size_t n = strlen(text);

	return p->s.n - p->at >= n && !memcmp(p->s.p + p->at, text, n);
}

static bool skip(struct parser *p, const char *text)
{
	if (!looking_at(p, text))
		return false;
	p->at += strlen(text);
	return true;
}

/* The byte at distance k; 0 beyond the end. */
static char byte_at(const struct parser *p, size_t k)
{
	return p->s.n - p->at > k ? p->s.p[p->at + k] : 0;
}

static enum status character(struct parser *p, uint32_t *v)
{
	size_t n = utf8_decode(p->s.p + p->at, p->s.n - p->at, v);

	p->at += n;
	return n ? OK : refuse(p, E_attr, "not UTF-8");
}

/* ---- code ---- */

static enum status emit(struct parser *p, struct regex_inst in)
{
	return regex_emit(p->r, in) ? OK
				    : refuse(p, E_unsupported,
					     "the expression is too large");
}

static enum status literal(struct parser *p, uint32_t v)
{
	if (p->flags & FLAG_I)
		return emit(p, (struct regex_inst){.op = RX_FOLD,
						   .a = case_fold(v)});
	return emit(p, (struct regex_inst){.op = RX_CHAR, .a = v});
}

static enum status test(struct parser *p, enum regex_test t)
{
	return emit(p, (struct regex_inst){.op = RX_TEST, .a = t});
}

/* ---- repetition ---- */

/* Digits without leading zeros; capped above REGEX_REPEAT. */
static bool number(const char *s, size_t n, size_t *at, int *v)
{
	size_t from = *at;

	for (*v = 0; *at < n && s[*at] >= '0' && s[*at] <= '9'; ++*at)
		if (*v <= REGEX_REPEAT)
			*v = *v * 10 + (s[*at] - '0');
	return *at > from && (s[from] != '0' || *at == from + 1);
}

/* {n}, {n,} or {n,m}; anything else in braces stands for itself. */
static bool counted(const struct parser *p, size_t *end, int *min, int *max)
{
	const char *s = p->s.p;
	size_t i = p->at + 1;

	if (byte_at(p, 0) != '{' || !number(s, p->s.n, &i, min))
		return false;
	*max = *min;
	if (i < p->s.n && s[i] == ',') {
		i++;
		if (i < p->s.n && s[i] == '}')
			*max = -1;
		else if (!number(s, p->s.n, &i, max))
			return false;
	}
	*end = i + 1;
	return i < p->s.n && s[i] == '}';
}

static bool repetition(const struct parser *p, size_t *end, int *min, int *max)
{
	char op = byte_at(p, 0);

	*end = p->at + 1;
	*min = op == '+';
	*max = op == '?' ? 1 : -1;
	return (p->at < p->s.n && (op == '*' || op == '+' || op == '?')) ||
	       counted(p, end, min, max);
}

static enum status repeats(struct parser *p, size_t start)
{
	int min, max;
	size_t end;

	if (!repetition(p, &end, &min, &max))
		return OK;
	if (start == NOTHING)
		return refuse(p, E_attr, "nothing to repeat");
	if (min > REGEX_REPEAT || max > REGEX_REPEAT || (max >= 0 && max < min))
		return refuse(p, E_attr, "bad number of repetitions");
	p->at = end;
	if (byte_at(p, 0) == '?')
		p->at++;
	if (repetition(p, &end, &(int){0}, &(int){0}))
		return refuse(p, E_attr, "a repetition of a repetition");
	return regex_repeat(p->r, start, min, max)
		       ? OK
		       : refuse(p, E_unsupported,
				"the expression is too large");
}

/* ---- escapes ---- */

static int digit(char c, int base)
{
	int v = c >= '0' && c <= '9'   ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : 99;

	return v < base ? v : -1;
}

static enum status hexadecimal(struct parser *p, uint32_t *v)
{
	bool braces = skip(p, "{");
	size_t n = 0;
	int d;

	for (*v = 0;
	     n < (braces ? 8 : 2) && (d = digit(byte_at(p, 0), 16)) >= 0;
	     n++, p->at++)
		*v = *v << 4 | (uint32_t)d;
	if (n < (braces ? 1 : 2) || *v > 0x10ffff || (braces && !skip(p, "}")))
		return refuse(p, E_attr, "bad hexadecimal number");
	return OK;
}

static enum status octal(struct parser *p, uint32_t *v)
{
	int d;

	if (byte_at(p, 0) != '0' && digit(byte_at(p, 1), 8) < 0)
		return refuse(p, E_attr, "a reference to a group");
	*v = 0;
	for (int n = 0; n < 3 && (d = digit(byte_at(p, 0), 8)) >= 0;
	     n++, p->at++)
		*v = *v << 3 | (uint32_t)d;
	return OK;
}

/* The one character that a backslash and what follows stand for. */
static enum status escaped(struct parser *p, uint32_t *v)
{
	static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
	char c = byte_at(p, 1);
	const char *k;

	p->at++;
	if (p->at >= p->s.n)
		return refuse(p, E_attr, "a backslash at the end");
	if (digit(c, 8) >= 0)
		return octal(p, v);
	p->at++;
	if (c == 'x')
		return hexadecimal(p, v);
	k = c ? strchr(from, c) : NULL;
	*v = k ? (uint32_t)to[k - from] : (unsigned char)c;
	if (!k && (*v >= 0x80 || digit(c, 10) >= 0 ||
		   ((*v | 32) >= 'a' && (*v | 32) <= 'z')))
		return refuse(p, E_attr, "an unknown escape");
	return OK;
}

/* ---- classes ---- */

static enum status add_range(struct parser *p, uint32_t lo, uint32_t hi)
{
	if (p->r->ranges.n >= REGEX_MAX)
		return refuse(p, E_unsupported, "the classes are too large");
	vec_push(&p->r->ranges, ((struct regex_range){lo, hi}));
	return OK;
}

static enum status add_named(struct parser *p, struct str name, bool not )
{
	struct regex_range g[REGEX_NAMED];
	uint32_t n = regex_named(name, not, (p->flags & FLAG_I) != 0, g);
	enum status st = n ? OK : refuse(p, E_attr, "an unknown class");

	for (uint32_t i = 0; !st && i < n; i++)
		st = add_range(p, g[i].lo, g[i].hi);
	return st;
}

/* \d and its like, or [:name:] within a class; *found says whether. */
static enum status named_class(struct parser *p, bool inside, bool *found)
{
	char c = byte_at(p, 1), small = (char)(c | 32);
	const char *end;
	struct str name;
	bool not ;

	*found = true;
	if (byte_at(p, 0) == '\\' && (small == 'p' || c == 'C'))
		return refuse(p, E_unsupported,
			      "\\p and \\C are not supported");
	if (byte_at(p, 0) == '\\' && c && strchr("dswDSW", c)) {
		p->at += 2;
		return add_named(p, (struct str){&small, 1}, c != small);
	}
	*found = false;
	if (!inside || !looking_at(p, "[:"))
		return OK;
	name = (struct str){p->s.p + p->at + 2, p->s.n - p->at - 2};
	for (end = name.p; end + 1 < name.p + name.n; end++)
		if (end[0] == ':' && end[1] == ']')
			break;
	*found = end + 1 < name.p + name.n;
	if (!*found)
		return OK;
	name.n = (size_t)(end - name.p);
	p->at += name.n + 4;
	not = name.n && *name.p == '^';
	return add_named(p, (struct str){name.p + not, name.n - not }, not );
}

static enum status class_member(struct parser *p, uint32_t *v)
{
	if (p->at >= p->s.n)
		return refuse(p, E_attr, "']' is missing");
	return byte_at(p, 0) == '\\' ? escaped(p, v) : character(p, v);
}

static enum status class_item(struct parser *p)
{
	uint32_t lo, hi;
	bool found;
	enum status st = named_class(p, true, &found);

	if (st || found)
		return st;
	st = class_member(p, &lo);
	hi = lo;
	if (!st && byte_at(p, 0) == '-' && p->s.n - p->at > 1 &&
	    byte_at(p, 1) != ']') {
		p->at++;
		st = class_member(p, &hi);
	}
	if (!st && lo > hi)
		st = refuse(p, E_attr, "a range of characters is empty");
	return st ? st : add_range(p, lo, hi);
}

static bool in_ranges(const struct regex *r, const struct regex_class *k,
		      uint32_t v)
{
	for (uint32_t i = k->first; i < k->first + k->n; i++)
		if (v >= r->ranges.p[i].lo && v <= r->ranges.p[i].hi)
			return true;
	return false;
}

/* What the members fold to, so that a folded character finds itself. */
static enum status add_folded(struct parser *p, const struct regex_class *k)
{
	enum status st = OK;

	for (uint32_t v = case_next(0); v && !st; v = case_next(v + 1)) {
		uint32_t f = case_fold(v);
		struct regex_range *last = &p->r->ranges.p[p->r->ranges.n - 1];

		if (f == v || !in_ranges(p->r, k, v) || in_ranges(p->r, k, f))
			continue;
		if (p->r->ranges.n > k->first + k->n && f == last->hi + 1)
			last->hi = f;
		else
			st = add_range(p, f, f);
	}
	return st;
}

/* The ranges from k->first on become a class. */
static enum status close_class(struct parser *p, struct regex_class *k)
{
	enum status st = OK;

	k->n = (uint32_t)p->r->ranges.n - k->first;
	k->fold = (p->flags & FLAG_I) != 0;
	if (k->fold)
		st = add_folded(p, k);
	k->n = (uint32_t)p->r->ranges.n - k->first;
	if (st)
		return st;
	vec_push(&p->r->classes, *k);
	return emit(p, (struct regex_inst){
			       .op = RX_CLASS,
			       .a = (uint32_t)p->r->classes.n - 1,
		       });
}

static enum status class(struct parser *p) {
	struct regex_class k = {.first = (uint32_t)p->r->ranges.n};
	enum status st;

	p->at++; k.not = skip(p, "^"); do {st = class_item(p);}
while (!st && !looking_at(p, "]"));
p->at++;
return st ? st : close_class(p, &k);
}

/* ---- atoms ---- */

/* \Q...\E: characters as they are, of which the last may be repeated. */
static enum status quoted(struct parser *p, size_t *start)
{
	enum status st = OK;
	uint32_t v;

	*start = NOTHING;
	while (p->at < p->s.n && !st && !skip(p, "\\E")) {
		st = character(p, &v);
		*start = p->r->code.n;
		if (!st)
			st = literal(p, v);
	}
	return st;
}

static enum status escape(struct parser *p, size_t *start)
{
	static const struct {
		const char *text;
		enum regex_test test;
	} tests[] = {{"\\A", RX_BEGIN},
		     {"\\z", RX_END},
		     {"\\b", RX_WORD},
		     {"\\B", RX_NOT_WORD}};
	struct regex_class k = {.first = (uint32_t)p->r->ranges.n};
	uint32_t v;
	bool found;
	enum status st;

	for (size_t i = 0; i < countof(tests); i++)
		if (skip(p, tests[i].text))
			return test(p, tests[i].test);
	if (skip(p, "\\Q"))
		return quoted(p, start);
	st = named_class(p, false, &found);
	if (st)
		return st;
	if (found)
		return close_class(p, &k);
	st = escaped(p, &v);
	return st ? st : literal(p, v);
}

static enum status alternatives(struct parser *p);

/* (?flags) or (?flags: up to the colon or parenthesis; *group: a colon. */
static enum status flags(struct parser *p, bool *group)
{
	static const char letters[] = "imsU";
	unsigned on = p->flags;
	bool negative = false, any = false;

	for (;; p->at++) {
		char c = byte_at(p, 0);
		const char *k = c ? strchr(letters, c) : NULL;

		if (k && negative)
			on &= ~(1u << (k - letters));
		else if (k)
			on |= 1u << (k - letters);
		else if (c != '-' || negative)
			break;
		any = k != NULL;
		negative |= c == '-';
	}
	*group = byte_at(p, 0) == ':';
	if ((negative && !any) || (!*group && byte_at(p, 0) != ')'))
		return refuse(p, E_attr, "an unknown kind of group");
	p->at++;
	p->flags = on;
	return OK;
}

static enum status group_name(struct parser *p)
{
	size_t from = p->at;
	uint32_t v = 0;

	while (p->at < p->s.n && byte_at(p, 0) != '>') {
		v = (unsigned char)byte_at(p, 0);
		if (v < 0x80 && v != '_' && digit((char)v, 10) < 0 &&
		    !((v | 32) >= 'a' && (v | 32) <= 'z'))
			break;
		p->at++;
	}
	if (p->at == from || !skip(p, ">"))
		return refuse(p, E_attr, "a bad name of a group");
	return OK;
}

static enum status group(struct parser *p, size_t *start)
{
	unsigned saved = p->flags;
	bool body = true;
	enum status st = OK;

	p->at++;
	if (skip(p, "?P<") || skip(p, "?<"))
		st = group_name(p);
	else if (skip(p, "?"))
		st = flags(p, &body);
	if (st)
		return st;
	if (!body) { /* holds up to the end of the group around */
		*start = NOTHING;
		return OK;
	}
	if (++p->depth > REGEX_DEPTH)
		return refuse(p, E_unsupported, "groups are nested too deeply");
	st = alternatives(p); /* NOLINT: REGEX_DEPTH at most */
	if (!st && !skip(p, ")"))
		st = refuse(p, E_attr, "')' is missing");
	p->depth--;
	p->flags = saved;
	return st;
}

static enum status atom(struct parser *p, size_t *start)
{
	bool lines = (p->flags & FLAG_M) != 0;
	enum status st;
	uint32_t v;

	switch (byte_at(p, 0)) {
	case '(':
		return group(p, start);
	case '[':
		return class(p);
	case '\\':
		return escape(p, start);
	case '.':
		p->at++;
		return emit(p, (struct regex_inst){.op = p->flags & FLAG_S
								 ? RX_ANY
								 : RX_LINE});
	case '^':
		p->at++;
		return test(p, lines ? RX_LINE_BEGIN : RX_BEGIN);
	case '$':
		p->at++;
		return test(p, lines ? RX_LINE_END : RX_END);
	case '*':
	case '+':
	case '?':
		return refuse(p, E_attr, "nothing to repeat");
	default:
		st = character(p, &v);
		return st ? st : literal(p, v);
	}
}

static bool at_end(const struct parser *p)
{
	return p->at >= p->s.n || p->s.p[p->at] == '|' || p->s.p[p->at] == ')';
}

/*
 * Each alternative begins with an instruction that goes on, and becomes a
 * split if another alternative follows; all but the last end with a jump.
 */
static enum status alternatives(struct parser *p)
{
	const struct regex_inst on = {.op = RX_JUMP, .x = 1};
	uint32_t last_jump = UINT32_MAX; /* chained through a */
	enum status st = OK;
	size_t head;

	do {
		head = p->r->code.n;
		st = emit(p, on);
		while (!st && !at_end(p)) {
			size_t start = p->r->code.n;

			st = atom(p, &start);
			if (!st)
				st = repeats(p, start);
		}
		if (st || byte_at(p, 0) != '|')
			break;
		st = emit(p, (struct regex_inst){RX_JUMP, last_jump, 0, 0});
		last_jump = (uint32_t)p->r->code.n - 1;
		p->r->code.p[head] = (struct regex_inst){
			RX_SPLIT, 0, 1, (int32_t)(p->r->code.n - head)};
		p->at++;
	} while (!st);
	while (!st && last_jump != UINT32_MAX) {
		struct regex_inst *j = &p->r->code.p[last_jump];

		j->x = (int32_t)(p->r->code.n - last_jump);
		last_jump = j->a;
	}
	return st;
}

enum status regex_compile(struct kcall *c, struct str pattern, struct regex *r)
{
	struct parser p = {.c = c, .r = r, .s = pattern};
	enum status st = alternatives(&p);

	if (!st && p.at < p.s.n)
		st = refuse(&p, E_attr, "')' without '('");
	return st ? st : emit(&p, (struct regex_inst){.op = RX_MATCH});
}

/* SPDX-License-Identifier: MIT */
/*
 * parse_type.c -- types of the ONNX text syntax: "float[N,3]", "seq(int64)".
 *
 * "float" is a scalar, "float[]" has an unknown rank.  Beyond the public
 * syntax: "undefined" as element type, or alone for a type that says nothing;
 * "opaque(domain, name)"; "@name" behind a dimension or type for its
 * denotation.
 */
#include <stdlib.h>
#include "ir/parse_p.h"

typedef VEC(struct dim) dim_vec;

bool parse_at_type(struct parser *p)
{
	struct str s = lex_peek_ident(p);
	const char *from = p->p;
	int c;

	if (text_is_type_word(s))
		return true;
	if (!text_is_any_type_word(s))
		return false;
	/* These are ours: a lone word is a name, as it always was. */
	p->p += s.n;
	c = lex_peek(p);
	if (s.p[0] == 'u')
		c = c == '[' || c == '@' || c == '"' || lex_peek_ident(p).n > 0;
	else
		c = c == '(';
	p->p = from;
	return c;
}

static bool parse_denotation(struct parser *p, sym *out)
{
	struct str s;

	*out = 0;
	if (!lex_accept(p, '@'))
		return true;
	if (!lex_name(p, &s, "a denotation"))
		return false;
	*out = lex_sym(p, s);
	return true;
}

static bool parse_dim(struct parser *p, struct dim *d)
{
	int c = lex_peek(p);
	struct str s;

	*d = dim_of(DIM_UNKNOWN);
	if (c == '"' || lex_peek_ident(p).n) {
		if (!lex_name(p, &s, "a dimension"))
			return false;
		*d = dim_sym(p->m, lex_sym(p, s));
	} else if (!lex_accept(p, '?')) {
		if (!lex_int(p, &d->n))
			return false;
		if (d->n < 0)
			return parse_fail(p, "a dimension is negative");
	}
	return parse_denotation(p, &d->denotation);
}

/* "[]", "[dims]" or nothing; *rank -1 for an unknown rank. */
static bool parse_shape(struct parser *p, dim_vec *v, int *rank)
{
	struct dim d;

	*rank = 0;
	if (!lex_accept(p, '['))
		return true;
	*rank = -1;
	if (lex_accept(p, ']'))
		return true;
	do {
		if (!parse_dim(p, &d))
			return false;
		vec_push(v, d);
	} while (lex_accept(p, ','));
	if (v->n > INT16_MAX)
		return parse_fail(p, "the rank %zu is too large", v->n);
	*rank = (int)v->n;
	return lex_expect(p, ']');
}

static struct type *new_type(struct parser *p, enum type_kind kind, int rank)
{
	size_t n = rank > 0 ? (size_t)rank : 0;
	struct type *t =
		arena_alloc(&p->m->arena, sizeof *t + n * sizeof t->dim[0]);

	t->kind = kind;
	t->rank = rank;
	return t;
}

static bool parse_tensor_type(struct parser *p, enum type_kind kind,
			      struct type **out)
{
	struct str s;
	dim_vec dims = {0};
	int rank;
	bool ok = lex_ident(p, &s, "an element type") &&
		  parse_shape(p, &dims, &rank);
	enum dtype dt = ok ? dtype_from_name(s) : DT_NONE;

	if (ok && dt == DT_NONE && !str_is(s, "undefined"))
		ok = parse_fail(p, "unknown element type '%.*s'", (int)s.n,
				s.p);
	if (ok) {
		*out = new_type(p, kind, rank);
		(*out)->dt = dt;
		for (int i = 0; i < rank; i++)
			(*out)->dim[i] = dims.p[i];
	}
	vec_release(&dims);
	return ok;
}

static bool parse_any(struct parser *p, unsigned depth, const struct type **t);

/* The part of "seq(...)", "optional(...)", "map(key, ...)" in parentheses. */
static bool parse_container(struct parser *p, enum type_kind kind,
			    unsigned depth, struct type **out)
{
	const struct type *elem;
	enum dtype key = DT_NONE;
	struct str s;

	if (kind == TY_MAP) {
		if (!lex_ident(p, &s, "a key type"))
			return false;
		key = dtype_from_name(s);
		if (key == DT_NONE)
			return parse_fail(p, "unknown key type");
		if (!lex_expect(p, ','))
			return false;
	}
	if (!parse_any(p, depth + 1, &elem))
		return false;
	*out = new_type(p, kind, -1);
	(*out)->dt = key;
	(*out)->elem = elem;
	return true;
}

static bool parse_opaque(struct parser *p, struct type **out)
{
	struct str domain, name;

	if (!lex_name(p, &domain, "a domain") || !lex_expect(p, ',') ||
	    !lex_name(p, &name, "a type name"))
		return false;
	*out = new_type(p, TY_OPAQUE, -1);
	(*out)->opaque_domain = lex_sym(p, domain);
	(*out)->opaque_name = lex_sym(p, name);
	return true;
}

static bool parse_inner(struct parser *p, struct str word, unsigned depth,
			struct type **t)
{
	bool ok;

	if (depth >= TEXT_MAX_TYPE_DEPTH)
		return parse_fail(p, "types are nested too deeply");
	if (!lex_expect(p, '('))
		return false;
	if (str_is(word, "sparse_tensor"))
		ok = parse_tensor_type(p, TY_SPARSE, t);
	else if (str_is(word, "opaque"))
		ok = parse_opaque(p, t);
	else
		ok = parse_container(p,
				     str_is(word, "seq")   ? TY_SEQ
				     : str_is(word, "map") ? TY_MAP
							   : TY_OPTIONAL,
				     depth, t);
	return ok && lex_expect(p, ')');
}

/* NOLINTNEXTLINE(misc-no-recursion): at most TEXT_MAX_TYPE_DEPTH deep. */
static bool parse_any(struct parser *p, unsigned depth, const struct type **out)
{
	struct str word = lex_peek_ident(p);
	struct type *t = NULL;

	if (!parse_at_type(p) && !str_is(word, "undefined"))
		return parse_fail(p, "expected a type");
	if (dtype_from_name(word) != DT_NONE) {
		if (!parse_tensor_type(p, TY_TENSOR, &t))
			return false;
	} else if (str_is(word, "undefined")) {
		p->p += word.n;
		if (lex_peek(p) == '[') {
			p->p = word.p;
			if (!parse_tensor_type(p, TY_TENSOR, &t))
				return false;
		} else {
			t = new_type(p, TY_UNKNOWN, -1);
		}
	} else {
		p->p += word.n;
		if (!parse_inner(p, word, depth, &t))
			return false;
	}
	if (!parse_denotation(p, &t->denotation))
		return false;
	*out = t->kind == TY_UNKNOWN && !t->denotation ? type_unknown()
						       : type_intern(p->m, t);
	return true;
}

bool parse_type(struct parser *p, const struct type **t)
{
	return parse_any(p, 0, t);
}

bool parse_info(struct parser *p, struct info *i)
{
	struct str s;

	*i = (struct info){.decl = type_unknown()};
	i->has_type = parse_at_type(p);
	if (i->has_type && !parse_type(p, &i->decl))
		return false;
	if (!lex_name(p, &s, "a name"))
		return false;
	i->name = lex_sym(p, s);
	return true;
}

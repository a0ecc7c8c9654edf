/* SPDX-License-Identifier: MIT */
/*
 * parse_node.c -- nodes of the ONNX text syntax.
 *
 * "[name] a, b = domain.Op:overload <attributes> (x, "", y)"; attributes may
 * also follow the inputs.  Beyond the public syntax, a domain, operator or
 * overload that is no identifier may be quoted.
 */
#include <stdlib.h>
#include "ir/parse_p.h"

struct word {
	struct str s;
	const char *at;
};

typedef VEC(struct word) word_vec;

bool parse_define(struct parser *p, struct value *v, const char *at)
{
	struct str s = sym_str(p->m, v->name);

	if (!s.n)
		return parse_fail_at(p, at, E_name, "a value has no name");
	return scope_define(&p->names, v) ||
	       parse_fail_at(p, at, E_name, "'%.*s' is defined twice",
			     s.n > 200 ? 200 : (int)s.n, s.p);
}

void parse_pending(struct parser *p, struct node *n, uint32_t slot, sym name,
		   const char *at)
{
	struct pending x = {n, slot, name, at};

	vec_push(&p->pending, x);
}

/*
 * Names between commas; one may be missing, which means left out, but a comma
 * behind the last adds nothing: "(,x)" has two, "(x,)" and "(,)" one.
 */
static bool parse_words(struct parser *p, word_vec *v)
{
	struct word w;

	do {
		int c = lex_peek(p);

		w = (struct word){{p->p, 0}, p->p};
		if (c == '"' || lex_peek_ident(p).n) {
			if (!lex_name(p, &w.s, "a name"))
				return false;
		} else if (c != ',') {
			return true;
		}
		vec_push(v, w);
	} while (lex_accept(p, ','));
	return true;
}

/* "a.b.Op": the domain is "a.b". */
static bool parse_op(struct parser *p, struct node *n)
{
	struct buf domain = {0};
	struct str s;
	bool ok = lex_name(p, &s, "an operator");

	while (ok && lex_accept(p, '.')) {
		if (domain.n)
			buf_putc(&domain, '.');
		buf_add(&domain, s.p, s.n);
		ok = lex_name(p, &s, "an operator");
	}
	if (ok) {
		n->type = lex_sym(p, s);
		if (domain.n)
			n->domain =
				lex_sym(p, (struct str){domain.p, domain.n});
	}
	buf_release(&domain);
	if (!ok || !lex_accept(p, ':'))
		return ok;
	if (!lex_name(p, &s, "an overload"))
		return false;
	n->overload = lex_sym(p, s);
	return true;
}

static bool set_outputs(struct parser *p, struct node *n, const word_vec *v)
{
	for (uint32_t i = 0; i < n->nout; i++) {
		if (!v->p[i].s.n) {
			n->out[i] = NULL;
			continue;
		}
		n->out[i]->name = lex_sym(p, v->p[i].s);
		if (!parse_define(p, n->out[i], v->p[i].at))
			return false;
	}
	return true;
}

static bool parse_inputs(struct parser *p, struct node *n)
{
	word_vec v = {0};
	bool ok =
		lex_expect(p, '(') && parse_words(p, &v) && lex_expect(p, ')');

	if (ok) {
		node_resize_inputs(n, (uint32_t)v.n);
		for (uint32_t i = 0; i < n->nin; i++)
			if (v.p[i].s.n)
				parse_pending(p, n, i, lex_sym(p, v.p[i].s),
					      v.p[i].at);
	}
	vec_release(&v);
	return ok;
}

static bool parse_node_name(struct parser *p, sym *name)
{
	struct str s = {"", 0};

	*name = 0;
	if (!lex_accept(p, '['))
		return true;
	if (lex_peek(p) != ']' && !lex_name(p, &s, "a node name"))
		return false;
	*name = lex_sym(p, s);
	return lex_expect(p, ']');
}

static bool parse_node(struct parser *p, struct graph *g, unsigned depth)
{
	word_vec out = {0};
	struct node *n = NULL;
	sym name;
	bool ok = parse_node_name(p, &name) && parse_words(p, &out) &&
		  lex_expect(p, '=');

	if (ok) {
		n = node_create(g, op_unknown(), 0, (uint32_t)out.n, NULL);
		n->name = name;
		ok = set_outputs(p, n, &out);
	}
	vec_release(&out);
	if (!ok || !parse_op(p, n) || !parse_attrs(p, n, depth) ||
	    !parse_inputs(p, n))
		return false;
	return n->nattr || parse_attrs(p, n, depth);
}

bool parse_nodes(struct parser *p, struct graph *g, unsigned depth)
{
	if (!lex_expect(p, '{'))
		return false;
	while (!lex_accept(p, '}'))
		if (!parse_node(p, g, depth))
			return false;
	return true;
}

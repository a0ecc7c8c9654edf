/* SPDX-License-Identifier: MIT */
/*
 * parse_attr.c -- attributes of the ONNX text syntax.
 *
 * A value's form tells its kind, except that whole numbers may be floats and
 * that an empty list says nothing: there the annotation ": kind" decides.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/parse_p.h"

struct item {
	enum attr_kind kind; /* a singular one */
	int64_t i;
	float f;
	struct str s;
	const struct tensor *t;
	struct graph *g;
	const struct type *type;
};

typedef VEC(struct item) item_vec;

/* "then = g () => (y) {...}" */
static bool item_graph(struct parser *p, struct node *n, struct item *it,
		       unsigned depth)
{
	it->kind = ATTR_GRAPH;
	if (!n)
		return parse_fail(p, "a graph cannot be a default value");
	if (depth >= TEXT_MAX_DEPTH)
		return parse_fail_at(p, p->p, E_depth,
				     "graphs are nested too deeply");
	it->g = graph_create(p->m, n);
	return parse_graph(p, it->g, depth + 1);
}

/* A type, or a tensor if a name or a value follows. */
static bool item_type(struct parser *p, struct item *it)
{
	struct str s;
	sym name = 0;
	int c;

	if (!parse_type(p, &it->type))
		return false;
	c = lex_peek(p);
	it->kind = ATTR_TYPE;
	if (c != '{' && c != '=' && c != '[' && c != '"' && c != '.' &&
	    !lex_peek_ident(p).n)
		return true;
	if (c == '"' || lex_peek_ident(p).n) {
		if (!lex_name(p, &s, "a name"))
			return false;
		name = lex_sym(p, s);
	}
	lex_accept(p, '=');
	if (!parse_tensor_data(p, it->type, name, &it->t))
		return false;
	it->kind = it->t->sparse_indices ? ATTR_SPARSE : ATTR_TENSOR;
	return true;
}

static bool item_number(struct parser *p, struct item *it)
{
	struct number n;
	uint64_t bits;
	uint32_t low;

	if (!lex_number(p, &n))
		return false;
	it->kind = ATTR_FLOAT;
	if (n.kind == NUM_FLOAT) {
		it->f = number_f32(p, &n);
		return true;
	}
	if (n.kind == NUM_INT) {
		it->kind = ATTR_INT;
		return number_i64(p, &n, &it->i);
	}
	if (!number_u64(p, &n, &bits) || bits > UINT32_MAX)
		return parse_fail(p, "the value does not fit float");
	low = (uint32_t)bits;
	memcpy(&it->f, &low, sizeof it->f);
	return true;
}

static bool item_string(struct parser *p, struct node *n, struct item *it,
			unsigned depth)
{
	const char *at = p->p;
	int c;

	if (!lex_string(p, &it->s))
		return false;
	c = lex_peek(p);
	if (c == '(' || c == '=') { /* a graph with a quoted name */
		p->p = at;
		return item_graph(p, n, it, depth);
	}
	it->kind = ATTR_STRING;
	it->s = arena_str(&p->m->arena, it->s);
	return true;
}

static bool parse_item(struct parser *p, struct node *n, enum attr_kind want,
		       struct item *it, unsigned depth)
{
	bool ok;

	*it = (struct item){0};
	if (lex_peek(p) == '"')
		ok = item_string(p, n, it, depth);
	else if (parse_at_type(p) ||
		 (want == ATTR_TYPE && str_is(lex_peek_ident(p), "undefined")))
		ok = item_type(p, it);
	else if (lex_peek_ident(p).n && !lex_peek_float_word(p))
		ok = item_graph(p, n, it, depth);
	else
		ok = item_number(p, it);
	if (!ok || want == ATTR_NONE || want == it->kind)
		return ok;
	if (want != ATTR_FLOAT || it->kind != ATTR_INT)
		return parse_fail(p, "the value is not of the kind that the "
				     "attribute is declared with");
	it->kind = ATTR_FLOAT;
	it->f = (float)it->i;
	return true;
}

static bool parse_kind(struct parser *p, enum attr_kind *k)
{
	struct str s;

	if (!lex_ident(p, &s, "an attribute kind"))
		return false;
	*k = text_attr_kind_find(s);
	return *k != ATTR_NONE ||
	       parse_fail(p, "unknown attribute kind '%.*s'", (int)s.n, s.p);
}

/* Whole numbers among floats are floats; else all items are of one kind. */
static bool unify(struct parser *p, item_vec *v)
{
	enum attr_kind kind = v->p[0].kind;

	for (size_t i = 0; i < v->n; i++)
		if (v->p[i].kind == ATTR_FLOAT && kind == ATTR_INT)
			kind = ATTR_FLOAT;
	for (size_t i = 0; i < v->n; i++) {
		if (v->p[i].kind == ATTR_INT && kind == ATTR_FLOAT) {
			v->p[i].f = (float)v->p[i].i;
			v->p[i].kind = ATTR_FLOAT;
		}
		if (v->p[i].kind != kind)
			return parse_fail(p, "the list mixes kinds");
	}
	return true;
}

static void store_one(struct attr *a, size_t i, const struct item *it)
{
	switch (it->kind) {
	case ATTR_FLOAT:
		a->u.f[i] = it->f;
		break;
	case ATTR_INT:
		a->u.i[i] = it->i;
		break;
	case ATTR_STRING:
		a->u.s[i] = it->s;
		break;
	case ATTR_GRAPH:
		a->u.g[i] = it->g;
		break;
	case ATTR_TYPE:
		a->u.type[i] = it->type;
		break;
	default:
		a->u.t[i] = it->t;
	}
}

static void store(struct parser *p, struct attr *a, const item_vec *v)
{
	/* the largest member of the union's targets */
	void *mem = arena_array(&p->m->arena, v->n, sizeof(struct str));

	a->n = (uint32_t)v->n;
	a->u.s = mem;
	for (size_t i = 0; i < v->n; i++)
		store_one(a, i, &v->p[i]);
}

static bool parse_list(struct parser *p, struct node *n, struct attr *a,
		       unsigned depth)
{
	enum attr_kind want = text_singular(a->kind);
	item_vec v = {0};
	struct item it;
	bool ok = true;

	if (a->kind != ATTR_NONE && want == ATTR_NONE)
		return parse_fail(p, "a list is given, but the attribute is "
				     "declared with one value");
	if (lex_accept(p, ']'))
		return a->kind != ATTR_NONE ||
		       parse_fail(p, "an empty list needs its kind: "
				     "'name: ints = []'");
	do {
		ok = parse_item(p, n, want, &it, depth);
		if (ok)
			vec_push(&v, it);
	} while (ok && lex_accept(p, ','));
	ok = ok && lex_expect(p, ']') && unify(p, &v);
	if (ok) {
		a->kind = text_plural(v.p[0].kind);
		store(p, a, &v);
	}
	vec_release(&v);
	return ok;
}

static bool in_function(const struct node *n)
{
	const struct graph *g = n ? n->graph : NULL;

	while (g && g->owner)
		g = g->owner->graph;
	return g && g->func;
}

static bool parse_ref(struct parser *p, const struct node *n, struct attr *a)
{
	struct str s;

	if (!in_function(n))
		return parse_fail_at(p, p->p - 1, E_attr,
				     "a reference to a parameter outside of a "
				     "function");
	if (!lex_name(p, &s, "an attribute name"))
		return false;
	a->ref = lex_sym(p, s);
	return true;
}

bool parse_attr(struct parser *p, struct node *n, sym name, struct attr *a,
		unsigned depth)
{
	struct item it;

	*a = (struct attr){.name = name};
	if (lex_accept(p, ':') && !parse_kind(p, &a->kind))
		return false;
	if (!lex_expect(p, '='))
		return false;
	if (lex_accept(p, '@'))
		return parse_ref(p, n, a);
	if (lex_accept(p, '['))
		return parse_list(p, n, a, depth);
	if (a->kind != ATTR_NONE && text_singular(a->kind) != ATTR_NONE)
		return parse_fail(p, "expected '['");
	if (!parse_item(p, n, a->kind, &it, depth))
		return false;
	a->kind = it.kind;
	store(p, a, &(item_vec){.p = &it, .n = 1});
	return true;
}

struct attr_list {
	VEC(struct attr) v;
	struct map names;
};

static bool parse_named(struct parser *p, struct node *n, struct attr_list *l,
			unsigned depth)
{
	const char *at;
	struct attr a;
	struct str s;
	sym name;

	lex_peek(p);
	at = p->p;
	if (!lex_name(p, &s, "an attribute name"))
		return false;
	name = lex_sym(p, s);
	if (!map_put(&l->names, name, 1))
		return parse_fail_at(p, at, E_attr,
				     "attribute '%.*s' is repeated", (int)s.n,
				     s.p);
	if (!parse_attr(p, n, name, &a, depth))
		return false;
	vec_push(&l->v, a);
	return true;
}

bool parse_attrs(struct parser *p, struct node *n, unsigned depth)
{
	struct attr_list l = {0};
	bool ok = true;

	if (!lex_accept(p, '<') || lex_accept(p, '>'))
		return true;
	do
		ok = parse_named(p, n, &l, depth);
	while (ok && lex_accept(p, ','));
	ok = ok && lex_expect(p, '>');
	if (ok) {
		n->attr = arena_dup(&p->m->arena, l.v.p, l.v.n * sizeof *l.v.p);
		n->nattr = (uint32_t)l.v.n;
	}
	vec_release(&l.v);
	map_release(&l.names);
	return ok;
}

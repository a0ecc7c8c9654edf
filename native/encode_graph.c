/* SPDX-License-Identifier: MIT */
/*
 * encode_graph.c -- graphs as one stream: each value is described where it
 * is defined and takes the next number; uses give the number.
 *
 * A node's inputs and bodies come before its outputs, so that a reader which
 * knows only numbers seen so far has checked the order.  Recursion follows
 * bodies, at most BODY_DEPTH deep.
 */
#include "native/encode_p.h"

static void put_info(struct encoder *e, struct buf *b, const struct info *i)
{
	put_u(b, enc_sym(e, i->name));
	put_u(b, i->has_type);
	put_u(b, enc_type(e, i->decl));
	put_u(b, enc_rest(e, i->rest));
}

/* The number of v's value_info entry in its graph, plus 1; 0: none. */
static uint32_t info_of(const struct map *infos, const struct value *v)
{
	const uint64_t *n = map_get(infos, map_ptr_key(v->info));

	return v->info && n ? (uint32_t)*n + 1 : 0;
}

static void put_value(struct encoder *e, struct buf *b, const struct map *infos,
		      const struct value *v)
{
	map_put(&e->values, map_ptr_key(v), e->values.n + 1);
	put_u(b, enc_sym(e, v->name));
	put_u(b, enc_type(e, v->type));
	put_u(b, enc_tensor(e, v->konst));
	put_u(b, info_of(infos, v));
}

static uint32_t number_of(const struct encoder *e, const struct value *v)
{
	const uint64_t *n = v ? map_get(&e->values, map_ptr_key(v)) : NULL;

	if (v && !n)
		BUG("a value is used before it is defined");
	return n ? (uint32_t)*n : 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
static void put_entry(struct encoder *e, struct buf *b, const struct attr *a,
		      uint32_t i, unsigned depth)
{
	switch (a->kind) {
	case ATTR_FLOAT:
	case ATTR_FLOATS:
		buf_add(b, &a->u.f[i], 4);
		break;
	case ATTR_INT:
	case ATTR_INTS:
		put_i(b, a->u.i[i]);
		break;
	case ATTR_STRING:
	case ATTR_STRINGS:
		put_u(b, enc_str(e, a->u.s[i], true));
		break;
	case ATTR_TYPE:
	case ATTR_TYPES:
		put_u(b, enc_type(e, a->u.type[i]));
		break;
	case ATTR_GRAPH:
	case ATTR_GRAPHS:
		encode_graph(e, b, a->u.g[i], depth + 1);
		break;
	default:
		put_u(b, enc_tensor(e, a->u.t[i]));
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
void encode_attr(struct encoder *e, struct buf *b, const struct attr *a,
		 unsigned depth)
{
	uint32_t n = a->ref || a->kind == ATTR_NONE ? 0 : a->n;

	put_u(b, enc_sym(e, a->name));
	put_u(b, a->kind);
	put_u(b, enc_sym(e, a->ref));
	put_u(b, (a->implicit_kind ? ATTR_IMPLICIT_KIND : 0u) |
			 (a->implicit_value ? ATTR_IMPLICIT_VALUE : 0u));
	put_u(b, enc_rest(e, a->rest));
	put_u(b, n);
	for (uint32_t i = 0; i < n; i++)
		put_entry(e, b, a, i, depth);
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
static void put_node(struct encoder *e, struct buf *b, const struct map *infos,
		     const struct node *n, unsigned depth)
{
	put_u(b, enc_sym(e, n->domain));
	put_u(b, enc_sym(e, n->type));
	put_u(b, enc_sym(e, n->overload));
	put_u(b, enc_sym(e, n->name));
	put_u(b, enc_rest(e, n->rest));
	put_u(b, n->nin);
	put_u(b, n->nattr);
	put_u(b, n->nout);
	for (uint32_t i = 0; i < n->nin; i++)
		put_u(b, number_of(e, n->in[i].v));
	for (uint32_t i = 0; i < n->nattr; i++)
		encode_attr(e, b, &n->attr[i], depth);
	for (uint32_t i = 0; i < n->nout; i++) {
		put_u(b, n->out[i] != NULL);
		if (n->out[i])
			put_value(e, b, infos, n->out[i]);
	}
}

static uint32_t count_inits(const struct graph *g)
{
	uint32_t n = 0;

	for (size_t i = 0; i < g->init.n; i++)
		n += g->init.p[i]->graph != NULL;
	return n;
}

static void put_inits(struct encoder *e, struct buf *b, const struct graph *g,
		      const struct map *infos)
{
	for (size_t i = 0; i < g->init.n; i++) {
		const struct value *v = g->init.p[i];

		if (!v->graph)
			continue; /* removed */
		put_u(b, v->is_input ? v->slot + 1 : 0);
		put_u(b, enc_tensor(e, v->init));
		if (!v->is_input)
			put_value(e, b, infos, v);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): at most BODY_DEPTH deep. */
void encode_graph(struct encoder *e, struct buf *b, const struct graph *g,
		  unsigned depth)
{
	struct map infos = {0};
	const struct node *n;

	if (depth > BODY_DEPTH)
		BUG("bodies are nested more than %d deep", BODY_DEPTH);
	put_u(b, enc_sym(e, g->name));
	put_u(b, enc_rest(e, g->rest));
	put_u(b, g->nin);
	put_u(b, g->infos.n);
	put_u(b, count_inits(g));
	put_u(b, g->nnode);
	put_u(b, g->ret->nin);
	for (size_t i = 0; i < g->infos.n; i++) {
		map_put(&infos, map_ptr_key(g->infos.p[i]), i);
		put_info(e, b, g->infos.p[i]);
	}
	for (uint32_t i = 0; i < g->nin; i++) {
		put_info(e, b, &g->in_info[i]);
		put_value(e, b, &infos, g->in[i]);
	}
	put_inits(e, b, g, &infos);
	graph_foreach (n, g)
		put_node(e, b, &infos, n, depth);
	for (uint32_t i = 0; i < g->ret->nin; i++) {
		put_info(e, b, &g->out_info[i]);
		put_u(b, number_of(e, g->ret->in[i].v));
	}
	map_release(&infos);
}

/* SPDX-License-Identifier: MIT */
/*
 * print_graph.c -- graphs, nodes and attributes in the ONNX text syntax.
 *
 * The order of everything is that of the model, so that equal models print
 * equal text.  Recursion follows bodies, at most TEXT_MAX_DEPTH deep.
 */
#include "ir/print_p.h"

static void newline(struct printer *p)
{
	buf_putc(p->b, '\n');
	for (unsigned i = 0; i < p->indent; i++)
		buf_puts(p->b, "   ");
}

/* ---- attributes ---- */

/* The name of a graph where another value could stand. */
static bool graph_needs_quotes(const struct printer *p, const struct graph *g)
{
	struct str s = sym_str(p->m, g->name);

	return text_is_any_type_word(s) || text_is_float_word(s);
}

static void print_attr_graph(struct printer *p, const struct graph *g,
			     unsigned depth)
{
	if (depth >= TEXT_MAX_DEPTH) {
		buf_puts(p->b, "...");
		return;
	}
	if (graph_needs_quotes(p, g))
		print_quoted(p, sym_str(p->m, g->name));
	else
		print_sym(p, g->name);
	print_body(p, g, depth + 1);
}

static void print_entry(struct printer *p, const struct attr *a, uint32_t i,
			unsigned depth)
{
	switch (a->kind) {
	case ATTR_FLOAT:
	case ATTR_FLOATS:
		print_float(p, a->u.f[i]);
		break;
	case ATTR_INT:
	case ATTR_INTS:
		buf_printf(p->b, "%lld", (long long)a->u.i[i]);
		break;
	case ATTR_STRING:
	case ATTR_STRINGS:
		print_quoted(p, a->u.s[i]);
		break;
	case ATTR_GRAPH:
	case ATTR_GRAPHS:
		print_attr_graph(p, a->u.g[i], depth);
		break;
	case ATTR_TYPE:
	case ATTR_TYPES:
		print_type(p, a->u.type[i]);
		break;
	default:
		print_tensor(p, a->u.t[i], NULL);
	}
}

void print_attr(struct printer *p, const struct attr *a, unsigned depth)
{
	bool list = text_singular(a->kind) != ATTR_NONE;

	print_sym(p, a->name);
	if (a->kind != ATTR_NONE)
		buf_printf(p->b, ": %s", text_attr_kind(a->kind));
	buf_puts(p->b, " = ");
	if (a->ref) {
		buf_putc(p->b, '@');
		print_sym(p, a->ref);
		return;
	}
	if (list)
		buf_putc(p->b, '[');
	for (uint32_t i = 0; i < a->n; i++) {
		if (i)
			buf_puts(p->b, ", ");
		print_entry(p, a, i, depth);
	}
	if (list)
		buf_putc(p->b, ']');
}

static void print_attrs(struct printer *p, const struct node *n, unsigned depth)
{
	for (uint32_t i = 0; i < n->nattr; i++) {
		buf_puts(p->b, i ? ", " : " <");
		print_attr(p, &n->attr[i], depth);
	}
	if (n->nattr)
		buf_putc(p->b, '>');
}

/* ---- nodes ---- */

/* "com.microsoft" needs no quotes: identifiers with dots between. */
static bool is_dotted(struct str s)
{
	size_t from = 0;

	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '.')
			continue;
		if (!text_is_ident((struct str){s.p + from, i - from}))
			return false;
		from = i + 1;
	}
	return s.n > 0;
}

static void print_op(struct printer *p, const struct node *n)
{
	struct str domain = sym_str(p->m, n->domain);

	if (domain.n) {
		if (is_dotted(domain))
			buf_add(p->b, domain.p, domain.n);
		else
			print_quoted(p, domain);
		buf_putc(p->b, '.');
	}
	print_sym(p, n->type);
	if (sym_str(p->m, n->overload).n) {
		buf_putc(p->b, ':');
		print_sym(p, n->overload);
	}
}

static bool has_body(const struct node *n)
{
	for (uint32_t i = 0; i < n->nattr; i++)
		if (n->attr[i].kind == ATTR_GRAPH ||
		    n->attr[i].kind == ATTR_GRAPHS)
			return true;
	return false;
}

static void print_node(struct printer *p, const struct node *n, unsigned depth)
{
	bool body = has_body(n);

	if (sym_str(p->m, n->name).n) {
		buf_putc(p->b, '[');
		print_sym(p, n->name);
		buf_puts(p->b, "] ");
	}
	for (uint32_t i = 0; i < n->nout; i++) {
		if (i)
			buf_puts(p->b, ", ");
		print_value(p, n->out[i]);
	}
	buf_puts(p->b, n->nout ? " = " : "= ");
	print_op(p, n);
	if (!body)
		print_attrs(p, n, depth);
	buf_puts(p->b, " (");
	for (uint32_t i = 0; i < n->nin; i++) {
		if (i)
			buf_puts(p->b, ", ");
		print_value(p, n->in[i].v);
	}
	buf_putc(p->b, ')');
	if (body)
		print_attrs(p, n, depth);
}

/* ---- graphs ---- */

static void print_info(struct printer *p, const struct info *i)
{
	if (!i->has_type) {
		print_sym_alone(p, i->name);
		return;
	}
	print_type(p, i->decl);
	buf_putc(p->b, ' ');
	print_sym(p, i->name);
}

static void print_inputs(struct printer *p, const struct graph *g)
{
	buf_putc(p->b, '(');
	for (uint32_t i = 0; i < g->nin; i++) {
		struct info in = g->in_info[i];

		if (i)
			buf_puts(p->b, ", ");
		in.name = g->in[i]->name;
		if (in.name) {
			print_info(p, &in);
		} else {
			if (in.has_type)
				print_type(p, in.decl);
			buf_puts(p->b, in.has_type ? " " : "");
			print_value(p, g->in[i]);
		}
	}
	buf_putc(p->b, ')');
}

/* A pass may have put another value in place: "y = t". */
static void print_outputs(struct printer *p, const struct graph *g)
{
	buf_putc(p->b, '(');
	for (uint32_t i = 0; i < g->ret->nin; i++) {
		const struct value *v = g->ret->in[i].v;

		if (i)
			buf_puts(p->b, ", ");
		print_info(p, &g->out_info[i]);
		if (v && v->name == g->out_info[i].name)
			continue;
		buf_puts(p->b, " = ");
		print_value(p, v);
	}
	buf_putc(p->b, ')');
}

static void open_entry(struct printer *p, bool *any)
{
	if (*any)
		buf_putc(p->b, ',');
	newline(p);
	buf_puts(p->b, *any ? " " : "<");
	*any = true;
}

/* What inference found, for values without an entry of the file. */
static void print_inferred(struct printer *p, const struct graph *g, bool *any)
{
	const struct node *n;

	graph_foreach (n, g) {
		for (uint32_t i = 0; i < n->nout; i++) {
			const struct value *v = n->out[i];

			if (!v || v->info || v->type == type_unknown() ||
			    value_is_output(v))
				continue;
			open_entry(p, any);
			print_type(p, v->type);
			buf_putc(p->b, ' ');
			print_value(p, v);
		}
	}
}

static void print_values(struct printer *p, const struct graph *g)
{
	bool any = false;

	p->indent++;
	for (size_t i = 0; i < g->init.n; i++) {
		if (!g->init.p[i]->graph)
			continue; /* removed */
		open_entry(p, &any);
		print_tensor(p, g->init.p[i]->init, g->init.p[i]);
	}
	for (size_t i = 0; i < g->infos.n; i++) {
		open_entry(p, &any);
		print_info(p, g->infos.p[i]);
	}
	if (p->o.types)
		print_inferred(p, g, &any);
	p->indent--;
	if (any) {
		buf_putc(p->b, '>');
		newline(p);
	} else {
		buf_putc(p->b, ' ');
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): at most TEXT_MAX_DEPTH deep. */
void print_body(struct printer *p, const struct graph *g, unsigned depth)
{
	const struct node *n;

	buf_putc(p->b, ' ');
	print_inputs(p, g);
	buf_puts(p->b, " => ");
	print_outputs(p, g);
	print_values(p, g);
	buf_putc(p->b, '{');
	p->indent++;
	graph_foreach (n, g) {
		newline(p);
		print_node(p, n, depth);
	}
	p->indent--;
	newline(p);
	buf_putc(p->b, '}');
}

void print_graph(struct printer *p, const struct graph *g, unsigned depth)
{
	print_sym(p, g->name);
	print_body(p, g, depth);
}

/* SPDX-License-Identifier: MIT */
/*
 * print.c -- models in the ONNX text syntax: header, graph, functions.
 *
 * docs/text-syntax.md has the grammar and lists what it cannot say.
 */
#include <locale.h>
#include <stdlib.h>
#include "ir/print_p.h"

/* ---- fields of encoded messages that the syntax knows ---- */

struct wire {
	const uint8_t *p, *end;
};

static bool wire_varint(struct wire *w, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; w->p < w->end && shift < 64; shift += 7) {
		uint8_t c = *w->p++;

		*v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return true;
	}
	return false;
}

/* The next field; s holds the bytes of a length-delimited one. */
static bool wire_next(struct wire *w, uint64_t *tag, struct str *s)
{
	uint64_t n;

	*s = (struct str){NULL, 0};
	if (!wire_varint(w, tag))
		return false;
	switch (*tag & 7) {
	case 0:
		return wire_varint(w, &n);
	case 1:
	case 5:
		n = (*tag & 7) == 1 ? 8 : 4;
		break;
	case 2:
		if (!wire_varint(w, &n))
			return false;
		break;
	default:
		return false;
	}
	if (n > (uint64_t)(w->end - w->p))
		return false;
	*s = (struct str){(const char *)w->p, (size_t)n};
	w->p += n;
	return true;
}

static struct wire wire_of(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	return (struct wire){p, p ? p + s.n : p};
}

#define WIRE_BYTES(field) ((field) << 3 | 2)

/* The last string of that field; {NULL, 0}: none. */
static struct str wire_string(struct str rest, unsigned field)
{
	struct wire w = wire_of(rest);
	struct str s, found = {NULL, 0};
	uint64_t tag;

	while (wire_next(&w, &tag, &s))
		if (tag == WIRE_BYTES(field))
			found = s;
	return found;
}

/* ---- header ---- */

/* "   KEY: " on a line of its own. */
static void print_key(struct printer *p, const char *key, bool *any)
{
	buf_puts(p->b, *any ? ",\n   " : "<\n   ");
	buf_printf(p->b, "%s: ", key);
	*any = true;
}

static void print_opsets(struct printer *p, const struct opset *o, uint32_t n)
{
	buf_putc(p->b, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_puts(p->b, ", ");
		print_quoted(p, sym_str(p->m, o[i].domain));
		buf_printf(p->b, " : %lld", (long long)o[i].version);
	}
	buf_putc(p->b, ']');
}

static void print_header_sym(struct printer *p, const char *key, sym s,
			     bool *any)
{
	if (!s)
		return;
	print_key(p, key, any);
	print_quoted(p, sym_str(p->m, s));
}

/* ModelProto.metadata_props is field 14, its key 1 and value 2. */
static void print_metadata(struct printer *p, bool *any)
{
	struct wire w = wire_of(p->m->rest);
	bool first = true;
	struct str s;
	uint64_t tag;

	while (wire_next(&w, &tag, &s)) {
		if (tag != WIRE_BYTES(14))
			continue;
		if (first) {
			print_key(p, "metadata_props", any);
			buf_putc(p->b, '[');
		} else {
			buf_puts(p->b, ", ");
		}
		first = false;
		print_quoted(p, wire_string(s, 1));
		buf_puts(p->b, ": ");
		print_quoted(p, wire_string(s, 2));
	}
	if (!first)
		buf_putc(p->b, ']');
}

static void print_header(struct printer *p)
{
	const struct model *m = p->m;
	bool any = false;

	if (m->has_ir_version) {
		print_key(p, "ir_version", &any);
		buf_printf(p->b, "%lld", (long long)m->ir_version);
	}
	if (m->nopset) {
		print_key(p, "opset_import", &any);
		print_opsets(p, m->opset, m->nopset);
	}
	print_header_sym(p, "producer_name", m->producer_name, &any);
	print_header_sym(p, "producer_version", m->producer_version, &any);
	print_header_sym(p, "domain", m->domain, &any);
	if (m->has_model_version) {
		print_key(p, "model_version", &any);
		buf_printf(p->b, "%lld", (long long)m->model_version);
	}
	print_header_sym(p, "doc_string", m->doc, &any);
	print_metadata(p, &any);
	if (any)
		buf_puts(p->b, "\n>\n");
}

/* ---- functions ---- */

static void print_func(struct printer *p, const struct func *f)
{
	struct str doc = wire_string(f->rest, 8);
	bool any = false;

	print_header_sym(p, "domain", f->domain, &any);
	print_header_sym(p, "overload", f->overload, &any);
	if (f->nopset) {
		print_key(p, "opset_import", &any);
		print_opsets(p, f->opset, f->nopset);
	}
	if (doc.p) {
		print_key(p, "doc_string", &any);
		print_quoted(p, doc);
	}
	if (any)
		buf_puts(p->b, "\n>\n");
	print_sym(p, f->name);
	for (uint32_t i = 0; i < f->nattr + f->nattr_default; i++) {
		buf_puts(p->b, i ? ", " : " <");
		if (i < f->nattr)
			print_sym(p, f->attr[i]);
		else
			print_attr(p, &f->attr_default[i - f->nattr], 0);
	}
	if (f->nattr + f->nattr_default)
		buf_putc(p->b, '>');
	print_body(p, f->body, 0);
	buf_putc(p->b, '\n');
}

/* ---- entry points ---- */

static struct printer printer_make(const struct model *m, struct buf *b,
				   const struct print_opts *o)
{
	struct printer p = {.m = m, .b = b, .o = {.max_elements = -1}};

	if (o)
		p.o = *o;
	return p;
}

/* Numbers must not depend on the user's locale; per thread. */
static locale_t locale_enter(locale_t *old)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", NULL);

	if (!c)
		BUG("there is no locale 'C'");
	*old = uselocale(c);
	return c;
}

static void locale_leave(locale_t c, locale_t old)
{
	uselocale(old);
	freelocale(c);
}

void model_print(const struct model *m, struct buf *b,
		 const struct print_opts *o)
{
	struct printer p = printer_make(m, b, o);
	locale_t old, c = locale_enter(&old);

	print_header(&p);
	print_graph(&p, m->main, 0);
	buf_putc(b, '\n');
	for (size_t i = 0; i < m->func.n; i++)
		print_func(&p, m->func.p[i]);
	map_release(&p.fresh);
	locale_leave(c, old);
}

void graph_print(const struct graph *g, struct buf *b,
		 const struct print_opts *o)
{
	struct printer p = printer_make(g->model, b, o);
	locale_t old, c = locale_enter(&old);

	print_graph(&p, g, 0);
	buf_putc(b, '\n');
	map_release(&p.fresh);
	locale_leave(c, old);
}

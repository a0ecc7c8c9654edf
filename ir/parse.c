/* SPDX-License-Identifier: MIT */
/*
 * parse.c -- models in the ONNX text syntax: header, graph, functions.
 *
 * docs/text-syntax.md has the grammar and what goes beyond the public one.
 * The text may be hostile: nesting is bounded, sizes are measured against the
 * text before memory is asked for.  Cost: O(bytes + nodes + edges).
 */
#include <stdlib.h>
#include "ir/parse_p.h"

bool parse_opsets(struct parser *p, struct opset **set, uint32_t *n)
{
	VEC(struct opset) v = {0};
	struct opset o = {.has_version = true};
	struct str s;
	bool ok = lex_expect(p, '[');

	if (ok && !lex_accept(p, ']')) {
		do {
			ok = lex_string(p, &s) && lex_expect(p, ':') &&
			     lex_int(p, &o.version);
			o.domain = ok ? lex_sym(p, s) : 0;
			vec_push(&v, o);
		} while (ok && lex_accept(p, ','));
		ok = ok && lex_expect(p, ']');
	}
	if (ok) {
		*set = arena_dup(&p->m->arena, v.p, v.n * sizeof *v.p);
		*n = (uint32_t)v.n;
	}
	vec_release(&v);
	return ok;
}

static void put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

static void put_field(struct buf *b, unsigned field, struct str s)
{
	put_varint(b, (uint64_t)field << 3 | 2);
	put_varint(b, s.n);
	buf_add(b, s.p, s.n);
}

void parse_rest(struct parser *p, struct str *rest, unsigned field,
		struct str s)
{
	struct buf b = {0};

	buf_add(&b, rest->p, rest->n);
	put_field(&b, field, s);
	*rest = arena_str(&p->m->arena, (struct str){b.p, b.n});
	buf_release(&b);
}

/* "["key": "value", ...]" as entries of ModelProto.metadata_props (14). */
static bool parse_metadata(struct parser *p)
{
	struct buf all = {0}, one = {0};
	struct str key, val;
	bool ok = p->m->rest.n ? parse_fail(p, "the keyword is repeated")
			       : lex_expect(p, '[');

	buf_add(&all, p->m->rest.p, p->m->rest.n);
	if (ok && !lex_accept(p, ']')) {
		do {
			ok = lex_string(p, &key) && lex_expect(p, ':') &&
			     lex_string(p, &val);
			if (!ok)
				break;
			one.n = 0;
			put_field(&one, 1, key);
			put_field(&one, 2, val);
			put_field(&all, 14, (struct str){one.p, one.n});
		} while (lex_accept(p, ','));
		ok = ok && lex_expect(p, ']');
	}
	if (ok)
		p->m->rest =
			arena_str(&p->m->arena, (struct str){all.p, all.n});
	buf_release(&all);
	buf_release(&one);
	return ok;
}

static bool header_string(struct parser *p, sym *to)
{
	struct str s;

	if (!lex_string(p, &s))
		return false;
	*to = lex_sym(p, s);
	return true;
}

static bool header_int(struct parser *p, int64_t *v, bool *has)
{
	*has = true;
	return lex_int(p, v);
}

static bool parse_header_key(struct parser *p)
{
	struct model *m = p->m;
	struct str key;

	if (!lex_ident(p, &key, "a keyword") || !lex_expect(p, ':'))
		return false;
	if (str_is(key, "ir_version"))
		return header_int(p, &m->ir_version, &m->has_ir_version);
	if (str_is(key, "model_version"))
		return header_int(p, &m->model_version, &m->has_model_version);
	if (str_is(key, "opset_import"))
		return parse_opsets(p, &m->opset, &m->nopset);
	if (str_is(key, "producer_name"))
		return header_string(p, &m->producer_name);
	if (str_is(key, "producer_version"))
		return header_string(p, &m->producer_version);
	if (str_is(key, "domain"))
		return header_string(p, &m->domain);
	if (str_is(key, "doc_string"))
		return header_string(p, &m->doc);
	if (str_is(key, "metadata_props"))
		return parse_metadata(p);
	return parse_fail(p, "unknown keyword '%.*s'", (int)key.n, key.p);
}

static bool parse_all(struct parser *p)
{
	if (lex_accept(p, '<') && !lex_accept(p, '>')) {
		do {
			if (!parse_header_key(p))
				return false;
		} while (lex_accept(p, ','));
		if (!lex_expect(p, '>'))
			return false;
	}
	if (!parse_graph(p, p->m->main, 0))
		return false;
	while (!lex_end(p))
		if (!parse_func(p))
			return false;
	return parse_bind(p);
}

struct model *model_parse(struct diag *d, const char *file, struct str text)
{
	struct parser p = {.beg = text.p, .p = text.p, .d = d, .file = file};
	bool ok;

	p.end = text.p + text.n;
	p.m = model_create(d);
	p.m->path = file ? arena_printf(&p.m->arena, "%s", file) : NULL;
	p.m->file_bytes = text.n;
	p.c = newlocale(LC_ALL_MASK, "C", NULL);
	if (!p.c)
		BUG("there is no locale 'C'");
	ok = parse_all(&p);
	freelocale(p.c);
	scope_release(&p.names);
	vec_release(&p.pending);
	if (ok)
		return p.m;
	model_free(p.m);
	return NULL;
}

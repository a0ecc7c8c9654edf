/* SPDX-License-Identifier: MIT */
/*
 * print_word.c -- names and types in the ONNX text syntax.
 */
#include <stdlib.h>
#include "ir/print_p.h"

void print_quoted(struct printer *p, struct str s)
{
	size_t from = 0;

	buf_putc(p->b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '"' && s.p[i] != '\\')
			continue;
		buf_add(p->b, s.p + from, i - from);
		buf_putc(p->b, '\\');
		from = i;
	}
	if (s.n > from)
		buf_add(p->b, s.p + from, s.n - from);
	buf_putc(p->b, '"');
}

void print_str(struct printer *p, struct str s)
{
	if (text_is_ident(s))
		buf_add(p->b, s.p, s.n);
	else
		print_quoted(p, s);
}

void print_sym(struct printer *p, sym s)
{
	print_str(p, sym_str(p->m, s));
}

void print_sym_alone(struct printer *p, sym s)
{
	struct str t = sym_str(p->m, s);

	if (text_is_any_type_word(t))
		print_quoted(p, t);
	else
		print_str(p, t);
}

/* Values that a pass made have no name yet: "%1", "%2", ... */
void print_value(struct printer *p, const struct value *v)
{
	const uint64_t *num;

	if (!v || v->name) {
		print_sym(p, v ? v->name : 0);
		return;
	}
	num = map_get(&p->fresh, map_ptr_key(v));
	if (!num) {
		map_put(&p->fresh, map_ptr_key(v), p->fresh.n + 1);
		num = map_get(&p->fresh, map_ptr_key(v));
	}
	buf_printf(p->b, "\"%%%llu\"", (unsigned long long)*num);
}

static void print_denotation(struct printer *p, sym s)
{
	if (!s)
		return;
	buf_putc(p->b, '@');
	print_sym(p, s);
}

static void print_dim(struct printer *p, struct dim d)
{
	if (d.s)
		print_sym(p, d.s);
	else if (d.n >= 0)
		buf_printf(p->b, "%lld", (long long)d.n);
	else
		buf_putc(p->b, '?');
	print_denotation(p, d.denotation);
}

static void print_shaped(struct printer *p, const struct type *t)
{
	buf_puts(p->b, t->dt ? dtype_name(t->dt) : "undefined");
	if (t->rank == 0)
		return;
	buf_putc(p->b, '[');
	for (int i = 0; i < t->rank; i++) {
		if (i)
			buf_putc(p->b, ',');
		print_dim(p, t->dim[i]);
	}
	buf_putc(p->b, ']');
}

static void print_leaf(struct printer *p, const struct type *t)
{
	switch (t->kind) {
	case TY_TENSOR:
		print_shaped(p, t);
		break;
	case TY_SPARSE:
		buf_puts(p->b, "sparse_tensor(");
		print_shaped(p, t);
		buf_putc(p->b, ')');
		break;
	case TY_OPAQUE:
		buf_puts(p->b, "opaque(");
		print_quoted(p, sym_str(p->m, t->opaque_domain));
		buf_puts(p->b, ", ");
		print_quoted(p, sym_str(p->m, t->opaque_name));
		buf_putc(p->b, ')');
		break;
	default:
		buf_puts(p->b, "undefined");
	}
}

static bool is_container(const struct type *t)
{
	return t->kind == TY_SEQ || t->kind == TY_OPTIONAL || t->kind == TY_MAP;
}

void print_type(struct printer *p, const struct type *t)
{
	VEC(const struct type *) open = {0};

	for (; t && is_container(t); t = t->elem) {
		if (t->kind == TY_MAP)
			buf_printf(p->b, "map(%s, ",
				   t->dt ? dtype_name(t->dt) : "undefined");
		else
			buf_puts(p->b,
				 t->kind == TY_SEQ ? "seq(" : "optional(");
		vec_push(&open, t);
	}
	t = t ? t : type_unknown();
	print_leaf(p, t);
	print_denotation(p, t->denotation);
	while (open.n) {
		t = vec_pop(&open);
		buf_putc(p->b, ')');
		print_denotation(p, t->denotation);
	}
	vec_release(&open);
}

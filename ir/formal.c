/* SPDX-License-Identifier: MIT */
/*
 * formal.c -- reads the parameter, type and attribute columns of schema.def.
 *
 * The columns are short; a look-up scans them, O(length).
 */
#include <string.h>

#include "ir/formal.h"

static struct str word(const char *p, const char *end)
{
	return (struct str){p, (size_t)(end - p)};
}

/* The end of the word at p: a blank outside of double quotes, or the end. */
static const char *word_end(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || *p != ' '); p++)
		if (*p == '"')
			quoted = !quoted;
	return p;
}

static void formal_read(struct str w, struct formal *f)
{
	const char *colon = memchr(w.p, ':', w.n);
	const char *end = colon;

	*f = (struct formal){0};
	for (; end > w.p; end--) {
		if (end[-1] == '?')
			f->optional = true;
		else if (end[-1] == '*')
			f->variadic = true;
		else if (end[-1] == '~')
			f->mixed = true;
		else
			break;
	}
	f->name = word(w.p, end);
	f->type = word(colon + 1, w.p + w.n);
}

bool formal_at(const char *spec, uint32_t i, struct formal *f)
{
	const char *p = spec;

	if (!*p)
		return false;
	for (uint32_t k = 0; *p; k++) {
		const char *end = word_end(p);

		formal_read(word(p, end), f);
		if (k == i)
			return true;
		p = *end ? end + 1 : end;
	}
	return f->variadic;
}

struct str formal_types(const struct op *op, struct str type)
{
	const char *p = op->constraints;

	while (*p) {
		const char *end = word_end(p);

		if ((size_t)(end - p) > type.n && p[type.n] == '=' &&
		    memcmp(p, type.p, type.n) == 0)
			return word(p + type.n + 1, end);
		p = *end ? end + 1 : end;
	}
	return type;
}

/* ---- attributes ---- */

static enum attr_kind kind_of(struct str s)
{
	static const struct {
		const char *name;
		enum attr_kind kind;
	} kinds[] = {
		{"f", ATTR_FLOAT},    {"i", ATTR_INT},
		{"s", ATTR_STRING},   {"t", ATTR_TENSOR},
		{"g", ATTR_GRAPH},    {"fs", ATTR_FLOATS},
		{"is", ATTR_INTS},    {"ss", ATTR_STRINGS},
		{"ts", ATTR_TENSORS}, {"gs", ATTR_GRAPHS},
		{"sp", ATTR_SPARSE},  {"sps", ATTR_SPARSES},
		{"tp", ATTR_TYPE},    {"tps", ATTR_TYPES},
	};

	for (size_t i = 0; i < countof(kinds); i++)
		if (str_is(s, kinds[i].name))
			return kinds[i].kind;
	return ATTR_NONE;
}

bool attr_spec_next(const char **at, struct attr_spec *a)
{
	const char *p = *at, *end = word_end(p), *colon, *kend;

	if (!*p)
		return false;
	*a = (struct attr_spec){0};
	colon = memchr(p, ':', (size_t)(end - p));
	a->name = word(p, colon);
	for (kend = ++colon; kend < end && *kend >= 'a' && *kend <= 'z';)
		kend++;
	a->kind = kind_of(word(colon, kend));
	a->required = *kend == '!';
	if (*kend == '=')
		a->dflt = word(kend + 1, end);
	*at = *end ? end + 1 : end;
	return true;
}

bool attr_spec_find(const struct op *op, struct str name, struct attr_spec *a)
{
	const char *at = op->attrs;

	while (attr_spec_next(&at, a))
		if (str_eq(a->name, name))
			return true;
	return false;
}

/* ---- types ---- */

static void element_print(struct buf *b, const struct type *t)
{
	buf_printf(b, "%s(%s)",
		   t->kind == TY_SPARSE ? "sparse_tensor" : "tensor",
		   dtype_name(t->dt));
}

void formal_print(struct buf *b, const struct type *t)
{
	size_t depth = 0;

	for (; t && t->elem; t = t->elem, depth++) {
		if (t->kind == TY_MAP) {
			buf_printf(b, "map(%s,", dtype_name(t->dt));
			/* schemas write the scalar values of a map bare */
			if (t->elem->kind == TY_TENSOR) {
				buf_puts(b, dtype_name(t->elem->dt));
				t = NULL;
				depth++;
				break;
			}
		} else {
			buf_puts(b, t->kind == TY_SEQ ? "seq(" : "optional(");
		}
	}
	if (t && (t->kind == TY_TENSOR || t->kind == TY_SPARSE))
		element_print(b, t);
	else if (t)
		buf_puts(b, t->kind == TY_OPAQUE ? "opaque" : "unknown");
	while (depth--)
		buf_putc(b, ')');
}

/* Nothing within the type is unknown as far as sets can tell. */
static bool decided(const struct type *t)
{
	for (; t; t = t->elem) {
		if (t->kind == TY_UNKNOWN)
			return false;
		if ((t->kind == TY_TENSOR || t->kind == TY_SPARSE) &&
		    t->dt == DT_NONE)
			return false;
	}
	return true;
}

bool formal_allows(struct str types, const struct type *t)
{
	struct buf b = {0};
	bool found = false;
	size_t i = 0;

	if (!decided(t))
		return true;
	formal_print(&b, t);
	while (!found && i < types.n) {
		const char *bar = memchr(types.p + i, '|', types.n - i);
		size_t n = bar ? (size_t)(bar - types.p) - i : types.n - i;

		found = n == b.n && memcmp(types.p + i, b.p, n) == 0;
		i += n + 1;
	}
	buf_release(&b);
	return found;
}

/* "tensor(float)" */
static enum dtype tensor_of(struct str s)
{
	static const char head[] = "tensor(";
	size_t n = sizeof(head) - 1;

	if (s.n <= n || memcmp(s.p, head, n) != 0 || s.p[s.n - 1] != ')')
		return DT_NONE;
	return dtype_from_name((struct str){s.p + n, s.n - n - 1});
}

/* The element type of the first input that is declared with this type. */
static enum dtype bound_dtype(const struct node *n, struct str type)
{
	struct formal f;

	for (uint32_t i = 0; i < n->nin; i++) {
		const struct value *v = n->in[i].v;

		if (!v || v->type->kind != TY_TENSOR ||
		    v->type->dt == DT_NONE || !formal_at(n->op->in, i, &f))
			continue;
		if (str_eq(f.type, type) && !f.mixed)
			return v->type->dt;
	}
	return DT_NONE;
}

const struct type *formal_output(struct model *m, const struct node *n,
				 uint32_t i)
{
	enum dtype dt = DT_NONE;
	struct formal f;

	if (!formal_at(n->op->out, i, &f))
		return type_unknown();
	if (!f.mixed)
		dt = bound_dtype(n, f.type);
	if (dt == DT_NONE)
		dt = tensor_of(formal_types(n->op, f.type));
	return dt ? type_tensor(m, dt, -1, NULL) : type_unknown();
}

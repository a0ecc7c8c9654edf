/* SPDX-License-Identifier: MIT */
/*
 * text.c -- the words of the ONNX text syntax.
 */
#include <string.h>
#include "ir/text_p.h"

bool text_is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool text_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

bool text_is_word(int c)
{
	return text_is_alpha(c) || text_is_digit(c) || c == '_';
}

bool text_is_ident(struct str s)
{
	if (!s.n || text_is_digit((unsigned char)s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!text_is_word((unsigned char)s.p[i]))
			return false;
	return true;
}

bool text_is_type_word(struct str s)
{
	return dtype_from_name(s) != DT_NONE || str_is(s, "seq") ||
	       str_is(s, "map") || str_is(s, "optional") ||
	       str_is(s, "sparse_tensor");
}

bool text_is_any_type_word(struct str s)
{
	return text_is_type_word(s) || str_is(s, "undefined") ||
	       str_is(s, "opaque");
}

static bool same_word(struct str s, const char *word)
{
	size_t n = strlen(word);

	if (s.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((s.p[i] | 0x20) != word[i])
			return false;
	return true;
}

bool text_is_float_word(struct str s)
{
	return same_word(s, "inf") || same_word(s, "infinity") ||
	       same_word(s, "nan");
}

static const struct kind {
	const char *name;
	enum attr_kind one; /* of a list: its entries */
} kinds[] = {
	[ATTR_FLOAT] = {"float", ATTR_NONE},
	[ATTR_INT] = {"int", ATTR_NONE},
	[ATTR_STRING] = {"string", ATTR_NONE},
	[ATTR_TENSOR] = {"tensor", ATTR_NONE},
	[ATTR_GRAPH] = {"graph", ATTR_NONE},
	[ATTR_FLOATS] = {"floats", ATTR_FLOAT},
	[ATTR_INTS] = {"ints", ATTR_INT},
	[ATTR_STRINGS] = {"strings", ATTR_STRING},
	[ATTR_TENSORS] = {"tensors", ATTR_TENSOR},
	[ATTR_GRAPHS] = {"graphs", ATTR_GRAPH},
	[ATTR_SPARSE] = {"sparse_tensor", ATTR_NONE},
	[ATTR_SPARSES] = {"sparse_tensors", ATTR_SPARSE},
	[ATTR_TYPE] = {"type_proto", ATTR_NONE},
	[ATTR_TYPES] = {"type_protos", ATTR_TYPE},
};

const char *text_attr_kind(enum attr_kind k)
{
	return kinds[k].name;
}

enum attr_kind text_attr_kind_find(struct str s)
{
	for (unsigned i = 1; i < countof(kinds); i++)
		if (str_is(s, kinds[i].name))
			return i;
	return ATTR_NONE;
}

enum attr_kind text_singular(enum attr_kind k)
{
	return kinds[k].one;
}

enum attr_kind text_plural(enum attr_kind k)
{
	for (unsigned i = 1; i < countof(kinds); i++)
		if (k != ATTR_NONE && kinds[i].one == k)
			return i;
	return ATTR_NONE;
}

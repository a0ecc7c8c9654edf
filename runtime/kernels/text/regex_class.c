/* SPDX-License-Identifier: MIT */
/*
 * regex_class.c -- the character classes that have names: ASCII only.
 */
#include "runtime/kernels/text/regex_p.h"

#define RANGES(...)          \
	{                    \
		__VA_ARGS__, \
		{            \
			1, 0 \
		}            \
	}

/* Each list ends with an empty range. */
static const struct {
	const char *name;
	struct regex_range range[6];
} classes[] = {
	{"d", RANGES({'0', '9'})},
	{"s", RANGES({'\t', '\n'}, {'\f', '\r'}, {' ', ' '})},
	{"w", RANGES({'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'})},
	{"alnum", RANGES({'0', '9'}, {'A', 'Z'}, {'a', 'z'})},
	{"alpha", RANGES({'A', 'Z'}, {'a', 'z'})},
	{"ascii", RANGES({0, 0x7f})},
	{"blank", RANGES({'\t', '\t'}, {' ', ' '})},
	{"cntrl", RANGES({0, 0x1f}, {0x7f, 0x7f})},
	{"digit", RANGES({'0', '9'})},
	{"graph", RANGES({'!', '~'})},
	{"lower", RANGES({'a', 'z'})},
	{"print", RANGES({' ', '~'})},
	{"punct", RANGES({'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'})},
	{"space", RANGES({'\t', '\r'}, {' ', ' '})},
	{"upper", RANGES({'A', 'Z'})},
	{"word", RANGES({'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'})},
	{"xdigit", RANGES({'0', '9'}, {'A', 'F'}, {'a', 'f'})},
};

/* What is not in the ASCII set; two characters beyond fold to s and k. */
static uint32_t others(const bool *in, bool fold, struct regex_range *out)
{
	const struct {
		uint32_t v;
		bool in;
	} odd[] = {{0x17f, fold && in['s']}, {0x212a, fold && in['k']}};
	uint32_t n = 0, from = 0;

	for (uint32_t v = 0; v < 0x80; v++) {
		if (!in[v])
			continue;
		if (v > from)
			out[n++] = (struct regex_range){from, v - 1};
		from = v + 1;
	}
	for (size_t i = 0; i < countof(odd); i++)
		if (odd[i].in) {
			out[n++] = (struct regex_range){from, odd[i].v - 1};
			from = odd[i].v + 1;
		}
	out[n++] = (struct regex_range){from, 0x10ffff};
	return n;
}

static uint32_t complement(const struct regex_range *r, bool fold,
			   struct regex_range *out)
{
	bool in[0x80] = {false};

	for (; r->lo <= r->hi; r++)
		for (uint32_t v = r->lo; v <= r->hi; v++)
			in[v] = true;
	for (int v = 'a'; fold && v <= 'z'; v++)
		in[v] = in[v - 32] = in[v] || in[v - 32];
	return others(in, fold, out);
}

uint32_t regex_named(struct str name, bool not, bool fold,
		     struct regex_range out[REGEX_NAMED])
{
	for (size_t i = 0; i < countof(classes); i++) {
		const struct regex_range *r = classes[i].range;
		uint32_t n = 0;

		if (!str_is(name, classes[i].name))
			continue;
		if (not )
			return complement(r, fold, out);
		for (; r->lo <= r->hi; r++)
			out[n++] = *r;
		return n;
	}
	return 0;
}

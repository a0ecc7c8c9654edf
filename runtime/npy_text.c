/* SPDX-License-Identifier: MIT */
/*
 * npy_text.c -- strings in NumPy's files, "<U5" and "|S5".
 */
#include <string.h>

#include "base/utf8.h"
#include "runtime/npy_p.h"

enum { UCS4 = 4, PADDING = 64 }; /* bytes of padding per byte of text */

static uint32_t character(const struct npy_text *t, const uint8_t *p)
{
	uint32_t c;

	memcpy(&c, p, sizeof c);
	return t->swapped ? __builtin_bswap32(c) : c;
}

/* Appends an element; false if it holds what is no character. */
static bool put_element(struct buf *b, const struct npy_text *t,
			const uint8_t *p)
{
	size_t n = t->width;
	char utf8[4];

	if (t->kind == 'S') {
		while (n && !p[n - 1])
			n--;
		buf_add(b, p, n);
		return true;
	}
	while (n && !character(t, p + (n - 1) * UCS4))
		n--;
	for (size_t i = 0; i < n; i++) {
		uint32_t c = character(t, p + i * UCS4);

		if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		buf_add(b, utf8, utf8_encode(c, utf8));
	}
	return true;
}

enum status npy_text_parse(struct diag *d, const struct at *at,
			   const struct npy_text *t, const uint8_t *p,
			   size_t len, struct array **out)
{
	size_t size = t->width * (t->kind == 'U' ? UCS4 : 1), need;
	struct buf text = {0};
	struct array *a;
	struct str *s;
	enum status st = OK;
	int64_t n;

	if (!dims_count(t->rank, t->dim, &n) || (n && !size) ||
	    !mul_size((size_t)n, size, &need) || need != len)
		return diag_error(d, at, E_data,
				  "%zu bytes of strings do not fit the shape",
				  len);
	a = array_create(d, DT_STRING, t->rank, t->dim);
	if (!a)
		return LIMIT;
	s = a->data;
	for (int64_t i = 0; i < a->n && !st; i++) {
		size_t from = text.n;

		if (!put_element(&text, t, p + (size_t)i * size))
			st = diag_error(d, at, E_data,
					"element %lld is no text",
					(long long)i);
		s[i].n = text.n - from;
	}
	for (int64_t i = 0, from = 0; i < a->n && !st; i++) {
		s[i].p = text.p + from;
		from += (int64_t)s[i].n;
	}
	if (!st)
		st = array_own_strings(d, a);
	buf_release(&text);
	if (st)
		array_unref(a);
	else
		*out = a;
	return st;
}

bool npy_text_width(const struct array *a, size_t *width)
{
	const struct str *s = a->data;
	size_t total = 0, need;

	*width = 1;
	for (int64_t i = 0; i < a->n; i++) {
		size_t chars = 0;

		if (!utf8_valid(s[i]) || (s[i].n && memchr(s[i].p, 0, s[i].n)))
			return false;
		for (size_t k = 0; k < s[i].n; k++)
			chars += ((unsigned char)s[i].p[k] & 0xc0) != 0x80;
		*width = chars > *width ? chars : *width;
		total += s[i].n + 64;
	}
	return mul_size((size_t)a->n, *width, &need) && need / PADDING <= total;
}

void npy_text_write(struct buf *b, const struct array *a, size_t width)
{
	const struct str *s = a->data;

	for (int64_t i = 0; i < a->n; i++) {
		size_t chars = 0;
		uint32_t c = 0;

		for (size_t k = 0, n; k < s[i].n; k += n, chars++) {
			n = utf8_decode(s[i].p + k, s[i].n - k, &c);
			buf_add(b, &c, sizeof c);
		}
		for (c = 0; chars < width; chars++)
			buf_add(b, &c, sizeof c);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * buf.c -- a growing byte buffer; every failure is out of memory.
 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"

void buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

/* Room for n more bytes and the NUL. */
static void reserve(struct buf *b, size_t n)
{
	size_t want, cap;

	if (!add_size(b->n, n, &want) || !add_size(want, 1, &want))
		out_of_memory();
	if (want <= b->cap)
		return;
	cap = b->cap + b->cap / 2 + 64;
	if (cap < want)
		cap = want;
	b->p = xrealloc(b->p, cap);
	b->cap = cap;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	reserve(b, n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	reserve(b, 64);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
	if (n < 0)
		BUG("a format failed");
	if ((size_t)n >= b->cap - b->n) {
		reserve(b, (size_t)n);
		vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
	}
	va_end(again);
	b->n += (size_t)n;
}

void buf_le(struct buf *b, uint64_t v, unsigned nbytes)
{
	for (; nbytes; nbytes--, v >>= 8)
		buf_putc(b, (char)(v & 0xff));
}

void buf_pad(struct buf *b, size_t align)
{
	size_t n = align ? (align - b->n % align) % align : 0;

	reserve(b, n);
	memset(b->p + b->n, 0, n + 1);
	b->n += n;
}

/* One decoded character, or one byte that is none. */
static void put_escaped(struct buf *b, const char *p, size_t n, uint32_t c)
{
	if (n == 0)
		buf_printf(b, "\\x%02x", (unsigned char)*p);
	else if (c == '\n')
		buf_puts(b, "\\n");
	else if (c == '\r')
		buf_puts(b, "\\r");
	else if (c == '\t')
		buf_puts(b, "\\t");
	else
		buf_printf(b, "\\u%04x", c);
}

static void escape(struct buf *b, struct str s, const char *also)
{
	size_t i = 0, n;
	uint32_t c = 0;

	while (i < s.n) {
		n = utf8_decode(s.p + i, s.n - i, &c);
		if (n == 0 || utf8_unsafe(c)) {
			put_escaped(b, s.p + i, n, c);
		} else {
			if (c < 0x80 && strchr(also, (int)c))
				buf_putc(b, '\\');
			buf_add(b, s.p + i, n);
		}
		i += n ? n : 1;
	}
}

void buf_escaped(struct buf *b, struct str s)
{
	reserve(b, s.n);
	escape(b, s, "\"\\");
}

void buf_sanitized(struct buf *b, struct str s)
{
	reserve(b, s.n);
	escape(b, s, "");
}

void buf_json(struct buf *b, struct str s)
{
	size_t i = 0, n;
	uint32_t c = 0;

	buf_putc(b, '"');
	while (i < s.n) {
		n = utf8_decode(s.p + i, s.n - i, &c);
		if (n == 0)
			buf_puts(b, "\xef\xbf\xbd"); /* U+FFFD */
		else if (c < 0x20 || c == 0x7f)
			buf_printf(b, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", (int)c);
		else
			buf_add(b, s.p + i, n);
		i += n ? n : 1;
	}
	buf_putc(b, '"');
}

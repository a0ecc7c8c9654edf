/* SPDX-License-Identifier: MIT */
/*
 * buf.h -- a growing byte buffer for building text and files.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include "base/util.h"

struct buf {
	char *p; /* always NUL-terminated once anything was added */
	size_t n, cap;
};

void buf_release(struct buf *b); /* a zeroed struct buf is empty */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
void buf_le(struct buf *b, uint64_t v, unsigned nbytes); /* little-endian */
void buf_pad(struct buf *b, size_t align); /* zeros up to a multiple */
/* Append s with control characters, quotes and backslashes escaped, and
 * bytes outside UTF-8 as \xNN: safe for terminals, logs and JSON-like text. */
void buf_escaped(struct buf *b, struct str s);
/* The same, but quotes and backslashes stay: for finished messages. */
void buf_sanitized(struct buf *b, struct str s);
/* A JSON string with its quotes; bytes outside UTF-8 become U+FFFD. */
void buf_json(struct buf *b, struct str s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * utf8.h -- strict UTF-8 (RFC 3629): no overlong forms, no surrogates.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/util.h"

/* Bytes of the character at p, its number in *c; 0 if there is none. */
size_t utf8_decode(const char *p, size_t n, uint32_t *c);
/* Writes character c, 4 bytes at most; returns their number. */
size_t utf8_encode(uint32_t c, char *p);
bool utf8_valid(struct str s);
/* Would printing it move the cursor, hide or reorder text?  C0, C1, format
 * characters, line and paragraph separators. */
bool utf8_unsafe(uint32_t c);

#endif

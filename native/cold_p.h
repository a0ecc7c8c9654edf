/* SPDX-License-Identifier: MIT */
/*
 * cold_p.h -- compressed tensor data: chunks of zlib.
 */
#ifndef NATIVE_COLD_P_H
#define NATIVE_COLD_P_H

#include "native/format_p.h"

/*
 * Appends n bytes as chunks if that saves more than a tenth; else leaves out
 * alone and returns false.  elem: bytes of an element; the first bytes of all
 * elements of a chunk are stored together, then the second, ...
 */
bool cold_pack(struct buf *out, const uint8_t *p, size_t n, size_t elem);
/* The reverse: exactly n bytes from exactly `stored`; NULL or what is wrong. */
const char *cold_unpack(const uint8_t *p, size_t stored, uint8_t *to, size_t n);
/* Could `stored` bytes of chunks hold n bytes?  Before memory is asked for. */
bool cold_plausible(size_t stored, size_t n);

#endif

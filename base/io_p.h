/* SPDX-License-Identifier: MIT */
/*
 * io_p.h -- what file.c, blob.c and outfile.c share.
 */
#ifndef BASE_IO_P_H
#define BASE_IO_P_H

#include "base/io.h"

/* Take over a mapping of len bytes; p is not unmapped if len is 0. */
struct blob *blob_map(uint8_t *p, size_t len);

/* Blocks of 64-byte alignment; NULL if the system refuses.  dirty: contents
 * undefined, recycled where possible (aligned.c). */
uint8_t *aligned_calloc(size_t len);
uint8_t *aligned_dirty(size_t len);
void aligned_free(uint8_t *p); /* NULL is fine */
/* Whether freed blocks are kept; false also gives back the kept ones. */
void aligned_keep(bool on);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * io_p.h -- what file.c, blob.c and outfile.c share.
 */
#ifndef BASE_IO_P_H
#define BASE_IO_P_H

#include "base/io.h"

/* Take over a mapping of len bytes; p is not unmapped if len is 0. */
struct blob *blob_map(uint8_t *p, size_t len);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * npy_p.h -- strings in NumPy's files: fixed width, padded with zeros.
 */
#ifndef RUNTIME_NPY_P_H
#define RUNTIME_NPY_P_H

#include "runtime/exec_p.h"

struct npy_text {
	char kind;    /* 'U': UCS-4 characters, 'S': bytes */
	bool swapped; /* 'U': the other byte order */
	size_t width; /* characters or bytes per element */
	int rank;
	const int64_t *dim;
};

/* n elements of t at p, as UTF-8; E-data where they are no characters. */
enum status npy_text_parse(struct diag *d, const struct at *at,
			   const struct npy_text *t, const uint8_t *p,
			   size_t len, struct array **out);
/* Characters of the longest string, at least 1; false where NumPy cannot hold
 * them: bytes that are no UTF-8, a zero, or far more padding than text. */
bool npy_text_width(const struct array *a, size_t *width);
/* The elements as UCS-4 in our byte order. */
void npy_text_write(struct buf *b, const struct array *a, size_t width);

#endif

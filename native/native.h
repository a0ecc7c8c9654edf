/* SPDX-License-Identifier: MIT */
/*
 * native.h -- the .pare container: a model that is mapped, not parsed.
 */
#ifndef NATIVE_NATIVE_H
#define NATIVE_NATIVE_H

#include "ir/ir.h"

struct native_write_opts {
	bool compress; /* zlib chunks for the weights */
	bool if_changed;
};

bool native_probe(const uint8_t *p, size_t n);
enum status native_write(const struct model *m, const char *path,
			 const struct native_write_opts *o, uint64_t *bytes);
/* verify_weights: check the payload checksums too, not only the metadata. */
enum status native_read(struct diag *d, const char *path, bool verify_weights,
			struct model **out);
enum status native_read_blob(struct diag *d, const char *path,
			     struct blob *file, bool verify_weights,
			     struct model **out);

#endif

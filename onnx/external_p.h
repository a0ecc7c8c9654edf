/* SPDX-License-Identifier: MIT */
/*
 * external_p.h -- tensor data in files beside the model.
 */
#ifndef ONNX_EXTERNAL_P_H
#define ONNX_EXTERNAL_P_H

#include "base/io.h"
#include "ir/ir.h"
#include "onnx/pb_p.h"

/* Files mapped so far, and where they may lie. */
struct external {
	const char *path; /* of the model; NULL: none */
	char *dir;        /* of the model path; NULL: none */
	char *real_dir;   /* of what a symbolic link leads to, or NULL */
	struct map files; /* location sym -> struct blob */
	bool ready;
};

/* The key=value entries of a tensor, checked. */
struct location {
	struct str path;
	uint64_t offset, length;
	bool has_length;
	struct str checksum;
};

enum status location_read(struct diag *d, const struct at *at,
			  Onnx__StringStringEntryProto **e, size_t n,
			  struct location *out);
/*
 * The bytes of an external tensor.  need is shape x type; *blob is borrowed
 * (the model keeps it) and holds need bytes from *off on.  E-external if the
 * file is not a regular file beneath the model's directory, the range is not
 * inside it, a length or SHA-1 checksum does not match.
 */
enum status external_read(struct external *x, struct model *m,
			  const struct at *at, const struct location *l,
			  size_t need, struct blob **blob, size_t *off);
void external_release(struct external *x);

/* The directory part of path, "." if it has none; free() it. */
char *path_dir(const char *path);

#endif

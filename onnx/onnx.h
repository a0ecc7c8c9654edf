/* SPDX-License-Identifier: MIT */
/*
 * onnx.h -- ONNX files in and out.  The only folder that sees protobuf-c.
 *
 * Reading: map, skim (depth, counts, payloads become tickets into the
 * mapping), unpack with protobuf-c, build the IR.  Nothing is changed: reading
 * and writing with no pass in between gives the same bytes.
 */
#ifndef ONNX_ONNX_H
#define ONNX_ONNX_H

#include "ir/ir.h"

struct onnx_read_opts {
	bool no_external; /* refuse external data */
};

/* Read a model file ("-": standard input).  On success *out is owned by the
 * caller (model_free).  Errors: E-open, E-proto, E-depth, E-payload, ... */
enum status onnx_read(struct diag *d, const char *path,
		      const struct onnx_read_opts *o, struct model **out);
/* Same from memory; takes its own reference to file.  path names it. */
enum status onnx_read_blob(struct diag *d, const char *path, struct blob *file,
			   const struct onnx_read_opts *o, struct model **out);
/* Do the first bytes look like a ModelProto? */
bool onnx_probe(const uint8_t *p, size_t n);

enum onnx_external {
	EXTERNAL_KEEP, /* as it was: inline stays inline; external
			  data is referenced where it lies if the
			  output is in the same directory, else
			  written to a new data file */
	EXTERNAL_ALL,  /* everything >= min_external bytes */
	EXTERNAL_NONE, /* all inline */
};

struct onnx_write_opts {
	enum onnx_external external;
	size_t min_external; /* default 1024 */
	bool if_changed;
};

/* Write m to path ("-": standard output) atomically: data file first, named
 * STEM.HASH.data after its content; then the model.  *bytes (may be NULL)
 * gets model plus data file size.  Call model_finish() first. */
enum status onnx_write(const struct model *m, const char *path,
		       const struct onnx_write_opts *o, uint64_t *bytes);
/* The encoded model in memory (everything inline). */
enum status onnx_encode(const struct model *m, struct buf *b);
/* Its size without building it. */
uint64_t onnx_size(const struct model *m);

/* A TensorProto / SequenceProto / OptionalProto file (test data). */
enum onnx_data_kind { DATA_TENSOR, DATA_SEQ, DATA_OPTIONAL, DATA_MAP };
struct onnx_data {
	enum onnx_data_kind kind;
	sym name;
	const struct tensor *t;    /* TENSOR */
	enum dtype key;            /* MAP: key type */
	const struct tensor *keys; /* MAP */
	struct onnx_data *e;       /* SEQ: n elements; OPTIONAL: 0 or 1;
				      MAP: values as a SEQ */
	size_t n;
};
/* type tells which message the file holds (bare TensorProto otherwise).
 * Allocated from m's arena; blobs kept by m. */
enum status onnx_read_data(struct model *m, const char *path,
			   const struct type *type, struct onnx_data *out);
enum status onnx_write_data(struct model *m, const char *path,
			    const struct onnx_data *in);

#endif

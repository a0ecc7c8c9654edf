/* SPDX-License-Identifier: MIT */
/*
 * read_p.h -- what the files of the reader share.
 */
#ifndef ONNX_READ_P_H
#define ONNX_READ_P_H

#include "onnx/names_p.h"
#include "onnx/onnx.h"
#include "onnx/external_p.h"
#include "onnx/pb_p.h"
#include "onnx/skim_p.h"

/* One reading of one file. */
struct reader {
	struct model *m;
	struct diag *d;
	const char *path; /* for messages; NULL: memory */
	const struct onnx_read_opts *o;
	struct blob *file; /* borrowed: m->file */
	struct skim skim;  /* its side buffer holds gathered payloads */
	struct external ext;
	struct names names;
	struct map funcs; /* of bind_index() */
	struct at at;     /* storage of where_at() */
};

/* What is being read, for messages only; costs nothing until where_at(). */
struct where {
	const struct graph *g; /* may be NULL */
	const struct node *n;  /* may be NULL */
	const char *what;      /* "initializer", "attribute", ... */
	sym name;
};

/* Valid until the next call. */
const struct at *where_at(struct reader *r, const struct where *w);

/* read.c */
/* Map, skim and unpack a message of type d; NULL with *st set. */
ProtobufCMessage *read_message(struct reader *r,
			       const ProtobufCMessageDescriptor *d,
			       enum status *st);
/* path is copied into the model's arena; r->file is borrowed. */
void reader_init(struct reader *r, struct model *m, const char *path,
		 struct blob *file, const struct onnx_read_opts *o);
void reader_release(struct reader *r);
enum status read_opsets(struct reader *r, Onnx__OperatorSetIdProto **p,
			size_t n, struct opset **out, uint32_t *nout);

/* read_graph.c */
enum status read_graph(struct reader *r, struct graph *g,
		       const Onnx__GraphProto *p, int depth);
enum status read_infos(struct reader *r, struct graph *g,
		       Onnx__ValueInfoProto **p, size_t n);
/* Give the values named by value_info entries their types. */
void link_infos(struct reader *r, struct graph *g);
/* Enter v under its name; E-name if the name is empty or taken. */
enum status define(struct reader *r, struct value *v, const struct where *w);

/* read_node.c */
/* Create the nodes and their outputs; then connect inputs and attributes. */
enum status define_nodes(struct reader *r, struct graph *g, Onnx__NodeProto **p,
			 size_t n);
enum status fill_nodes(struct reader *r, struct graph *g, Onnx__NodeProto **p,
		       size_t n, int depth);

/* read_attr.c */
/* The attributes of a node, or (owner NULL) defaults of a function. */
enum status read_attrs(struct reader *r, struct graph *g, struct node *owner,
		       Onnx__AttributeProto **p, size_t n, int depth,
		       struct attr **out, uint32_t *nout);

/* read_func.c */
enum status read_funcs(struct reader *r, Onnx__FunctionProto **p, size_t n);

/* read_type.c */
/* Clears *exact if the type cannot reproduce the message byte for byte. */
const struct type *read_type(struct model *m, const Onnx__TypeProto *p,
			     bool *exact);
enum status read_info(struct reader *r, const Onnx__ValueInfoProto *p,
		      struct info *out);

/* read_tensor.c */
enum status read_tensor(struct reader *r, const struct where *w,
			const Onnx__TensorProto *p, struct tensor **out);
enum status read_sparse(struct reader *r, const struct where *w,
			const Onnx__SparseTensorProto *p, struct tensor **out);

#endif

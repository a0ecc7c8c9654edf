/* SPDX-License-Identifier: MIT */
/*
 * write_p.h -- what the files of the writer share.
 */
#ifndef ONNX_WRITE_P_H
#define ONNX_WRITE_P_H

#include "onnx/onnx.h"
#include "onnx/pb_p.h"

/* One encoding of one model into a tree of messages. */
struct writer {
	const struct model *m;
	struct diag *d;
	struct arena tmp;       /* the messages; payloads stay in their blobs */
	bool keep_external;     /* references to external data still hold */
	struct data_plan *plan; /* tensors of the data file, or NULL */
	struct map splats;      /* struct blob * that stand for their bytes */
	enum status status;     /* the first error */
};

/* Where bytes go: append is called in order; false stops. */
struct sink {
	bool (*append)(void *arg, const void *p, size_t n);
	void *arg;
};

/* write_graph.c */
Onnx__GraphProto *write_graph(struct writer *w, const struct graph *g,
			      int depth);
Onnx__FunctionProto *write_func(struct writer *w, const struct func *f);
Onnx__OperatorSetIdProto **write_opsets(struct writer *w, const struct opset *o,
					size_t n);

/* write_attr.c */
Onnx__AttributeProto **write_attrs(struct writer *w, const struct attr *a,
				   size_t n, int depth);

/* write_type.c */
Onnx__TypeProto *write_type(struct writer *w, const struct type *t);
Onnx__ValueInfoProto *write_info(struct writer *w, const struct info *info);
/* Does the message p (may be NULL), kept in rest, still stand for t? */
bool type_kept(const struct writer *w, const Onnx__TypeProto *p,
	       const struct type *t);

/* write_tensor.c */
/* name replaces the tensor's own (an initializer is named by its value). */
Onnx__TensorProto *write_tensor(struct writer *w, const struct tensor *t,
				sym name);
Onnx__SparseTensorProto *write_sparse(struct writer *w, const struct tensor *t,
				      sym name);

/* write.c */
/* Messages from symbols; has is false for symbol 0. */
ProtobufCBinaryData write_sym(const struct writer *w, sym s,
			      protobuf_c_boolean *has);
void *write_array(struct writer *w, size_t n); /* of n pointers */
/* A message that starts with the fields kept in rest, which may come from a
 * .pare file and is checked like a file. */
void *write_open(struct writer *w, const ProtobufCMessageDescriptor *desc,
		 struct str rest);
/* Encode a message into a sink, payloads straight from their blobs. */
enum status write_stream(struct writer *w, const ProtobufCMessage *p,
			 const struct sink *out);
/* A sink's append for a struct outfile. */
bool sink_file(void *outfile, const void *p, size_t n);
/* The bytes of a splat, piece by piece. */
bool sink_splat(const struct sink *out, const struct blob *b);
void writer_init(struct writer *w, const struct model *m);
void writer_release(struct writer *w);

#endif

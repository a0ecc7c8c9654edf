/* SPDX-License-Identifier: MIT */
/*
 * pb_p.h -- generic handling of unpacked protobuf-c messages.
 *
 * The IR models the main fields of each message; what else a message holds
 * (doc strings, metadata, unknown fields, ...) travels as its re-encoded
 * bytes, `rest`, and is put back when the message is written.
 */
#ifndef ONNX_PB_P_H
#define ONNX_PB_P_H

#include "onnx.pb-c.h"
#include "base/arena.h"
#include "base/intern.h"

/* Fields that the IR models, by number: bit id of a mask. */
#define PB_BIT(id) (UINT64_C(1) << (id))

#define PB_ATTR_MASK                                                      \
	(PB_BIT(1) | PB_BIT(2) | PB_BIT(3) | PB_BIT(4) | PB_BIT(5) |      \
	 PB_BIT(6) | PB_BIT(7) | PB_BIT(8) | PB_BIT(9) | PB_BIT(10) |     \
	 PB_BIT(11) | PB_BIT(14) | PB_BIT(15) | PB_BIT(20) | PB_BIT(21) | \
	 PB_BIT(22) | PB_BIT(23))
#define PB_INFO_MASK  (PB_BIT(1) | PB_BIT(2))
#define PB_OPSET_MASK (PB_BIT(1) | PB_BIT(2))
#define PB_NODE_MASK                                                 \
	(PB_BIT(1) | PB_BIT(2) | PB_BIT(3) | PB_BIT(4) | PB_BIT(5) | \
	 PB_BIT(7) | PB_BIT(8))
#define PB_GRAPH_MASK                                                  \
	(PB_BIT(1) | PB_BIT(2) | PB_BIT(5) | PB_BIT(11) | PB_BIT(12) | \
	 PB_BIT(13) | PB_BIT(15))
#define PB_FUNC_MASK                                                 \
	(PB_BIT(1) | PB_BIT(4) | PB_BIT(5) | PB_BIT(6) | PB_BIT(7) | \
	 PB_BIT(9) | PB_BIT(10) | PB_BIT(11) | PB_BIT(12) | PB_BIT(13))
#define PB_MODEL_MASK                                                \
	(PB_BIT(1) | PB_BIT(2) | PB_BIT(3) | PB_BIT(4) | PB_BIT(5) | \
	 PB_BIT(6) | PB_BIT(7) | PB_BIT(8) | PB_BIT(25))
/* The ticket's number has no bit: it is masked by name. */
#define PB_TENSOR_MASK                                               \
	(PB_BIT(1) | PB_BIT(2) | PB_BIT(4) | PB_BIT(5) | PB_BIT(6) | \
	 PB_BIT(7) | PB_BIT(8) | PB_BIT(9) | PB_BIT(10) | PB_BIT(11))
#define PB_SPARSE_MASK (PB_BIT(1) | PB_BIT(2) | PB_BIT(3))

/* Is field id present (repeated: not empty)? */
bool pb_has(const ProtobufCMessage *msg, uint32_t id);
/* The encoding of msg without the fields of mask; usually empty. */
struct str pb_rest(struct arena *a, const ProtobufCMessage *msg, uint64_t mask);
/* A new message of type d that holds the fields of rest.  Everything is
 * allocated in a; NULL only if rest is no encoding that pb_rest made. */
void *pb_open(struct arena *a, const ProtobufCMessageDescriptor *d,
	      struct str rest);

static inline struct str pb_str(ProtobufCBinaryData b)
{
	return (struct str){(const char *)b.data, b.len};
}

static inline ProtobufCBinaryData pb_bytes(struct str s)
{
	return (ProtobufCBinaryData){s.n, (uint8_t *)(uintptr_t)s.p};
}

static inline sym pb_sym(struct intern *t, protobuf_c_boolean has,
			 ProtobufCBinaryData b)
{
	return has ? intern_str(t, pb_str(b)) : 0;
}

#endif

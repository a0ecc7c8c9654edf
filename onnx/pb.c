/* SPDX-License-Identifier: MIT */
/*
 * pb.c -- fields of unpacked messages, reached through the descriptors.
 */
#include <string.h>
#include "onnx/pb_p.h"

enum { MAX_MESSAGE = 512 }; /* bytes of the largest message struct */

/* Memory of a message at a byte offset. */
static void *member(ProtobufCMessage *msg, unsigned offset)
{
	return (char *)msg + offset;
}

static bool is_set(const ProtobufCMessage *msg,
		   const ProtobufCFieldDescriptor *f)
{
	const char *q = (const char *)msg + f->quantifier_offset;
	const char *p = (const char *)msg + f->offset;
	uint32_t which;
	size_t n;

	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		memcpy(&n, q, sizeof n);
		return n != 0;
	}
	if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		memcpy(&which, q, sizeof which);
		return which == f->id;
	}
	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		const void *child;

		memcpy(&child, p, sizeof child);
		return child != NULL;
	}
	memcpy(&which, q, sizeof which);
	return which != 0;
}

static void unset(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f)
{
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		memset(member(msg, f->quantifier_offset), 0, sizeof(size_t));
	else if (f->type == PROTOBUF_C_TYPE_MESSAGE &&
		 !(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
		memset(member(msg, f->offset), 0, sizeof(void *));
	else
		memset(member(msg, f->quantifier_offset), 0, sizeof(int));
}

bool pb_has(const ProtobufCMessage *msg, uint32_t id)
{
	const ProtobufCFieldDescriptor *f;

	f = protobuf_c_message_descriptor_get_field(msg->descriptor, id);
	if (!f)
		BUG("%s has no field %u", msg->descriptor->name, id);
	return is_set(msg, f);
}

struct str pb_rest(struct arena *a, const ProtobufCMessage *msg, uint64_t mask)
{
	_Alignas(16) unsigned char copy[MAX_MESSAGE];
	ProtobufCMessage *c = (void *)copy;
	const ProtobufCMessageDescriptor *d = msg->descriptor;
	struct str rest = {0};
	uint8_t *p;

	if (d->sizeof_message > sizeof copy)
		BUG("%s is larger than %zu bytes", d->name, sizeof copy);
	memcpy(copy, msg, d->sizeof_message);
	for (unsigned i = 0; i < d->n_fields; i++) {
		const uint32_t id = d->fields[i].id;

		if (id >= 64 || mask >> id & 1)
			unset(c, &d->fields[i]);
	}
	rest.n = protobuf_c_message_get_packed_size(c);
	if (!rest.n)
		return rest;
	p = arena_alloc(a, rest.n);
	protobuf_c_message_pack(c, p);
	rest.p = (const char *)p;
	return rest;
}

static void *pb_alloc(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void pb_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

void *pb_open(struct arena *a, const ProtobufCMessageDescriptor *d,
	      struct str rest)
{
	ProtobufCAllocator alloc = {pb_alloc, pb_free, a};
	ProtobufCMessage *msg;

	if (rest.n)
		return protobuf_c_message_unpack(d, &alloc, rest.n,
						 (const uint8_t *)rest.p);
	msg = arena_alloc(a, d->sizeof_message);
	d->message_init(msg);
	return msg;
}

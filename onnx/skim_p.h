/* SPDX-License-Identifier: MIT */
/*
 * skim_p.h -- the walk over raw protobuf bytes that comes before protobuf-c.
 */
#ifndef ONNX_SKIM_P_H
#define ONNX_SKIM_P_H

#include <protobuf-c/protobuf-c.h>
#include "base/diag.h"

enum { SKIM_DEPTH = 100 }; /* nested messages; a subgraph costs three */

/*
 * What the skim leaves in TensorProto.ticket in place of the payload field:
 * where its bytes are.  Several chunks and unpacked numbers are gathered into
 * one packed chunk in the side buffer.
 */
struct ticket {
	uint64_t off, len;
	uint32_t field; /* of TensorProto: 4 5 7 9 10 11 */
	uint32_t side;  /* 0: off is into the input, 1: into skim.side */
};

struct skim {
	const uint8_t *base; /* the input; borrowed */
	size_t size;
	struct diag *d;
	const char *file; /* for messages; may be NULL */
	uint8_t *out;     /* the compact copy */
	size_t len, cap;
	uint8_t *side; /* gathered payloads */
	size_t nside, side_cap;
	size_t charge, limit; /* bytes that parsing will need, at most */
};

/*
 * Check the encoding of a message and copy it without tensor payloads.
 *
 * base[0..size)  the bytes of one message of type desc
 * Fails with E-proto, E-depth, E-count (more than 8 * size + 64 MiB needed to
 * parse) or E-memory, naming the byte offset.  Call skim_release in any case.
 */
enum status skim(struct skim *s, struct diag *d, const char *file,
		 const ProtobufCMessageDescriptor *desc, const uint8_t *base,
		 size_t size);
void skim_release(struct skim *s);

/* Read a varint of at most 10 bytes at *p; false if damaged. */
bool varint_get(const uint8_t **p, const uint8_t *end, uint64_t *v);

#endif

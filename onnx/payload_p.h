/* SPDX-License-Identifier: MIT */
/*
 * payload_p.h -- which field of TensorProto holds values of which type.
 */
#ifndef ONNX_PAYLOAD_P_H
#define ONNX_PAYLOAD_P_H

#include "base/dtype.h"

enum {
	FIELD_FLOAT = 4,
	FIELD_INT32 = 5,
	FIELD_STRING = 6,
	FIELD_INT64 = 7,
	FIELD_RAW = 9,
	FIELD_DOUBLE = 10,
	FIELD_UINT64 = 11,
};

/*
 * The field for values that are not raw.  *entry_bits gets the bits of the
 * packed data that one entry of the field holds: half a complex number, one
 * element, or a byte of several small elements.
 */
uint32_t typed_field(enum dtype dt, unsigned *entry_bits);

#endif

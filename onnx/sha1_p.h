/* SPDX-License-Identifier: MIT */
/*
 * sha1_p.h -- the checksum that external_data entries may carry.
 */
#ifndef ONNX_SHA1_P_H
#define ONNX_SHA1_P_H

#include <stddef.h>
#include <stdint.h>

/* SHA-1 (FIPS 180-4) of n bytes as 40 lower-case digits and a NUL. */
void sha1_hex(const uint8_t *p, size_t n, char out[41]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * sha1.c -- SHA-1 after FIPS 180-4, section 6.1.
 *
 * It guards against damage, not against forgery: the sum stands in the model.
 */
#include <string.h>
#include "onnx/sha1_p.h"

static uint32_t rol(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t load_be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static uint32_t mix(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999u;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1u;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
	return (b ^ c ^ d) + 0xca62c1d6u;
}

static void block(uint32_t h[5], const uint8_t *p)
{
	uint32_t w[80], v[5];

	for (unsigned t = 0; t < 16; t++)
		w[t] = load_be(p + 4 * t);
	for (unsigned t = 16; t < 80; t++)
		w[t] = rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(v, h, sizeof v);
	for (unsigned t = 0; t < 80; t++) {
		const uint32_t x =
			rol(v[0], 5) + mix(t, v[1], v[2], v[3]) + v[4] + w[t];

		v[4] = v[3];
		v[3] = v[2];
		v[2] = rol(v[1], 30);
		v[1] = v[0];
		v[0] = x;
	}
	for (unsigned i = 0; i < 5; i++)
		h[i] += v[i];
}

void sha1_hex(const uint8_t *p, size_t n, char out[41])
{
	static const char digit[] = "0123456789abcdef";
	uint32_t h[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u,
			 0xc3d2e1f0u};
	const uint64_t bits = (uint64_t)n * 8;
	uint8_t last[128] = {0};
	size_t rest = n % 64, len = rest < 56 ? 64 : 128;

	for (size_t i = 0; i + 64 <= n; i += 64)
		block(h, p + i);
	if (rest)
		memcpy(last, p + n - rest, rest);
	last[rest] = 0x80;
	for (size_t i = 0; i < 8; i++)
		last[len - 1 - i] = (uint8_t)(bits >> 8 * i);
	block(h, last);
	if (len == 128)
		block(h, last + 64);
	for (unsigned i = 0; i < 40; i++)
		out[i] = digit[h[i / 8] >> (28 - i % 8 * 4) & 15];
	out[40] = '\0';
}

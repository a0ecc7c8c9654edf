/* SPDX-License-Identifier: MIT */
/*
 * cold.c -- compressed tensor data: chunks of zlib.
 *
 * The bytes of floats compress better sorted by significance: exponents
 * repeat, mantissas do not (f32 checkpoints: 15 % against 7 %).  Chunks of
 * 256 KiB bound the memory and let threads share the work later.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "native/cold_p.h"

/* zlib's largest ratio is 1032 (deflate codes 258 bytes in 2 bits). */
#define RATIO_MAX 1032

static void shuffle(uint8_t *to, const uint8_t *from, size_t n, size_t elem)
{
	size_t count = n / elem, done = count * elem;

	for (size_t k = 0; k < elem; k++)
		for (size_t i = 0; i < count; i++)
			to[k * count + i] = from[i * elem + k];
	memcpy(to + done, from + done, n - done);
}

static void unshuffle(uint8_t *to, const uint8_t *from, size_t n, size_t elem)
{
	size_t count = n / elem, done = count * elem;

	for (size_t k = 0; k < elem; k++)
		for (size_t i = 0; i < count; i++)
			to[i * elem + k] = from[k * count + i];
	memcpy(to + done, from + done, n - done);
}

static void put_chunk(struct buf *out, const uint8_t *p, size_t n, size_t elem,
		      uint8_t *tmp, uint8_t *packed, uLong cap)
{
	uLongf stored = cap;

	shuffle(tmp, p, n, elem);
	if (compress2(packed, &stored, tmp, n, 6) != Z_OK)
		BUG("zlib has no room or memory for a chunk");
	buf_le(out, n, 4);
	buf_le(out, stored, 4);
	buf_le(out, crc32(0, p, (uInt)n), 4);
	buf_le(out, elem, 4);
	buf_add(out, packed, stored);
}

bool cold_pack(struct buf *out, const uint8_t *p, size_t n, size_t elem)
{
	uLong cap = compressBound(CHUNK_BYTES);
	uint8_t *tmp, *packed;
	size_t from = out->n;

	if (n < COLD_MIN)
		return false;
	tmp = xmalloc(CHUNK_BYTES);
	packed = xmalloc(cap);
	for (size_t i = 0; i < n; i += CHUNK_BYTES)
		put_chunk(out, p + i, n - i < CHUNK_BYTES ? n - i : CHUNK_BYTES,
			  elem, tmp, packed, cap);
	free(tmp);
	free(packed);
	if (out->n - from < n - n / 10)
		return true;
	out->n = from;
	return false;
}

bool cold_plausible(size_t stored, size_t n)
{
	return stored > CHUNK_HEAD && n / RATIO_MAX < stored;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* One chunk into `to`; *p and *left move on. */
static const char *get_chunk(const uint8_t **p, size_t *left, uint8_t *to,
			     size_t want, uint8_t *tmp)
{
	size_t raw, stored, elem;
	uint32_t crc;
	uLongf got;

	if (*left < CHUNK_HEAD)
		return "a chunk is cut off";
	raw = get32(*p);
	stored = get32(*p + 4);
	crc = get32(*p + 8);
	elem = get32(*p + 12);
	if (raw != want || stored > *left - CHUNK_HEAD || elem < 1 || elem > 16)
		return "a chunk has impossible sizes";
	got = raw;
	if (uncompress(tmp, &got, *p + CHUNK_HEAD, stored) != Z_OK ||
	    got != raw)
		return "a chunk is damaged";
	unshuffle(to, tmp, raw, elem);
	if (crc32(0, to, (uInt)raw) != crc)
		return "a chunk's checksum is wrong";
	*p += CHUNK_HEAD + stored;
	*left -= CHUNK_HEAD + stored;
	return NULL;
}

const char *cold_unpack(const uint8_t *p, size_t stored, uint8_t *to, size_t n)
{
	uint8_t *tmp = xmalloc(CHUNK_BYTES);
	const char *wrong = NULL;

	for (size_t i = 0; !wrong && i < n; i += CHUNK_BYTES)
		wrong = get_chunk(&p, &stored, to + i,
				  n - i < CHUNK_BYTES ? n - i : CHUNK_BYTES,
				  tmp);
	free(tmp);
	return wrong || !stored ? wrong : "bytes are left behind a tensor";
}

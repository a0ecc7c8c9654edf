/* SPDX-License-Identifier: MIT */
/*
 * fuzz_native.c -- any bytes through the loader of .pare files.
 *
 * Checksums are made right first, since a mutation would never get past
 * them.  What is accepted must be a valid IR, be encoded as ONNX, and print
 * as text that parses.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "native/native.h"
#include "onnx/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 64, ENTRY = 64, SUM_AT = 56, COUNT_AT = 44 };

static uint64_t get(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static void fix_sums(uint8_t *p, size_t size)
{
	struct buf head = {0};
	uint64_t n, sum;

	if (size < HEADER)
		return;
	n = get(p + COUNT_AT, 4);
	if (n > (size - HEADER) / ENTRY)
		return;
	for (uint64_t i = 0; i < n; i++) {
		uint8_t *e = p + HEADER + i * ENTRY;
		uint64_t off = get(e + 16, 8), len = get(e + 24, 8);

		if (off > size || len > size - off)
			continue;
		sum = XXH3_64bits(p + off, len);
		memcpy(e + 40, &sum, sizeof sum);
	}
	buf_add(&head, p, SUM_AT);
	buf_add(&head, p + HEADER, n * ENTRY);
	sum = XXH3_64bits(head.p, head.n);
	memcpy(p + SUM_AT, &sum, sizeof sum);
	buf_release(&head);
}

static void use_model(struct diag *d, struct model *m)
{
	struct print_opts few = {.max_elements = 4};
	struct buf b = {0};

	model_verify_ir(m);
	model_print(m, &b, &few);
	b.n = 0;
	if (onnx_encode(m, &b) && !d->nerror)
		BUG("a refusal without a message");
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *m = NULL;
	struct blob *file;
	struct diag d;

	diag_init(&d, NULL);
	limit_set((size_t)1 << 30, 0);
	file = blob_alloc(&d, size ? size : 1);
	if (!file)
		return 0;
	file->len = size;
	if (size)
		memcpy(file->p, data, size);
	fix_sums(file->p, size);
	if (native_read_blob(&d, "fuzz.pare", file, true, &m) == OK)
		use_model(&d, m);
	else if (!d.nerror)
		BUG("a refusal without a message");
	model_free(m);
	blob_unref(file);
	diag_release(&d);
	return 0;
}

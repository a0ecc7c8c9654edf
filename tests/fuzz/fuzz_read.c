/* SPDX-License-Identifier: MIT */
/*
 * fuzz_read.c -- any bytes through the ONNX reader.
 *
 * What is accepted must be a valid IR, must be written, and what was written
 * must be read and written again to the same bytes.
 * Build with libFuzzer, or with replay.c to run a corpus once.
 */
#include <stdlib.h>
#include <string.h>
#include "onnx/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct blob *blob_of(struct diag *d, const void *p, size_t n)
{
	struct blob *b = blob_alloc(d, n);

	if (b && n)
		memcpy(b->p, p, n);
	return b;
}

/* Read and encode again; false if the bytes were refused. */
static bool cycle(struct diag *d, const void *p, size_t n, struct buf *out)
{
	static const struct onnx_read_opts opts = {.no_external = true};
	struct blob *file = blob_of(d, p, n);
	struct model *m;
	bool ok;

	if (!file)
		return false;
	ok = onnx_read_blob(d, "fuzz.onnx", file, &opts, &m) == OK;
	blob_unref(file);
	if (!ok)
		return false;
	model_verify_ir(m);
	ok = model_finish(m) == OK && onnx_encode(m, out) == OK;
	model_free(m);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = {0}, second = {0};
	struct diag d;

	diag_init(&d, NULL);
	if (cycle(&d, data, size, &first)) {
		if (!cycle(&d, first.p, first.n, &second))
			BUG("a written model is refused: %s", d.last.p);
		if (first.n != second.n ||
		    (first.n && memcmp(first.p, second.p, first.n)))
			BUG("writing a model twice gives different bytes");
	} else if (!d.nerror) {
		BUG("a refusal without a message");
	}
	buf_release(&first);
	buf_release(&second);
	diag_release(&d);
	return 0;
}

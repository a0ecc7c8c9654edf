/* SPDX-License-Identifier: MIT */
/*
 * fuzz_infer.c -- shape inference and the ONNX rules on any model.
 *
 * The bytes are a model in the text syntax or, where they are no text, an
 * ONNX file.  Inference must end in a valid IR whose second inference changes
 * nothing, or in a message.
 */
#include <stdlib.h>
#include <string.h>
#include "onnx/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model *read_model(struct diag *d, const uint8_t *data,
				size_t size)
{
	static const struct onnx_read_opts opts = {.no_external = true};
	struct str text = {(const char *)data, size};
	struct model *m = model_parse(d, NULL, text);
	struct blob *file;

	if (m)
		return m;
	file = blob_alloc(d, size ? size : 1);
	if (!file)
		return NULL;
	file->len = size;
	if (size)
		memcpy(file->p, data, size);
	if (onnx_read_blob(d, "fuzz.onnx", file, &opts, &m))
		m = NULL;
	blob_unref(file);
	return m;
}

static void infer_twice(struct diag *d, struct model *m)
{
	struct print_opts types = {.max_elements = 4, .types = true};
	struct buf first = {0}, second = {0};

	if (model_infer(m) == OK) {
		model_verify_ir(m);
		model_print(m, &first, &types);
		if (model_infer(m))
			BUG("inferred once, refused then: %s", d->last.p);
		model_print(m, &second, &types);
		if (first.n != second.n || memcmp(first.p, second.p, first.n))
			BUG("inferring again gives other types");
	} else if (!d->nerror) {
		BUG("a refusal without a message");
	}
	buf_release(&first);
	buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag d;
	struct model *m;

	diag_init(&d, NULL);
	limit_set((size_t)1 << 30, 10);
	m = read_model(&d, data, size);
	if (m) {
		model_check(m, true);
		diag_release(&d);
		diag_init(&d, NULL);
		infer_twice(&d, m);
	}
	model_free(m);
	diag_release(&d);
	return 0;
}

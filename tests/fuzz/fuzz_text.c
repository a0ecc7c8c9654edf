/* SPDX-License-Identifier: MIT */
/*
 * fuzz_text.c -- any bytes through the parser of the text syntax.
 *
 * What is accepted must be a valid IR, and its text must give it again.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/ir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct model *m)
{
	struct buf text = {0}, why = {0};
	struct model *again;
	struct diag d;

	diag_init(&d, NULL);
	model_print(m, &text, NULL);
	again = model_parse(&d, NULL, (struct str){text.p, text.n});
	if (!again)
		BUG("printed text is refused: %s", d.last.p);
	if (!model_equal(m, again, &why))
		BUG("printed text gives another model: %s", why.p);
	model_free(again);
	buf_release(&text);
	buf_release(&why);
	diag_release(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag d;
	struct model *m;

	diag_init(&d, NULL);
	m = model_parse(&d, NULL, (struct str){(const char *)data, size});
	if (m) {
		model_verify_ir(m);
		check_again(m);
	} else if (!d.nerror) {
		BUG("a refusal without a message");
	}
	model_free(m);
	diag_release(&d);
	return 0;
}

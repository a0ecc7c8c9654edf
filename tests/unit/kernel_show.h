/* SPDX-License-Identifier: MIT */
/*
 * kernel_show.h -- results of small models as text, for tables of cases.
 *
 * A case is a graph without inputs: its initializers, its nodes, which define
 * y, and what y shows as: its dims, a colon, its elements; or "E-..." where it
 * is refused.
 */
#ifndef TESTS_UNIT_KERNEL_SHOW_H
#define TESTS_UNIT_KERNEL_SHOW_H

#include "base/buf.h"
#include "tests/unit/kernel_run.h"

struct show_case {
	int opset;
	const char *type; /* of y */
	const char *inits, *nodes, *want;
};

static inline void show_array(struct buf *b, const struct array *a)
{
	for (int i = 0; i < a->rank; i++)
		buf_printf(b, i ? "x%lld" : "%lld", (long long)a->dim[i]);
	buf_putc(b, ':');
	for (int64_t i = 0; i < a->n; i++)
		if (a->dt == DT_STRING) {
			struct str s = ((const struct str *)a->data)[i];

			buf_printf(b, " '%.*s'", (int)s.n, s.p);
		} else {
			double v = dtype_get(a->dt, a->data, (size_t)i);

			/* no rounding noise, no negative zero */
			if (v > -1e-12 && v < 1e-12)
				v = 0;
			buf_printf(b, " %.5g", v);
		}
}

static inline void show_cases(const struct show_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf text = {0}, got = {0};
		struct run_result r;

		buf_printf(&text,
			   "<ir_version: 13, opset_import: [\"\" : %d, "
			   "\"ai.onnx.preview.training\" : 1]> "
			   "g () => (%s y) <%s> { %s }",
			   c[i].opset, c[i].type, c[i].inits, c[i].nodes);
		r = run_text(text.p, EXEC_FAST, CPU_AVX512);
		if (r.status != OK)
			buf_puts(&got, diag_info(r.code)->name);
		else
			show_array(&got, r.out[0]);
		cr_assert_str_eq(got.p, c[i].want, "%s: %s", text.p, got.p);
		run_release(&r);
		buf_release(&got);
		buf_release(&text);
	}
}

#endif

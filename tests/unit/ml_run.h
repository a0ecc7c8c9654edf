/* SPDX-License-Identifier: MIT */
/*
 * ml_run.h -- graphs of ai.onnx.ml operators in the ONNX text syntax, run and
 * compared as text.
 */
#ifndef TESTS_UNIT_ML_RUN_H
#define TESTS_UNIT_ML_RUN_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/runtime.h"

/* A model's graph after its name, run without inputs. */
struct run {
	int ml; /* opset of ai.onnx.ml */
	const char *graph;
	const char *want; /* results, outputs apart by " | "; NULL: refused */
};

static inline void put_tensor(struct buf *b, const struct array *a)
{
	for (int64_t i = 0; i < a->n; i++) {
		if (i)
			buf_putc(b, ' ');
		if (a->dt == DT_STRING)
			buf_escaped(b, ((const struct str *)a->data)[i]);
		else
			buf_printf(b, "%.5g",
				   dtype_get(a->dt, a->data, (size_t)i));
	}
}

static inline void put_value(struct buf *b, const struct array *a)
{
	if (a->kind == ARR_TENSOR) {
		put_tensor(b, a);
		return;
	}
	for (uint32_t i = 0; i < a->nitem; i++) {
		if (i)
			buf_puts(b, a->kind == ARR_MAP ? ": " : ", ");
		put_value(b, a->item[i]);
	}
}

/* "" with *st for a failure. */
static inline char *run_graph(const struct run *r, enum exec_set set,
			      enum status *st)
{
	struct exec_opts o = {.set = set};
	struct array *out[4] = {0};
	struct buf text = {0}, got = {0};
	struct diag d;
	struct model *m;
	struct exec *e;
	uint32_t n;

	buf_printf(&text,
		   "<ir_version: 10, opset_import: [\"\" : 18, "
		   "\"ai.onnx.ml\" : %d]>\ng %s",
		   r->ml, r->graph);
	diag_init(&d, NULL);
	m = model_parse(&d, "test", (struct str){text.p, text.n});
	cr_assert(m, "%s: %s", d.last.p, r->graph);
	n = m->main->ret->nin;
	cr_assert_leq(n, countof(out));
	e = exec_create(m, &o);
	*st = e ? exec_run(e, NULL, out) : BAD_MODEL;
	if (*st)
		cr_assert_gt(d.nerror, 0, "no message: %s", r->graph);
	if (!*st) { /* again, with what the node keeps */
		for (uint32_t i = 0; i < n; i++)
			array_unref(out[i]);
		*st = exec_run(e, NULL, out);
	}
	buf_puts(&got, "");
	for (uint32_t i = 0; !*st && i < n; i++) {
		if (i)
			buf_puts(&got, " | ");
		put_value(&got, out[i]);
		array_unref(out[i]);
	}
	exec_free(e);
	model_free(m);
	diag_release(&d);
	buf_release(&text);
	return got.p ? got.p : xstrdup("");
}

static inline void run_all(const struct run *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int set = EXEC_FAST; set <= EXEC_REFERENCE; set++) {
			enum status st;
			char *got = run_graph(&r[i], (enum exec_set)set, &st);

			if (r[i].want)
				cr_expect(!st && !strcmp(got, r[i].want),
					  "'%s', expected '%s': %s", got,
					  r[i].want, r[i].graph);
			else
				cr_expect(st && st != INTERNAL,
					  "accepted, gives '%s': %s", got,
					  r[i].graph);
			free(got);
		}
}

#define RUN(list) run_all(list, countof(list))

/* { y = op(x) } with x of a type and values. */
#define ON(type, values, op)                              \
	"() => (float y) <" type " x = {" values "}> { y" \
	" = ai.onnx.ml." op " (x) }"

#define LABELS "() => (int64 l, float y) "
#define XY(dims, values, op)                                \
	LABELS "<float[" dims "] x = {" values "}> { l, y " \
	       "= ai.onnx.ml." op " (x) }"

#endif

/* SPDX-License-Identifier: MIT */
/*
 * kernel_run.h -- run a small model in the ONNX text syntax with made-up
 * inputs: by the reference kernels, and by the fast ones at each CPU level.
 *
 * An input's first letter says what it holds: s positive scales, z zero
 * points (small integers), anything else numbers around 0.
 */
#ifndef TESTS_UNIT_KERNEL_RUN_H
#define TESTS_UNIT_KERNEL_RUN_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "runtime/cpu.h"
#include "runtime/runtime.h"

enum { RUN_MAX_OUT = 4 };

struct run_result {
	enum status status;
	enum diag_code code;
	struct array *out[RUN_MAX_OUT];
	uint32_t nout;
};

static inline void run_fill(struct array *a, char kind, struct rng *r)
{
	char k = dtype_kind(a->dt);

	for (int64_t i = 0; i < a->n; i++) {
		if (kind == 's')
			dtype_set(a->dt, a->data, (size_t)i,
				  0.01 + 0.05 * rng_unit(r));
		else if (k == 'f')
			dtype_set(a->dt, a->data, (size_t)i, rng_normal(r));
		else if (dtype_bits(a->dt) > 8)
			dtype_set_int(a->dt, a->data, (size_t)i,
				      (int64_t)rng_below(r, 2001) - 1000);
		else
			dtype_set_int(a->dt, a->data, (size_t)i,
				      (int64_t)rng_below(r, 256));
	}
}

static inline struct array *run_input(struct model *m, const struct value *v,
				      struct rng *r)
{
	int64_t dim[8];
	struct array *a;

	for (int i = 0; i < v->type->rank; i++)
		dim[i] = v->type->dim[i].n;
	a = array_create(m->diag, v->type->dt, v->type->rank, dim);
	cr_assert_not_null(a);
	run_fill(a, *sym_text(m, v->name), r);
	return a;
}

static inline struct run_result
run_opts(const char *text, const struct exec_opts *o, enum cpu_level level)
{
	struct run_result res = {.status = INTERNAL};
	struct rng r = rng_make(7, 0);
	struct str s = {text, strlen(text)};
	struct array *in[16] = {0};
	struct diag d;
	struct model *m;
	struct exec *e;

	diag_init(&d, NULL);
	m = model_parse(&d, "test", s);
	cr_assert_not_null(m, "%s\n%s", d.last.p, text);
	cr_assert_lt(m->main->nin, countof(in));
	for (uint32_t i = 0; i < m->main->nin; i++)
		in[i] = run_input(m, m->main->in[i], &r);
	cpu_set_level(level);
	e = exec_create(m, o);
	res.nout = m->main->ret->nin;
	cr_assert_leq(res.nout, RUN_MAX_OUT);
	if (e)
		res.status = exec_run(e, in, res.out);
	/* Packed weights are used again. */
	if (res.status == OK) {
		for (uint32_t i = 0; i < res.nout; i++)
			array_unref(res.out[i]);
		res.status = exec_run(e, in, res.out);
	}
	if (res.status != OK)
		memset(res.out, 0, sizeof res.out);
	res.code = d.first;
	cpu_set_level(CPU_AVX512);
	for (uint32_t i = 0; i < m->main->nin; i++)
		array_unref(in[i]);
	exec_free(e);
	/* Results may share the model's memory. */
	for (uint32_t i = 0; i < res.nout; i++)
		if (res.out[i]) {
			struct array *a = array_copy(&d, res.out[i]);

			array_unref(res.out[i]);
			res.out[i] = a;
		}
	model_free(m);
	diag_release(&d);
	return res;
}

static inline struct run_result run_text(const char *text, enum exec_set set,
					 enum cpu_level level)
{
	struct exec_opts o = {.set = set};

	return run_opts(text, &o, level);
}

static inline void run_release(struct run_result *r)
{
	for (uint32_t i = 0; i < r->nout; i++)
		array_unref(r->out[i]);
}

/* The fast kernels give equal bits at every level, and what the reference
 * gives within the tolerance (integers exactly). */
static inline void run_agrees(const char *text, double rtol, double atol)
{
	struct run_result ref = run_text(text, EXEC_REFERENCE, CPU_AVX512);
	struct run_result top = run_text(text, EXEC_FAST, CPU_AVX512);

	cr_assert_eq(ref.status, OK, "reference: %s", text);
	cr_assert_eq(top.status, OK, "fast: %s", text);
	for (int l = CPU_PORTABLE; l < CPU_AVX512; l++) {
		struct run_result low =
			run_text(text, EXEC_FAST, (enum cpu_level)l);

		cr_assert_eq(low.status, OK);
		for (uint32_t i = 0; i < low.nout; i++)
			cr_assert(low.out[i]->bytes == top.out[i]->bytes &&
					  memcmp(low.out[i]->data,
						 top.out[i]->data,
						 top.out[i]->bytes) == 0,
				  "level %d, output %u: %s", l, i, text);
		run_release(&low);
	}
	for (uint32_t i = 0; i < ref.nout; i++) {
		struct buf why = {0};

		cr_assert(
			arrays_close(top.out[i], ref.out[i], rtol, atol, &why),
			"%s: %s", why.p ? why.p : "", text);
		buf_release(&why);
	}
	run_release(&ref);
	run_release(&top);
}

/* Both sets refuse. */
static inline void run_refuses(const char *text)
{
	for (int set = EXEC_FAST; set <= EXEC_REFERENCE; set++) {
		struct run_result r =
			run_text(text, (enum exec_set)set, CPU_AVX512);

		cr_assert_neq(r.status, OK, "accepted: %s", text);
		cr_assert_neq(r.status, INTERNAL, "no message: %s", text);
	}
}

#endif

/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "onnx/onnx.h"

static char path[64];
static struct diag d;

static void enter(void)
{
	int fd;

	strcpy(path, "/tmp/pare-data-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	close(fd);
	diag_init(&d, NULL);
}

static void leave(void)
{
	unlink(path);
	diag_release(&d);
}

TestSuite(data, .init = enter, .fini = leave);

static struct onnx_data number(struct model *m, double v)
{
	return (struct onnx_data){.kind = DATA_TENSOR,
				  .t = tensor_scalar(m, DT_F32, v)};
}

/* Writes in and reads it back as a value of this kind. */
static struct onnx_data again(struct model *m, const struct onnx_data *in,
			      enum type_kind kind)
{
	const struct type *t = type_of_elem(m, kind, DT_I64, type_unknown());
	struct onnx_data out;

	cr_assert_eq(onnx_write_data(m, path, in), OK);
	cr_assert_eq(
		onnx_read_data(m, path, kind == TY_TENSOR ? NULL : t, &out), OK,
		"%s", d.last.p);
	cr_expect_eq(out.kind, in->kind);
	cr_expect_eq(out.n, in->n);
	cr_expect_eq(out.name, in->name);
	return out;
}

Test(data, tensors)
{
	struct model *m = model_create(&d);
	struct onnx_data in = number(m, 2.5), out;

	in.name = model_sym(m, "x");
	out = again(m, &in, TY_TENSOR);
	cr_expect(tensor_equal(m, in.t, out.t));
	model_free(m);
}

Test(data, sequences_optionals_and_maps)
{
	struct model *m = model_create(&d);
	struct onnx_data two[2] = {number(m, 1), number(m, 2)}, out;
	struct onnx_data seq = {.kind = DATA_SEQ, .e = two, .n = 2};
	struct onnx_data opt = {.kind = DATA_OPTIONAL, .e = &seq, .n = 1};
	struct onnx_data none = {.kind = DATA_OPTIONAL};
	static const int64_t keys[2] = {-5, 7}, dim = 2;
	struct onnx_data map = {.kind = DATA_MAP,
				.key = DT_I64,
				.keys = tensor_i64(m, 1, &dim, keys),
				.e = &seq,
				.n = 1};

	out = again(m, &seq, TY_SEQ);
	cr_expect(tensor_equal(m, out.e[1].t, two[1].t));
	out = again(m, &opt, TY_OPTIONAL);
	cr_expect_eq(out.e[0].kind, DATA_SEQ);
	cr_expect_eq(out.e[0].n, 2);
	again(m, &none, TY_OPTIONAL);
	out = again(m, &map, TY_MAP);
	cr_expect(tensor_equal(m, out.keys, map.keys));
	cr_expect(tensor_equal(m, out.e[0].e[0].t, two[0].t));
	model_free(m);
}

Test(data, nested_and_mixed)
{
	static const char mixed[] = {0x1a, 0, 0x2a, 0}; /* fields 3 and 5 */
	struct model *m = model_create(&d);
	struct onnx_data one = number(m, 1), out;
	struct onnx_data inner[2] = {{.kind = DATA_SEQ, .e = &one, .n = 1},
				     {.kind = DATA_SEQ}};
	struct onnx_data outer = {.kind = DATA_SEQ, .e = inner, .n = 2};
	const struct type *t = type_of_elem(m, TY_SEQ, DT_NONE, type_unknown());

	out = again(m, &outer, TY_SEQ);
	cr_expect_eq(out.e[0].n, 1);
	cr_expect_eq(out.e[1].n, 0);
	cr_assert_eq(file_write_all(&d, path, mixed, sizeof mixed, false), OK);
	cr_expect_neq(onnx_read_data(m, path, t, &out), OK);
	model_free(m);
}

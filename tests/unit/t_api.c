/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "include/pare.h"
#include "onnx/onnx.h"

static const char text[] = "<ir_version: 8, opset_import: [\"\": 17]>\n"
			   "g (float[N,2] x) => (float[N,2] y)\n"
			   "<float[2] zero = {0, 0}>\n"
			   "{\n"
			   "  a = Add(x, zero)\n"
			   "  b = Identity(a)\n"
			   "  y = Relu(b)\n"
			   "}\n";

/* The model above as ONNX bytes. */
static struct buf encoded(void)
{
	struct diag d = {0};
	struct model *m =
		model_parse(&d, "test", (struct str){text, sizeof text - 1});
	struct buf b = {0};

	cr_assert_not_null(m, "%s", d.last.p);
	cr_assert_eq(onnx_encode(m, &b), OK);
	model_free(m);
	diag_release(&d);
	return b;
}

Test(api, optimizes_in_memory)
{
	struct buf b = encoded();
	struct pare *p = pare_create();
	struct pare_counts before, after;
	void *data;
	size_t n;

	cr_assert_eq(pare_open_memory(p, b.p, b.n, "test"), PARE_OK);
	cr_assert_eq(pare_count(p, &before), PARE_OK);
	cr_assert_eq(before.nodes, 3);
	cr_assert_eq(before.file_bytes, b.n);
	cr_assert_eq(pare_validate(p), PARE_OK, "%s", pare_error(p));
	cr_assert_eq(pare_optimize(p, NULL), PARE_OK, "%s", pare_error(p));
	cr_assert_geq(pare_rewrites(p), 2);
	cr_assert_eq(pare_check_mode(p), PARE_CHECK_WHOLE);
	cr_assert_eq(pare_count(p, &after), PARE_OK);
	cr_assert_eq(after.nodes, 1);
	cr_assert_eq(pare_input_count(p), 1);
	cr_assert_str_eq(pare_input_name(p, 0), "x");
	cr_assert_str_eq(pare_input_type(p, 0), "float[N,2]");
	cr_assert_str_eq(pare_output_name(p, 0), "y");
	cr_assert_str_eq(pare_output_type(p, 0), "float[N,2]");
	cr_assert_null(pare_output_name(p, 1));
	cr_assert_eq(pare_save_memory(p, &data, &n), PARE_OK);
	cr_assert_eq(n, after.file_bytes);
	cr_assert_lt(n, b.n);
	/* what was saved opens, and there is nothing left to do */
	cr_assert_eq(pare_open_memory(p, data, n, NULL), PARE_OK);
	cr_assert_eq(pare_optimize(p, NULL), PARE_OK);
	cr_assert_eq(pare_rewrites(p), 0);
	free(data);
	pare_free(p);
	buf_release(&b);
	cr_assert_eq(limit_memory_used(), 0);
}

Test(api, failures_leave_the_model)
{
	struct pare_optimize_options bad = {.pipeline = "fold,nonsense"};
	struct buf b = encoded();
	struct pare *p = pare_create();
	struct pare_counts c;
	char *log = NULL;
	size_t nlog = 0;
	FILE *f = open_memstream(&log, &nlog);

	cr_assert_eq(pare_optimize(p, NULL), PARE_USAGE);
	cr_assert_str_eq(pare_code(p), "E-usage");
	cr_assert_eq(pare_open_memory(p, b.p, b.n, "test"), PARE_OK);
	cr_assert_str_eq(pare_code(p), "");
	cr_assert_str_eq(pare_error(p), "");
	pare_set_log(p, f, 0);
	cr_assert_eq(pare_open_memory(p, "garbage", 7, "junk"), PARE_BAD_MODEL);
	cr_assert_str_eq(pare_code(p), "E-format");
	cr_assert_eq(strncmp(pare_error(p), "junk: ", 6), 0);
	fflush(f);
	cr_assert_not_null(strstr(log, "error[E-format]"));
	cr_assert_eq(pare_open(p, "/nonexistent/model.onnx"), PARE_BAD_IO);
	cr_assert_eq(pare_optimize(p, &bad), PARE_USAGE);
	cr_assert_str_eq(pare_code(p), "E-pipeline");
	cr_assert_not_null(pare_explain(pare_code(p)));
	cr_assert_null(pare_explain("E-nothing"));
	cr_assert_eq(pare_count(p, &c), PARE_OK);
	cr_assert_eq(c.nodes, 3);
	fclose(f);
	free(log);
	pare_free(p);
	pare_free(NULL);
	buf_release(&b);
}

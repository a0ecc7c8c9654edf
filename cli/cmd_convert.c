/* SPDX-License-Identifier: MIT */
/*
 * cmd_convert.c -- pare convert: another file format or opset, the same model.
 */
#include <stdlib.h>
#include "cli/cli.h"

/* Without --opset nothing changes, so there is nothing to verify by running. */
static enum status convert(struct cli *c, struct model *m)
{
	struct pass_run run = {0};
	struct produce p = {.original = m, .run = &run};
	enum status s = model_infer(m);

	if (s)
		return s;
	p.result = model_clone(m);
	if (opt_given(c, OPT_opset))
		s = opset_convert(&run, p.result,
				  (int64_t)opt_num(c, OPT_opset, 0));
	if (!s)
		s = produce_output(c, &p);
	model_free(p.result);
	return s;
}

/* The oldest version that is converted, and the newest of ai.onnx. */
static enum status check_opset(struct cli *c)
{
	const int64_t oldest = 7, newest = op_newest(DOM_ONNX);
	int64_t v = (int64_t)opt_num(c, OPT_opset, (double)newest);

	if (v >= oldest && v <= newest)
		return OK;
	return cli_usage(c, "--opset %lld: versions %lld to %lld are known",
			 (long long)v, (long long)oldest, (long long)newest);
}

enum status cmd_convert(struct cli *c)
{
	struct model *m;
	enum status s = produce_check_usage(c);

	if (!s)
		s = check_opset(c);
	if (!s)
		s = load_model(c, c->operand[0], &m);
	if (s)
		return s;
	s = convert(c, m);
	model_free(m);
	return s;
}

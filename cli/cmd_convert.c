/* SPDX-License-Identifier: MIT */
/*
 * cmd_convert.c -- pare convert: another file format, the same model.
 */
#include <stdlib.h>
#include "cli/cli.h"

/* No rewrite takes place, so there is nothing to verify by running. */
static enum status convert(struct cli *c, struct model *m)
{
	struct pass_run run = {0};
	struct produce p = {.original = m, .run = &run};
	enum status s = model_infer(m);

	if (s)
		return s;
	p.result = model_clone(m);
	s = produce_output(c, &p);
	model_free(p.result);
	return s;
}

enum status cmd_convert(struct cli *c)
{
	struct model *m;
	enum status s = produce_check_usage(c);

	if (!s)
		s = load_model(c, c->operand[0], &m);
	if (s)
		return s;
	s = convert(c, m);
	model_free(m);
	return s;
}

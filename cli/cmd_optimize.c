/* SPDX-License-Identifier: MIT */
/*
 * cmd_optimize.c -- pare optimize: run a pipeline, check, write.
 */
#include <inttypes.h>
#include <stdlib.h>
#include "cli/cli.h"

/* --stats and --time-passes, after the table. */
static void print_run(void *arg, FILE *f)
{
	struct cli *c = ((void **)arg)[0];
	const struct pass_run *r = ((void **)arg)[1];

	if (opt_given(c, OPT_stats) || c->diag.verbosity > 0)
		for (size_t i = 0; i < r->counts.n; i++)
			fprintf(f, "%8" PRIu64 "  %s\n", r->counts.p[i].n,
				r->counts.p[i].name);
	if (opt_given(c, OPT_time_passes))
		for (size_t i = 0; i < r->times.n; i++)
			fprintf(f, "%8.3f ms in %u runs  %s\n",
				1e3 * r->times.p[i].s, r->times.p[i].runs,
				r->times.p[i].name);
}

static enum status optimize(struct cli *c, struct model *original,
			    struct pass_run *run)
{
	void *extra[] = {c, run};
	struct produce p = {
		.original = original,
		.run = run,
		.text_extra = print_run,
		.extra_arg = extra,
	};
	enum status s = optimized_clone(c, original, run, &p.result);

	if (!s)
		s = produce_output(c, &p);
	model_free(p.result);
	return s;
}

enum status cmd_optimize(struct cli *c)
{
	struct pass_run run = {0};
	struct model *m;
	enum status s;

	if (opt_given(c, OPT_print_pipeline))
		return print_pipeline(c);
	s = produce_check_usage(c);
	if (!s)
		s = load_model(c, c->operand[0], &m);
	if (s)
		return s;
	s = optimize(c, m, &run);
	pass_run_release(&run);
	model_free(m);
	return s;
}

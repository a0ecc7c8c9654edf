/* SPDX-License-Identifier: MIT */
/*
 * cmd_prune.c -- pare prune: optimize, zero weights, report the error.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/json.h"
#include "prune/prune.h"

static enum status parse_pattern(struct cli *c, struct prune_opts *o)
{
	const char *p = opt_text(c, OPT_pattern, "element");
	int used = 0;

	if (!strcmp(p, "element"))
		return OK;
	if (!strcmp(p, "channel"))
		return diag_error(&c->diag, NULL, E_unsupported,
				  "whole channels cannot be pruned yet; "
				  "'element' and N:M can");
	if (sscanf(p, "%u:%u%n", &o->n, &o->m, &used) != 2 || p[used] ||
	    !o->n || o->n >= o->m || o->m > 64)
		return cli_usage(c,
				 "'%s' is not a pattern: element, channel, "
				 "or N:M with 0 < N < M <= 64",
				 p);
	if (opt_given(c, OPT_sparsity) || opt_given(c, OPT_scope))
		return cli_usage(c,
				 "--pattern %s fixes the sparsity of every "
				 "layer",
				 p);
	o->scope = PRUNE_NM;
	return OK;
}

static enum status prune_options(struct cli *c, struct prune_opts *o)
{
	*o = (struct prune_opts){
		.scope = opt_enum(c, OPT_scope, 0) ? PRUNE_GLOBAL : PRUNE_LAYER,
		.score = SCORE_MAGNITUDE,
		.sparsity = opt_num(c, OPT_sparsity, 0.5),
		.exclude = opt_list(c, OPT_exclude),
	};
	if (o->sparsity > 1)
		return cli_usage(c, "--sparsity is a share between 0 and 1");
	return parse_pattern(c, o);
}

static void text_report(void *arg, FILE *f)
{
	const struct prune_report *r = arg;
	double share =
		r->total ? 100.0 * (double)r->zeros / (double)r->total : 0;

	fprintf(f,
		"pruned: %" PRId64 " of %" PRId64 " weights in %zu layers "
		"are zero (%.4f %%)\n",
		r->zeros, r->total, r->nlayer, share);
	for (size_t i = 0; i < r->nskip; i++)
		fprintf(f, "skipped %s: %s\n", r->skip[i].node, r->skip[i].why);
}

static void json_report(void *arg, void *object)
{
	const struct prune_report *r = arg;
	json_t *j = json_object(), *layers = json_array(), *skip = json_array();

	json_object_set_new(j, "weights", json_integer(r->total));
	json_object_set_new(j, "zeros", json_integer(r->zeros));
	for (size_t i = 0; i < r->nlayer; i++) {
		const struct prune_layer *l = &r->layer[i];
		json_t *o = json_object();

		json_object_set_new(o, "node", json_text(l->node));
		json_object_set_new(o, "weight", json_text(l->weight));
		json_object_set_new(o, "total", json_integer(l->total));
		json_object_set_new(o, "zeros", json_integer(l->zeros));
		json_array_append_new(layers, o);
	}
	for (size_t i = 0; i < r->nskip; i++) {
		json_t *o = json_object();

		json_object_set_new(o, "node", json_text(r->skip[i].node));
		json_object_set_new(o, "why", json_text(r->skip[i].why));
		json_array_append_new(skip, o);
	}
	json_object_set_new(j, "layers", layers);
	json_object_set_new(j, "skipped", skip);
	json_object_set_new(object, "prune", j);
}

static enum status prune_and_write(struct cli *c, struct model *original,
				   const struct prune_opts *o)
{
	struct pass_run run = {0};
	struct prune_report r = {0};
	struct produce p = {
		.original = original,
		.run = &run,
		.lossy = true,
		.text_extra = text_report,
		.json_extra = json_report,
		.extra_arg = &r,
	};
	enum status s = optimized_clone(c, original, &run, &p.result);

	if (!s)
		s = prune(p.result, o, &r);
	if (!s)
		s = produce_output(c, &p);
	model_free(p.result);
	pass_run_release(&run);
	return s;
}

enum status cmd_prune(struct cli *c)
{
	struct prune_opts o;
	struct model *m;
	enum status s;

	if (opt_given(c, OPT_print_pipeline))
		return print_pipeline(c);
	s = produce_check_usage(c);
	if (!s)
		s = prune_options(c, &o);
	if (!s)
		s = load_model(c, c->operand[0], &m);
	if (s)
		return s;
	s = prune_and_write(c, m, &o);
	model_free(m);
	return s;
}

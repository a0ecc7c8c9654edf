/* SPDX-License-Identifier: MIT */
/*
 * cmd_quantize.c -- pare quantize: optimize, calibrate, quantize, report.
 */
#include <stdlib.h>
#include "cli/calib.h"
#include "cli/json.h"

enum { PREVIEW = 64 }; /* calibration samples the error is told on */

struct job {
	struct cli *c;
	struct quant_opts o;
	struct quant_report r;
	struct calib *calib;
};

static void fill_options(struct job *j)
{
	struct cli *c = j->c;

	j->o = (struct quant_opts){
		.mode = (enum quant_mode)opt_enum(c, OPT_mode, QUANT_STATIC),
		.range = (enum quant_range)opt_enum(c, OPT_range, RANGE_MSE),
		.percentile = opt_num(c, OPT_percentile, 99.99),
		.per_tensor = opt_given(c, OPT_per_tensor),
		.no_saturation_guard = opt_enum(c, OPT_cpu, 0) == 1,
		.exclude = opt_list(c, OPT_exclude),
		.only = opt_list(c, OPT_only),
	};
}

static void text_report(void *arg, FILE *f)
{
	const struct job *j = arg;
	const struct quant_report *r = &j->r;

	fprintf(f, "quantized: %zu nodes, %zu weights", r->quantized,
		r->weights);
	if (r->guarded)
		fprintf(f, ", %zu channels kept from saturating", r->guarded);
	if (r->samples)
		fprintf(f, "; %zu calibration runs%s", r->samples,
			calib_is_random(j->calib) ? " on RANDOM data" : "");
	fputc('\n', f);
	for (size_t i = 0; i < r->nskip; i++)
		fprintf(f, "left in float: %s (%s): %s\n", r->skip[i].node,
			r->skip[i].op, r->skip[i].why);
}

static void json_report(void *arg, void *object)
{
	const struct job *j = arg;
	const struct quant_report *r = &j->r;
	json_t *o = json_object(), *skip = json_array();

	json_object_set_new(o, "nodes", json_u64(r->quantized));
	json_object_set_new(o, "weights", json_u64(r->weights));
	json_object_set_new(o, "guarded_channels", json_u64(r->guarded));
	json_object_set_new(o, "calibration_runs", json_u64(r->samples));
	json_object_set_new(o, "random_calibration",
			    json_boolean(calib_is_random(j->calib)));
	for (size_t i = 0; i < r->nskip; i++) {
		json_t *s = json_object();

		json_object_set_new(s, "node", json_text(r->skip[i].node));
		json_object_set_new(s, "op", json_text(r->skip[i].op));
		json_object_set_new(s, "why", json_text(r->skip[i].why));
		json_array_append_new(skip, s);
	}
	json_object_set_new(o, "skipped", skip);
	json_object_set_new(object, "quantize", o);
}

static enum status run_quantizer(struct job *j, struct model *m)
{
	static const struct driver_opts cleanup = {.pipeline = "dce,dedup"};
	struct sample_source src = {0};
	struct pass_run run = {0};
	enum status s = model_infer(m);

	if (!s && j->o.mode == QUANT_STATIC)
		s = calib_open(j->c, m, &j->calib);
	if (s)
		return s;
	if (j->calib)
		calib_source(j->calib, &src);
	s = quantize(m, &j->o, &src, &j->r);
	if (!s)
		s = driver_run(&run, m, &cleanup);
	pass_run_release(&run);
	return s;
}

static enum status quantize_and_write(struct job *j, struct model *original)
{
	struct pass_run run = {0};
	struct input_sets preview = {0};
	struct produce p = {
		.original = original,
		.run = &run,
		.lossy = true,
		.inputs = &preview,
		.text_extra = text_report,
		.json_extra = json_report,
		.extra_arg = j,
	};
	enum status s = optimized_clone(j->c, original, &run, &p.result);

	if (!s)
		s = run_quantizer(j, p.result);
	if (!s && j->calib && !calib_is_random(j->calib))
		s = calib_preview(j->c, original, PREVIEW, &preview);
	if (!s)
		s = produce_output(j->c, &p);
	inputs_release(&preview, original);
	calib_free(j->calib);
	model_free(p.result);
	pass_run_release(&run);
	return s;
}

enum status cmd_quantize(struct cli *c)
{
	struct job j = {.c = c};
	struct model *m;
	enum status s;

	if (opt_given(c, OPT_print_pipeline))
		return print_pipeline(c);
	s = produce_check_usage(c);
	if (s)
		return s;
	fill_options(&j);
	if (j.o.percentile > 100)
		return cli_usage(c, "--percentile is at most 100");
	s = load_model(c, c->operand[0], &m);
	if (s)
		return s;
	s = quantize_and_write(&j, m);
	model_free(m);
	return s;
}

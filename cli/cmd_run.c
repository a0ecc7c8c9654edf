/* SPDX-License-Identifier: MIT */
/*
 * cmd_run.c -- pare run: execute a model on given or generated inputs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/value.h"
#include "cli/watch.h"

enum { PRINT_LIMIT = 1000 }; /* elements shown whole */

/* ---- results ---- */

/* --print or --print=N; 0: all; -1: not given. */
static int64_t print_limit(struct cli *c)
{
	const char *text = opt_text(c, OPT_print, NULL);

	if (!opt_given(c, OPT_print))
		return -1;
	return text ? strtoll(text, NULL, 10) : PRINT_LIMIT;
}

static void print_output(struct cli *c, struct model *m, uint32_t i,
			 const struct array *a)
{
	int64_t limit = print_limit(c);
	struct value_stats s = value_stats(a);
	struct buf b = {0};

	buf_escaped(&b, sym_str(m, m->main->out_info[i].name));
	buf_puts(&b, ": ");
	value_type(&b, a);
	if (limit >= 0) {
		buf_putc(&b, '\n');
		value_text(&b, a, limit);
	} else {
		buf_puts(&b, s.numeric && a->n ? " " : "");
		value_stats_text(&b, &s);
		buf_putc(&b, '\n');
	}
	fputs(b.p, stdout);
	buf_release(&b);
}

static json_t *json_output(struct cli *c, struct model *m, uint32_t i,
			   const struct array *a)
{
	json_t *o = json_object();

	json_object_set_new(o, "name",
			    json_str(sym_str(m, m->main->out_info[i].name)));
	json_object_update_new(o, value_json(a, print_limit(c)));
	return o;
}

/* ---- watching ---- */

struct watch {
	struct frames frames;
	struct trace *trace;
	struct profile *profile;
	bool on; /* not while warming up */
};

static void on_value(void *arg, const struct value *v, const struct array *a)
{
	struct watch *w = arg;

	if (w->on)
		trace_value(w->trace, &w->frames, v, a);
}

static void on_node(void *arg, const struct exec_event *e)
{
	struct watch *w = arg;

	if (w->on)
		profile_node(w->profile, &w->frames, e);
}

static void on_frame(void *arg, const struct node *n, const struct graph *g,
		     bool begins)
{
	struct watch *w = arg;

	frames_change(&w->frames, n, g, begins);
}

static void watch_start(struct cli *c, struct model *m, struct watch *w,
			struct exec_opts *o)
{
	if (opt_given(c, OPT_trace)) {
		w->trace = trace_create(m, opt_given(c, OPT_json));
		o->hook = on_value;
		o->hook_arg = w;
	}
	if (opt_given(c, OPT_profile)) {
		w->profile = profile_create(m, opt_text(c, OPT_profile, NULL));
		o->timer = on_node;
		o->timer_arg = w;
	}
	if (w->trace || w->profile) {
		o->frame = on_frame;
		o->frame_arg = w;
	}
}

static void watch_end(struct watch *w)
{
	frames_release(&w->frames);
	trace_free(w->trace);
	profile_free(w->profile);
}

/* ---- */

static enum status emit_json(struct cli *c, struct model *m, struct watch *w,
			     struct array *const *out)
{
	json_t *j = json_object(), *outs = json_array();

	json_object_set_new(j, "schema_version", json_integer(1));
	for (uint32_t i = 0; i < m->main->ret->nin; i++)
		json_array_append_new(outs, json_output(c, m, i, out[i]));
	json_object_set_new(j, "outputs", outs);
	if (w->trace)
		json_object_set_new(j, "trace", trace_take(w->trace));
	if (w->profile)
		json_object_set_new(j, "profile", profile_json(w->profile));
	return json_emit(c, j, NULL);
}

static enum status emit(struct cli *c, struct model *m, struct watch *w,
			struct array *const *out)
{
	const char *events = opt_text(c, OPT_profile, NULL);
	enum status s = OK;

	if (opt_given(c, OPT_output_dir))
		s = outputs_write(c, m, out);
	if (!s && events)
		s = profile_events(w->profile, events);
	if (s || opt_given(c, OPT_json))
		return s ? s : emit_json(c, m, w, out);
	if (!opt_given(c, OPT_output_dir) || opt_given(c, OPT_print))
		for (uint32_t i = 0; i < m->main->ret->nin; i++)
			print_output(c, m, i, out[i]);
	if (w->profile) {
		puts("");
		profile_table(w->profile, stdout);
	}
	return OK;
}

static void drop(struct array **out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		array_unref(out[i]);
		out[i] = NULL;
	}
}

/* Warm-up runs, then the one that counts; or, to profile, several. */
static enum status run_times(struct cli *c, struct exec *e, struct watch *w,
			     struct array *const *in, struct array **out,
			     uint32_t nout)
{
	uint64_t warmup = (uint64_t)opt_num(c, OPT_warmup,
					    opt_given(c, OPT_profile) ? 1 : 0);
	uint64_t runs = (uint64_t)opt_num(c, OPT_runs, 1);
	enum status s = OK;

	for (uint64_t k = 0; k < warmup + (runs ? runs : 1) && !s; k++) {
		drop(out, nout);
		w->on = k >= warmup;
		s = exec_run(e, in, out);
	}
	return s;
}

static enum status run_on(struct cli *c, struct model *m,
			  struct array *const *in)
{
	struct exec_opts o = {
		.set = opt_given(c, OPT_reference) ? EXEC_REFERENCE : EXEC_FAST,
		.seed = (uint64_t)opt_num(c, OPT_seed, 1),
	};
	uint32_t nout = m->main->ret->nin;
	struct array **out = xcalloc((size_t)nout + 1, sizeof *out);
	struct watch w = {0};
	struct exec *e;
	enum status s;

	watch_start(c, m, &w, &o);
	e = exec_create(m, &o);
	s = e ? run_times(c, e, &w, in, out, nout)
	      : diag_info(c->diag.first)->status;
	if (!s)
		s = emit(c, m, &w, out);
	watch_end(&w);
	drop(out, nout);
	free(out);
	exec_free(e);
	return s;
}

/* No --input: generated ones, said openly; models without inputs need none. */
static enum status run_generated(struct cli *c, struct model *m)
{
	uint64_t seed = (uint64_t)opt_num(c, OPT_seed, 1);
	struct feed f = {0};
	enum status s;

	for (uint32_t i = 0; i < m->main->nin && !opt_given(c, OPT_seed); i++) {
		if (m->main->in[i]->init)
			continue;
		diag_error(&c->diag, NULL, E_input, "no data for input '%s'",
			   sym_text(m, m->main->in_info[i].name));
		diag_hint(&c->diag,
			  "add --input %s=FILE.npy, or "
			  "--seed N to run on generated data",
			  sym_text(m, m->main->in_info[i].name));
		return USAGE;
	}
	s = feed_generate(m, seed, 0, &f);
	if (s)
		return s;
	if (f.n && opt_given(c, OPT_seed))
		diag_note(&c->diag, 0, "inputs are generated, seed %" PRIu64,
			  seed);
	s = run_on(c, m, f.in);
	feed_release(&f);
	return s;
}

static enum status run_model(struct cli *c, struct model *m)
{
	struct input_sets in;
	enum status s = model_infer(m);

	if (!s)
		s = inputs_load(c, m, &in);
	if (s)
		return s;
	if (in.nset > 1)
		diag_note(&c->diag, 0, "running the first of %zu data sets",
			  in.nset);
	s = in.nset ? run_on(c, m, in.set[0]) : run_generated(c, m);
	inputs_release(&in, m);
	return s;
}

static enum status check_usage(struct cli *c)
{
	const char *text = opt_text(c, OPT_print, NULL), *dir;
	char *end;

	if (text && (strtoll(text, &end, 10) < 0 || *end || end == text))
		return cli_usage(c, "'%s' is not a value for --print[=N]",
				 text);
	if (opt_given(c, OPT_format) && !opt_given(c, OPT_output_dir))
		return cli_usage(c, "--format needs --output-dir");
	dir = opt_text(c, OPT_output_dir, NULL);
	if (dir && mkdir(dir, 0777) && !is_dir(dir))
		return diag_error(&c->diag, NULL, E_write,
				  "cannot make the folder '%s': %s", dir,
				  strerror(errno));
	return OK;
}

enum status cmd_run(struct cli *c)
{
	struct model *m;
	enum status s = check_usage(c);

	if (!s)
		s = load_model(c, c->operand[0], &m);
	if (s)
		return s;
	s = run_model(c, m);
	model_free(m);
	return s;
}

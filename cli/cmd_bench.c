/* SPDX-License-Identifier: MIT */
/*
 * cmd_bench.c -- pare bench: latency of models run alternately.
 *
 * Interleaving makes the ratio robust: a busy moment of the machine hits each
 * model alike.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "cli/json.h"

enum { MAX_MODELS = 8 };

struct subject {
	const char *path;
	struct model *m;
	struct exec *e;
	struct feed feed;
	struct input_sets given;
	double load; /* seconds to load and prepare */
	double *t;   /* seconds per run */
};

static enum status prepare(struct cli *c, struct subject *s, size_t runs)
{
	struct exec_opts o = {0};
	double start = clock_seconds();
	enum status st = load_model(c, s->path, &s->m);

	if (!st)
		st = model_infer(s->m);
	if (st)
		return st;
	s->e = exec_create(s->m, &o);
	s->load = clock_seconds() - start;
	if (!s->e)
		return diag_info(c->diag.first)->status;
	s->t = xcalloc(runs, sizeof *s->t);
	st = inputs_load(c, s->m, &s->given);
	if (!st && !s->given.nset)
		st = feed_generate(s->m, (uint64_t)opt_num(c, OPT_seed, 1), 0,
				   &s->feed);
	return st;
}

static enum status run_one(struct subject *s, double *seconds)
{
	uint32_t nout = s->m->main->ret->nin;
	struct array **out = xcalloc(nout + 1, sizeof *out);
	double start = clock_seconds();
	enum status st = exec_run(
		s->e, s->given.nset ? s->given.set[0] : s->feed.in, out);

	*seconds = clock_seconds() - start;
	for (uint32_t i = 0; i < nout; i++)
		array_unref(out[i]);
	free(out);
	return st;
}

static enum status measure(struct subject *s, int n, size_t warmup, size_t runs)
{
	enum status st = OK;
	double dump;

	for (size_t k = 0; k < warmup + runs && !st; k++) {
		for (int i = 0; i < n && !st; i++)
			st = run_one(&s[i],
				     k < warmup ? &dump : &s[i].t[k - warmup]);
		progress("run", k + 1, warmup + runs);
	}
	progress_end();
	return st;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void cell(struct buf *b, double seconds)
{
	buf_putc(b, '|');
	print_seconds(b, seconds);
}

static void print_text(const struct subject *s, int n, size_t runs)
{
	struct table *t = table_create();
	struct rusage use;

	table_row(t, "|load|min|median|p95|runs/s|vs first");
	for (int i = 0; i < n; i++) {
		const char *slash = strrchr(s[i].path, '/');
		struct buf b = {0};

		buf_puts(&b, slash ? slash + 1 : s[i].path);
		cell(&b, s[i].load);
		cell(&b, s[i].t[0]);
		cell(&b, s[i].t[runs / 2]);
		cell(&b, s[i].t[runs * 95 / 100]);
		buf_printf(&b, "|%.1f|%.2fx", 1 / s[i].t[runs / 2],
			   s[0].t[runs / 2] / s[i].t[runs / 2]);
		table_row(t, "%s", b.p);
		buf_release(&b);
	}
	table_print(t, stdout);
	getrusage(RUSAGE_SELF, &use);
	printf("%zu runs each on %u thread%s, peak memory %.1f MB\n", runs,
	       pool_threads(), pool_threads() == 1 ? "" : "s",
	       (double)use.ru_maxrss / 1000);
}

static enum status print_json(struct cli *c, const struct subject *s, int n,
			      size_t runs)
{
	json_t *j = json_object(), *models = json_array();

	for (int i = 0; i < n; i++) {
		json_t *o = json_object();

		json_object_set_new(o, "file", json_text(s[i].path));
		json_object_set_new(o, "load_s", json_number(s[i].load));
		json_object_set_new(o, "min_s", json_number(s[i].t[0]));
		json_object_set_new(o, "median_s",
				    json_number(s[i].t[runs / 2]));
		json_object_set_new(o, "p95_s",
				    json_number(s[i].t[runs * 95 / 100]));
		json_array_append_new(models, o);
	}
	json_object_set_new(j, "schema_version", json_integer(1));
	json_object_set_new(j, "runs", json_integer((json_int_t)runs));
	json_object_set_new(j, "threads", json_integer(pool_threads()));
	json_object_set_new(j, "models", models);
	return json_emit(c, j, NULL);
}

static void finish(struct subject *s)
{
	feed_release(&s->feed);
	if (s->m)
		inputs_release(&s->given, s->m);
	exec_free(s->e);
	model_free(s->m);
	free(s->t);
}

enum status cmd_bench(struct cli *c)
{
	size_t runs = (size_t)opt_num(c, OPT_runs, 50);
	struct subject s[MAX_MODELS] = {0};
	enum status st = OK;
	int n = c->noperand;

	if (n > MAX_MODELS || runs < 1 || runs > 1000000)
		return cli_usage(c, "at most %d models and 1 to 1000000 runs",
				 MAX_MODELS);
	for (int i = 0; i < n && !st; i++) {
		s[i].path = c->operand[i];
		st = prepare(c, &s[i], runs);
	}
	if (!st)
		st = measure(s, n, (size_t)opt_num(c, OPT_warmup, 3), runs);
	for (int i = 0; i < n && !st; i++)
		qsort(s[i].t, runs, sizeof *s[i].t, by_value);
	if (!st && opt_given(c, OPT_json))
		st = print_json(c, s, n, runs);
	else if (!st)
		print_text(s, n, runs);
	for (int i = 0; i < n; i++)
		finish(&s[i]);
	return st;
}

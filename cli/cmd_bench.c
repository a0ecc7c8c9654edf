/* SPDX-License-Identifier: MIT */
/*
 * cmd_bench.c -- pare bench: latency of models run alternately.
 *
 * Interleaving makes the ratio robust: a busy moment of the machine hits each
 * model alike.  Peak memory is that of a process of its own per model, before
 * anything is measured.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "cli/json.h"

enum { MAX_MODELS = 8, MAX_RUNS = 1000000, MIN_RUNS = 5 };

struct subject {
	const char *path;
	struct model *m;
	struct exec *e;
	struct feed feed;
	struct input_sets given;
	double load;   /* seconds to load and prepare */
	uint64_t peak; /* bytes; 0: not known */
	VEC(double) t; /* seconds per run, sorted at the end */
	double min, median, p95, rate;
};

static enum status prepare(struct cli *c, struct subject *s)
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
	st = inputs_load(c, s->m, &s->given);
	if (!st && !s->given.nset)
		st = feed_generate(s->m, (uint64_t)opt_num(c, OPT_seed, 1), 0,
				   &s->feed);
	return st;
}

static void finish(struct subject *s)
{
	feed_release(&s->feed);
	if (s->m)
		inputs_release(&s->given, s->m);
	exec_free(s->e);
	model_free(s->m);
	vec_release(&s->t);
}

/* ---- the same inputs for all ---- */

/* The array that the first model gets for an input of s; NULL if it has no
 * such input or another type. */
static struct array *namesake(const struct subject *first,
			      const struct subject *s, uint32_t i)
{
	const struct info *info = &s->m->main->in_info[i];
	struct str name = sym_str(s->m, info->name);
	uint32_t k = graph_input_named(first->m->main, name);
	struct array *a = k < first->feed.n ? first->feed.in[k] : NULL;

	return a && array_fits(a, info->decl, NULL) ? a : NULL;
}

static void share_inputs(struct cli *c, const struct subject *first,
			 struct subject *s)
{
	for (uint32_t i = 0; i < s->feed.n; i++) {
		if (!s->feed.in[i] || namesake(first, s, i))
			continue;
		diag_note(&c->diag, 0,
			  "'%s' gets inputs of its own: the first model has "
			  "no input '%s' of the same type",
			  s->path, sym_text(s->m, s->m->main->in_info[i].name));
		return;
	}
	for (uint32_t i = 0; i < s->feed.n; i++) {
		if (!s->feed.in[i])
			continue;
		array_unref(s->feed.in[i]);
		s->feed.in[i] = array_ref(namesake(first, s, i));
	}
}

/* ---- running ---- */

static enum status run_one(struct subject *s, double *seconds)
{
	uint32_t nout = s->m->main->ret->nin;
	struct array **out = xcalloc((size_t)nout + 1, sizeof *out);
	double start = clock_seconds();
	enum status st = exec_run(
		s->e, s->given.nset ? s->given.set[0] : s->feed.in, out);

	*seconds = clock_seconds() - start;
	for (uint32_t i = 0; i < nout; i++)
		array_unref(out[i]);
	free(out);
	return st;
}

/* The peak resident set of a process that loads and runs the model twice. */
static uint64_t peak_memory(struct cli *c, const char *path)
{
	struct subject s = {.path = path};
	struct rusage use;
	double dump;
	int status;
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (pid == 0) {
		c->diag.out = NULL; /* the parent finds the same errors */
		_exit(prepare(c, &s) || run_one(&s, &dump) ||
		      run_one(&s, &dump));
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) < 0 || status)
		return 0;
	return (uint64_t)use.ru_maxrss * 1024;
}

static enum status round_of(struct subject *s, int n, bool keep)
{
	enum status st = OK;
	double seconds;

	for (int i = 0; i < n && !st; i++) {
		st = run_one(&s[i], &seconds);
		if (keep)
			vec_push(&s[i].t, seconds);
	}
	return st;
}

/* --runs rounds, or as many as fit in --time. */
static enum status measure(struct cli *c, struct subject *s, int n)
{
	uint64_t warmup = (uint64_t)opt_num(c, OPT_warmup, 3);
	uint64_t runs = (uint64_t)opt_num(c, OPT_runs, MAX_RUNS);
	double budget = opt_num(c, OPT_time, 3) * n, start;
	bool timed = opt_given(c, OPT_time) || !opt_given(c, OPT_runs);
	enum status st = OK;

	for (uint64_t k = 0; k < warmup && !st; k++)
		st = round_of(s, n, false);
	start = clock_seconds();
	for (uint64_t k = 0; k < runs && !st; k++) {
		if (timed && k >= MIN_RUNS && clock_seconds() - start > budget)
			break;
		st = round_of(s, n, true);
		progress("run", k + 1, timed ? 0 : runs);
	}
	progress_end();
	return st;
}

/* ---- report ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void summarize(struct subject *s)
{
	double sum = 0;

	qsort(s->t.p, s->t.n, sizeof *s->t.p, by_value);
	for (size_t i = 0; i < s->t.n; i++)
		sum += s->t.p[i];
	s->min = s->t.p[0];
	s->median = s->t.p[s->t.n / 2];
	s->p95 = s->t.p[s->t.n * 95 / 100];
	s->rate = sum > 0 ? (double)s->t.n / sum : 0;
}

static void cell(struct buf *b, double seconds)
{
	buf_putc(b, '|');
	print_seconds(b, seconds);
}

static void print_text(const struct subject *s, int n)
{
	struct table *t = table_create();

	table_row(t, "|load|min|median|p95|runs/s|memory|vs first");
	for (int i = 0; i < n; i++) {
		const char *slash = strrchr(s[i].path, '/');
		struct buf b = {0};

		buf_puts(&b, slash ? slash + 1 : s[i].path);
		cell(&b, s[i].load);
		cell(&b, s[i].min);
		cell(&b, s[i].median);
		cell(&b, s[i].p95);
		buf_printf(&b, "|%.1f|", s[i].rate);
		if (s[i].peak)
			print_bytes(&b, s[i].peak);
		else
			buf_putc(&b, '-');
		buf_printf(&b, "|%.2fx", s[0].median / s[i].median);
		table_row(t, "%s", b.p);
		buf_release(&b);
	}
	table_print(t, stdout);
	printf("%zu runs each, alternately, on %u thread%s\n", s[0].t.n,
	       pool_threads(), pool_threads() == 1 ? "" : "s");
}

static enum status print_json(struct cli *c, const struct subject *s, int n)
{
	json_t *j = json_object(), *models = json_array();

	for (int i = 0; i < n; i++) {
		json_t *o = json_object();

		json_object_set_new(o, "file", json_text(s[i].path));
		json_object_set_new(o, "load_s", json_number(s[i].load));
		json_object_set_new(o, "min_s", json_number(s[i].min));
		json_object_set_new(o, "median_s", json_number(s[i].median));
		json_object_set_new(o, "p95_s", json_number(s[i].p95));
		json_object_set_new(o, "runs_per_s", json_number(s[i].rate));
		json_object_set_new(o, "peak_bytes",
				    s[i].peak ? json_u64(s[i].peak)
					      : json_null());
		json_object_set_new(o, "speedup",
				    json_number(s[0].median / s[i].median));
		json_array_append_new(models, o);
	}
	json_object_set_new(j, "schema_version", json_integer(1));
	json_object_set_new(j, "runs", json_u64(s[0].t.n));
	json_object_set_new(j, "threads", json_integer(pool_threads()));
	json_object_set_new(j, "models", models);
	return json_emit(c, j, NULL);
}

enum status cmd_bench(struct cli *c)
{
	double runs = opt_num(c, OPT_runs, 1);
	struct subject s[MAX_MODELS] = {0};
	enum status st = OK;
	int n = c->noperand;

	if (n > MAX_MODELS || runs < 1 || runs > MAX_RUNS)
		return cli_usage(c, "at most %d models and 1 to %d runs",
				 MAX_MODELS, MAX_RUNS);
	for (int i = 0; i < n; i++) {
		s[i].path = c->operand[i];
		s[i].peak = peak_memory(c, s[i].path);
	}
	for (int i = 0; i < n && !st; i++) {
		st = prepare(c, &s[i]);
		if (!st && i && !s[0].given.nset)
			share_inputs(c, &s[0], &s[i]);
	}
	if (!st)
		st = measure(c, s, n);
	for (int i = 0; i < n && !st; i++)
		summarize(&s[i]);
	if (!st && opt_given(c, OPT_json))
		st = print_json(c, s, n);
	else if (!st)
		print_text(s, n);
	for (int i = 0; i < n; i++)
		finish(&s[i]);
	return st;
}

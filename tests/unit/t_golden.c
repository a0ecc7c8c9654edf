/* SPDX-License-Identifier: MIT */
/*
 * t_golden.c -- passes against expected text, and against the evaluator.
 *
 * tests/golden/NAME/FILE.txt holds cases separated by a line `===`:
 *
 *	# pipeline: canon
 *	model in the ONNX text syntax
 *	---
 *	expected text, or the word `unchanged`
 *
 * Each result is also run against its original on generated inputs, exactly
 * equal unless a rule of class `round` fired.  Together the cases must make
 * every rule fire.  GOLDEN_UPDATE=1 writes the expected parts anew.
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <string.h>

#include "onnx/onnx.h"
#include "passes/pass.h"

struct golden {
	const char *file;
	unsigned line;
	char *pipeline;
	struct map *fired; /* rule index -> 1 */
	unsigned failed, cases, compared;
	bool update;
};

static char *read_file(const char *name)
{
	FILE *f = fopen(name, "rb");
	struct buf b = {0};
	char chunk[4096];
	size_t n;

	cr_assert(f != NULL, "cannot open %s", name);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(&b, chunk, n);
	fclose(f);
	buf_putc(&b, '\0');
	return b.p;
}

static char *print(struct model *m)
{
	struct buf b = {0};

	model_print(m, &b, NULL);
	return b.p ? b.p : xstrdup("");
}

/* Was every rewrite exact?  Notes which rules fired. */
static bool note_rules(struct golden *g, const struct pass_run *r)
{
	bool exact = true;

	for (size_t i = 0; i < r->counts.n; i++)
		for (size_t k = 0; k < rule_count(); k++) {
			const struct rw_rule *rule = rule_at(k);

			if (strcmp(rule_name(rule), r->counts.p[i].name) != 0)
				continue;
			map_put(g->fired, k, 1);
			exact = exact && !strcmp(rule_class(rule), "exact");
		}
	return exact;
}

static bool run(struct model *m, const struct feed *f, struct array **out)
{
	struct exec_opts o = {.set = EXEC_REFERENCE};
	struct exec *e = exec_create(m, &o);
	enum status s = e ? exec_run(e, f->in, out) : BAD_MODEL;

	exec_free(e);
	return s == OK;
}

/* What a rule that rounds may change, relative to an element's magnitude. */
static double tolerance(const struct array *a)
{
	return a->dt == DT_F16 ? 4e-3 : a->dt == DT_BF16 ? 3e-2 : 1e-4;
}

/* Empty text: both compute the same. */
static bool compare(struct model *a, struct model *b, bool exact,
		    struct buf *why)
{
	uint32_t n = a->main->ret->nin;
	struct array **x = xcalloc(n + 1, sizeof *x);
	struct array **y = xcalloc(n + 1, sizeof *y);
	struct feed f = {0};
	bool can = !exec_unsupported(a) && feed_generate(a, 1, 0, &f) == OK &&
		   run(a, &f, x);

	if (can && !run(b, &f, y))
		buf_puts(why, "cannot be run");
	for (uint32_t i = 0; i < n && can && !why->n; i++) {
		double tol = exact ? 0 : tolerance(x[i]);

		(void)arrays_close(y[i], x[i], tol, tol / 10, why);
	}
	for (uint32_t i = 0; i < n; i++) {
		array_unref(x[i]);
		array_unref(y[i]);
	}
	feed_release(&f);
	free(x);
	free(y);
	return can;
}

static void fail(struct golden *g, const char *what, const char *text)
{
	g->failed++;
	fprintf(stderr, "%s:%u: %s\n%s\n", g->file, g->line, what, text);
}

/* The text after the pipeline; NULL: the case itself is broken. */
static char *transform(struct golden *g, const char *text, char **before)
{
	struct driver_opts o = {.pipeline = g->pipeline, .verify_each = true};
	struct str s = {text, strlen(text)};
	struct pass_run r = {0};
	struct buf why = {0};
	struct model *m, *old;
	struct diag d;
	char *after;
	bool exact;

	diag_init(&d, stderr);
	m = model_parse(&d, g->file, s);
	if (!m) {
		fail(g, "does not parse", text);
		return NULL;
	}
	*before = print(m);
	old = model_clone(m);
	if (driver_run(&r, m, &o) != OK || model_finish(m) != OK)
		fail(g, "the pipeline fails", text);
	exact = note_rules(g, &r);
	after = print(m);
	if (model_check(m, true) != OK)
		fail(g, "the result is not valid", after);
	g->compared += compare(old, m, exact, &why);
	if (why.n)
		fail(g, why.p, after);
	if (onnx_size(m) > onnx_size(old))
		fail(g, "the file grows", after);
	buf_release(&why);
	pass_run_release(&r);
	model_free(old);
	model_free(m);
	diag_release(&d);
	return after;
}

static void read_pipeline(struct golden *g, const char *text)
{
	static const char key[] = "# pipeline:";
	const char *p = strstr(text, key), *end;

	if (!p)
		return;
	p += sizeof key - 1;
	p += strspn(p, " ");
	end = p + strcspn(p, "\n");
	free(g->pipeline);
	g->pipeline = xcalloc((size_t)(end - p) + 1, 1);
	memcpy(g->pipeline, p, (size_t)(end - p));
}

/* Comments start with '#' here; the model starts at the first other line. */
static const char *skip_comments(const char *text)
{
	while (*text == '#' || *text == '\n') {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return text;
}

/* One case; appends it, renewed, to out. */
static void one_case(struct golden *g, char *text, struct buf *out)
{
	char *expected = strstr(text, "\n---\n"), *before = NULL, *after;
	const char *want;

	g->cases++;
	if (!expected) {
		fail(g, "no '---' line", text);
		return;
	}
	*expected = '\0';
	expected += 5;
	read_pipeline(g, text);
	after = transform(g, skip_comments(text), &before);
	if (!after)
		return;
	want = strcmp(before, after) != 0 ? after : "unchanged\n";
	if (!g->update && strcmp(want, expected) != 0) {
		fail(g, "expected:", expected);
		fail(g, "got:", want);
	}
	buf_printf(out, "%s\n---\n%s", text, want);
	free(before);
	free(after);
}

static void one_file(struct golden *g, const char *name)
{
	char *all = read_file(name), *p = all;
	struct buf out = {0};
	FILE *f;

	g->file = name;
	g->line = 1;
	while (p) {
		char *next = strstr(p, "\n===\n");
		unsigned lines = 0;

		if (next) {
			next[1] = '\0';
			next += 5;
		}
		for (char *c = p; *c; c++)
			lines += *c == '\n';
		one_case(g, p, &out);
		if (next)
			buf_puts(&out, "===\n");
		g->line += lines + 1;
		p = next;
	}
	if (g->update && out.n) {
		f = fopen(name, "wb");
		cr_assert(f != NULL);
		fwrite(out.p, 1, out.n, f);
		fclose(f);
	}
	buf_release(&out);
	free(all);
}

Test(golden, passes_give_the_expected_text, .timeout = 300)
{
	struct map fired = {0};
	struct golden g = {.fired = &fired};
	glob_t files;

	g.update = getenv("GOLDEN_UPDATE") != NULL;
	g.pipeline = xstrdup("canon");
	cr_assert(glob("tests/golden/*/*.txt", 0, NULL, &files) == 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		one_file(&g, files.gl_pathv[i]);
	globfree(&files);
	for (size_t i = 0; i < rule_count(); i++)
		if (!map_get(&fired, i))
			fail(&g, "no case makes this rule fire:",
			     rule_name(rule_at(i)));
	free(g.pipeline);
	map_release(&fired);
	cr_expect(g.compared * 10 >= g.cases * 9, "only %u of %u cases ran",
		  g.compared, g.cases);
	cr_expect(g.failed == 0, "%u failures in %u cases", g.failed, g.cases);
}

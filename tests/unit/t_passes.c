/* SPDX-License-Identifier: MIT */
/*
 * t_passes.c -- pipelines, the driver's switches, and the properties that all
 * passes share: deterministic, idempotent, never growing.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "onnx/onnx.h"
#include "passes/pass.h"

static const char text[] =
	"<ir_version: 8, opset_import: [\"\" : 17]>\n"
	"g (float[N,3,8,8] x) => (float[N,2,8,8] y)\n"
	"<float[2,3,1,1] W = {1,2,3,4,5,6}, float[2] s = {1,2},\n"
	" float[2] b = {3,4}, float[2] m = {5,6}, float[2] v = {7,8},\n"
	" float one = {1}>\n"
	"{\n"
	"[conv] c = Conv (x, W)\n"
	"[bn] n = BatchNormalization (c, s, b, m, v)\n"
	"[mul] t = Mul (n, one)\n"
	"[relu] r = Relu (t)\n"
	"[again] y = Relu (r)\n"
	"}\n";

static struct model *parse(struct diag *d)
{
	struct str s = {text, sizeof text - 1};
	struct model *m = model_parse(d, "t", s);

	cr_assert(m != NULL);
	return m;
}

static char *print(struct model *m)
{
	struct buf b = {0};

	cr_assert(model_finish(m) == OK);
	model_print(m, &b, NULL);
	return b.p;
}

/* The text after a run; counts what was done. */
static char *run(const struct driver_opts *o, uint64_t *done)
{
	struct pass_run r = {0};
	struct model *m;
	struct diag d;
	char *out;

	diag_init(&d, NULL);
	m = parse(&d);
	cr_assert(driver_run(&r, m, o) == OK);
	*done = r.nrewrite;
	out = print(m);
	pass_run_release(&r);
	model_free(m);
	diag_release(&d);
	return out;
}

Test(pipeline, canonical_form_round_trips)
{
	static const char *const cases[][2] = {
		{"", ""},
		{" fold , cse", "fold,cse"},
		{"fix( fold,canon { fast-math = 0 } )", "fix(fold,canon)"},
		{"canon{fast-math=1},fix(dce,fix(cse))",
		 "canon{fast-math=1},fix(dce,fix(cse))"},
		{"O1", "fold,canon,cse,dce"},
		{"O0,sort", "sort"},
		{"infer,O0", "infer"},
		{"fix(),dce", "fix(),dce"},
	};
	struct diag d;

	diag_init(&d, NULL);
	for (size_t i = 0; i < countof(cases); i++) {
		struct buf a = {0}, b = {0};

		buf_puts(&a, "");
		buf_puts(&b, "");
		cr_expect(pipeline_print(&d, cases[i][0], &a) == OK, "%s",
			  cases[i][0]);
		cr_expect_str_eq(a.p, cases[i][1]);
		cr_expect(pipeline_print(&d, a.p, &b) == OK);
		cr_expect_str_eq(a.p, b.p);
		buf_release(&a);
		buf_release(&b);
	}
	diag_release(&d);
}

Test(pipeline, mistakes_are_reported)
{
	static const char *const bad[] = {
		"fold,",
		"nosuch",
		"fix(fold",
		"fold)",
		"fold cse",
		"canon{}",
		"canon{x=1}",
		"canon{fast-math}",
		"canon{fast-math=}",
		"canon{fast-math=1",
		"fold{a=1}",
		"fix",
		("fix(fix(fix(fix(fix("
		 "fix(fix(fix(fix(fold)))))))))"),
		"canon{fast-math=99999999999999999999}",
		",",
		"O9",
	};

	for (size_t i = 0; i < countof(bad); i++) {
		struct buf b = {0};
		struct diag d;

		diag_init(&d, NULL);
		cr_expect(pipeline_print(&d, bad[i], &b) == USAGE, "%s",
			  bad[i]);
		cr_expect(d.first == E_pipeline);
		buf_release(&b);
		diag_release(&d);
	}
}

Test(pipeline, every_alias_and_pass_parses)
{
	struct diag d;
	size_t n;
	const struct pass *p = pass_table(&n);

	diag_init(&d, NULL);
	for (size_t i = 0; i < n; i++) {
		struct buf b = {0};

		cr_expect(pass_find(p[i].name) == &p[i]);
		cr_expect(pipeline_print(&d, p[i].name, &b) == OK);
		cr_expect_str_eq(b.p, p[i].name);
		buf_release(&b);
	}
	cr_expect(pass_find("nosuch") == NULL);
	diag_release(&d);
}

static void record(void *arg, const struct rewrite_event *e)
{
	struct buf *b = arg;

	buf_printf(b, "%llu %s %s\n", (unsigned long long)e->number, e->what,
		   e->where);
}

Test(driver, bisect_limit_stops_after_that_many)
{
	struct driver_opts o = {.pipeline = "O2", .verify_each = true};
	uint64_t all, done;
	char *full = run(&o, &all), *part;

	cr_assert(all >= 3);
	for (uint64_t k = 1; k <= all; k++) {
		o.bisect_limit = k;
		part = run(&o, &done);
		cr_expect(done == k);
		cr_expect((strcmp(part, full) == 0) == (k == all));
		free(part);
	}
	free(full);
}

Test(driver, rewrites_are_numbered_and_named)
{
	struct buf b = {0};
	struct driver_opts o = {
		.pipeline = "canon", .on_rewrite = record, .arg = &b};
	uint64_t n;

	free(run(&o, &n));
	cr_expect_str_eq(b.p, "1 fuse-conv-bn main/bn\n"
			      "2 drop-mul-one main/mul\n"
			      "3 drop-relu main/again\n");
	buf_release(&b);
}

Test(driver, disabled_and_kept_things_stay)
{
	static const char *const off[] = {"fuse-conv-bn", "cse", NULL};
	static const char *const all[] = {"canon", NULL};
	static const char *const node[] = {"conv", NULL};
	static const char *const value[] = {"t", NULL};
	struct driver_opts o = {.pipeline = "O2", .disable = off};
	uint64_t n;
	char *s = run(&o, &n);

	cr_expect(strstr(s, "BatchNormalization") != NULL);
	cr_expect(strstr(s, "Mul") == NULL);
	free(s);
	o.disable = all;
	free(run(&o, &n));
	cr_expect(n == 0);
	o.disable = NULL;
	o.keep = node;
	s = run(&o, &n);
	cr_expect(strstr(s, "BatchNormalization") != NULL);
	free(s);
	o.keep = value;
	s = run(&o, &n);
	cr_expect(strstr(s, "Mul") != NULL);
	free(s);
}

Test(driver, explain_names_the_first_obstacle)
{
	static const struct {
		const char *at, *text;
	} cases[] = {
		{"fuse-conv-bn@bn", "applied"},
		{"fuse-conv-bn@n", "applied"},
		{"fuse-conv-add@mul", ""},
		{"fuse-clip-relu@relu", "not Clip"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct driver_opts o = {.pipeline = "canon",
					.explain = cases[i].at};
		struct pass_run r = {0};
		struct model *m;
		struct diag d;
		char *log = NULL;
		size_t len;
		FILE *f = open_memstream(&log, &len);

		diag_init(&d, f);
		m = parse(&d);
		cr_assert(driver_run(&r, m, &o) == OK);
		fclose(f);
		cr_expect(strstr(log, cases[i].text) != NULL, "%s: %s",
			  cases[i].at, log);
		free(log);
		pass_run_release(&r);
		model_free(m);
		diag_release(&d);
	}
}

Test(driver, results_are_deterministic_idempotent_and_not_larger)
{
	static const char *const pipes[] = {"O0", "O1", "O2", "O3"};

	for (size_t i = 0; i < countof(pipes); i++) {
		struct driver_opts o = {.pipeline = pipes[i]};
		struct pass_run r = {0}, again = {0};
		struct model *m;
		struct diag d;
		uint64_t before, n;
		char *a, *b, *c = run(&o, &n);

		diag_init(&d, NULL);
		m = parse(&d);
		before = onnx_size(m);
		cr_assert(driver_run(&r, m, &o) == OK);
		a = print(m);
		cr_expect(onnx_size(m) <= before);
		cr_assert(driver_run(&again, m, &o) == OK);
		b = print(m);
		if (i != 1)
			cr_expect(!again.changed && again.nrewrite == 0);
		cr_expect_str_eq(a, b);
		cr_expect_str_eq(a, c);
		free(a);
		free(b);
		free(c);
		pass_run_release(&r);
		pass_run_release(&again);
		model_free(m);
		diag_release(&d);
	}
}

Test(rules, each_is_documented)
{
	for (size_t i = 0; i < rule_count(); i++) {
		const struct rw_rule *r = rule_at(i);

		cr_expect(strlen(rule_summary(r)) > 10);
		cr_expect(strstr(rule_comment(r), "Source:") != NULL, "%s",
			  rule_name(r));
		cr_expect(strstr(rule_comment(r), "Not valid") != NULL, "%s",
			  rule_name(r));
		cr_expect(rule_line(r) > 1);
		cr_expect(strstr(rule_file(r), ".rw") != NULL);
	}
}

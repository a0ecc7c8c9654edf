/* SPDX-License-Identifier: MIT */
/*
 * driver.c -- run a pipeline: facts, fixed points, checks, times, dumps.
 *
 * A pass gets the facts it needs; after a change those that it does not keep
 * are gone.  fix(...) repeats its passes until a round changes nothing, at
 * most 2 + log2(nodes) times, so that no pair of passes can oscillate.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "passes/constant_p.h"
#include "passes/pass_p.h"

static void add_time(struct pass_run *r, const char *name, double s)
{
	for (size_t i = 0; i < r->times.n; i++) {
		if (strcmp(r->times.p[i].name, name) != 0)
			continue;
		r->times.p[i].s += s;
		r->times.p[i].runs++;
		return;
	}
	vec_push(&r->times, ((struct pass_time){name, s, 1}));
}

static enum status compute_facts(struct pass_run *r, unsigned needs)
{
	unsigned missing = needs & ~r->facts;
	enum status s = OK;
	double t;

	if (missing & FACT_CONSTS)
		model_find_consts(r->m);
	if (missing & FACT_TYPES) {
		t = clock_seconds();
		s = model_infer(r->m);
		add_time(r, "(types)", clock_seconds() - t);
	}
	r->facts |= needs;
	return s;
}

static void print_after(const struct pass_run *r, const struct pass *p,
			bool changed)
{
	const struct print_opts po = {.max_elements = 16, .types = true};
	const char *want = r->o->print_after;
	struct buf b = {0};

	if (!(want && (!strcmp(want, "all") || !strcmp(want, p->name))) &&
	    !(r->o->print_changed && changed))
		return;
	buf_printf(&b, "// after %s%s\n", p->name,
		   changed ? "" : " (no change)");
	model_print(r->m, &b, &po);
	fwrite(b.p, 1, b.n, stderr);
	buf_release(&b);
}

static enum status run_pass(struct pass_run *r, const struct step *st,
			    bool *changed)
{
	const struct pass *p = st->pass;
	enum status s;
	double t;

	if (pass_disabled(r, p->name))
		return OK;
	s = compute_facts(r, p->needs);
	if (s)
		return s;
	r->opt = st->opt;
	r->changed = false;
	t = clock_seconds();
	s = p->run(r);
	add_time(r, p->name, clock_seconds() - t);
	if (r->changed)
		r->facts &= p->keeps;
	else if (!s && p->run == pass_infer)
		r->facts |= FACT_TYPES;
	if (s)
		return s;
	*changed |= r->changed;
#ifndef NDEBUG
	model_verify_ir(r->m);
#else
	if (r->o->verify_each)
		model_verify_ir(r->m);
#endif
	print_after(r, p, r->changed);
	return OK;
}

static unsigned round_limit(const struct model *m)
{
	size_t n = graph_node_count(m->main);
	unsigned rounds = 2;

	for (; n > 1; n /= 2)
		rounds++;
	return rounds;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the pipeline nests */
static enum status run_steps(struct pass_run *r, const struct step *st,
			     size_t n, bool *changed)
{
	enum status s = OK;

	for (size_t i = 0; i < n && !s; i += st[i].span + 1) {
		unsigned left = round_limit(r->m);
		bool again = true;

		if (st[i].pass) {
			s = run_pass(r, &st[i], changed);
			continue;
		}
		for (; again && left && !s; left--) {
			again = false;
			s = run_steps(r, &st[i + 1], st[i].span, &again);
			*changed |= again;
		}
	}
	return s;
}

static void print_times(const struct pass_run *r)
{
	double all = 0;

	for (size_t i = 0; i < r->times.n; i++)
		all += r->times.p[i].s;
	for (size_t i = 0; i < r->times.n; i++)
		fprintf(stderr, "%10.3f ms %5.1f%% %4u x %s\n",
			r->times.p[i].s * 1e3,
			all > 0 ? 100 * r->times.p[i].s / all : 0.0,
			r->times.p[i].runs, r->times.p[i].name);
}

static bool is_rule(const char *name)
{
	for (size_t i = 0; i < rule_count(); i++)
		if (!strcmp(rule_name(rule_at(i)), name))
			return true;
	return false;
}

/* A misspelled name would disable nothing, silently. */
static enum status check_disable(struct diag *d, const char *const *name)
{
	for (; name && *name; name++) {
		if (pass_find(*name) || is_rule(*name))
			continue;
		diag_error(d, NULL, E_pipeline,
			   "there is no rule or pass '%s' to disable", *name);
		diag_hint(d, "'pare rules' and 'pare passes' list them");
		return USAGE;
	}
	return OK;
}

enum status driver_run(struct pass_run *r, struct model *m,
		       const struct driver_opts *o)
{
	step_vec steps = {0};
	bool changed = false;
	enum status s;

	r->m = m;
	r->diag = m->diag;
	r->o = o;
	s = check_disable(r->diag, o->disable);
	if (!s)
		s = pipeline_parse(r->diag, o->pipeline ? o->pipeline : "O2",
				   &steps);
	if (!s)
		s = run_steps(r, steps.p, steps.n, &changed);
	r->changed = changed;
	if (o->time_passes)
		print_times(r);
	vec_release(&steps);
	return s;
}

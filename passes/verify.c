/* SPDX-License-Identifier: MIT */
/*
 * verify.c -- does the result compute what the original computed?
 *
 * Both models run on the same inputs: given ones, or generated ones at up to
 * three sizes of the dynamic dims.  Where that is not possible (an unknown
 * operator, the budget, a model that refuses generated inputs) regions.c
 * compares the rewritten regions one by one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "ir/cost.h"
#include "passes/regions.h"

#define DEFAULT_SECONDS 60.0
#define DEFAULT_BYTES   ((size_t)4 << 30)
/* A cautious speed for the estimate whether a run fits the budget. */
#define MACS_PER_SECOND 1e9
/* Rounds tried until the original accepts generated inputs. */
enum { MAX_REFUSED = 6 };

struct pair {
	struct model *a, *b; /* original, result */
	struct exec *ea, *eb;
	const struct verify_opts *o;
	struct verify_report *r;
	uint32_t *from;    /* result's input i is original's from[i] */
	struct diag *diag; /* the caller's; ours swallows messages */
	struct diag quiet;
	double start;
};

static double max_seconds(const struct verify_opts *o)
{
	return o->max_seconds > 0 ? o->max_seconds : DEFAULT_SECONDS;
}

static const char *keep_text(struct pair *p, const char *s)
{
	return arena_printf(&p->b->arena, "%s", s);
}

/* Why the pair cannot be run whole; NULL if it can. */
static const char *obstacle(struct pair *p)
{
	struct model *side[] = {p->a, p->b};
	size_t limit = p->o->max_bytes ? p->o->max_bytes : DEFAULT_BYTES;
	struct cost c;

	for (size_t i = 0; i < countof(side); i++) {
		const struct node *n = exec_unsupported(side[i]);

		if (n)
			return arena_printf(&p->b->arena,
					    "operator '%s' has no kernel",
					    sym_text(side[i], n->type));
	}
	model_cost(p->a, &c);
	if (2 * c.weight_bytes > limit)
		return "the weights exceed --check-memory";
	if ((double)c.macs > max_seconds(p->o) * MACS_PER_SECOND)
		return "a run would exceed --check-time";
	return NULL;
}

static void differ(struct pair *p, const char *output, const char *how)
{
	if (p->r->differs)
		return;
	p->r->differs = true;
	snprintf(p->r->first, sizeof p->r->first, "%s%s%s%s",
		 output ? "output '" : "", output ? output : "",
		 output ? "': " : "", how);
}

/* Absolute slack in proportion to the output's own scale. */
static double scaled_atol(const struct verify_opts *o, const struct array *a)
{
	double scale = 0;

	if (o->atol > 0)
		return o->atol;
	if (a->kind != ARR_TENSOR || !dtype_is_float(a->dt))
		return 0;
	for (int64_t i = 0; i < a->n; i++) {
		double v = fabs(dtype_get(a->dt, a->data, (size_t)i));

		if (isfinite(v) && v > scale)
			scale = v;
	}
	return 1e-5 * scale + 1e-7;
}

static void compare_outputs(struct pair *p, struct array *const *want,
			    struct array *const *got)
{
	double rtol = p->o->rtol > 0 ? p->o->rtol : 1e-4;

	for (uint32_t i = 0; i < p->r->nout; i++) {
		struct verify_output *out = &p->r->out[i];
		struct buf why = {0};

		if (!want[i] || !got[i]) {
			if (want[i] != got[i])
				differ(p, out->name, "one side is empty");
			continue;
		}
		compare_add(&out->c, got[i], want[i]);
		if (!arrays_close(got[i], want[i], rtol,
				  scaled_atol(p->o, want[i]), &why))
			differ(p, out->name, why.n ? why.p : "values differ");
		buf_release(&why);
	}
}

static void drop_outputs(struct array **out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		array_unref(out[i]);
	free(out);
}

/* The original's inputs in the order of the result's. */
static enum status run_result(struct pair *p, struct array *const *in,
			      struct array **out)
{
	uint32_t nin = p->b->main->nin;
	struct array **mine = xcalloc(nin + 1, sizeof *mine);
	enum status s;

	for (uint32_t i = 0; i < nin; i++)
		if (p->from[i] < p->a->main->nin)
			mine[i] = in[p->from[i]];
	s = exec_run(p->eb, mine, out);
	free(mine);
	return s;
}

/* One input set through both.  *refused: the original itself failed. */
static enum status run_pair(struct pair *p, struct array *const *in,
			    bool *refused)
{
	uint32_t n = p->r->nout;
	struct array **want = xcalloc(n + 1, sizeof *want);
	struct array **got = xcalloc(n + 1, sizeof *got);
	enum status s = exec_run(p->ea, in, want);

	*refused = s != OK;
	if (!s) {
		p->quiet.last.n = 0;
		if (run_result(p, in, got))
			differ(p, NULL,
			       p->quiet.last.n ? p->quiet.last.p
					       : "the result fails to run");
		else
			compare_outputs(p, want, got);
		p->r->runs++;
	}
	drop_outputs(want, n);
	drop_outputs(got, n);
	return s == LIMIT ? LIMIT : OK;
}

static bool out_of_time(const struct pair *p)
{
	return p->r->runs && clock_seconds() - p->start > max_seconds(p->o);
}

static enum status run_given(struct pair *p)
{
	enum status s = OK;

	for (size_t k = 0; k < p->o->ninputs && !s && !out_of_time(p); k++) {
		bool refused;

		s = run_pair(p, p->o->inputs[k], &refused);
		if (refused && !s)
			s = diag_error(p->diag, NULL, E_input,
				       "the original fails on the given "
				       "inputs: %s",
				       p->quiet.last.p);
	}
	return s;
}

static enum status run_generated(struct pair *p)
{
	unsigned rounds = p->o->rounds            ? p->o->rounds
			  : feed_is_dynamic(p->a) ? 3
						  : 1;
	unsigned failed = 0;
	enum status s = OK;

	for (unsigned k = 0; p->r->runs < rounds && failed < MAX_REFUSED &&
			     !s && !p->r->differs && !out_of_time(p);
	     k++) {
		struct feed f = {0};
		bool refused = true;

		if (feed_generate(p->a, p->o->seed, k, &f) == OK)
			s = run_pair(p, f.in, &refused);
		failed += refused;
		feed_release(&f);
	}
	return s;
}

static enum status run_whole(struct pair *p)
{
	struct exec_opts o = {.set = EXEC_FAST, .seed = 1};
	enum status s = OK;

	p->start = clock_seconds();
	p->ea = exec_create(p->a, &o);
	p->eb = p->ea ? exec_create(p->b, &o) : NULL;
	if (p->ea && p->eb)
		s = p->o->ninputs ? run_given(p) : run_generated(p);
	exec_free(p->ea);
	exec_free(p->eb);
	if (!p->r->runs && !s)
		p->r->why = p->quiet.last.n ? keep_text(p, p->quiet.last.p)
					    : "no inputs could be generated";
	return s;
}

static void name_outputs(struct pair *p)
{
	const struct graph *g = p->b->main;

	p->r->nout = g->ret->nin;
	p->r->out = arena_array(&p->b->arena, p->r->nout, sizeof *p->r->out);
	for (uint32_t i = 0; i < p->r->nout; i++)
		p->r->out[i].name = sym_text(p->b, g->out_info[i].name);
}

/* Is an input without default of m missing in other? */
static bool lacks_input(const struct model *m, const struct model *other)
{
	for (uint32_t i = 0; i < m->main->nin; i++)
		if (!m->main->in[i]->init &&
		    graph_input_named(other->main,
				      sym_str(m, m->main->in_info[i].name)) ==
			    other->main->nin)
			return true;
	return false;
}

/* Old models list weights as inputs; those may come and go. */
static bool same_interface(struct pair *p)
{
	const struct graph *b = p->b->main;

	if (p->a->main->ret->nin != b->ret->nin || lacks_input(p->a, p->b) ||
	    lacks_input(p->b, p->a)) {
		differ(p, NULL, "the inputs or outputs differ");
		return false;
	}
	p->from = arena_array(&p->b->arena, b->nin, sizeof *p->from);
	for (uint32_t i = 0; i < b->nin; i++)
		p->from[i] = graph_input_named(
			p->a->main, sym_str(p->b, b->in_info[i].name));
	return true;
}

enum status verify_models(struct model *original, struct model *result,
			  const struct verify_opts *o, struct verify_report *r)
{
	struct pair p = {.a = original, .b = result, .o = o, .r = r};
	enum status s = OK;

	*r = (struct verify_report){.mode = VERIFY_WHOLE};
	name_outputs(&p);
	if (!same_interface(&p))
		return OK;
	p.diag = original->diag;
	original->diag = result->diag = &p.quiet;
	r->why = obstacle(&p);
	if (!r->why)
		s = run_whole(&p);
	if (!r->runs && !s) {
		r->mode = VERIFY_REGIONS;
		s = verify_regions(original, result, o, r);
	}
	original->diag = result->diag = p.diag;
	diag_release(&p.quiet);
	if (s == LIMIT)
		s = diag_error(p.diag, NULL, E_memory,
			       "verification ran into a limit");
	return s;
}

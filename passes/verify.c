/* SPDX-License-Identifier: MIT */
/*
 * verify.c -- does the result compute what the original computed?
 *
 * Both models run on the same inputs: given ones, or generated ones at up to
 * three sizes of the dynamic dims.  Where that is not possible (an unknown
 * operator, the budget, a model that refuses generated inputs) regions.c
 * compares the rewritten regions one by one.
 *
 * Random nodes draw the same numbers in both, if there are equally many; else
 * outputs that depend on them are compared by type and shape.
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
/* Rounds tried until the original accepts generated inputs; trials whose
 * outputs are kept at a time. */
enum { MAX_REFUSED = 6, GROUP = 16 };

static const struct exec_opts fast = {.set = EXEC_FAST, .seed = 1};

/* Inputs, and what the original makes of them. */
struct trial {
	struct array *const *in;
	struct feed feed; /* their owner where they are generated */
	struct array **want;
};

/* One model after the other, so that the second runs in the memory that the
 * first gave back. */
struct pair {
	struct model *a, *b; /* original, result */
	struct trial trial[GROUP];
	size_t n;
	size_t next; /* input set or round */
	unsigned refused;
	const struct verify_opts *o;
	struct verify_report *r;
	uint32_t *from;    /* result's input i is original's from[i] */
	bool *random;      /* per output: depends on random numbers */
	uint32_t drawing;  /* random nodes of the original */
	bool apart;        /* the result has another number of them */
	struct diag *diag; /* the caller's; ours swallows messages */
	struct diag quiet;
	double start, slack;
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

/* float16 has 11 bits, bfloat16 8, of float32's 24; a few roundings meet. */
double verify_slack(const struct model *m)
{
	graph_vec all = {0};
	double slack = 1;
	struct node *n;

	model_graphs(m, &all);
	for (size_t i = 0; i < all.n; i++)
		graph_foreach (n, all.p[i])
			for (uint32_t k = 0; k < n->nout; k++) {
				enum dtype dt = n->out[k] ? n->out[k]->type->dt
							  : DT_NONE;

				if (dt == DT_F16)
					slack = fmax(slack, 100);
				if (dt == DT_BF16)
					slack = fmax(slack, 400);
			}
	vec_release(&all);
	return slack;
}

/* Absolute slack in proportion to the output's own scale. */
static double scaled_atol(const struct pair *p, const struct array *a)
{
	const struct verify_opts *o = p->o;
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
	return p->slack * (1e-5 * scale + 1e-7);
}

static void compare_outputs(struct pair *p, struct array *const *want,
			    struct array *const *got)
{
	double rtol = p->o->rtol > 0 ? p->o->rtol : 1e-4 * p->slack;

	for (uint32_t i = 0; i < p->r->nout; i++) {
		struct verify_output *out = &p->r->out[i];
		struct buf why = {0};

		if (!want[i] || !got[i]) {
			if (want[i] != got[i])
				differ(p, out->name, "one side is empty");
			continue;
		}
		out->random = p->apart && p->random[i];
		if (out->random) {
			if (!arrays_alike(got[i], want[i]))
				differ(p, out->name, "type or shape differ");
			continue;
		}
		compare_add(&out->c, got[i], want[i]);
		if (!arrays_close(got[i], want[i], rtol,
				  scaled_atol(p, want[i]), &why))
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

static bool out_of_time(const struct pair *p)
{
	return (p->r->runs || p->n) &&
	       clock_seconds() - p->start > max_seconds(p->o) / 2;
}

static bool enough(const struct pair *p)
{
	unsigned rounds = p->o->rounds            ? p->o->rounds
			  : feed_is_dynamic(p->a) ? 3
						  : 1;

	if (out_of_time(p))
		return true;
	return p->o->ninputs ? p->next == p->o->ninputs
			     : p->r->runs + p->n >= rounds ||
				       p->refused == MAX_REFUSED;
}

static enum status refuse(struct pair *p)
{
	p->refused++;
	if (!p->o->ninputs)
		return OK;
	return diag_error(p->diag, NULL, E_input,
			  "the original fails on the given inputs: %s",
			  p->quiet.last.p);
}

/* The original on the next inputs. */
static enum status add_trial(struct pair *p, struct exec *e)
{
	struct trial *t = &p->trial[p->n];
	size_t k = p->next++;
	enum status s = OK;

	*t = (struct trial){0};
	if (p->o->ninputs)
		t->in = p->o->inputs[k];
	else if (feed_generate(p->a, p->o->seed, (unsigned)k, &t->feed) == OK)
		t->in = t->feed.in;
	t->want = xcalloc(p->r->nout + 1, sizeof *t->want);
	if (t->in)
		s = exec_run(e, t->in, t->want);
	if (t->in && !s) {
		p->n++;
		return OK;
	}
	free(t->want);
	feed_release(&t->feed);
	return s == LIMIT ? LIMIT : refuse(p);
}

static enum status run_original(struct pair *p)
{
	struct exec *e = exec_create(p->a, &fast);
	enum status s = OK;

	p->drawing = e ? exec_random_nodes(e) : 0;
	while (e && !s && p->n < GROUP && !enough(p))
		s = add_trial(p, e);
	exec_free(e);
	return s;
}

/* The original's inputs in the order of the result's. */
static void run_trial(struct pair *p, struct exec *e, const struct trial *t)
{
	uint32_t nin = p->b->main->nin, nout = p->r->nout;
	struct array **in = xcalloc(nin + 1, sizeof *in);
	struct array **got = xcalloc(nout + 1, sizeof *got);

	for (uint32_t i = 0; i < nin; i++)
		if (p->from[i] < p->a->main->nin)
			in[i] = t->in[p->from[i]];
	p->quiet.last.n = 0;
	if (exec_run(e, in, got))
		differ(p, NULL,
		       p->quiet.last.n ? p->quiet.last.p
				       : "the result fails to run");
	else
		compare_outputs(p, t->want, got);
	p->r->runs++;
	drop_outputs(got, nout);
	free(in);
}

static void run_result(struct pair *p)
{
	struct exec *e = p->n ? exec_create(p->b, &fast) : NULL;

	p->apart = e && exec_random_nodes(e) != p->drawing;
	for (size_t k = 0; e && k < p->n && !p->r->differs; k++)
		run_trial(p, e, &p->trial[k]);
	exec_free(e);
}

static void drop_trials(struct pair *p)
{
	while (p->n) {
		struct trial *t = &p->trial[--p->n];

		drop_outputs(t->want, p->r->nout);
		feed_release(&t->feed);
	}
}

static enum status run_whole(struct pair *p)
{
	enum status s = OK;
	bool more = true;

	p->start = clock_seconds();
	p->slack = fmax(verify_slack(p->a), verify_slack(p->b));
	while (more && !s && !p->r->differs) {
		unsigned before = p->r->runs;

		s = run_original(p);
		if (!s)
			run_result(p);
		drop_trials(p);
		more = p->r->runs > before && !enough(p);
	}
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
	p->random = arena_array(&p->b->arena, p->a->main->ret->nin,
				sizeof *p->random);
	random_outputs(p->a, p->random);
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

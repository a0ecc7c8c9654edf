/* SPDX-License-Identifier: MIT */
/*
 * quantize.c -- plan, calibrate, set parameters, rewrite.
 *
 * Calibration streams: each sample runs once, every activation of the plan
 * feeds a histogram of fixed size, and nothing of a sample is kept.
 */
#include <stdlib.h>
#include "quant/quant_p.h"

static void observe(void *arg, const struct value *v, const struct array *a)
{
	struct plan *p = arg;
	struct act *act = map_get_ptr(&p->act_of, map_ptr_key(v));

	if (act && act->obs)
		observer_add(act->obs, a);
}

static enum status calibrate(struct plan *p, const struct sample_source *src)
{
	struct exec_opts o = {.hook = observe, .hook_arg = p};
	uint32_t nout = p->m->main->ret->nin;
	struct array **out = xcalloc(nout + 1, sizeof *out);
	struct array *const *in = NULL;
	struct exec *e = exec_create(p->m, &o);
	enum status s = e ? OK : BAD_MODEL;

	while (!s) {
		s = src->next(src->arg, &in);
		if (s || !in)
			break;
		s = exec_run(e, in, out);
		for (uint32_t i = 0; i < nout; i++) {
			array_unref(out[i]);
			out[i] = NULL;
		}
		p->r->samples++;
	}
	exec_free(e);
	free(out);
	return s;
}

static void attach_observers(struct plan *p)
{
	for (size_t i = 0; i < p->acts.n; i++)
		if (!p->acts.p[i]->same)
			p->acts.p[i]->obs = xcalloc(1, sizeof(struct observer));
}

static void choose_params(struct plan *p)
{
	double lo, hi;

	for (size_t i = 0; i < p->acts.n; i++) {
		struct act *a = p->acts.p[i];

		if (!a->obs)
			continue;
		range_choose(a->obs, p->o->range, p->o->percentile, &lo, &hi);
		a->p = qparams_of_range(lo, hi);
	}
	for (size_t i = 0; i < p->acts.n; i++) {
		const struct act *root = p->acts.p[i];

		while (root->same)
			root = root->same;
		p->acts.p[i]->p = root->p;
	}
}

static enum status visit_gather(struct plan *p, struct node *n)
{
	bool wanted = node_is(n, OP_Gather) && !plan_excluded(p, n);

	return wanted ? rewrite_gather(p, n) : OK;
}

static enum status quantize_static(struct plan *p,
				   const struct sample_source *calib)
{
	enum status s;

	plan_make(p);
	attach_observers(p);
	s = calibrate(p, calib);
	if (!s && !p->r->samples)
		s = diag_error(p->m->diag, NULL, E_data,
			       "there are no calibration samples");
	if (s)
		return s;
	choose_params(p);
	s = rewrite_static(p);
	return s ? s : plan_each_node(p, visit_gather);
}

enum status quantize(struct model *m, const struct quant_opts *o,
		     const struct sample_source *calib, struct quant_report *r)
{
	struct plan p = {.m = m, .o = o, .r = r};
	enum status s;

	*r = (struct quant_report){0};
	if (o->mode == QUANT_STATIC)
		s = quantize_static(&p, calib);
	else if (o->mode == QUANT_DYNAMIC)
		s = rewrite_dynamic(&p);
	else
		s = rewrite_weight_only(&p);
	r->nskip = p.skips.n;
	r->skip =
		arena_dup(&m->arena, p.skips.p, p.skips.n * sizeof *p.skips.p);
	plan_release(&p);
	return s;
}

/* SPDX-License-Identifier: MIT */
/*
 * cmd_bisect.c -- pare bisect: the first rewrite that changes the result.
 *
 * Rewrites are numbered in order; a run limited to N rewrites does the same
 * first N.  Binary search for the smallest N whose result differs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/json.h"

struct trial {
	bool differs;
	uint64_t total;            /* rewrites done */
	char what[80], where[200]; /* the last one */
	char first[200];           /* difference in words */
};

static void remember(void *arg, const struct rewrite_event *e)
{
	struct trial *t = arg;

	snprintf(t->what, sizeof t->what, "%s", e->what);
	snprintf(t->where, sizeof t->where, "%s", e->where);
}

static enum status try_limit(struct cli *c, struct model *original,
			     const struct input_sets *in, uint64_t limit,
			     struct trial *t)
{
	struct verify_opts v;
	struct verify_report r = {0};
	struct pass_run run = {0};
	struct driver_opts o;
	struct model *m = model_clone(original);
	enum status s;

	*t = (struct trial){0};
	verify_opts_fill(c, in, &v);
	driver_opts_fill(c, &o);
	o.bisect_limit = limit;
	o.on_rewrite = remember;
	o.arg = t;
	s = driver_run(&run, m, &o);
	if (!s)
		s = model_finish(m);
	if (!s)
		s = model_infer(m);
	if (!s)
		s = verify_models(original, m, &v, &r);
	if (!s && r.mode != VERIFY_WHOLE)
		s = diag_error(&c->diag, NULL, E_unsupported,
			       "the model cannot be run as a whole: %s",
			       r.why ? r.why : "unknown reason");
	t->differs = r.differs;
	t->total = run.nrewrite;
	snprintf(t->first, sizeof t->first, "%s", r.first);
	pass_run_release(&run);
	model_free(m);
	return s;
}

static enum status search(struct cli *c, struct model *m,
			  const struct input_sets *in, struct trial *found)
{
	uint64_t good = 0, bad;
	enum status s = try_limit(c, m, in, 0, found);

	if (s || !found->differs)
		return s;
	bad = found->total;
	while (!s && bad - good > 1) {
		uint64_t mid = good + (bad - good) / 2;
		struct trial t;

		diag_note(&c->diag, 1, "trying %" PRIu64 " rewrites", mid);
		s = try_limit(c, m, in, mid, &t);
		if (t.differs)
			bad = mid;
		else
			good = mid;
	}
	if (!s)
		s = try_limit(c, m, in, bad, found);
	return s;
}

static enum status conclude(struct cli *c, const struct trial *t)
{
	if (opt_given(c, OPT_json)) {
		json_t *j = json_object();

		json_object_set_new(j, "schema_version", json_integer(1));
		json_object_set_new(j, "differs", json_boolean(t->differs));
		json_object_set_new(j, "rewrite", json_u64(t->total));
		json_object_set_new(j, "what", json_text(t->what));
		json_object_set_new(j, "where", json_text(t->where));
		json_emit(c, j, NULL);
	} else if (t->differs) {
		printf("rewrite %" PRIu64 ": %s at %s\n%s\n", t->total, t->what,
		       t->where, t->first);
	} else {
		printf("no difference after all %" PRIu64 " rewrites\n",
		       t->total);
	}
	return t->differs ? NO : OK;
}

enum status cmd_bisect(struct cli *c)
{
	struct input_sets in = {0};
	struct trial t = {0};
	struct model *m;
	enum status s;

	if (opt_given(c, OPT_print_pipeline))
		return print_pipeline(c);
	s = load_model(c, c->operand[0], &m);
	if (s)
		return s;
	s = model_infer(m);
	if (!s)
		s = inputs_load(c, m, &in);
	if (!s)
		s = search(c, m, &in, &t);
	if (!s)
		s = conclude(c, &t);
	inputs_release(&in, m);
	model_free(m);
	return s;
}

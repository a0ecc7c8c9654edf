/* SPDX-License-Identifier: MIT */
/*
 * cmd_verify.c -- pare verify: run two models on the same inputs.
 */
#include "cli/cli.h"
#include "cli/json.h"

static void print_outputs(const struct verify_report *v)
{
	for (uint32_t i = 0; i < v->nout; i++) {
		const struct compare *k = &v->out[i].c;

		if (v->out[i].random) {
			printf("%s: random, compared by type and shape\n",
			       v->out[i].name);
			continue;
		}
		printf("%s: max error %.3g, mean %.3g, SQNR %.1f dB, top-1 "
		       "agreement %.2f %%\n",
		       v->out[i].name, k->max_abs, compare_mean(k),
		       compare_sqnr(k), 100 * compare_agreement(k));
	}
}

static enum status conclude(struct cli *c, const struct verify_report *v)
{
	if (opt_given(c, OPT_json)) {
		json_t *j = json_verify(v);

		json_object_set_new(j, "schema_version", json_integer(1));
		json_object_set_new(j, "equal", json_boolean(!v->differs));
		json_emit(c, j, NULL);
	} else {
		print_outputs(v);
	}
	if (v->mode == VERIFY_NONE)
		return diag_error(&c->diag, NULL, E_unsupported,
				  "the models could not be run: %s",
				  v->why ? v->why : "unknown reason");
	if (v->differs)
		return diag_error(&c->diag, NULL, E_verify, "%s", v->first);
	return OK;
}

static enum status verify(struct cli *c, struct model *a, struct model *b)
{
	struct input_sets in = {0};
	struct verify_report v = {0};
	struct verify_opts o;
	enum status s = inputs_load(c, a, &in);

	if (!s)
		s = model_infer(a);
	if (!s)
		s = model_infer(b);
	if (!s) {
		verify_opts_fill(c, &in, &o);
		s = verify_models(a, b, &o, &v);
	}
	inputs_release(&in, a);
	return s ? s : conclude(c, &v);
}

enum status cmd_verify(struct cli *c)
{
	struct model *a, *b;
	enum status s = load_model(c, c->operand[0], &a);

	if (s)
		return s;
	s = load_model(c, c->operand[1], &b);
	if (!s) {
		s = verify(c, a, b);
		model_free(b);
	}
	model_free(a);
	return s;
}

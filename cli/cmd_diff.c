/* SPDX-License-Identifier: MIT */
/*
 * cmd_diff.c -- pare diff: are two models structurally equal?
 */
#include "cli/cli.h"
#include "cli/json.h"

static enum status report(struct cli *c, bool equal, const struct buf *why)
{
	if (opt_given(c, OPT_json)) {
		json_t *j = json_object();

		json_object_set_new(j, "schema_version", json_integer(1));
		json_object_set_new(j, "equal", json_boolean(equal));
		json_object_set_new(j, "difference",
				    why->n ? json_text(why->p) : json_null());
		json_emit(c, j, NULL);
	} else if (!equal) {
		printf("%s\n", why->n ? why->p : "the models differ");
	}
	return equal ? OK : NO;
}

enum status cmd_diff(struct cli *c)
{
	struct model *a, *b;
	struct buf why = {0};
	enum status s = load_model(c, c->operand[0], &a);

	if (s)
		return s;
	s = load_model(c, c->operand[1], &b);
	if (!s) {
		s = report(c, model_equal(a, b, &why), &why);
		model_free(b);
	}
	model_free(a);
	buf_release(&why);
	return s;
}

/* SPDX-License-Identifier: MIT */
/*
 * cmd_check.c -- pare check: validate models; every violation has a code.
 */
#include "cli/cli.h"
#include "cli/json.h"

static enum status check_file(struct cli *c, const char *path)
{
	struct model *m;
	enum status s = load_model(c, path, &m);

	if (s)
		return s;
	s = model_check(m, opt_given(c, OPT_strict));
	if (!s)
		s = model_infer(m);
	if (!s && c->diag.verbosity >= 0 && !opt_given(c, OPT_json))
		printf("%s: ok\n", path);
	model_free(m);
	return s;
}

enum status cmd_check(struct cli *c)
{
	enum status worst = OK;
	json_t *files = json_array();

	for (int i = 0; i < c->noperand; i++) {
		unsigned before = c->diag.nerror;
		enum status s = check_file(c, c->operand[i]);
		json_t *j = json_object();

		json_object_set_new(j, "file", json_text(c->operand[i]));
		json_object_set_new(j, "ok", json_boolean(s == OK));
		json_object_set_new(j, "errors",
				    json_integer(c->diag.nerror - before));
		if (s) {
			const struct diag_info *d = diag_info(c->diag.first);

			json_object_set_new(j, "code", json_string(d->name));
		}
		json_array_append_new(files, j);
		if (s > worst)
			worst = s;
	}
	if (opt_given(c, OPT_json)) {
		json_t *j = json_object();

		json_object_set_new(j, "schema_version", json_integer(1));
		json_object_set_new(j, "files", files);
		json_emit(c, j, NULL);
	} else {
		json_decref(files);
	}
	return worst;
}

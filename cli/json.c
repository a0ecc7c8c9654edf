/* SPDX-License-Identifier: MIT */
/*
 * json.c -- the same report for machines (schema_version 1).
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/json.h"

json_t *json_str(struct str s)
{
	struct buf b = {0};
	json_t *j = json_stringn(s.n ? s.p : "", s.n);

	if (!j) { /* not UTF-8 */
		buf_escaped(&b, s);
		j = json_string(b.p);
		buf_release(&b);
	}
	return j;
}

json_t *json_text(const char *s)
{
	return json_str((struct str){s, strlen(s)});
}

json_t *json_number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

json_t *json_u64(uint64_t v)
{
	return v > INT64_MAX ? json_real((double)v)
			     : json_integer((json_int_t)v);
}

json_t *json_cost(const struct cost *c, uint64_t file_bytes)
{
	json_t *j = json_object(), *ops = json_object();

	json_object_set_new(j, "nodes", json_u64(c->nodes));
	for (size_t i = 0; i < c->nop; i++)
		json_object_set_new(ops, c->op[i].name, json_u64(c->op[i].n));
	json_object_set_new(j, "ops", ops);
	json_object_set_new(j, "parameters", json_u64(c->params));
	json_object_set_new(j, "zeros", json_u64(c->zeros));
	json_object_set_new(j, "weight_bytes", json_u64(c->weight_bytes));
	json_object_set_new(j, "macs", json_u64(c->macs));
	json_object_set_new(j, "macs_unknown", json_u64(c->macs_unknown));
	json_object_set_new(j, "file_bytes", json_u64(file_bytes));
	return j;
}

json_t *json_verify(const struct verify_report *v)
{
	static const char *const mode[] = {"whole", "regions", "none"};
	json_t *j = json_object(), *outs = json_array();

	json_object_set_new(j, "mode", json_string(mode[v->mode]));
	if (v->why)
		json_object_set_new(j, "why", json_text(v->why));
	json_object_set_new(j, "runs", json_integer(v->runs));
	json_object_set_new(j, "regions", json_u64(v->regions));
	json_object_set_new(j, "regions_skipped", json_u64(v->regions_skipped));
	for (uint32_t i = 0; i < v->nout; i++) {
		const struct compare *c = &v->out[i].c;
		json_t *o = json_object();

		json_object_set_new(o, "name", json_text(v->out[i].name));
		if (v->out[i].random)
			json_object_set_new(o, "random", json_true());
		json_object_set_new(o, "max_error", json_number(c->max_abs));
		json_object_set_new(o, "max_relative", json_number(c->max_rel));
		json_object_set_new(o, "mean_error",
				    json_number(compare_mean(c)));
		json_object_set_new(o, "sqnr_db", json_number(compare_sqnr(c)));
		json_object_set_new(o, "agreement",
				    json_number(compare_agreement(c)));
		json_array_append_new(outs, o);
	}
	json_object_set_new(j, "outputs", outs);
	return j;
}

static json_t *json_rewrites(const struct pass_run *r)
{
	json_t *j = json_object();

	for (size_t i = 0; i < r->counts.n; i++)
		json_object_set_new(j, r->counts.p[i].name,
				    json_u64(r->counts.p[i].n));
	return j;
}

enum status json_emit(struct cli *c, json_t *j, const char *path)
{
	char *text = json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	enum status s = OK;

	json_decref(j);
	if (!text)
		return diag_error(&c->diag, NULL, E_memory, "out of memory");
	if (path) {
		struct buf b = {0};

		buf_printf(&b, "%s\n", text);
		s = file_write_all(&c->diag, path, b.p, b.n, false);
		buf_release(&b);
	} else {
		puts(text);
	}
	free(text);
	return s;
}

static json_t *report_object(struct cli *c, const struct produce *p)
{
	json_t *j = json_object();

	json_object_set_new(j, "schema_version", json_integer(1));
	json_object_set_new(j, "command",
			    json_string(command_table[c->id].name));
	json_object_set_new(j, "input", json_text(c->operand[0]));
	json_object_set_new(j, "output",
			    json_text(opt_text(c, OPT_output, "")));
	json_object_set_new(j, "before",
			    json_cost(&p->before, p->bytes_before));
	json_object_set_new(j, "after", json_cost(&p->after, p->bytes_after));
	json_object_set_new(j, "original_kept", json_boolean(p->unchanged));
	json_object_set_new(j, "verify", json_verify(&p->verify));
	if (p->run)
		json_object_set_new(j, "rewrites", json_rewrites(p->run));
	if (p->json_extra)
		p->json_extra(p->extra_arg, j);
	return j;
}

enum status report_json(struct cli *c, const struct produce *p)
{
	enum status s = OK;

	if (opt_given(c, OPT_json))
		s = json_emit(c, report_object(c, p), NULL);
	if (!s && opt_given(c, OPT_report))
		s = json_emit(c, report_object(c, p),
			      opt_text(c, OPT_report, NULL));
	return s;
}

/* SPDX-License-Identifier: MIT */
/*
 * cmd_list.c -- pare passes, rules and explain: what there is, documented.
 */
#include <inttypes.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/json.h"

static void print_aliases(struct cli *c)
{
	static const char *const alias[] = {"O0", "O1", "O2", "O3"};

	puts("\naliases:");
	for (size_t i = 0; i < countof(alias); i++) {
		struct buf b = {0};

		if (!pipeline_print(&c->diag, alias[i], &b))
			printf("  %-10s%s\n", alias[i],
			       b.n ? b.p : "(nothing)");
		buf_release(&b);
	}
}

static void print_pass(const struct pass *p)
{
	printf("  %-10s%s\n", p->name, p->summary);
	for (const struct pass_opt *o = p->opts; o && o->key; o++)
		printf("  %-10s  %s=%" PRId64 ": %s\n", "", o->key, o->dflt,
		       o->help);
}

enum status cmd_passes(struct cli *c)
{
	size_t n;
	const struct pass *p = pass_table(&n);

	if (opt_given(c, OPT_json)) {
		json_t *j = json_object(), *a = json_array();

		for (size_t i = 0; i < n; i++) {
			json_t *o = json_object();

			json_object_set_new(o, "name", json_string(p[i].name));
			json_object_set_new(o, "summary",
					    json_string(p[i].summary));
			json_array_append_new(a, o);
		}
		json_object_set_new(j, "schema_version", json_integer(1));
		json_object_set_new(j, "passes", a);
		return json_emit(c, j, NULL);
	}
	puts("passes:");
	for (size_t i = 0; i < n; i++)
		print_pass(&p[i]);
	print_aliases(c);
	return OK;
}

enum status cmd_rules(struct cli *c)
{
	json_t *j, *a = json_array();

	for (size_t i = 0; i < rule_count(); i++) {
		const struct rw_rule *r = rule_at(i);
		json_t *o = json_object();

		json_object_set_new(o, "name", json_string(rule_name(r)));
		json_object_set_new(o, "summary", json_string(rule_summary(r)));
		json_object_set_new(o, "class", json_string(rule_class(r)));
		json_object_set_new(o, "file", json_string(rule_file(r)));
		json_object_set_new(o, "line", json_integer(rule_line(r)));
		json_array_append_new(a, o);
		if (!opt_given(c, OPT_json))
			printf("%-28s%-10s%s\n", rule_name(r), rule_class(r),
			       rule_summary(r));
	}
	if (!opt_given(c, OPT_json)) {
		json_decref(a);
		return OK;
	}
	j = json_object();
	json_object_set_new(j, "schema_version", json_integer(1));
	json_object_set_new(j, "rules", a);
	return json_emit(c, j, NULL);
}

static bool explain_rule(const char *name)
{
	for (size_t i = 0; i < rule_count(); i++) {
		const struct rw_rule *r = rule_at(i);

		if (strcmp(rule_name(r), name))
			continue;
		printf("%s (%s:%d, class %s)\n%s\n\n%s\n", name, rule_file(r),
		       rule_line(r), rule_class(r), rule_summary(r),
		       rule_comment(r));
		return true;
	}
	return false;
}

enum status cmd_explain(struct cli *c)
{
	const char *name = c->operand[0];
	const struct diag_info *d = diag_find(name);
	const struct pass *p = pass_find(name);

	if (d) {
		printf("%s: %s (exit %d)\n\n%s\n", d->name, d->summary,
		       (int)d->status, d->explain);
		return OK;
	}
	if (explain_rule(name))
		return OK;
	if (!p) {
		cli_usage(c, "'%s' is no code, rule or pass", name);
		diag_hint(&c->diag, "'pare rules' and 'pare passes' list "
				    "names; codes look like E-shape");
		return USAGE;
	}
	print_pass(p);
	return OK;
}

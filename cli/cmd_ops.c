/* SPDX-License-Identifier: MIT */
/*
 * cmd_ops.c -- pare ops: what is known of each version of each operator, from
 * the tables themselves.
 */
#include <string.h>
#include "cli/cli.h"
#include "cli/json.h"
#include "ir/infer/infer.h"
#include "runtime/kernel.h"

static bool has_infer(const struct op *op)
{
	return infer_find(op) != NULL;
}

static bool has_kernel(const struct op *op)
{
	return kernel_find(op) != NULL;
}

static bool has_fast(const struct op *op)
{
	const struct kernel *k = kernel_find(op);

	return k && k->fast;
}

enum { ABILITIES = 3 };

/* What there can be for a version. */
static const struct {
	const char *name;
	bool (*has)(const struct op *op);
} ability[ABILITIES] = {
	{"infer", has_infer}, {"run", has_kernel}, {"fast", has_fast}};

static const char *domain_of(const struct op *op)
{
	const char *name = op_domain_name(op->domain);

	return *name ? name : "ai.onnx";
}

/* The rows of one operator: its versions, oldest first. */
struct family {
	enum op_domain domain; /* where the walk is */
	size_t at;
	const struct op *op;
	size_t n;
};

/* The next operator of the domains asked for, domain by domain; start with
 * a zeroed f. */
static bool family_next(struct cli *c, struct family *f)
{
	const char *want = opt_text(c, OPT_domain, NULL);
	size_t n;
	const struct op *table = op_table(&n);

	for (; f->domain < DOM_NONE; f->domain++, f->at = 0) {
		while (f->at < n) {
			f->op = &table[f->at];
			for (f->n = 0;
			     f->at < n && table[f->at].id == f->op->id; f->at++)
				f->n++;
			if (f->op->domain == f->domain &&
			    (!want || !strcmp(want, domain_of(f->op))))
				return true;
		}
	}
	return false;
}

/* "all", "-", or the versions that have it. */
static void add_versions(struct buf *b, const struct family *f,
			 bool (*has)(const struct op *op))
{
	size_t yes = 0;

	for (size_t i = 0; i < f->n; i++)
		yes += has(&f->op[i]);
	if (yes == 0 || yes == f->n) {
		buf_puts(b, yes ? "all" : "-");
		return;
	}
	for (size_t i = 0, k = 0; i < f->n; i++)
		if (has(&f->op[i]))
			buf_printf(b, "%s%d", k++ ? " " : "", f->op[i].since);
}

/* Cells: operator, versions, one per ability; deprecated versions in (). */
static void add_cells(struct buf *b, const struct family *f, const char *sep)
{
	buf_puts(b, f->op->name);
	for (size_t i = 0; i < f->n; i++) {
		bool old = f->op[i].flags & OPF_DEPRECATED;

		buf_printf(b, old ? "%s(%d)" : "%s%d", i ? " " : sep,
			   f->op[i].since);
	}
	for (size_t i = 0; i < countof(ability); i++) {
		buf_puts(b, sep);
		add_versions(b, f, ability[i].has);
	}
}

struct totals {
	size_t versions, ops, has[ABILITIES];
};

static void count(struct totals *t, const struct family *f)
{
	t->ops++;
	t->versions += f->n;
	for (size_t k = 0; k < f->n; k++)
		for (size_t i = 0; i < countof(ability); i++)
			t->has[i] += ability[i].has(&f->op[k]);
}

static void add_totals(struct buf *b, const struct totals *t)
{
	buf_printf(b, "operators %zu, versions %zu:", t->ops, t->versions);
	for (size_t i = 0; i < countof(ability); i++)
		buf_printf(b, "%s %zu %s", i ? "," : "", t->has[i],
			   ability[i].name);
}

static void print_text(struct cli *c)
{
	struct table *table = table_create();
	struct totals t = {0};
	struct buf b = {0};
	struct family f = {0};

	table_row(table, "operator|versions|infer|run|fast");
	while (family_next(c, &f)) {
		b.n = 0;
		if (f.op->domain != DOM_ONNX)
			buf_printf(&b, "%s.", domain_of(f.op));
		add_cells(&b, &f, "|");
		table_row(table, "%s", b.p);
		count(&t, &f);
	}
	table_print(table, stdout);
	b.n = 0;
	add_totals(&b, &t);
	puts(b.p);
	buf_release(&b);
}

static void print_totals(const struct totals *t)
{
	struct buf b = {0};

	if (t->ops) {
		add_totals(&b, t);
		printf("\n%s.\n\n", b.p);
	}
	buf_release(&b);
}

static void print_markdown(struct cli *c)
{
	const char *domain = "";
	struct totals t = {0};
	struct buf b = {0};
	struct family f = {0};

	while (family_next(c, &f)) {
		if (strcmp(domain, domain_of(f.op))) {
			print_totals(&t);
			t = (struct totals){0};
			domain = domain_of(f.op);
			printf("## %s\n\n| operator | versions | infer | run | "
			       "fast |\n|---|---|---|---|---|\n",
			       domain);
		}
		b.n = 0;
		add_cells(&b, &f, " | ");
		printf("| %s |\n", b.p);
		count(&t, &f);
	}
	print_totals(&t);
	buf_release(&b);
}

static enum status print_json(struct cli *c)
{
	json_t *j = json_object(), *list = json_array();
	struct family f = {0};

	while (family_next(c, &f)) {
		for (size_t k = 0; k < f.n; k++) {
			json_t *o = json_object();

			json_object_set_new(o, "domain",
					    json_string(domain_of(f.op)));
			json_object_set_new(o, "operator",
					    json_string(f.op->name));
			json_object_set_new(o, "version",
					    json_integer(f.op[k].since));
			json_object_set_new(
				o, "deprecated",
				json_boolean(f.op[k].flags & OPF_DEPRECATED));
			for (size_t i = 0; i < countof(ability); i++)
				json_object_set_new(
					o, ability[i].name,
					json_boolean(ability[i].has(&f.op[k])));
			json_array_append_new(list, o);
		}
	}
	json_object_set_new(j, "schema_version", json_integer(1));
	json_object_set_new(j, "operators", list);
	return json_emit(c, j, NULL);
}

static enum status no_such_domain(struct cli *c, const char *name)
{
	struct op op = {.domain = DOM_ONNX};
	struct buf b = {0};

	for (; op.domain < DOM_NONE; op.domain++)
		buf_printf(&b, "%s%s", op.domain ? ", " : "", domain_of(&op));
	cli_usage(c, "no operators of domain '%s'", name);
	diag_hint(&c->diag, "there are %s", b.p);
	buf_release(&b);
	return USAGE;
}

enum status cmd_ops(struct cli *c)
{
	const char *domain = opt_text(c, OPT_domain, NULL);

	if (domain && !family_next(c, &(struct family){0}))
		return no_such_domain(c, domain);
	if (opt_given(c, OPT_json))
		return print_json(c);
	if (opt_given(c, OPT_markdown))
		print_markdown(c);
	else
		print_text(c);
	return OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * trace.c -- pare run --trace: every value as it is computed.
 */
#include <stdlib.h>
#include "cli/json.h"
#include "cli/value.h"
#include "cli/watch.h"

struct trace {
	struct model *m;
	json_t *list; /* NULL: print */
};

struct trace *trace_create(struct model *m, bool json)
{
	struct trace *t = xcalloc(1, sizeof *t);

	t->m = m;
	t->list = json ? json_array() : NULL;
	return t;
}

static void print_value(const struct trace *t, const struct frames *f,
			const struct value *v, const struct array *a)
{
	struct value_stats s = value_stats(a);
	struct buf b = {0};

	frames_path(f, &b);
	if (v->def) {
		buf_putc(&b, '/');
		buf_escaped(&b, node_label(v->def));
	}
	buf_printf(&b, " (%s) ",
		   v->def ? sym_text(t->m, v->def->type) : "input");
	buf_escaped(&b, sym_str(t->m, v->name));
	buf_puts(&b, ": ");
	value_type(&b, a);
	buf_puts(&b, s.numeric ? "  " : "");
	value_stats_text(&b, &s);
	puts(b.p);
	buf_release(&b);
}

static void collect_value(struct trace *t, const struct frames *f,
			  const struct value *v, const struct array *a)
{
	json_t *o = json_object();
	struct buf path = {0};

	frames_path(f, &path);
	json_object_set_new(o, "frame", json_text(path.p));
	if (v->def) {
		json_object_set_new(o, "node",
				    json_text(sym_text(t->m, v->def->name)));
		json_object_set_new(o, "op",
				    json_text(sym_text(t->m, v->def->type)));
	}
	json_object_set_new(o, "value", json_text(sym_text(t->m, v->name)));
	json_object_update_new(o, value_json(a, -1));
	json_array_append_new(t->list, o);
	buf_release(&path);
}

void trace_value(struct trace *t, const struct frames *f, const struct value *v,
		 const struct array *a)
{
	if (t->list)
		collect_value(t, f, v, a);
	else
		print_value(t, f, v, a);
}

json_t *trace_take(struct trace *t)
{
	json_t *j = t->list;

	t->list = NULL;
	return j;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	json_decref(t->list);
	free(t);
}

/* SPDX-License-Identifier: MIT */
/*
 * cmd_info.c -- pare info: what models hold, side by side.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/json.h"

enum { MAX_MODELS = 8, MAX_ELEMENTS = 32 };

struct described {
	const char *path;
	struct model *m;
	struct cost cost;
	struct plan_stats plan;
	bool runs; /* every operator has a kernel */
};

static void describe_interface(const struct described *d, FILE *f)
{
	const struct graph *g = d->m->main;
	struct buf b = {0};

	buf_printf(&b, "%s: IR version %" PRId64, d->path, d->m->ir_version);
	for (uint32_t i = 0; i < d->m->nopset; i++) {
		const struct opset *o = &d->m->opset[i];
		struct str dom = sym_str(d->m, o->domain);

		buf_puts(&b, i ? ", " : ", opset ");
		buf_escaped(&b, dom.n ? dom : (struct str){"ai.onnx", 7});
		buf_printf(&b, " %" PRId64, o->version);
	}
	for (uint32_t i = 0; i < g->nin; i++) {
		buf_puts(&b, "\n  input  ");
		buf_escaped(&b, sym_str(d->m, g->in_info[i].name));
		buf_putc(&b, ' ');
		type_print(d->m, &b, g->in[i]->type);
	}
	for (uint32_t i = 0; i < g->ret->nin; i++) {
		const struct value *v = node_in(g->ret, i);

		buf_puts(&b, "\n  output ");
		buf_escaped(&b, sym_str(d->m, g->out_info[i].name));
		buf_putc(&b, ' ');
		if (v)
			type_print(d->m, &b, v->type);
	}
	fprintf(f, "%s\n", b.p);
	buf_release(&b);
}

typedef void value_fn(const struct model *m, const struct graph *g,
		      const struct value *v, void *to);

/* Every value, graph by graph: inputs, initializers, results of nodes. */
static void each_value(struct model *m, value_fn *fn, void *to)
{
	graph_vec graphs = {0};
	struct node *n;

	model_graphs(m, &graphs);
	for (size_t i = 0; i < graphs.n; i++) {
		const struct graph *g = graphs.p[i];

		for (uint32_t k = 0; k < g->nin; k++)
			fn(m, g, g->in[k], to);
		for (size_t k = 0; k < g->init.n; k++)
			if (!g->init.p[k]->is_input)
				fn(m, g, g->init.p[k], to);
		graph_foreach (n, g)
			for (uint32_t k = 0; k < n->nout; k++)
				if (n->out[k])
					fn(m, g, n->out[k], to);
	}
	vec_release(&graphs);
}

/* Elements that inference followed; constants show theirs elsewhere. */
static void print_elements(struct buf *b, const struct model *m,
			   const struct value *v)
{
	if (!v->data || v->konst || v->ndata > MAX_ELEMENTS)
		return;
	buf_puts(b, " = {");
	for (uint32_t i = 0; i < v->ndata; i++) {
		buf_puts(b, i ? "," : "");
		dim_print(m, b, v->data[i]);
	}
	buf_putc(b, '}');
}

static void print_shape(const struct model *m, const struct graph *g,
			const struct value *v, void *to)
{
	struct buf b = {0};

	buf_printf(&b, "%s/", graph_path(g));
	buf_escaped(&b, sym_str(m, v->name));
	buf_putc(&b, ' ');
	type_print(m, &b, v->type);
	print_elements(&b, m, v);
	fprintf(to, "%s\n", b.p);
	buf_release(&b);
}

static json_t *json_dims(const struct model *m, const struct type *t)
{
	json_t *a;

	if (t->kind != TY_TENSOR || t->rank < 0)
		return json_null();
	a = json_array();
	for (int i = 0; i < t->rank; i++) {
		struct buf b = {0};

		dim_print(m, &b, t->dim[i]);
		json_array_append_new(
			a, dim_known(t->dim[i])     ? json_integer(t->dim[i].n)
			   : dim_unknown(t->dim[i]) ? json_null()
						    : json_text(b.p));
		buf_release(&b);
	}
	return a;
}

static void json_shape(const struct model *m, const struct graph *g,
		       const struct value *v, void *to)
{
	json_t *o = json_object();
	struct buf name = {0}, b = {0};

	buf_escaped(&name, sym_str(m, v->name));
	type_print(m, &b, v->type);
	json_object_set_new(o, "graph", json_text(graph_path(g)));
	json_object_set_new(o, "name", json_text(name.n ? name.p : ""));
	json_object_set_new(o, "type", json_text(b.p));
	json_object_set_new(o, "dims", json_dims(m, v->type));
	json_array_append_new(to, o);
	buf_release(&name);
	buf_release(&b);
}

static void row(struct table *t, const char *label, const struct described *d,
		int n, uint64_t (*get)(const struct described *),
		void (*print)(struct buf *, uint64_t))
{
	struct buf b = {0};

	for (int i = 0; i < n; i++) {
		buf_putc(&b, '|');
		print(&b, get(&d[i]));
	}
	table_row(t, "%s%s", label, b.n ? b.p : "");
	buf_release(&b);
}

#define GETTER(name, expr)                                    \
	static uint64_t get_##name(const struct described *d) \
	{                                                     \
		return expr;                                  \
	}
GETTER(nodes, d->cost.nodes)
GETTER(params, d->cost.params)
GETTER(zeros, d->cost.zeros)
GETTER(weights, d->cost.weight_bytes)
GETTER(macs, d->cost.macs)
GETTER(file, d->m->file_bytes)
GETTER(naive, d->plan.naive)
GETTER(planned, d->plan.planned)

static void op_rows(struct table *t, const struct described *d, int n)
{
	size_t at[MAX_MODELS] = {0};

	for (;;) {
		const char *name = NULL;
		struct buf b = {0};

		for (int i = 0; i < n; i++) {
			const struct cost *k = &d[i].cost;

			if (at[i] < k->nop &&
			    (!name || strcmp(k->op[at[i]].name, name) < 0))
				name = k->op[at[i]].name;
		}
		if (!name)
			return;
		for (int i = 0; i < n; i++) {
			const struct cost *k = &d[i].cost;
			bool has = at[i] < k->nop &&
				   !strcmp(k->op[at[i]].name, name);

			buf_putc(&b, '|');
			print_count(&b, has ? k->op[at[i]].n : 0);
			at[i] += has;
		}
		table_row(t, "  %s%s", name, b.n ? b.p : "");
		buf_release(&b);
	}
}

static void print_text(const struct described *d, int n)
{
	struct table *t = table_create();
	struct buf head = {0};
	bool planned = true;

	for (int i = 0; i < n; i++) {
		const char *slash = strrchr(d[i].path, '/');

		describe_interface(&d[i], stdout);
		buf_printf(&head, "|%s", slash ? slash + 1 : d[i].path);
		planned &= d[i].runs;
	}
	table_row(t, "%s", head.n ? head.p : "");
	buf_release(&head);
	row(t, "nodes", d, n, get_nodes, print_count);
	op_rows(t, d, n);
	row(t, "parameters", d, n, get_params, print_count);
	row(t, "zero weights", d, n, get_zeros, print_count);
	row(t, "weights", d, n, get_weights, print_bytes);
	row(t, "MACs", d, n, get_macs, print_count);
	row(t, "file", d, n, get_file, print_bytes);
	if (planned) {
		row(t, "activations, naive", d, n, get_naive, print_bytes);
		row(t, "activations, planned", d, n, get_planned, print_bytes);
	}
	table_print(t, stdout);
}

static enum status print_json(struct cli *c, const struct described *d, int n)
{
	json_t *j = json_object(), *models = json_array();

	for (int i = 0; i < n; i++) {
		json_t *o = json_cost(&d[i].cost, d[i].m->file_bytes);

		json_object_set_new(o, "file", json_text(d[i].path));
		if (d[i].runs) {
			json_object_set_new(o, "activation_bytes_naive",
					    json_u64(d[i].plan.naive));
			json_object_set_new(o, "activation_bytes_bound",
					    json_u64(d[i].plan.bound));
			json_object_set_new(o, "activation_bytes_planned",
					    json_u64(d[i].plan.planned));
		}
		if (opt_given(c, OPT_shapes)) {
			json_t *values = json_array();

			each_value(d[i].m, json_shape, values);
			json_object_set_new(o, "values", values);
		}
		json_array_append_new(models, o);
	}
	json_object_set_new(j, "schema_version", json_integer(1));
	json_object_set_new(j, "models", models);
	return json_emit(c, j, NULL);
}

static enum status describe(struct cli *c, const char *path,
			    struct described *d)
{
	struct exec_opts o = {0};
	struct exec *e;
	enum status s = load_model(c, path, &d->m);

	d->path = path;
	if (!s)
		s = model_infer(d->m);
	if (s)
		return s;
	model_cost(d->m, &d->cost);
	d->runs = !exec_unsupported(d->m);
	e = d->runs ? exec_create(d->m, &o) : NULL;
	if (e)
		exec_plan_stats(e, &d->plan);
	exec_free(e);
	return OK;
}

enum status cmd_info(struct cli *c)
{
	struct described d[MAX_MODELS] = {0};
	enum status s = OK;
	int n = 0;

	if (c->noperand > MAX_MODELS)
		return cli_usage(c, "at most %d models fit side by side",
				 MAX_MODELS);
	for (; n < c->noperand && !s; n++)
		s = describe(c, c->operand[n], &d[n]);
	if (!s && opt_given(c, OPT_json))
		s = print_json(c, d, n);
	else if (!s)
		print_text(d, n);
	for (int i = 0; i < n; i++) {
		if (!s && opt_given(c, OPT_shapes) && !opt_given(c, OPT_json))
			each_value(d[i].m, print_shape, stdout);
		model_free(d[i].m);
	}
	return s;
}

/* SPDX-License-Identifier: MIT */
/*
 * cmd_run.c -- pare run: execute a model on given or generated inputs.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/cli.h"
#include "cli/json.h"
#include "onnx/onnx.h"

/* Bytes outside [A-Za-z0-9._-] become %XX, so any name is a file name. */
static void file_name(struct buf *b, struct str name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	for (size_t i = 0; i < name.n; i++) {
		unsigned char ch = (unsigned char)name.p[i];

		if (ch && strchr(plain, ch) && !(ch == '.' && i == 0))
			buf_putc(b, (char)ch);
		else
			buf_printf(b, "%%%02X", ch);
	}
}

static enum status data_of_array(struct model *m, const struct array *a,
				 struct onnx_data *d)
{
	*d = (struct onnx_data){.kind = DATA_TENSOR};
	if (!a || a->kind == ARR_MAP)
		return diag_error(m->diag, NULL, E_unsupported,
				  "a map output cannot be written");
	if (a->kind == ARR_TENSOR) {
		d->t = array_to_tensor(m, a);
		return d->t ? OK : LIMIT;
	}
	d->kind = a->kind == ARR_SEQ ? DATA_SEQ : DATA_OPTIONAL;
	d->n = a->nitem;
	d->e = arena_array(&m->arena, d->n, sizeof *d->e);
	for (size_t i = 0; i < d->n; i++) {
		enum status s = data_of_array(m, a->item[i], &d->e[i]);

		if (s)
			return s;
	}
	return OK;
}

static enum status write_output(struct cli *c, struct model *m, uint32_t i,
				const struct array *a)
{
	const char *dir = opt_text(c, OPT_output_dir, ".");
	struct str name = sym_str(m, m->main->out_info[i].name);
	bool pb = opt_enum(c, OPT_format, 0) == 1 || !npy_can_hold(a);
	struct buf path = {0};
	struct onnx_data d;
	enum status s;

	buf_printf(&path, "%s/", dir);
	file_name(&path, name);
	buf_puts(&path, pb ? ".pb" : ".npy");
	if (pb) {
		s = data_of_array(m, a, &d);
		d.name = m->main->out_info[i].name;
		if (!s)
			s = onnx_write_data(m, path.p, &d);
	} else {
		s = npy_write(&c->diag, path.p, a);
	}
	buf_release(&path);
	return s;
}

static void print_dims(struct buf *b, const struct array *a)
{
	buf_printf(b, "%s[", dtype_name(a->dt));
	for (int k = 0; k < a->rank; k++)
		buf_printf(b, "%s%" PRId64, k ? "," : "", a->dim[k]);
	buf_putc(b, ']');
}

static void print_element(struct buf *b, const struct array *a, int64_t i)
{
	if (a->dt == DT_STRING)
		buf_escaped(b, ((const struct str *)a->data)[i]);
	else if (dtype_is_float(a->dt))
		buf_printf(b, "%.9g", dtype_get(a->dt, a->data, (size_t)i));
	else if (dtype_kind(a->dt) == 'c')
		buf_puts(b, "complex");
	else
		buf_printf(b, "%" PRId64,
			   dtype_get_int(a->dt, a->data, (size_t)i));
}

static void summarize(struct buf *b, const struct array *a)
{
	double lo = INFINITY, hi = -INFINITY;
	int64_t nan = 0;

	for (int64_t i = 0; i < a->n; i++) {
		double v = dtype_get(a->dt, a->data, (size_t)i);

		nan += isnan(v);
		lo = v < lo ? v : lo;
		hi = v > hi ? v : hi;
	}
	buf_printf(b, " min %.6g max %.6g", lo, hi);
	if (nan)
		buf_printf(b, " NaN %" PRId64, nan);
}

static void print_output(struct cli *c, struct model *m, uint32_t i,
			 const struct array *a)
{
	struct buf b = {0};

	buf_escaped(&b, sym_str(m, m->main->out_info[i].name));
	buf_puts(&b, ": ");
	if (!a || a->kind != ARR_TENSOR) {
		buf_printf(&b, "%s of %" PRId64,
			   !a                   ? "nothing"
			   : a->kind == ARR_SEQ ? "sequence"
						: "optional",
			   a ? (int64_t)a->nitem : 0);
	} else {
		print_dims(&b, a);
		if (opt_given(c, OPT_print)) {
			for (int64_t k = 0; k < a->n; k++) {
				buf_putc(&b, k ? ' ' : '\n');
				print_element(&b, a, k);
			}
		} else if (a->n && (dtype_is_float(a->dt) ||
				    strchr("iub", dtype_kind(a->dt)))) {
			summarize(&b, a);
		}
	}
	puts(b.p);
	buf_release(&b);
}

static json_t *json_output(struct model *m, uint32_t i, const struct array *a)
{
	json_t *o = json_object(), *dims = json_array();
	const struct graph *g = m->main;

	json_object_set_new(o, "name",
			    json_text(sym_text(m, g->out_info[i].name)));
	if (a && a->kind == ARR_TENSOR) {
		json_object_set_new(o, "type", json_string(dtype_name(a->dt)));
		for (int k = 0; k < a->rank; k++)
			json_array_append_new(dims, json_integer(a->dim[k]));
	}
	json_object_set_new(o, "dims", dims);
	return o;
}

/* ---- --profile ---- */

struct profile {
	struct model *m;
	struct map ops; /* op type sym -> index into row */
	VEC(struct profile_row {
		sym op;
		double s;
		uint64_t n;
	})
	row;
};

static void profile_node(void *arg, const struct exec_event *e)
{
	struct profile *p = arg;
	const struct node *n = e->n;
	uint64_t *at = map_get(&p->ops, n->type);
	size_t i = at ? *at : p->row.n;

	if (!at) {
		map_put(&p->ops, n->type, i);
		vec_push(&p->row, ((struct profile_row){.op = n->type}));
	}
	p->row.p[i].s += e->seconds;
	p->row.p[i].n++;
}

static int by_time(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;

	return x->s < y->s ? 1 : x->s > y->s ? -1 : 0;
}

static void profile_print(struct profile *p)
{
	struct table *t = table_create();
	double sum = 0;

	if (p->row.n)
		qsort(p->row.p, p->row.n, sizeof *p->row.p, by_time);
	for (size_t i = 0; i < p->row.n; i++)
		sum += p->row.p[i].s;
	table_row(t, "operator|calls|time|share");
	for (size_t i = 0; i < p->row.n; i++) {
		struct buf b = {0};

		print_seconds(&b, p->row.p[i].s);
		table_row(t, "%s|%" PRIu64 "|%s|%.1f %%",
			  sym_text(p->m, p->row.p[i].op), p->row.p[i].n, b.p,
			  sum > 0 ? 100 * p->row.p[i].s / sum : 0);
		buf_release(&b);
	}
	table_print(t, stderr);
	map_release(&p->ops);
	vec_release(&p->row);
}

/* ---- */

static enum status emit(struct cli *c, struct model *m, struct array **out)
{
	json_t *outs = json_array(), *j = json_object();
	enum status s = OK;

	for (uint32_t i = 0; i < m->main->ret->nin && !s; i++) {
		if (opt_given(c, OPT_output_dir))
			s = write_output(c, m, i, out[i]);
		if (opt_given(c, OPT_json))
			json_array_append_new(outs, json_output(m, i, out[i]));
		else if (!opt_given(c, OPT_output_dir) ||
			 opt_given(c, OPT_print))
			print_output(c, m, i, out[i]);
	}
	json_object_set_new(j, "schema_version", json_integer(1));
	json_object_set_new(j, "outputs", outs);
	if (opt_given(c, OPT_json))
		return json_emit(c, j, NULL);
	json_decref(j);
	return s;
}

static enum status run_once(struct cli *c, struct model *m,
			    struct array *const *in)
{
	struct profile prof = {.m = m};
	bool profile = opt_given(c, OPT_profile);
	struct exec_opts o = {
		.set = opt_given(c, OPT_reference) ? EXEC_REFERENCE : EXEC_FAST,
		.seed = (uint64_t)opt_num(c, OPT_seed, 1),
		.timer = profile ? profile_node : NULL,
		.timer_arg = &prof,
	};
	uint32_t nout = m->main->ret->nin;
	struct array **out = xcalloc(nout + 1, sizeof *out);
	struct exec *e = exec_create(m, &o);
	enum status s =
		e ? exec_run(e, in, out) : diag_info(c->diag.first)->status;

	if (!s)
		s = emit(c, m, out);
	if (profile)
		profile_print(&prof);
	for (uint32_t i = 0; i < nout; i++)
		array_unref(out[i]);
	free(out);
	exec_free(e);
	return s;
}

/* No --input: generated ones, said openly; models without inputs need none. */
static enum status run_generated(struct cli *c, struct model *m)
{
	uint64_t seed = (uint64_t)opt_num(c, OPT_seed, 1);
	struct feed f = {0};
	enum status s;

	if (!opt_given(c, OPT_seed) && m->main->nin) {
		for (uint32_t i = 0; i < m->main->nin; i++) {
			if (m->main->in[i]->init)
				continue;
			diag_error(&c->diag, NULL, E_input,
				   "no data for input '%s'",
				   sym_text(m, m->main->in_info[i].name));
			diag_hint(&c->diag,
				  "add --input %s=FILE.npy, or "
				  "--seed N to run on generated data",
				  sym_text(m, m->main->in_info[i].name));
			return USAGE;
		}
	}
	s = feed_generate(m, seed, 0, &f);
	if (s)
		return s;
	if (f.n && opt_given(c, OPT_seed))
		diag_note(&c->diag, 0, "inputs are generated, seed %" PRIu64,
			  seed);
	s = run_once(c, m, f.in);
	feed_release(&f);
	return s;
}

static enum status run_model(struct cli *c, struct model *m)
{
	struct input_sets in;
	enum status s = model_infer(m);

	if (!s)
		s = inputs_load(c, m, &in);
	if (s)
		return s;
	if (in.nset > 1)
		diag_note(&c->diag, 0, "running the first of %zu data sets",
			  in.nset);
	s = in.nset ? run_once(c, m, in.set[0]) : run_generated(c, m);
	inputs_release(&in, m);
	return s;
}

enum status cmd_run(struct cli *c)
{
	const char *dir = opt_text(c, OPT_output_dir, NULL);
	struct model *m;
	enum status s = load_model(c, c->operand[0], &m);

	if (s)
		return s;
	if (dir)
		mkdir(dir, 0777); /* failure shows when writing */
	s = run_model(c, m);
	model_free(m);
	return s;
}

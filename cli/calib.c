/* SPDX-License-Identifier: MIT */
/*
 * calib.c -- calibration samples from files, one run's worth at a time.
 */
#include <stdlib.h>
#include <string.h>
#include "cli/calib.h"

enum { RANDOM_RUNS = 16 };

struct feedline { /* one column of a file for one input */
	struct rows *rows;
	size_t column;
	uint32_t input;
	int64_t count; /* rows per run; 0: each row is a whole input */
};

struct calib {
	struct cli *c;
	struct model *m;
	bool random;
	uint64_t seed;
	VEC(struct rows *) files;
	VEC(struct feedline) lines;
	VEC(const char *) folders;
	size_t folder, set; /* position among test_data_set_N */
	size_t done, max;   /* runs */
	struct array **in;
	struct feed feed;
};

static void drop_inputs(struct calib *k)
{
	for (uint32_t i = 0; i < k->m->main->nin; i++) {
		array_unref(k->in[i]);
		k->in[i] = NULL;
	}
	feed_release(&k->feed);
}

void calib_free(struct calib *k)
{
	if (!k)
		return;
	drop_inputs(k);
	for (size_t i = 0; i < k->files.n; i++)
		rows_free(k->files.p[i]);
	vec_release(&k->files);
	vec_release(&k->lines);
	vec_release(&k->folders);
	free(k->in);
	free(k);
}

bool calib_is_random(const struct calib *k)
{
	return k && k->random;
}

/* How many rows one run takes, from the declared shape of the input. */
static enum status add_line(struct calib *k, struct rows *r, size_t column,
			    uint32_t input)
{
	const struct type *t = k->m->main->in_info[input].decl;
	const struct npy_layout *l = rows_layout(r, column);
	const char *name = sym_text(k->m, k->m->main->in_info[input].name);
	struct feedline line = {r, column, input, 1};

	if (t->dt != l->dt) {
		diag_error(&k->c->diag, NULL, E_input,
			   "input '%s' wants %s, the samples are %s", name,
			   dtype_name(t->dt), dtype_name(l->dt));
		if (t->dt == DT_F32)
			diag_hint(
				&k->c->diag,
				"in NumPy, x.astype('float32') converts them");
		return USAGE;
	}
	if (t->rank >= 0 && l->rank == t->rank + 1)
		line.count = 0;
	else if (t->rank >= 0 && l->rank != t->rank)
		return diag_error(&k->c->diag, NULL, E_input,
				  "input '%s' has %d dimensions, the samples "
				  "%d",
				  name, t->rank, l->rank);
	else if (t->rank > 0 && dim_known(t->dim[0]) && t->dim[0].n > 0)
		line.count = t->dim[0].n;
	vec_push(&k->lines, line);
	return OK;
}

static enum status add_file(struct calib *k, const char *text)
{
	const char *eq = strchr(text, '=');
	struct rows *r;
	enum status s = rows_open(&k->c->diag, eq ? eq + 1 : text, &r);
	bool any = false;

	if (s)
		return s;
	vec_push(&k->files, r);
	for (size_t i = 0; i < rows_columns(r) && !s; i++) {
		const char *col = rows_name(r, i);
		struct str name = {col, strlen(col)};
		uint32_t input;

		if (eq)
			name = (struct str){text, (size_t)(eq - text)};
		else if (!*col && k->m->main->nin == 1)
			name = sym_str(k->m, k->m->main->in_info[0].name);
		input = graph_input_named(k->m->main, name);
		if (input == k->m->main->nin)
			continue;
		any = true;
		s = add_line(k, r, i, input);
	}
	if (!s && !any) {
		s = diag_error(&k->c->diag, NULL, E_input,
			       "'%s' has no array named like a model input",
			       text);
		diag_hint(&k->c->diag, "'pare info %s' shows the inputs",
			  k->c->operand[0]);
	}
	return s;
}

static enum status check_complete(struct calib *k)
{
	for (uint32_t i = 0; i < k->m->main->nin; i++) {
		const char *name = sym_text(k->m, k->m->main->in_info[i].name);
		size_t j;

		for (j = 0; j < k->lines.n && k->lines.p[j].input != i; j++)
			continue;
		if (j < k->lines.n || k->m->main->in[i]->init)
			continue;
		diag_error(&k->c->diag, NULL, E_input,
			   "no calibration data for input '%s'", name);
		diag_hint(&k->c->diag, "add --calib %s=FILE.npy", name);
		return USAGE;
	}
	return OK;
}

static enum status no_data(struct cli *c)
{
	diag_error(&c->diag, NULL, E_input,
		   "static quantization needs calibration samples");
	diag_hint(&c->diag, "add --calib samples.npz (one array per input, "
			    "rows first); --mode weight needs none; "
			    "--random-calib SEED is for trying things out");
	return USAGE;
}

enum status calib_open(struct cli *c, struct model *m, struct calib **out)
{
	const char *const *v = opt_list(c, OPT_calib);
	struct calib *k;
	enum status s = OK;

	*out = NULL;
	if (!*v && !opt_given(c, OPT_random_calib))
		return no_data(c);
	k = xcalloc(1, sizeof *k);
	k->c = c;
	k->m = m;
	k->in = xcalloc(m->main->nin + 1, sizeof *k->in);
	k->random = !*v;
	k->seed = (uint64_t)opt_num(c, OPT_random_calib, 1);
	k->max = (size_t)opt_num(c, OPT_calib_samples,
				 k->random ? RANDOM_RUNS : 1e15);
	for (; *v && !s; v++) {
		if (is_dir(*v))
			vec_push(&k->folders, *v);
		else
			s = add_file(k, *v);
	}
	if (!s && k->lines.n)
		s = check_complete(k);
	if (s)
		calib_free(k);
	else
		*out = k;
	return s;
}

/* *more: all lines had a row left. */
static enum status next_rows(struct calib *k, bool *more)
{
	*more = k->lines.n > 0;
	for (size_t i = 0; i < k->lines.n && *more; i++) {
		const struct feedline *l = &k->lines.p[i];
		const struct type *t = k->m->main->in_info[l->input].decl;
		struct array *a;
		enum status s = rows_next(l->rows, l->column, l->count, &a);

		if (s)
			return s;
		k->in[l->input] = a;
		/* a fixed batch that the rest of the rows cannot fill */
		*more = a &&
			!(l->count && t->rank > 0 && dim_known(t->dim[0]) &&
			  a->dim[0] != t->dim[0].n);
	}
	return OK;
}

static enum status next_folder(struct calib *k, bool *more)
{
	enum status s = OK;

	*more = false;
	while (!s && !*more && k->folder < k->folders.n) {
		struct buf path = {0};

		buf_printf(&path, "%s/test_data_set_%zu",
			   k->folders.p[k->folder], k->set++);
		if (is_dir(path.p)) {
			*more = true;
			s = inputs_read_set(k->c, k->m, path.p, k->in);
		} else {
			k->folder++;
			k->set = 0;
		}
		buf_release(&path);
	}
	return s;
}

static enum status next_sample(void *arg, struct array *const **in)
{
	struct calib *k = arg;
	bool more = false;
	enum status s = OK;

	*in = NULL;
	drop_inputs(k);
	if (k->done == k->max)
		return OK;
	progress("calibration run", k->done, 0);
	if (k->random) {
		s = feed_generate(k->m, k->seed, (unsigned)k->done, &k->feed);
		more = true;
	} else {
		s = next_rows(k, &more);
		if (!s && !more) {
			drop_inputs(k);
			s = next_folder(k, &more);
		}
	}
	k->done++;
	if (!s && more)
		*in = k->random ? k->feed.in : k->in;
	return s;
}

void calib_source(struct calib *k, struct sample_source *s)
{
	s->next = next_sample;
	s->arg = k;
}

enum status calib_preview(struct cli *c, struct model *m, size_t max,
			  struct input_sets *out)
{
	struct array *const *in = NULL;
	struct calib *k;
	enum status s = calib_open(c, m, &k);

	while (!s && out->nset < max) {
		struct array **set;

		s = next_sample(k, &in);
		if (s || !in)
			break;
		set = xcalloc(m->main->nin + 1, sizeof *set);
		for (uint32_t i = 0; i < m->main->nin; i++)
			set[i] = in[i] ? array_ref(in[i]) : NULL;
		out->set =
			xrealloc(out->set, (out->nset + 1) * sizeof *out->set);
		out->set[out->nset++] = set;
	}
	calib_free(k);
	return s;
}

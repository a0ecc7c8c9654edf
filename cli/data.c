/* SPDX-License-Identifier: MIT */
/*
 * data.c -- model inputs from files, matched by name.
 *
 * --input NAME=FILE.npy, NAME=FILE.pb (without NAME= where one input needs
 * data), FILE.npz (members are inputs), or a folder of test_data_set_N with
 * input_I.pb in the order of the graph inputs.
 * Every source must give the same number of sets: a folder has one per
 * test_data_set, the others one.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/cli.h"
#include "cli/value.h"
#include "onnx/onnx.h"

static void list_inputs(struct model *m, struct buf *b)
{
	for (uint32_t i = 0; i < m->main->nin; i++) {
		buf_puts(b, i ? ", '" : "'");
		buf_escaped(b, sym_str(m, m->main->in_info[i].name));
		buf_putc(b, '\'');
	}
	if (!b->n)
		buf_puts(b, "none");
}

enum status no_such_input(struct cli *c, struct model *m, struct str name)
{
	struct buf b = {0};

	list_inputs(m, &b);
	diag_error(&c->diag, NULL, E_input, "the model has no input '%.*s'",
		   (int)name.n, name.p);
	diag_hint(&c->diag, "its inputs are %s", b.p);
	buf_release(&b);
	return USAGE;
}

/* NumPy's files have no bfloat16, float8 and the like: an array of unsigned
 * integers of the same width holds their bits. */
static void take_bits(struct array *a, const struct type *t)
{
	if (t->kind == TY_TENSOR && a->kind == ARR_TENSOR && a->dt != t->dt &&
	    dtype_kind(a->dt) == 'u' && dtype_kind(t->dt) == 'f' &&
	    t->dt != DT_F32 && t->dt != DT_F64 && t->dt != DT_F16 &&
	    dtype_bits(a->dt) == dtype_bits(t->dt) && a->nref == 1)
		a->dt = t->dt;
}

static enum status does_not_fit(struct cli *c, struct model *m, uint32_t i,
				const struct array *a, const char *why)
{
	const struct info *info = &m->main->in_info[i];
	struct buf want = {0}, got = {0};

	diag_error(&c->diag, NULL, E_input, "input '%s': %s",
		   sym_text(m, info->name), why);
	type_print(m, &want, info->decl);
	value_type(&got, a);
	diag_hint(&c->diag, "the model takes %s, the data is %s%s", want.p,
		  got.p,
		  a->kind == ARR_TENSOR && info->decl->dt == DT_F32 &&
				  a->dt == DT_F64
			  ? "; in NumPy, x.astype('float32') converts it"
			  : "");
	buf_release(&want);
	buf_release(&got);
	return USAGE;
}

/* Takes a; refuses what does not fit the declared type. */
static enum status put_input(struct cli *c, struct model *m, struct array **set,
			     uint32_t i, struct array *a)
{
	struct buf why = {0};
	enum status s = OK;

	array_unref(set[i]);
	set[i] = a;
	take_bits(a, m->main->in_info[i].decl);
	if (!array_fits(a, m->main->in_info[i].decl, &why))
		s = does_not_fit(c, m, i, a, why.p);
	buf_release(&why);
	return s;
}

/* The values of a map: one tensor where all are single numbers of a type. */
static struct array *map_values(struct model *m, struct array *seq)
{
	const int64_t n = seq->nitem;
	const struct array *first = n ? seq->item[0] : NULL;
	struct array *a;

	for (uint32_t i = 0; i < seq->nitem; i++) {
		const struct array *e = seq->item[i];

		if (e->kind != ARR_TENSOR || e->dt != first->dt || e->n != 1 ||
		    e->dt == DT_STRING || dtype_bits(e->dt) < 8)
			return array_ref(seq);
	}
	if (!first)
		return array_ref(seq);
	a = array_create(m->diag, first->dt, 1, &n);
	for (uint32_t i = 0; a && i < seq->nitem; i++)
		memcpy((char *)a->data + i * first->bytes, seq->item[i]->data,
		       first->bytes);
	return a;
}

static struct array *map_of_data(struct model *m, const struct onnx_data *d)
{
	struct array *a = array_seq(2), *seq = array_of_data(m, d->e);

	a->kind = ARR_MAP;
	a->item[0] = array_of_tensor(m, d->keys);
	a->item[1] = seq ? map_values(m, seq) : NULL;
	array_unref(seq);
	if (a->item[0] && a->item[1])
		return a;
	array_unref(a);
	return NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the reader */
struct array *array_of_data(struct model *m, const struct onnx_data *d)
{
	struct array *a;

	if (d->kind == DATA_TENSOR)
		return array_of_tensor(m, d->t);
	if (d->kind == DATA_MAP)
		return map_of_data(m, d);
	a = array_seq(d->n);
	a->kind = d->kind == DATA_SEQ ? ARR_SEQ : ARR_OPTIONAL;
	for (size_t i = 0; i < d->n; i++) {
		a->item[i] = array_of_data(m, &d->e[i]);
		if (a->item[i])
			continue;
		array_unref(a);
		return NULL;
	}
	return a;
}

static enum status read_pb(struct cli *c, struct model *m, const char *path,
			   uint32_t i, struct array **set)
{
	struct onnx_data data;
	struct array *a;
	enum status s =
		onnx_read_data(m, path, m->main->in_info[i].decl, &data);

	if (s)
		return s;
	a = array_of_data(m, &data);
	return a ? put_input(c, m, set, i, a) : LIMIT;
}

static enum status no_member(struct cli *c, struct model *m, const char *path,
			     const struct npz_entry *e, size_t n)
{
	struct buf have = {0}, want = {0};

	for (size_t i = 0; i < n; i++) {
		buf_puts(&have, i ? ", '" : "'");
		buf_escaped(&have, (struct str){e[i].name, strlen(e[i].name)});
		buf_putc(&have, '\'');
	}
	list_inputs(m, &want);
	diag_error(&c->diag, NULL, E_input,
		   "'%s' has no array named like a model input", path);
	diag_hint(&c->diag, "it has %s; the inputs are %s",
		  have.n ? have.p : "nothing", want.p);
	buf_release(&have);
	buf_release(&want);
	return USAGE;
}

static enum status read_npz(struct cli *c, struct model *m, const char *path,
			    struct array **set)
{
	struct npz_entry *e;
	size_t n, used = 0;
	enum status s = npz_read(&c->diag, path, &e, &n);

	if (s)
		return s;
	for (size_t k = 0; k < n && !s; k++) {
		struct str name = {e[k].name, strlen(e[k].name)};
		uint32_t i = graph_input_named(m->main, name);

		used += i < m->main->nin;
		if (i == m->main->nin) /* labels and the like */
			diag_note(&c->diag, 1, "%s: '%s' is not an input", path,
				  e[k].name);
		else
			s = put_input(c, m, set, i, array_ref(e[k].a));
	}
	if (!s && !used)
		s = no_member(c, m, path, e, n);
	npz_free(e, n);
	return s;
}

/* The only input that needs data; nin if there are several. */
static uint32_t sole_input(const struct model *m)
{
	uint32_t sole = m->main->nin;

	for (uint32_t i = 0; i < m->main->nin; i++) {
		if (m->main->in[i]->init)
			continue;
		if (sole != m->main->nin)
			return m->main->nin;
		sole = i;
	}
	return sole;
}

/* NAME=FILE, or FILE where only one input needs data. */
static enum status read_named(struct cli *c, struct model *m, const char *text,
			      struct array **set)
{
	const char *eq = strchr(text, '=');
	const char *file = eq ? eq + 1 : text;
	struct array *a;
	enum status s;
	uint32_t i;

	if (!eq && has_suffix(text, ".npz"))
		return read_npz(c, m, text, set);
	if (eq) {
		struct str name = {text, (size_t)(eq - text)};

		i = graph_input_named(m->main, name);
		if (i == m->main->nin)
			return no_such_input(c, m, name);
	} else {
		i = sole_input(m);
		if (i == m->main->nin)
			return cli_usage(c,
					 "'%s' is not of the form NAME=FILE, "
					 "which a model with several inputs "
					 "needs",
					 text);
	}
	if (has_suffix(file, ".pb"))
		return read_pb(c, m, file, i, set);
	s = npy_read(&c->diag, file, &a);
	if (s == BAD_IO && c->diag.first == E_data)
		diag_hint(&c->diag, "data comes as .npy, .npz, .pb or a folder "
				    "of input_N.pb; 'numpy.save' writes .npy");
	return s ? s : put_input(c, m, set, i, a);
}

/* One test_data_set_N: input_I.pb belongs to the input I of those that are
 * no constants. */
enum status inputs_read_set(struct cli *c, struct model *m, const char *dir,
			    struct array **set)
{
	enum status s = OK;

	for (uint32_t i = 0, file = 0; i < m->main->nin && !s; i++) {
		struct buf path = {0};
		struct stat st;

		if (m->main->in[i]->konst)
			continue;
		buf_printf(&path, "%s/input_%u.pb", dir, file++);
		if (!stat(path.p, &st)) {
			/* the arena's copy outlives the diagnostics */
			const char *p = arena_printf(&m->arena, "%s", path.p);

			s = read_pb(c, m, p, i, set);
		}
		buf_release(&path);
	}
	return s;
}

static struct array **new_set(struct input_sets *s, const struct model *m)
{
	s->set = xrealloc(s->set, (s->nset + 1) * sizeof *s->set);
	s->set[s->nset] = xcalloc(m->main->nin + 1, sizeof **s->set);
	return s->set[s->nset++];
}

static enum status read_folder(struct cli *c, struct model *m, const char *dir,
			       struct input_sets *out)
{
	enum status s = OK;

	if (out->nset)
		return cli_usage(c, "a folder of test data cannot be combined "
				    "with other inputs");
	for (unsigned k = 0; !s; k++) {
		struct buf path = {0};

		buf_printf(&path, "%s/test_data_set_%u", dir, k);
		if (!is_dir(path.p)) {
			buf_release(&path);
			break;
		}
		s = inputs_read_set(c, m, path.p, new_set(out, m));
		buf_release(&path);
	}
	if (!s && !out->nset) { /* the folder itself may be a set */
		struct array **set = new_set(out, m);
		bool any = false;

		s = inputs_read_set(c, m, dir, set);
		for (uint32_t i = 0; i < m->main->nin; i++)
			any |= set[i] != NULL;
		if (!s && !any && m->main->nin)
			return cli_usage(c,
					 "the folder '%s' has no input_0.pb "
					 "and no test_data_set_0",
					 dir);
	}
	return s;
}

static enum status check_complete(struct cli *c, struct model *m,
				  const struct input_sets *in)
{
	for (size_t k = 0; k < in->nset; k++) {
		for (uint32_t i = 0; i < m->main->nin; i++) {
			if (in->set[k][i] || m->main->in[i]->init)
				continue;
			diag_error(&c->diag, NULL, E_input,
				   "no data for input '%s'",
				   sym_text(m, m->main->in_info[i].name));
			diag_hint(&c->diag, "add --input %s=FILE.npy",
				  sym_text(m, m->main->in_info[i].name));
			return USAGE;
		}
	}
	return OK;
}

enum status inputs_load(struct cli *c, struct model *m, struct input_sets *in)
{
	const char *const *v = opt_list(c, OPT_input);
	enum status s = OK;

	*in = (struct input_sets){0};
	for (; *v && !s; v++) {
		if (is_dir(*v))
			s = read_folder(c, m, *v, in);
		else
			s = read_named(c, m, *v,
				       in->nset ? in->set[0] : new_set(in, m));
	}
	if (!s)
		s = check_complete(c, m, in);
	if (s)
		inputs_release(in, m);
	return s;
}

void inputs_release(struct input_sets *in, const struct model *m)
{
	for (size_t k = 0; k < in->nset; k++) {
		for (uint32_t i = 0; i < m->main->nin; i++)
			array_unref(in->set[k][i]);
		free(in->set[k]);
	}
	free(in->set);
	*in = (struct input_sets){0};
}

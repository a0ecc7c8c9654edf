/* SPDX-License-Identifier: MIT */
/*
 * outputs.c -- results of a run as files: one .npy or .pb per output, or one
 * .npz for all; what NumPy's files cannot hold becomes a .pb.
 */
#include <stdlib.h>
#include <string.h>
#include "cli/value.h"
#include "onnx/onnx.h"

enum { AS_NPY, AS_PB, AS_NPZ }; /* words of --format */
enum { NESTING = 64 };          /* sequences in sequences */

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

/* ---- ONNX's messages ---- */

static enum status data_at(struct model *m, const struct array *a,
			   struct onnx_data *d, int depth);

/* A map's values are a sequence; a tensor of them becomes one of scalars. */
static enum status map_values(struct model *m, const struct array *a,
			      struct onnx_data *d, int depth)
{
	const struct array *v = a->item[1];
	enum status s = OK;

	if (v->kind == ARR_SEQ)
		return data_at(m, v, d, depth + 1);
	if (v->kind != ARR_TENSOR || v->n != a->item[0]->n)
		return diag_error(m->diag, NULL, E_unsupported,
				  "a map of an unusual form cannot be written");
	*d = (struct onnx_data){.kind = DATA_SEQ, .n = (size_t)v->n};
	d->e = arena_array(&m->arena, d->n, sizeof *d->e);
	for (size_t i = 0; i < d->n && !s; i++) {
		struct array *one = array_create(m->diag, v->dt, 0, NULL);
		size_t bytes = v->bytes / d->n;

		if (!one)
			return LIMIT;
		memcpy(one->data, (const char *)v->data + i * bytes, bytes);
		s = data_at(m, one, &d->e[i], depth + 1);
		array_unref(one);
	}
	return s;
}

static enum status map_data(struct model *m, const struct array *a,
			    struct onnx_data *d, int depth)
{
	if (a->nitem != 2 || a->item[0]->kind != ARR_TENSOR)
		return diag_error(m->diag, NULL, E_unsupported,
				  "a map of an unusual form cannot be written");
	*d = (struct onnx_data){.kind = DATA_MAP, .key = a->item[0]->dt};
	d->keys = array_to_tensor(m, a->item[0]);
	d->n = 1;
	d->e = arena_new(&m->arena, struct onnx_data);
	return d->keys ? map_values(m, a, d->e, depth) : LIMIT;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is checked */
static enum status data_at(struct model *m, const struct array *a,
			   struct onnx_data *d, int depth)
{
	enum status s = OK;

	if (depth > NESTING)
		return diag_error(m->diag, NULL, E_unsupported,
				  "values nested more than %d deep", NESTING);
	if (a->kind == ARR_MAP)
		return map_data(m, a, d, depth);
	*d = (struct onnx_data){.kind = DATA_TENSOR};
	if (a->kind == ARR_TENSOR) {
		d->t = array_to_tensor(m, a);
		return d->t ? OK : LIMIT;
	}
	d->kind = a->kind == ARR_SEQ ? DATA_SEQ : DATA_OPTIONAL;
	d->n = a->nitem;
	d->e = arena_array(&m->arena, d->n, sizeof *d->e);
	for (size_t i = 0; i < d->n && !s; i++)
		s = a->item[i]->kind == a->item[0]->kind
			    ? data_at(m, a->item[i], &d->e[i], depth + 1)
			    : diag_error(m->diag, NULL, E_unsupported,
					 "a sequence of several kinds of "
					 "values cannot be written");
	return s;
}

enum status data_of_array(struct model *m, const struct array *a,
			  struct onnx_data *d)
{
	return data_at(m, a, d, 0);
}

/* ---- files ---- */

static enum status write_one(struct cli *c, struct model *m,
			     const struct info *info, const struct array *a,
			     bool pb)
{
	struct buf path = {0};
	struct onnx_data d;
	enum status s;

	buf_printf(&path, "%s/", opt_text(c, OPT_output_dir, "."));
	file_name(&path, sym_str(m, info->name));
	buf_puts(&path, pb ? ".pb" : ".npy");
	if (pb) {
		s = data_of_array(m, a, &d);
		d.name = info->name;
		if (!s)
			s = onnx_write_data(m, path.p, &d);
	} else {
		s = npy_write(&c->diag, path.p, a);
	}
	buf_release(&path);
	return s;
}

static enum status write_npz(struct cli *c, struct model *m,
			     struct array *const *out)
{
	const struct graph *g = m->main;
	struct npz_entry *e = xcalloc((size_t)g->ret->nin + 1, sizeof *e);
	struct buf path = {0};
	enum status s;
	size_t n = 0;

	for (uint32_t i = 0; i < g->ret->nin; i++) {
		struct buf name = {0};

		if (!npy_can_hold(out[i]))
			continue;
		file_name(&name, sym_str(m, g->out_info[i].name));
		e[n++] = (struct npz_entry){name.p, array_ref(out[i])};
	}
	buf_printf(&path, "%s/outputs.npz", opt_text(c, OPT_output_dir, "."));
	s = npz_write(&c->diag, path.p, e, n);
	npz_free(e, n);
	buf_release(&path);
	return s;
}

enum status outputs_write(struct cli *c, struct model *m,
			  struct array *const *out)
{
	int format = opt_enum(c, OPT_format, AS_NPY);
	enum status s = OK;

	for (uint32_t i = 0; i < m->main->ret->nin && !s; i++) {
		bool pb = format == AS_PB || !npy_can_hold(out[i]);

		if (pb || format == AS_NPY)
			s = write_one(c, m, &m->main->out_info[i], out[i], pb);
	}
	if (!s && format == AS_NPZ)
		s = write_npz(c, m, out);
	return s;
}

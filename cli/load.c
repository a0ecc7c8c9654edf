/* SPDX-License-Identifier: MIT */
/*
 * load.c -- models in and out, in whatever format they have.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/cli.h"
#include "native/native.h"
#include "onnx/onnx.h"

bool has_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path), k = strlen(suffix);

	return n > k && !strcmp(path + n - k, suffix);
}

bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static enum status load_text(struct cli *c, const char *path, struct blob *file,
			     struct model **out)
{
	struct str text = {(const char *)file->p, file->len};

	*out = model_parse(&c->diag, path, text);
	if (!*out)
		return diag_info(c->diag.first)->status;
	(*out)->path = path;
	(*out)->file_bytes = file->len;
	return OK;
}

static enum status unknown_format(struct cli *c, const char *path,
				  const struct blob *file)
{
	struct at at = {.file = path};

	diag_error(&c->diag, &at, E_format,
		   file->len ? "this is not an ONNX or .pare model"
			     : "the file is empty");
	if (!file->len)
		diag_hint(&c->diag, "was it copied or downloaded whole?");
	else if (file->p[0] == '<')
		diag_hint(&c->diag, "if it is ONNX text, give it the suffix "
				    "'.onnxtxt'");
	else
		diag_hint(&c->diag, "export the model as ONNX first; 'version "
				    "https://git-lfs' at its start means that "
				    "'git lfs pull' is due");
	return BAD_MODEL;
}

/* ---- --shape and --dim ---- */

static enum status bad_binding(struct cli *c, const char *text,
			       const char *form)
{
	return cli_usage(c, "'%s' is not of the form %s", text, form);
}

static bool same_name(const void *ctx, sym s)
{
	return s == *(const sym *)ctx;
}

static bool type_mentions(struct model *m, const struct type *t, sym name)
{
	for (int i = 0; t->kind == TY_TENSOR && i < t->rank; i++)
		if (dim_mentions(m, t->dim[i], same_name, &name))
			return true;
	return false;
}

/* Does an input or an output have a dim of that name? */
static bool is_named(struct model *m, sym name)
{
	const struct graph *g = m->main;

	for (uint32_t i = 0; i < g->nin; i++)
		if (type_mentions(m, g->in_info[i].decl, name))
			return true;
	for (uint32_t i = 0; i < g->ret->nin; i++)
		if (type_mentions(m, g->out_info[i].decl, name))
			return true;
	return false;
}

static enum status bind_dim(struct cli *c, struct model *m, struct map *bind,
			    const char *text)
{
	const char *eq = strrchr(text, '=');
	char *end;
	long long n;
	sym name;

	if (!eq || eq == text)
		return bad_binding(c, text, "SYMBOL=N");
	n = strtoll(eq + 1, &end, 10);
	if (*end || end == eq + 1 || n < 0)
		return bad_binding(c, text, "SYMBOL=N");
	name = intern_str(m->syms, (struct str){text, eq - text});
	if (!is_named(m, name)) {
		diag_error(&c->diag, NULL, E_usage,
			   "the model has no dimension '%.*s'",
			   (int)(eq - text), text);
		diag_hint(&c->diag, "'pare info' shows the inputs and the "
				    "names of their dimensions");
		return USAGE;
	}
	map_put(bind, name, (uint64_t)n);
	return OK;
}

static const struct type *bound_type(struct model *m, const struct type *t,
				     const struct map *bind)
{
	struct dim *dim;

	if (t->kind != TY_TENSOR || t->rank < 0)
		return t;
	dim = arena_array(&m->arena, (size_t)t->rank, sizeof *dim);
	for (int i = 0; i < t->rank; i++)
		dim[i] = dim_bind(m, t->dim[i], bind);
	return type_tensor(m, t->dt, t->rank, dim);
}

static void declare(struct info *info, struct value *v, const struct type *t)
{
	info->decl = t;
	info->has_type = true;
	v->type = t;
}

/* Bind symbols in every interface; what nodes compute is inferred anew. */
static void bind_everywhere(struct model *m, const struct map *bind)
{
	struct graph *g = m->main;

	for (uint32_t i = 0; i < g->nin; i++)
		declare(&g->in_info[i], g->in[i],
			bound_type(m, g->in_info[i].decl, bind));
	for (uint32_t i = 0; i < g->ret->nin; i++)
		g->out_info[i].decl = bound_type(m, g->out_info[i].decl, bind);
	for (size_t i = 0; i < g->infos.n; i++)
		g->infos.p[i]->decl = bound_type(m, g->infos.p[i]->decl, bind);
}

static enum status parse_dims(struct cli *c, const char *text, const char *p,
			      int64_t *dim, int *rank)
{
	*rank = 0;
	while (*p) {
		char *end;
		long long n = strtoll(p, &end, 10);

		if (end == p || n < 0 || *rank == 32 ||
		    (*end && *end != ',' && *end != 'x'))
			return bad_binding(c, text, "NAME=D,D,...");
		dim[(*rank)++] = n;
		p = *end ? end + 1 : end;
	}
	return OK;
}

/* NAME=D,D: symbols of the declared shape are bound to the numbers given. */
static enum status bind_shape(struct cli *c, struct model *m, struct map *bind,
			      const char *text)
{
	const char *eq = strrchr(text, '=');
	int64_t dim[32];
	struct dim *nd;
	int rank;
	uint32_t i;

	if (!eq || eq == text)
		return bad_binding(c, text, "NAME=D,D,...");
	if (parse_dims(c, text, eq + 1, dim, &rank))
		return USAGE;
	i = graph_input_named(m->main, (struct str){text, eq - text});
	if (i == m->main->nin)
		return no_such_input(c, m,
				     (struct str){text, (size_t)(eq - text)});
	const struct type *t = m->main->in_info[i].decl;

	if (t->kind != TY_TENSOR || (t->rank >= 0 && t->rank != rank))
		return cli_usage(c, "input '%.*s' has %d dimensions, not %d",
				 (int)(eq - text), text, t->rank, rank);
	nd = arena_array(&m->arena, (size_t)rank, sizeof *nd);
	for (int k = 0; k < rank; k++) {
		nd[k] = dim_of(dim[k]);
		if (t->rank < 0)
			continue;
		if (dim_known(t->dim[k]) && t->dim[k].n != dim[k])
			return cli_usage(c,
					 "dimension %d of '%.*s' is %" PRId64
					 ", not %" PRId64,
					 k, (int)(eq - text), text, t->dim[k].n,
					 dim[k]);
		if (t->dim[k].s)
			map_put(bind, t->dim[k].s, (uint64_t)dim[k]);
	}
	declare(&m->main->in_info[i], m->main->in[i],
		type_tensor(m, t->dt, rank, nd));
	return OK;
}

static enum status bind_shapes(struct cli *c, struct model *m)
{
	const char *const *shape = opt_list(c, OPT_shape);
	const char *const *dim = opt_list(c, OPT_dim);
	struct map bind = {0};
	enum status s = OK;

	for (; *dim && !s; dim++)
		s = bind_dim(c, m, &bind, *dim);
	for (; *shape && !s; shape++)
		s = bind_shape(c, m, &bind, *shape);
	if (!s && bind.n)
		bind_everywhere(m, &bind);
	map_release(&bind);
	return s;
}

/* ---- reading and writing ---- */

enum status load_model(struct cli *c, const char *path, struct model **out)
{
	struct blob *file;
	enum status s = file_map(&c->diag, path, &file);

	if (s && is_dir(path))
		diag_hint(&c->diag,
			  "name the model file in it, for example "
			  "%s/model.onnx",
			  path);
	if (s)
		return s;
	c->diag.file = path;
	if (native_probe(file->p, file->len))
		s = native_read_blob(&c->diag, path, file, false, out);
	else if (has_suffix(path, ".onnxtxt"))
		s = load_text(c, path, file, out);
	else if (onnx_probe(file->p, file->len))
		s = onnx_read_blob(&c->diag, path, file, NULL, out);
	else
		s = unknown_format(c, path, file);
	blob_unref(file);
	return s ? s : bind_shapes(c, *out);
}

static enum status save_text(struct cli *c, const struct model *m,
			     const char *path, uint64_t *bytes)
{
	struct print_opts o = {.max_elements = -1};
	struct buf b = {0};
	enum status s;

	model_print(m, &b, &o);
	*bytes = b.n;
	s = file_write_all(&c->diag, path, b.p, b.n,
			   opt_given(c, OPT_if_changed));
	buf_release(&b);
	return s;
}

enum status save_model(struct cli *c, struct model *m, const char *path,
		       uint64_t *bytes)
{
	bool if_changed = opt_given(c, OPT_if_changed);

	if (has_suffix(path, ".onnxtxt"))
		return save_text(c, m, path, bytes);
	if (has_suffix(path, ".pare")) {
		struct native_write_opts o = {
			.compress = opt_given(c, OPT_compress),
			.if_changed = if_changed,
		};

		return native_write(m, path, &o, bytes);
	}
	struct onnx_write_opts o = {
		.external = (enum onnx_external)opt_enum(c, OPT_external_data,
							 EXTERNAL_KEEP),
		.min_external = 1024,
		.if_changed = if_changed,
	};
	return onnx_write(m, path, &o, bytes);
}

void driver_opts_fill(struct cli *c, struct driver_opts *o)
{
	static const char *const level[] = {"O0", "O1", "O2", "O3"};

	*o = (struct driver_opts){
		.pipeline =
			opt_text(c, OPT_pipeline, level[opt_enum(c, OPT_O, 2)]),
		.disable = opt_list(c, OPT_disable),
		.keep = opt_list(c, OPT_keep),
		.verify_each = opt_given(c, OPT_verify_each),
		.fast_math = opt_given(c, OPT_fast_math),
		.print_after = opt_text(c, OPT_print_after, NULL),
		.print_changed = opt_given(c, OPT_print_changed),
		.time_passes = opt_given(c, OPT_time_passes),
		.explain = opt_text(c, OPT_why, NULL),
		.bisect_limit = (uint64_t)opt_num(c, OPT_bisect_limit, 0),
		.fold_limit = (size_t)opt_num(c, OPT_fold_limit, 0),
	};
}

enum status print_pipeline(struct cli *c)
{
	struct driver_opts o;
	struct buf b = {0};
	enum status s;

	driver_opts_fill(c, &o);
	s = pipeline_print(&c->diag, o.pipeline, &b);
	if (!s)
		puts(b.n ? b.p : "");
	buf_release(&b);
	return s;
}

enum status optimized_clone(struct cli *c, struct model *original,
			    struct pass_run *run, struct model **out)
{
	struct driver_opts o;
	enum status s = model_infer(original);

	*out = NULL;
	if (s)
		return s;
	driver_opts_fill(c, &o);
	*out = model_clone(original);
	s = driver_run(run, *out, &o);
	if (s) {
		model_free(*out);
		*out = NULL;
	}
	return s;
}

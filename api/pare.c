/* SPDX-License-Identifier: MIT */
/*
 * pare.c -- the installed C interface: thin calls into the folders below.
 *
 * Messages of a call go to a memory stream, from which the first error is
 * kept and all are copied to the log.  A call that changes the model works
 * on a copy, so that a failure leaves the old one.
 */
#include "include/pare.h"

#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "ir/cost.h"
#include "native/native.h"
#include "onnx/onnx.h"
#include "passes/pass.h"

_Static_assert((int)PARE_NO == (int)NO && (int)PARE_USAGE == (int)USAGE &&
		       (int)PARE_BAD_MODEL == (int)BAD_MODEL &&
		       (int)PARE_BAD_IO == (int)BAD_IO &&
		       (int)PARE_LIMIT == (int)LIMIT,
	       "the numbers of enum status are public");

struct pare {
	struct diag diag;
	struct model *m;
	FILE *log, *stream; /* stream: of the call in progress */
	char *text;         /* messages of the last call */
	size_t ntext;
	struct buf error;
	const char *code;
	enum pare_check check;
	uint64_t rewrites;
};

/* ---- handles and messages ---- */

const char *pare_version(void)
{
	return PARE_VERSION;
}

void pare_set_limits(size_t max_memory, double seconds)
{
	limit_set(max_memory, seconds);
}

void pare_set_threads(unsigned n)
{
	pool_set_threads(n);
}

struct pare *pare_create(void)
{
	struct pare *p = xcalloc(1, sizeof *p);

	diag_init(&p->diag, NULL);
	p->diag.colour = false;
	p->code = "";
	return p;
}

void pare_free(struct pare *p)
{
	if (!p)
		return;
	model_free(p->m);
	diag_release(&p->diag);
	buf_release(&p->error);
	free(p);
}

const char *pare_error(const struct pare *p)
{
	return p->error.n ? p->error.p : "";
}

const char *pare_code(const struct pare *p)
{
	return p->code;
}

const char *pare_explain(const char *code)
{
	const struct diag_info *info = diag_find(code);

	return info ? info->explain : NULL;
}

void pare_set_log(struct pare *p, FILE *out, int verbosity)
{
	p->log = out;
	p->diag.verbosity = verbosity;
}

static void begin(struct pare *p)
{
	p->diag.nerror = p->diag.nwarning = 0;
	memset(p->diag.repeat, 0, sizeof p->diag.repeat);
	p->error.n = 0;
	p->code = "";
	p->stream = open_memstream(&p->text, &p->ntext);
	p->diag.out = p->stream;
}

/* The first line that is an error, without "pare: error[CODE]: ". */
static void keep_error(struct pare *p)
{
	const char *s = strstr(p->text, "error[");
	const char *text = s ? strstr(s, "]: ") : NULL;

	p->code = diag_info(p->diag.first)->name;
	if (text)
		buf_add(&p->error, text + 3, strcspn(text + 3, "\n"));
}

static enum pare_status end(struct pare *p, enum status s)
{
	p->diag.out = NULL;
	if (!p->stream)
		return (enum pare_status)s;
	fclose(p->stream);
	p->stream = NULL;
	if (p->log && p->ntext)
		fwrite(p->text, 1, p->ntext, p->log);
	if (s != OK && p->diag.nerror)
		keep_error(p);
	free(p->text);
	p->text = NULL;
	return (enum pare_status)s;
}

static enum status need_model(struct pare *p)
{
	return p->m ? OK
		    : diag_error(&p->diag, NULL, E_usage, "no model is open");
}

/* ---- reading ---- */

static enum status open_blob(struct pare *p, const char *path,
			     struct blob *file)
{
	struct model *m = NULL;
	struct at at = {.file = path};
	enum status s;

	if (native_probe(file->p, file->len))
		s = native_read_blob(&p->diag, path, file, true, &m);
	else if (onnx_probe(file->p, file->len))
		s = onnx_read_blob(&p->diag, path, file, NULL, &m);
	else
		s = diag_error(&p->diag, &at, E_format,
			       "this is not an ONNX or .pare model");
	if (s)
		return s;
	model_free(p->m);
	p->m = m;
	p->check = PARE_CHECK_NONE;
	p->rewrites = 0;
	return OK;
}

enum pare_status pare_open(struct pare *p, const char *path)
{
	struct blob *file;
	enum status s;

	begin(p);
	s = file_map(&p->diag, path, &file);
	if (s)
		return end(p, s);
	s = open_blob(p, path, file);
	blob_unref(file);
	return end(p, s);
}

enum pare_status pare_open_memory(struct pare *p, const void *data, size_t n,
				  const char *name)
{
	struct blob *file;
	enum status s;

	begin(p);
	file = blob_alloc(&p->diag, n);
	if (!file)
		return end(p, LIMIT);
	if (n)
		memcpy(file->p, data, n);
	s = open_blob(p, name ? name : "(memory)", file);
	blob_unref(file);
	return end(p, s);
}

/* ---- optimizing ---- */

static enum status check_result(struct pare *p, struct model *result,
				const struct pare_optimize_options *o)
{
	struct verify_opts vo = {.seed = o->seed ? o->seed : 1,
				 .max_seconds = o->check_seconds,
				 .max_bytes = o->check_memory};
	struct verify_report r = {0};
	enum status s = verify_models(p->m, result, &vo, &r);

	if (s)
		return s;
	p->check = r.mode == VERIFY_WHOLE     ? PARE_CHECK_WHOLE
		   : r.mode == VERIFY_REGIONS ? PARE_CHECK_REGIONS
					      : PARE_CHECK_NONE;
	return r.differs ? diag_error(&p->diag, NULL, E_verify, "%s", r.first)
			 : OK;
}

static bool grows(const struct model *was, const struct model *is)
{
	uint64_t n = onnx_size(was);

	return onnx_size(is) > (n > was->file_bytes ? n : was->file_bytes);
}

/* *rewrites 0 with OK: the result is not wanted. */
static enum status transform(struct pare *p, struct model *result,
			     const struct pare_optimize_options *o,
			     uint64_t *rewrites)
{
	struct driver_opts d = {.pipeline = o->pipeline,
				.disable = o->disable,
				.fast_math = o->fast_math != 0};
	struct pass_run run = {0};
	enum status s = driver_run(&run, result, &d);

	*rewrites = run.nrewrite;
	pass_run_release(&run);
	if (!s)
		s = model_finish(result);
	if (s || !*rewrites)
		return s;
	if (!o->allow_growth && grows(p->m, result)) {
		*rewrites = 0;
		return OK;
	}
	return o->no_check ? OK : check_result(p, result, o);
}

enum pare_status pare_optimize(struct pare *p,
			       const struct pare_optimize_options *o)
{
	static const struct pare_optimize_options none;
	struct model *result;
	uint64_t rewrites = 0;
	enum status s;

	begin(p);
	p->check = PARE_CHECK_NONE;
	p->rewrites = 0;
	s = need_model(p);
	if (!s)
		s = model_infer(p->m);
	if (s)
		return end(p, s);
	result = model_clone(p->m);
	s = transform(p, result, o ? o : &none, &rewrites);
	if (s || !rewrites) {
		model_free(result);
		return end(p, s);
	}
	model_free(p->m);
	p->m = result;
	p->rewrites = rewrites;
	return end(p, OK);
}

enum pare_check pare_check_mode(const struct pare *p)
{
	return p->check;
}

uint64_t pare_rewrites(const struct pare *p)
{
	return p->rewrites;
}

enum pare_status pare_validate(struct pare *p)
{
	enum status s;

	begin(p);
	s = need_model(p);
	return end(p, s ? s : model_check(p->m, true));
}

/* ---- asking ---- */

enum pare_status pare_count(struct pare *p, struct pare_counts *out)
{
	struct cost c = {0};
	enum status s;

	memset(out, 0, sizeof *out);
	begin(p);
	s = need_model(p);
	if (!s)
		s = model_infer(p->m);
	if (s)
		return end(p, s);
	model_cost(p->m, &c);
	out->nodes = c.nodes;
	out->parameters = c.params;
	out->weight_bytes = c.weight_bytes;
	out->macs = c.macs;
	out->file_bytes = onnx_size(p->m);
	return end(p, OK);
}

size_t pare_input_count(const struct pare *p)
{
	return p->m ? p->m->main->nin : 0;
}

size_t pare_output_count(const struct pare *p)
{
	return p->m ? p->m->main->ret->nin : 0;
}

const char *pare_input_name(const struct pare *p, size_t i)
{
	if (i >= pare_input_count(p))
		return NULL;
	return sym_text(p->m, p->m->main->in_info[i].name);
}

const char *pare_output_name(const struct pare *p, size_t i)
{
	if (i >= pare_output_count(p))
		return NULL;
	return sym_text(p->m, p->m->main->out_info[i].name);
}

static const char *type_text(const struct pare *p, const struct info *info)
{
	struct buf b = {0};
	const char *s;

	type_print(p->m, &b, info->decl);
	s = arena_dup(&p->m->arena, b.p, b.n + 1);
	buf_release(&b);
	return s;
}

const char *pare_input_type(const struct pare *p, size_t i)
{
	if (i >= pare_input_count(p))
		return NULL;
	return type_text(p, &p->m->main->in_info[i]);
}

const char *pare_output_type(const struct pare *p, size_t i)
{
	if (i >= pare_output_count(p))
		return NULL;
	return type_text(p, &p->m->main->out_info[i]);
}

/* ---- writing ---- */

static bool is_native(const char *path, enum pare_format f)
{
	size_t n = strlen(path);

	return f == PARE_NATIVE ||
	       (f == PARE_BY_NAME && n > 5 && !strcmp(path + n - 5, ".pare"));
}

static enum status save(struct pare *p, const char *path,
			const struct pare_save_options *o)
{
	static const enum onnx_external external[] = {
		[PARE_EXTERNAL_KEEP] = EXTERNAL_KEEP,
		[PARE_EXTERNAL_ALL] = EXTERNAL_ALL,
		[PARE_EXTERNAL_NONE] = EXTERNAL_NONE,
	};
	struct native_write_opts no = {.compress = o->compress != 0,
				       .if_changed = o->if_changed != 0};
	struct onnx_write_opts oo = {.min_external = 1024,
				     .if_changed = o->if_changed != 0};
	uint64_t bytes = 0;

	if ((unsigned)o->external >= countof(external))
		return diag_error(&p->diag, NULL, E_usage,
				  "no placement of data has number %d",
				  (int)o->external);
	oo.external = external[o->external];
	if (is_native(path, o->format))
		return native_write(p->m, path, &no, &bytes);
	return onnx_write(p->m, path, &oo, &bytes);
}

enum pare_status pare_save(struct pare *p, const char *path,
			   const struct pare_save_options *o)
{
	static const struct pare_save_options none;
	enum status s;

	begin(p);
	s = need_model(p);
	return end(p, s ? s : save(p, path, o ? o : &none));
}

enum pare_status pare_save_memory(struct pare *p, void **data, size_t *n)
{
	struct buf b = {0};
	enum status s;

	*data = NULL;
	*n = 0;
	begin(p);
	s = need_model(p);
	if (!s)
		s = onnx_encode(p->m, &b);
	if (s) {
		buf_release(&b);
		return end(p, s);
	}
	*data = b.p;
	*n = b.n;
	return end(p, OK);
}

/* SPDX-License-Identifier: MIT */
/*
 * write.c -- a model becomes an ONNX file.
 *
 * The IR becomes a tree of protobuf-c messages that borrow every payload from
 * its blob; the tree is then streamed, so memory stays near the graph's size
 * whatever the weights.  Two passes: sizes, then bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "onnx/data_plan_p.h"
#include "onnx/external_p.h"
#include "onnx/skim_p.h"
#include "onnx/write_p.h"

enum { CHUNK = 65536, MIN_EXTERNAL = 1024 };

#define PROTO_MAX ((uint64_t)INT32_MAX) /* bytes of one protobuf message */

ProtobufCBinaryData write_sym(const struct writer *w, sym s,
			      protobuf_c_boolean *has)
{
	*has = s != 0;
	return pb_bytes(sym_str(w->m, s));
}

void *write_array(struct writer *w, size_t n)
{
	return arena_array(&w->tmp, n, sizeof(void *));
}

bool sink_file(void *outfile, const void *p, size_t n)
{
	return outfile_write(outfile, p, n) == OK;
}

bool sink_splat(const struct sink *out, const struct blob *b)
{
	const size_t elem = b->elem;
	const size_t fit = elem < CHUNK ? CHUNK / elem * elem : elem;
	const size_t size = fit < b->len ? fit : b->len;
	uint8_t *p = xmalloc(size);
	size_t left = b->len;
	bool ok = true;

	for (size_t i = 0; i < size; i += elem)
		memcpy(p + i, b->p, elem < size - i ? elem : size - i);
	for (; ok && left; left -= left < size ? left : size)
		ok = out->append(out->arg, p, left < size ? left : size);
	free(p);
	return ok;
}

/* protobuf-c's way to say where bytes go, around ours. */
struct stream {
	ProtobufCBuffer base;
	const struct sink *out;
	const struct map *splats;
	bool failed;
};

static void stream_append(ProtobufCBuffer *base, size_t n, const uint8_t *p)
{
	struct stream *s = (struct stream *)base;

	if (s->failed || !n)
		return;
	if (s->splats->n && map_get(s->splats, map_ptr_key(p)))
		s->failed = !sink_splat(s->out, (const void *)p);
	else
		s->failed = !s->out->append(s->out->arg, p, n);
}

enum status write_stream(struct writer *w, const ProtobufCMessage *p,
			 const struct sink *out)
{
	struct stream s = {{stream_append}, out, &w->splats, false};

	if (protobuf_c_message_get_packed_size(p) > PROTO_MAX) {
		w->status = diag_error(w->d, NULL, E_unsupported,
				       "the model is over 2 GiB, which is "
				       "more than a protobuf message holds");
		diag_hint(w->d, "store the weights as external data");
		return w->status;
	}
	protobuf_c_message_pack_to_buffer(p, &s.base);
	return s.failed ? BAD_IO : OK;
}

static void write_functions(struct writer *w, Onnx__ModelProto *p)
{
	p->n_functions = w->m->func.n;
	p->functions = write_array(w, p->n_functions);
	for (size_t i = 0; i < p->n_functions; i++)
		p->functions[i] = write_func(w, w->m->func.p[i]);
}

void *write_open(struct writer *w, const ProtobufCMessageDescriptor *desc,
		 struct str rest)
{
	struct skim s = {0};
	void *msg = NULL;
	enum status st;

	if (!rest.n)
		return pb_open(&w->tmp, desc, rest);
	st = skim(&s, w->d, w->m->path, desc, (const uint8_t *)rest.p, rest.n);
	skim_release(&s);
	if (!st)
		msg = pb_open(&w->tmp, desc, rest);
	if (msg)
		return msg;
	if (!w->status)
		w->status = st ? st
			       : diag_error(w->d, NULL, E_proto,
					    "kept fields are damaged");
	return pb_open(&w->tmp, desc, (struct str){NULL, 0});
}

/* The whole tree; NULL with w->status set. */
static ProtobufCMessage *write_model(struct writer *w)
{
	const struct model *m = w->m;
	Onnx__ModelProto *p =
		write_open(w, &onnx__model_proto__descriptor, m->rest);

	p->has_ir_version = m->has_ir_version;
	p->ir_version = m->ir_version;
	p->has_model_version = m->has_model_version;
	p->model_version = m->model_version;
	p->producer_name =
		write_sym(w, m->producer_name, &p->has_producer_name);
	p->producer_version =
		write_sym(w, m->producer_version, &p->has_producer_version);
	p->domain = write_sym(w, m->domain, &p->has_domain);
	p->doc_string = write_sym(w, m->doc, &p->has_doc_string);
	p->n_opset_import = m->nopset;
	p->opset_import = write_opsets(w, m->opset, m->nopset);
	p->graph = write_graph(w, m->main, 0);
	write_functions(w, p);
	return w->status ? NULL : &p->base;
}

void writer_init(struct writer *w, const struct model *m)
{
	*w = (struct writer){.m = m, .d = m->diag};
	arena_init(&w->tmp);
}

void writer_release(struct writer *w)
{
	arena_release(&w->tmp);
	map_release(&w->splats);
}

static bool buf_append(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return true;
}

enum status onnx_encode(const struct model *m, struct buf *b)
{
	const struct sink out = {buf_append, b};
	struct writer w;
	ProtobufCMessage *p;
	enum status st;

	writer_init(&w, m);
	p = write_model(&w);
	st = p ? write_stream(&w, p, &out) : w.status;
	writer_release(&w);
	return st;
}

uint64_t onnx_size(const struct model *m)
{
	struct writer w;
	ProtobufCMessage *p;
	uint64_t n;

	writer_init(&w, m);
	p = write_model(&w);
	n = p ? protobuf_c_message_get_packed_size(p) : 0;
	writer_release(&w);
	return n;
}

static bool same_dir(const char *a, const char *b)
{
	char *da = path_dir(a), *db = path_dir(b);
	struct stat sa, sb;
	const bool same = !stat(da, &sa) && !stat(db, &sb) &&
			  sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;

	free(da);
	free(db);
	return same;
}

/* Are references to data files valid from the new path, too?  A model read
 * through a symbolic link may have its data elsewhere. */
static bool references_hold(const struct model *m, const char *path)
{
	struct stat st;

	return m->path && !lstat(m->path, &st) && !S_ISLNK(st.st_mode) &&
	       same_dir(m->path, path);
}

static enum status write_file(struct writer *w, const char *path,
			      bool if_changed, uint64_t *bytes)
{
	const ProtobufCMessage *p = write_model(w);
	struct outfile *f;
	enum status st = w->status;
	struct sink out = {sink_file, NULL};

	if (!st)
		st = outfile_open(w->d, path, &f);
	if (st)
		return st;
	out.arg = f;
	st = write_stream(w, p, &out);
	*bytes += outfile_tell(f);
	if (w->status) { /* not the file's fault: it has no error to report */
		outfile_abort(f);
		return st;
	}
	return outfile_commit(f, if_changed);
}

/* Data file first.  One that this run made goes again if the model fails. */
static enum status write_both(struct writer *w, struct data_plan *plan,
			      const char *path, bool if_changed,
			      uint64_t *bytes)
{
	enum status st = data_plan_name(plan, w->m, path);
	bool existed;

	if (st)
		return st;
	existed = !access(plan->path, F_OK);
	st = data_plan_write(plan, w->m, w->d);
	if (st)
		return st;
	*bytes += plan->size;
	w->plan = plan;
	st = write_file(w, path, if_changed, bytes);
	if (st && !existed)
		unlink(plan->path);
	return st;
}

enum status onnx_write(const struct model *m, const char *path,
		       const struct onnx_write_opts *o, uint64_t *bytes)
{
	static const struct onnx_write_opts dflt = {EXTERNAL_KEEP, MIN_EXTERNAL,
						    false};
	const bool to_stdout = !strcmp(path, "-");
	struct data_plan plan = {0};
	uint64_t total = 0;
	struct writer w;
	enum status st;

	o = o ? o : &dflt;
	if (to_stdout && o->external == EXTERNAL_ALL)
		return diag_error(m->diag, NULL, E_usage,
				  "external data needs an output file, not "
				  "standard output");
	writer_init(&w, m);
	w.keep_external = o->external == EXTERNAL_KEEP && !to_stdout &&
			  references_hold(m, path);
	if (o->external != EXTERNAL_NONE && !to_stdout && !w.keep_external)
		data_plan_make(&plan, m, o->external == EXTERNAL_ALL,
			       o->min_external);
	if (plan.e.n)
		st = write_both(&w, &plan, path, o->if_changed, &total);
	else
		st = write_file(&w, path, o->if_changed, &total);
	data_plan_release(&plan);
	writer_release(&w);
	if (bytes)
		*bytes = total;
	return st;
}

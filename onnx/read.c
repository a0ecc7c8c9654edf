/* SPDX-License-Identifier: MIT */
/*
 * read.c -- an ONNX file becomes a model.
 *
 * map -> skim -> protobuf-c -> IR.  Order matters: functions are known by name
 * before any node is read, and all definitions of a graph before its uses.
 * Cost O(bytes without payloads); payloads stay in the mapping.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ir/calls.h"
#include "onnx/read_p.h"

enum { IR_VERSION_KNOWN = 13 };

const struct at *where_at(struct reader *r, const struct where *w)
{
	const char *file = r->path;
	struct str name;

	r->at = w->n ? node_at(w->n) : (struct at){0};
	r->at.file = file;
	if (!w->n && w->g)
		r->at.graph = graph_path(w->g);
	if (w->what) {
		name = sym_str(r->m, w->name);
		r->at.slot.p = arena_printf(&r->m->arena, "%s '%.*s'", w->what,
					    (int)(name.n < 200 ? name.n : 200),
					    name.n ? name.p : "");
		r->at.slot.n = strlen(r->at.slot.p);
	}
	return &r->at;
}

/* Out of memory is not a damaged file; skim() has bounded what is needed. */
static void *message_alloc(void *arg, size_t n)
{
	(void)arg;
	return xmalloc(n);
}

static void message_free(void *arg, void *p)
{
	(void)arg;
	free(p);
}

ProtobufCMessage *read_message(struct reader *r,
			       const ProtobufCMessageDescriptor *d,
			       enum status *st)
{
	ProtobufCAllocator alloc = {message_alloc, message_free, NULL};
	const struct at at = {.file = r->path};
	ProtobufCMessage *p;

	*st = skim(&r->skim, r->d, r->path, d, r->file->p, r->file->len);
	if (*st)
		return NULL;
	p = protobuf_c_message_unpack(d, &alloc, r->skim.len, r->skim.out);
	if (!p)
		*st = diag_error(r->d, &at, E_proto,
				 "the bytes are no valid %s", d->short_name);
	free(r->skim.out); /* the messages hold copies of what they need */
	r->skim.out = NULL;
	return p;
}

void reader_init(struct reader *r, struct model *m, const char *path,
		 struct blob *file, const struct onnx_read_opts *o)
{
	static const struct onnx_read_opts none;

	*r = (struct reader){
		.m = m, .d = m->diag, .o = o ? o : &none, .file = file};
	if (path)
		r->path = r->ext.path = arena_printf(&m->arena, "%s", path);
}

void reader_release(struct reader *r)
{
	skim_release(&r->skim);
	external_release(&r->ext);
	names_release(&r->names);
	map_release(&r->funcs);
}

/* "" and "ai.onnx" are one domain. */
static sym same_domain(struct model *m, sym domain)
{
	return str_is(sym_str(m, domain), "ai.onnx") ? model_sym(m, "")
						     : domain;
}

static enum status read_opset(struct reader *r, Onnx__OperatorSetIdProto *p,
			      struct map *seen, struct opset *o)
{
	const struct at at = {.file = r->path};
	struct model *m = r->m;
	const uint64_t *before;

	o->domain = pb_sym(m->syms, p->has_domain, p->domain);
	o->has_version = p->has_version;
	o->version = p->version;
	o->rest = pb_rest(&m->arena, &p->base, PB_OPSET_MASK);
	if (o->version < 1 || o->version > INT_MAX)
		return diag_error(r->d, &at, E_opset,
				  "domain '%s' is imported at version %lld",
				  sym_text(m, o->domain),
				  (long long)o->version);
	/* Exporters do write the same import twice. */
	before = map_get(seen, same_domain(m, o->domain));
	if (before && *before != (uint64_t)o->version)
		return diag_error(r->d, &at, E_opset,
				  "domain '%s' is imported at versions %lld "
				  "and %lld",
				  sym_text(m, o->domain), (long long)*before,
				  (long long)o->version);
	map_put(seen, same_domain(m, o->domain), (uint64_t)o->version);
	return OK;
}

enum status read_opsets(struct reader *r, Onnx__OperatorSetIdProto **p,
			size_t n, struct opset **out, uint32_t *nout)
{
	struct opset *o = arena_array(&r->m->arena, n, sizeof *o);
	struct map seen = {0};
	enum status st = OK;

	for (size_t i = 0; i < n && !st; i++)
		st = read_opset(r, p[i], &seen, &o[i]);
	map_release(&seen);
	if (st)
		return st;
	*out = o;
	*nout = (uint32_t)n;
	return OK;
}

static void read_header(struct reader *r, const Onnx__ModelProto *p)
{
	const struct at at = {.file = r->path};
	struct model *m = r->m;

	m->has_ir_version = p->has_ir_version;
	m->ir_version = p->ir_version;
	m->has_model_version = p->has_model_version;
	m->model_version = p->model_version;
	m->producer_name =
		pb_sym(m->syms, p->has_producer_name, p->producer_name);
	m->producer_version =
		pb_sym(m->syms, p->has_producer_version, p->producer_version);
	m->domain = pb_sym(m->syms, p->has_domain, p->domain);
	m->doc = pb_sym(m->syms, p->has_doc_string, p->doc_string);
	m->rest = pb_rest(&m->arena, &p->base, PB_MODEL_MASK);
	if (m->ir_version > IR_VERSION_KNOWN)
		diag_warn(r->d, &at, E_unsupported,
			  "IR version %lld is newer than %d",
			  (long long)m->ir_version, IR_VERSION_KNOWN);
}

/* Without import statements (IR version < 3) operators are of version 1. */
static enum status read_model(struct reader *r, const Onnx__ModelProto *p)
{
	const struct at at = {.file = r->path};
	struct model *m = r->m;
	enum status st;

	if (!p->graph)
		return diag_error(r->d, &at, E_format,
				  "the model has no graph");
	read_header(r, p);
	st = read_opsets(r, p->opset_import, p->n_opset_import, &m->opset,
			 &m->nopset);
	if (!st)
		st = read_funcs(r, p->functions, p->n_functions);
	if (!st)
		st = read_graph(r, m->main, p->graph, 0);
	if (!st)
		st = model_check_calls(m);
	if (!st)
		value_note_consts(m);
	return st;
}

enum status onnx_read_blob(struct diag *d, const char *path, struct blob *file,
			   const struct onnx_read_opts *o, struct model **out)
{
	struct model *m = model_create(d);
	struct reader r;
	ProtobufCMessage *p;
	enum status st;

	*out = NULL;
	reader_init(&r, m, path, file, o);
	m->path = r.path;
	m->file = blob_ref(file);
	m->file_bytes = file->len;
	model_keep_blob(m, m->file);
	p = read_message(&r, &onnx__model_proto__descriptor, &st);
	if (p) {
		st = read_model(&r, (Onnx__ModelProto *)p);
		protobuf_c_message_free_unpacked(p, NULL);
	}
	reader_release(&r);
	if (st)
		model_free(m);
	else
		*out = m;
	return st;
}

enum status onnx_read(struct diag *d, const char *path,
		      const struct onnx_read_opts *o, struct model **out)
{
	struct blob *file;
	enum status st = file_map(d, path, &file);

	*out = NULL;
	if (st)
		return st;
	st = onnx_read_blob(d, path, file, o, out);
	blob_unref(file);
	return st;
}

bool onnx_probe(const uint8_t *p, size_t n)
{
	const ProtobufCFieldDescriptor *f;
	const uint8_t *q = p;
	uint64_t key;

	if (!varint_get(&q, p + n, &key) || key > UINT32_MAX)
		return false;
	f = protobuf_c_message_descriptor_get_field(
		&onnx__model_proto__descriptor, (unsigned)(key >> 3));
	if (!f)
		return false;
	/* Numbers are varints in this message; all else has a length. */
	return (key & 7) == (f->type == PROTOBUF_C_TYPE_INT64 ? 0 : 2);
}

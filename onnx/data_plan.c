/* SPDX-License-Identifier: MIT */
/*
 * data_plan.c -- the data file: choose tensors, place, hash, write.
 *
 * The name holds the content's hash, so a model and the data it names always
 * belong together, whichever of the two renames a crash prevents.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "base/hash.h"
#include "onnx/data_plan_p.h"
#include "onnx/external_p.h"
#include "onnx/write_p.h"

enum { ALIGN_SMALL = 64, ALIGN_LARGE = 4096, LARGE = 65536 };

static uint64_t align(uint64_t off, size_t len)
{
	const uint64_t a = len >= LARGE ? ALIGN_LARGE : ALIGN_SMALL;

	return (off + a - 1) / a * a;
}

static void place(struct data_plan *p, const struct tensor *t)
{
	/* Tensors over the same bytes share them in the file, too. */
	const uint64_t key = hash_mix(map_ptr_key(t->blob)) ^ hash_mix(t->off);
	const uint64_t *same = map_get(&p->bytes, key);
	struct data_entry e = {.t = t};

	if (map_get(&p->index, map_ptr_key(t)))
		return;
	if (same) {
		const struct tensor *o = p->e.p[*same].t;

		if (o->blob == t->blob && o->off == t->off &&
		    o->len == t->len) {
			map_put(&p->index, map_ptr_key(t), *same);
			return;
		}
	}
	e.off = align(p->size, t->len);
	p->size = e.off + t->len;
	map_put(&p->index, map_ptr_key(t), p->e.n);
	map_put(&p->bytes, key, p->e.n);
	vec_push(&p->e, e);
}

/* A tensor and, if it is sparse, its indices. */
static void offer(struct data_plan *p, const struct tensor *t, bool want)
{
	if (t->dt != DT_STRING && t->len && (want || t->enc == ENC_EXTERNAL))
		place(p, t);
	t = t->sparse_indices;
	if (t && t->len && t->enc == ENC_EXTERNAL)
		place(p, t);
}

static void offer_attrs(struct data_plan *p, const struct node *n)
{
	for (uint32_t i = 0; i < n->nattr; i++) {
		const struct attr *a = &n->attr[i];

		if (a->ref ||
		    (a->kind != ATTR_TENSOR && a->kind != ATTR_TENSORS &&
		     a->kind != ATTR_SPARSE && a->kind != ATTR_SPARSES))
			continue;
		for (uint32_t k = 0; k < a->n; k++)
			offer(p, a->u.t[k], false);
	}
}

void data_plan_make(struct data_plan *p, const struct model *m, bool all,
		    size_t min)
{
	graph_vec graphs = {0};

	*p = (struct data_plan){0};
	model_graphs(m, &graphs);
	for (size_t i = 0; i < graphs.n; i++) {
		const struct graph *g = graphs.p[i];
		const struct node *n;

		for (size_t k = 0; k < g->init.n; k++) {
			const struct tensor *t = g->init.p[k]->init;

			offer(p, t, all && t->len >= min);
		}
		graph_foreach (n, g)
			offer_attrs(p, n);
	}
	vec_release(&graphs);
}

/* Bytes of a tensor in pieces, splats never expanded. */
static bool tensor_stream(const struct model *m, const struct tensor *t,
			  const struct sink *out)
{
	const void *p;

	if (t->blob->kind == BLOB_SPLAT && t->len == t->blob->len)
		return sink_splat(out, t->blob);
	p = tensor_data(m, t);
	return p && out->append(out->arg, p, t->len);
}

static bool plan_stream(const struct data_plan *p, const struct model *m,
			const struct sink *out)
{
	static const char zero[ALIGN_LARGE];
	uint64_t at = 0;

	for (size_t i = 0; i < p->e.n; i++) {
		const struct data_entry *e = &p->e.p[i];

		if (!out->append(out->arg, zero, (size_t)(e->off - at)) ||
		    !tensor_stream(m, e->t, out))
			return false;
		at = e->off + e->t->len;
	}
	return true;
}

static bool hash_append(void *arg, const void *p, size_t n)
{
	return XXH64_update(arg, p, n) == XXH_OK;
}

/* "dir/m.onnx" -> "m" */
static struct str stem(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');

	return (struct str){base, dot && dot != base ? (size_t)(dot - base)
						     : strlen(base)};
}

enum status data_plan_name(struct data_plan *p, const struct model *m,
			   const char *model_path)
{
	XXH64_state_t *h = XXH64_createState();
	const struct sink out = {hash_append, h};
	const struct str s = stem(model_path);
	char *dir = path_dir(model_path);
	struct buf b = {0};
	bool ok;

	XXH64_reset(h, 0);
	ok = plan_stream(p, m, &out);
	buf_printf(&b, "%s/", dir);
	buf_add(&b, s.p, s.n);
	buf_printf(&b, ".%016llx.data", (unsigned long long)XXH64_digest(h));
	p->path = xstrdup(b.p);
	p->name = xstrdup(strrchr(b.p, '/') + 1);
	buf_release(&b);
	free(dir);
	XXH64_freeState(h);
	return ok ? OK : LIMIT;
}

enum status data_plan_write(const struct data_plan *p, const struct model *m,
			    struct diag *d)
{
	struct outfile *f;
	enum status st = outfile_open(d, p->path, &f);
	const struct sink out = {sink_file, f};

	if (st)
		return st;
	if (plan_stream(p, m, &out))
		return outfile_commit(f, true);
	outfile_abort(f);
	return BAD_IO;
}

bool data_plan_find(const struct data_plan *p, const struct tensor *t,
		    uint64_t *off)
{
	const uint64_t *i = map_get(&p->index, map_ptr_key(t));

	if (i)
		*off = p->e.p[*i].off;
	return i != NULL;
}

void data_plan_release(struct data_plan *p)
{
	vec_release(&p->e);
	map_release(&p->index);
	map_release(&p->bytes);
	free(p->name);
	free(p->path);
	*p = (struct data_plan){0};
}

/* SPDX-License-Identifier: MIT */
/*
 * npz.c -- NumPy's .npz archives: a zip file with one .npy file per array.
 *
 * libzip reads and writes the archive in memory.  Members are bounded in
 * number, in size (the memory limit) and in compression ratio before anything
 * is unpacked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "runtime/runtime.h"

/* Deflate cannot do better than 1032 : 1. */
enum { MEMBERS_MAX = 65536, RATIO_MAX = 1040 };

struct reader {
	struct diag *d;
	const char *path;
	zip_t *zip;
	struct npz_entry *e;
	size_t n;
};

static enum status damaged(const struct reader *r, const char *why)
{
	struct at at = {.file = r->path};

	return diag_error(r->d, &at, E_data, "zip archive: %s", why);
}

void npz_free(struct npz_entry *e, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(e[i].name);
		array_unref(e[i].a);
	}
	free(e);
}

/* NULL, or why the member is not unpacked. */
static const char *refuse(const zip_stat_t *s)
{
	const zip_uint64_t need = ZIP_STAT_NAME | ZIP_STAT_SIZE |
				  ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;

	if ((s->valid & need) != need)
		return "a member's sizes are missing";
	if ((s->valid & ZIP_STAT_ENCRYPTION_METHOD) &&
	    s->encryption_method != ZIP_EM_NONE)
		return "a member is encrypted";
	if (s->comp_method != ZIP_CM_STORE && s->comp_method != ZIP_CM_DEFLATE)
		return "a member's compression method is not deflate";
	if (s->size / RATIO_MAX > s->comp_size)
		return "a member's sizes contradict each other";
	return NULL;
}

/* All of a member, and its end, where libzip compares the checksum. */
static bool unpack(zip_file_t *f, struct blob *b)
{
	size_t have = 0;
	zip_int64_t k;
	char more;

	while (have < b->len) {
		k = zip_fread(f, b->p + have, b->len - have);
		if (k <= 0)
			return false;
		have += (size_t)k;
	}
	return zip_fread(f, &more, 1) == 0;
}

static enum status read_member(struct reader *r, zip_uint64_t i,
			       const zip_stat_t *s, struct blob **out)
{
	zip_file_t *f;
	bool ok;

	*out = NULL;
	if (s->size > SIZE_MAX)
		return damaged(r, "a member is too large");
	*out = blob_alloc(r->d, (size_t)s->size);
	if (!*out)
		return LIMIT;
	f = zip_fopen_index(r->zip, i, 0);
	ok = f && unpack(f, *out);
	if (f)
		zip_fclose(f);
	return ok ? OK : damaged(r, "a member is damaged");
}

/* Member names are array names plus ".npy". */
static char *array_name(const char *member)
{
	size_t n = strlen(member);
	char *name;

	if (n < 4 || strcmp(member + n - 4, ".npy") != 0)
		return NULL;
	name = xmalloc(n - 3);
	memcpy(name, member, n - 4);
	name[n - 4] = '\0';
	return name;
}

static enum status add_member(struct reader *r, zip_uint64_t i)
{
	struct npz_entry *e = &r->e[r->n];
	struct blob *b = NULL;
	enum status st;
	const char *why;
	zip_stat_t s;

	zip_stat_init(&s);
	if (zip_stat_index(r->zip, i, ZIP_FL_ENC_RAW, &s) < 0)
		return damaged(r, "a member cannot be found");
	why = refuse(&s);
	if (why)
		return damaged(r, why);
	e->name = array_name(s.name);
	if (!e->name)
		return damaged(r, "a member is not an .npy file");
	r->n++;
	st = read_member(r, i, &s, &b);
	if (!st)
		st = npy_parse(r->d, r->path, b, 0, b->len, &e->a);
	blob_unref(b);
	return st;
}

static int by_name(const void *a, const void *b)
{
	const struct npz_entry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Two members of one name would make the result depend on their order. */
static bool has_twins(const struct reader *r)
{
	const struct npz_entry **sorted = xcalloc(r->n, sizeof(*sorted));
	bool twins = false;
	size_t i;

	for (i = 0; i < r->n; i++)
		sorted[i] = &r->e[i];
	if (r->n)
		qsort(sorted, r->n, sizeof(*sorted), by_name);
	for (i = 1; i < r->n && !twins; i++)
		twins = by_name(&sorted[i - 1], &sorted[i]) == 0;
	free(sorted);
	return twins;
}

static enum status add_members(struct reader *r)
{
	zip_int64_t i, n = zip_get_num_entries(r->zip, 0);
	enum status st = OK;

	if (n < 0 || n > MEMBERS_MAX)
		return damaged(r, "it has too many members");
	r->e = xcalloc((size_t)n, sizeof(*r->e));
	for (i = 0; i < n && !st; i++)
		st = add_member(r, (zip_uint64_t)i);
	if (!st && has_twins(r))
		st = damaged(r, "two members have the same name");
	return st;
}

static zip_t *open_zip(const struct blob *file)
{
	zip_source_t *src;
	zip_error_t err;
	zip_t *zip;

	zip_error_init(&err);
	src = zip_source_buffer_create(file->p, file->len, 0, &err);
	zip = src ? zip_open_from_source(src, ZIP_RDONLY, &err) : NULL;
	if (!zip && src)
		zip_source_free(src);
	zip_error_fini(&err);
	return zip;
}

enum status npz_read(struct diag *d, const char *path, struct npz_entry **e,
		     size_t *n)
{
	struct reader r = {.d = d, .path = path};
	struct blob *file;
	enum status st = file_map(d, path, &file);

	*e = NULL;
	*n = 0;
	if (st)
		return st;
	r.zip = open_zip(file);
	st = r.zip ? add_members(&r) : damaged(&r, "it cannot be opened");
	if (r.zip)
		zip_discard(r.zip);
	blob_unref(file);
	if (st) {
		npz_free(r.e, r.n);
		return st;
	}
	*e = r.e;
	*n = r.n;
	return OK;
}

/* ---- writing ---- */

enum { DOS_1980 = 1 << 5 | 1 }; /* the first day that the format knows */

static bool put_member(zip_t *zip, const struct npz_entry *e)
{
	struct buf name = {0}, data = {0};
	zip_source_t *src;
	zip_int64_t i = -1;

	buf_printf(&name, "%s.npy", e->name);
	npy_header(&data, e->a);
	npy_body(&data, e->a);
	src = zip_source_buffer(zip, data.p, data.n, 1); /* takes data */
	if (src)
		i = zip_file_add(zip, name.p, src, ZIP_FL_ENC_UTF_8);
	if (i < 0 && src)
		zip_source_free(src);
	else if (i < 0)
		buf_release(&data);
	buf_release(&name);
	return i >= 0 &&
	       !zip_set_file_compression(zip, (zip_uint64_t)i, ZIP_CM_STORE,
					 0) &&
	       !zip_file_set_dostime(zip, (zip_uint64_t)i, 0, DOS_1980, 0);
}

/* Fills an empty in-memory source with the archive. */
static bool put_members(zip_source_t *out, const struct npz_entry *e, size_t n)
{
	zip_t *zip = zip_open_from_source(out, ZIP_TRUNCATE, NULL);
	bool ok = zip != NULL;

	if (!zip)
		return false;
	zip_source_keep(out); /* closing the archive drops one reference */
	for (size_t i = 0; i < n && ok; i++)
		ok = put_member(zip, &e[i]);
	if (ok && !zip_close(zip))
		return true;
	zip_discard(zip);
	return false;
}

static enum status copy_source(struct diag *d, const char *path,
			       zip_source_t *src)
{
	char chunk[1 << 14];
	struct outfile *f;
	enum status st = outfile_open(d, path, &f);
	zip_int64_t k = -1;

	if (st)
		return st;
	if (!zip_source_open(src)) {
		while ((k = zip_source_read(src, chunk, sizeof chunk)) > 0)
			outfile_write(f, chunk, (size_t)k);
		zip_source_close(src);
	}
	if (k == 0)
		return outfile_commit(f, false);
	outfile_abort(f);
	return diag_error(d, &(struct at){.file = path}, E_write,
			  "zip archive: it cannot be made");
}

enum status npz_write(struct diag *d, const char *path,
		      const struct npz_entry *e, size_t n)
{
	zip_source_t *src = zip_source_buffer_create(NULL, 0, 0, NULL);
	enum status st;

	if (src && put_members(src, e, n))
		st = copy_source(d, path, src);
	else
		st = diag_error(d, &(struct at){.file = path}, E_write,
				"zip archive: it cannot be made");
	if (src)
		zip_source_free(src);
	return st;
}

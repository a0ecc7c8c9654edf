/* SPDX-License-Identifier: MIT */
/*
 * rows.c -- the rows of NumPy files, one block at a time.
 *
 * A data set is read in a single pass with memory for one block, whatever its
 * length: .npz members are inflated as rows are asked for, .npy files are
 * mapped.
 */
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include "runtime/runtime.h"

enum { COLUMNS_MAX = 1024, HEADER_ROOM = 1 << 16 };

struct column {
	char *name;
	zip_uint64_t index;
	zip_file_t *f; /* NULL: not opened yet, or a plain file */
	struct npy_layout layout;
	size_t row_bytes;
	int64_t done; /* rows handed out */
};

struct rows {
	struct diag *d;
	const char *path;
	struct blob *file; /* a plain .npy; NULL: an archive */
	zip_t *zip;        /* NULL: a plain .npy */
	struct column *col;
	size_t n;
};

static enum status damaged(const struct rows *r, const char *why)
{
	struct at at = {.file = r->path};

	return diag_error(r->d, &at, E_data, "%s", why);
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		if (r->col[i].f)
			zip_fclose(r->col[i].f);
		free(r->col[i].name);
	}
	if (r->zip)
		zip_discard(r->zip);
	blob_unref(r->file);
	free(r->col);
	free(r);
}

static bool read_fully(zip_file_t *f, uint8_t *p, size_t n)
{
	while (n) {
		zip_int64_t k = zip_fread(f, p, n);

		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool row_size(struct column *c)
{
	int64_t n = 1;

	for (int i = 1; i < c->layout.rank; i++)
		if (!mul_i64(n, c->layout.dim[i], &n))
			return false;
	return c->layout.rank > 0 &&
	       dtype_bytes(c->layout.dt, n, &c->row_bytes);
}

/* The header lies in the first bytes; the stream is opened anew behind it. */
static enum status open_member(struct rows *r, struct column *c)
{
	uint8_t *head = xmalloc(HEADER_ROOM);
	zip_file_t *f = zip_fopen_index(r->zip, c->index, 0);
	zip_int64_t n = f ? zip_fread(f, head, HEADER_ROOM) : -1;
	enum status s;

	if (f)
		zip_fclose(f);
	s = n < 0 ? damaged(r, "a member is damaged")
		  : npy_layout(r->d, r->path, head, (size_t)n, &c->layout);
	if (!s)
		c->f = zip_fopen_index(r->zip, c->index, 0);
	if (!s && (!c->f || !read_fully(c->f, head, c->layout.off)))
		s = damaged(r, "a member is damaged");
	free(head);
	return s;
}

static enum status open_column(struct rows *r, struct column *c)
{
	enum status s = r->zip ? open_member(r, c)
			       : npy_layout(r->d, r->path, r->file->p,
					    r->file->len, &c->layout);

	if (!s && !row_size(c))
		s = damaged(r, "the array has no rows");
	return s;
}

static enum status list_members(struct rows *r)
{
	zip_int64_t n;
	enum status s = OK;

	/* read, not mapped: pages that were used must not add up */
	r->zip = zip_open(r->path, ZIP_RDONLY, NULL);
	if (!r->zip)
		return damaged(r, "the zip archive cannot be opened");
	n = zip_get_num_entries(r->zip, 0);
	if (n < 0 || n > COLUMNS_MAX)
		return damaged(r, "the zip archive has too many members");
	r->col = xcalloc((size_t)n + 1, sizeof *r->col);
	for (zip_int64_t i = 0; i < n && !s; i++) {
		const char *name =
			zip_get_name(r->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
		size_t len = name ? strlen(name) : 0;
		struct column *c = &r->col[r->n];

		if (len < 4 || strcmp(name + len - 4, ".npy") != 0)
			return damaged(r, "a member is not an .npy file");
		c->name = xstrdup(name);
		c->name[len - 4] = '\0';
		c->index = (zip_uint64_t)i;
		r->n++;
		s = open_column(r, c);
	}
	return s;
}

enum status rows_open(struct diag *d, const char *path, struct rows **out)
{
	struct rows *r = xcalloc(1, sizeof *r);
	enum status s;

	*out = NULL;
	r->d = d;
	r->path = path;
	s = file_map(d, path, &r->file);
	if (!s && r->file->len > 4 && !memcmp(r->file->p, "PK", 2)) {
		blob_unref(r->file);
		r->file = NULL;
		s = list_members(r);
	} else if (!s) {
		r->col = xcalloc(1, sizeof *r->col);
		r->col->name = xstrdup("");
		r->n = 1;
		s = open_column(r, r->col);
	}
	if (s)
		rows_free(r);
	else
		*out = r;
	return s;
}

size_t rows_columns(const struct rows *r)
{
	return r->n;
}

const char *rows_name(const struct rows *r, size_t column)
{
	return r->col[column].name;
}

const struct npy_layout *rows_layout(const struct rows *r, size_t column)
{
	return &r->col[column].layout;
}

static bool copy_rows(const struct rows *r, struct column *c, struct array *a)
{
	size_t at, end;

	if (r->zip)
		return read_fully(c->f, a->data, a->bytes);
	if (!mul_size((size_t)c->done, c->row_bytes, &at) ||
	    !add_size(at, c->layout.off, &at) ||
	    !add_size(at, a->bytes, &end) || end > r->file->len)
		return false;
	memcpy(a->data, r->file->p + at, a->bytes);
	return true;
}

enum status rows_next(struct rows *r, size_t column, int64_t count,
		      struct array **out)
{
	struct column *c = &r->col[column];
	int64_t left = c->layout.dim[0] - c->done, dim[NPY_RANK_MAX];
	int64_t take = count < left ? count : left;

	*out = NULL;
	if (left <= 0)
		return OK;
	memcpy(dim, c->layout.dim, sizeof dim);
	dim[0] = take;
	*out = count ? array_create(r->d, c->layout.dt, c->layout.rank, dim)
		     : array_create(r->d, c->layout.dt, c->layout.rank - 1,
				    dim + 1);
	if (!*out)
		return LIMIT;
	if ((*out)->bytes && !copy_rows(r, c, *out)) {
		array_unref(*out);
		*out = NULL;
		return damaged(r, "the data is shorter than its shape");
	}
	c->done += count ? take : 1;
	return OK;
}

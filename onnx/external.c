/* SPDX-License-Identifier: MIT */
/*
 * external.c -- find and map tensor data that lies beside the model.
 *
 * Names are opened beneath the model's directory only.  If the model path is
 * itself a symbolic link (as model caches make them), the directory of the
 * real file is a second place to look.  Each file is mapped once.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "onnx/external_p.h"
#include "onnx/sha1_p.h"

char *path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	char *dir;

	if (!slash)
		return xstrdup(".");
	if (!n)
		return xstrdup("/");
	dir = xmalloc(n + 1);
	memcpy(dir, path, n);
	dir[n] = '\0';
	return dir;
}

static void find_dirs(struct external *x)
{
	const char *path = x->path;
	struct stat st;
	char *real;

	x->ready = true;
	if (!path || !strcmp(path, "-"))
		return;
	x->dir = path_dir(path);
	if (lstat(path, &st) || !S_ISLNK(st.st_mode))
		return;
	real = realpath(path, NULL);
	if (real)
		x->real_dir = path_dir(real);
	free(real);
}

/* Plain decimal digits, nothing else. */
static bool read_number(struct str s, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < s.n; i++) {
		const unsigned digit = (unsigned)(s.p[i] - '0');

		if (digit > 9 || __builtin_mul_overflow(*v, 10, v) ||
		    __builtin_add_overflow(*v, digit, v))
			return false;
	}
	return s.n > 0;
}

enum key {
	KEY_LOCATION,
	KEY_OFFSET,
	KEY_LENGTH,
	KEY_CHECKSUM,
	KEY_BASEPATH,
	KEY_COUNT
};

static enum key key_of(struct str s)
{
	static const char *const names[KEY_COUNT] = {
		"location", "offset", "length", "checksum", "basepath"};
	unsigned k = 0;

	while (k < KEY_COUNT && !str_is(s, names[k]))
		k++;
	return (enum key)k;
}

static enum status read_entry(struct diag *d, const struct at *at, enum key k,
			      struct str v, struct location *out)
{
	switch (k) {
	case KEY_LOCATION:
		out->path = v;
		return OK;
	case KEY_OFFSET:
		if (read_number(v, &out->offset))
			return OK;
		return diag_error(d, at, E_external,
				  "the offset is no decimal number");
	case KEY_LENGTH:
		out->has_length = true;
		if (read_number(v, &out->length))
			return OK;
		return diag_error(d, at, E_external,
				  "the length is no decimal number");
	case KEY_CHECKSUM:
		out->checksum = v;
		return OK;
	default:
		diag_warn(d, at, E_external,
			  "an entry besides location, offset, length and "
			  "checksum is ignored");
		return OK;
	}
}

enum status location_read(struct diag *d, const struct at *at,
			  Onnx__StringStringEntryProto **e, size_t n,
			  struct location *out)
{
	bool seen[KEY_COUNT + 1] = {false};
	enum status st = OK;

	*out = (struct location){0};
	for (size_t i = 0; !st && i < n; i++) {
		const enum key k = key_of(pb_str(e[i]->key));

		if (seen[k] && k != KEY_COUNT)
			st = diag_error(d, at, E_external,
					"an entry of external_data occurs "
					"twice");
		else
			st = read_entry(d, at, k, pb_str(e[i]->value), out);
		seen[k] = true;
	}
	if (!st && !out->path.n)
		st = diag_error(d, at, E_external,
				"external data has no location");
	return st;
}

static enum status map_file(struct external *x, struct model *m,
			    const struct at *at, struct str name,
			    struct blob **out)
{
	const sym key = intern_str(m->syms, name);
	struct diag mute = {0};
	enum status st = BAD_MODEL;

	*out = map_get_ptr(&x->files, key);
	if (*out)
		return OK;
	if (!x->ready)
		find_dirs(x);
	if (!x->dir)
		return diag_error(m->diag, at, E_external,
				  "a model that is no file has no directory "
				  "for external data");
	if (x->real_dir)
		st = file_map_beneath(&mute, at, x->real_dir, name, out);
	diag_release(&mute);
	if (st)
		st = file_map_beneath(m->diag, at, x->dir, name, out);
	if (st)
		return st;
	map_put_ptr(&x->files, key, *out);
	model_keep_blob(m, *out);
	return OK;
}

static enum status check_sum(struct model *m, const struct at *at,
			     struct str want, const uint8_t *p, size_t n)
{
	char have[41];

	sha1_hex(p, n, have);
	if (want.n == 40 && !strncasecmp(want.p, have, 40))
		return OK;
	return diag_error(m->diag, at, E_external,
			  "the SHA-1 checksum of the data is %s, not the "
			  "stored one",
			  have);
}

enum status external_read(struct external *x, struct model *m,
			  const struct at *at, const struct location *l,
			  size_t need, struct blob **blob, size_t *off)
{
	enum status st = map_file(x, m, at, l->path, blob);
	uint64_t end;

	if (st)
		return st;
	if (l->has_length && l->length != need)
		return diag_error(m->diag, at, E_external,
				  "the length is %llu, the shape needs %zu "
				  "bytes",
				  (unsigned long long)l->length, need);
	if (__builtin_add_overflow(l->offset, need, &end) || end > (*blob)->len)
		return diag_error(m->diag, at, E_external,
				  "%zu bytes at offset %llu run past the end "
				  "of a file of %zu",
				  need, (unsigned long long)l->offset,
				  (*blob)->len);
	*off = (size_t)l->offset;
	if (!l->checksum.n)
		return OK;
	return check_sum(m, at, l->checksum, (*blob)->p + *off, need);
}

void external_release(struct external *x)
{
	free(x->dir);
	free(x->real_dir);
	map_release(&x->files);
}

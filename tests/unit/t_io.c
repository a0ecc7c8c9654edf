/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/io.h"

static char dir[64];
static struct diag diag;

/* A fresh directory, and in it. */
static void enter(void)
{
	strcpy(dir, "/tmp/pare-io-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	diag_init(&diag, NULL);
}

static void leave(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(cmd), 0);
	diag_release(&diag);
}

static unsigned files_here(void)
{
	DIR *d = opendir(".");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void put(const char *path, const char *text)
{
	cr_assert_eq(file_write_all(&diag, path, text, strlen(text), false),
		     OK);
}

static bool holds(const char *path, const char *text)
{
	struct blob *b;
	bool same;

	if (file_map(&diag, path, &b))
		return false;
	same = b->len == strlen(text) && memcmp(b->p, text, b->len) == 0;
	blob_unref(b);
	return same;
}

Test(io, blobs)
{
	static const float one = 1;
	const float *f;
	struct blob *b, *s;
	size_t i;

	enter();
	b = blob_alloc(&diag, 1000);
	cr_assert_eq((uintptr_t)b->p % 64, 0);
	for (i = 0; i < b->len; i++)
		cr_assert_eq(b->p[i], 0);
	cr_assert_eq(limit_memory_used(), 1000);
	blob_unref(blob_ref(b));
	cr_assert_eq(blob_bytes(&diag, b), b->p);
	s = blob_splat(&one, sizeof(one), 4000);
	cr_assert_eq(limit_memory_used(), 1000);
	f = (const void *)blob_bytes(&diag, s);
	for (i = 0; i < 1000; i++)
		cr_assert_eq(f[i], 1);
	cr_assert_eq(limit_memory_used(), 5000);
	limit_set(6000, 0);
	cr_assert_null(blob_alloc(&diag, 1001));
	cr_assert_eq(diag.first, E_memory);
	blob_unref(s);
	s = blob_splat(&one, sizeof(one), 6000);
	cr_assert_null(blob_bytes(&diag, s));
	blob_unref(s);
	blob_unref(b);
	blob_unref(NULL);
	cr_assert_eq(limit_memory_used(), 0);
	limit_set(0, 0);
	cr_assert_null(blob_alloc(&diag, SIZE_MAX));
	cr_assert_null(blob_alloc(&diag, SIZE_MAX / 2));
	b = blob_alloc(&diag, 0);
	cr_assert_not_null(b);
	blob_unref(b);
	limit_set(0, 1e-9);
	cr_assert(!limit_time_ok());
	limit_set(0, 1000);
	cr_assert(limit_time_ok());
	limit_set(0, 0);
	leave();
}

Test(io, map_files)
{
	struct blob *b;

	enter();
	put("a", "hello");
	put("empty", "");
	cr_assert(holds("a", "hello") && holds("empty", ""));
	cr_assert_eq(file_map(&diag, "none", &b), BAD_IO);
	cr_assert_eq(file_map(&diag, ".", &b), BAD_IO);
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	cr_assert_eq(file_map(&diag, "fifo", &b), BAD_IO);
	cr_assert_eq(file_map(&diag, "/dev/zero", &b), BAD_IO);
	cr_assert_null(b);
	cr_assert_eq(diag.first, E_open);
	leave();
}

static enum status beneath(const char *name, size_t n)
{
	struct blob *b;
	enum status st = file_map_beneath(&diag, NULL, "model",
					  (struct str){name, n}, &b);

	if (st == OK) {
		cr_assert_eq(b->len, 5);
		blob_unref(b);
	}
	return st;
}

Test(io, beneath)
{
	static const char *const good[] = {"data", "sub/data", "link", "./data",
					   "sub/../data"};
	static const char *const bad[] = {
		"../secret", "/etc/passwd",   "out",
		"none",      "sub",           "fifo",
		"a\\b",      "outdir/secret", "sub/../../secret"};
	char longer[5000];
	size_t i;

	enter();
	cr_assert_eq(mkdir("model", 0700), 0);
	cr_assert_eq(mkdir("model/sub", 0700), 0);
	put("secret", "12345");
	put("model/data", "12345");
	put("model/sub/data", "12345");
	cr_assert_eq(symlink("sub/data", "model/link"), 0);
	cr_assert_eq(symlink("../secret", "model/out"), 0);
	cr_assert_eq(symlink("..", "model/outdir"), 0);
	cr_assert_eq(mkfifo("model/fifo", 0600), 0);
	for (i = 0; i < countof(good); i++)
		cr_assert_eq(beneath(good[i], strlen(good[i])), OK, "%s",
			     good[i]);
	for (i = 0; i < countof(bad); i++)
		cr_assert_eq(beneath(bad[i], strlen(bad[i])), BAD_MODEL, "%s",
			     bad[i]);
	cr_assert_eq(diag.first, E_external);
	cr_assert_eq(beneath("", 0), BAD_MODEL);
	cr_assert_eq(beneath("data\0x", 6), BAD_MODEL);
	memset(longer, 'x', sizeof(longer));
	cr_assert_eq(beneath(longer, sizeof(longer)), BAD_MODEL);
	cr_assert_eq(diag.nwarning, 0);
	cr_assert_eq(link("model/data", "model/hard"), 0);
	cr_assert_eq(beneath("hard", 4), OK);
	cr_assert_eq(diag.nwarning, 1);
	leave();
}

Test(io, write_replaces)
{
	struct stat st;
	struct outfile *f;

	enter();
	put("a", "old");
	cr_assert_eq(chmod("a", 0640), 0);
	cr_assert_eq(outfile_open(&diag, "a", &f), OK);
	cr_assert_eq(outfile_write(f, "new", 3), OK);
	cr_assert_eq(outfile_tell(f), 3);
	cr_assert_eq(files_here(), 2);
	cr_assert(holds("a", "old"));
	cr_assert_eq(outfile_commit(f, false), OK);
	cr_assert(holds("a", "new"));
	cr_assert_eq(stat("a", &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0640);
	cr_assert_eq(outfile_open(&diag, "a", &f), OK);
	outfile_write(f, "xx", 2);
	outfile_abort(f);
	cr_assert_eq(outfile_open(&diag, "a", &f), OK);
	outfile_cleanup_all();
	cr_assert_eq(files_here(), 1);
	cr_assert_eq(outfile_commit(f, false), BAD_IO);
	cr_assert(holds("a", "new"));
	cr_assert_eq(files_here(), 1);
	leave();
}

Test(io, write_large_and_unchanged)
{
	size_t n = 3000001, i;
	char *p = malloc(n);
	struct stat a, b;
	struct outfile *f;
	struct blob *back;

	enter();
	for (i = 0; i < n; i++)
		p[i] = (char)(i * 2654435761u >> 13);
	cr_assert_eq(outfile_open(&diag, "a", &f), OK);
	for (i = 0; i < 1000; i++)
		outfile_write(f, p + i * 7, 7);
	outfile_write(f, p + 7000, n - 8000);
	for (i = n - 1000; i < n; i++)
		outfile_write(f, p + i, 1);
	cr_assert_eq(outfile_commit(f, false), OK);
	cr_assert_eq(file_map(&diag, "a", &back), OK);
	cr_assert(back->len == n && memcmp(back->p, p, n) == 0);
	blob_unref(back);
	cr_assert_eq(stat("a", &a), 0);
	cr_assert_eq(file_write_all(&diag, "a", p, n, true), OK);
	cr_assert_eq(stat("a", &b), 0);
	cr_assert_eq(a.st_ino, b.st_ino);
	p[n / 2] ^= 1;
	cr_assert_eq(file_write_all(&diag, "a", p, n, true), OK);
	cr_assert_eq(stat("a", &b), 0);
	cr_assert_neq(a.st_ino, b.st_ino);
	cr_assert_eq(files_here(), 1);
	free(p);
	leave();
}

Test(io, write_targets)
{
	char longest[256];
	struct stat st;

	enter();
	/* A device is written, not replaced. */
	put("/dev/null", "x");
	cr_assert(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	/* A link is followed. */
	put("real", "old");
	cr_assert_eq(symlink("real", "link"), 0);
	put("link", "new");
	cr_assert(holds("real", "new"));
	cr_assert(lstat("link", &st) == 0 && S_ISLNK(st.st_mode));
	memset(longest, 'n', 255);
	longest[255] = '\0';
	put(longest, "x");
	cr_assert(holds(longest, "x"));
	cr_assert_eq(file_write_all(&diag, "no/such/dir", "x", 1, false),
		     BAD_IO);
	cr_assert_eq(file_write_all(&diag, ".", "x", 1, false), BAD_IO);
	cr_assert_eq(file_write_all(&diag, "new/", "x", 1, false), BAD_IO);
	cr_assert_eq(file_write_all(&diag, "/dev/full", "x", 1, false), BAD_IO);
	cr_assert_eq(files_here(), 3);
	leave();
}

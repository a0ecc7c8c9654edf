/* SPDX-License-Identifier: MIT */
/*
 * outfile.c -- output files that are old or new, never a mix.
 *
 * Bytes go to `.NAME.pare-XXXXXX` in the target's directory; commit flushes
 * it to disk, renames it and flushes the directory.  Devices and pipes are
 * written directly.  Open temporaries stand in a table for signal handlers.
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"

enum { BUFFER = 256 << 10, OPEN_MAX_FILES = 64, NAME_BYTES = 255 };

struct outfile {
	struct diag *diag;
	char *path;   /* as given, for messages */
	char *target; /* name within dir; NULL: written directly */
	char tmp[NAME_BYTES + 1];
	int dir, fd;
	uint64_t written; /* bytes accepted */
	size_t n;         /* bytes in buf */
	int err;          /* first errno; reported once */
	enum status status;
	uint8_t *buf;
};

static _Atomic(struct outfile *) open_files[OPEN_MAX_FILES];

void outfile_cleanup_all(void)
{
	struct outfile *f;
	size_t i;

	for (i = 0; i < countof(open_files); i++) {
		f = atomic_exchange(&open_files[i], NULL);
		if (f)
			unlinkat(f->dir, f->tmp, 0);
	}
}

static bool enlist(struct outfile *f)
{
	struct outfile *none;
	size_t i;

	for (i = 0; i < countof(open_files); i++) {
		none = NULL;
		if (atomic_compare_exchange_strong(&open_files[i], &none, f))
			return true;
	}
	return false;
}

static void delist(struct outfile *f)
{
	struct outfile *self;
	size_t i;

	for (i = 0; i < countof(open_files); i++) {
		self = f;
		if (atomic_compare_exchange_strong(&open_files[i], &self, NULL))
			return;
	}
}

/* The first failure of a file is reported, the others follow from it. */
static enum status fail(struct outfile *f, const char *what, int err)
{
	struct at at = {.file = f->path};

	if (f->status)
		return f->status;
	f->err = err;
	f->status = diag_error(f->diag, &at, E_write, "%s: %s", what,
			       strerror(err));
	return f->status;
}

static void release(struct outfile *f)
{
	if (f->fd >= 0 && f->fd != STDOUT_FILENO)
		close(f->fd);
	if (f->dir >= 0)
		close(f->dir);
	free(f->buf);
	free(f->path);
	free(f->target);
	free(f);
}

static void random_name(struct outfile *f)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz012345";
	char suffix[] = ".pare-XXXXXXXX";
	uint64_t r = 0;
	size_t i, keep = strlen(f->target);

	if (getrandom(&r, sizeof(r), 0) < 0)
		r = hash_mix((uint64_t)getpid() ^ (uint64_t)(uintptr_t)f);
	for (i = 6; i < sizeof(suffix) - 1; i++, r >>= 5)
		suffix[i] = digits[r & 31];
	if (keep > NAME_BYTES - sizeof(suffix))
		keep = NAME_BYTES - sizeof(suffix);
	snprintf(f->tmp, sizeof(f->tmp), ".%.*s%s", (int)keep, f->target,
		 suffix);
}

/* mode: of the file to be replaced, or -1.  0, or an errno. */
static int create_temporary(struct outfile *f, int mode)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int tries;

	for (tries = 0; tries < 100; tries++) {
		random_name(f);
		f->fd = openat(f->dir, f->tmp, flags,
			       mode < 0 ? 0666 : (mode_t)mode);
		if (f->fd >= 0 || errno != EEXIST)
			break;
	}
	if (f->fd < 0)
		return errno;
	if (mode >= 0 && fchmod(f->fd, (mode_t)mode) < 0)
		return errno;
	return enlist(f) ? 0 : EMFILE;
}

/* Split path, links followed, into an open directory and a name. */
static int find_target(struct outfile *f)
{
	char *real = realpath(f->path, NULL);
	char *copy = real ? real : xstrdup(f->path);
	char *slash = strrchr(copy, '/'), *dir = copy;
	int err = 0;

	f->target = xstrdup(slash ? slash + 1 : copy);
	if (!slash)
		dir = NULL;
	else if (slash == copy)
		slash[1] = '\0';
	else
		*slash = '\0';
	f->dir = open(dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A directory may be writable, yet not readable. */
	if (f->dir < 0 && errno == EACCES)
		f->dir =
			open(dir ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		err = errno;
	else if (!*f->target)
		err = EISDIR;
	free(copy);
	return err;
}

/* A temporary and its entry in the table appear together. */
static int open_atomic(struct outfile *f)
{
	int err = find_target(f), mode = -1;
	sigset_t all, old;
	struct stat st;

	if (err)
		return err;
	if (fstatat(f->dir, f->target, &st, 0) == 0)
		mode = (int)(st.st_mode & 0777);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = create_temporary(f, mode);
	if (err && f->fd >= 0)
		unlinkat(f->dir, f->tmp, 0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static enum status open_at(struct outfile *f)
{
	struct at at = {.file = f->path};
	struct stat st;
	int err = 0;

	if (strcmp(f->path, "-") == 0) {
		f->fd = STDOUT_FILENO;
	} else if (stat(f->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		/* Renaming over a device would replace the device. */
		f->fd = open(f->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		if (f->fd < 0)
			err = errno;
	} else {
		err = open_atomic(f);
	}
	if (err) {
		fail(f, "cannot create", err);
		if (err == ENOENT)
			diag_hint(f->diag, "make its folder first");
		else if (err == EISDIR)
			diag_hint(f->diag, "name a file in it");
		return BAD_IO;
	}
	if (!f->target && isatty(f->fd))
		return diag_error(f->diag, &at, E_tty,
				  "binary output is not written to a terminal");
	return OK;
}

enum status outfile_open(struct diag *d, const char *path, struct outfile **out)
{
	struct outfile *f = xcalloc(1, sizeof(*f));
	enum status st;

	f->diag = d;
	f->path = xstrdup(path);
	f->dir = f->fd = -1;
	st = open_at(f);
	if (st) {
		release(f);
		f = NULL;
	} else {
		f->buf = xmalloc(BUFFER);
	}
	*out = f;
	return st;
}

static enum status write_fully(struct outfile *f, const uint8_t *p, size_t n)
{
	ssize_t k;

	while (n) {
		k = write(f->fd, p, n < 1u << 30 ? n : 1u << 30);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return fail(f, "cannot write", k < 0 ? errno : EIO);
		p += k;
		n -= (size_t)k;
	}
	return OK;
}

static enum status flush(struct outfile *f)
{
	size_t n = f->n;

	f->n = 0;
	return f->status ? f->status : write_fully(f, f->buf, n);
}

enum status outfile_write(struct outfile *f, const void *p, size_t n)
{
	if (f->status)
		return f->status;
	f->written += n;
	if (n > BUFFER - f->n && flush(f))
		return f->status;
	if (n >= BUFFER)
		return write_fully(f, p, n);
	if (n)
		memcpy(f->buf + f->n, p, n);
	f->n += n;
	return OK;
}

uint64_t outfile_tell(const struct outfile *f)
{
	return f->written;
}

/* Some file systems cannot flush; that is their contract, not an error. */
static bool sync_fd(int fd)
{
	int r;

	do
		r = fsync(fd);
	while (r < 0 && errno == EINTR);
	return r == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
}

/* Bytes read into p, short only at the end; -1 on error. */
static ssize_t read_chunk(int fd, uint8_t *p, size_t n, uint64_t off)
{
	size_t have = 0;
	ssize_t k;

	while (have < n) {
		k = pread(fd, p + have, n - have, (off_t)(off + have));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		have += (size_t)k;
	}
	return (ssize_t)have;
}

static bool same_content(int a, int b, uint64_t size, uint8_t *buf)
{
	const size_t half = BUFFER / 2;
	uint64_t off;
	ssize_t n;

	for (off = 0; off < size; off += half) {
		n = read_chunk(a, buf, half, off);
		if (n <= 0 || read_chunk(b, buf + half, half, off) != n ||
		    memcmp(buf, buf + half, (size_t)n) != 0)
			return false;
	}
	return true;
}

/* Does the target hold the same bytes already?  Uses the empty buffer. */
static bool unchanged(struct outfile *f)
{
	struct stat st;
	bool same = false;
	int fd = openat(f->dir, f->target, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size == f->written)
		same = same_content(f->fd, fd, f->written, f->buf);
	close(fd);
	return same;
}

static void drop_temporary(struct outfile *f)
{
	if (f->target)
		unlinkat(f->dir, f->tmp, 0);
	delist(f);
}

static enum status replace_target(struct outfile *f)
{
	struct at at = {.file = f->path};
	int fd = f->fd;

	if (!sync_fd(fd))
		return fail(f, "cannot flush", errno);
	f->fd = -1;
	if (close(fd) < 0 && errno != EINTR)
		return fail(f, "cannot close", errno);
	if (renameat(f->dir, f->tmp, f->dir, f->target) < 0)
		return fail(f, "cannot rename the finished file", errno);
	delist(f);
	free(f->target);
	f->target = NULL;
	/* The new file stands: no failure any more, whatever happens to it. */
	if (!sync_fd(f->dir) && errno != EBADF)
		diag_warn(f->diag, &at, E_write,
			  "the file is complete, but its directory cannot be "
			  "flushed: %s",
			  strerror(errno));
	return OK;
}

enum status outfile_commit(struct outfile *f, bool if_changed)
{
	enum status st = flush(f);

	if (!st && f->target && !(if_changed && unchanged(f)))
		st = replace_target(f);
	drop_temporary(f);
	release(f);
	return st;
}

void outfile_abort(struct outfile *f)
{
	if (!f)
		return;
	drop_temporary(f);
	release(f);
}

enum status file_write_all(struct diag *d, const char *path, const void *p,
			   size_t n, bool if_changed)
{
	struct outfile *f;
	enum status st = outfile_open(d, path, &f);

	if (st)
		return st;
	outfile_write(f, p, n);
	return outfile_commit(f, if_changed);
}

/* SPDX-License-Identifier: MIT */
/*
 * file.c -- input files: mapped, regular, and for external data confined to
 * a directory.
 *
 * Names that a model gives are opened with openat2(RESOLVE_BENEATH); where
 * the kernel lacks it, component by component without following links.
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/io_p.h"

enum { NAME_LIMIT = 4096, STDIN_CHUNK = 1 << 16 };

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
static const int READ_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

/* Map fd; NULL with errno set, 0 if it is no regular file. */
static struct blob *map_fd(int fd, nlink_t *nlink)
{
	static uint8_t empty[1];
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (nlink)
		*nlink = st.st_nlink;
	errno = S_ISDIR(st.st_mode) ? EISDIR : 0;
	if (!S_ISREG(st.st_mode))
		return NULL;
	if (st.st_size == 0)
		return blob_map(empty, 0);
	errno = EFBIG;
	if ((off_t)(size_t)st.st_size != st.st_size)
		return NULL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : blob_map(p, (size_t)st.st_size);
}

static const char *reason(int err)
{
	return err ? strerror(err) : "not a regular file";
}

/* Twice the room, old bytes kept; NULL if that is over the limit. */
static struct blob *stdin_grow(struct diag *d, struct blob *old, size_t used)
{
	struct blob *b = blob_alloc(d, old ? old->len * 2 : STDIN_CHUNK);

	if (b && used)
		memcpy(b->p, old->p, used);
	blob_unref(old);
	return b;
}

static enum status read_stdin(struct diag *d, struct blob **out)
{
	struct blob *b = NULL;
	size_t used = 0;
	ssize_t n;

	/* A redirected file need not be copied. */
	if (lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
		*out = map_fd(STDIN_FILENO, NULL);
	if (*out)
		return OK;
	b = stdin_grow(d, NULL, 0);
	while (b) {
		n = read(STDIN_FILENO, b->p + used, b->len - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			blob_unref(b);
			return diag_error(d, NULL, E_read, "standard input: %s",
					  strerror(errno));
		}
		if (n == 0)
			break;
		used += (size_t)n;
		if (used == b->len)
			b = stdin_grow(d, b, used);
	}
	if (!b)
		return LIMIT;
	/* blob_unref() will give back len bytes. */
	limit_release(b->len - used);
	b->len = used;
	*out = b;
	return OK;
}

static enum status cannot_open(struct diag *d, const char *path, int err)
{
	struct at at = {.file = path};
	char cwd[4096];

	diag_error(d, &at, E_open, "cannot open: %s", strerror(err));
	if (err == ENOENT && *path != '/' && getcwd(cwd, sizeof cwd))
		diag_hint(d, "it is looked for in the current folder, '%s'",
			  cwd);
	else if (err == EACCES)
		diag_hint(d, "'ls -l' shows who may read it");
	return BAD_IO;
}

enum status file_map(struct diag *d, const char *path, struct blob **out)
{
	struct at at = {.file = path};
	enum status st = OK;
	int fd;

	*out = NULL;
	if (strcmp(path, "-") == 0)
		return read_stdin(d, out);
	fd = open(path, READ_FLAGS);
	if (fd < 0)
		return cannot_open(d, path, errno);
	*out = map_fd(fd, NULL);
	if (!*out)
		st = diag_error(d, &at, E_open, "cannot read: %s",
				reason(errno));
	close(fd);
	return st;
}

/* One component at a time, no links, nothing above dir. */
static int open_stepwise(int dir, char *name)
{
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 0), next, err;
	char *save = NULL, *part = strtok_r(name, "/", &save), *rest;

	while (part && at >= 0) {
		rest = strtok_r(NULL, "/", &save);
		errno = EXDEV;
		if (strcmp(part, "..") == 0)
			next = -1;
		else if (rest)
			next = openat(at, part,
				      O_PATH | O_DIRECTORY | O_NOFOLLOW |
					      O_CLOEXEC);
		else
			next = openat(at, part, READ_FLAGS | O_NOFOLLOW);
		err = errno;
		close(at);
		errno = err;
		at = next;
		part = rest;
	}
	return at;
}

static int open_beneath(int dir, const char *name)
{
	struct open_how how = {
		.flags = (uint64_t)READ_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int tries, fd = -1, err;
	char *copy;

	/* EAGAIN: a rename raced with the walk. */
	for (tries = 0; tries < 8; tries++) {
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	/* EPERM: filters of older sandboxes refuse what they do not know. */
	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	copy = xstrdup(name);
	fd = open_stepwise(dir, copy);
	err = errno;
	free(copy);
	errno = err;
	return fd;
}

/* Why a name is refused before any file is touched; NULL: it is not. */
static const char *bad_name(struct str name)
{
	if (name.n == 0)
		return "the name is empty";
	if (name.n >= NAME_LIMIT)
		return "the name is too long";
	if (memchr(name.p, '\0', name.n))
		return "the name holds a NUL byte";
	if (memchr(name.p, '\\', name.n))
		return "the name holds a backslash";
	if (name.p[0] == '/')
		return "the name is absolute";
	return NULL;
}

static enum status refuse(struct diag *d, const struct at *at, struct str name,
			  const char *why)
{
	struct buf b = {0};
	enum status st;

	if (name.n > 200)
		name.n = 200;
	buf_escaped(&b, name);
	st = diag_error(d, at, E_external, "external data '%s': %s",
			b.n ? b.p : "", why);
	buf_release(&b);
	return st;
}

/* Open, map, close; errno as map_fd() leaves it. */
static struct blob *map_beneath(const char *dir, const char *name,
				nlink_t *nlink)
{
	int dfd = open(*dir ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct blob *b = NULL;
	int fd = -1, err;

	if (dfd >= 0)
		fd = open_beneath(dfd, name);
	if (fd >= 0)
		b = map_fd(fd, nlink);
	err = errno;
	if (fd >= 0)
		close(fd);
	if (dfd >= 0)
		close(dfd);
	errno = err;
	return b;
}

enum status file_map_beneath(struct diag *d, const struct at *at,
			     const char *dir, struct str name,
			     struct blob **out)
{
	const char *why = bad_name(name);
	nlink_t nlink = 1;
	char *copy;
	int err;

	*out = NULL;
	if (why)
		return refuse(d, at, name, why);
	copy = xmalloc(name.n + 1);
	memcpy(copy, name.p, name.n);
	copy[name.n] = '\0';
	*out = map_beneath(dir, copy, &nlink);
	err = errno;
	free(copy);
	if (*out && nlink > 1)
		diag_warn(d, at, E_external,
			  "the external data file has %ju hard links",
			  (uintmax_t)nlink);
	if (*out)
		return OK;
	if (err == EXDEV || err == ELOOP)
		return refuse(d, at, name,
			      "it lies outside of the model's directory");
	return refuse(d, at, name, reason(err));
}

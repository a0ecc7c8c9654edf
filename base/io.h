/* SPDX-License-Identifier: MIT */
/*
 * io.h -- mapped input files, reference-counted payloads, atomic output.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "base/diag.h"
#include "base/util.h"

/* Payload bytes.  Immutable once shared; freed with the last reference. */
enum blob_kind { BLOB_MAP, BLOB_HEAP, BLOB_SPLAT };

struct blob {
	enum blob_kind kind;
	uint32_t nref;
	uint8_t *p;    /* SPLAT: one element of elem bytes */
	size_t len;    /* logical length in bytes, SPLAT included */
	size_t elem;   /* SPLAT: bytes of the element */
	uint8_t *flat; /* SPLAT: materialized on first blob_bytes() */
};

/* Heap payload, 64-byte aligned, zeroed; NULL with E-memory when over the
 * limit.  nref is 1. */
struct blob *blob_alloc(struct diag *d, size_t len);
/* The same with undefined contents, for what will be overwritten whole. */
struct blob *blob_alloc_dirty(struct diag *d, size_t len);
/* len bytes that repeat the element of elem bytes at p. */
struct blob *blob_splat(const void *p, size_t elem, size_t len);
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b); /* NULL is fine */
/* Bytes [p, p + n) of b will not be read soon: where they are mapped from a
 * file, their memory goes back to the system.  They stay readable. */
void blob_forget(const struct blob *b, const void *p, size_t n);
/* Flat bytes; materializes a splat, NULL with E-memory if that fails. */
const uint8_t *blob_bytes(struct diag *d, struct blob *b);

/* Map a regular file read-only.  "-" reads standard input to the heap. */
enum status file_map(struct diag *d, const char *path, struct blob **out);
/* Map a file named relative to dir, never leaving dir (openat2
 * RESOLVE_BENEATH, or component by component); E-external on refusal. */
enum status file_map_beneath(struct diag *d, const struct at *at,
			     const char *dir, struct str name,
			     struct blob **out);

/* One atomic output file: everything goes to a temporary name in the target
 * directory; outfile_commit flushes, renames and flushes the directory. */
struct outfile;
/* path "-" is standard output (refused on a terminal: E-tty). */
enum status outfile_open(struct diag *d, const char *path,
			 struct outfile **out);
enum status outfile_write(struct outfile *f, const void *p, size_t n);
uint64_t outfile_tell(const struct outfile *f);
/* Flush and rename.  if_changed: keep an existing equal file and its mtime.
 * Frees f, also on failure (then the old file is untouched). */
enum status outfile_commit(struct outfile *f, bool if_changed);
void outfile_abort(struct outfile *f); /* frees f, removes the temporary */
/* Remove temporaries that are still open: for signal handlers. */
void outfile_cleanup_all(void);
/* Whole file from memory, atomically. */
enum status file_write_all(struct diag *d, const char *path, const void *p,
			   size_t n, bool if_changed);

/* No single allocation is larger, whatever the limits: 512 GiB. */
#define LIMIT_ALLOC ((size_t)1 << (sizeof(size_t) > 4 ? 39 : 30))
/* Process-wide limits.  0: none. */
void limit_set(size_t max_memory, double seconds);
bool limit_memory_ok(size_t more); /* would `more` heap bytes fit */
bool limit_time_ok(void);
size_t limit_memory_used(void); /* live payload and arena bytes */
/* Account for memory that is not a blob's (arenas, planned memory). */
void limit_charge(size_t bytes);
void limit_release(size_t bytes);

#endif

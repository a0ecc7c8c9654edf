/* SPDX-License-Identifier: MIT */
/*
 * pare.h -- the C interface of libpare: open a model, optimize it, save it.
 *
 *	struct pare *p = pare_create();
 *
 *	if (pare_open(p, "in.onnx") || pare_optimize(p, NULL) ||
 *	    pare_save(p, "out.onnx", NULL))
 *		fprintf(stderr, "%s: %s\n", pare_code(p), pare_error(p));
 *	pare_free(p);
 *
 * Conventions
 *	- Structures are opaque or plain options.  Options are passed by
 *	  address; NULL stands for all defaults, zero for the default of a
 *	  member.
 *	- Functions that can fail return enum pare_status.  After a failure
 *	  the model is what it was before the call, and pare_error() says why.
 *	- A struct pare is used by one thread at a time; several of them may
 *	  be used by several threads, one after the other: the thread pool and
 *	  the limits belong to the process.
 *	- Small allocations that fail end the process with status 5; what
 *	  takes its size from a file is refused with PARE_LIMIT instead.
 *	- Link with -lpare -lprotobuf-c -lzip -ljansson -lxxhash -lz -lm
 *	  -lpthread.
 */
#ifndef PARE_H
#define PARE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version and limits ---- */

/* "1.2.3" of the library linked. */
const char *pare_version(void);

/*
 * Limits of the process: bytes of tensor data alive at a time, and seconds
 * from now.  0: none.  What would exceed them fails with PARE_LIMIT.
 */
void pare_set_limits(size_t max_memory, double seconds);

/* Threads used; 0: environment PARE_THREADS, or one per CPU.  Results do not
 * depend on it. */
void pare_set_threads(unsigned n);

/* ---- Errors ---- */

/* Also the exit codes of the command. */
enum pare_status {
	PARE_OK = 0,
	PARE_NO = 1,        /* the answer is no: results differ */
	PARE_USAGE = 2,     /* an argument is wrong */
	PARE_BAD_MODEL = 3, /* invalid or unsupported model */
	PARE_BAD_IO = 4,    /* a file cannot be read or written */
	PARE_LIMIT = 5      /* memory, time or size */
};

/* ---- Handles ---- */

struct pare;

/* A handle without a model.  Never NULL. */
struct pare *pare_create(void);
/* NULL is fine. */
void pare_free(struct pare *p);

/* The first error of the last call that takes p and returns a status, with
 * file, node and slot; "" if it had none.  Valid until the next such call. */
const char *pare_error(const struct pare *p);
/* Its stable code ("E-shape"), or "". */
const char *pare_code(const struct pare *p);
/* Paragraphs that explain a code; NULL if there is no such code. */
const char *pare_explain(const char *code);
/*
 * Print the messages of each call when it returns.  out NULL: print nothing,
 * the default.  verbosity: -1 errors only, 0 normal, 1 and 2 more.
 */
void pare_set_log(struct pare *p, FILE *out, int verbosity);

/* ---- Reading ---- */

/*
 * Open an ONNX or .pare file, told apart by content; "-" is standard input.
 * The file is mapped: it must not change while p is in use.  Replaces the
 * model that p held, unless opening fails.
 */
enum pare_status pare_open(struct pare *p, const char *path);

/* The same from memory, which is copied.  name is for messages, and external
 * data is looked for beside it; may be NULL. */
enum pare_status pare_open_memory(struct pare *p, const void *data, size_t n,
				  const char *name);

/* ---- Optimizing ---- */

struct pare_optimize_options {
	/*
	 * Passes, as in "fold,fix(canon,cse,dce)", or an alias: "O1", "O2"
	 * (the default), "O3".
	 */
	const char *pipeline;
	const char *const *disable; /* passes and rules; ends with NULL */
	int fast_math;              /* rules that round differently, too */
	int allow_growth;           /* keep a result that is larger */
	int no_check;               /* do not run result against original */
	uint64_t seed;              /* of generated inputs; 0: 1 */
	double check_seconds;       /* budget of the check; 0: 60 */
	size_t check_memory;        /* 0: 4 GiB */
};

/*
 * Run a pipeline.  The result is executed against the model as it was, on
 * generated inputs; if they differ, returns PARE_NO with code E-verify and
 * keeps the old model.  So it does, with PARE_OK, if the result would be a
 * larger file.
 */
enum pare_status pare_optimize(struct pare *p,
			       const struct pare_optimize_options *o);

/* How the last pare_optimize() was checked. */
enum pare_check {
	PARE_CHECK_NONE,   /* nothing changed, or not asked, or neither
			      way is possible */
	PARE_CHECK_WHOLE,  /* whole models were run */
	PARE_CHECK_REGIONS /* what each rewrite replaced was run */
};
enum pare_check pare_check_mode(const struct pare *p);
/* Rewrites that the last pare_optimize() made and kept. */
uint64_t pare_rewrites(const struct pare *p);

/* Check a model against the ONNX rules; the first broken one is the error,
 * all are logged. */
enum pare_status pare_validate(struct pare *p);

/* ---- Asking ---- */

struct pare_counts {
	uint64_t nodes;      /* of all graphs, Constant nodes not counted */
	uint64_t parameters; /* elements of weights */
	uint64_t weight_bytes;
	uint64_t macs;       /* multiply-accumulates of one run; symbolic
				dimensions count as 1 */
	uint64_t file_bytes; /* as an ONNX file, all data inside */
};

enum pare_status pare_count(struct pare *p, struct pare_counts *out);

/* The interface of the main graph.  Names are valid as long as the model is;
 * NULL if i is out of range. */
size_t pare_input_count(const struct pare *p);
size_t pare_output_count(const struct pare *p);
const char *pare_input_name(const struct pare *p, size_t i);
const char *pare_output_name(const struct pare *p, size_t i);
/* "float[N,3,224,224]", in the ONNX text syntax. */
const char *pare_input_type(const struct pare *p, size_t i);
const char *pare_output_type(const struct pare *p, size_t i);

/* ---- Writing ---- */

enum pare_format {
	PARE_BY_NAME, /* .pare if the name ends so, else ONNX */
	PARE_ONNX,
	PARE_NATIVE
};

enum pare_external {
	PARE_EXTERNAL_KEEP, /* inline stays inline, external external */
	PARE_EXTERNAL_ALL,  /* tensors of 1024 bytes and more */
	PARE_EXTERNAL_NONE  /* everything inline */
};

struct pare_save_options {
	enum pare_format format;
	enum pare_external external; /* ONNX only */
	int compress;                /* .pare only */
	int if_changed;              /* keep an equal file and its time stamp */
};

/*
 * Write the model atomically: the old file or the new one is there at every
 * moment, and path may be the file that was opened.  "-" is standard output.
 */
enum pare_status pare_save(struct pare *p, const char *path,
			   const struct pare_save_options *o);

/* The model as ONNX bytes, everything inline.  free() *data. */
enum pare_status pare_save_memory(struct pare *p, void **data, size_t *n);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * diag.h -- error and warning messages: one code each, one place to list them.
 *
 * base/diag.def holds every code with its class, summary and explanation.
 * A function that fails on its input ends in `return diag_error(...)`.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdio.h>
#include "base/buf.h"
#include "base/util.h"

enum diag_code {
#define DIAG(id, name, status, summary, explain) E_##id,
#include "base/diag.def"
#undef DIAG
	DIAG_COUNT
};

/* Where: printed as `FILE: GRAPH/NODE (OP) SLOT: `, absent parts left out.
 * The strings are borrowed for the duration of the call. */
struct at {
	const char *file;
	const char *graph; /* "main/if_3.then" */
	struct str node, op;
	struct str slot; /* "input 1 'w'" or "attribute axis" */
};

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE, DIAG_HINT };

struct diag_info {
	const char *name; /* "E-shape" */
	enum status status;
	const char *summary; /* one line */
	const char *explain; /* paragraphs for `pare explain` */
};

/* A sink.  Zeroed with out == NULL it swallows the text but counts. */
struct diag {
	FILE *out;
	const char *file; /* default for at.file; borrowed */
	int verbosity;    /* -1 quiet, 0 normal, 1 -v, 2 -vv */
	bool json;        /* one JSON object per line instead of text */
	unsigned nerror, nwarning;
	enum diag_code first; /* code of the first error */
	struct buf last;      /* text of the last error, without the prefix */
	unsigned repeat[DIAG_COUNT]; /* messages per code; capped at 20 */
	bool colour;
	bool muted; /* the last message was not printed */
};

void diag_init(struct diag *d, FILE *out);
void diag_release(struct diag *d);
/* Record and print; returns the code's status, never OK.  at may be NULL. */
enum status diag_error(struct diag *d, const struct at *at, enum diag_code code,
		       const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void diag_warn(struct diag *d, const struct at *at, enum diag_code code,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A follow-up line to the last message: what to do next. */
void diag_hint(struct diag *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Chatter, printed at verbosity >= level. */
void diag_note(struct diag *d, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const struct diag_info *diag_info(enum diag_code code);
/* Find a code by its printed name ("E-shape"); NULL if there is none. */
const struct diag_info *diag_find(const char *name);

#endif

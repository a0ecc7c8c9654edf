/* SPDX-License-Identifier: MIT */
/*
 * watch.h -- looking at a run: --trace and --profile.
 */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include <jansson.h>
#include "cli/cli.h"
#include "runtime/runtime.h"

/* ---- where execution is (frames.c) ---- */

/* A stack of the bodies being run; zeroed: in the main graph. */
struct frames {
	VEC(struct level {
		const struct node *n; /* whose body runs */
		const struct graph *g;
		const struct node *last; /* whose body ran last in it */
		const struct graph *last_g;
		uint64_t times; /* how often it did in a row */
		uint64_t number;
		double inner;   /* seconds of nodes that ran in it */
		double pending; /* of bodies of the node that runs in it */
	})
	level;
};

void frames_change(struct frames *f, const struct node *n,
		   const struct graph *g, bool begins);
/* The innermost level; made when there is none yet. */
struct level *frames_top(struct frames *f);
/* "main/loop_3.body#2": names as they are in the model, the number of an
 * iteration after '#'. */
void frames_path(const struct frames *f, struct buf *b);
void frames_release(struct frames *f);

/* ---- --trace (trace.c) ---- */

/* Prints a line per value to standard output, or collects JSON objects. */
struct trace;
struct trace *trace_create(struct model *m, bool json);
void trace_value(struct trace *t, const struct frames *f, const struct value *v,
		 const struct array *a);
json_t *trace_take(struct trace *t); /* the array collected */
void trace_free(struct trace *t);    /* NULL is fine */

/* ---- --profile (profile.c) ---- */

/* Time, arithmetic and memory traffic per operator and per node. */
struct profile;
/* events: keep one per node run, for profile_events(). */
struct profile *profile_create(struct model *m, bool events);
void profile_node(struct profile *p, struct frames *f,
		  const struct exec_event *e);
void profile_table(struct profile *p, FILE *out);
json_t *profile_json(struct profile *p);
/* Write the events in Chrome's trace event format. */
enum status profile_events(struct profile *p, const char *path);
void profile_free(struct profile *p); /* NULL is fine */

#endif

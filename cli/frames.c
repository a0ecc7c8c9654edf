/* SPDX-License-Identifier: MIT */
/*
 * frames.c -- where execution is: the stack of bodies that run.
 */
#include <inttypes.h>
#include "cli/watch.h"

struct level *frames_top(struct frames *f)
{
	if (!f->level.n)
		vec_push(&f->level, ((struct level){0}));
	return &f->level.p[f->level.n - 1];
}

static void begin(struct frames *f, const struct node *n, const struct graph *g)
{
	struct level *top = frames_top(f);

	if (top->last != n || top->last_g != g)
		top->times = 0;
	top->last = n;
	top->last_g = g;
	vec_push(&f->level,
		 ((struct level){.n = n, .g = g, .number = top->times++}));
}

static void end(struct frames *f)
{
	struct level done = vec_pop(&f->level);

	frames_top(f)->pending += done.inner;
}

void frames_change(struct frames *f, const struct node *n,
		   const struct graph *g, bool begins)
{
	if (begins)
		begin(f, n, g);
	else
		end(f);
}

void frames_path(const struct frames *f, struct buf *b)
{
	buf_puts(b, "main");
	for (size_t i = 1; i < f->level.n; i++) {
		const struct level *l = &f->level.p[i];

		buf_putc(b, '/');
		buf_escaped(b, node_label(l->n));
		if (!l->g->owner) /* a function */
			continue;
		buf_putc(b, '.');
		buf_escaped(b, graph_role(l->g));
		if (!node_is(l->n, OP_If))
			buf_printf(b, "#%" PRIu64, l->number);
	}
}

void frames_release(struct frames *f)
{
	vec_release(&f->level);
}

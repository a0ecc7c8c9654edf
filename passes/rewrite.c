/* SPDX-License-Identifier: MIT */
/*
 * rewrite.c -- the rewrite engine: which rule is tried where, and when.
 *
 * 1. Rules are chosen by the operator of the root and tried in the order of
 *    the files, and of lines within a file: put the special before the general.
 * 2. Nodes wait in a queue in topological order, outer graphs first.  After a
 *    rewrite its new nodes, the users of the new value and the neighbours of
 *    what went are queued again.
 * 3. An attempt is atomic: match, guards, patch, types, profit, permission;
 *    only then anything changes.
 * 4. The set of rules terminates: see rw_splice.c.  A debug build aborts if
 *    canonical rules do not.
 */
#include <stdlib.h>
#include <string.h>
#include "passes/pass_p.h"
#include "passes/rewrite_p.h"

struct entry {
	uint64_t graph; /* position in model_graphs() */
	struct node *n;
};

struct engine {
	struct pass_run *r;
	VEC(struct entry) heap;
	struct map graphs; /* graph -> position */
	/* rows[first[op] .. first[op + 1]) are those of an operator */
	uint32_t first[OP_COUNT + 1];
	const struct rw_row **rows;
	struct rewrite w;
	struct buf why;
	uint64_t done, most;
};

/* ---- the queue ---- */

/* Order numbers may be renewed, but never change their order. */
static bool entry_before(const struct entry *a, const struct entry *b)
{
	return a->graph != b->graph ? a->graph < b->graph
				    : a->n->order < b->n->order;
}

static void queue_push(struct engine *e, struct node *n)
{
	const uint64_t *g = map_get(&e->graphs, map_ptr_key(n->graph));
	struct entry x = {g ? *g : 0, n};
	size_t i = e->heap.n;

	if (!g || node_is(n, OP_RETURN))
		return;
	vec_push(&e->heap, x);
	for (; i && entry_before(&x, &e->heap.p[(i - 1) / 2]); i = (i - 1) / 2)
		e->heap.p[i] = e->heap.p[(i - 1) / 2];
	e->heap.p[i] = x;
}

static struct node *queue_pop(struct engine *e)
{
	struct entry *h = e->heap.p, last = e->heap.p[e->heap.n - 1];
	struct node *n = h[0].n;
	size_t i = 0, k, end = --e->heap.n;

	for (; (k = 2 * i + 1) < end; i = k) {
		if (k + 1 < end && entry_before(&h[k + 1], &h[k]))
			k++;
		if (!entry_before(&h[k], &last))
			break;
		h[i] = h[k];
	}
	if (end)
		h[i] = last;
	return n;
}

static void queue_fill(struct engine *e)
{
	graph_vec g = {0};
	struct node *n;

	model_graphs(e->r->m, &g);
	for (size_t i = 0; i < g.n; i++) {
		map_put(&e->graphs, map_ptr_key(g.p[i]), i);
		graph_foreach (n, g.p[i])
			queue_push(e, n);
	}
	vec_release(&g);
}

/* ---- the rules ---- */

static bool rule_wanted(const struct pass_run *r, const struct rw_rule *rule,
			bool fast_math)
{
	return (fast_math || strcmp(rule->class, "fast-math") != 0) &&
	       !pass_disabled(r, rule->name);
}

static void index_rows(struct engine *e, bool fast_math)
{
	uint32_t n = 0;

	e->rows = xcalloc(rw_nrow, sizeof *e->rows);
	for (int op = 0; op < OP_COUNT; op++) {
		e->first[op] = n;
		for (size_t i = 0; i < rw_nrow; i++)
			if (rw_rows[i].pat->op == op &&
			    rule_wanted(e->r, rw_rows[i].rule, fast_math))
				e->rows[n++] = &rw_rows[i];
	}
	e->first[OP_COUNT] = n;
}

/* Is this the attempt that --explain=RULE@NODE asks about? */
static bool explained(const struct engine *e, const struct rw_row *row,
		      const struct node *n)
{
	const char *x = e->r->o->explain, *at = x ? strchr(x, '@') : NULL;
	const struct model *m = e->r->m;

	if (!at || strlen(row->rule->name) != (size_t)(at - x) ||
	    strncmp(x, row->rule->name, (size_t)(at - x)) != 0)
		return false;
	return str_is(sym_str(m, n->name), at + 1) ||
	       (n->nout && n->out[0] &&
		str_is(sym_str(m, n->out[0]->name), at + 1));
}

static bool attempt(struct engine *e, struct node *n, node_vec *touched)
{
	struct rewrite *w = &e->w;
	const char *name = w->row->rule->name;

	w->root = n;
	w->made.n = w->konst.n = 0;
	if (!rw_match(w))
		return false;
	if (!rw_build(w) || !rw_profitable(w)) {
		rw_drop(w);
		return false;
	}
	if (!pass_allow(e->r, name, n)) {
		rw_miss(w, "it is disabled, or past the bisect limit");
		cone_release(&w->cone);
		rw_drop(w);
		return false;
	}
	rw_splice(w, touched);
	return true;
}

static bool try_row(struct engine *e, const struct rw_row *row, struct node *n,
		    node_vec *touched)
{
	const char *name = row->rule->name;
	bool done;

	e->w.row = row;
	e->w.why = explained(e, row, n) ? &e->why : NULL;
	if (!e->w.why)
		return attempt(e, n, touched);
	e->why.n = 0;
	done = attempt(e, n, touched);
	diag_note(e->r->diag, -1, "explain: %s (%s:%d): %s", name,
		  row->rule->file, row->rule->line,
		  done       ? "applied"
		  : e->why.p ? e->why.p
			     : "does not apply");
	return done;
}

static bool try_node(struct engine *e, struct node *n, node_vec *touched)
{
	uint32_t i = e->first[n->op->id], end = e->first[n->op->id + 1];

	for (; i < end; i++)
		if (try_row(e, e->rows[i], n, touched))
			return true;
	return false;
}

static enum status run(struct engine *e)
{
	node_vec touched = {0};
	enum status s = OK;

	while (e->heap.n && s == OK) {
		struct node *n = queue_pop(e);

		if (!n->graph || !try_node(e, n, &touched))
			continue;
		while (touched.n) {
			n = vec_pop(&touched);
			if (n->graph)
				queue_push(e, n);
		}
		if (!limit_time_ok())
			s = diag_error(e->r->diag, NULL, E_time,
				       "the time limit was reached");
		if (++e->done < e->most)
			continue;
#ifndef NDEBUG
		BUG("rewriting does not end: rule '%s'", e->w.row->rule->name);
#endif
		break;
	}
	vec_release(&touched);
	return s;
}

enum status pass_canon(struct pass_run *r)
{
	struct engine *e = xcalloc(1, sizeof *e);
	enum status s;

	e->r = e->w.r = r;
	e->w.m = r->m;
	index_rows(e, r->o->fast_math || r->opt[0]);
	queue_fill(e);
	e->most = 64 * (uint64_t)e->heap.n + 1024;
	s = run(e);
	vec_release(&e->heap);
	vec_release(&e->w.made);
	vec_release(&e->w.konst);
	map_release(&e->graphs);
	buf_release(&e->why);
	free(e->rows);
	free(e);
	return s;
}

/* ---- for listings ---- */

size_t rule_count(void)
{
	return rw_nrule;
}

const struct rw_rule *rule_at(size_t i)
{
	return &rw_rules[i];
}

const char *rule_name(const struct rw_rule *r)
{
	return r->name;
}

const char *rule_summary(const struct rw_rule *r)
{
	return r->summary;
}

const char *rule_file(const struct rw_rule *r)
{
	return r->file;
}

int rule_line(const struct rw_rule *r)
{
	return r->line;
}

const char *rule_class(const struct rw_rule *r)
{
	return r->class;
}

const char *rule_comment(const struct rw_rule *r)
{
	return r->comment;
}

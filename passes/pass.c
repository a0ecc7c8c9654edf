/* SPDX-License-Identifier: MIT */
/*
 * pass.c -- the table of passes, and permission for single rewrites.
 */
#include <stdlib.h>
#include <string.h>
#include "passes/pass_p.h"

static const struct pass_opt canon_opts[] = {
	{"fast-math", 0, "1: also rules that change rounding noticeably"},
	{NULL, 0, NULL},
};

static const struct pass passes[] = {
#define PASS(id, name, summary, opts, needs, keeps) \
	{name, summary, opts, needs, keeps, pass_##id},
#define ALIAS(name, pipeline, summary)
#include "passes/passes.def"
#undef PASS
#undef ALIAS
};

const struct pass *pass_table(size_t *n)
{
	*n = countof(passes);
	return passes;
}

const struct pass *pass_find(const char *name)
{
	for (size_t i = 0; i < countof(passes); i++)
		if (!strcmp(passes[i].name, name))
			return &passes[i];
	return NULL;
}

static bool listed(const char *const *list, struct str s)
{
	for (; list && *list; list++)
		if (str_is(s, *list))
			return true;
	return false;
}

bool pass_disabled(const struct pass_run *r, const char *what)
{
	return listed(r->o->disable, (struct str){what, strlen(what)});
}

bool pass_kept(const struct pass_run *r, const struct node *n)
{
	const struct model *m = r->m;

	if (!r->o->keep)
		return false;
	if (n->name && listed(r->o->keep, sym_str(m, n->name)))
		return true;
	for (uint32_t i = 0; i < n->nout; i++)
		if (n->out[i] && n->out[i]->name &&
		    listed(r->o->keep, sym_str(m, n->out[i]->name)))
			return true;
	return false;
}

static void count(struct pass_run *r, const char *what)
{
	for (size_t i = 0; i < r->counts.n; i++) {
		if (strcmp(r->counts.p[i].name, what) != 0)
			continue;
		r->counts.p[i].n++;
		return;
	}
	vec_push(&r->counts, ((struct pass_count){what, 1}));
}

static void report(struct pass_run *r, const char *what, const struct node *at)
{
	struct rewrite_event e = {r->nrewrite, what, NULL};
	struct at a = node_at(at);
	struct buf b = {0};

	buf_puts(&b, a.graph);
	buf_putc(&b, '/');
	buf_escaped(&b, a.node.n ? a.node : a.op);
	e.where = b.p;
	diag_note(r->diag, 2, "rewrite %llu: %s at %s",
		  (unsigned long long)e.number, what, e.where);
	if (r->o->on_rewrite)
		r->o->on_rewrite(r->o->arg, &e);
	buf_release(&b);
}

bool pass_allow(struct pass_run *r, const char *what, const struct node *at)
{
	if (pass_disabled(r, what) || pass_kept(r, at))
		return false;
	if (r->o->bisect_limit && r->nrewrite >= r->o->bisect_limit)
		return false;
	r->nrewrite++;
	r->changed = true;
	count(r, what);
	if (r->o->on_rewrite || r->diag->verbosity >= 2)
		report(r, what, at);
	return true;
}

/* Savings elsewhere pay for small constants only. */
enum { MAX_PAID = 4096 };

bool pass_affords(const struct pass_run *r, size_t bytes, size_t gone)
{
	size_t more = bytes > gone ? bytes - gone : 0;

	return more <= r->o->fold_limit ||
	       (more <= r->saved && more <= MAX_PAID);
}

void pass_spend(struct pass_run *r, size_t bytes, size_t gone)
{
	if (bytes <= gone)
		r->saved += gone - bytes;
	else
		r->saved -= bytes - gone < r->saved ? bytes - gone : r->saved;
}

void pass_run_release(struct pass_run *r)
{
	vec_release(&r->counts);
	vec_release(&r->times);
}

/* SPDX-License-Identifier: MIT */
/*
 * rw_match.c -- match a rule's pattern against the producers of a value.
 *
 * Patterns are tables in preorder and walked with one cursor: commutative
 * orders and alternatives are rows of their own, so nothing backtracks.  Inner
 * nodes must live in the root's graph; leaves may come from outer graphs.
 * Cost O(size of the pattern).
 */
#include <stdarg.h>
#include <string.h>
#include "passes/rewrite_p.h"

bool rw_miss(struct rewrite *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->why || w->why->n)
		return false;
	va_start(ap, fmt);
	buf_vprintf(w->why, fmt, ap);
	va_end(ap);
	return false;
}

static const char *vname(const struct rewrite *w, const struct value *v)
{
	return v->name ? sym_text(w->m, v->name) : "(unnamed)";
}

/*
 * Exporters compute 1/sqrt(2) and the like in their own ways: what float32
 * cannot hold exactly may be off by an ULP.
 */
bool rw_near(enum dtype dt, double x, double num)
{
	unsigned char one[16];

	if (x == num)
		return true;
	if (!dtype_is_float(dt) || !isfinite(num))
		return false;
	dtype_set(dt, one, 0, num);
	if (x == dtype_get(dt, one, 0))
		return true;
	return dt == DT_F32 && num != (double)(float)num &&
	       fabs(x - num) <= ldexp(fabs(num), -22);
}

static bool match_const(struct rewrite *w, const struct rw_pat *p,
			struct value *v)
{
	double x;

	if (!v->konst)
		return rw_miss(w, "'%s' is not a constant", vname(w, v));
	if (p->kind != RW_NUM)
		return true;
	if (!strchr("fiub", dtype_kind(v->konst->dt)) || !v->konst->n ||
	    !tensor_uniform(w->m, v->konst, &x) ||
	    !rw_near(v->konst->dt, x, p->num))
		return rw_miss(w, "'%s' is not %g everywhere", vname(w, v),
			       p->num);
	return true;
}

static bool bind(struct rewrite *w, const struct rw_pat *p, struct value *v)
{
	struct rw_val *s;

	if (p->slot < 0)
		return true;
	s = &w->slot[p->slot];
	if (s->kind != RV_NONE && s->v != v)
		return rw_miss(w, "'%s' and '%s' differ", vname(w, s->v),
			       vname(w, v));
	*s = rw_of_value(v);
	return true;
}

static bool others_unused(const struct node *n)
{
	for (uint32_t i = 1; i < n->nout; i++)
		if (n->out[i] && n->out[i]->nuse)
			return false;
	return true;
}

static const char *op_text(enum op_id id)
{
	const struct op *op = op_latest(id, INT64_MAX);

	return op ? op->name : "another operator";
}

/* Is v output 0 of the node that p describes? */
static bool match_node(struct rewrite *w, const struct rw_pat *p,
		       struct value *v)
{
	const char *name = w->why ? op_text((enum op_id)p->op) : "";
	struct node *n = v->def;

	if (!n || !node_is(n, (enum op_id)p->op) || v->slot != 0)
		return rw_miss(w, "'%s' is %s%s, not %s", vname(w, v),
			       n ? "made by " : "no node's output",
			       n ? sym_text(w->m, n->type) : "", name);
	if (n->graph != w->root->graph)
		return rw_miss(w, "'%s' is made in another graph", vname(w, v));
	if (node_has_attr_ref(n))
		return rw_miss(w, "an attribute of '%s' is a parameter",
			       vname(w, v));
	if ((n == w->root || p->flags & RW_ONE_USE) && !others_unused(n))
		return rw_miss(w, "another output of the %s is used", name);
	for (uint32_t i = (uint32_t)p->nkid; i < n->nin; i++)
		if (n->in[i].v)
			return rw_miss(w, "the %s has more inputs", name);
	if (w->nmatched < countof(w->matched))
		w->matched[w->nmatched++] = n;
	return true;
}

/* Is the operator that may be missing not there? */
static bool missing(const struct rewrite *w, const struct rw_pat *p,
		    const struct value *v)
{
	return p->kind == RW_OP && p->flags & RW_OPTIONAL &&
	       (!v->def || !node_is(v->def, (enum op_id)p->op) ||
		v->def->graph != w->root->graph ||
		(p->flags & RW_ONE_USE && v->nuse != 1));
}

/* Does the second operand go first, so that the constant is last? */
static bool swapped(const struct rw_pat *p, const struct node *n)
{
	return p->flags & RW_CONST_LAST && n->op->flags & OPF_COMMUTATIVE &&
	       n->nin == 2 && n->in[0].v && n->in[0].v->konst;
}

static bool match_at(struct rewrite *w, const struct rw_pat **cursor,
		     struct value *v, int depth);

/* p's place is taken by its operand: the operator, else the first. */
/* NOLINTNEXTLINE(misc-no-recursion): depth <= RW_MAX_DEPTH, by genrw */
static bool match_through(struct rewrite *w, const struct rw_pat *p,
			  const struct rw_pat **cursor, struct value *v,
			  int depth)
{
	bool late = p->nkid == 2 && (*cursor)[0].kind != RW_OP &&
		    (*cursor)[1].kind == RW_OP;

	*cursor += late;
	if (!match_at(w, cursor, v, depth))
		return false;
	*cursor += p->nkid == 2 && !late;
	return true;
}

/* *p moves past the subtree. */
/* NOLINTNEXTLINE(misc-no-recursion): depth <= RW_MAX_DEPTH, by genrw */
static bool match_at(struct rewrite *w, const struct rw_pat **cursor,
		     struct value *v, int depth)
{
	const struct rw_pat *p = (*cursor)++;
	bool swap;

	if (!v)
		return p->flags & RW_OPTIONAL
			       ? true
			       : rw_miss(w, "an input is left out");
	if (depth >= RW_MAX_DEPTH)
		BUG("pattern of rule '%s' is too deep", w->row->rule->name);
	if (missing(w, p, v))
		return match_through(w, p, cursor, v, depth + 1);
	if ((p->flags & RW_CONST || p->kind == RW_NUM) && !match_const(w, p, v))
		return false;
	if (p->flags & RW_ONE_USE && v->nuse != 1)
		return rw_miss(w, "'%s' has %u users", vname(w, v), v->nuse);
	if (p->kind == RW_OP && !match_node(w, p, v))
		return false;
	if (!bind(w, p, v))
		return false;
	swap = p->kind == RW_OP && swapped(p, v->def);
	for (int i = 0; i < p->nkid; i++)
		if (!match_at(w, cursor,
			      node_in(v->def, (uint32_t)(swap ? !i : i)),
			      depth + 1))
			return false;
	return true;
}

bool rw_match(struct rewrite *w)
{
	const struct rw_pat *p = w->row->pat;

	w->nmatched = 0;
	for (int i = 0; i < RW_MAX_SLOTS; i++)
		w->slot[i].kind = RV_NONE;
	if (!w->root->nout || !w->root->out[0])
		return rw_miss(w, "output 0 is left out");
	return match_at(w, &p, w->root->out[0], 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * ml_tree_build.c -- attributes of tree ensembles to a forest.
 *
 * Everything is checked here: lengths, ids, children, cycles, targets.
 * Evaluation relies on it.  Cost: n log n in the number of nodes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kernels/ml/ml_tree_p.h"
#include "runtime/kernels/shared/nn_p.h"

/* ---- modes ---- */

/* The largest number below t; NaN, which nothing is at most, if none is. */
static double below(double t)
{
	return t == -INFINITY ? NAN : nextafter(t, -INFINITY);
}

enum mode { M_LEQ, M_LT, M_GTE, M_GT, M_EQ, M_NEQ, M_MEMBER, M_LEAF, M_BAD };

static enum mode mode_of(const struct tree_source *s, size_t i)
{
	static const char *const names[] = {
		[M_LEQ] = "BRANCH_LEQ", [M_LT] = "BRANCH_LT",
		[M_GTE] = "BRANCH_GTE", [M_GT] = "BRANCH_GT",
		[M_EQ] = "BRANCH_EQ",   [M_NEQ] = "BRANCH_NEQ",
		[M_LEAF] = "LEAF",
	};
	int64_t v;

	if (s->v5) {
		v = ml_i64(&s->mode, i);
		return v < 0 || v > M_MEMBER ? M_BAD : (enum mode)v;
	}
	for (size_t k = 0; k < countof(names); k++)
		if (names[k] && str_is(s->mode.s[i], names[k]))
			return (enum mode)k;
	return M_BAD;
}

/*
 * x < t is x <= the number below t; for x >= t and x > t the children swap,
 * except if t is NaN, when nothing holds.  NaN for x makes no order true
 * unless the node sends missing values to the true side, and is unequal to
 * everything.
 */
static void set_mode(struct tree_node *d, enum mode m, double t, bool missing)
{
	static const unsigned kind[] = {[M_EQ] = TREE_EQUAL,
					[M_NEQ] = TREE_UNEQUAL,
					[M_MEMBER] = TREE_MEMBER};
	bool swap = (m == M_GTE || m == M_GT) && t == t;
	uint32_t yes = d->child[1];

	d->t = m == M_LT || m == M_GTE ? below(t) : t;
	d->kind = (m >= M_EQ ? kind[m] : TREE_AT_MOST) & 3u;
	d->nan = (missing || m == M_NEQ) != swap;
	if (swap) {
		d->child[1] = d->child[0];
		d->child[0] = yes;
	}
}

static void set_leaf(struct tree_node *d, size_t at, size_t number)
{
	*d = (struct tree_node){.t = INFINITY,
				.child = {(uint32_t)at, (uint32_t)at},
				.leaf = 1,
				.number = (unsigned)number & 0xfffffffu};
}

/* ---- places by id ---- */

struct place {
	int64_t tree, id;
	size_t at;
};

struct build {
	struct kcall *c;
	struct tree_source s;
	struct forest *f;
	struct place *place; /* old form: sorted by tree and id */
	size_t nset;
};

static int by_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static enum status index_places(struct build *b)
{
	const struct tree_source *s = &b->s;
	bool sorted = true;

	b->place = nn_scratch(b->c, (int64_t)s->n, sizeof *b->place);
	if (!b->place)
		return LIMIT;
	for (size_t i = 0; i < s->n; i++) {
		b->place[i] = (struct place){ml_i64(&s->tree, i),
					     ml_i64(&s->id, i), i};
		sorted = sorted &&
			 (!i || by_id(&b->place[i - 1], &b->place[i]) < 0);
	}
	if (!sorted)
		qsort(b->place, s->n, sizeof *b->place, by_id);
	for (size_t i = 1; i < s->n; i++)
		if (by_id(&b->place[i - 1], &b->place[i]) == 0)
			return kcall_error(b->c, E_value,
					   "tree %lld has two nodes %lld",
					   (long long)b->place[i].tree,
					   (long long)b->place[i].id);
	return OK;
}

static enum status find_place(const struct build *b, int64_t tree, int64_t id,
			      size_t *at)
{
	struct place key = {.tree = tree, .id = id};
	const struct place *p =
		bsearch(&key, b->place, b->s.n, sizeof *p, by_id);

	if (!p)
		return kcall_error(b->c, E_value, "tree %lld has no node %lld",
				   (long long)tree, (long long)id);
	*at = p->at;
	return OK;
}

/* ---- nodes ---- */

/* Where the true (side 1) or false child of node i is. */
static enum status child_of(const struct build *b, size_t i, int side,
			    size_t *at)
{
	const struct tree_source *s = &b->s;
	int64_t v = ml_i64(side ? &s->yes : &s->no, i);
	bool leaf;

	if (!s->v5)
		return find_place(b, ml_i64(&s->tree, i), v, at);
	leaf = ml_i64(side ? &s->yes_leaf : &s->no_leaf, i) != 0;
	if (v < 0 || (uint64_t)v >= (leaf ? s->nleaf : s->n))
		return kcall_error(b->c, E_value,
				   "node %zu has the %s %lld as a child", i,
				   leaf ? "leaf" : "node", (long long)v);
	*at = (size_t)v + (leaf ? s->n : 0);
	return OK;
}

static enum status add_branch(struct build *b, size_t i, enum mode m)
{
	struct tree_node *d = &b->f->node[i];
	int64_t feature = ml_i64(&b->s.feature, i);
	size_t no, yes;
	enum status st = child_of(b, i, 0, &no);

	if (!st)
		st = child_of(b, i, 1, &yes);
	if (!st && (feature < 0 || feature > INT32_MAX))
		st = kcall_error(b->c, E_value, "node %zu tests feature %lld",
				 i, (long long)feature);
	if (st)
		return st;
	*d = (struct tree_node){.feature = (uint32_t)feature,
				.child = {(uint32_t)no, (uint32_t)yes}};
	if (m == M_MEMBER)
		d->number = (unsigned)b->nset++ & 0xfffffffu;
	set_mode(d, m, ml_f64(&b->s.split, i),
		 b->s.missing.n && ml_i64(&b->s.missing, i) != 0);
	b->f->ordered = b->f->ordered && d->kind == TREE_AT_MOST;
	if (feature >= b->f->nfeature)
		b->f->nfeature = feature + 1;
	return OK;
}

static enum status add_nodes(struct build *b)
{
	struct forest *f = b->f;
	enum status st = OK;

	for (size_t i = 0; !st && i < b->s.n; i++) {
		enum mode m = mode_of(&b->s, i);

		if (m == M_BAD)
			st = kcall_error(b->c, E_attr,
					 "node %zu has an unknown mode", i);
		else if (m == M_LEAF)
			set_leaf(&f->node[i], i, f->leaf.n++);
		else
			st = add_branch(b, i, m);
	}
	for (size_t i = 0; b->s.v5 && i < b->s.nleaf; i++)
		set_leaf(&f->node[b->s.n + i], b->s.n + i, f->leaf.n++);
	return st;
}

/* ---- sets ---- */

static int by_value(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

/* One set per BRANCH_MEMBER, in order of the nodes, each ended by a NaN,
 * which the last may lack. */
static enum status add_sets(struct build *b)
{
	const struct ml_list *l = &b->s.members;
	struct tree_ranges *set = &b->f->set;
	size_t at = 0, n = 0;

	set->first[0] = 0;
	while (at < l->n && set->n < b->nset) {
		double v = ml_f64(l, at++);

		if (v == v)
			b->f->member[n++] = v;
		if (v == v && at < l->n)
			continue;
		set->first[++set->n] = n;
	}
	if (at < l->n || set->n < b->nset)
		return kcall_error(b->c, E_value,
				   "membership_values do not hold %zu sets",
				   b->nset);
	for (size_t i = 0; i < set->n; i++)
		if (set->first[i + 1] > set->first[i])
			qsort(b->f->member + set->first[i],
			      set->first[i + 1] - set->first[i], sizeof(double),
			      by_value);
	return OK;
}

/* ---- votes ---- */

/* The leaf that vote i is of; votes of other nodes, which old converters
 * wrote, do not count. */
static enum status vote_leaf(const struct build *b, size_t i, size_t *leaf)
{
	const struct tree_source *s = &b->s;
	int64_t target = ml_i64(&s->target, i);
	size_t at = 0;
	enum status st = OK;

	if (i == 0)
		b->f->voted = target;
	else if (target != b->f->voted)
		b->f->voted = -1;
	if (ml_f64(&s->weight, i) < 0)
		b->f->positive = false;
	if (target < 0 || target >= b->f->targets)
		return kcall_error(b->c, E_value,
				   "vote %zu is for %lld of %lld", i,
				   (long long)target, (long long)b->f->targets);
	if (s->v5)
		at = s->n + i;
	else
		st = find_place(b, ml_i64(&s->vote_tree, i),
				ml_i64(&s->vote_node, i), &at);
	if (st)
		return st;
	*leaf = b->f->node[at].leaf ? b->f->node[at].number : SIZE_MAX;
	return OK;
}

/* Sorted by leaf, in the order given otherwise. */
static enum status add_votes(struct build *b)
{
	struct tree_ranges *l = &b->f->leaf;
	size_t n = b->s.nvote,
	       *leaf = nn_scratch(b->c, (int64_t)n, sizeof *leaf);
	enum status st = OK;

	if (!leaf)
		return LIMIT;
	memset(l->first, 0, (l->n + 1) * sizeof *l->first);
	for (size_t i = 0; i < n; i++) {
		st = vote_leaf(b, i, &leaf[i]);
		if (st)
			return st;
		if (leaf[i] != SIZE_MAX)
			l->first[leaf[i] + 1]++;
	}
	for (size_t i = 0; i < l->n; i++)
		l->first[i + 1] += l->first[i];
	/* first[k] runs ahead to where leaf k ends, then is set back. */
	for (size_t i = 0; i < n; i++)
		if (leaf[i] != SIZE_MAX)
			b->f->vote[l->first[leaf[i]]++] =
				(struct tree_vote){ml_f64(&b->s.weight, i),
						   ml_i64(&b->s.target, i)};
	for (size_t i = l->n; i > 0; i--)
		l->first[i] = l->first[i - 1];
	l->first[0] = 0;
	return OK;
}

/* ---- trees ---- */

/* Old form: the first node of each tree. */
static void mark_roots(struct build *b, uint8_t *root)
{
	const struct place *p = b->place;
	size_t first = 0;

	for (size_t i = 0; i < b->s.n; i++) {
		if (i == 0 || p[i].tree != p[i - 1].tree)
			first = p[i].at;
		else if (p[i].at < first)
			first = p[i].at;
		if (i + 1 == b->s.n || p[i].tree != p[i + 1].tree)
			root[first] = 1;
	}
}

static enum status add_roots(struct build *b)
{
	struct forest *f = b->f;
	const struct ml_list *given = &b->s.roots;
	uint8_t *root;

	for (size_t i = 0; i < given->n; i++) {
		int64_t v = ml_i64(given, i);

		if (v < 0 || (uint64_t)v >= b->s.n)
			return kcall_error(b->c, E_value, "root %lld of %zu",
					   (long long)v, b->s.n);
		f->root[f->nroot++] = (uint32_t)v;
	}
	if (b->s.v5)
		return given->n ? OK
				: kcall_error(b->c, E_attr,
					      "tree_roots is "
					      "empty");
	root = kcall_scratch(b->c, b->s.n);
	if (!root)
		return LIMIT;
	mark_roots(b, root);
	for (size_t i = 0; i < b->s.n; i++)
		if (root[i])
			f->root[f->nroot++] = (uint32_t)i;
	return OK;
}

enum { NEW, OPEN, DONE };

/* Depth first from node `at`; a child that is still open closes a cycle. */
static enum status descend(struct build *b, uint32_t at, uint8_t *state,
			   uint32_t *stack)
{
	size_t n = 1;

	stack[0] = at;
	while (n) {
		uint32_t v = stack[n - 1];
		const struct tree_node *d = &b->f->node[v];

		if (state[v] != NEW || d->leaf) {
			state[v] = DONE;
			n--;
			continue;
		}
		state[v] = OPEN;
		for (int k = 0; k < 2; k++) {
			if (state[d->child[k]] == OPEN)
				return kcall_error(b->c, E_value,
						   "node %u is below itself",
						   d->child[k]);
			if (state[d->child[k]] == NEW)
				stack[n++] = d->child[k];
		}
	}
	return OK;
}

static enum status check_cycles(struct build *b)
{
	size_t n = b->f->nnode;
	uint8_t *state = kcall_scratch(b->c, n);
	uint32_t *stack = nn_scratch(b->c, 2 * (int64_t)n + 2, sizeof *stack);
	enum status st = state && stack ? OK : LIMIT;

	for (size_t i = 0; !st && i < b->f->nroot; i++)
		st = descend(b, b->f->root[i], state, stack);
	return st;
}

/* ---- the whole ---- */

enum part { P_NODE, P_ROOT, P_LEAF, P_SET, P_VOTE, P_MEMBER, PARTS };

/* Places of the arrays behind the struct; returns the size of all. */
static size_t layout(const struct tree_source *s, size_t off[PARTS])
{
	const size_t bytes[PARTS] = {
		[P_NODE] = (s->n + s->nleaf) * sizeof(struct tree_node),
		[P_ROOT] = (s->v5 ? s->roots.n : s->n) * sizeof(uint32_t),
		[P_LEAF] = (s->nleaf + 1) * sizeof(size_t),
		[P_SET] = (s->members.n + 1) * sizeof(size_t),
		[P_VOTE] = s->nvote * sizeof(struct tree_vote),
		[P_MEMBER] = s->members.n * sizeof(double),
	};
	size_t at = sizeof(struct forest);

	for (int i = 0; i < PARTS; i++) {
		at = (at + 15) & ~(size_t)15;
		off[i] = at;
		at += bytes[i];
	}
	return at;
}

static enum status count_targets(struct kcall *c, int64_t *n)
{
	struct ml_list labels;
	enum status st;

	if (c->node->op->id == OP_ml_TreeEnsembleClassifier) {
		st = ml_labels(c, "classlabels_int64s", &labels);
		*n = (int64_t)labels.n;
		return st;
	}
	*n = node_attr_int(c->node, "n_targets", 1);
	return *n > 0 ? OK
		      : kcall_error(c, E_value, "n_targets is %lld",
				    (long long)*n);
}

static void *part_of(void *base, size_t off)
{
	return (char *)base + off;
}

static void make_forest(struct kcall *c, void *dst)
{
	struct forest *f = dst;
	struct build b = {.c = c, .f = f};
	size_t off[PARTS];

	*f = (struct forest){.ordered = true, .positive = true, .voted = -1};
	f->status = tree_source_read(c, &b.s);
	if (!f->status)
		f->status = count_targets(c, &f->targets);
	if (f->status)
		return;
	layout(&b.s, off);
	f->nnode = b.s.n + (b.s.v5 ? b.s.nleaf : 0);
	f->node = part_of(dst, off[P_NODE]);
	f->root = part_of(dst, off[P_ROOT]);
	f->leaf.first = part_of(dst, off[P_LEAF]);
	f->set.first = part_of(dst, off[P_SET]);
	f->vote = part_of(dst, off[P_VOTE]);
	f->member = part_of(dst, off[P_MEMBER]);
	if (!b.s.v5)
		f->status = index_places(&b);
	if (!f->status)
		f->status = add_nodes(&b);
	if (!f->status)
		f->status = add_sets(&b);
	if (!f->status)
		f->status = add_votes(&b);
	if (!f->status)
		f->status = add_roots(&b);
	if (!f->status)
		f->status = check_cycles(&b);
}

enum status forest_get(struct kcall *c, const struct forest **f)
{
	struct tree_source s;
	size_t off[PARTS];
	enum status st = tree_source_read(c, &s);

	if (st)
		return st;
	*f = kcall_cached(c, layout(&s, off), make_forest);
	return *f ? (*f)->status : LIMIT;
}

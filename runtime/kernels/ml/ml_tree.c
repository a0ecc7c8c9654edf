/* SPDX-License-Identifier: MIT */
/*
 * ml_tree.c -- TreeEnsemble, TreeEnsembleRegressor, TreeEnsembleClassifier.
 *
 * A block of rows goes through one tree after the other, so that a tree stays
 * in the cache.  Eight walks go on side by side, of eight rows, or of one row
 * in eight trees, so that their loads overlap.  Each score is a sum in double
 * in order of the trees, rounded once.
 */
#include <string.h>

#include "runtime/kernels/ml/ml_tree_p.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/kernels/shared/simd_p.h"

enum aggregate { AGG_AVERAGE, AGG_SUM, AGG_MIN, AGG_MAX };

struct ensemble {
	const struct forest *f;
	struct ml_rows r;
	enum aggregate agg;
	enum ml_post post;
	const double *base; /* nbase values */
	size_t nbase;
	struct array *y;
	int64_t stride; /* of a row's copy: at least one number */
	/* classification */
	struct array *label; /* NULL: regression */
	struct ml_list labels;
};

/* ---- walking ---- */

/* nan: x may be NaN. */
static inline uint32_t step(const struct tree_node *d, double x, bool nan)
{
	bool yes = x <= d->t;

	if (nan)
		yes |= (x != x) & d->nan;
	return d->child[yes];
}

enum { LANES = 8 };

static inline void walk_lanes_to(const struct tree_node *node, const double *x,
				 int64_t stride, uint32_t *at, bool nan)
{
	uint32_t moved;

	do {
		moved = 0;
		UNROLL(8)
		for (int k = 0; k < LANES; k++) {
			const struct tree_node *d = &node[at[k]];
			uint32_t next =
				step(d, x[k * stride + d->feature], nan);

			moved |= next ^ at[k];
			at[k] = next;
		}
	} while (moved);
}

/* LANES walks from at[] to leaves; one that is done stays where it is. */
static void walk_lanes(const struct ensemble *e, const double *x,
		       int64_t stride, bool nan, uint32_t *at)
{
	if (nan)
		walk_lanes_to(e->f->node, x, stride, at, true);
	else
		walk_lanes_to(e->f->node, x, stride, at, false);
}

static uint32_t walk(const struct tree_node *node, uint32_t at, const double *x)
{
	while (!node[at].leaf)
		at = step(&node[at], x[node[at].feature], true);
	return at;
}

static bool is_member(const struct forest *f, size_t set, double x)
{
	size_t lo = f->set.first[set], hi = f->set.first[set + 1], end = hi;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->member[mid] < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < end && f->member[lo] == x;
}

/* With nodes of all kinds. */
static uint32_t walk_any(const struct forest *f, uint32_t at, const double *x)
{
	for (const struct tree_node *d = &f->node[at]; !d->leaf;
	     d = &f->node[at]) {
		double v = x[d->feature];
		bool yes = d->kind == TREE_AT_MOST ? v <= d->t
			   : d->kind == TREE_EQUAL ? v == d->t
			   : d->kind == TREE_UNEQUAL
				   ? v != d->t
				   : is_member(f, d->number, v);

		at = d->child[yes || (v != v && d->nan)];
	}
	return at;
}

static uint32_t walk_one(const struct forest *f, uint32_t root, const double *x)
{
	return f->ordered ? walk(f->node, root, x) : walk_any(f, root, x);
}

/* Leaves of n rows in one tree. */
static void walk_rows(const struct ensemble *e, uint32_t root, const double *x,
		      int64_t n, bool nan, uint32_t *at)
{
	const struct forest *f = e->f;
	int64_t i = 0;

	for (; f->ordered && i + LANES <= n; i += LANES) {
		for (int k = 0; k < LANES; k++)
			at[i + k] = root;
		walk_lanes(e, x + i * e->stride, e->stride, nan, at + i);
	}
	for (; i < n; i++)
		at[i] = walk_one(f, root, x + i * e->stride);
}

/* Leaves of one row in n trees. */
static void walk_trees(const struct ensemble *e, const uint32_t *root, size_t n,
		       const double *x, bool nan, uint32_t *at)
{
	size_t i = 0;

	for (; e->f->ordered && i + LANES <= n; i += LANES) {
		memcpy(at + i, root + i, LANES * sizeof *at);
		walk_lanes(e, x, 0, nan, at + i);
	}
	for (; i < n; i++)
		at[i] = walk_one(e->f, root[i], x);
}

/* ---- voting ---- */

/* has: was there a vote, per score. */
static void vote(const struct ensemble *e, uint32_t leaf, double *score,
		 uint8_t *has)
{
	const struct tree_ranges *l = &e->f->leaf;
	size_t end = l->first[e->f->node[leaf].number + 1];

	for (size_t i = l->first[e->f->node[leaf].number]; i < end; i++) {
		const struct tree_vote *v = &e->f->vote[i];
		double *s = &score[v->target];

		if (e->agg <= AGG_SUM)
			*s += v->weight;
		else if (!has[v->target] ||
			 (e->agg == AGG_MIN ? v->weight < *s : v->weight > *s))
			*s = v->weight;
		has[v->target] = 1;
	}
}

/* ---- scores of a row ---- */

static void regress(const struct ensemble *e, double *score)
{
	for (int64_t k = 0; k < e->f->targets; k++) {
		if (e->agg == AGG_AVERAGE)
			score[k] /= (double)e->f->nroot;
		if (e->nbase)
			score[k] += e->base[k];
	}
	ml_post(e->post, score, e->f->targets);
}

/* Of two classes one has all votes: their sum decides.  Sums of class 0 are,
 * by convention of the converters, the second class's. */
static int64_t decide(const struct ensemble *e, double *score)
{
	const struct forest *f = e->f;
	double s = score[f->voted] + (e->nbase ? e->base[0] : 0);

	score[f->voted] = s;
	if (f->voted == 0)
		ml_post_pair(e->post, s, !f->positive, score);
	else
		ml_post(e->post, score, 2);
	return f->positive ? s > 0.5 : s > 0;
}

/* The largest score among the classes that have one; its number. */
static int64_t classify(const struct ensemble *e, double *score, uint8_t *has)
{
	int64_t best = -1;

	if (e->f->targets == 2 && e->f->voted >= 0 && e->nbase < 2)
		return decide(e, score);
	for (int64_t k = 0; k < e->f->targets; k++) {
		if (e->nbase)
			score[k] += e->base[k];
		if ((has[k] || e->nbase) &&
		    (best < 0 || score[k] > score[best]))
			best = k;
	}
	if (e->f->targets == 1)
		best = score[0] > 0;
	ml_post(e->post, score, e->f->targets);
	return best < 0 ? 0 : best;
}

static void put_label(const struct ensemble *e, int64_t i, int64_t best)
{
	/* A single class: whether it is the one. */
	if (e->labels.n == 1 && e->labels.dt != DT_STRING)
		((int64_t *)e->label->data)[i] = best;
	else
		ml_put_label(e->label, &e->labels, i,
			     e->labels.n == 1 ? 0 : best);
}

static bool any_nan(const double *x, int64_t n)
{
	bool nan = false;

	for (int64_t i = 0; i < n; i++)
		nan |= x[i] != x[i];
	return nan;
}

/* All votes for n rows x, in order of the trees. */
static void vote_rows(const struct ensemble *e, const double *x, int64_t n,
		      double *score, uint8_t *has)
{
	const struct forest *f = e->f;
	int64_t k = f->targets;
	uint32_t at[ML_BLOCK];
	bool nan = any_nan(x, n * e->stride);

	for (size_t t = 0; n >= LANES && t < f->nroot; t++) {
		walk_rows(e, f->root[t], x, n, nan, at);
		for (int64_t i = 0; i < n; i++)
			vote(e, at[i], score + i * k, has + i * k);
	}
	for (int64_t i = 0; n < LANES && i < n; i++)
		for (size_t t = 0; t < f->nroot; t += ML_BLOCK) {
			size_t m = f->nroot - t < ML_BLOCK ? f->nroot - t
							   : ML_BLOCK;

			walk_trees(e, f->root + t, m, x + i * e->stride, nan,
				   at);
			for (size_t j = 0; j < m; j++)
				vote(e, at[j], score + i * k, has + i * k);
		}
}

static void run_rows(void *arg, int64_t from, int64_t to, double *x)
{
	const struct ensemble *e = arg;
	int64_t n = to - from, k = e->f->targets;
	double *score = x + n * e->stride;
	uint8_t *has = (uint8_t *)(score + n * k);

	memset(score, 0, (size_t)(n * k) * (sizeof *score + 1));
	for (int64_t i = 0; i < n; i++) {
		x[i * e->stride] = 0;
		ml_row(&e->r, from + i, x + i * e->stride);
	}
	vote_rows(e, x, n, score, has);
	for (int64_t i = 0; i < n; i++) {
		if (e->label)
			put_label(e, from + i,
				  classify(e, score + i * k, has + i * k));
		else
			regress(e, score + i * k);
	}
	nn_save_range(e->y, from * k, n * k, score);
}

/* ---- the operators ---- */

static enum status run(struct kcall *c, struct ensemble *e, enum dtype dt,
		       uint32_t out)
{
	int64_t dim[2] = {e->r.n, e->f->targets}, each;

	if (e->f->nfeature > e->r.f)
		return kcall_error(c, E_shape, "feature %lld of %lld is tested",
				   (long long)e->f->nfeature - 1,
				   (long long)e->r.f);
	e->stride = max64(e->r.f, 1);
	/* scores, and a byte for each */
	if (!mul_i64(e->f->targets, 2, &each) ||
	    !add_i64(each, e->stride, &each))
		return kcall_error(c, E_memory, "%lld targets",
				   (long long)e->f->targets);
	e->y = kcall_out(c, out, dt, 2, dim);
	return e->y ? ml_blocks(c, e->r.n, 20 * (double)e->f->nroot, each,
				run_rows, e)
		    : LIMIT;
}

static enum status base_values(struct kcall *c, struct ensemble *e, bool few)
{
	struct ml_list l;
	enum status st = ml_numbers_or_tensor(c, "base_values", &l);

	if (st || l.n == 0)
		return st;
	if ((int64_t)l.n != e->f->targets && !(few && l.n == 1))
		return kcall_error(c, E_attr, "%zu base values for %lld scores",
				   l.n, (long long)e->f->targets);
	e->nbase = l.n;
	e->base = ml_doubles(c, &l);
	return e->base ? OK : LIMIT;
}

static enum status aggregate_attr(struct kcall *c, enum aggregate *agg)
{
	static const char *const names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
	struct str s = node_attr_str(c->node, "aggregate_function", "SUM");

	for (size_t i = 0; i < countof(names); i++)
		if (str_is(s, names[i])) {
			*agg = (enum aggregate)i;
			return OK;
		}
	return kcall_error(c, E_attr, "aggregate_function is unknown");
}

enum status k_ml_tree_ensemble(struct kcall *c)
{
	int64_t agg = node_attr_int(c->node, "aggregate_function", AGG_SUM);
	int64_t post = node_attr_int(c->node, "post_transform", ML_NONE);
	struct ensemble e = {.agg = (enum aggregate)agg,
			     .post = (enum ml_post)post};
	enum status st = ml_rows(c, &e.r);

	if (!st && (agg < AGG_AVERAGE || agg > AGG_MAX || post < ML_NONE ||
		    post > ML_PROBIT))
		st = kcall_error(c, E_attr,
				 "aggregate_function or "
				 "post_transform is unknown");
	if (!st)
		st = forest_get(c, &e.f);
	return st ? st : run(c, &e, e.r.x->dt, 0);
}

enum status k_ml_tree_regressor(struct kcall *c)
{
	struct ensemble e = {.label = NULL};
	enum status st = ml_rows(c, &e.r);

	if (!st)
		st = aggregate_attr(c, &e.agg);
	if (!st)
		st = ml_post_attr(c, &e.post);
	if (!st)
		st = forest_get(c, &e.f);
	if (!st)
		st = base_values(c, &e, false);
	return st ? st : run(c, &e, DT_F32, 0);
}

enum status k_ml_tree_classifier(struct kcall *c)
{
	struct ensemble e = {.agg = AGG_SUM};
	enum status st = ml_rows(c, &e.r);

	if (!st)
		st = ml_post_attr(c, &e.post);
	if (!st)
		st = ml_labels(c, "classlabels_int64s", &e.labels);
	if (!st)
		st = forest_get(c, &e.f);
	if (!st)
		st = base_values(c, &e, e.f->targets == 2 && e.f->voted >= 0);
	if (st)
		return st;
	e.label = ml_label_out(c, &e.labels, e.r.n);
	return e.label ? run(c, &e, DT_F32, 1) : LIMIT;
}

/* SPDX-License-Identifier: MIT */
/*
 * feed_size.c -- sizes for the dynamic dims of a model's inputs.
 *
 * Dims that nodes fix are found first (feed_pin.c).  The rest gets sizes that
 * are usual for their place.  Shape inference on a clone counts what does not
 * fit; then other scales are tried, and from the best of them single variables
 * are changed.  The number of tries is bounded by the size of the model.
 * Nothing depends on names.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/feed_p.h"

enum {
	PIN_ROUNDS = 6,
	SCALES = 9,
	TWEAKS = 5,
	TRIES_MIN = 12,
	TRIES_MAX = 80,
	TRY_NODES = 200000,
};

/* By round.  The larger batch meets the smaller picture: time is precious. */
static const int64_t batch_sizes[] = {1, 2, 1, 3};
static const int64_t seq_sizes[] = {8, 12, 5, 16, 7, 24};
static const int64_t spatial_sizes[] = {64, 32, 96, 48, 128, 80};
/* Tried in turn when the usual sizes do not fit: lengths and picture sides. */
static const int64_t scales[SCALES][2] = {
	{32, 224}, {16, 128},  {64, 256},   {128, 512},    {512, 320},
	{1, 640},  {1500, 32}, {4096, 300}, {16000, 1024},
};

/* ---- trials ---- */

/* Give m's inputs the dims of the plan; false: a size is negative. */
static bool set_dims(struct feed_plan *p, struct model *m, bool numbers)
{
	struct graph *g = m->main;
	const struct type *t;
	struct dim *d;
	int64_t n;
	uint32_t i;
	int k;

	for (i = 0; i < g->nin; i++) {
		t = g->in[i]->type;
		if (!p->dim[i])
			continue;
		d = arena_array(&m->arena, (size_t)t->rank + 1, sizeof(*d));
		for (k = 0; k < t->rank; k++) {
			d[k] = feed_resolve(p, p->dim[i][k]);
			if (!numbers)
				continue;
			if (!feed_eval(p, p->dim[i][k], &n))
				return false;
			d[k] = dim_of(n);
		}
		g->in[i]->type = type_tensor(m, t->dt, t->rank, d);
	}
	return true;
}

/* Values about which inference learned nothing: what lies behind a node that
 * refuses its inputs. */
static unsigned unknown_values(const struct model *m)
{
	graph_vec graphs = {0};
	const struct node *n;
	unsigned unknown = 0;
	uint32_t k;
	size_t i;

	model_graphs(m, &graphs);
	for (i = 0; i < graphs.n; i++)
		graph_foreach (n, graphs.p[i])
			for (k = 0; k < n->nout; k++)
				unknown += n->out[k] &&
					   !type_static(n->out[k]->type);
	vec_release(&graphs);
	return unknown;
}

/* 0: the sizes chosen fit as far as one can see; else the less the better.
 * Keeps the clone. */
static unsigned trial(struct feed_plan *p)
{
	unsigned before = p->quiet.nerror, bad;
	bool ok;

	model_free(p->sized);
	p->sized = model_clone(p->m);
	if (!set_dims(p, p->sized, true))
		return UINT32_MAX;
	ok = feed_infer_folded(p->sized);
	p->conflicts = 0;
	p->checking = true;
	feed_pin_all(p, p->sized);
	p->checking = false;
	bad = p->conflicts + feed_misfits(p->sized) +
	      (ok ? 0 : p->quiet.nerror - before + 1);
	return bad ? bad + unknown_values(p->sized) : 0;
}

/* ---- candidates ---- */

static int64_t usual(const struct feed_plan *p, const struct feed_var *v)
{
	unsigned r = p->round;

	switch (v->cls) {
	case FEED_BATCH:
		return batch_sizes[r % countof(batch_sizes)];
	case FEED_SEQ:
		return seq_sizes[r % countof(seq_sizes)];
	default:
		return spatial_sizes[r % countof(spatial_sizes)];
	}
}

/* All variables get their class's size; distinct: no two of a class the
 * same, batches excepted. */
static void assign(struct feed_plan *p, bool distinct)
{
	int64_t rank[FEED_CLASSES] = {0};
	struct feed_var *v;
	size_t i;

	for (i = 0; i < p->var.n; i++) {
		v = &p->var.p[i];
		v->n = usual(p, v);
		if (!distinct || v->is.s != v->name)
			continue;
		if (v->cls == FEED_SPATIAL)
			v->n += 32 * rank[v->cls]++;
		else if (v->cls == FEED_SEQ)
			v->n += rank[v->cls]++;
	}
}

static void rescale(struct feed_plan *p, const int64_t scale[2])
{
	struct feed_var *v;
	size_t i;

	for (i = 0; i < p->var.n; i++) {
		v = &p->var.p[i];
		if (v->cls == FEED_SPATIAL)
			v->n = scale[1];
		else if (v->cls == FEED_SEQ)
			v->n = scale[0];
	}
}

static void one_batch(struct feed_plan *p)
{
	size_t i;

	for (i = 0; i < p->var.n; i++)
		if (p->var.p[i].cls == FEED_BATCH)
			p->var.p[i].n = 1;
}

/* Candidate k of the first kind; false when there are no more. */
static bool candidate(struct feed_plan *p, unsigned k)
{
	if (k >= 3 + 2 * SCALES)
		return false;
	assign(p, k == p->round % 2);
	if (k >= 2 && k % 2 == 0)
		one_batch(p);
	if (k > 2)
		rescale(p, scales[(k - 3) / 2]);
	return true;
}

/* Sizes that relate to others: the batch; one; none; the sum of two equal
 * ones; one more. */
static int64_t tweak(const struct feed_plan *p, int64_t n, unsigned k)
{
	switch (k) {
	case 0:
		return batch_sizes[p->round % countof(batch_sizes)];
	case 1:
		return 1;
	case 2:
		return 0;
	case 3:
		return 2 * n;
	default:
		return n + 1;
	}
}

static unsigned tries(const struct feed_plan *p)
{
	size_t n = TRY_NODES / (graph_node_count(p->m->main) + 1);

	return n < TRIES_MIN   ? TRIES_MIN
	       : n > TRIES_MAX ? TRIES_MAX
			       : (unsigned)n;
}

struct best {
	int64_t *n; /* per variable */
	unsigned score;
};

static void keep(const struct feed_plan *p, struct best *b, unsigned score)
{
	size_t i;

	b->score = score;
	for (i = 0; i < p->var.n; i++)
		b->n[i] = p->var.p[i].n;
}

static void restore(struct feed_plan *p, const struct best *b)
{
	size_t i;

	for (i = 0; i < p->var.n; i++)
		p->var.p[i].n = b->n[i];
}

/* Change one variable of the best after the other while that helps. */
static void improve(struct feed_plan *p, struct best *b, unsigned left)
{
	unsigned k, score, since = 0;
	struct feed_var *v;

	for (k = 0; left && b->score && since < p->var.n * TWEAKS; k++) {
		v = &p->var.p[k / TWEAKS % p->var.n];
		since++;
		restore(p, b);
		v->n = tweak(p, v->n, k % TWEAKS);
		if (v->is.s != v->name)
			continue;
		left--;
		score = trial(p);
		if (score < b->score) {
			keep(p, b, score);
			since = 0;
		}
	}
}

static void choose(struct feed_plan *p)
{
	struct best best = {.score = UINT32_MAX};
	unsigned k, score, left = tries(p);

	best.n = xcalloc(p->var.n + 1, sizeof(*best.n));
	/* Where nothing fits: equal sizes. */
	candidate(p, (p->round + 1) % 2);
	keep(p, &best, UINT32_MAX);
	for (k = 0; left && best.score && candidate(p, k); k++, left--) {
		score = trial(p);
		if (score < best.score)
			keep(p, &best, score);
	}
	improve(p, &best, left);
	if (best.score) {
		restore(p, &best);
		trial(p);
	}
	free(best.n);
}

void feed_plan_sizes(struct feed_plan *p)
{
	struct graph *g = p->m->main;
	unsigned k;
	uint32_t i;

	feed_settle(p);
	p->dim = arena_array(&p->m->arena, (size_t)g->nin + 1, sizeof(*p->dim));
	for (i = 0; i < g->nin; i++)
		feed_add_input(p, i);
	if (p->var.n == 0) {
		trial(p);
		return;
	}
	set_dims(p, p->m, false);
	feed_infer_folded(p->m);
	for (k = 0; k < PIN_ROUNDS && feed_pin_all(p, p->m); k++) {
		set_dims(p, p->m, false);
		feed_infer_folded(p->m);
	}
	choose(p);
}

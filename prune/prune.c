/* SPDX-License-Identifier: MIT */
/*
 * prune.c -- unstructured and N:M pruning by magnitude.
 *
 * The k smallest |w| go to zero, k exact: the threshold is found by radix
 * selection on the bits of |w| (which order like the numbers), and ties are
 * broken by position.  Cost: five passes over the weights, no copies but the
 * result.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir/weights.h"
#include "prune/prune.h"

struct layer {
	const struct node *node;
	struct weight w;
	struct tensor *t; /* the pruned copy */
	void *data;
};

struct work {
	struct model *m;
	const struct prune_opts *o;
	VEC(struct layer) layers;
	VEC(struct prune_skip) skips;
	struct map seen; /* values already taken: shared weights */
};

/* Bits of |w|, ordered as numbers are; NaN sorts last and is kept. */
static uint64_t key_of(const struct layer *l, int64_t i)
{
	double v = fabs(dtype_get(l->t->dt, l->data, (size_t)i));
	uint64_t u;

	memcpy(&u, &v, sizeof u);
	return u;
}

/*
 * The smallest key t such that at least k keys of the layers are <= t;
 * *below counts keys < t.
 */
static uint64_t select_key(const struct layer *l, size_t n, int64_t k,
			   int64_t *below)
{
	int64_t *count = xcalloc(65536, sizeof *count);
	uint64_t prefix = 0;

	*below = 0;
	for (int shift = 48; shift >= 0; shift -= 16) {
		uint64_t digit = 0;

		memset(count, 0, 65536 * sizeof *count);
		for (size_t j = 0; j < n; j++) {
			for (int64_t i = 0; i < l[j].t->n; i++) {
				uint64_t u = key_of(&l[j], i);

				if (shift == 48 || u >> (shift + 16) == prefix)
					count[u >> shift & 0xffff]++;
			}
		}
		while (*below + count[digit] < k)
			*below += count[digit++];
		prefix = prefix << 16 | digit;
	}
	free(count);
	return prefix;
}

/* Zero the k smallest magnitudes of the layers taken together. */
static void zero_smallest(struct layer *l, size_t n, int64_t k)
{
	int64_t below, ties;
	uint64_t t;

	if (k <= 0)
		return;
	t = select_key(l, n, k, &below);
	ties = k - below;
	for (size_t j = 0; j < n; j++) {
		for (int64_t i = 0; i < l[j].t->n; i++) {
			uint64_t u = key_of(&l[j], i);

			if (u < t || (u == t && ties-- > 0))
				dtype_set(l[j].t->dt, l[j].data, (size_t)i, 0);
		}
	}
}

/* Zero the m - n smallest of the m weights at base, base + inner, ... */
static void zero_group(struct layer *l, int64_t base, int64_t inner, unsigned n,
		       unsigned m)
{
	uint64_t done = 0;

	for (unsigned z = 0; z < m - n; z++) {
		unsigned best = m;
		uint64_t least = 0;

		for (unsigned i = 0; i < m; i++) {
			uint64_t u = key_of(l, base + i * inner);

			if (!(done >> i & 1) && (best == m || u < least)) {
				best = i;
				least = u;
			}
		}
		done |= (uint64_t)1 << best;
		dtype_set(l->t->dt, l->data, (size_t)(base + best * inner), 0);
	}
}

/* N:M sparsity: groups of m neighbours along the contraction axis. */
static void zero_groups(struct layer *l, unsigned n, unsigned m)
{
	int64_t dim = l->t->dim[l->w.contraction], inner = 1;

	for (int a = l->w.contraction + 1; a < l->t->rank; a++)
		inner *= l->t->dim[a];
	for (int64_t base = 0; base < l->t->n; base++)
		if (base / inner % dim % m == 0)
			zero_group(l, base, inner, n, m);
}

static bool excluded(const struct work *w, const struct node *n)
{
	struct str name = sym_str(w->m, n->name), op = sym_str(w->m, n->type);

	for (const char *const *e = w->o->exclude; e && *e; e++)
		if (str_is(name, *e) || str_is(op, *e))
			return true;
	return false;
}

static void skip(struct work *w, const struct node *n, const char *why)
{
	const char *name =
		n->name ? sym_text(w->m, n->name) : sym_text(w->m, n->type);

	vec_push(&w->skips, ((struct prune_skip){name, why}));
}

static const char *unfit(const struct work *w, const struct weight *x)
{
	if (x->contraction < 0)
		return "its weight is a table of rows";
	if (w->o->scope == PRUNE_NM &&
	    x->v->konst->dim[x->contraction] % w->o->m)
		return "its input dimension is not a multiple of M";
	return NULL;
}

static void collect_node(struct work *w, const struct node *n)
{
	struct weight x[WEIGHT_MAX];
	size_t k = node_weights(n, x);

	if (!node_has_weights(n) || node_is(n, OP_Gather))
		return;
	if (excluded(w, n)) {
		skip(w, n, "excluded");
		return;
	}
	if (!k && !node_is(n, OP_MatMul))
		skip(w, n, "its weight is not a stored constant");
	for (size_t i = 0; i < k; i++) {
		const char *why = unfit(w, &x[i]);
		struct layer l = {.node = n, .w = x[i]};

		if (why)
			skip(w, n, why);
		else if (map_put(&w->seen, map_ptr_key(x[i].v), 1))
			vec_push(&w->layers, l);
	}
}

static void collect(struct work *w)
{
	graph_vec graphs = {0};
	const struct node *n;

	model_graphs(w->m, &graphs);
	for (size_t i = 0; i < graphs.n; i++)
		graph_foreach (n, graphs.p[i])
			collect_node(w, n);
	vec_release(&graphs);
}

/* A writable copy of the layer's weight. */
static enum status copy_weight(struct work *w, struct layer *l)
{
	const struct tensor *old = l->w.v->konst;
	const void *src = tensor_data(w->m, old);

	l->t = tensor_create(w->m, old->dt, old->rank, old->dim);
	if (!l->t || !src)
		return LIMIT;
	l->data = tensor_data_mut(l->t);
	memcpy(l->data, src, old->len);
	l->t->name = old->name;
	l->t->enc = old->enc;
	l->t->rest = old->enc == ENC_EXTERNAL ? (struct str){0} : old->rest;
	return OK;
}

/* Rounded per layer so that the zeros of all layers so far are exact. */
static void prune_layers(struct work *w)
{
	int64_t seen = 0, zeroed = 0;

	for (size_t i = 0; i < w->layers.n; i++) {
		struct layer *l = &w->layers.p[i];
		int64_t k;

		seen += l->t->n;
		k = llround((double)seen * w->o->sparsity) - zeroed;
		k = k < 0 ? 0 : k > l->t->n ? l->t->n : k;
		zero_smallest(l, 1, k);
		zeroed += k;
	}
}

static void prune_global(struct work *w)
{
	int64_t total = 0;

	for (size_t i = 0; i < w->layers.n; i++)
		total += w->layers.p[i].t->n;
	zero_smallest(w->layers.p, w->layers.n,
		      llround((double)total * w->o->sparsity));
}

static void fill_report(struct work *w, struct prune_report *r)
{
	struct arena *a = &w->m->arena;

	*r = (struct prune_report){.nlayer = w->layers.n, .nskip = w->skips.n};
	r->layer = arena_array(a, r->nlayer, sizeof *r->layer);
	r->skip = arena_dup(a, w->skips.p, w->skips.n * sizeof *w->skips.p);
	for (size_t i = 0; i < w->layers.n; i++) {
		const struct layer *l = &w->layers.p[i];
		struct prune_layer *out = &r->layer[i];

		out->node = sym_text(w->m, l->node->name);
		out->weight = sym_text(w->m, l->w.v->name);
		out->total = l->t->n;
		for (int64_t k = 0; k < l->t->n; k++)
			out->zeros += key_of(l, k) == 0;
		r->total += out->total;
		r->zeros += out->zeros;
	}
}

enum status prune(struct model *m, const struct prune_opts *o,
		  struct prune_report *r)
{
	struct work w = {.m = m, .o = o};
	enum status s = OK;

	collect(&w);
	for (size_t i = 0; i < w.layers.n && !s; i++)
		s = copy_weight(&w, &w.layers.p[i]);
	if (!s && o->scope == PRUNE_NM)
		for (size_t i = 0; i < w.layers.n; i++)
			zero_groups(&w.layers.p[i], o->n, o->m);
	else if (!s && o->scope == PRUNE_GLOBAL)
		prune_global(&w);
	else if (!s)
		prune_layers(&w);
	for (size_t i = 0; i < w.layers.n && !s; i++)
		value_set_const(w.layers.p[i].w.v, w.layers.p[i].t);
	if (!s)
		fill_report(&w, r);
	vec_release(&w.layers);
	vec_release(&w.skips);
	map_release(&w.seen);
	return s;
}

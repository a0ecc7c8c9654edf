/* SPDX-License-Identifier: MIT */
/*
 * feed.c -- inputs that make sense, from a seed.
 *
 * Sizes come from feed_size.c, legal ranges from feed_range.c; here they become
 * values.  Masks are runs of ones with zeros behind, as padding is; floats
 * are normal.  All numbers are counter-based: the same on every machine.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "runtime/exec_p.h"
#include "runtime/feed_p.h"

enum { FREE_MAX = 9, SEQ_LENGTH = 2, NEST_MAX = 8, RANK_LIMIT = 64 };

struct maker {
	struct feed_plan *plan;
	struct diag *d; /* of the caller's model */
	struct rng rng;
	struct feed_need need;
	struct feed_words words;
	uint32_t input;
};

static const double spreads[] = {1, 0.5, 2};

/* ---- values ---- */

static double pick_whole(struct rng *r, double lo, double hi)
{
	double n = hi - lo + 1;

	return lo + (double)rng_below(r, n < 0x1p53 ? (uint64_t)n
						    : UINT64_C(1) << 53);
}

/* The least and the largest integer to draw for an element type. */
static void whole_bounds(const struct maker *k, enum dtype dt, double *lo,
			 double *hi)
{
	const struct feed_need *need = &k->need;
	unsigned bits = dtype_bits(dt);

	*lo = need->lo;
	*hi = need->hi;
	if (isinf(*lo) && isinf(*hi)) {
		/* Bytes are pictures and quantized data: all of them. */
		*lo = 0;
		*hi = FREE_MAX;
		if (bits <= 8 && dtype_kind(dt) == 'u')
			*hi = (double)((1u << bits) - 1);
		if (bits <= 8 && dtype_kind(dt) == 'i') {
			*hi = (double)((1u << (bits - 1)) - 1);
			*lo = -*hi - 1;
		}
		return;
	}
	if (isinf(*lo))
		*lo = *hi < 0 ? *hi - FREE_MAX : 0;
	if (isinf(*hi))
		*hi = *lo + FREE_MAX;
	/* Negative indices count from the end; plain ones are usual. */
	if (*lo < 0 && *hi >= 0 && need->lo > -INFINITY)
		*lo = 0;
	*lo = ceil(*lo);
	*hi = floor(*hi) < *lo ? *lo : floor(*hi);
}

static bool bounded(const struct feed_need *need)
{
	return need->lo > -INFINITY || need->hi < INFINITY;
}

/* Ones, and behind them zeros, along the last axis. */
static void fill_mask(struct maker *k, struct array *a)
{
	int64_t n = a->rank ? a->dim[a->rank - 1] : 1, i, ones = 0;

	for (i = 0; i < a->n; i++) {
		if (i % n == 0)
			ones = n -
			       (int64_t)rng_below(&k->rng, (uint64_t)n / 2 + 1);
		dtype_set(a->dt, a->data, (size_t)i, i % n < ones);
	}
}

static void fill_whole(struct maker *k, struct array *a)
{
	double lo, hi;
	int64_t i;

	whole_bounds(k, a->dt, &lo, &hi);
	for (i = 0; i < a->n; i++)
		dtype_set(a->dt, a->data, (size_t)i,
			  pick_whole(&k->rng, lo, hi));
}

static void fill_real(struct maker *k, struct array *a)
{
	const struct feed_need *need = &k->need;
	double spread = spreads[k->plan->round % countof(spreads)], lo, hi;
	int64_t i, n = a->n * (dtype_kind(a->dt) == 'c' ? 2 : 1);
	enum dtype dt = a->dt == DT_C64    ? DT_F32
			: a->dt == DT_C128 ? DT_F64
					   : a->dt;

	if (!bounded(need)) {
		for (i = 0; i < n; i++)
			dtype_set(dt, a->data, (size_t)i,
				  spread * rng_normal(&k->rng));
		return;
	}
	lo = isinf(need->lo) ? fmin(need->hi, 0) - 1 : need->lo;
	hi = isinf(need->hi) ? fmax(need->lo, 0) + 1 : need->hi;
	for (i = 0; i < n; i++)
		dtype_set(dt, a->data, (size_t)i,
			  lo + (hi - lo) * rng_unit(&k->rng));
}

/* What element i of n must be because of its place. */
static double special(struct maker *k, int64_t i, int64_t n)
{
	const struct feed_need *need = &k->need;
	const struct type *of = need->of;
	int64_t total = need->total, at = i;

	switch (need->fill) {
	case FILL_AXES:
		return (double)i;
	case FILL_SHAPE:
		return i == 0 ? (double)total : 1;
	case FILL_SPLIT:
		return (double)(i ? total / n : total - total / n * (n - 1));
	default:
		if (need->fill == FILL_RESIZE && i >= n - 2)
			return pick_whole(&k->rng, need->lo, need->hi);
		if (need->fill == FILL_DIMS)
			at += of->rank - n; /* Expand has fewer */
		if (of && at >= 0 && at < of->rank && dim_known(of->dim[at]))
			return (double)of->dim[at].n;
		return need->fill == FILL_DIMS
			       ? pick_whole(&k->rng, need->lo, need->hi)
			       : 1;
	}
}

static void fill_special(struct maker *k, struct array *a)
{
	int64_t i;

	for (i = 0; i < a->n; i++)
		dtype_set(a->dt, a->data, (size_t)i, special(k, i, a->n));
}

/* One of the values that the model asks for; false: none is legal. */
static bool fill_equal(struct maker *k, struct array *a)
{
	const struct feed_need *need = &k->need;
	size_t i, at = k->plan->round;
	double x;

	if (a->n != 1)
		return false;
	for (i = 0; i < need->equal.n; i++) {
		x = need->equal.p[(at + i) % need->equal.n];
		if (x < need->lo || x > need->hi ||
		    (need->whole && x != floor(x)))
			continue;
		dtype_set(a->dt, a->data, 0, x);
		return true;
	}
	return false;
}

/* Words that any string operator can take. */
static enum status fill_strings(struct maker *k, struct array *a)
{
	struct str *s = a->data;
	int64_t i;

	for (i = 0; i < a->n; i++)
		s[i] = k->words.word[rng_below(&k->rng, k->words.n)];
	return array_own_strings(k->d, a);
}

static enum status fill_numerals(struct maker *k, struct array *a)
{
	static const struct str digits[] = {{"1", 1}, {"-2", 2}, {"30", 2}};

	for (int64_t i = 0; i < a->n; i++)
		((struct str *)a->data)[i] =
			digits[rng_below(&k->rng, countof(digits))];
	return array_own_strings(k->d, a);
}

/* Integers of more than a byte that nobody takes as a number are masks. */
static bool is_mask(const struct maker *k, enum dtype dt)
{
	const struct feed_need *need = &k->need;

	if (need->truth && need->lo <= 0 && need->hi >= 1)
		return !bounded(need) || need->hi == 1;
	return !bounded(need) && need->fill == FILL_ANY &&
	       (dtype_kind(dt) == 'i' || dtype_kind(dt) == 'u') &&
	       dtype_bits(dt) > 8;
}

/* Conditions: true, then false, ...; more of them: as masks. */
static void fill_bools(struct maker *k, struct array *a)
{
	if (a->n == 1)
		dtype_set(DT_BOOL, a->data, 0, k->plan->round % 2 == 0);
	else
		fill_mask(k, a);
}

static enum status fill(struct maker *k, struct array *a)
{
	if (a->n == 0)
		return OK;
	if (a->dt == DT_STRING)
		return fill_strings(k, a);
	if (a->dt == DT_BOOL)
		fill_bools(k, a);
	else if (fill_equal(k, a))
		return OK;
	else if (k->need.fill)
		fill_special(k, a);
	else if (is_mask(k, a->dt))
		fill_mask(k, a);
	else if (k->need.whole &&
		 (dtype_kind(a->dt) != 'f' || bounded(&k->need)))
		fill_whole(k, a);
	else
		fill_real(k, a);
	return OK;
}

/* ---- arrays ---- */

static enum status refuse(const struct maker *k, const char *what)
{
	const struct graph *g = k->plan->m->main;
	struct str name = sym_str(k->plan->m, g->in_info[k->input].name);
	struct buf b = {0};
	enum status st;

	buf_escaped(&b, name);
	st = diag_error(k->d, NULL, E_unsupported,
			"no data can be made up for input '%s': %s",
			b.n ? b.p : "", what);
	buf_release(&b);
	return st;
}

static enum status make_tensor(struct maker *k, const struct type *t,
			       const struct dim *dims, struct array **out)
{
	int64_t dim[RANK_LIMIT];
	enum status st;
	int i;

	if (t->dt == DT_NONE || t->rank < 0 || t->rank > RANK_LIMIT)
		return refuse(k, "its type is not known");
	for (i = 0; i < t->rank; i++)
		/* A dim of an element of a sequence may be anything. */
		if (!feed_eval(k->plan, dims[i], &dim[i]))
			dim[i] = SEQ_LENGTH;
	*out = array_create(k->d, t->dt, t->rank, dim);
	if (!*out)
		return LIMIT;
	/* Elements of less than a byte leave bits over at the end. */
	if (dtype_bits(t->dt) < 8 && (*out)->bytes && t->dt != DT_STRING)
		memset((*out)->data, 0, (*out)->bytes);
	st = fill(k, *out);
	if (st) {
		array_unref(*out);
		*out = NULL;
	}
	return st;
}

static enum status make(struct maker *k, const struct type *t, int depth,
			struct array **out);

static enum status make_seq(struct maker *k, const struct type *t, int depth,
			    struct array **out)
{
	struct array *a = array_seq(SEQ_LENGTH);
	enum status st = OK;
	uint32_t i;

	for (i = 0; i < a->nitem && !st; i++)
		st = make(k, t->elem, depth + 1, &a->item[i]);
	if (st) {
		array_unref(a);
		a = NULL;
	}
	*out = a;
	return st;
}

/* Some of the words or keys, in their order; at least one. */
static struct array *make_keys(struct maker *k, enum dtype dt)
{
	const struct feed_words *w = &k->words;
	int64_t max = dt == DT_STRING ? w->n : w->nkey, n = 0;
	struct array *a = array_create(k->d, dt, 1, &max);

	for (int64_t i = 0; a && i < max; i++) {
		if (i + 1 < max && rng_below(&k->rng, 4) == 0)
			continue;
		if (dt == DT_STRING)
			((struct str *)a->data)[n++] = w->word[i];
		else
			dtype_set_int(dt, a->data, (size_t)n++, w->key[i]);
	}
	if (!a)
		return NULL;
	a->bytes = a->bytes / (size_t)max * (size_t)n;
	a->dim[0] = a->n = n;
	return a;
}

static enum status make_map(struct maker *k, const struct type *t,
			    struct array **out)
{
	char kind = dtype_kind(t->dt);
	struct array *a;
	enum status st = LIMIT;

	if (!t->elem || t->elem->kind != TY_TENSOR || !t->elem->dt ||
	    (kind != 's' && kind != 'i'))
		return refuse(k, "it is an unusual map");
	a = array_seq(2);
	a->kind = ARR_MAP;
	a->item[0] = make_keys(k, t->dt);
	if (a->item[0])
		a->item[1] =
			array_create(k->d, t->elem->dt, 1, a->item[0]->dim);
	if (a->item[1])
		st = array_own_strings(k->d, a->item[0]);
	if (!st && t->elem->dt == DT_STRING) /* to be cast to numbers */
		st = fill_numerals(k, a->item[1]);
	else if (!st)
		st = fill(k, a->item[1]);
	if (st)
		array_unref(a);
	else
		*out = a;
	return st;
}

static enum status make(struct maker *k, const struct type *t, int depth,
			struct array **out)
{
	const struct dim length = {.n = SEQ_LENGTH};
	struct array *inner = NULL;
	enum status st;

	*out = NULL;
	if (depth > NEST_MAX)
		return refuse(k, "its type is nested too deeply");
	switch (t->kind) {
	case TY_TENSOR:
		/* Sequences often leave the rank open: vectors will do. */
		if (depth && t->dt && t->rank < 0)
			t = type_tensor(k->plan->sized, t->dt, 1, &length);
		return make_tensor(k, t, t->dim, out);
	case TY_SEQ:
		return make_seq(k, t, depth, out);
	case TY_OPTIONAL:
		st = make(k, t->elem, depth + 1, &inner);
		if (!st)
			*out = array_optional(inner);
		array_unref(inner);
		return st;
	case TY_MAP:
		return make_map(k, t, out);
	default:
		return refuse(k, "it is neither a tensor nor a sequence");
	}
}

static enum status make_input(struct maker *k, uint32_t i, struct array **out)
{
	const struct feed_plan *p = k->plan;
	const struct value *v = p->sized->main->in[i];
	struct array *konst;
	enum status st;

	k->input = i;
	if (p->settled[i]) {
		konst = array_of_tensor(p->m, p->m->main->in[i]->konst);
		*out = konst ? array_copy(k->d, konst) : NULL;
		array_unref(konst);
		return *out ? OK : LIMIT;
	}
	feed_trace(v, &k->need);
	if (p->dim[i])
		st = make_tensor(k, v->type, p->dim[i], out);
	else
		st = make(k, v->type, 0, out);
	vec_release(&k->need.equal);
	return st;
}

/* ---- the whole ---- */

/* Is there data to be made for this main graph input? */
static bool wants(const struct value *v)
{
	return !v->init && !v->konst;
}

static void put_sizes(struct feed_plan *p, struct buf *b)
{
	const struct feed_var *v;
	struct str name;
	int64_t n;
	size_t i;

	for (i = 0; i < p->var.n; i++) {
		v = &p->var.p[i];
		if (!feed_eval(p, (struct dim){.s = v->name}, &n))
			continue;
		if (b->n)
			buf_puts(b, ", ");
		name = v->unnamed ? sym_str(p->m,
					    p->m->main->in_info[v->input].name)
				  : sym_str(p->m, v->name);
		buf_escaped(b, name);
		if (v->unnamed)
			buf_printf(b, "[%u]", v->axis);
		buf_printf(b, "=%lld", (long long)n);
	}
}

static enum status generate(struct feed_plan *p, struct diag *d, uint64_t seed,
			    struct feed *out)
{
	struct maker k = {.plan = p, .d = d};
	struct buf sizes = {0};
	enum status st = OK;
	uint32_t i;

	p->want = xcalloc(out->n, sizeof(*p->want));
	p->settled = xcalloc(out->n, sizeof(*p->settled));
	for (i = 0; i < out->n; i++)
		p->want[i] = wants(p->m->main->in[i]);
	feed_plan_sizes(p);
	feed_words(p->m, &k.words);
	put_sizes(p, &sizes);
	out->sizes = sizes.p ? sizes.p : xstrdup("");
	for (i = 0; i < out->n && !st; i++) {
		if (!p->want[i])
			continue;
		k.rng = rng_make(seed, (uint64_t)p->round << 32 | i);
		st = make_input(&k, i, &out->in[i]);
	}
	return st;
}

enum status feed_generate(struct model *m, uint64_t seed, unsigned round,
			  struct feed *out)
{
	struct feed_plan p = {.round = round};
	enum status st;

	*out = (struct feed){.n = m->main->nin};
	out->in = xcalloc(out->n, sizeof(*out->in));
	p.m = model_clone(m);
	diag_init(&p.quiet, NULL);
	p.m->diag = &p.quiet;
	st = generate(&p, m->diag, seed, out);
	map_release(&p.by_name);
	free(p.want);
	free(p.settled);
	model_free(p.sized);
	vec_release(&p.var);
	model_free(p.m);
	diag_release(&p.quiet);
	if (st)
		feed_release(out);
	return st;
}

void feed_release(struct feed *f)
{
	uint32_t i;

	for (i = 0; i < f->n; i++)
		array_unref(f->in[i]);
	free(f->in);
	free(f->sizes);
	*f = (struct feed){0};
}

bool feed_is_dynamic(const struct model *m)
{
	const struct graph *g = m->main;
	uint32_t i;

	for (i = 0; i < g->nin; i++)
		if (wants(g->in[i]) && !type_static(g->in[i]->type))
			return true;
	return false;
}

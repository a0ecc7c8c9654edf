/* SPDX-License-Identifier: MIT */
/*
 * tfidf.c -- TfIdfVectorizer: counts the n-grams of a pool.
 *
 * Tokens become numbers, the pool a tree of them: map from (vertex, token) to
 * vertex.  From every position the tree is walked with steps of 1 + skip
 * positions; single tokens count once, whatever the skips.  Cost O(tokens x
 * skips x length of an n-gram).
 */
#include <string.h>

#include "base/intern.h"
#include "base/io.h"
#include "base/map.h"
#include "runtime/kernels/shared/nn_p.h"

struct tfidf {
	const struct attr *pool; /* ATTR_STRINGS or ATTR_INTS */
	const int64_t *index;    /* output of n-gram i */
	size_t ngrams;
	const float *weight; /* NULL: all 1 */
	int64_t min, max, skips, width;
	struct intern *words;
	struct map numbers; /* ints: token -> id */
	struct map child;   /* vertex << 32 | token -> vertex */
	uint32_t *ends;     /* vertex -> n-gram + 1; 0: none */
	uint32_t vertices;
	bool once; /* IDF: a count is 0 or 1 */
};

/* ---- tokens ---- */

static uint32_t pool_token(struct tfidf *t, size_t i)
{
	uint64_t *known;

	if (t->pool->kind == ATTR_STRINGS)
		return intern_str(t->words, t->pool->u.s[i]);
	known = map_get(&t->numbers, (uint64_t)t->pool->u.i[i]);
	if (known)
		return (uint32_t)*known;
	map_put(&t->numbers, (uint64_t)t->pool->u.i[i], t->numbers.n + 1);
	return (uint32_t)t->numbers.n;
}

/* 0: not in the pool. */
static uint32_t input_token(const struct tfidf *t, const struct array *x,
			    int64_t i)
{
	uint64_t *known;

	if (x->dt == DT_STRING)
		return intern_find(t->words, ((const struct str *)x->data)[i]);
	known = map_get(&t->numbers,
			(uint64_t)dtype_get_int(x->dt, x->data, (size_t)i));
	return known ? (uint32_t)*known : 0;
}

static uint32_t child(const struct tfidf *t, uint32_t vertex, uint32_t token)
{
	uint64_t *v = map_get(&t->child, (uint64_t)vertex << 32 | token);

	return v ? (uint32_t)*v : 0;
}

/* ---- the pool ---- */

static void add_ngram(struct tfidf *t, size_t at, size_t n, size_t which)
{
	uint32_t vertex = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t token = pool_token(t, at + i);
		uint32_t next = child(t, vertex, token);

		if (!next) {
			next = ++t->vertices;
			map_put(&t->child, (uint64_t)vertex << 32 | token,
				next);
		}
		vertex = next;
	}
	t->ends[vertex] = (uint32_t)which + 1;
}

/* Collection n - 1 of the pool holds the n-grams; they are numbered through. */
static enum status read_pool(struct kcall *c, struct tfidf *t)
{
	size_t count, which = 0;
	const int64_t *start = node_attr_ints(c->node, "ngram_counts", &count);

	t->ends = kcall_scratch(c, ((size_t)t->pool->n + 1) * sizeof *t->ends);
	if (!t->ends)
		return LIMIT;
	for (size_t n = 1; n <= count; n++) {
		int64_t from = start[n - 1];
		int64_t to = n < count ? start[n] : (int64_t)t->pool->n;

		if (from < 0 || to < from || to > (int64_t)t->pool->n ||
		    (to - from) % (int64_t)n ||
		    (size_t)(to - from) / n > t->ngrams - which)
			return kcall_error(c, E_attr,
					   "the pool has no place for the "
					   "%zu-grams of ngram_counts",
					   n);
		for (; from < to; from += (int64_t)n, which++)
			if ((int64_t)n >= t->min && (int64_t)n <= t->max)
				add_ngram(t, (size_t)from, n, which);
	}
	return OK;
}

static enum status read_weights(struct kcall *c, struct tfidf *t)
{
	struct str mode = node_attr_str(c->node, "mode", "");
	size_t n;

	t->weight = node_attr_floats(c->node, "weights", &n);
	if (t->weight && n != t->ngrams)
		return kcall_error(c, E_attr, "%zu weights for %zu n-grams", n,
				   t->ngrams);
	t->once = str_is(mode, "IDF");
	if (str_is(mode, "TF"))
		t->weight = NULL;
	else if (!t->once && !str_is(mode, "TFIDF"))
		return kcall_error(c, E_attr, "attribute mode is '%.*s'",
				   (int)(mode.n < 40 ? mode.n : 40), mode.p);
	return OK;
}

static enum status read_attrs(struct kcall *c, struct tfidf *t)
{
	const struct attr *s = node_attr(c->node, "pool_strings");
	const struct attr *i = node_attr(c->node, "pool_int64s");
	int64_t last = -1;

	t->index = node_attr_ints(c->node, "ngram_indexes", &t->ngrams);
	t->min = node_attr_int(c->node, "min_gram_length", 1);
	t->max = node_attr_int(c->node, "max_gram_length", 1);
	t->skips = node_attr_int(c->node, "max_skip_count", 0);
	t->pool = c->in[0]->dt == DT_STRING ? s : i;
	if (!t->pool ||
	    t->pool->kind !=
		    (c->in[0]->dt == DT_STRING ? ATTR_STRINGS : ATTR_INTS))
		return kcall_error(c, E_attr, "no pool of the input's type");
	if (t->min < 1 || t->max < t->min || t->skips < 0)
		return kcall_error(c, E_attr,
				   "n-grams of %lld to %lld, %lld skips",
				   (long long)t->min, (long long)t->max,
				   (long long)t->skips);
	for (size_t k = 0; k < t->ngrams; k++) {
		if (t->index[k] < 0 || t->index[k] == INT64_MAX)
			return kcall_error(c, E_attr, "ngram_indexes has %lld",
					   (long long)t->index[k]);
		last = max64(last, t->index[k]);
	}
	t->width = last + 1;
	return read_weights(c, t);
}

/* ---- counting ---- */

static void walk(const struct tfidf *t, const uint32_t *token, int64_t n,
		 int64_t at, int64_t step, int64_t least, double *count)
{
	uint32_t vertex = 0;

	for (int64_t size = 1; size <= t->max; size++, at += step) {
		vertex = token[at] ? child(t, vertex, token[at]) : 0;
		if (!vertex)
			return;
		if (size >= least && t->ends[vertex])
			count[t->ends[vertex] - 1]++;
		if (step >= n - at)
			return;
	}
}

/* False: out of time. */
static bool count_row(const struct tfidf *t, const uint32_t *token, int64_t n,
		      double *count)
{
	int64_t least = t->min;

	memset(count, 0, t->ngrams * sizeof *count);
	for (int64_t skip = 0; skip <= t->skips && skip < n; skip++) {
		if (!limit_time_ok())
			return false;
		for (int64_t at = 0; at < n; at++)
			walk(t, token, n, at, skip + 1, least, count);
		if (least == 1 && ++least > t->max)
			break;
	}
	return true;
}

static enum status vectorize(struct kcall *c, const struct tfidf *t)
{
	const struct array *x = c->in[0];
	int64_t rows = x->rank == 2 ? x->dim[0] : 1;
	int64_t n = x->dim[x->rank - 1], dim[2] = {rows, t->width};
	struct array *y =
		kcall_out(c, 0, DT_F32, x->rank, x->rank == 2 ? dim : dim + 1);
	uint32_t *token = nn_scratch(c, n, sizeof *token);
	double *count = nn_temp(c, (int64_t)t->ngrams);
	double *sum = nn_temp(c, t->width);

	if (!y || !token || !count || !sum)
		return LIMIT;
	for (int64_t r = 0; r < rows; r++) {
		for (int64_t i = 0; i < n; i++)
			token[i] = input_token(t, x, r * n + i);
		if (!count_row(t, token, n, count))
			return kcall_error(c, E_time,
					   "the time limit was reached");
		memset(sum, 0, (size_t)t->width * sizeof *sum);
		for (size_t g = 0; g < t->ngrams; g++) {
			double v = t->once && count[g] > 1 ? 1 : count[g];

			sum[t->index[g]] +=
				v * (t->weight ? (double)t->weight[g] : 1);
		}
		nn_save_range(y, r * t->width, t->width, sum);
	}
	return OK;
}

enum status k_tfidf(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct tfidf t = {.words = NULL};
	enum status st = nn_rank(c, 0, 1, 2);

	if (!st && x->dt != DT_STRING && x->dt != DT_I32 && x->dt != DT_I64)
		st = kcall_error(c, E_type, "tokens of type %s",
				 dtype_name(x->dt));
	if (!st)
		st = read_attrs(c, &t);
	if (st)
		return st;
	t.words = intern_create();
	st = read_pool(c, &t);
	if (!st)
		st = vectorize(c, &t);
	intern_free(t.words);
	map_release(&t.numbers);
	map_release(&t.child);
	return st;
}

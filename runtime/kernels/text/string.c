/* SPDX-License-Identifier: MIT */
/*
 * string.c -- StringConcat, StringSplit, StringNormalizer.
 *
 * Results are pieces of the inputs or lie in scratch memory; the executor
 * copies their bytes.  Letters change case by Unicode's simple mappings,
 * whatever the locale; bytes that are not UTF-8 stay what they are.
 */
#include <string.h>

#include "base/intern.h"
#include "base/lettercase.h"
#include "base/utf8.h"
#include "runtime/kernels/shared/move_p.h"

static enum status need_strings(struct kcall *c, uint32_t j)
{
	const struct array *a = c->in[j];

	if (a->kind == ARR_TENSOR && a->dt == DT_STRING)
		return OK;
	return kcall_error(c, E_type, "input %u holds no strings", j);
}

/* ---- StringConcat ---- */

/* Input j broadcast to the output's dims. */
static const struct str *expanded(struct kcall *c, uint32_t j,
				  const struct array *y)
{
	const struct array *a = c->in[j];
	int64_t stride[KERNEL_MAX_RANK] = {0}, step = sizeof(struct str);
	struct str *s;

	if (array_same_dims(a, y))
		return a->data;
	for (int i = a->rank - 1; i >= 0; i--) {
		stride[y->rank - a->rank + i] = a->dim[i] == 1 ? 0 : step;
		step *= a->dim[i];
	}
	s = kcall_scratch(c, (size_t)y->n * sizeof *s);
	if (s && y->n)
		move_strided(y->rank, y->dim, sizeof *s, s, a->data, stride);
	return s;
}

static char *append(char *at, struct str s)
{
	if (s.n)
		memcpy(at, s.p, s.n);
	return at + s.n;
}

enum status k_string_concat(struct kcall *c)
{
	int64_t dim[KERNEL_MAX_RANK];
	const struct str *a, *b;
	struct array *y;
	struct str *out;
	size_t bytes = 0;
	char *at;
	int rank;
	enum status st = need_strings(c, 0);

	if (!st)
		st = need_strings(c, 1);
	if (!st && !broadcast_dims(c->in[0], c->in[1], &rank, dim))
		st = kcall_error(c, E_shape, "shapes do not broadcast");
	if (st)
		return st;
	y = kcall_out(c, 0, DT_STRING, rank, dim);
	if (!y || !(a = expanded(c, 0, y)) || !(b = expanded(c, 1, y)))
		return y && !y->n ? OK : LIMIT;
	for (int64_t i = 0; i < y->n; i++)
		if (!add_size(bytes, a[i].n, &bytes) ||
		    !add_size(bytes, b[i].n, &bytes))
			return kcall_error(c, E_memory, "the strings are long");
	at = kcall_scratch(c, bytes);
	if (!at)
		return LIMIT;
	out = y->data;
	for (int64_t i = 0; i < y->n; i++) {
		out[i] = (struct str){at, a[i].n + b[i].n};
		at = append(append(at, a[i]), b[i]);
	}
	return OK;
}

/* ---- StringSplit ---- */

struct splitter {
	struct str by; /* empty: runs of white space */
	int64_t most;  /* splits; negative: no limit */
};

/* Bytes of the white space at the start of s. */
static size_t space_at(const char *s, size_t n)
{
	uint32_t v;
	size_t len = utf8_decode(s, n, &v);

	if (len &&
	    (v == ' ' || (v >= '\t' && v <= '\r') || v == 0x85 || v == 0xa0 ||
	     v == 0x1680 || (v >= 0x2000 && v <= 0x200a) || v == 0x2028 ||
	     v == 0x2029 || v == 0x202f || v == 0x205f || v == 0x3000))
		return len;
	return 0;
}

static struct str skip_space(struct str s)
{
	size_t n;

	while (s.n && (n = space_at(s.p, s.n))) {
		s.p += n;
		s.n -= n;
	}
	return s;
}

static struct str trim_space(struct str s)
{
	size_t end = 0, n;

	s = skip_space(s);
	for (size_t i = 0; i < s.n; i += n) {
		n = space_at(s.p + i, s.n - i);
		if (!n)
			end = i + (n = 1);
	}
	return (struct str){s.p, end};
}

/* Bytes before the next separator, and of the separator (0: none follows). */
static size_t find_separator(const struct splitter *k, struct str s,
			     size_t *len)
{
	*len = 0;
	if (!k->by.n) {
		for (size_t i = 0; i < s.n; i++)
			if ((*len = space_at(s.p + i, s.n - i)))
				return i;
		return s.n;
	}
	for (size_t i = 0; i + k->by.n <= s.n; i++)
		if (!memcmp(s.p + i, k->by.p, k->by.n)) {
			*len = k->by.n;
			return i;
		}
	return s.n;
}

/* The pieces of s, written to out unless it is NULL; their number. */
static int64_t split(const struct splitter *k, struct str s, struct str *out)
{
	int64_t count = 0;

	if (!k->by.n)
		s = trim_space(s);
	if (!k->by.n && !s.n)
		return 0;
	for (;;) {
		size_t n, len = 0;

		n = s.n;
		if (k->most < 0 || count < k->most)
			n = find_separator(k, s, &len);
		if (out)
			out[count] = (struct str){s.p, n};
		count++;
		if (!len)
			return count;
		s.p += n + len;
		s.n -= n + len;
		if (!k->by.n)
			s = skip_space(s);
	}
}

enum status k_string_split(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct splitter k = {node_attr_str(c->node, "delimiter", ""),
			     node_attr_int(c->node, "maxsplit", -1)};
	int64_t dim[KERNEL_MAX_RANK], most = 0;
	struct array *y, *z;
	enum status st = need_strings(c, 0);

	if (!st)
		st = move_rank(c, x->rank + 1);
	if (st)
		return st;
	z = kcall_out(c, 1, DT_I64, x->rank, x->dim);
	if (!z)
		return LIMIT;
	for (int64_t i = 0; i < x->n; i++) {
		int64_t n = split(&k, ((const struct str *)x->data)[i], NULL);

		((int64_t *)z->data)[i] = n;
		most = n > most ? n : most;
	}
	if (x->rank)
		memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
	dim[x->rank] = most;
	y = kcall_out(c, 0, DT_STRING, x->rank + 1, dim);
	if (!y)
		return LIMIT;
	if (y->n)
		memset(y->data, 0, (size_t)y->n * sizeof(struct str));
	for (int64_t i = 0; most && i < x->n; i++)
		split(&k, ((const struct str *)x->data)[i],
		      (struct str *)y->data + i * most);
	return OK;
}

/* ---- StringNormalizer ---- */

typedef uint32_t case_fn(uint32_t c);

/* s in another case; a character takes at most 3 bytes where it took 1. */
static bool recase(struct kcall *c, case_fn *fn, struct str *s)
{
	size_t size, n;
	char *to;
	uint32_t v;

	if (!mul_size(s->n, 3, &size) || !(to = kcall_scratch_dirty(c, size)))
		return false;
	size = 0;
	for (size_t i = 0; i < s->n; i += n) {
		n = utf8_decode(s->p + i, s->n - i, &v);
		if (n) {
			size += utf8_encode(fn(v), to + size);
		} else {
			to[size++] = s->p[i];
			n = 1;
		}
	}
	*s = (struct str){to, size};
	return true;
}

struct normalizer {
	case_fn *change;  /* NULL: none */
	case_fn *compare; /* NULL: as it is written */
	struct intern *stop;
};

static enum status normalizer_case(struct kcall *c, struct normalizer *k)
{
	struct str how = node_attr_str(c->node, "case_change_action", "NONE");

	k->change = str_is(how, "UPPER")   ? case_upper
		    : str_is(how, "LOWER") ? case_lower
					   : NULL;
	if (!k->change && !str_is(how, "NONE"))
		return kcall_error(c, E_attr,
				   "attribute case_change_action is '%.*s'",
				   (int)(how.n < 40 ? how.n : 40), how.p);
	if (!node_attr_int(c->node, "is_case_sensitive", 0))
		k->compare = k->change ? k->change : case_lower;
	return OK;
}

static enum status stop_words(struct kcall *c, struct normalizer *k)
{
	const struct attr *a = node_attr(c->node, "stopwords");

	for (uint32_t i = 0; a && a->kind == ATTR_STRINGS && i < a->n; i++) {
		struct str s = a->u.s[i];

		if (k->compare && !recase(c, k->compare, &s))
			return LIMIT;
		intern_str(k->stop, s);
	}
	return OK;
}

/* What is left of x; *n of them. */
static enum status kept_words(struct kcall *c, const struct normalizer *k,
			      struct str *out, int64_t *n)
{
	const struct array *x = c->in[0];

	*n = 0;
	for (int64_t i = 0; i < x->n; i++) {
		struct str s = ((const struct str *)x->data)[i], key = s;
		bool both = k->change == k->compare;

		if (k->compare && !recase(c, k->compare, &key))
			return LIMIT;
		if (intern_find(k->stop, key))
			continue;
		if (k->change && both)
			s = key;
		else if (k->change && !recase(c, k->change, &s))
			return LIMIT;
		out[(*n)++] = s;
	}
	return OK;
}

static enum status normalize(struct kcall *c, const struct normalizer *k)
{
	const struct array *x = c->in[0];
	size_t size;
	struct str *kept = mul_size((size_t)x->n + 1, sizeof *kept, &size)
				   ? kcall_scratch(c, size)
				   : NULL;
	int64_t dim[2] = {1, 1}, n;
	struct array *y;
	enum status st = kept ? kept_words(c, k, kept, &n) : LIMIT;

	if (st)
		return st;
	/* If nothing is left, one empty string stands for it. */
	dim[x->rank - 1] = n ? n : 1;
	y = kcall_out(c, 0, DT_STRING, x->rank, dim);
	if (!y)
		return LIMIT;
	memcpy(y->data, kept, (size_t)y->n * sizeof *kept);
	return OK;
}

enum status k_string_normalizer(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct normalizer k = {.change = NULL};
	enum status st = need_strings(c, 0);

	if (!st &&
	    (x->rank < 1 || x->rank > 2 || (x->rank == 2 && x->dim[0] != 1)))
		st = kcall_error(c, E_shape, "expected shape [C] or [1, C]");
	if (!st)
		st = normalizer_case(c, &k);
	if (st)
		return st;
	k.stop = intern_create();
	st = stop_words(c, &k);
	if (!st)
		st = normalize(c, &k);
	intern_free(k.stop);
	return st;
}

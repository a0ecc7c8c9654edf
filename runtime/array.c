/* SPDX-License-Identifier: MIT */
/*
 * array.c -- run-time values: reference counts, views, strings, tensors.
 *
 * Data belongs to a blob (heap or file mapping), to a region of the
 * executor's arena, or to nobody when there are no bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/exec_p.h"

static max_align_t no_bytes;

static struct array *array_new(enum array_kind kind, enum dtype dt, int rank)
{
	struct array *a =
		xcalloc(1, sizeof *a + (size_t)rank * sizeof a->dim[0]);

	a->kind = kind;
	a->dt = dt;
	a->rank = rank;
	a->nref = 1;
	a->data = &no_bytes;
	return a;
}

/* The product of the dims that are not 0 must fit as well, with room for an
 * element's bytes: then no stride overflows anywhere. */
bool dims_count(int rank, const int64_t *dim, int64_t *n)
{
	bool zero = false;

	*n = 1;
	for (int i = 0; i < rank; i++) {
		if (dim[i] < 0)
			return false;
		zero |= dim[i] == 0;
		if (dim[i] && !mul_i64(*n, dim[i], n))
			return false;
	}
	if (*n > INT64_MAX / 16)
		return false;
	if (zero)
		*n = 0;
	return true;
}

bool array_bytes(enum dtype dt, int64_t n, size_t *bytes)
{
	if (dt == DT_STRING)
		return mul_size((size_t)n, sizeof(struct str), bytes);
	return dtype_bytes(dt, n, bytes);
}

struct array *array_header(struct diag *d, enum dtype dt, int rank,
			   const int64_t *dim)
{
	struct array *a;
	int64_t n;
	size_t bytes;

	if (!dims_count(rank, dim, &n) || !array_bytes(dt, n, &bytes)) {
		diag_error(d, NULL, E_dims,
			   "a result's dimensions are negative or overflow");
		return NULL;
	}
	a = array_new(ARR_TENSOR, dt, rank);
	if (rank)
		memcpy(a->dim, dim, (size_t)rank * sizeof a->dim[0]);
	a->n = n;
	a->bytes = bytes;
	return a;
}

struct array *array_create(struct diag *d, enum dtype dt, int rank,
			   const int64_t *dim)
{
	struct array *a = array_header(d, dt, rank, dim);

	if (!a || a->bytes == 0)
		return a;
	a->blob = dt == DT_STRING ? blob_alloc(d, a->bytes)
				  : blob_alloc_dirty(d, a->bytes);
	if (!a->blob) {
		array_unref(a);
		return NULL;
	}
	a->data = a->blob->p;
	return a;
}

struct array *array_ref(struct array *a)
{
	if (a)
		a->nref++;
	return a;
}

void region_unref(struct region *r)
{
	if (!r || --r->nref)
		return;
	*r->pprev = r->next;
	if (r->next)
		r->next->pprev = r->pprev;
	free(r);
}

static void strings_free(struct array *a)
{
	struct str *s = a->data;

	for (int64_t i = 0; i < a->n; i++)
		free((char *)(uintptr_t)s[i].p);
}

void array_unref(struct array *a)
{
	if (!a || --a->nref)
		return;
	/* Nesting is as deep as the model's sequence types: bounded there. */
	for (uint32_t i = 0; i < a->nitem; i++)
		array_unref(a->item[i]);
	free(a->item);
	if (a->owns_strings)
		strings_free(a);
	array_unref(a->base);
	region_unref(a->region);
	blob_unref(a->blob);
	free(a);
}

struct array *array_seq(size_t n)
{
	struct array *a = array_new(ARR_SEQ, DT_NONE, 0);

	a->item = xcalloc(n ? n : 1, sizeof *a->item);
	a->nitem = (uint32_t)n;
	return a;
}

struct array *array_optional(struct array *v)
{
	struct array *a = array_new(ARR_OPTIONAL, DT_NONE, 0);

	a->item = xcalloc(1, sizeof *a->item);
	if (v)
		a->item[a->nitem++] = array_ref(v);
	return a;
}

struct array *array_view(struct array *a, int rank, const int64_t *dim)
{
	struct array *v = array_new(ARR_TENSOR, a->dt, rank);

	if (rank)
		memcpy(v->dim, dim, (size_t)rank * sizeof v->dim[0]);
	v->n = a->n;
	v->bytes = a->bytes;
	v->data = a->data;
	if (a->dt == DT_STRING)
		v->base = array_ref(a);
	if (a->blob)
		v->blob = blob_ref(a->blob);
	if (a->region)
		(v->region = a->region)->nref++;
	return v;
}

enum status array_own_strings(struct diag *d, struct array *a)
{
	enum { STRING_OVERHEAD = 32 }; /* what an allocation takes besides */
	struct str *s = a->data;
	size_t total = 0, size;

	if (a->dt != DT_STRING || a->owns_strings || a->base)
		return OK;
	for (int64_t i = 0; i < a->n; i++)
		if (!add_size(s[i].n, STRING_OVERHEAD, &size) ||
		    !add_size(total, size, &total))
			total = SIZE_MAX;
	if (!limit_memory_ok(total)) {
		a->n = 0;
		return diag_error(d, NULL, E_memory, "%zu bytes of strings",
				  total);
	}
	for (int64_t i = 0; i < a->n; i++) {
		char *p = xmalloc(s[i].n + 1);

		if (s[i].n)
			memcpy(p, s[i].p, s[i].n);
		p[s[i].n] = '\0';
		s[i].p = p;
	}
	a->owns_strings = true;
	return OK;
}

/* depth: of the sequence type; types nest at most as the reader allows. */
static struct array *copy_at(struct diag *d, const struct array *a, int depth)
{
	struct array *c;

	if (depth > ARRAY_MAX_DEPTH) {
		diag_error(d, NULL, E_depth, "sequences nested too deeply");
		return NULL;
	}
	if (a->kind == ARR_TENSOR) {
		c = array_create(d, a->dt, a->rank, a->dim);
		if (!c)
			return NULL;
		memcpy(c->data, a->data, a->bytes);
		if (array_own_strings(d, c) == OK)
			return c;
		array_unref(c);
		return NULL;
	}
	c = array_seq(a->nitem);
	c->kind = a->kind;
	for (uint32_t i = 0; i < a->nitem; i++) {
		c->item[i] = copy_at(d, a->item[i], depth + 1);
		if (!c->item[i]) {
			array_unref(c);
			return NULL;
		}
	}
	return c;
}

struct array *array_copy(struct diag *d, const struct array *a)
{
	return copy_at(d, a, 0);
}

bool array_exclusive(const struct array *a)
{
	if (a->nref != 1 || a->kind != ARR_TENSOR || a->base)
		return false;
	if (a->region)
		return a->region->nref == 1;
	return a->blob && a->blob->nref == 1 && a->blob->kind == BLOB_HEAP;
}

struct array *array_writable(struct diag *d, struct array *a)
{
	struct array *c;

	if (array_exclusive(a))
		return a;
	c = array_copy(d, a);
	array_unref(a);
	return c;
}

bool array_same_dims(const struct array *a, const struct array *b)
{
	return a->rank == b->rank &&
	       (a->rank == 0 ||
		!memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]));
}

/* ---- against declared types ---- */

static bool tensor_fits(const struct array *a, const struct type *t,
			struct buf *why)
{
	if (t->dt != DT_NONE && t->dt != a->dt) {
		buf_printf(why, "element type %s, expected %s",
			   dtype_name(a->dt), dtype_name(t->dt));
		return false;
	}
	if (t->rank < 0)
		return true;
	if (t->rank != a->rank) {
		buf_printf(why, "rank %d, expected %d", a->rank, t->rank);
		return false;
	}
	for (int i = 0; i < t->rank; i++)
		if (dim_known(t->dim[i]) && t->dim[i].n != a->dim[i]) {
			buf_printf(why, "dimension %d is %lld, expected %lld",
				   i, (long long)a->dim[i],
				   (long long)t->dim[i].n);
			return false;
		}
	return true;
}

/* Keys are a vector; values too, or a sequence, whatever shape a value is
 * declared with. */
static bool map_fits(const struct array *a, const struct type *t,
		     struct buf *why)
{
	const struct type *v = t->elem;
	const struct array *values = a->item[1];
	enum dtype key = a->item[0]->dt, value = values->dt;

	if (values->kind == ARR_SEQ && values->nitem)
		value = values->item[0]->dt;
	if ((t->dt == DT_NONE || t->dt == key) &&
	    (!v || v->kind != TY_TENSOR || v->dt == DT_NONE || v->dt == value ||
	     value == DT_NONE))
		return true;
	buf_printf(why, "a map from %s to %s", dtype_name(key),
		   dtype_name(value));
	return false;
}

static bool fits_at(const struct array *a, const struct type *t,
		    struct buf *why, int depth)
{
	static const enum array_kind kind_of[] = {
		[TY_TENSOR] = ARR_TENSOR, [TY_SPARSE] = ARR_TENSOR,
		[TY_SEQ] = ARR_SEQ,       [TY_OPTIONAL] = ARR_OPTIONAL,
		[TY_MAP] = ARR_MAP,       [TY_OPAQUE] = ARR_TENSOR,
	};

	if (t->kind == TY_UNKNOWN || depth > ARRAY_MAX_DEPTH)
		return true;
	/* A value serves where an optional one is expected. */
	if (t->kind == TY_OPTIONAL && a->kind != ARR_OPTIONAL)
		return !t->elem || fits_at(a, t->elem, why, depth + 1);
	if (a->kind != kind_of[t->kind]) {
		buf_puts(why, "another kind of value (tensor, sequence, ...)");
		return false;
	}
	if (a->kind == ARR_TENSOR)
		return tensor_fits(a, t, why);
	if (a->kind == ARR_MAP)
		return map_fits(a, t, why);
	if (!t->elem)
		return true;
	for (uint32_t i = 0; i < a->nitem; i++)
		if (!fits_at(a->item[i], t->elem, why, depth + 1))
			return false;
	return true;
}

bool array_fits(const struct array *a, const struct type *t, struct buf *why)
{
	struct buf own = {0};
	bool ok = fits_at(a, t, why ? why : &own, 0);

	buf_release(&own);
	return ok;
}

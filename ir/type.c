/* SPDX-License-Identifier: MIT */
/*
 * type.c -- types, interned per model by structure.
 *
 * m->types maps a hash of the structure to a chain of types.  Element types
 * form a list (seq of optional of tensor), so every walk is a loop.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "ir/ir.h"

struct entry {
	const struct type *t;
	struct entry *next;
};

static const struct type unknown = {.kind = TY_UNKNOWN, .rank = -1};

const struct type *type_unknown(void)
{
	return &unknown;
}

static size_t ndims(const struct type *t)
{
	return t->rank > 0 ? (size_t)t->rank : 0;
}

static uint64_t type_hash(const struct type *t)
{
	uint64_t head[8] = {t->kind,
			    t->dt,
			    (uint64_t)t->rank,
			    t->denotation,
			    map_ptr_key(t->elem),
			    t->opaque_domain,
			    t->opaque_name,
			    0};
	size_t n = ndims(t);

	_Static_assert(sizeof(struct dim) == 16, "hashed without padding");
	if (n)
		head[7] = XXH3_64bits(t->dim, n * sizeof t->dim[0]);
	return XXH3_64bits(head, sizeof head);
}

static bool same_dim(struct dim a, struct dim b)
{
	return a.n == b.n && a.s == b.s && a.denotation == b.denotation;
}

static bool same_type(const struct type *a, const struct type *b)
{
	if (a->kind != b->kind || a->dt != b->dt || a->rank != b->rank ||
	    a->denotation != b->denotation || a->elem != b->elem ||
	    a->opaque_domain != b->opaque_domain ||
	    a->opaque_name != b->opaque_name)
		return false;
	for (size_t i = 0; i < ndims(a); i++)
		if (!same_dim(a->dim[i], b->dim[i]))
			return false;
	return true;
}

const struct type *type_intern(struct model *m, const struct type *proto)
{
	uint64_t h;
	struct entry *head, *e;

	if (proto->kind == TY_UNKNOWN && !proto->denotation)
		return &unknown;
	h = type_hash(proto);
	head = map_get_ptr(&m->types, h);
	for (e = head; e; e = e->next)
		if (same_type(e->t, proto))
			return e->t;
	e = arena_new(&m->arena, struct entry);
	e->t = arena_dup(&m->arena, proto,
			 sizeof *proto + ndims(proto) * sizeof proto->dim[0]);
	e->next = head;
	map_put_ptr(&m->types, h, e);
	return e->t;
}

/* A scratch copy of t's head with room for rank dims; free() it. */
static struct type *proto_new(const struct type *t, int rank)
{
	size_t n = rank > 0 ? (size_t)rank : 0;
	struct type *p = xcalloc(1, sizeof *p + n * sizeof p->dim[0]);

	*p = *t;
	p->rank = rank;
	return p;
}

const struct type *type_tensor(struct model *m, enum dtype dt, int rank,
			       const struct dim *dim)
{
	struct type head = {.kind = TY_TENSOR, .dt = dt};
	struct type *p = proto_new(&head, rank < 0 ? -1 : rank);
	const struct type *t;

	for (int i = 0; i < rank; i++)
		p->dim[i] = dim[i];
	t = type_intern(m, p);
	free(p);
	return t;
}

const struct type *type_of_elem(struct model *m, enum type_kind kind,
				enum dtype key, const struct type *elem)
{
	struct type p = {.kind = kind, .dt = key, .rank = -1, .elem = elem};

	return type_intern(m, &p);
}

bool type_count(const struct type *t, int64_t *n)
{
	int64_t count = 1;
	bool zero = false, fits = true;

	if (t->kind != TY_TENSOR || t->rank < 0)
		return false;
	for (int i = 0; i < t->rank; i++) {
		if (!dim_known(t->dim[i]))
			return false;
		zero |= t->dim[i].n == 0;
		fits = fits && mul_i64(count, t->dim[i].n, &count);
	}
	*n = zero ? 0 : count;
	return zero || fits;
}

bool type_static(const struct type *t)
{
	if (t->kind != TY_TENSOR || t->rank < 0)
		return false;
	for (int i = 0; i < t->rank; i++)
		if (!dim_known(t->dim[i]))
			return false;
	return true;
}

/* ---- compatibility and merging ---- */

static bool dtypes_fit(enum dtype a, enum dtype b)
{
	return a == b || a == DT_NONE || b == DT_NONE;
}

static bool dims_fit(const struct type *a, const struct type *b)
{
	if (a->rank < 0 || b->rank < 0)
		return true;
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (dim_known(a->dim[i]) && dim_known(b->dim[i]) &&
		    a->dim[i].n != b->dim[i].n)
			return false;
	return true;
}

/* The outermost level only; elements are for the caller's loop. */
static bool level_fits(const struct type *a, const struct type *b)
{
	if (a->kind != b->kind || !dtypes_fit(a->dt, b->dt))
		return false;
	if (a->kind == TY_OPAQUE)
		return a->opaque_domain == b->opaque_domain &&
		       a->opaque_name == b->opaque_name;
	return dims_fit(a, b);
}

bool type_compatible(const struct type *a, const struct type *b)
{
	for (; a && b && a != b; a = a->elem, b = b->elem) {
		if (a->kind == TY_UNKNOWN || b->kind == TY_UNKNOWN)
			return true;
		if (!level_fits(a, b))
			return false;
	}
	return true;
}

static struct dim dim_merge(struct dim a, struct dim b)
{
	struct dim r = a;

	if (dim_known(b) && !dim_known(a))
		r = b;
	else if (dim_unknown(a))
		r = b;
	r.denotation = a.denotation ? a.denotation : b.denotation;
	return r;
}

/* a and b are compatible and not unknown; elem is their merged element. */
static const struct type *merge_level(struct model *m, const struct type *a,
				      const struct type *b,
				      const struct type *elem)
{
	struct type *p = proto_new(a, a->rank < 0 ? b->rank : a->rank);
	const struct type *t;

	p->dt = a->dt != DT_NONE ? a->dt : b->dt;
	p->denotation = a->denotation ? a->denotation : b->denotation;
	p->elem = elem;
	for (int i = 0; i < p->rank; i++)
		p->dim[i] = a->rank < 0   ? b->dim[i]
			    : b->rank < 0 ? a->dim[i]
					  : dim_merge(a->dim[i], b->dim[i]);
	t = type_intern(m, p);
	free(p);
	return t;
}

const struct type *type_merge(struct model *m, const struct type *a,
			      const struct type *b)
{
	VEC(const struct type *) outer = {0};
	const struct type *r;

	if (!type_compatible(a, b))
		return NULL;
	while (a != b && a && b && a->kind != TY_UNKNOWN &&
	       b->kind != TY_UNKNOWN) {
		vec_push(&outer, a);
		vec_push(&outer, b);
		a = a->elem;
		b = b->elem;
	}
	r = !a || (b && a->kind == TY_UNKNOWN) ? b : a;
	while (outer.n) {
		b = vec_pop(&outer);
		a = vec_pop(&outer);
		r = merge_level(m, a, b, r);
	}
	vec_release(&outer);
	return r;
}

/* ---- printing ---- */

static void print_tensor(const struct model *m, struct buf *b,
			 const struct type *t)
{
	buf_puts(b, t->dt == DT_NONE ? "undefined" : dtype_name(t->dt));
	if (t->rank == 0)
		return;
	buf_putc(b, '[');
	for (int i = 0; i < t->rank; i++) {
		if (i)
			buf_putc(b, ',');
		dim_print(m, b, t->dim[i]);
	}
	buf_putc(b, ']');
}

void type_print(const struct model *m, struct buf *b, const struct type *t)
{
	size_t depth = 0;

	for (; t && t->elem; t = t->elem, depth++) {
		if (t->kind == TY_MAP)
			buf_printf(b, "map(%s, ", dtype_name(t->dt));
		else
			buf_puts(b, t->kind == TY_SEQ ? "seq(" : "optional(");
	}
	if (t && t->kind == TY_TENSOR) {
		print_tensor(m, b, t);
	} else if (t && t->kind == TY_SPARSE) {
		buf_puts(b, "sparse_tensor(");
		print_tensor(m, b, t);
		buf_putc(b, ')');
	} else if (t && t->kind == TY_OPAQUE) {
		buf_puts(b, "opaque(");
		buf_escaped(b, sym_str(m, t->opaque_domain));
		buf_puts(b, ", ");
		buf_escaped(b, sym_str(m, t->opaque_name));
		buf_putc(b, ')');
	} else {
		buf_puts(b, "unknown");
	}
	while (depth--)
		buf_putc(b, ')');
}

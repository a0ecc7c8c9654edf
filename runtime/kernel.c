/* SPDX-License-Identifier: MIT */
/*
 * kernel.c -- the kernel table, and what kernels call: outputs, views,
 * scratch, parameters.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/exec_p.h"

#define k_none                       NULL
#define KERNEL(op, since, ref, fast) {OP_##op, since, ref, fast},
static const struct kernel kernels[] = {
#include "runtime/kernels.def"
	{OP_UNKNOWN, 0, NULL, NULL},
};
#undef KERNEL
#undef k_none

const struct kernel *kernel_find(const struct op *op)
{
	const struct kernel *best = NULL;

	if (op->id == OP_UNKNOWN || op->id == OP_RETURN || op->id == OP_CALL)
		return NULL;
	for (size_t i = 0; i < countof(kernels); i++) {
		const struct kernel *k = &kernels[i];

		if (k->id == op->id && k->since <= op->since &&
		    (!best || k->since > best->since))
			best = k;
	}
	return best;
}

const char *kernel_refusal(enum op_id id)
{
	switch (id) {
#define KERNEL(op, since, ref, fast)
#define REFUSED(op, why) \
	case OP_##op:    \
		return why;
#include "runtime/kernels.def"
#undef KERNEL
	default:
		return NULL;
	}
}

enum status kcall_error(struct kcall *c, enum diag_code code, const char *fmt,
			...)
{
	struct at at = node_at(c->node);
	struct buf b = {0};
	enum status st;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	st = diag_error(c->d, &at, code, "%s", b.p ? b.p : "");
	buf_release(&b);
	return st;
}

/* ---- outputs ---- */

static struct array *planned(struct kcall *c, uint32_t i, enum dtype dt,
			     int rank, const int64_t *dim)
{
	const struct step *s = ((struct call *)c)->step;
	struct array *a;
	struct region *r;
	size_t bytes;
	int64_t n;

	if (!s || !s->off || s->off[i] == SIZE_MAX || dt == DT_STRING ||
	    !dims_count(rank, dim, &n) || !array_bytes(dt, n, &bytes) ||
	    bytes != s->len[i])
		return NULL;
	r = region_take(c->exec, s->off[i], bytes);
	if (!r)
		return NULL;
	a = array_header(c->d, dt, rank, dim);
	a->region = r;
	a->data = c->exec->arena->p + s->off[i];
	return a;
}

static struct array *set_out(struct kcall *c, uint32_t i, struct array *a)
{
	if (i >= c->nout) {
		array_unref(a);
		BUG("kernel of '%s' sets output %u of %u", c->node->op->name, i,
		    c->nout);
	}
	array_unref(c->out[i]);
	c->out[i] = a;
	return a;
}

struct array *kcall_out(struct kcall *c, uint32_t i, enum dtype dt, int rank,
			const int64_t *dim)
{
	struct array *a = planned(c, i, dt, rank, dim);

	if (!a)
		a = array_create(c->d, dt, rank, dim);
	if (!a)
		return NULL;
	/* Elements below a byte may leave the end of the last one unset. */
	if (a->bytes && dt != DT_STRING && dtype_bits(dt) < 8)
		((uint8_t *)a->data)[a->bytes - 1] = 0;
	return set_out(c, i, a);
}

void kcall_pass(struct kcall *c, uint32_t i, struct array *a)
{
	set_out(c, i, array_ref(a));
}

enum status kcall_view(struct kcall *c, uint32_t i, struct array *a, int rank,
		       const int64_t *dim)
{
	int64_t n;

	if (!dims_count(rank, dim, &n) || n != a->n)
		return kcall_error(c, E_shape,
				   "cannot view %lld elements as %lld",
				   (long long)a->n, (long long)n);
	set_out(c, i, array_view(a, rank, dim));
	return OK;
}

static bool dies_here(const struct call *c, uint32_t j)
{
	const struct ref *r = &c->step->in[j];

	if (r->konst || r->up || r->slot == SLOT_NONE)
		return false;
	for (uint32_t i = 0; i < c->step->ndrop; i++)
		if (c->step->drop[i] == r->slot)
			return true;
	return false;
}

struct array *kcall_inplace(struct kcall *c, uint32_t i, uint32_t j)
{
	const struct call *call = (struct call *)c;
	struct array *a = c->in[j];

	if (call->step && a->bytes && a->dt != DT_STRING &&
	    !c->exec->o.keep_all && dies_here(call, j) && array_exclusive(a))
		return set_out(c, i, array_view(a, a->rank, a->dim));
	return kcall_out(c, i, a->dt, a->rank, a->dim);
}

bool kcall_wants(const struct kcall *c, uint32_t i)
{
	return i < c->nout && c->node->out[i];
}

bool kcall_has(const struct kcall *c, uint32_t j)
{
	return j < c->nin && c->in[j];
}

bool kcall_is_const(const struct kcall *c, uint32_t j)
{
	const struct step *s = ((const struct call *)c)->step;

	return s && j < c->nin && s->in[j].konst;
}

/* ---- memory ---- */

static void *keep_scratch(struct kcall *c, struct blob *b)
{
	struct call *call = (struct call *)c;

	if (!b)
		return NULL;
	vec_push(&call->scratch, b);
	return b->p;
}

void *kcall_scratch(struct kcall *c, size_t bytes)
{
	return keep_scratch(c, blob_alloc(c->d, bytes ? bytes : 1));
}

void *kcall_scratch_dirty(struct kcall *c, size_t bytes)
{
	return keep_scratch(c, blob_alloc_dirty(c->d, bytes ? bytes : 1));
}

void *kcall_cached(struct kcall *c, size_t bytes,
		   void (*make)(struct kcall *c, void *dst))
{
	struct step *s = ((struct call *)c)->step;
	struct cached *k;
	void *p;

	if (!s) {
		p = kcall_scratch(c, bytes);
		if (p)
			make(c, p);
		return p;
	}
	for (k = s->cache; k; k = k->next)
		if (k->make == make && k->blob->len >= bytes)
			return k->blob->p;
	for (uint32_t j = 0; j < c->nin; j++)
		if (c->in[j] && array_load(c->m, c->in[j]))
			return NULL;
	k = arena_new(&c->exec->mem, struct cached);
	k->make = make;
	k->blob = blob_alloc(c->d, bytes ? bytes : 1);
	if (!k->blob)
		return NULL;
	make(c, k->blob->p);
	if (!s->cache)
		vec_push(&c->exec->cached, s);
	k->next = s->cache;
	s->cache = k;
	return k->blob->p;
}

void kcall_packed(struct kcall *c, uint32_t j)
{
	struct step *s = ((struct call *)c)->step;
	const struct array *a = c->in[j];

	if (!s || j >= 32 || !kcall_is_const(c, j) || s->packed >> j & 1)
		return;
	s->packed |= 1u << j;
	if (a->blob && !a->source)
		blob_forget(a->blob, a->data, a->bytes);
}

enum status kcall_load(struct kcall *c, uint32_t j)
{
	if (!kcall_has(c, j))
		return OK;
	c->in[j]->pinned = true;
	return array_load(c->m, c->in[j]);
}

void call_release(struct call *c)
{
	for (size_t i = 0; i < c->scratch.n; i++)
		blob_unref(c->scratch.p[i]);
	vec_release(&c->scratch);
}

/* ---- parameters ---- */

static bool is_int_kind(enum dtype dt)
{
	char k = dtype_kind(dt);

	return k == 'i' || k == 'u' || k == 'b';
}

enum status kcall_ints(struct kcall *c, uint32_t j, const int64_t **v,
		       size_t *n)
{
	const struct array *a;
	int64_t *copy;

	*v = NULL;
	*n = 0;
	if (!kcall_has(c, j))
		return OK;
	a = c->in[j];
	if (a->kind != ARR_TENSOR || !is_int_kind(a->dt) || a->rank > 1)
		return kcall_error(c, E_type,
				   "input %u is not a list of integers", j);
	*n = (size_t)a->n;
	if (a->dt == DT_I64) {
		*v = a->data;
		return OK;
	}
	copy = kcall_scratch(c, (size_t)a->n * sizeof *copy);
	if (!copy)
		return LIMIT;
	for (int64_t i = 0; i < a->n; i++)
		copy[i] = dtype_get_int(a->dt, a->data, (size_t)i);
	*v = copy;
	return OK;
}

enum status kcall_int(struct kcall *c, uint32_t j, int64_t dflt, int64_t *v)
{
	const struct array *a = kcall_has(c, j) ? c->in[j] : NULL;

	*v = dflt;
	if (!a)
		return OK;
	if (a->kind != ARR_TENSOR || !is_int_kind(a->dt) || a->n != 1)
		return kcall_error(c, E_type, "input %u is not one integer", j);
	*v = dtype_get_int(a->dt, a->data, 0);
	return OK;
}

enum status kcall_float(struct kcall *c, uint32_t j, double dflt, double *v)
{
	const struct array *a = kcall_has(c, j) ? c->in[j] : NULL;

	*v = dflt;
	if (!a)
		return OK;
	if (a->kind != ARR_TENSOR || a->dt == DT_STRING ||
	    dtype_kind(a->dt) == 'c' || a->n != 1)
		return kcall_error(c, E_type, "input %u is not one number", j);
	*v = dtype_get(a->dt, a->data, 0);
	return OK;
}

enum status kcall_attr_or_ints(struct kcall *c, const char *name, uint32_t j,
			       const int64_t **v, size_t *n)
{
	if (node_has_attr(c->node, name)) {
		*v = node_attr_ints(c->node, name, n);
		return OK;
	}
	return kcall_ints(c, j, v, n);
}

enum status kcall_axis(struct kcall *c, int64_t axis, int rank, int *out)
{
	if (axis_fix(axis, rank, out))
		return OK;
	return kcall_error(c, E_value, "axis %lld is not within rank %d",
			   (long long)axis, rank);
}

/* The attribute is a float or, of Dropout, an integer. */
static uint64_t node_seed(const struct node *n)
{
	const struct attr *a = node_attr(n, "seed");
	uint32_t bits = 0;

	if (a && a->kind == ATTR_INT && a->n == 1)
		return (uint64_t)a->u.i[0];
	if (a && a->kind == ATTR_FLOAT && a->n == 1)
		memcpy(&bits, a->u.f, sizeof bits);
	return bits;
}

struct rng kcall_rng(struct kcall *c)
{
	struct step *s = ((struct call *)c)->step;
	uint64_t seed = c->exec ? c->exec->o.seed : 0, stream = 0;

	if (s && s->last_run != c->exec->runs) {
		s->last_run = c->exec->runs;
		s->draws = 0;
	}
	if (s)
		stream = (uint64_t)s->draws++ << 32 | s->random;
	return rng_make(seed * 0x9e3779b97f4a7c15u + node_seed(c->node),
			stream);
}

bool broadcast_dims(const struct array *a, const struct array *b, int *rank,
		    int64_t *dim)
{
	int r = a->rank > b->rank ? a->rank : b->rank;

	if (r > KERNEL_MAX_RANK)
		return false;
	for (int i = 0; i < r; i++) {
		int ia = i - (r - a->rank), ib = i - (r - b->rank);
		int64_t da = ia < 0 ? 1 : a->dim[ia];
		int64_t db = ib < 0 ? 1 : b->dim[ib];

		if (da != db && da != 1 && db != 1)
			return false;
		dim[i] = da == 1 ? db : da;
	}
	*rank = r;
	return true;
}

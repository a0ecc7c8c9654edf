/* SPDX-License-Identifier: MIT */
/*
 * load_tensor.c -- tensors of a .pare file, over its mapping.
 *
 * A record must say of its bytes exactly what follows from type and shape,
 * and raw tensors must follow each other in WEIGHTS without a gap, so that no
 * two overlap and none lies outside.
 */
#include <stdlib.h>
#include "ir/sparse.h"
#include "native/cold_p.h"
#include "native/load_p.h"

struct record {
	uint32_t dt, enc, flags, alias;
	uint64_t off, stored, len;
	sym name;
	struct str rest, sparse_rest;
	uint32_t indices, rank, dense_rank;
	int64_t *dim, *dense_dim;
	int64_t n;
};

/* Where the next tensor's bytes must be. */
struct places {
	uint64_t weights, cold;
};

static bool load_dims(struct loader *l, struct cursor *c, uint32_t rank,
		      int64_t **dim, int64_t *count)
{
	bool zero = false, fits = true;

	*count = 1;
	if (rank > RANK_MAX || !cur_count(l, c, rank, 1, 16))
		return load_fail(l, "a tensor's rank is too large");
	*dim = arena_array(&l->m->arena, rank, sizeof **dim);
	for (uint32_t i = 0; i < rank; i++) {
		int64_t d = cur_i64(c);

		if (d < 0)
			return load_fail(l, "a tensor's dimension is negative");
		zero |= d == 0;
		fits = fits && mul_i64(*count, d, count);
		(*dim)[i] = d;
	}
	if (zero)
		*count = 0;
	return zero || fits || load_fail(l, "a tensor is too large");
}

static bool load_record(struct loader *l, struct cursor *c, struct record *r)
{
	int64_t ignored;
	size_t bytes = 0;

	r->dt = cur_u32(c);
	r->enc = cur_u32(c);
	r->flags = cur_u32(c);
	r->alias = cur_u32(c);
	r->off = cur_u64(c);
	r->stored = cur_u64(c);
	r->len = cur_u64(c);
	if (!load_sym(l, c, &r->name) || !load_str(l, c, &r->rest) ||
	    !load_str(l, c, &r->sparse_rest))
		return false;
	r->indices = cur_u32(c);
	r->rank = cur_u32(c);
	r->dense_rank = cur_u32(c);
	if (c->bad || !dtype_valid(r->dt) || r->enc > ENC_TYPED ||
	    r->flags & ~(unsigned)TENSOR_FLAGS)
		return load_fail(l, "a tensor record is impossible");
	if (!load_dims(l, c, r->rank, &r->dim, &r->n) ||
	    !load_dims(l, c, r->dense_rank, &r->dense_dim, &ignored))
		return false;
	if ((r->dt != DT_STRING && !dtype_bytes(r->dt, r->n, &bytes)) ||
	    r->len != bytes)
		return load_fail(l, "a tensor's bytes do not fit its shape");
	return true;
}

/* Raw bytes, or the element of a splat, in WEIGHTS. */
static bool place_raw(struct loader *l, const struct record *r,
		      struct places *at)
{
	const struct section_view *s = &l->sec[SEC_WEIGHTS];
	bool splat = r->flags & TENSOR_SPLAT;
	uint64_t off = align_up(at->weights, TENSOR_ALIGN);

	if (splat ? !r->stored || r->stored > 16 || r->stored > r->len ||
			    r->len % r->stored
		  : r->stored != r->len)
		return load_fail(l, "a tensor's bytes do not fit its shape");
	if (r->off != off || off > s->bytes || r->stored > s->bytes - off)
		return load_fail(l, "a tensor lies outside of its place");
	for (uint64_t i = at->weights; l->verify_weights && i < off; i++)
		if (s->p[i])
			return load_fail(l, "there is something between the "
					    "tensors");
	at->weights = off + r->stored;
	return true;
}

static bool place_cold(struct loader *l, const struct record *r,
		       struct places *at)
{
	const struct section_view *s = &l->sec[SEC_COLD];

	if (r->off != at->cold || r->off > s->bytes ||
	    r->stored > s->bytes - r->off || !cold_plausible(r->stored, r->len))
		return load_fail(l, "a compressed tensor is out of place");
	at->cold += r->stored;
	return true;
}

/* A new reference to the bytes of r, at *off; NULL with *ok if not. */
static struct blob *open_bytes(struct loader *l, const struct record *r,
			       size_t *off)
{
	struct blob *b;
	const char *wrong;

	*off = 0;
	if (r->flags & TENSOR_SPLAT)
		return blob_splat(l->sec[SEC_WEIGHTS].p + r->off, r->stored,
				  r->len);
	if (!(r->flags & TENSOR_COLD)) {
		*off = l->sec[SEC_WEIGHTS].off + r->off;
		return blob_ref(l->file);
	}
	b = blob_alloc(l->d, r->len);
	if (!b)
		return NULL;
	wrong = cold_unpack(l->sec[SEC_COLD].p + r->off, r->stored, b->p,
			    r->len);
	if (!wrong)
		return b;
	load_fail(l, "%s", wrong);
	blob_unref(b);
	return NULL;
}

static struct blob *alias_bytes(struct loader *l, const struct record *r,
				size_t *off)
{
	const struct tensor *t =
		r->alias <= l->ntensor && r->alias ? l->tensor[r->alias] : NULL;

	if (!t || !t->blob || t->len != r->len) {
		load_fail(l, "a tensor shares bytes with none");
		return NULL;
	}
	*off = t->off;
	return blob_ref(t->blob);
}

static struct blob *tensor_bytes(struct loader *l, const struct record *r,
				 struct places *at, size_t *off)
{
	bool splat = r->flags & TENSOR_SPLAT, cold = r->flags & TENSOR_COLD;

	if (r->flags & TENSOR_ALIAS)
		return alias_bytes(l, r, off);
	if (r->alias || (splat && cold)) {
		load_fail(l, "a tensor record is impossible");
		return NULL;
	}
	if (cold ? !place_cold(l, r, at) : !place_raw(l, r, at))
		return NULL;
	return open_bytes(l, r, off);
}

static bool load_string_data(struct loader *l, struct cursor *c,
			     struct tensor *t)
{
	if (!cur_count(l, c, (uint64_t)t->n, 1, sizeof *t->strings))
		return false;
	if (t->n)
		t->strings = arena_array(&l->m->arena, (size_t)t->n,
					 sizeof *t->strings);
	for (int64_t i = 0; i < t->n; i++)
		if (!load_str(l, c, &t->strings[i]))
			return false;
	return true;
}

static bool make_sparse(struct loader *l, struct tensor *t,
			const struct record *r)
{
	const struct tensor *ix;

	if (!(r->flags & TENSOR_SPARSE))
		return (!r->indices && !r->dense_rank) ||
		       load_fail(l, "a tensor record is impossible");
	if (!r->indices || r->indices > l->ntensor)
		return load_fail(l, "a sparse tensor has no indices");
	ix = l->tensor[r->indices];
	if (!sparse_valid(l->m, t, ix, r->dense_dim, (int)r->dense_rank))
		return load_fail(l, "the indices of a sparse tensor are "
				    "impossible");
	t->sparse_indices = ix;
	t->dense_dim = r->dense_dim;
	t->dense_rank = (int)r->dense_rank;
	return true;
}

static bool load_one(struct loader *l, struct cursor *c, struct places *at)
{
	struct record r = {0};
	struct blob *b = NULL;
	struct tensor *t;
	size_t off = 0;

	if (!load_record(l, c, &r))
		return false;
	if (r.len) {
		b = tensor_bytes(l, &r, at, &off);
		if (!b)
			return false;
	} else if (r.flags & ~(unsigned)TENSOR_SPARSE || r.stored || r.off ||
		   r.alias) {
		return load_fail(l, "an empty tensor has bytes");
	}
	t = tensor_of_blob(l->m, r.dt, (int)r.rank, r.dim, b ? b : l->file,
			   off);
	blob_unref(b);
	if (!t)
		return false;
	t->enc = r.enc;
	t->name = r.name;
	t->rest = r.rest;
	t->sparse_rest = r.sparse_rest;
	if (r.dt == DT_STRING && !load_string_data(l, c, t))
		return false;
	l->tensor[l->ntensor + 1] = t;
	if (!make_sparse(l, t, &r))
		return false;
	l->ntensor++;
	return true;
}

bool load_tensors(struct loader *l)
{
	struct cursor c = cur_section(l, SEC_TENSORS);
	uint64_t n = l->sec[SEC_TENSORS].count;
	struct places at = {0};

	if (!cur_count(l, &c, n, 13, sizeof(struct tensor) + 32))
		return false;
	l->tensor = xcalloc((size_t)n + 1, sizeof *l->tensor);
	for (uint64_t i = 0; i < n; i++)
		if (!load_one(l, &c, &at))
			return false;
	if (at.weights != l->sec[SEC_WEIGHTS].bytes ||
	    at.cold != l->sec[SEC_COLD].bytes)
		return load_fail(l, "there are weights that no tensor has");
	return cur_end(l, &c, "TENSORS");
}

bool load_tensor(struct loader *l, struct cursor *c, const struct tensor **t)
{
	uint32_t id = cur_u32(c);

	if (id > l->ntensor)
		return load_fail(l, "there is no tensor %u", id);
	*t = id ? l->tensor[id] : NULL;
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * tensor.c -- immutable tensors over reference-counted bytes.
 *
 * A splat (one element repeated) is compared, hashed and read without ever
 * being materialized; only tensor_data() does that.
 */
#include <string.h>
#include <xxhash.h>
#include "ir/ir.h"

/* Where the bytes are.  period < len: bytes repeat every `period`. */
struct bytes {
	const uint8_t *p;
	size_t len, period;
};

bool shape_count(int rank, const int64_t *dim, int64_t *n)
{
	bool zero = false, fits = true;

	*n = 1;
	for (int i = 0; i < rank; i++) {
		if (dim[i] < 0)
			return false;
		zero |= dim[i] == 0;
		fits = fits && mul_i64(*n, dim[i], n);
	}
	if (zero)
		*n = 0;
	return zero || fits;
}

/* All but the data; NULL with a diagnostic. */
static struct tensor *tensor_head(struct model *m, enum dtype dt, int rank,
				  const int64_t *dim)
{
	struct tensor *t;
	int64_t n;
	size_t len = 0;

	if (!shape_count(rank, dim, &n) ||
	    (dt != DT_STRING && !dtype_bytes(dt, n, &len))) {
		diag_error(m->diag, NULL, E_dims,
			   "a tensor of type %s has impossible dimensions",
			   dtype_name(dt));
		return NULL;
	}
	t = arena_alloc(&m->arena, sizeof *t + (size_t)rank * sizeof t->dim[0]);
	t->dt = dt;
	t->enc = ENC_RAW;
	t->rank = rank;
	t->n = n;
	t->len = len;
	if (rank)
		memcpy(t->dim, dim, (size_t)rank * sizeof t->dim[0]);
	return t;
}

struct tensor *tensor_create(struct model *m, enum dtype dt, int rank,
			     const int64_t *dim)
{
	struct tensor *t = tensor_head(m, dt, rank, dim);
	size_t bytes;

	if (!t || !t->n)
		return t;
	if (dt == DT_STRING) {
		t->enc = ENC_TYPED;
		if (mul_size((size_t)t->n, sizeof(struct str), &bytes))
			t->strings = arena_try(&m->arena, bytes);
		if (t->strings)
			return t;
		diag_error(m->diag, NULL, E_memory,
			   "no memory for %lld strings", (long long)t->n);
		return NULL;
	}
	t->blob = blob_alloc(m->diag, t->len);
	if (!t->blob)
		return NULL;
	model_keep_blob(m, t->blob);
	return t;
}

struct tensor *tensor_of_blob(struct model *m, enum dtype dt, int rank,
			      const int64_t *dim, struct blob *blob, size_t off)
{
	struct tensor *t = tensor_head(m, dt, rank, dim);
	size_t end;

	if (!t || !t->len)
		return t;
	if (!add_size(off, t->len, &end) || end > blob->len) {
		diag_error(m->diag, NULL, E_payload,
			   "a tensor needs %zu bytes at offset %zu, but only "
			   "%zu are there",
			   t->len, off, blob->len);
		return NULL;
	}
	t->blob = blob_ref(blob);
	t->off = off;
	model_keep_blob(m, t->blob);
	return t;
}

const struct tensor *tensor_i64(struct model *m, int rank, const int64_t *dim,
				const int64_t *v)
{
	struct tensor *t = tensor_create(m, DT_I64, rank, dim);

	if (t && t->n)
		memcpy(tensor_data_mut(t), v, t->len);
	return t;
}

const struct tensor *tensor_scalar(struct model *m, enum dtype dt, double v)
{
	struct tensor *t = tensor_create(m, dt, 0, NULL);

	if (t)
		dtype_set(dt, tensor_data_mut(t), 0, v);
	return t;
}

const void *tensor_data(const struct model *m, const struct tensor *t)
{
	static const _Alignas(64) char none[64];
	const uint8_t *p;

	if (!t->blob)
		return t->strings ? (const void *)t->strings : none;
	p = blob_bytes(m->diag, t->blob);
	return p ? p + t->off : NULL;
}

void *tensor_data_mut(struct tensor *t)
{
	if (t->n == 0)
		return NULL;
	if (!t->blob || t->blob->kind != BLOB_HEAP || t->blob->nref != 1)
		BUG("tensor data is shared or not writable");
	return t->blob->p + t->off;
}

const struct type *tensor_type(struct model *m, const struct tensor *t)
{
	bool sparse = t->sparse_indices != NULL;
	int rank = sparse ? t->dense_rank : t->rank;
	const int64_t *dim = sparse ? t->dense_dim : t->dim;
	struct dim *d = arena_array(&m->arena, (size_t)rank, sizeof *d);
	const struct type *type;
	struct type *p;

	for (int i = 0; i < rank; i++)
		d[i] = dim_of(dim[i]);
	type = type_tensor(m, t->dt, rank, d);
	if (!sparse)
		return type;
	p = arena_dup(&m->arena, type, sizeof *type + (size_t)rank * sizeof *d);
	p->kind = TY_SPARSE;
	return type_intern(m, p);
}

/* ---- content ---- */

static bool is_splat(const struct tensor *t)
{
	const struct blob *b = t->blob;

	return b && b->kind == BLOB_SPLAT && b->elem && t->off % b->elem == 0;
}

static bool view(const struct model *m, const struct tensor *t, struct bytes *v)
{
	v->len = v->period = t->len;
	if (is_splat(t)) {
		v->p = t->blob->p;
		if (t->blob->elem < t->len)
			v->period = t->blob->elem;
		return true;
	}
	v->p = tensor_data(m, t);
	return v->p != NULL;
}

/* len bytes at p against a repeating period of e. */
static bool repeats(const uint8_t *p, size_t len, const uint8_t *e,
		    size_t period)
{
	size_t rest = len < period ? len : period;

	/* equal to the period once, and then to itself one period on */
	return memcmp(p, e, rest) == 0 &&
	       (len <= period || memcmp(p + period, p, len - period) == 0);
}

static bool same_bytes(const struct bytes *a, const struct bytes *b)
{
	if (a->len != b->len)
		return false;
	if (a->p == b->p && a->period == b->period)
		return true;
	if (a->period == a->len)
		return repeats(a->p, a->len, b->p, b->period);
	if (b->period == b->len)
		return repeats(b->p, b->len, a->p, a->period);
	if (a->period == b->period)
		return memcmp(a->p, b->p, a->period) == 0;
	/* two splats of different periods: compare byte by byte */
	for (size_t i = 0; i < a->len; i++)
		if (a->p[i % a->period] != b->p[i % b->period])
			return false;
	return true;
}

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
	if (a->dt != b->dt || a->rank != b->rank || a->n != b->n ||
	    !a->sparse_indices != !b->sparse_indices ||
	    a->dense_rank != b->dense_rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i])
			return false;
	for (int i = 0; i < a->dense_rank; i++)
		if (a->dense_dim[i] != b->dense_dim[i])
			return false;
	return true;
}

static bool same_content(const struct model *m, const struct tensor *a,
			 const struct tensor *b)
{
	struct bytes va, vb;

	if (a->dt == DT_STRING) {
		for (int64_t i = 0; i < a->n; i++)
			if (!str_eq(a->strings[i], b->strings[i]))
				return false;
		return true;
	}
	return a->len == b->len &&
	       (a->len == 0 ||
		(view(m, a, &va) && view(m, b, &vb) && same_bytes(&va, &vb)));
}

bool tensor_equal(const struct model *m, const struct tensor *a,
		  const struct tensor *b)
{
	const struct tensor *ia = a->sparse_indices, *ib = b->sparse_indices;

	if (a == b)
		return true;
	if (!same_shape(a, b) || !same_content(m, a, b))
		return false;
	return !ia || (same_shape(ia, ib) && same_content(m, ia, ib));
}

static void hash_repeated(XXH3_state_t *h, const struct bytes *v)
{
	uint8_t block[4096];
	size_t n = sizeof block / v->period * v->period;
	size_t left;

	if (!n) {
		for (left = v->len; left >= v->period; left -= v->period)
			XXH3_64bits_update(h, v->p, v->period);
		XXH3_64bits_update(h, v->p, left);
		return;
	}
	for (size_t i = 0; i < n; i += v->period)
		memcpy(block + i, v->p, v->period);
	for (left = v->len; left > n; left -= n)
		XXH3_64bits_update(h, block, n);
	XXH3_64bits_update(h, block, left);
}

static void hash_content(const struct model *m, XXH3_state_t *h,
			 const struct tensor *t)
{
	int64_t head[2] = {t->dt, t->rank};
	struct bytes v;

	XXH3_64bits_update(h, head, sizeof head);
	XXH3_64bits_update(h, t->dim, (size_t)t->rank * sizeof t->dim[0]);
	for (int64_t i = 0; t->strings && i < t->n; i++) {
		uint64_t n = t->strings[i].n;

		XXH3_64bits_update(h, &n, sizeof n);
		if (n)
			XXH3_64bits_update(h, t->strings[i].p, n);
	}
	if (t->len == 0 || !view(m, t, &v))
		return;
	if (v.period < v.len)
		hash_repeated(h, &v);
	else
		XXH3_64bits_update(h, v.p, v.len);
}

uint64_t tensor_hash(const struct model *m, const struct tensor *t)
{
	XXH3_state_t *h = XXH3_createState();
	uint64_t r;

	if (!h)
		BUG("no memory for a hash state");
	XXH3_64bits_reset(h);
	hash_content(m, h, t);
	if (t->sparse_indices) {
		hash_content(m, h, t->sparse_indices);
		XXH3_64bits_update(h, t->dense_dim,
				   (size_t)t->dense_rank * sizeof(int64_t));
	}
	r = XXH3_64bits_digest(h);
	XXH3_freeState(h);
	return r;
}

/* ---- elements ---- */

/* The bytes that hold element *i, with *i counted from there. */
static const void *element(const struct model *m, const struct tensor *t,
			   int64_t *i)
{
	unsigned bits = dtype_bits(t->dt);

	if (*i < 0 || *i >= t->n || !bits)
		BUG("element %lld of a tensor with %lld", (long long)*i,
		    (long long)t->n);
	if (!is_splat(t))
		return tensor_data(m, t);
	*i %= (int64_t)(t->blob->elem * 8 / bits);
	return t->blob->p;
}

int64_t tensor_int(const struct model *m, const struct tensor *t, int64_t i)
{
	const void *p = element(m, t, &i);

	return p ? dtype_get_int(t->dt, p, (size_t)i) : 0;
}

double tensor_float(const struct model *m, const struct tensor *t, int64_t i)
{
	const void *p = element(m, t, &i);

	return p ? dtype_get(t->dt, p, (size_t)i) : 0;
}

/* The first n elements of less than a byte. */
static bool uniform_packed(unsigned bits, const uint8_t *p, int64_t n)
{
	unsigned mask = (1u << bits) - 1, e = p[0] & mask;

	for (int64_t i = 1; i < n; i++) {
		size_t at = (size_t)i * bits;

		if (((p[at / 8] >> (at % 8)) & mask) != e)
			return false;
	}
	return true;
}

bool tensor_uniform(const struct model *m, const struct tensor *t, double *v)
{
	unsigned bits = dtype_bits(t->dt);
	struct bytes b;
	size_t es = bits / 8;

	if (t->n == 0 || !bits || dtype_kind(t->dt) == 'c' ||
	    t->sparse_indices || !view(m, t, &b))
		return false;
	if (bits < 8) {
		int64_t n = (int64_t)(b.period * 8 / bits);

		if (!uniform_packed(bits, b.p, n < t->n ? n : t->n))
			return false;
	} else if (b.period > es && memcmp(b.p, b.p + es, b.period - es)) {
		return false;
	}
	*v = tensor_float(m, t, 0);
	return true;
}

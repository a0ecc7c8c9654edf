/* SPDX-License-Identifier: MIT */
/*
 * array_tensor.c -- between the IR's immutable tensors and run-time arrays.
 *
 * Zero-copy where the bytes are aligned for their element type; sparse
 * tensors become dense.
 */
#include <string.h>

#include "runtime/exec_p.h"

static size_t dtype_align(enum dtype dt)
{
	size_t bytes = dtype_bits(dt) / 8;

	return bytes < 1 ? 1 : bytes > 8 ? 8 : bytes;
}

/* Linear position of entry i of a sparse tensor; false if out of range. */
static bool sparse_at(struct model *m, const struct tensor *t, int64_t i,
		      int64_t total, int64_t *at)
{
	const struct tensor *x = t->sparse_indices;
	int64_t pos = 0;

	if (x->rank == 1) {
		*at = tensor_int(m, x, i);
		return *at >= 0 && *at < total;
	}
	for (int k = 0; k < t->dense_rank; k++) {
		int64_t v = tensor_int(m, x, i * t->dense_rank + k);

		if (v < 0 || v >= t->dense_dim[k])
			return false;
		pos = pos * t->dense_dim[k] + v;
	}
	*at = pos;
	return true;
}

/* Entry i of the values to place `at`, which is still zero. */
static void put_entry(struct array *a, int64_t at, const void *src, int64_t i)
{
	unsigned bits = dtype_bits(a->dt);
	size_t es = a->dt == DT_STRING ? sizeof(struct str) : bits / 8;
	const uint8_t *from = src;
	uint8_t *to = a->data;

	if (es) {
		memcpy(to + (size_t)at * es, from + (size_t)i * es, es);
	} else {
		size_t f = (size_t)i * bits, t = (size_t)at * bits;
		unsigned v = from[f / 8] >> f % 8 & ((1u << bits) - 1);

		to[t / 8] |= (uint8_t)(v << t % 8);
	}
}

static struct array *of_sparse(struct model *m, const struct tensor *t)
{
	const struct tensor *x = t->sparse_indices;
	const void *src = t->dt == DT_STRING ? t->strings : tensor_data(m, t);
	struct array *a;
	bool ok = (t->n == 0 || src) && x->dt == DT_I64 &&
		  (x->rank == 1 || x->rank == 2) &&
		  x->n == t->n * (x->rank == 2 ? t->dense_rank : 1);
	enum status st = OK;

	if (!ok) {
		diag_error(m->diag, NULL, E_unsupported,
			   "sparse tensor in an unusual form");
		return NULL;
	}
	a = array_create(m->diag, t->dt, t->dense_rank, t->dense_dim);
	if (a && a->bytes)
		memset(a->data, 0, a->bytes);
	for (int64_t i = 0, at; a && !st && i < t->n; i++)
		if (sparse_at(m, t, i, a->n, &at))
			put_entry(a, at, src, i);
		else
			st = diag_error(m->diag, NULL, E_value,
					"sparse index out of range");
	if (a && (st || array_own_strings(m->diag, a))) {
		array_unref(a);
		return NULL;
	}
	return a;
}

static struct array *of_strings(struct model *m, const struct tensor *t)
{
	struct array *a = array_create(m->diag, t->dt, t->rank, t->dim);

	if (!a)
		return NULL;
	if (a->n && t->strings)
		memcpy(a->data, t->strings, a->bytes);
	if (array_own_strings(m->diag, a) == OK)
		return a;
	array_unref(a);
	return NULL;
}

enum { LATE_MIN = 1 << 14 /* bytes; below, a copy now is cheaper */ };

static const void *whole_data(struct model *m, const struct tensor *t,
			      size_t bytes)
{
	const void *p = tensor_data(m, t);

	if (p && t->len < bytes) {
		diag_error(m->diag, NULL, E_payload, "tensor data too short");
		return NULL;
	}
	return p;
}

enum status array_load(struct model *m, struct array *a)
{
	const struct tensor *t = a->source;
	const void *p;

	if (a->data || !t)
		return OK;
	p = whole_data(m, t, a->bytes);
	if (!p)
		return BAD_MODEL;
	a->blob = blob_alloc_dirty(m->diag, a->bytes);
	if (!a->blob)
		return LIMIT;
	a->data = memcpy(a->blob->p, p, a->bytes);
	blob_forget(t->blob, p, a->bytes);
	return OK;
}

void array_unload(struct array *a)
{
	if (!a->source || a->pinned)
		return;
	blob_unref(a->blob);
	a->blob = NULL;
	a->data = NULL;
}

static struct array *of_numbers(struct model *m, const struct tensor *t,
				bool late)
{
	struct array *a = array_header(m->diag, t->dt, t->rank, t->dim);
	const void *p;

	if (!a || a->bytes == 0)
		return a;
	p = whole_data(m, t, a->bytes);
	if (p && (uintptr_t)p % dtype_align(t->dt) == 0) {
		a->data = (void *)(uintptr_t)p;
		a->blob = blob_ref(t->blob);
		return a;
	}
	if (p && late && t->blob->kind == BLOB_MAP && a->bytes >= LATE_MIN) {
		a->source = t;
		a->data = NULL;
		return a;
	}
	if (p && (a->blob = blob_alloc_dirty(m->diag, a->bytes))) {
		a->data = memcpy(a->blob->p, p, a->bytes);
		return a;
	}
	array_unref(a);
	return NULL;
}

static struct array *of_tensor(struct model *m, const struct tensor *t,
			       bool late)
{
	if (t->sparse_indices)
		return of_sparse(m, t);
	if (t->dt == DT_STRING)
		return of_strings(m, t);
	return of_numbers(m, t, late);
}

struct array *array_of_tensor(struct model *m, const struct tensor *t)
{
	return of_tensor(m, t, false);
}

struct array *array_of_tensor_late(struct model *m, const struct tensor *t)
{
	return of_tensor(m, t, true);
}

static const struct tensor *to_strings(struct model *m, const struct array *a)
{
	const struct str *s = a->data;
	struct tensor *t = arena_alloc(
		&m->arena, sizeof *t + (size_t)a->rank * sizeof t->dim[0]);

	t->dt = DT_STRING;
	t->enc = ENC_TYPED;
	t->rank = a->rank;
	t->n = a->n;
	memcpy(t->dim, a->dim, (size_t)a->rank * sizeof t->dim[0]);
	t->strings = arena_array(&m->arena, (size_t)a->n, sizeof *t->strings);
	for (int64_t i = 0; i < a->n; i++)
		t->strings[i] = arena_str(&m->arena, s[i]);
	return t;
}

const struct tensor *array_to_tensor(struct model *m, const struct array *a)
{
	struct tensor *t;

	if (a->kind != ARR_TENSOR) {
		diag_error(m->diag, NULL, E_unsupported,
			   "a sequence or optional value as a tensor");
		return NULL;
	}
	if (a->dt == DT_STRING)
		return to_strings(m, a);
	if (a->blob) {
		const uint8_t *base = a->blob->kind == BLOB_SPLAT
					      ? a->blob->flat
					      : a->blob->p;

		return tensor_of_blob(
			m, a->dt, a->rank, a->dim, a->blob,
			(size_t)((const uint8_t *)a->data - base));
	}
	t = tensor_create(m, a->dt, a->rank, a->dim);
	if (t && a->bytes)
		memcpy(tensor_data_mut(t), a->data, a->bytes);
	return t;
}

/* SPDX-License-Identifier: MIT */
/*
 * parse_tensor.c -- tensor literals of the ONNX text syntax.
 *
 * Values are collected first and only then measured against the shape, so
 * that a text cannot ask for more memory than a few times its own size.
 * Floats below 32 bits: "1.5" is a number; "15" and "0xf" are the bits, as the
 * public syntax has it.  Cost: O(values).
 */
#include <stdlib.h>
#include <string.h>
#include "ir/parse_p.h"
#include "ir/sparse.h"

static unsigned elem_bytes(enum dtype dt)
{
	unsigned bits = dtype_bits(dt);

	return bits < 8 ? 1 : bits / 8;
}

static bool out_of_range(struct parser *p, enum dtype dt)
{
	return parse_fail(p, "the value does not fit %s", dtype_name(dt));
}

static bool put_bits(struct parser *p, enum dtype dt, unsigned bits,
		     const struct number *n, struct buf *b)
{
	uint64_t v;

	if (!number_u64(p, n, &v))
		return false;
	if (bits < 64 && v >> bits)
		return out_of_range(p, dt);
	buf_le(b, v, bits < 8 ? 1 : bits / 8);
	return true;
}

static bool put_signed(struct parser *p, enum dtype dt, const struct number *n,
		       struct buf *b)
{
	unsigned bits = dtype_bits(dt);
	int64_t v, half = INT64_C(1) << (bits - 1 > 62 ? 62 : bits - 1);

	if (!number_i64(p, n, &v))
		return false;
	if (bits < 64 && (v < -half || v >= half))
		return out_of_range(p, dt);
	buf_le(b, (uint64_t)v, elem_bytes(dt));
	return true;
}

static bool put_float(struct parser *p, enum dtype dt, const struct number *n,
		      struct buf *b)
{
	unsigned char small[8] = {0};
	float f;
	double d;

	if (dt == DT_F64 || dt == DT_C128) {
		if (n->kind == NUM_BITS)
			return put_bits(p, dt, 64, n, b);
		d = number_f64(p, n);
		buf_add(b, &d, sizeof d);
	} else if (dt == DT_F32 || dt == DT_C64) {
		if (n->kind == NUM_BITS)
			return put_bits(p, dt, 32, n, b);
		f = number_f32(p, n);
		buf_add(b, &f, sizeof f);
	} else if (n->kind == NUM_FLOAT) {
		dtype_set(dt, small, 0, number_f64(p, n));
		buf_add(b, small, elem_bytes(dt));
	} else {
		return put_bits(p, dt, dtype_bits(dt), n, b);
	}
	return true;
}

static bool put_number(struct parser *p, enum dtype dt, struct buf *b)
{
	struct number n;
	char kind = dtype_kind(dt);

	if (!lex_number(p, &n))
		return false;
	if (kind == 'f' || kind == 'c')
		return put_float(p, dt, &n, b);
	if (kind == 'i')
		return put_signed(p, dt, &n, b);
	return put_bits(p, dt, dtype_bits(dt), &n, b);
}

static bool put_string(struct parser *p, struct buf *b)
{
	struct str s;

	if (!lex_string(p, &s))
		return false;
	s = arena_str(&p->m->arena, s);
	buf_add(b, &s, sizeof s);
	return true;
}

static bool wrong_count(struct parser *p, const char *at, int64_t want)
{
	return parse_fail_at(p, at, E_payload,
			     "the tensor's shape asks for %lld values",
			     (long long)want);
}

/* "{...}" with exactly n values into b. */
static bool collect(struct parser *p, enum dtype dt, int64_t n, struct buf *b)
{
	const char *at = p->p;
	int64_t i;

	if (lex_peek(p) == '.')
		return parse_fail(p, "the tensor's values were left out when "
				     "this text was printed");
	if (lex_peek(p) == '[')
		return parse_fail_at(p, p->p, E_unsupported,
				     "external data cannot be read from text");
	if (!lex_expect(p, '{'))
		return false;
	if (lex_accept(p, '}'))
		return n == 0 || wrong_count(p, at, n);
	for (i = 0; i < n; i++) {
		if (i && !lex_accept(p, ','))
			break;
		if (dt == DT_STRING ? !put_string(p, b) : !put_number(p, dt, b))
			return false;
	}
	if (i == n && n && lex_accept(p, '}'))
		return true;
	if (!n || lex_peek(p) == '}' || lex_peek(p) == ',')
		return wrong_count(p, at, n);
	return lex_expect(p, '}');
}

static void pack(uint8_t *to, const uint8_t *from, size_t n, unsigned bits)
{
	for (size_t i = 0; i < n; i++)
		to[i * bits / 8] |= (uint8_t)((from[i] & ((1u << bits) - 1))
					      << (i * bits % 8));
}

static void fill(struct tensor *t, const struct buf *b)
{
	if (!b->n)
		return;
	if (t->dt == DT_STRING)
		memcpy(t->strings, b->p, b->n);
	else if (dtype_bits(t->dt) < 8)
		pack(tensor_data_mut(t), (const uint8_t *)b->p, b->n,
		     dtype_bits(t->dt));
	else
		memcpy(tensor_data_mut(t), b->p, b->n);
}

/* The numeric dims of t in the arena; false if one is not a number. */
static bool numeric_dims(struct parser *p, const struct type *t, int64_t **dim)
{
	*dim = arena_array(&p->m->arena, t->rank > 0 ? (size_t)t->rank : 0,
			   sizeof **dim);
	for (int i = 0; i < t->rank; i++) {
		if (!dim_known(t->dim[i]))
			return false;
		(*dim)[i] = t->dim[i].n;
	}
	return t->rank >= 0;
}

static bool parse_dense(struct parser *p, const struct type *t, sym name,
			struct tensor **out)
{
	const char *at = p->p;
	struct buf b = {0};
	int64_t *dim, n, each = dtype_kind(t->dt) == 'c' ? 2 : 1;
	bool ok = false;

	if (t->kind != TY_TENSOR || t->dt == DT_NONE ||
	    !numeric_dims(p, t, &dim))
		return parse_fail(p, "a tensor's value needs an element type "
				     "and numbers as dimensions");
	if (!type_count(t, &n) || !mul_i64(n, each, &n))
		return parse_fail_at(p, at, E_dims,
				     "the product of dimensions overflows");
	if (collect(p, t->dt, n, &b)) {
		*out = tensor_create(p->m, t->dt, t->rank, dim);
		ok = *out != NULL;
	}
	if (ok) {
		fill(*out, &b);
		(*out)->name = name;
	}
	buf_release(&b);
	return ok;
}

static bool parse_plain(struct parser *p, sym name, struct tensor **out)
{
	const struct type *t;

	if (!parse_type(p, &t))
		return false;
	lex_accept(p, '=');
	return parse_dense(p, t, name, out);
}

/* "{values, indices}", both dense tensors. */
static bool parse_sparse(struct parser *p, const struct type *t, sym name,
			 const struct tensor **out)
{
	struct tensor *v, *ix;
	int64_t *dim;

	if (!numeric_dims(p, t, &dim))
		return parse_fail(p, "a tensor's value needs numbers as "
				     "dimensions");
	if (!lex_expect(p, '{') || !parse_plain(p, name, &v) ||
	    !lex_expect(p, ',') || !parse_plain(p, 0, &ix) ||
	    !lex_expect(p, '}'))
		return false;
	if (v->dt != t->dt || !sparse_valid(p->m, v, ix, dim, t->rank))
		return parse_fail(p, "the values and indices do not make a "
				     "sparse tensor");
	v->sparse_indices = ix;
	v->dense_dim = dim;
	v->dense_rank = t->rank;
	*out = v;
	return true;
}

bool parse_tensor_data(struct parser *p, const struct type *t, sym name,
		       const struct tensor **out)
{
	struct tensor *v;

	if (t->kind == TY_SPARSE)
		return parse_sparse(p, t, name, out);
	if (!parse_dense(p, t, name, &v))
		return false;
	*out = v;
	return true;
}

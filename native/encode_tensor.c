/* SPDX-License-Identifier: MIT */
/*
 * encode_tensor.c -- tensor records, and places for their bytes.
 *
 * Tensors over the same bytes share them in the file.  A splat stores one
 * element.  What lay in a file of its own becomes part of this one.
 */
#include "base/hash.h"
#include "native/cold_p.h"
#include "native/encode_p.h"

static bool has_bytes(const struct tensor *t)
{
	return t->dt != DT_STRING && t->len > 0;
}

/* The element, if the tensor repeats one. */
static const uint8_t *splat_of(const struct tensor *t)
{
	const struct blob *b = t->blob;

	return b->kind == BLOB_SPLAT && b->elem && b->elem <= t->len &&
			       t->off % b->elem == 0 && t->len % b->elem == 0
		       ? b->p
		       : NULL;
}

const uint8_t *stored_bytes(const struct encoder *e, size_t i)
{
	const struct tensor *t = e->tensor.p[i];

	return e->place.p[i].flags & TENSOR_SPLAT ? splat_of(t)
						  : tensor_data(e->m, t);
}

static size_t element_bytes(const struct tensor *t)
{
	unsigned bits = dtype_bits(t->dt);

	return bits < 8 ? 1 : bits / 8;
}

/* An earlier tensor over the same bytes, plus 1; 0: none. */
static uint32_t find_alias(const struct encoder *e, struct map *seen, size_t i)
{
	const struct tensor *t = e->tensor.p[i], *o;
	uint64_t key =
		hash_mix(map_ptr_key(t->blob)) ^ hash_mix(t->off) ^ t->len;
	const uint64_t *same = map_get(seen, key);

	if (!same) {
		map_put(seen, key, i);
		return 0;
	}
	o = e->tensor.p[*same];
	return o->blob == t->blob && o->off == t->off && o->len == t->len
		       ? (uint32_t)*same + 1
		       : 0;
}

static enum status place_one(struct encoder *e, struct map *seen, size_t i,
			     struct place *p)
{
	const struct tensor *t = e->tensor.p[i];
	uint32_t same = find_alias(e, seen, i);
	const uint8_t *bytes;

	if (same) {
		*p = e->place.p[same - 1];
		p->alias = same;
		p->flags |= TENSOR_ALIAS;
		return OK;
	}
	if (splat_of(t)) {
		p->flags = TENSOR_SPLAT;
		p->stored = t->blob->elem;
	} else {
		bytes = tensor_data(e->m, t);
		if (!bytes)
			return LIMIT;
		p->stored = t->len;
		p->off = e->sec[SEC_COLD].n;
		if (e->compress && cold_pack(&e->sec[SEC_COLD], bytes, t->len,
					     element_bytes(t))) {
			p->flags = TENSOR_COLD;
			p->stored = e->sec[SEC_COLD].n - p->off;
			return OK;
		}
	}
	p->off = align_up(e->weights, TENSOR_ALIGN);
	e->weights = p->off + p->stored;
	return OK;
}

enum status place_tensors(struct encoder *e)
{
	struct map seen = {0};
	enum status st = OK;

	for (size_t i = 0; !st && i < e->tensor.n; i++) {
		struct place p = {0};

		if (has_bytes(e->tensor.p[i]))
			st = place_one(e, &seen, i, &p);
		vec_push(&e->place, p);
	}
	map_release(&seen);
	return st;
}

/* ---- fields of an encoded TensorProto that said where the data was ---- */

static bool varint(struct str s, size_t *i, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; *i < s.n && shift < 64; shift += 7) {
		uint8_t c = (uint8_t)s.p[(*i)++];

		*v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return true;
	}
	return false;
}

/* *i moves behind the field that starts there; false: no field. */
static bool skip_field(struct str s, size_t *i, uint64_t *tag)
{
	uint64_t n = 0;

	if (!varint(s, i, tag))
		return false;
	switch (*tag & 7) {
	case 0:
		return varint(s, i, &n);
	case 1:
		n = 8;
		break;
	case 2:
		if (!varint(s, i, &n))
			return false;
		break;
	case 5:
		n = 4;
		break;
	default:
		return false;
	}
	if (n > s.n - *i)
		return false;
	*i += (size_t)n;
	return true;
}

/* rest without external_data (13) and data_location (14). */
static uint32_t enc_inline_rest(struct encoder *e, struct str rest)
{
	struct buf b = {0};
	size_t i = 0, from = 0;
	uint64_t tag;
	uint32_t id;

	for (; skip_field(rest, &i, &tag); from = i)
		if (tag >> 3 != 13 && tag >> 3 != 14)
			buf_add(&b, rest.p + from, i - from);
	buf_add(&b, rest.p + from, rest.n - from);
	id = enc_rest(e, (struct str){b.p, b.n});
	buf_release(&b);
	return id;
}

/* ---- records ---- */

static void encode_tensor(struct encoder *e, struct buf *b, size_t i)
{
	const struct tensor *t = e->tensor.p[i];
	const struct place *p = &e->place.p[i];
	bool sparse = t->sparse_indices != NULL;
	bool external = t->enc == ENC_EXTERNAL;

	put_u(b, t->dt);
	put_u(b, external ? ENC_RAW : t->enc);
	put_u(b, p->flags | (sparse ? TENSOR_SPARSE : 0u));
	put_u(b, p->alias);
	put_u(b, p->off);
	put_u(b, p->stored);
	put_u(b, t->len);
	put_u(b, enc_sym(e, t->name));
	put_u(b, external ? enc_inline_rest(e, t->rest) : enc_rest(e, t->rest));
	put_u(b, enc_rest(e, t->sparse_rest));
	put_u(b, enc_tensor(e, t->sparse_indices));
	put_u(b, (uint64_t)t->rank);
	put_u(b, sparse ? (uint64_t)t->dense_rank : 0);
	for (int k = 0; k < t->rank; k++)
		put_i(b, t->dim[k]);
	for (int k = 0; sparse && k < t->dense_rank; k++)
		put_i(b, t->dense_dim[k]);
	for (int64_t k = 0; t->dt == DT_STRING && k < t->n; k++)
		put_u(b, enc_str(e, t->strings[k], true));
}

void encode_tensors(struct encoder *e)
{
	for (size_t i = 0; i < e->tensor.n; i++)
		encode_tensor(e, &e->sec[SEC_TENSORS], i);
}

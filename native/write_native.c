/* SPDX-License-Identifier: MIT */
/*
 * write_native.c -- the .pare container: header, section table, sections.
 *
 * Everything but the weights is built in memory.  The weights are walked
 * twice, for the checksum in the table and for the file; they are never
 * copied.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "native/encode_p.h"
#include "native/native.h"

struct section {
	enum section_id id;
	bool critical;
	uint64_t off, bytes, sum;
};

struct layout {
	struct section s[SEC_COUNT];
	uint32_t n;
	uint64_t file_bytes;
};

bool native_probe(const uint8_t *p, size_t n)
{
	return n >= 8 && memcmp(p, PARE_MAGIC, 8) == 0;
}

/* Calls put for every byte of WEIGHTS, in order. */
typedef enum status put_fn(void *arg, const void *p, size_t n);

static enum status each_weight(const struct encoder *e, put_fn *put, void *arg)
{
	static const uint8_t zeros[TENSOR_ALIGN];
	enum status st = OK;
	uint64_t at = 0;

	for (size_t i = 0; !st && i < e->place.n; i++) {
		const struct place *p = &e->place.p[i];
		const uint8_t *bytes;

		if (!p->stored || p->flags & (TENSOR_ALIAS | TENSOR_COLD))
			continue;
		bytes = stored_bytes(e, i);
		if (!bytes)
			return LIMIT;
		st = put(arg, zeros, (size_t)(p->off - at));
		if (!st)
			st = put(arg, bytes, (size_t)p->stored);
		at = p->off + p->stored;
	}
	return st;
}

static enum status put_hash(void *arg, const void *p, size_t n)
{
	XXH3_64bits_update(arg, p, n);
	return OK;
}

static enum status put_file(void *arg, const void *p, size_t n)
{
	return outfile_write(arg, p, n);
}

static enum status hash_weights(const struct encoder *e, uint64_t *sum)
{
	XXH3_state_t *h = XXH3_createState();
	enum status st;

	if (!h)
		BUG("no memory for a hash state");
	XXH3_64bits_reset(h);
	st = each_weight(e, put_hash, h);
	*sum = XXH3_64bits_digest(h);
	XXH3_freeState(h);
	return st;
}

static bool is_present(const struct encoder *e, enum section_id id)
{
	if (id == SEC_WEIGHTS)
		return e->weights > 0;
	if (id == SEC_COLD || id == SEC_PLAN)
		return e->sec[id].n > 0;
	return true;
}

static enum status make_layout(const struct encoder *e, struct layout *l)
{
	static const struct {
		enum section_id id;
		bool critical;
	} all[] = {
#define SECTION(id, number, critical) {SEC_##id, critical},
		SECTION_LIST(SECTION)
#undef SECTION
	};
	uint64_t at;

	for (size_t i = 0; i < countof(all); i++)
		l->n += is_present(e, all[i].id);
	at = HEADER_BYTES + (uint64_t)l->n * ENTRY_BYTES;
	l->n = 0;
	for (size_t i = 0; i < countof(all); i++) {
		struct section *s = &l->s[l->n];
		bool weights = all[i].id == SEC_WEIGHTS;

		if (!is_present(e, all[i].id))
			continue;
		s->id = all[i].id;
		s->critical = all[i].critical;
		s->off = align_up(at, UINT64_C(1) << (weights ? WEIGHTS_ALIGN
							      : SECTION_ALIGN));
		s->bytes = weights ? e->weights : e->sec[s->id].n;
		if (weights && hash_weights(e, &s->sum))
			return LIMIT;
		if (!weights)
			s->sum = XXH3_64bits(e->sec[s->id].p, s->bytes);
		at = s->off + s->bytes;
		l->n++;
	}
	l->file_bytes = at;
	return OK;
}

/* The numbers of records, for readers that want to know before. */
static uint64_t record_count(const struct encoder *e, enum section_id id)
{
	switch (id) {
	case SEC_STRTAB:
		return e->nstr;
	case SEC_TYPES:
		return e->type.n;
	case SEC_TENSORS:
		return e->tensor.n;
	case SEC_FUNCS:
		return e->m->func.n;
	case SEC_GRAPHS:
		return e->m->func.n + 1;
	default:
		return 0;
	}
}

static void put_entry(const struct encoder *e, struct buf *b,
		      const struct section *s)
{
	buf_le(b, s->id, 4);
	buf_le(b, s->critical ? SECTION_CRITICAL : 0, 4);
	buf_le(b, 0, 4);
	buf_le(b, s->id == SEC_WEIGHTS ? WEIGHTS_ALIGN : SECTION_ALIGN, 4);
	buf_le(b, s->off, 8);
	buf_le(b, s->bytes, 8);
	buf_le(b, record_count(e, s->id), 8);
	buf_le(b, s->sum, 8);
	buf_le(b, 0, 8);
	buf_le(b, 0, 8);
}

static void put_header(const struct encoder *e, const struct layout *l,
		       struct buf *b)
{
	struct buf table = {0}, sum = {0};

	for (uint32_t i = 0; i < l->n; i++)
		put_entry(e, &table, &l->s[i]);
	buf_add(b, PARE_MAGIC, 8);
	buf_le(b, PARE_MAJOR, 2);
	buf_le(b, PARE_MINOR, 2);
	buf_le(b, HEADER_BYTES, 4);
	buf_le(b, l->file_bytes, 8);
	buf_le(b, e->sec[SEC_COLD].n ? FEATURE_COLD : 0, 8);
	buf_le(b, 0, 8); /* optional features */
	buf_le(b, 0, 4); /* CPU class: any */
	buf_le(b, l->n, 4);
	buf_le(b, HEADER_BYTES, 8); /* place of the table */
	buf_add(&sum, b->p, b->n);
	buf_add(&sum, table.p, table.n);
	buf_le(b, XXH3_64bits(sum.p, sum.n), 8);
	buf_add(b, table.p, table.n);
	buf_release(&table);
	buf_release(&sum);
}

static enum status put_sections(const struct encoder *e, const struct layout *l,
				struct outfile *f)
{
	static const uint8_t zeros[1 << WEIGHTS_ALIGN];
	enum status st = OK;

	for (uint32_t i = 0; !st && i < l->n; i++) {
		const struct section *s = &l->s[i];

		st = outfile_write(f, zeros,
				   (size_t)(s->off - outfile_tell(f)));
		if (!st && s->id == SEC_WEIGHTS)
			st = each_weight(e, put_file, f);
		else if (!st)
			st = outfile_write(f, e->sec[s->id].p, s->bytes);
	}
	return st;
}

static enum status write_file(const struct encoder *e, const char *path,
			      bool if_changed, uint64_t *bytes)
{
	struct layout l = {0};
	struct buf head = {0};
	struct outfile *f;
	enum status st = make_layout(e, &l);

	if (!st)
		st = outfile_open(e->m->diag, path, &f);
	if (st)
		return st;
	put_header(e, &l, &head);
	st = outfile_write(f, head.p, head.n);
	buf_release(&head);
	if (!st)
		st = put_sections(e, &l, f);
	if (st) {
		outfile_abort(f);
		return st;
	}
	if (bytes)
		*bytes = l.file_bytes;
	return outfile_commit(f, if_changed);
}

enum status native_write(const struct model *m, const char *path,
			 const struct native_write_opts *o, uint64_t *bytes)
{
	struct encoder e = {.m = m, .compress = o && o->compress};
	enum status st = encode_model(&e);

	if (!st)
		st = write_file(&e, path, o && o->if_changed, bytes);
	encoder_release(&e);
	return st;
}

/* SPDX-License-Identifier: MIT */
/*
 * skim.c -- check protobuf bytes and copy them without tensor payloads.
 *
 * protobuf-c has no nesting limit, allocates whatever the file asks for and
 * copies every bytes field.  So it only ever sees what this walk let through:
 * valid tags, lengths inside their message, bounded depth, bounded memory,
 * and a 24-byte ticket in place of each tensor's numbers.  The walk follows
 * protobuf-c's own descriptors, so the two cannot disagree about what nests.
 *
 * Stricter than protobuf: groups and a singular string, message or oneof that
 * occurs twice are refused (merging is legal, but no ONNX writer does it).
 * Cost O(bytes without payloads).
 */
#include <stdlib.h>
#include <string.h>
#include "base/io.h"
#include "onnx.pb-c.h"
#include "onnx/skim_p.h"

enum wire { VARINT, FIXED64, LEN, GROUP, GROUP_END, FIXED32 };

enum { TICKET_FIELD = 536870911, TRAINING_INFO = 20, RAW_DATA = 9 };

/* What one element costs protobuf-c, in bytes: allocation overhead, its entry
 * in a list, its record while scanning; a message's struct comes on top. */
enum {
	COST_FIELD = 16,
	COST_BYTES = 32,
	COST_MESSAGE = 48,
	COST_UNKNOWN = 96,
	COST_NUMBER = 16
};

#define SLACK ((size_t)64 << 20)

/* One message being walked. */
struct level {
	const ProtobufCMessageDescriptor *d;
	const uint8_t *p, *end;
	uint64_t seen;   /* singular fields, by index */
	bool plain;      /* no tickets in here */
	bool oneof;      /* a member of the oneof was seen */
	struct ticket t; /* TensorProto: payload so far; field 0: none */
};

/* One field of a level. */
struct field {
	const ProtobufCFieldDescriptor *f; /* NULL: unknown field */
	uint32_t id;
	enum wire wire;
	const uint8_t *p; /* the content */
	size_t n;
};

static enum status bad(struct skim *s, const uint8_t *p, const char *what)
{
	const struct at at = {.file = s->file};

	return diag_error(s->d, &at, E_proto, "at byte %zu: %s",
			  (size_t)(p - s->base), what);
}

static enum status charge(struct skim *s, size_t n)
{
	const struct at at = {.file = s->file};

	if (n <= s->limit - s->charge) {
		s->charge += n;
		return OK;
	}
	return diag_error(s->d, &at, E_count,
			  "%zu bytes of messages need more than %zu bytes of "
			  "memory",
			  s->size, s->limit);
}

static void put(uint8_t **buf, size_t *len, size_t *cap, const void *p,
		size_t n)
{
	if (n > *cap - *len) {
		*cap = *cap * 2 + n + 64;
		*buf = xrealloc(*buf, *cap);
	}
	if (n)
		memcpy(*buf + *len, p, n);
	*len += n;
}

static void put_out(struct skim *s, const void *p, size_t n)
{
	put(&s->out, &s->len, &s->cap, p, n);
}

static void put_varint(struct skim *s, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;

	for (; v > 0x7f; v >>= 7)
		b[n++] = (uint8_t)(v | 0x80);
	b[n++] = (uint8_t)v;
	put_out(s, b, n);
}

/* A length written into a gap of 5 bytes: redundant bytes are legal. */
static void patch(uint8_t *at, size_t n)
{
	for (int i = 0; i < 5; i++, n >>= 7)
		at[i] = (uint8_t)((n & 0x7f) | (i < 4 ? 0x80 : 0));
}

bool varint_get(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
	uint64_t r = 0;

	for (unsigned sh = 0; sh < 70 && *p < end; sh += 7) {
		const uint8_t b = *(*p)++;

		if (sh == 63 && b > 1)
			return false;
		r |= (uint64_t)(b & 0x7f) << sh;
		if (!(b & 0x80)) {
			*v = r;
			return true;
		}
	}
	return false;
}

/* The wire type that a number of this type has when unpacked. */
static enum wire wire_of(ProtobufCType t)
{
	switch (t) {
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return FIXED32;
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return FIXED64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return LEN;
	default:
		return VARINT;
	}
}

static bool is_packed(const struct field *f)
{
	return f->f && f->wire == LEN && wire_of(f->f->type) != LEN;
}

/* Read the key and the extent of the next field. */
static enum status next_field(struct skim *s, struct level *l, struct field *f)
{
	const uint8_t *start = l->p;
	uint64_t key, n = 0;

	if (!varint_get(&l->p, l->end, &key) || l->p - start > 5 ||
	    key > UINT32_MAX || key >> 3 == 0)
		return bad(s, start, "damaged field tag");
	f->id = (uint32_t)(key >> 3);
	f->wire = (enum wire)(key & 7);
	f->p = l->p;
	if (f->wire == VARINT && !varint_get(&l->p, l->end, &n))
		return bad(s, start, "damaged number");
	if (f->wire == LEN && !varint_get(&l->p, l->end, &n))
		return bad(s, start, "damaged length");
	if (f->wire == GROUP || f->wire == GROUP_END)
		return bad(s, start, "a group, which ONNX does not have");
	if (f->wire > FIXED32)
		return bad(s, start, "undefined wire type");
	if (f->wire == VARINT) {
		f->n = (size_t)(l->p - f->p);
		return OK;
	}
	if (f->wire != LEN)
		n = f->wire == FIXED32 ? 4 : 8;
	if (n > (uint64_t)(l->end - l->p))
		return bad(s, start, "a field runs past its message");
	f->p = l->p;
	f->n = (size_t)n;
	l->p += n;
	return OK;
}

/* Does the field fit the descriptor, and may it occur (again)? */
static enum status check_field(struct skim *s, struct level *l, struct field *f)
{
	const ProtobufCFieldDescriptor *fd;
	bool singular;
	uint64_t bit;

	if (f->id == TICKET_FIELD)
		return bad(s, f->p, "a field number that ONNX does not use");
	f->f = fd = protobuf_c_message_descriptor_get_field(l->d, f->id);
	if (!fd)
		return OK;
	singular = fd->label != PROTOBUF_C_LABEL_REPEATED;
	if (f->wire != wire_of(fd->type) && (singular || !is_packed(f)))
		return bad(s, f->p, "a field has the wrong wire type");
	if (!singular)
		return OK;
	bit = UINT64_C(1) << ((fd - l->d->fields) & 63);
	if (l->seen & bit && wire_of(fd->type) == LEN)
		return bad(s, f->p, "a singular field occurs twice");
	l->seen |= bit;
	if (fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		if (l->oneof)
			return bad(s, f->p, "a oneof occurs twice");
		l->oneof = true;
	}
	return OK;
}

/* Numbers in a packed chunk: whole, and within the memory bound. */
static enum status check_packed(struct skim *s, const struct field *f)
{
	const enum wire w = wire_of(f->f->type);
	const uint8_t *p = f->p, *end = f->p + f->n;
	size_t count = 0;
	uint64_t v;

	if (w != VARINT) {
		const size_t size = w == FIXED32 ? 4 : 8;

		if (f->n % size)
			return bad(s, f->p,
				   "a packed field holds a part of "
				   "a number");
		return charge(s, f->n);
	}
	for (; p < end; count++)
		if (!varint_get(&p, end, &v))
			return bad(s, p, "damaged number in a packed field");
	return charge(s, count * COST_NUMBER);
}

static bool is_payload(const struct level *l, const struct field *f)
{
	if (l->d != &onnx__tensor_proto__descriptor || l->plain)
		return false;
	switch (f->id) {
	case 4: /* float_data */
	case 5: /* int32_data */
	case 7: /* int64_data */
	case RAW_DATA:
	case 10: /* double_data */
	case 11: /* uint64_data */
		return true;
	default:
		return false;
	}
}

/* Add one chunk of a tensor's payload to its ticket. */
static enum status add_payload(struct skim *s, struct level *l,
			       const struct field *f)
{
	const struct at at = {.file = s->file};
	struct ticket *t = &l->t;
	const struct ticket here = {(uint64_t)(f->p - s->base), f->n, f->id, 0};

	if (f->id != RAW_DATA && f->wire == LEN && f->n == 0)
		return OK; /* no numbers: as if absent */
	if (t->field && t->field != f->id)
		return diag_error(s->d, &at, E_payload,
				  "at byte %zu: a tensor stores its values in "
				  "two fields",
				  (size_t)(f->p - s->base));
	if (!t->field || f->id == RAW_DATA) { /* a bytes field: last wins */
		*t = here;
		return OK;
	}
	if (!t->side) { /* second chunk: gather */
		const uint64_t off = s->nside;

		put(&s->side, &s->nside, &s->side_cap, s->base + t->off,
		    (size_t)t->len);
		t->off = off;
		t->side = 1;
	}
	put(&s->side, &s->nside, &s->side_cap, f->p, f->n);
	t->len += f->n;
	return charge(s, f->n);
}

static enum status walk(struct skim *s, struct level *l, int depth);

static enum status walk_child(struct skim *s, const struct level *l,
			      const struct field *f, int depth)
{
	static const uint8_t gap[5];
	struct level c = {.d = f->f->descriptor,
			  .p = f->p,
			  .end = f->p + f->n,
			  .plain = l->plain};
	enum status st;
	size_t at;

	/* Training graphs are kept as they are, payloads included. */
	if (l->d == &onnx__model_proto__descriptor && f->id == TRAINING_INFO)
		c.plain = true;
	st = charge(s, c.d->sizeof_message + COST_MESSAGE);
	if (st)
		return st;
	put_varint(s, (uint64_t)f->id << 3 | LEN);
	put_out(s, gap, sizeof gap);
	at = s->len;
	st = walk(s, &c, depth + 1);
	if (st)
		return st;
	if (s->len - at > INT32_MAX)
		return bad(s, f->p,
			   "a message without payloads is larger "
			   "than 2 GiB");
	patch(s->out + at - 5, s->len - at);
	return OK;
}

/* Copy a field that is neither a message nor a payload. */
static enum status copy_field(struct skim *s, const struct field *f)
{
	enum status st = charge(s, f->f ? COST_FIELD : COST_UNKNOWN);

	if (!st && is_packed(f))
		st = check_packed(s, f);
	else if (!st && f->wire == LEN)
		st = charge(s, COST_BYTES + f->n);
	if (st)
		return st;
	if (f->n > INT32_MAX)
		return bad(s, f->p, "a field is larger than 2 GiB");
	put_varint(s, (uint64_t)f->id << 3 | f->wire);
	if (f->wire == LEN)
		put_varint(s, f->n);
	put_out(s, f->p, f->n);
	return OK;
}

static enum status walk_field(struct skim *s, struct level *l, int depth)
{
	struct field f = {0};
	enum status st = next_field(s, l, &f);

	if (!st)
		st = is_payload(l, &f) ? OK : check_field(s, l, &f);
	if (st)
		return st;
	if (is_payload(l, &f)) {
		f.f = protobuf_c_message_descriptor_get_field(l->d, f.id);
		if (f.wire != wire_of(f.f->type) && !is_packed(&f))
			return bad(s, f.p, "a field has the wrong wire type");
		return add_payload(s, l, &f);
	}
	if (f.f && f.f->type == PROTOBUF_C_TYPE_MESSAGE)
		return walk_child(s, l, &f, depth);
	return copy_field(s, &f);
}

/* NOLINTNEXTLINE(misc-no-recursion): at most SKIM_DEPTH levels */
static enum status walk(struct skim *s, struct level *l, int depth)
{
	const struct at at = {.file = s->file};
	enum status st = OK;

	if (depth > SKIM_DEPTH)
		return diag_error(s->d, &at, E_depth,
				  "at byte %zu: more than %d nested messages",
				  (size_t)(l->p - s->base), SKIM_DEPTH);
	while (!st && l->p < l->end)
		st = walk_field(s, l, depth);
	if (st || !l->t.field)
		return st;
	put_varint(s, (uint64_t)TICKET_FIELD << 3 | LEN);
	put_varint(s, sizeof l->t);
	put_out(s, &l->t, sizeof l->t);
	return charge(s, COST_FIELD + COST_BYTES);
}

enum status skim(struct skim *s, struct diag *d, const char *file,
		 const ProtobufCMessageDescriptor *desc, const uint8_t *base,
		 size_t size)
{
	struct level top = {.d = desc, .p = base, .end = base + size};
	const struct at at = {.file = file};
	enum status st;

	*s = (struct skim){.base = base, .size = size, .d = d, .file = file};
	if (!mul_size(size, 8, &s->limit) ||
	    !add_size(s->limit, SLACK, &s->limit))
		s->limit = SIZE_MAX;
	st = walk(s, &top, 0);
	if (!st && !limit_memory_ok(s->charge))
		st = diag_error(d, &at, E_memory,
				"parsing needs %zu bytes of memory", s->charge);
	return st;
}

void skim_release(struct skim *s)
{
	free(s->out);
	free(s->side);
	*s = (struct skim){0};
}

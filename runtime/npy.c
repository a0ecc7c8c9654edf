/* SPDX-License-Identifier: MIT */
/*
 * npy.c -- NumPy's .npy files: one array each.
 *
 * Format: NEP 1, versions 1.0 to 3.0.  The header is a Python dictionary with
 * exactly the keys descr, fortran_order and shape; anything else is refused.
 * Data in our byte order and in C order is used where the file is mapped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/npy_p.h"

enum { MAGIC_LEN = 6, HEADER_MAX = 1 << 16, GROWTH = 21 };

static const char magic[MAGIC_LEN + 1] = "\x93NUMPY";

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static const char host_order = '<';
#else
static const char host_order = '>';
#endif

static const struct {
	char code[4];
	enum dtype dt;
} types[] = {
	{"b1", DT_BOOL}, {"i1", DT_I8},    {"u1", DT_U8},  {"i2", DT_I16},
	{"u2", DT_U16},  {"f2", DT_F16},   {"i4", DT_I32}, {"u4", DT_U32},
	{"f4", DT_F32},  {"i8", DT_I64},   {"u8", DT_U64}, {"f8", DT_F64},
	{"c8", DT_C64},  {"c16", DT_C128},
};

struct header {
	char order;    /* '<', '>' or '|' */
	char code[16]; /* "f4", "U12" */
	bool fortran;
	int rank;
	int64_t dim[NPY_RANK_MAX];
	unsigned seen; /* keys found: bits 1, 2, 4 */
};

struct cursor {
	const char *p, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n'))
		c->p++;
}

static bool take(struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	skip_space(c);
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* A Python string without escapes. */
static bool take_string(struct cursor *c, struct str *s)
{
	const char *q;

	skip_space(c);
	if (c->p == c->end || (*c->p != '\'' && *c->p != '"'))
		return false;
	q = memchr(c->p + 1, *c->p, (size_t)(c->end - c->p - 1));
	if (!q || memchr(c->p, '\\', (size_t)(q - c->p)))
		return false;
	*s = (struct str){c->p + 1, (size_t)(q - c->p - 1)};
	c->p = q + 1;
	return true;
}

/* Digits; Python 2 ends its long integers with L. */
static bool take_size(struct cursor *c, int64_t *v)
{
	bool any = false;

	*v = 0;
	skip_space(c);
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
		if (!mul_i64(*v, 10, v) || !add_i64(*v, *c->p - '0', v))
			return false;
		any = true;
	}
	if (any)
		take(c, "L");
	return any;
}

static bool take_shape(struct cursor *c, struct header *h)
{
	if (!take(c, "("))
		return false;
	while (!take(c, ")")) {
		if (h->rank == NPY_RANK_MAX || !take_size(c, &h->dim[h->rank]))
			return false;
		h->rank++;
		/* "(3)" would be a number, not a tuple. */
		if (!take(c, ",") && (h->rank == 1 || !take(c, ")")))
			return false;
		else if (c->p[-1] == ')')
			break;
	}
	return true;
}

static bool take_descr(struct cursor *c, struct header *h)
{
	struct str s;

	if (!take_string(c, &s) || s.n < 2 || s.n > sizeof(h->code))
		return false;
	h->order = s.p[0] == '=' ? host_order : s.p[0];
	memcpy(h->code, s.p + 1, s.n - 1);
	return strchr("<>|", h->order) != NULL;
}

static bool take_entry(struct cursor *c, struct header *h)
{
	struct str key;
	unsigned bit;
	bool ok;

	if (!take_string(c, &key) || !take(c, ":"))
		return false;
	if (str_is(key, "descr")) {
		bit = 1;
		ok = take_descr(c, h);
	} else if (str_is(key, "shape")) {
		bit = 2;
		ok = take_shape(c, h);
	} else if (str_is(key, "fortran_order")) {
		bit = 4;
		h->fortran = take(c, "True");
		ok = h->fortran || take(c, "False");
	} else {
		return false;
	}
	ok = ok && !(h->seen & bit);
	h->seen |= bit;
	return ok;
}

static bool take_header(struct cursor *c, struct header *h)
{
	if (!take(c, "{"))
		return false;
	while (!take(c, "}")) {
		if (!take_entry(c, h))
			return false;
		if (!take(c, ",") && (c->p == c->end || *c->p != '}'))
			return false;
	}
	skip_space(c);
	return c->p == c->end && h->seen == 7;
}

/* Offset of the data behind p, or 0: no .npy header. */
static size_t read_header(const uint8_t *p, size_t len, struct header *h)
{
	struct cursor c;
	size_t n, at;

	*h = (struct header){0};
	if (len < MAGIC_LEN + 6 || memcmp(p, magic, MAGIC_LEN) != 0)
		return 0;
	if (p[6] < 1 || p[6] > 3 || p[7] != 0)
		return 0;
	n = p[8] | (size_t)p[9] << 8;
	at = 10;
	if (p[6] >= 2) {
		n |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
		at = 12;
	}
	if (n > HEADER_MAX || n > len - at)
		return 0;
	c.p = (const char *)p + at;
	c.end = c.p + n;
	return take_header(&c, h) ? at + n : 0;
}

static enum dtype find_type(const struct header *h)
{
	size_t i;

	for (i = 0; i < countof(types); i++)
		if (strcmp(types[i].code, h->code) == 0)
			return types[i].dt;
	return DT_NONE;
}

/* Bytes that are swapped as one: parts of complex numbers on their own. */
static size_t unit_bytes(enum dtype dt)
{
	return dtype_bits(dt) / 8 / (dtype_kind(dt) == 'c' ? 2 : 1);
}

static void swap_units(uint8_t *p, size_t bytes, size_t unit)
{
	size_t i, k;
	uint8_t t;

	for (i = 0; i + unit <= bytes; i += unit)
		for (k = 0; k < unit / 2; k++) {
			t = p[i + k];
			p[i + k] = p[i + unit - 1 - k];
			p[i + unit - 1 - k] = t;
		}
}

/* src runs with the first index fastest; dst is filled in C order. */
static void from_fortran(const struct array *a, const uint8_t *src, size_t es)
{
	int64_t index[NPY_RANK_MAX] = {0}, stride[NPY_RANK_MAX], step = 1,
		from = 0;
	uint8_t *dst = a->data;
	int64_t i;
	int k;

	/* Without elements, the other dims may be anything. */
	for (k = 0; k < a->rank && a->n; k++) {
		stride[k] = step;
		step *= a->dim[k];
	}
	for (i = 0; i < a->n; i++) {
		memcpy(dst + (size_t)i * es, src + (size_t)from * es, es);
		for (k = a->rank - 1; k >= 0; k--) {
			from += stride[k];
			if (++index[k] < a->dim[k])
				break;
			from -= stride[k] * index[k];
			index[k] = 0;
		}
	}
}

/* Any byte but 0 is true: make it 1. */
static bool bools_odd(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] > 1)
			return true;
	return false;
}

static void normalize(const struct header *h, struct array *a,
		      const uint8_t *src)
{
	size_t es = dtype_bits(a->dt) / 8, i;
	uint8_t *p = a->data;

	if (h->fortran && a->rank > 1)
		from_fortran(a, src, es);
	else if (a->bytes)
		memcpy(p, src, a->bytes);
	if (h->order != host_order && h->order != '|')
		swap_units(p, a->bytes, unit_bytes(a->dt));
	if (a->dt == DT_BOOL)
		for (i = 0; i < a->bytes; i++)
			p[i] = p[i] != 0;
}

/* Can the array use the file's bytes as they lie? */
static bool usable(const struct header *h, const struct array *a,
		   const uint8_t *src)
{
	if ((h->fortran && a->rank > 1) ||
	    (h->order != host_order && h->order != '|') ||
	    (uintptr_t)src % unit_bytes(a->dt))
		return false;
	return a->dt != DT_BOOL || !bools_odd(src, a->bytes);
}

static enum status damaged(struct diag *d, const struct at *at)
{
	return diag_error(d, at, E_data, "not a NumPy array file");
}

static enum status parse_numbers(struct diag *d, const struct at *at,
				 const struct header *h, enum dtype dt,
				 struct blob *file, size_t off, size_t len,
				 struct array **out)
{
	struct array *a = array_header(d, dt, h->rank, h->dim);
	enum status st;

	if (!a)
		return BAD_MODEL;
	if (a->bytes != len) {
		st = diag_error(d, at, E_data,
				"%zu bytes of data, the shape needs %zu", len,
				a->bytes);
		array_unref(a);
		return st;
	}
	if (usable(h, a, file->p + off)) {
		if (len) {
			a->blob = blob_ref(file);
			a->data = file->p + off;
		}
		*out = a;
		return OK;
	}
	array_unref(a);
	a = array_create(d, dt, h->rank, h->dim);
	if (!a)
		return LIMIT;
	normalize(h, a, file->p + off);
	*out = a;
	return OK;
}

static enum status parse_text(struct diag *d, const struct at *at,
			      const struct header *h, const uint8_t *p,
			      size_t len, struct array **out)
{
	struct npy_text t = {.kind = *h->code, .rank = h->rank, .dim = h->dim};
	char *end;

	t.width = strtoul(h->code + 1, &end, 10);
	t.swapped = h->order != host_order;
	if (*end || t.width > UINT32_MAX || (h->fortran && h->rank > 1))
		return diag_error(d, at, E_data,
				  "strings '%c%s' of this form are not read",
				  h->order, h->code);
	return npy_text_parse(d, at, &t, p, len, out);
}

enum status npy_layout(struct diag *d, const char *path, const uint8_t *p,
		       size_t len, struct npy_layout *out)
{
	struct at at = {.file = path};
	struct header h;

	out->off = read_header(p, len, &h);
	if (!out->off)
		return damaged(d, &at);
	out->dt = find_type(&h);
	out->rank = h.rank;
	memcpy(out->dim, h.dim, sizeof(h.dim));
	if (out->dt && (!h.fortran || h.rank < 2) &&
	    (h.order == host_order || h.order == '|'))
		return OK;
	return diag_error(d, &at, E_data,
			  "rows can only be read from numbers in C order and "
			  "native byte order");
}

enum status npy_parse(struct diag *d, const char *path, struct blob *file,
		      size_t off, size_t len, struct array **out)
{
	struct at at = {.file = path};
	const uint8_t *p;
	struct header h;
	enum dtype dt;
	size_t skip;

	*out = NULL;
	if (off > file->len || len > file->len - off)
		return damaged(d, &at);
	p = blob_bytes(d, file);
	if (!p)
		return LIMIT;
	skip = read_header(p + off, len, &h);
	if (!skip)
		return damaged(d, &at);
	dt = find_type(&h);
	/* Bytes have no order; everything wider must have one. */
	if (dt && (h.order == '|') == (unit_bytes(dt) == 1))
		return parse_numbers(d, &at, &h, dt, file, off + skip,
				     len - skip, out);
	if (*h.code == 'U' || *h.code == 'S')
		return parse_text(d, &at, &h, p + skip + off, len - skip, out);
	return diag_error(d, &at, E_data,
			  "element type '%c%s' is neither number nor string",
			  h.order, h.code);
}

enum status npy_read(struct diag *d, const char *path, struct array **out)
{
	struct blob *file;
	enum status st = file_map(d, path, &file);

	*out = NULL;
	if (st)
		return st;
	st = npy_parse(d, path, file, 0, file->len, out);
	blob_unref(file);
	return st;
}

static const char *type_code(enum dtype dt)
{
	size_t i;

	for (i = 0; i < countof(types); i++)
		if (types[i].dt == dt)
			return types[i].code;
	return NULL;
}

bool npy_can_hold(const struct array *a)
{
	size_t width;

	return a->kind == ARR_TENSOR &&
	       (type_code(a->dt) ||
		(a->dt == DT_STRING && npy_text_width(a, &width)));
}

/* Spaces that let NumPy grow the first dimension in place. */
static void add_growth(struct buf *b, const struct array *a)
{
	char digits[32];
	int n;

	if (a->rank == 0)
		return;
	n = snprintf(digits, sizeof(digits), "%lld", (long long)a->dim[0]);
	for (; n < GROWTH; n++)
		buf_putc(b, ' ');
}

void npy_header(struct buf *b, const struct array *a)
{
	struct buf h = {0};
	size_t fixed, n;
	int i;

	if (a->dt == DT_STRING && npy_text_width(a, &n))
		buf_printf(&h, "{'descr': '%cU%zu'", host_order, n);
	else
		buf_printf(&h, "{'descr': '%c%s'",
			   unit_bytes(a->dt) == 1 ? '|' : host_order,
			   type_code(a->dt));
	buf_puts(&h, ", 'fortran_order': False, 'shape': (");
	for (i = 0; i < a->rank; i++)
		buf_printf(&h, i ? ", %lld" : "%lld", (long long)a->dim[i]);
	buf_puts(&h, a->rank == 1 ? ",), }" : "), }");
	add_growth(&h, a);
	fixed = h.n + 64 + 10 > UINT16_MAX ? 12 : 10;
	n = (fixed + h.n + 1 + 63) / 64 * 64 - fixed;
	while (h.n < n - 1)
		buf_putc(&h, ' ');
	buf_putc(&h, '\n');
	buf_add(b, magic, MAGIC_LEN);
	buf_le(b, fixed == 12 ? 2 : 1, 2);
	buf_le(b, h.n, fixed == 12 ? 4 : 2);
	buf_add(b, h.p, h.n);
	buf_release(&h);
}

void npy_body(struct buf *b, const struct array *a)
{
	size_t width;

	if (a->dt == DT_STRING && npy_text_width(a, &width))
		npy_text_write(b, a, width);
	else
		buf_add(b, a->data, a->bytes);
}

enum status npy_write(struct diag *d, const char *path, const struct array *a)
{
	struct at at = {.file = path};
	struct buf head = {0};
	struct outfile *f;
	enum status st;

	if (!npy_can_hold(a))
		return diag_error(d, &at, E_unsupported,
				  "a NumPy file cannot hold %s",
				  a->kind == ARR_TENSOR ? dtype_name(a->dt)
							: "a sequence");
	st = outfile_open(d, path, &f);
	if (st)
		return st;
	npy_header(&head, a);
	if (a->dt == DT_STRING)
		npy_body(&head, a);
	outfile_write(f, head.p, head.n);
	if (a->dt != DT_STRING)
		outfile_write(f, a->data, a->bytes);
	buf_release(&head);
	return outfile_commit(f, false);
}

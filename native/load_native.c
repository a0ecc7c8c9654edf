/* SPDX-License-Identifier: MIT */
/*
 * load_native.c -- the .pare container: header, section table, checksums.
 *
 * The file stays mapped; tensors and strings point into it.  Metadata is
 * always checked against its checksum, weights on request.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "ir/bind.h"
#include "ir/calls.h"
#include "native/load_p.h"
#include "native/native.h"

bool load_fail(struct loader *l, const char *fmt, ...)
{
	struct at at = {.file = l->path};
	struct buf b = {0};
	va_list ap;

	if (l->failed)
		return false;
	l->failed = true;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	diag_error(l->d, &at, E_native, "%s", b.p);
	buf_release(&b);
	return false;
}

/* ---- cursor ---- */

static bool cur_take(struct cursor *c, void *to, size_t n)
{
	memset(to, 0, n);
	if (c->bad || n > (size_t)(c->end - c->p)) {
		c->bad = true;
		return false;
	}
	memcpy(to, c->p, n);
	c->p += n;
	return true;
}

uint32_t cur_fixed32(struct cursor *c)
{
	uint32_t v;

	cur_take(c, &v, sizeof v);
	return v;
}

uint64_t cur_fixed64(struct cursor *c)
{
	uint64_t v;

	cur_take(c, &v, sizeof v);
	return v;
}

uint64_t cur_u64(struct cursor *c)
{
	uint64_t v = 0;
	uint8_t byte;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (!cur_take(c, &byte, 1))
			return 0;
		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte >= 0x80)
			continue;
		if (byte || !shift)
			return v;
		break; /* not the shortest form */
	}
	c->bad = true;
	return 0;
}

uint32_t cur_u32(struct cursor *c)
{
	uint64_t v = cur_u64(c);

	if (v <= UINT32_MAX)
		return (uint32_t)v;
	c->bad = true;
	return 0;
}

int64_t cur_i64(struct cursor *c)
{
	uint64_t v = cur_u64(c);

	return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

bool cur_count(struct loader *l, struct cursor *c, uint64_t n, size_t least,
	       size_t cost)
{
	uint64_t need;

	if (c->bad || n > (uint64_t)(c->end - c->p) / least || n >= UINT32_MAX)
		return load_fail(l, "a count of %llu does not fit its section",
				 (unsigned long long)n);
	if (__builtin_mul_overflow(n, cost, &need) || need > l->budget) {
		l->failed = true;
		diag_error(l->d, &(struct at){.file = l->path}, E_count,
			   "the metadata would take too much memory");
		return false;
	}
	l->budget -= need;
	return true;
}

struct cursor cur_section(const struct loader *l, enum section_id id)
{
	const struct section_view *s = &l->sec[id];

	return (struct cursor){s->p, s->p + s->bytes, false};
}

bool cur_end(struct loader *l, const struct cursor *c, const char *what)
{
	if (!c->bad && c->p == c->end)
		return true;
	return load_fail(l,
			 c->bad ? "the %s section is cut off"
				: "the %s section has bytes left over",
			 what);
}

/* ---- header and sections ---- */

static const char *section_name(uint32_t id)
{
	static const char *const name[SEC_COUNT] = {
#define SECTION(id, number, critical) [number] = #id,
		SECTION_LIST(SECTION)
#undef SECTION
	};

	return id < SEC_COUNT && name[id] ? name[id] : "unknown";
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* One entry; *end is where the sections so far end. */
static bool load_entry(struct loader *l, struct cursor *c, uint64_t *end,
		       uint32_t *last)
{
	uint32_t id = cur_fixed32(c), flags = cur_fixed32(c),
		 codec = cur_fixed32(c);
	uint32_t align = cur_fixed32(c);
	struct section_view s = {.present = true};
	uint64_t stop;

	s.off = cur_fixed64(c);
	s.bytes = cur_fixed64(c);
	s.count = cur_fixed64(c);
	s.sum = cur_fixed64(c);
	if (codec || cur_fixed64(c) || cur_fixed64(c) || align > 21 ||
	    flags & ~SECTION_CRITICAL)
		return load_fail(l, "a section entry needs a newer pare");
	if (id <= *last)
		return load_fail(l, "the sections are not in order");
	*last = id;
	if (s.off < *end || s.off % (UINT64_C(1) << align) ||
	    __builtin_add_overflow(s.off, s.bytes, &stop) ||
	    stop > l->file->len)
		return load_fail(l, "section %s lies outside of its place",
				 section_name(id));
	s.p = l->file->p + s.off;
	if (s.off - *end >= UINT64_C(1) << align ||
	    !all_zero(l->file->p + *end, s.off - *end))
		return load_fail(l, "there is something between the sections");
	*end = stop;
	if (id < SEC_COUNT)
		l->sec[id] = s;
	else if (flags & SECTION_CRITICAL)
		return load_fail(l,
				 "the file needs section %u, which this "
				 "version does not know",
				 id);
	return true;
}

static bool load_table(struct loader *l, uint32_t n)
{
	struct cursor c = {l->file->p + HEADER_BYTES, l->file->p + l->file->len,
			   false};
	uint64_t end = HEADER_BYTES + (uint64_t)n * ENTRY_BYTES;
	uint32_t last = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!load_entry(l, &c, &end, &last))
			return false;
	if (end != l->file->len)
		return load_fail(l, "there is something behind the sections");
	for (uint32_t id = SEC_STRTAB; id <= SEC_GRAPHS; id++)
		if (!l->sec[id].present)
			return load_fail(l, "section %s is missing",
					 section_name(id));
	if (l->sec[SEC_WEIGHTS].off % TENSOR_ALIGN)
		return load_fail(l, "the weights are not aligned");
	return true;
}

static bool check_header_sum(struct loader *l, uint32_t n, uint64_t sum)
{
	XXH3_state_t *h = XXH3_createState();
	uint64_t got;

	if (!h)
		BUG("no memory for a hash state");
	XXH3_64bits_reset(h);
	XXH3_64bits_update(h, l->file->p, HEADER_SUM_AT);
	XXH3_64bits_update(h, l->file->p + HEADER_BYTES,
			   (size_t)n * ENTRY_BYTES);
	got = XXH3_64bits_digest(h);
	XXH3_freeState(h);
	return got == sum || load_fail(l, "the header's checksum is wrong");
}

static bool load_header(struct loader *l)
{
	struct cursor c = {l->file->p + 8, l->file->p + l->file->len, false};
	uint32_t version, header, n;
	uint64_t bytes, need, cpu, table, sum;

	if (!native_probe(l->file->p, l->file->len))
		return load_fail(l, "this is not a .pare file");
	version = cur_fixed32(&c);
	header = cur_fixed32(&c);
	bytes = cur_fixed64(&c);
	need = cur_fixed64(&c);
	cur_fixed64(&c); /* optional features: free to ignore */
	cpu = cur_fixed32(&c);
	n = cur_fixed32(&c);
	table = cur_fixed64(&c);
	sum = cur_fixed64(&c);
	if (c.bad)
		return load_fail(l, "the header is cut off");
	if ((version & 0xffff) != PARE_MAJOR ||
	    need & ~(uint64_t)FEATURE_COLD || cpu || header != HEADER_BYTES ||
	    table != HEADER_BYTES)
		return load_fail(l,
				 "the file needs a newer pare: version "
				 "%u.%u, features 0x%llx",
				 version & 0xffff, version >> 16,
				 (unsigned long long)need);
	if (bytes != l->file->len)
		return load_fail(l, "the file has %zu bytes, not %llu",
				 l->file->len, (unsigned long long)bytes);
	if (!n || n > SECTION_MAX ||
	    (uint64_t)n * ENTRY_BYTES > l->file->len - HEADER_BYTES)
		return load_fail(l, "%u sections are impossible", n);
	return check_header_sum(l, n, sum) && load_table(l, n);
}

static bool check_sums(struct loader *l)
{
	for (uint32_t id = 1; id < SEC_COUNT; id++) {
		const struct section_view *s = &l->sec[id];

		if (!s->present || (id == SEC_WEIGHTS && !l->verify_weights))
			continue;
		if (XXH3_64bits(s->p, s->bytes) != s->sum)
			return load_fail(l,
					 "the checksum of section %s is "
					 "wrong",
					 section_name(id));
	}
	return true;
}

static bool load_all(struct loader *l)
{
	struct model *m = l->m;

	if (!load_header(l) || !check_sums(l) || !load_strings(l) ||
	    !load_types(l) || !load_meta(l) || !load_tensors(l) ||
	    !load_funcs(l))
		return false;
	if (bind_index(m, &l->funcs))
		return load_fail(l, "a function is there twice");
	return load_graphs(l) && model_check_calls(m) == OK;
}

static void loader_release(struct loader *l)
{
	free(l->sym);
	free(l->str);
	free(l->type);
	free(l->type_depth);
	free(l->tensor);
	vec_release(&l->value);
	scope_release(&l->names);
	map_release(&l->funcs);
}

enum status native_read_blob(struct diag *d, const char *path,
			     struct blob *file, bool verify_weights,
			     struct model **out)
{
	struct loader l = {.d = d,
			   .path = path,
			   .file = file,
			   .verify_weights = verify_weights};
	bool ok;

	l.m = model_create(d);
	l.m->path = path ? arena_printf(&l.m->arena, "%s", path) : NULL;
	l.m->file = blob_ref(file);
	model_keep_blob(l.m, l.m->file);
	l.m->file_bytes = file->len;
	l.budget = (uint64_t)file->len * BUDGET_FACTOR + BUDGET_BASE;
	ok = load_all(&l);
	loader_release(&l);
	if (ok) {
		*out = l.m;
		return OK;
	}
	model_free(l.m);
	return diag_info(d->first)->status;
}

enum status native_read(struct diag *d, const char *path, bool verify_weights,
			struct model **out)
{
	struct blob *file;
	enum status st = file_map(d, path, &file);

	if (st)
		return st;
	st = native_read_blob(d, path, file, verify_weights, out);
	blob_unref(file);
	return st;
}

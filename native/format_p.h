/* SPDX-License-Identifier: MIT */
/*
 * format_p.h -- the .pare container in numbers.  docs/pare-format.md says
 * what they mean; everything is little-endian.
 */
#ifndef NATIVE_FORMAT_P_H
#define NATIVE_FORMAT_P_H

#include "ir/ir.h"

/* Like PNG's: catches text-mode damage and truncation to 7 bits. */
#define PARE_MAGIC "\x89PAR\r\n\x1a\n"

enum {
	PARE_MAJOR = 1,
	PARE_MINOR = 0,
	HEADER_BYTES = 64,
	HEADER_SUM_AT = 56, /* covers what is before it, and the table */
	ENTRY_BYTES = 64,
	SECTION_MAX = 64,
	SECTION_ALIGN = 6,  /* log2, of metadata sections */
	WEIGHTS_ALIGN = 12, /* log2: a page */
	TENSOR_ALIGN = 64,
	CHUNK_BYTES = 262144, /* of a compressed tensor, before compression */
	CHUNK_HEAD = 16,
	COLD_MIN = 4096, /* smaller tensors are never compressed */
	RANK_MAX = 1024,
	BODY_DEPTH = 64,
	TYPE_DEPTH = 64,
	/* memory for metadata: BASE + FACTOR times the file's size */
	BUDGET_FACTOR = 32,
	BUDGET_BASE = 64 << 20,
};

/* Bits of must_understand. */
#define FEATURE_COLD 1u

/* SECTION(id, number, critical): in the order of the file. */
#define SECTION_LIST(SECTION)     \
	SECTION(STRTAB, 1, true)  \
	SECTION(META, 2, true)    \
	SECTION(TYPES, 3, true)   \
	SECTION(TENSORS, 4, true) \
	SECTION(FUNCS, 5, true)   \
	SECTION(GRAPHS, 6, true)  \
	SECTION(PLAN, 7, false)   \
	SECTION(WEIGHTS, 8, true) \
	SECTION(COLD, 9, true)

enum section_id {
#define SECTION(id, number, critical) SEC_##id = number,
	SECTION_LIST(SECTION)
#undef SECTION
		SEC_COUNT
};

#define SECTION_CRITICAL 1u /* a flag: who does not know it, stops */

/* What the META section holds, in this order. */
enum meta_key {
	META_PARE_VERSION = 1,  /* string */
	META_IR_VERSION = 2,    /* integer */
	META_MODEL_VERSION = 3, /* integer */
	META_PRODUCER_NAME = 4, /* strings */
	META_PRODUCER_VERSION = 5,
	META_DOMAIN = 6,
	META_DOC = 7,
	META_REST = 8, /* encoded fields that the IR does not model */
	META_OPSETS = 9,
};
enum meta_kind { META_INT = 0, META_STRING = 1, META_LIST = 2 };

/* Flags of a tensor record. */
enum tensor_flag {
	TENSOR_SPLAT = 1, /* one element stored */
	TENSOR_SPARSE = 2,
	TENSOR_COLD = 4,  /* in COLD, compressed */
	TENSOR_ALIAS = 8, /* the bytes of an earlier tensor */
	TENSOR_FLAGS = 15,
};

enum attr_flag { ATTR_IMPLICIT_KIND = 1, ATTR_IMPLICIT_VALUE = 2 };

/* A cold chunk: u32 raw bytes, u32 stored bytes, u32 CRC-32 of the raw bytes,
 * u32 distance between the bytes of one element; then the stored bytes. */

/*
 * Numbers in metadata: 7 bits per byte, low ones first, the high bit says
 * that more follow; the shortest form only.  Signed ones as 0, -1, 1, -2, ...
 */
static inline void put_u(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

static inline void put_i(struct buf *b, int64_t v)
{
	put_u(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

static inline uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

#endif

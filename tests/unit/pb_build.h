/* SPDX-License-Identifier: MIT */
/*
 * pb_build.h -- protobuf bytes by hand: for files that no writer makes.
 */
#ifndef TESTS_UNIT_PB_BUILD_H
#define TESTS_UNIT_PB_BUILD_H

#include <stdlib.h>
#include <string.h>
#include "base/buf.h"

static inline void pb_varint(struct buf *b, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

static inline void pb_num(struct buf *b, uint32_t field, int64_t v)
{
	pb_varint(b, (uint64_t)field << 3);
	pb_varint(b, (uint64_t)v);
}

static inline void pb_raw(struct buf *b, uint32_t field, const void *p,
			  size_t n)
{
	pb_varint(b, (uint64_t)field << 3 | 2);
	pb_varint(b, n);
	buf_add(b, p, n);
}

static inline void pb_text(struct buf *b, uint32_t field, const char *s)
{
	pb_raw(b, field, s, strlen(s));
}

/* A message in field; releases it. */
static inline void pb_sub(struct buf *b, uint32_t field, struct buf *msg)
{
	pb_raw(b, field, msg->p, msg->n);
	buf_release(msg);
}

/* A model whose graph g (released) is the rest of the file. */
static inline struct buf pb_model(struct buf *g)
{
	struct buf m = {0}, opset = {0};

	pb_num(&m, 1, 8);
	pb_sub(&m, 7, g);
	pb_text(&opset, 1, "");
	pb_num(&opset, 2, 17);
	pb_sub(&m, 8, &opset);
	return m;
}

/* NodeProto: one input and output each; attr (may be NULL) is released. */
static inline void pb_node(struct buf *g, const char *op, const char *in,
			   const char *out, struct buf *attr)
{
	struct buf n = {0};

	pb_text(&n, 1, in);
	pb_text(&n, 2, out);
	pb_text(&n, 4, op);
	if (attr)
		pb_sub(&n, 5, attr);
	pb_sub(g, 1, &n);
}

static inline void pb_info(struct buf *g, uint32_t field, const char *name)
{
	struct buf v = {0};

	pb_text(&v, 1, name);
	pb_sub(g, field, &v);
}

#endif

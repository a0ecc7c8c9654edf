/* SPDX-License-Identifier: MIT */
/*
 * encode_p.h -- a model as sections in memory; the weights stay where they
 * are and are only given places.
 */
#ifndef NATIVE_ENCODE_P_H
#define NATIVE_ENCODE_P_H

#include "native/format_p.h"

/* Where the bytes of a tensor go. */
struct place {
	unsigned flags;       /* TENSOR_* */
	uint64_t off, stored; /* in WEIGHTS or COLD */
	uint32_t alias;       /* TENSOR_ALIAS: the earlier tensor, plus 1 */
};

/*
 * Everything is encoded twice: the first round collects the strings, which
 * are then sorted, so that the second round knows their numbers.
 */
struct encoder {
	const struct model *m;
	bool compress, final;
	struct intern *strs;
	uint32_t nstr;
	uint32_t *rank; /* of a string's symbol in the sorted table */
	sym *sorted;    /* nstr symbols */
	struct map types, tensors, values; /* pointer -> number */
	VEC(const struct type *) type;     /* number 1 is type.p[0] */
	VEC(const struct tensor *) tensor;
	VEC(struct place) place;   /* made between the rounds */
	uint64_t weights;          /* bytes of the section */
	struct buf sec[SEC_COUNT]; /* all but WEIGHTS */
};

/* encode.c */
/* LIMIT if a payload cannot be had. */
enum status encode_model(struct encoder *e);
void encoder_release(struct encoder *e);
uint32_t enc_str(struct encoder *e, struct str s, bool present);
uint32_t enc_sym(struct encoder *e, sym s); /* 0: none */
uint32_t enc_rest(struct encoder *e, struct str s);
uint32_t enc_type(struct encoder *e, const struct type *t);
uint32_t enc_tensor(struct encoder *e, const struct tensor *t); /* NULL: 0 */
void enc_opsets(struct encoder *e, struct buf *b, const struct opset *o,
		uint32_t n);

/* encode_tensor.c */
enum status place_tensors(struct encoder *e);
void encode_tensors(struct encoder *e);
/* The stored bytes of a tensor that has any in WEIGHTS. */
const uint8_t *stored_bytes(const struct encoder *e, size_t i);

/* encode_graph.c */
void encode_graph(struct encoder *e, struct buf *b, const struct graph *g,
		  unsigned depth);
void encode_attr(struct encoder *e, struct buf *b, const struct attr *a,
		 unsigned depth);

#endif

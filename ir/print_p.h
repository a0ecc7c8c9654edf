/* SPDX-License-Identifier: MIT */
/*
 * print_p.h -- the printer of the ONNX text syntax, inside.
 */
#ifndef IR_PRINT_P_H
#define IR_PRINT_P_H

#include "ir/text_p.h"

struct printer {
	const struct model *m;
	struct buf *b;
	struct print_opts o;
	struct map fresh; /* unnamed value -> number */
	unsigned indent;
};

/* print_word.c */
void print_quoted(struct printer *p, struct str s);
/* An identifier, quoted if it needs quotes. */
void print_str(struct printer *p, struct str s);
void print_sym(struct printer *p, sym s);
/* The same where a type could stand: a name that is a type's is quoted. */
void print_sym_alone(struct printer *p, sym s);
void print_value(struct printer *p, const struct value *v); /* NULL: "" */
void print_type(struct printer *p, const struct type *t);

/* print_tensor.c */
void print_float(struct printer *p, float v);
/* "TYPE NAME = {...}", named v or (NULL) as it is named itself, if it is. */
void print_tensor(struct printer *p, const struct tensor *t,
		  const struct value *v);

/* print_graph.c */
void print_attr(struct printer *p, const struct attr *a, unsigned depth);
void print_body(struct printer *p, const struct graph *g, unsigned depth);
void print_graph(struct printer *p, const struct graph *g, unsigned depth);

#endif

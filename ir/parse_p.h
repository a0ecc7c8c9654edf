/* SPDX-License-Identifier: MIT */
/*
 * parse_p.h -- the parser of the ONNX text syntax, inside.
 *
 * Recursive descent over the bytes themselves, no token stream: what a word
 * means depends on its place.  Functions return false after the first error,
 * which has then been reported.
 */
#ifndef IR_PARSE_P_H
#define IR_PARSE_P_H

#include <locale.h>
#include "ir/scope.h"
#include "ir/text_p.h"

/* An input slot whose value is looked up when everything is read. */
struct pending {
	struct node *user;
	uint32_t slot;
	sym name;
	const char *at; /* where in the text */
};

struct parser {
	const char *beg, *p, *end;
	struct diag *d;
	const char *file;
	struct model *m;
	bool failed;
	locale_t c; /* numbers ignore the user's locale */
	struct scope names;
	VEC(struct pending) pending;
};

/* parse_lex.c */
/* Reports the first error, at the current position; returns false. */
bool parse_fail(struct parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same with a code of its own and a place in the text. */
bool parse_fail_at(struct parser *p, const char *at, enum diag_code code,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The next byte after blanks and comments; 0 at the end. */
int lex_peek(struct parser *p);
bool lex_end(struct parser *p);
bool lex_accept(struct parser *p, char c);
bool lex_expect(struct parser *p, char c);
bool lex_arrow(struct parser *p);           /* "=>" */
struct str lex_ident_opt(struct parser *p); /* n == 0: none here */
struct str lex_peek_ident(struct parser *p);
bool lex_ident(struct parser *p, struct str *s, const char *what);
bool lex_string(struct parser *p, struct str *s);
/* An identifier or a quoted string. */
bool lex_name(struct parser *p, struct str *s, const char *what);
sym lex_sym(struct parser *p, struct str s);

enum number_kind {
	NUM_INT,   /* 12, -3 */
	NUM_FLOAT, /* 1.5, 2e3, inf, -nan */
	NUM_BITS,  /* 0x7fc00001: the bits of a float */
};

struct number {
	enum number_kind kind;
	struct str text;
};

bool lex_number(struct parser *p, struct number *n);
/* Is a word here that reads as a number: inf, infinity, nan? */
bool lex_peek_float_word(struct parser *p);
bool number_i64(struct parser *p, const struct number *n, int64_t *v);
bool number_u64(struct parser *p, const struct number *n, uint64_t *v);
/* Any kind; double is true to the last bit, float is rounded once. */
double number_f64(const struct parser *p, const struct number *n);
float number_f32(const struct parser *p, const struct number *n);
bool lex_int(struct parser *p, int64_t *v);

/* parse_type.c */
/* Does a type start here, and not a name? */
bool parse_at_type(struct parser *p);
bool parse_type(struct parser *p, const struct type **t);
/* "TYPE NAME" or "NAME". */
bool parse_info(struct parser *p, struct info *i);

/* parse_tensor.c */
/* The data of a tensor of type t: "{1, 2}". */
bool parse_tensor_data(struct parser *p, const struct type *t, sym name,
		       const struct tensor **out);

/* parse_attr.c */
/* "<name: kind = value, ...>" if there is a "<"; n owns the bodies. */
bool parse_attrs(struct parser *p, struct node *n, unsigned depth);
/* One attribute, after its name; n is NULL where bodies are refused. */
bool parse_attr(struct parser *p, struct node *n, sym name, struct attr *a,
		unsigned depth);

/* parse_node.c */
/* "{[name] outputs = op <attributes> (inputs) ...}" */
bool parse_nodes(struct parser *p, struct graph *g, unsigned depth);
bool parse_define(struct parser *p, struct value *v, const char *at);
/* Remembers to look up input slot of n. */
void parse_pending(struct parser *p, struct node *n, uint32_t slot, sym name,
		   const char *at);

/* parse_graph.c */
/* "NAME (inputs) => (outputs) <values> {nodes}" into the empty graph g. */
bool parse_graph(struct parser *p, struct graph *g, unsigned depth);
bool parse_func(struct parser *p);

/* parse.c */
bool parse_opsets(struct parser *p, struct opset **set, uint32_t *n);
/* Appends a field of bytes to an encoded message. */
void parse_rest(struct parser *p, struct str *rest, unsigned field,
		struct str s);

/* parse_bind.c */
/* Everything was read: looks up names, binds operators, sorts. */
bool parse_bind(struct parser *p);

#endif

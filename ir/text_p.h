/* SPDX-License-Identifier: MIT */
/*
 * text_p.h -- the words of the ONNX text syntax: what parser and printer
 * have to agree on.
 */
#ifndef IR_TEXT_P_H
#define IR_TEXT_P_H

#include "ir/ir.h"

/* Bodies within bodies, and types within types. */
#define TEXT_MAX_DEPTH      32
#define TEXT_MAX_TYPE_DEPTH 64

/* ASCII, whatever the locale. */
bool text_is_alpha(int c);
bool text_is_digit(int c);
bool text_is_word(int c); /* letter, digit or '_' */
/* Letters, digits and '_', no digit first: what needs no quotes. */
bool text_is_ident(struct str s);
/* Does a type start with it: "float", "seq"? */
bool text_is_type_word(struct str s);
/* The same with the words that are ours: "undefined", "opaque". */
bool text_is_any_type_word(struct str s);
/* "inf", "infinity", "nan" in any case. */
bool text_is_float_word(struct str s);
/* "float", "ints", ...; NULL for ATTR_NONE. */
const char *text_attr_kind(enum attr_kind k);
enum attr_kind text_attr_kind_find(struct str s); /* or ATTR_NONE */
/* The kind of the entries of a list; ATTR_NONE if k is no list. */
enum attr_kind text_singular(enum attr_kind k);
enum attr_kind text_plural(enum attr_kind k);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * genrw_match.h -- the pattern of a rule as a table in preorder.  Part of
 * genrw.c.
 */
#ifndef TOOLS_GENRW_MATCH_H
#define TOOLS_GENRW_MATCH_H

#include "genrw_names.h"

static unsigned swap_bits; /* which :c nodes are swapped in this row */
static int swap_next;

enum {
	F_ONE_USE = 1,
	F_OPTIONAL = 2,
	F_CONST = 4,
	F_COMMUTES = 8,
	F_CONST_LAST = 16,
};

/* Split "name:const?" or "Op:c!" into name and flags. */
static unsigned suffix(const struct term *t, char *name)
{
	unsigned flags = 0;
	size_t n;
	char *c;

	strcpy(name, t->s);
	while ((n = strlen(name)) && strchr("!?", name[n - 1])) {
		flags |= name[n - 1] == '!' ? F_ONE_USE : F_OPTIONAL;
		name[n - 1] = '\0';
	}
	c = strchr(name, ':');
	if (!c)
		return flags;
	if (!strcmp(c, ":const"))
		flags |= F_CONST;
	else if (!strcmp(c, ":c"))
		flags |= F_COMMUTES;
	else
		die(t->line, "unknown suffix '%s'", c);
	*c = '\0';
	return flags;
}

static void put_pat(const struct term *t, const char *kind, const char *op,
		    unsigned flags, int slot, int nkid, const char *num)
{
	printf("#line %d \"%s\"\n", t->line, path);
	printf("\t{ %s, %s, %s%s%s%s0, %d, %d, %s },\n", kind, op,
	       flags & F_ONE_USE ? "RW_ONE_USE|" : "",
	       flags & F_OPTIONAL ? "RW_OPTIONAL|" : "",
	       flags & F_CONST ? "RW_CONST|" : "",
	       flags & F_CONST_LAST ? "RW_CONST_LAST|" : "", slot, nkid, num);
}

/* NAME=NUMBER: a constant of one value that also gets a name.  Cuts the name
 * off; NULL: t is something else. */
static const char *named_number(const struct term *t, char *name)
{
	const char *eq = t->list || t->quoted ? NULL : strchr(t->s, '=');
	struct term num = {.line = t->line};

	if (!eq)
		return NULL;
	snprintf(name, MAX_TOKEN, "%.*s", (int)(eq - t->s), t->s);
	snprintf(num.s, sizeof num.s, "%s", eq + 1);
	if (!is_number(&num))
		die(t->line, "'%s' is no number", num.s);
	return number(&num);
}

static void emit_leaf(const struct term *t)
{
	char name[MAX_TOKEN];
	const char *num;
	unsigned flags;

	if (t->quoted)
		die(t->line, "a string cannot be matched");
	if (is_number(t)) {
		put_pat(t, "RW_NUM", "0", 0, -1, 0, number(t));
		return;
	}
	num = named_number(t, name);
	if (num) {
		put_pat(t, "RW_NUM", "0", 0, slot_bind(name, false, t->line), 0,
			num);
		return;
	}
	flags = suffix(t, name);
	if (flags & F_COMMUTES)
		die(t->line, "':c' belongs to an operator");
	if (!strcmp(name, "_"))
		put_pat(t, "RW_LEAF", "0", flags | F_OPTIONAL, -1, 0, "0");
	else
		put_pat(t, "RW_LEAF", "0", flags,
			slot_bind(name, false, t->line), 0, "0");
}

/* Does t match constants only? */
static bool wants_const(const struct term *t)
{
	char name[MAX_TOKEN];

	return !t->list && !t->quoted &&
	       (is_number(t) || named_number(t, name) ||
		strstr(t->s, ":const"));
}

/* The only constant operand of a :c node: the matcher finds it whatever the
 * order.  -1: both orders need a row of their own. */
static int const_kid(const struct term *t)
{
	bool a = wants_const(t->kid[t->nkid - 2]);
	bool b = wants_const(t->kid[t->nkid - 1]);

	if (t->nkid < 3 || a == b)
		return -1;
	return t->nkid - (a ? 2 : 1);
}

/* An operator that may be missing stands for the operand that is a list, else
 * for the first that is no constant; the other name is left unbound then. */
static void check_optional(const struct term *t, int first)
{
	int lists = 0;

	for (int i = first; i < t->nkid; i++)
		lists += t->kid[i]->list;
	if (lists > 1 || t->nkid - first > 2)
		die(t->line, "an operator that may be missing has one operand "
			     "and a name");
}

/* Preorder; the bits of swap_bits say which :c nodes are swapped. */
static void emit_match(const struct term *t, int depth)
{
	char name[MAX_TOKEN];
	struct term head;
	unsigned flags;
	const char *op;
	int first = 1, slot = -1;
	bool swap = false;

	if (depth > MAX_DEPTH)
		die(t->line, "lists are nested too deeply");
	if (!t->list) {
		emit_leaf(t);
		return;
	}
	if (!t->nkid || t->kid[0]->list)
		die(t->line, "a pattern starts with an operator");
	flags = suffix(t->kid[0], name);
	if (t->nkid > 1 && t->kid[1]->s[0] == '@') {
		char bound[MAX_TOKEN];

		flags |= suffix(t->kid[1], bound);
		slot = slot_bind(bound + 1, true, t->line);
		first = 2;
	}
	head = *t->kid[0];
	strcpy(head.s, name);
	op = op_name(&head);
	if (!op)
		die(t->line, "'%s' is no operator", name);
	if (flags & F_COMMUTES && t->nkid - first != 2)
		die(t->line, "':c' needs two inputs");
	if (flags & F_COMMUTES && const_kid(t) >= 0) {
		flags |= F_CONST_LAST;
		swap = const_kid(t) == first;
	} else if (flags & F_COMMUTES) {
		swap = swap_bits >> swap_next++ & 1;
	}
	if (flags & F_OPTIONAL)
		check_optional(t, first);
	put_pat(t, "RW_OP", op, flags, slot, t->nkid - first, "0");
	for (int i = first; i < t->nkid; i++)
		emit_match(t->kid[swap ? first + t->nkid - 1 - i : i],
			   depth + 1);
}

static int count_commutes(const struct term *t)
{
	int n = 0;

	if (!t->list || !t->nkid)
		return 0;
	n += strstr(t->kid[0]->s, ":c") && (t->nkid < 3 || const_kid(t) < 0);
	for (int i = 1; i < t->nkid; i++)
		n += count_commutes(t->kid[i]);
	return n;
}

#endif

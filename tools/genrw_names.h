/* SPDX-License-Identifier: MIT */
/*
 * genrw_names.h -- what a word in a rule means: a function of guards.def, a
 * name that the pattern binds, a number, or an operator.  Part of genrw.c.
 */
#ifndef TOOLS_GENRW_NAMES_H
#define TOOLS_GENRW_NAMES_H

#include "sexp.h"

enum {
	MAX_SLOTS = 32, /* RW_MAX_SLOTS of rewrite_p.h */
	MAX_FUNCS = 192,
	MAX_FOR = 2,
};

struct func { /* a row of guards.def */
	char name[64], ident[64], sig[16];
	bool guard;
};

struct slot {
	char name[64];
	bool is_node;
};

static struct func funcs[MAX_FUNCS];
static int nfunc;
static struct slot slots[MAX_SLOTS];
static int nslot;
/* The choice of each `for` clause and of each :c node in the current row. */
static struct term *for_name[MAX_FOR], *for_pick[MAX_FOR];
static int nfor;

/* guards.def: GUARD("name", ident, "sig") or BUILTIN(...), one a line. */
static void read_funcs(const char *name)
{
	FILE *f = fopen(path = name, "r");
	char buf[512];
	struct func *fn;

	if (!f) {
		perror(name);
		exit(1);
	}
	for (line = 1; fgets(buf, sizeof buf, f); line++) {
		bool guard = !strncmp(buf, "GUARD(\"", 7);

		if (!guard && strncmp(buf, "BUILTIN(\"", 9) != 0)
			continue;
		if (nfunc == MAX_FUNCS)
			die(line, "too many functions");
		fn = &funcs[nfunc++];
		fn->guard = guard;
		if (sscanf(strchr(buf, '"'),
			   "\"%63[a-z0-9-]\", %63[a-z0-9_], \"%15[a-z]\")",
			   fn->name, fn->ident, fn->sig) != 3)
			die(line, "expected (\"name\", ident, \"signature\")");
	}
	fclose(f);
}

/* ---- names ---- */

static struct func *find_func(const char *name, bool guard)
{
	for (int i = 0; i < nfunc; i++)
		if (funcs[i].guard == guard && !strcmp(funcs[i].name, name))
			return &funcs[i];
	return NULL;
}

static int slot_find(const char *name)
{
	for (int i = 0; i < nslot; i++)
		if (!strcmp(slots[i].name, name))
			return i;
	return -1;
}

static int slot_bind(const char *name, bool is_node, int at)
{
	int i = slot_find(name);

	if (i >= 0) {
		slots[i].is_node |= is_node;
		return i;
	}
	if (nslot == MAX_SLOTS)
		die(at, "too many names");
	if (!islower((unsigned char)name[0]) &&
	    !isupper((unsigned char)name[0]))
		die(at, "bad name '%s'", name);
	if (strlen(name) >= sizeof slots[0].name)
		die(at, "name too long");
	strcpy(slots[nslot].name, name);
	slots[nslot].is_node = is_node;
	return nslot++;
}

static int slot_need(const char *name, int at)
{
	int i = slot_find(name);

	if (i < 0)
		die(at, "'%s' is not bound by the pattern", name);
	return i;
}

static bool is_number(const struct term *t)
{
	char *end;

	if (t->list || t->quoted || !t->s[0])
		return false;
	if (!strcmp(t->s, "inf") || !strcmp(t->s, "-inf"))
		return true;
	if (!isdigit((unsigned char)t->s[t->s[0] == '-']))
		return false;
	(void)strtod(t->s, &end);
	return !*end;
}

/* A number as a C double constant. */
static const char *number(const struct term *t)
{
	static char b[MAX_TOKEN + 16];

	if (strstr(t->s, "inf"))
		return t->s[0] == '-' ? "-RW_INF" : "RW_INF";
	snprintf(b, sizeof b, "%.17g", strtod(t->s, NULL));
	if (!strpbrk(b, ".e"))
		strcat(b, ".0");
	return b;
}

/* The operator id of a head, `for` names replaced; NULL: not an operator. */
static const char *op_name(const struct term *t)
{
	static char b[MAX_TOKEN + 8];
	const char *s = t->s;

	for (int i = 0; i < nfor; i++)
		if (!strcmp(for_name[i]->s, s))
			s = for_pick[i]->s;
	if (!strncmp(s, "ms.", 3)) {
		snprintf(b, sizeof b, "OP_ms_%s", s + 3);
	} else {
		if (!isupper((unsigned char)s[0]))
			return NULL;
		snprintf(b, sizeof b, "OP_%s", s);
	}
	for (s = b; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			die(t->line, "bad operator '%s'", t->s);
	return b;
}

/* A word; a `for` name stands for its choice. */
static const char *word_text(const struct term *t)
{
	for (int i = 0; i < nfor; i++)
		if (!strcmp(for_name[i]->s, t->s))
			return for_pick[i]->s;
	return t->s;
}

#endif

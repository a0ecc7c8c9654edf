/* SPDX-License-Identifier: MIT */
/*
 * sexp.h -- s-expressions with positions and comments, for host tools.
 *
 * Everything is static: a tool is one source file.  Mistakes end the run with
 * FILE:LINE: error: TEXT.
 */
#ifndef TOOLS_SEXP_H
#define TOOLS_SEXP_H

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKEN = 256, MAX_KIDS = 24, MAX_DEPTH = 12 };

/* An atom (list false) or a list of terms. */
struct term {
	char s[MAX_TOKEN];
	bool list, quoted;
	int line, nkid;
	struct term *kid[MAX_KIDS];
};

static const char *path;
static int line, tok_line;
static char tok[MAX_TOKEN];
static bool tok_quoted;
static char comment[8192];
static int comment_line; /* line of its last line */

static _Noreturn void die(int at, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: error: ", path, at);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static char *copy(const char *s)
{
	char *p = malloc(strlen(s) + 1);

	if (!p)
		die(tok_line, "out of memory");
	return strcpy(p, s);
}

static void read_comment(FILE *f)
{
	size_t n = comment_line == line - 1 ? strlen(comment) : 0;
	int c = getc(f);

	while (c == ';')
		c = getc(f);
	if (c == ' ')
		c = getc(f);
	for (; c != '\n' && c != EOF; c = getc(f))
		if (n + 2 < sizeof comment)
			comment[n++] = (char)c;
	comment[n++] = '\n';
	comment[n] = '\0';
	comment_line = line;
	line++;
}

static void read_atom(FILE *f, int c)
{
	size_t n = 0;

	tok_quoted = c == '"';
	if (!tok_quoted)
		ungetc(c, f);
	while ((c = getc(f)) != EOF) {
		if (tok_quoted ? c == '"' : isspace(c) || strchr("();", c))
			break;
		if (c == '\n')
			die(tok_line, "a string ends with its line");
		if (n + 1 >= sizeof tok)
			die(tok_line, "token too long");
		tok[n++] = (char)c;
	}
	if (!tok_quoted && c != EOF)
		ungetc(c, f);
	tok[n] = '\0';
}

/* Read the next token into tok; false at the end of the file. */
static bool next(FILE *f)
{
	int c;

	for (;;) {
		c = getc(f);
		if (c == EOF)
			return false;
		if (c == ';')
			read_comment(f);
		else if (c == '\n')
			line++;
		else if (!isspace(c))
			break;
	}
	tok_line = line;
	tok_quoted = false;
	if (c == '(' || c == ')') {
		tok[0] = (char)c;
		tok[1] = '\0';
	} else {
		read_atom(f, c);
	}
	return true;
}

static bool tok_is(const char *s)
{
	return !tok_quoted && !strcmp(tok, s);
}

static struct term *parse(FILE *f, int depth)
{
	struct term *t = calloc(1, sizeof *t);

	if (!t)
		die(tok_line, "out of memory");
	if (depth > MAX_DEPTH)
		die(tok_line, "lists are nested too deeply");
	t->line = tok_line;
	if (!tok_is("(")) {
		if (tok_is(")"))
			die(tok_line, "')' without '('");
		strcpy(t->s, tok);
		t->quoted = tok_quoted;
		return t;
	}
	t->list = true;
	while (next(f)) {
		if (tok_is(")"))
			return t;
		if (t->nkid == MAX_KIDS)
			die(tok_line, "list too long");
		t->kid[t->nkid++] = parse(f, depth + 1);
	}
	die(t->line, "this list is never closed");
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * genrw.c -- compile rewrite rules (passes/rules/ *.rw) to static C tables.
 *
 *	genrw passes/guards.def RULES.rw... > rules.c
 *
 * The language is described in passes/README.md.  A rule with commutative
 * nodes (:c) or `for` clauses becomes one table row per combination, so the
 * matcher never backtracks.  Any mistake stops with FILE:LINE: error: TEXT;
 * an operator that does not exist is reported by the C compiler at the
 * rule's own line (#line).  Host tool, built first; no part of the product.
 */
#include "genrw_match.h"

enum {
	MAX_RULES = 512,
	MAX_COMMUTE = 5,
};

struct rule {
	char name[64], class[16], file[64];
	const char *summary, *comment;
	bool canon;
	int line;
	struct term *pattern, *fors[MAX_FOR];
	int nfor, first; /* first: index of the first clause */
	struct term *src;
};

static struct rule rules[MAX_RULES];
static int nrule, nrow;

/* ---- the result side ---- */

static void put_exp(const struct term *t, const char *kind, const char *what,
		    int slot, int nkid, const char *num, const char *name)
{
	printf("#line %d \"%s\"\n", t->line, path);
	printf("\t{ %s, %s, %d, %d, %s, ", kind, what, slot, nkid, num);
	if (!name) {
		puts("NULL },");
		return;
	}
	putchar('"');
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			putchar('\\');
		putchar(*name);
	}
	puts("\" },");
}

static void emit_exp(const struct term *t, int depth);

static void want(const struct term *t, int nkid, const char *usage)
{
	if (t->nkid != nkid)
		die(t->line, "expected %s", usage);
}

static void check_arg(const struct term *x, char sig, const char *fn)
{
	int slot;

	switch (sig) {
	case 's':
		if (x->list || is_number(x))
			die(x->line, "'%s' wants a word here", fn);
		return;
	case 'k':
		if (!is_number(x))
			die(x->line, "'%s' wants a number here", fn);
		return;
	case 'n':
	case 'v':
		if (x->list || x->quoted)
			die(x->line, "'%s' wants a name here", fn);
		slot = slot_need(x->s, x->line);
		if (sig == 'n' && !slots[slot].is_node)
			die(x->line, "'%s' is not the name of a node", x->s);
		return;
	}
}

static void emit_args(const struct term *t, const struct func *fn, int depth)
{
	if (t->nkid - 1 != (int)strlen(fn->sig))
		die(t->line, "'%s' takes %d arguments", fn->name,
		    (int)strlen(fn->sig));
	for (int i = 1; i < t->nkid; i++) {
		const struct term *x = t->kid[i];

		check_arg(x, fn->sig[i - 1], fn->name);
		if (fn->sig[i - 1] == 's')
			put_exp(x, "RW_WORD", "0", -1, 0, "0", word_text(x));
		else
			emit_exp(x, depth + 1);
	}
}

/* (attrs n) (set key x) (or b x) (if b x y): forms that are no functions. */
static bool emit_form(const struct term *t, int depth)
{
	const char *h = t->kid[0]->s;

	if (!strcmp(h, "attrs")) {
		want(t, 2, "(attrs NODE)");
		check_arg(t->kid[1], 'n', h);
		put_exp(t, "RW_COPY", "0", slot_find(t->kid[1]->s), 0, "0",
			NULL);
	} else if (!strcmp(h, "set")) {
		want(t, 3, "(set ATTRIBUTE VALUE)");
		check_arg(t->kid[1], 's', h);
		put_exp(t, "RW_SET", "0", -1, 1, "0", t->kid[1]->s);
		emit_exp(t->kid[2], depth + 1);
	} else if (!strcmp(h, "or")) {
		want(t, 3, "(or NAME EXPRESSION)");
		check_arg(t->kid[1], 'v', h);
		put_exp(t, "RW_IF", "0", slot_find(t->kid[1]->s), 2, "0", NULL);
		emit_exp(t->kid[1], depth + 1);
		emit_exp(t->kid[2], depth + 1);
	} else if (!strcmp(h, "if")) {
		want(t, 4, "(if NAME EXPRESSION EXPRESSION)");
		check_arg(t->kid[1], 'v', h);
		put_exp(t, "RW_IF", "0", slot_find(t->kid[1]->s), 2, "0", NULL);
		emit_exp(t->kid[2], depth + 1);
		emit_exp(t->kid[3], depth + 1);
	} else {
		return false;
	}
	return true;
}

static void emit_atom(const struct term *t)
{
	if (t->quoted)
		put_exp(t, "RW_STR", "0", -1, 0, "0", t->s);
	else if (is_number(t))
		put_exp(t, "RW_LIT", "0", -1, 0, number(t), NULL);
	else if (!strcmp(t->s, "none"))
		put_exp(t, "RW_NONE", "0", -1, 0, "0", NULL);
	else
		put_exp(t, "RW_REF", "0", slot_need(t->s, t->line), 0, "0",
			NULL);
}

static void emit_exp(const struct term *t, int depth)
{
	const struct func *fn;
	const char *op;
	char ident[96];

	if (depth > MAX_DEPTH)
		die(t->line, "lists are nested too deeply");
	if (!t->list) {
		emit_atom(t);
		return;
	}
	if (!t->nkid || t->kid[0]->list)
		die(t->line, "an expression starts with a name");
	if (emit_form(t, depth))
		return;
	op = op_name(t->kid[0]);
	if (op) {
		put_exp(t, "RW_MAKE", op, -1, t->nkid - 1, "0", t->kid[0]->s);
		for (int i = 1; i < t->nkid; i++)
			emit_exp(t->kid[i], depth + 1);
		return;
	}
	fn = find_func(t->kid[0]->s, false);
	if (!fn)
		die(t->line, "'%s' is not in guards.def", t->kid[0]->s);
	snprintf(ident, sizeof ident, "RWB_%s", fn->ident);
	put_exp(t, "RW_CALL", ident, -1, t->nkid - 1, "0", fn->name);
	emit_args(t, fn, depth);
}

/* The source text of a guard, for --explain. */
static void term_text(const struct term *t, char *b, size_t cap)
{
	size_t n = strlen(b);

	if (!t->list) {
		snprintf(b + n, cap - n, "%s", t->s);
		return;
	}
	for (int i = 0; i < t->nkid; i++) {
		n = strlen(b);
		snprintf(b + n, cap - n, i ? " " : "(");
		term_text(t->kid[i], b, cap);
	}
	n = strlen(b);
	snprintf(b + n, cap - n, ")");
}

static void emit_guards(const struct term *t)
{
	char ident[96], text[512];
	const struct func *fn;

	for (int i = 1; i < t->nkid; i++) {
		const struct term *g = t->kid[i];

		if (!g->list || !g->nkid)
			die(g->line, "a guard is a list");
		fn = find_func(g->kid[0]->s, true);
		if (!fn)
			die(g->line, "no guard '%s' in guards.def",
			    g->kid[0]->s);
		text[0] = '\0';
		term_text(g, text, sizeof text);
		snprintf(ident, sizeof ident, "RWG_%s", fn->ident);
		put_exp(g, "RW_GUARD", ident, -1, g->nkid - 1, "0", text);
		emit_args(g, fn, 0);
	}
}

/* Clauses in order of writing; the last is the result. */
static void emit_clauses(const struct rule *r)
{
	const struct term *src = r->src, *t;

	for (int i = r->first; i < src->nkid - 1; i++) {
		t = src->kid[i];
		if (!t->list || !t->nkid)
			die(t->line, "expected (when ...) or (let NAME X)");
		if (!strcmp(t->kid[0]->s, "when")) {
			emit_guards(t);
		} else if (!strcmp(t->kid[0]->s, "let")) {
			want(t, 3, "(let NAME EXPRESSION)");
			if (slot_find(t->kid[1]->s) >= 0)
				die(t->line, "'%s' is bound twice",
				    t->kid[1]->s);
			put_exp(t, "RW_LET", "0", nslot, 1, "0", NULL);
			emit_exp(t->kid[2], 0);
			slot_bind(t->kid[1]->s, false, t->line);
		} else {
			die(t->line, "unknown clause '%s'", t->kid[0]->s);
		}
	}
	t = src->kid[src->nkid - 1];
	put_exp(t, "RW_RESULT", "0", -1, 1, "0", NULL);
	emit_exp(t, 0);
}

/* ---- rows and rules ---- */

static void bind_all(const struct term *t)
{
	char name[MAX_TOKEN];

	if (!t->list) {
		if (named_number(t, name)) {
			slot_bind(name, false, t->line);
		} else if (!t->quoted && !is_number(t)) {
			(void)suffix(t, name);
			if (strcmp(name, "_") != 0)
				slot_bind(name, false, t->line);
		}
		return;
	}
	for (int i = 1; i < t->nkid; i++) {
		if (t->kid[i]->s[0] == '@') {
			(void)suffix(t->kid[i], name);
			slot_bind(name + 1, true, t->line);
		} else {
			bind_all(t->kid[i]);
		}
	}
}

static void emit_rows(const struct rule *r, int id)
{
	int ncommute = count_commutes(r->pattern);

	if (ncommute > MAX_COMMUTE)
		die(r->line, "too many ':c'");
	nslot = 0;
	bind_all(r->pattern);
	printf("static const struct rw_exp exp_%d[] = {\n", id);
	emit_clauses(r);
	puts("};");
	for (unsigned bits = 0; bits < 1u << ncommute; bits++) {
		swap_bits = bits;
		swap_next = 0;
		printf("static const struct rw_pat pat_%d_%u[] = {\n", id,
		       bits);
		emit_match(r->pattern, 0);
		puts("};");
	}
}

/* One row per choice of the `for` clauses; row r of rule i gets id nrow. */
static void emit_choices(const struct rule *r, int which)
{
	const struct term *f;

	if (which == r->nfor) {
		emit_rows(r, nrow++);
		return;
	}
	f = r->fors[which];
	for (int i = 2; i < f->nkid; i++) {
		for_name[which] = f->kid[1];
		for_pick[which] = f->kid[i];
		nfor = which + 1;
		emit_choices(r, which + 1);
	}
}

static int count_rows(const struct rule *r)
{
	int n = 1;

	for (int i = 0; i < r->nfor; i++)
		n *= r->fors[i]->nkid - 2;
	return n;
}

static void parse_head(struct rule *r, const struct term *t)
{
	static const char *const classes[] = {"exact", "round", "fast-math"};
	int i = 3;

	if (!t->list || t->nkid < 6 || strcmp(t->kid[0]->s, "rule") != 0)
		die(t->line, "expected (rule NAME CLASS \"summary\" PATTERN "
			     "... RESULT)");
	snprintf(r->name, sizeof r->name, "%.63s", t->kid[1]->s);
	snprintf(r->class, sizeof r->class, "%.15s", t->kid[2]->s);
	for (size_t k = 0; strcmp(classes[k], r->class) != 0;)
		if (++k == 3)
			die(t->line,
			    "class '%s' is not exact, round or "
			    "fast-math",
			    r->class);
	if (!t->kid[i]->quoted && !strcmp(t->kid[i]->s, "canon")) {
		r->canon = true;
		i++;
	}
	if (!t->kid[i]->quoted)
		die(t->line, "rule '%s' has no summary", r->name);
	r->summary = t->kid[i++]->s;
	for (; i < t->nkid && t->kid[i]->list && t->kid[i]->nkid > 2 &&
	       !strcmp(t->kid[i]->kid[0]->s, "for");
	     i++) {
		if (r->nfor == MAX_FOR)
			die(t->line, "too many 'for' clauses");
		r->fors[r->nfor++] = t->kid[i];
	}
	if (i + 2 > t->nkid)
		die(t->line, "rule '%s' has no pattern or result", r->name);
	r->pattern = t->kid[i++];
	r->first = i;
}

static void add_rule(const struct term *t, const char *text)
{
	const char *base = strrchr(path, '/');
	struct rule *r;

	if (nrule == MAX_RULES)
		die(t->line, "too many rules");
	r = &rules[nrule];
	r->line = t->line;
	r->src = (struct term *)t;
	snprintf(r->file, sizeof r->file, "%.63s", base ? base + 1 : path);
	parse_head(r, t);
	for (int i = 0; i < nrule; i++)
		if (!strcmp(rules[i].name, r->name))
			die(t->line, "rule '%s' exists already", r->name);
	if (!text)
		die(t->line, "rule '%s' has no comment above it", r->name);
	r->comment = text;
	nrule++;
	nfor = 0;
	emit_choices(r, 0);
}

static void put_string(const char *s)
{
	fputs("\t\"", stdout);
	for (; *s; s++) {
		if (*s == '\n')
			fputs(s[1] ? "\\n\"\n\t\"" : "\\n", stdout);
		else if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else
			putchar(*s);
	}
	fputs("\",\n", stdout);
}

static void emit_tables(void)
{
	int id = 0;

	puts("const struct rw_rule rw_rules[] = {");
	for (int i = 0; i < nrule; i++) {
		const struct rule *r = &rules[i];

		printf("\t{ \"%s\", \"%s\", %d, \"%s\", %s,\n", r->name,
		       r->file, r->line, r->class, r->canon ? "true" : "false");
		put_string(r->summary);
		put_string(r->comment);
		puts("\t},");
	}
	printf("};\nconst size_t rw_nrule = %d;\n", nrule);
	puts("const struct rw_row rw_rows[] = {");
	for (int i = 0; i < nrule; i++) {
		unsigned n = 1u << count_commutes(rules[i].pattern);

		for (int k = 0; k < count_rows(&rules[i]); k++, id++)
			for (unsigned b = 0; b < n; b++)
				printf("\t{ &rw_rules[%d], pat_%d_%u, exp_%d },"
				       "\n",
				       i, id, b, id);
	}
	puts("};\nconst size_t rw_nrow = sizeof rw_rows / sizeof rw_rows[0];");
}

/* The order of rules must not depend on how a directory is listed. */
static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: genrw GUARDS.def RULES.rw...\n");
		return 2;
	}
	read_funcs(argv[1]);
	qsort(argv + 2, (size_t)argc - 2, sizeof *argv, by_name);
	puts("/* Generated by tools/genrw.c; do not edit. */\n"
	     "#include \"passes/rewrite_p.h\"");
	for (int i = 2; i < argc; i++) {
		FILE *f = fopen(path = argv[i], "r");

		if (!f) {
			perror(path);
			return 1;
		}
		comment[0] = '\0';
		comment_line = -1;
		line = 1;
		while (next(f)) {
			const char *text = NULL;

			if (comment_line == tok_line - 1)
				text = copy(comment);
			add_rule(parse(f, 0), text);
		}
		fclose(f);
	}
	emit_tables();
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}

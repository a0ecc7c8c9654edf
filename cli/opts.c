/* SPDX-License-Identifier: MIT */
/*
 * opts.c -- one option table for the parser and --help.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"

const struct option_row option_table[OPT_COUNT] = {
#define OPTION(id, name, letter, kind, arg, cmds, help) \
	{name, letter, kind, arg, cmds, help},
#include "cli/opts.def"
#undef OPTION
};

const struct command command_table[CMD_COUNT] = {
#define COMMAND(id, min, max, operands, summary, text) \
	{#id, min, max, operands, summary, text, cmd_##id},
#include "cli/commands.def"
#undef COMMAND
};

enum { LONG_BASE = 256 }; /* getopt's val: LONG_BASE + option id */

bool opt_given(const struct cli *c, enum opt_id o)
{
	return c->opt[o].count > 0;
}

const char *opt_text(const struct cli *c, enum opt_id o, const char *dflt)
{
	return c->opt[o].count ? c->opt[o].text : dflt;
}

double opt_num(const struct cli *c, enum opt_id o, double dflt)
{
	return c->opt[o].count ? c->opt[o].num : dflt;
}

int opt_enum(const struct cli *c, enum opt_id o, int dflt)
{
	return c->opt[o].count ? (int)c->opt[o].num : dflt;
}

const char *const *opt_list(struct cli *c, enum opt_id o)
{
	if (!c->list[o].n || c->list[o].p[c->list[o].n - 1])
		vec_push(&c->list[o], NULL);
	return c->list[o].p;
}

enum status cli_outcome(const struct cli *c, enum status s)
{
	enum status first =
		c->diag.nerror ? diag_info(c->diag.first)->status : OK;

	return s == OK || (s == BAD_MODEL && first == LIMIT) ? first : s;
}

enum status cli_usage(struct cli *c, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	diag_error(&c->diag, NULL, E_usage, "%s", b.p);
	buf_release(&b);
	if (c->id < CMD_COUNT)
		diag_hint(&c->diag, "'pare %s --help' lists what it takes",
			  command_table[c->id].name);
	return USAGE;
}

/* Is w the i-th word of "a|b|c"?  Returns its index or -1. */
static int enum_index(const char *words, const char *w)
{
	size_t n = strlen(w);

	for (int i = 0;; i++) {
		const char *end = strchr(words, '|');
		size_t len = end ? (size_t)(end - words) : strlen(words);

		if (len == n && !memcmp(words, w, n))
			return i;
		if (!end)
			return -1;
		words = end + 1;
	}
}

/* The factor of a size suffix ("", "k", "KiB", "MB", ...), 0 if unknown. */
static double size_factor(const char *s)
{
	static const struct {
		const char *name;
		double f;
	} unit[] = {
		{"", 1},     {"B", 1},          {"k", 1024},
		{"K", 1024}, {"KiB", 1024},     {"kB", 1e3},
		{"KB", 1e3}, {"M", 1048576},    {"MiB", 1048576},
		{"MB", 1e6}, {"G", 1073741824}, {"GiB", 1073741824},
		{"GB", 1e9},
	};

	while (*s == ' ')
		s++;
	for (size_t i = 0; i < countof(unit); i++)
		if (!strcmp(s, unit[i].name))
			return unit[i].f;
	return 0;
}

static enum status parse_number(struct cli *c, const struct option_row *row,
				const char *s, double *out)
{
	char *end;
	double v, f = 1;

	errno = 0;
	v = strtod(s, &end);
	if (row->kind == SIZE)
		f = size_factor(end);
	else if (*end)
		f = 0;
	if (end == s || errno || f == 0 || !(v >= 0 && v < 1e18) ||
	    (row->kind == NUM && v != (double)(int64_t)v))
		return cli_usage(c, "'%s' is not a value for --%s %s: %s", s,
				 row->name, row->arg,
				 row->kind == SIZE  ? "a size like 512MB"
				 : row->kind == NUM ? "a whole number"
						    : "a number from 0");
	*out = v * f;
	return OK;
}

static enum status set_option(struct cli *c, enum opt_id o, const char *arg)
{
	const struct option_row *row = &option_table[o];

	if (!(row->cmds & 1 << c->id))
		return cli_usage(c, "'%s' does not take --%s",
				 command_table[c->id].name, row->name);
	c->opt[o].count++;
	c->opt[o].text = arg;
	switch (row->kind) {
	case FLAG:
	case TEXT:
	case MAYBE:
		return OK;
	case LIST:
		vec_push(&c->list[o], arg);
		return OK;
	case ENUM:
		c->opt[o].num = enum_index(row->arg, arg);
		if (c->opt[o].num < 0)
			return cli_usage(c, "'%s' is not one of --%s %s", arg,
					 row->name, row->arg);
		return OK;
	case NUM:
	case REAL:
	case SIZE:
		break;
	}
	return parse_number(c, row, arg, &c->opt[o].num);
}

/* getopt accepts abbreviations; scripts that use one would break when an
 * option is added, so they are refused. */
static bool abbreviated(const char *given, const char *name)
{
	size_t n = strcspn(given, "=");

	return strlen(name) != n || strncmp(given, name, n) != 0;
}

static size_t common_prefix(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static enum status unknown_option(struct cli *c, const char *arg)
{
	const char *best = NULL;
	size_t len = 1;

	if (!strncmp(arg, "--", 2)) {
		for (int i = 0; i < OPT_COUNT; i++) {
			size_t n = common_prefix(option_table[i].name, arg + 2);

			if ((option_table[i].cmds & 1 << c->id) && n > len) {
				len = n;
				best = option_table[i].name;
			}
		}
	}
	if (best)
		return cli_usage(c, "unknown option '%s', did you mean '--%s'?",
				 arg, best);
	return cli_usage(c, "unknown option '%s'", arg);
}

/* The compiler's spelling of the dependency options. */
static char *long_spelling(char *arg)
{
	static char spelled[3][5] = {"--MD", "--MF", "--MP"};

	for (size_t i = 0; i < countof(spelled); i++)
		if (!strcmp(arg, spelled[i] + 1))
			return spelled[i];
	return arg;
}

static enum status parse_options(struct cli *c, int argc, char **argv)
{
	struct option lopt[OPT_COUNT + 1] = {0};
	char sopt[2 * OPT_COUNT + 2] = ":";
	size_t n = 1;
	int o;

	for (int i = 0; i < OPT_COUNT; i++) {
		const struct option_row *row = &option_table[i];
		int has = row->kind == FLAG    ? no_argument
			  : row->kind == MAYBE ? optional_argument
					       : required_argument;

		lopt[i] = (struct option){row->name, has, NULL, LONG_BASE + i};
		if (row->letter)
			sopt[n++] = row->letter;
		if (row->letter && has)
			sopt[n++] = ':';
	}
	opterr = 0;
	optind = 1;
	while ((o = getopt_long(argc, argv, sopt, lopt, NULL)) != -1) {
		const char *word = argv[optind - 1];
		enum status s;
		int i = o - LONG_BASE;

		if (o == '?')
			return unknown_option(c, word);
		if (o == ':')
			return cli_usage(c, "option '%s' needs a value", word);
		if (o >= LONG_BASE && optarg && word == optarg)
			word = argv[optind - 2];
		if (o >= LONG_BASE && abbreviated(word + 2, lopt[i].name))
			return unknown_option(c, word);
		for (i = o >= LONG_BASE ? i : 0;
		     o < LONG_BASE && option_table[i].letter != o; i++)
			continue;
		s = set_option(c, (enum opt_id)i, optarg);
		if (s)
			return s;
	}
	c->operand = argv + optind;
	c->noperand = argc - optind;
	return OK;
}

static enum status check_operands(struct cli *c)
{
	const struct command *cmd = &command_table[c->id];

	if (opt_given(c, OPT_help))
		return OK;
	if (c->noperand < cmd->min)
		return cli_usage(c, "'%s' needs: pare %s %s", cmd->name,
				 cmd->name, cmd->operands);
	if (cmd->max >= 0 && c->noperand > cmd->max)
		return cli_usage(c, "unexpected operand '%s'",
				 c->operand[cmd->max]);
	return OK;
}

enum status cli_parse(struct cli *c, int argc, char **argv)
{
	enum status s;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			break;
		argv[i] = long_spelling(argv[i]);
	}
	s = parse_options(c, argc, argv);
	return s ? s : check_operands(c);
}

void cli_release(struct cli *c)
{
	for (int i = 0; i < OPT_COUNT; i++)
		vec_release(&c->list[i]);
	diag_release(&c->diag);
}

enum { HELP_COLUMN = 32, HELP_END = 79 };

/* Breaks lines at blanks. */
static void help_text(FILE *f, const char *text)
{
	const int width = HELP_END - HELP_COLUMN;

	while ((int)strlen(text) > width) {
		int n = width;

		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0)
			break;
		fprintf(f, "%.*s\n%*s", n, text, HELP_COLUMN, "");
		text += n + 1;
	}
	fprintf(f, "%s\n", text);
}

static void help_option(FILE *f, const struct option_row *row)
{
	struct buf b = {0};

	if (row->letter)
		buf_printf(&b, "  -%c, --%s", row->letter, row->name);
	else
		buf_printf(&b, "      --%s", row->name);
	if (row->arg)
		buf_printf(&b, row->kind == MAYBE ? "[=%s]" : " %s", row->arg);
	if (b.n > HELP_COLUMN - 2)
		fprintf(f, "%s\n%*s", b.p, HELP_COLUMN, "");
	else
		fprintf(f, "%-*s", HELP_COLUMN, b.p);
	help_text(f, row->help);
	buf_release(&b);
}

void cli_help(FILE *f, enum command_id id)
{
	const struct command *cmd = &command_table[id];

	fprintf(f, "usage: pare %s [options] %s\n\n%s\n\noptions:\n", cmd->name,
		cmd->operands, cmd->text);
	for (int i = 0; i < OPT_COUNT; i++)
		if (option_table[i].cmds & 1 << id)
			help_option(f, &option_table[i]);
}

void cli_overview(FILE *f)
{
	fputs("usage: pare COMMAND [options] FILE...\n\n"
	      "Makes trained neural networks smaller and faster.\n\n"
	      "  pare optimize model.onnx -o small.onnx\n"
	      "  pare quantize model.onnx --calib samples.npz -o int8.onnx\n"
	      "  pare run small.onnx --input x=image.npy --output-dir out\n\n"
	      "commands:\n",
	      f);
	for (int i = 0; i < CMD_COUNT; i++)
		fprintf(f, "  %-12s%s\n", command_table[i].name,
			command_table[i].summary);
	fputs("\n'pare COMMAND --help' describes one of them.\n", f);
}

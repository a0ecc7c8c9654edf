/* SPDX-License-Identifier: MIT */
/*
 * cmd_completion.c -- completion scripts, from the same tables as --help.
 */
#include <string.h>
#include "cli/cli.h"

static void words(enum command_id id, const char *prefix, const char *sep)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (option_table[i].cmds & 1 << id)
			printf("%s%s%s", prefix, option_table[i].name, sep);
}

static void bash(void)
{
	puts("# bash completion for pare\n_pare()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
	     "\tCOMPREPLY=()\n"
	     "\tif [ \"$COMP_CWORD\" -eq 1 ]; then");
	fputs("\t\twords='", stdout);
	for (int i = 0; i < CMD_COUNT; i++)
		printf("%s ", command_table[i].name);
	puts("--help --version'\n\telse\n\t\tcase ${COMP_WORDS[1]} in");
	for (int i = 0; i < CMD_COUNT; i++) {
		printf("\t\t%s) words='", command_table[i].name);
		words((enum command_id)i, "--", " ");
		puts("' ;;");
	}
	puts("\t\tesac\n\tfi\n\tcase $cur in\n"
	     "\t-*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
	     "\"$cur\") ;;\n"
	     "\t*) [ \"$COMP_CWORD\" -eq 1 ] && mapfile -t COMPREPLY < "
	     "<(compgen -W \"$words\" -- \"$cur\") ;;\n"
	     "\tesac\n}\ncomplete -o default -F _pare pare");
}

static void print_quoted(const char *s, char also)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", stdout);
		else if (*s == also)
			printf("\\%c", *s);
		else
			putchar(*s);
	}
}

static void zsh(void)
{
	puts("#compdef pare\n_pare()\n{\n\tlocal -a commands\n\tcommands=(");
	for (int i = 0; i < CMD_COUNT; i++) {
		printf("\t\t'%s:", command_table[i].name);
		print_quoted(command_table[i].summary, ':');
		puts("'");
	}
	puts("\t)\n\tif (( CURRENT == 2 )); then\n"
	     "\t\t_describe command commands\n\t\treturn\n\tfi\n"
	     "\tcase $words[2] in");
	for (int i = 0; i < CMD_COUNT; i++) {
		printf("\t%s) _arguments '*:file:_files'",
		       command_table[i].name);
		for (int o = 0; o < OPT_COUNT; o++) {
			const struct option_row *row = &option_table[o];

			if (!(row->cmds & 1 << i))
				continue;
			printf(" '--%s%s[", row->name,
			       row->kind == MAYBE ? "=-"
			       : row->arg         ? "="
						  : "");
			print_quoted(row->help, ']');
			fputs("]", stdout);
			if (row->arg)
				fputs(row->kind == MAYBE ? "::value:_files"
							 : ":value:_files",
				      stdout);
			fputs("'", stdout);
		}
		puts(" ;;");
	}
	puts("\tesac\n}\n_pare \"$@\"");
}

static void fish(void)
{
	puts("# fish completion for pare");
	for (int i = 0; i < CMD_COUNT; i++) {
		printf("complete -c pare -n __fish_use_subcommand -a %s -d '",
		       command_table[i].name);
		print_quoted(command_table[i].summary, '\0');
		puts("'");
		for (int o = 0; o < OPT_COUNT; o++) {
			const struct option_row *row = &option_table[o];

			if (!(row->cmds & 1 << i))
				continue;
			printf("complete -c pare -n "
			       "'__fish_seen_subcommand_from %s' -l %s",
			       command_table[i].name, row->name);
			if (row->letter)
				printf(" -s %c", row->letter);
			fputs(row->arg && row->kind != MAYBE ? " -r -d '"
							     : " -d '",
			      stdout);
			print_quoted(row->help, '\0');
			puts("'");
		}
	}
}

enum status cmd_completion(struct cli *c)
{
	static const struct {
		const char *shell;
		void (*print)(void);
	} table[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

	for (size_t i = 0; i < countof(table); i++) {
		if (strcmp(c->operand[0], table[i].shell))
			continue;
		table[i].print();
		return OK;
	}
	return cli_usage(c, "no completion for '%s': bash, zsh or fish",
			 c->operand[0]);
}

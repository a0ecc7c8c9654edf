/* SPDX-License-Identifier: MIT */
/*
 * main.c -- the table of commands and the dispatch.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/pool.h"
#include "cli/cli.h"

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};

/* Leave no temporary file behind, then die of the signal itself. */
static void on_signal(int sig)
{
	outfile_cleanup_all();
	signal(sig, SIG_DFL);
	raise(sig);
}

static enum command_id find_command(const char *name)
{
	int i;

	for (i = 0; i < CMD_COUNT; i++)
		if (!strcmp(command_table[i].name, name))
			break;
	return (enum command_id)i;
}

static void apply_globals(struct cli *c)
{
	const char *mem = getenv("PARE_MAX_MEMORY");
	double bytes = mem ? strtod(mem, NULL) : 0;

	c->diag.verbosity =
		opt_given(c, OPT_quiet) ? -1 : (int)c->opt[OPT_verbose].count;
	pool_set_threads((unsigned)opt_num(c, OPT_threads, 0));
	limit_set((size_t)opt_num(c, OPT_max_memory, bytes > 0 ? bytes : 0),
		  opt_num(c, OPT_timeout, 0));
	progress_enable(!opt_given(c, OPT_quiet));
}

/* What was buffered for standard output must have arrived. */
static enum status flush_stdout(struct cli *c, enum status s)
{
	if ((fflush(stdout) || ferror(stdout)) && s == OK)
		return diag_error(&c->diag, NULL, E_write,
				  "cannot write to standard output");
	return s;
}

static enum status run_command(int argc, char **argv)
{
	struct cli c = {.id = find_command(argv[0])};
	enum status s;

	diag_init(&c.diag, stderr);
	if (c.id == CMD_COUNT) {
		cli_usage(&c, "unknown command '%s'", argv[0]);
		diag_hint(&c.diag, "'pare --help' lists the commands");
		cli_release(&c);
		return USAGE;
	}
	s = cli_parse(&c, argc, argv);
	if (!s && opt_given(&c, OPT_help)) {
		cli_help(stdout, c.id);
	} else if (!s) {
		apply_globals(&c);
		s = command_table[c.id].run(&c);
		progress_end();
	}
	s = flush_stdout(&c, cli_outcome(&c, s));
	cli_release(&c);
	return s;
}

int main(int argc, char **argv)
{
	enum status s;

	for (size_t i = 0; i < countof(caught); i++)
		signal(caught[i], on_signal);
	signal(SIGPIPE, SIG_DFL);
	if (argc < 2) {
		cli_overview(stderr);
		return USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		cli_overview(stdout);
		return OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("pare " PARE_VERSION);
		return OK;
	}
	s = run_command(argc - 1, argv + 1);
	pool_shutdown();
	return (int)s;
}

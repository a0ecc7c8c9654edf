/* SPDX-License-Identifier: MIT */
/*
 * cli.h -- the command line: tables, parsed options, and what commands share.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>
#include "ir/cost.h"
#include "passes/pass.h"

/* ---- tables (opts.c) ---- */

enum command_id {
#define COMMAND(id, min, max, operands, summary, text) CMD_##id,
#include "cli/commands.def"
#undef COMMAND
	CMD_COUNT
};

enum {
#define COMMAND(id, min, max, operands, summary, text) C_##id = 1 << CMD_##id,
#include "cli/commands.def"
#undef COMMAND
	C_ALL = -1,
	C_WRITE = C_optimize | C_quantize | C_prune | C_convert,
	C_PIPE = C_optimize | C_quantize | C_prune | C_bisect,
	C_LOSSY = C_quantize | C_prune,
	C_CHECK = C_WRITE | C_verify,
	C_MODEL = C_CHECK | C_check | C_info | C_diff | C_run | C_bench |
		  C_bisect,
};

enum opt_id {
#define OPTION(id, name, letter, kind, arg, cmds, help) OPT_##id,
#include "cli/opts.def"
#undef OPTION
	OPT_COUNT
};

enum opt_kind { FLAG, TEXT, MAYBE, LIST, NUM, REAL, SIZE, ENUM };

struct option_row {
	const char *name;
	char letter;
	enum opt_kind kind;
	const char *arg;
	int cmds;
	const char *help;
};

struct cli;

struct command {
	const char *name;
	int min, max;
	const char *operands, *summary, *text;
	enum status (*run)(struct cli *c);
};

extern const struct option_row option_table[OPT_COUNT];
extern const struct command command_table[CMD_COUNT];

struct cli {
	enum command_id id;
	struct diag diag;
	char **operand;
	int noperand;
	struct {
		unsigned count; /* times given */
		const char *text;
		double num;
	} opt[OPT_COUNT];
	VEC(const char *)
	list[OPT_COUNT]; /* LIST: values, NULL-ended by
			    opt_list() */
};

/* Fills c from argv[1..); USAGE was reported on a mistake. */
enum status cli_parse(struct cli *c, int argc, char **argv);
void cli_release(struct cli *c);
bool opt_given(const struct cli *c, enum opt_id o);
/* dflt if not given; NULL if given without its value (MAYBE). */
const char *opt_text(const struct cli *c, enum opt_id o, const char *dflt);
double opt_num(const struct cli *c, enum opt_id o, double dflt);
/* Index of the chosen word of an ENUM; dflt if not given. */
int opt_enum(const struct cli *c, enum opt_id o, int dflt);
/* NULL-ended; never NULL. */
const char *const *opt_list(struct cli *c, enum opt_id o);
void cli_help(FILE *f, enum command_id id);
void cli_overview(FILE *f);
/* s, unless an error was reported and passed over: a rewrite that ran out of
 * memory, for example, leaves a valid model, but the limit was missed. */
enum status cli_outcome(const struct cli *c, enum status s);
enum status cli_usage(struct cli *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define COMMAND(id, min, max, operands, summary, text) \
	enum status cmd_##id(struct cli *c);
#include "cli/commands.def"
#undef COMMAND

/* ---- models in and out (load.c) ---- */

bool has_suffix(const char *path, const char *suffix);
bool is_dir(const char *path);
/* .onnx, .pare or .onnxtxt, told by content and suffix; "-": stdin.  --shape
 * and --dim are bound. */
enum status load_model(struct cli *c, const char *path, struct model **out);
/* Format by suffix of path.  *bytes: size written. */
enum status save_model(struct cli *c, struct model *m, const char *path,
		       uint64_t *bytes);
/* driver_opts from the options; level is the default -O. */
void driver_opts_fill(struct cli *c, struct driver_opts *o);

/* --print-pipeline. */
enum status print_pipeline(struct cli *c);
/* Infer the original, clone it, and run the pipeline of the options on the
 * clone, which the caller frees; its types may be out of date. */
enum status optimized_clone(struct cli *c, struct model *original,
			    struct pass_run *run, struct model **out);

/* ---- input data (data.c) ---- */

struct input_sets {          /* from --input; nset 0 if none was given */
	struct array ***set; /* [nset][main inputs]; NULL: use default */
	size_t nset;
};
enum status inputs_load(struct cli *c, struct model *m, struct input_sets *s);
void inputs_release(struct input_sets *s, const struct model *m);
/* E-input with a hint that lists the inputs. */
enum status no_such_input(struct cli *c, struct model *m, struct str name);
/* One test_data_set_N folder: input_I.pb is graph input I. */
enum status inputs_read_set(struct cli *c, struct model *m, const char *dir,
			    struct array **set);

/* ---- producing a checked output (produce.c) ---- */

struct produce {
	struct model *original, *result; /* result is finished here */
	uint64_t bytes_before, bytes_after;
	struct cost before, after;
	struct verify_report verify;
	bool lossy;                 /* quantize, prune */
	bool unchanged;             /* the original was written instead */
	const struct pass_run *run; /* may be NULL */
	struct input_sets *inputs;  /* to verify on if --input gives none;
				       may be NULL */
	/* Adds command-specific members to the JSON report and lines to the
	 * text report; may be NULL. */
	void (*json_extra)(void *arg, void *json_object);
	void (*text_extra)(void *arg, FILE *f);
	void *extra_arg;
};

/* How to verify, from the options; in: what --input gave. */
void verify_opts_fill(struct cli *c, const struct input_sets *in,
		      struct verify_opts *o);
/* Mistakes in the output options, found before any work is done. */
enum status produce_check_usage(struct cli *c);
/* Verify, apply the gates and the growth rule, write, report. */
enum status produce_output(struct cli *c, struct produce *p);

/* ---- output helpers (report.c) ---- */
/* Human-readable: "1.9 MB", "12,345", "3.1 ms". */
void print_bytes(struct buf *b, uint64_t n);
void print_count(struct buf *b, uint64_t n);
void print_seconds(struct buf *b, double s);
void report_table(FILE *f, const struct produce *p);
/* Rows of cells, columns aligned; first column left, the rest right. */
struct table;
struct table *table_create(void);
void table_row(struct table *t, const char *fmt, ...) /* cells split at | */
	__attribute__((format(printf, 2, 3)));
void table_print(struct table *t, FILE *f); /* frees t */
enum status report_json(struct cli *c, const struct produce *p);

/* ---- progress (progress.c) ---- */
/* One line on a terminal's stderr once the work took half a second. */
void progress(const char *what, uint64_t done, uint64_t total);
void progress_end(void);
void progress_enable(bool on);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * produce.c -- from a changed model to a file: verify, gate, write, report.
 *
 * Nothing is written before the result was run against the original (unless
 * --no-check), every gate holds, and the size rule is met.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "onnx/onnx.h"

static bool is_onnx_path(const char *path)
{
	return !has_suffix(path, ".pare") && !has_suffix(path, ".onnxtxt");
}

void verify_opts_fill(struct cli *c, const struct input_sets *in,
		      struct verify_opts *o)
{
	*o = (struct verify_opts){
		.seed = (uint64_t)opt_num(c, OPT_seed, 1),
		.rounds = (unsigned)opt_num(c, OPT_rounds, 0),
		.rtol = opt_num(c, OPT_rtol, 0),
		.atol = opt_num(c, OPT_atol, 0),
		.max_seconds = opt_num(c, OPT_check_time, 0),
		.max_bytes = (size_t)opt_num(c, OPT_check_memory, 0),
		.inputs = (struct array *const *const *)in->set,
		.ninputs = in->nset,
	};
}

enum status produce_check_usage(struct cli *c)
{
	const char *out = opt_text(c, OPT_output, NULL);

	if (!out)
		return cli_usage(c, "no output given: add -o FILE");
	if (!strcmp(out, "-") && opt_given(c, OPT_json))
		return cli_usage(c,
				 "-o - and --json both want standard output");
	if (!strcmp(out, "-") && opt_given(c, OPT_MD) && !opt_given(c, OPT_MF))
		return cli_usage(c, "-MD with -o - needs -MF FILE");
	return OK;
}

static enum status run_verify(struct cli *c, struct produce *p)
{
	struct input_sets in = {0};
	struct verify_opts o;
	enum status s = inputs_load(c, p->original, &in);

	if (s)
		return s;
	verify_opts_fill(c, in.nset || !p->inputs ? &in : p->inputs, &o);
	o.lossy = p->lossy;
	s = verify_models(p->original, p->result, &o, &p->verify);
	inputs_release(&in, p->original);
	if (!s && p->verify.differs && !p->lossy) {
		diag_error(&c->diag, NULL, E_verify, "%s", p->verify.first);
		diag_hint(&c->diag,
			  "nothing was written; 'pare bisect %s' "
			  "names the rewrite",
			  c->operand[0]);
		return NO;
	}
	return s;
}

static enum status verify_result(struct cli *c, struct produce *p)
{
	bool changed = !p->run || p->run->nrewrite || p->lossy;

	if (opt_given(c, OPT_no_check) || !changed) {
		p->verify.mode = VERIFY_NONE;
		p->verify.why = changed ? "--no-check" : "nothing was changed";
		return OK;
	}
	return run_verify(c, p);
}

static enum status gate(struct cli *c, enum opt_id o, const char *output,
			const char *what, double got, bool ok)
{
	if (!opt_given(c, o) || ok)
		return OK;
	return diag_error(&c->diag, NULL, E_gate,
			  "output '%s': %s is %.6g, the gate is %.6g", output,
			  what, got, opt_num(c, o, 0));
}

static enum status apply_gates(struct cli *c, const struct produce *p)
{
	bool asked = opt_given(c, OPT_max_error) ||
		     opt_given(c, OPT_min_sqnr) ||
		     opt_given(c, OPT_min_agreement);
	enum status s = OK;

	if (asked && p->verify.mode != VERIFY_WHOLE)
		return diag_error(&c->diag, NULL, E_gate,
				  "the gates need a run of the whole model, "
				  "which was not possible: %s",
				  p->verify.why ? p->verify.why : "no runs");
	for (uint32_t i = 0; asked && i < p->verify.nout && !s; i++) {
		const char *name = p->verify.out[i].name;
		const struct compare *k = &p->verify.out[i].c;
		double e = k->max_abs, q = compare_sqnr(k),
		       a = compare_agreement(k);

		s = gate(c, OPT_max_error, name, "the largest error", e,
			 e <= opt_num(c, OPT_max_error, 0));
		if (!s)
			s = gate(c, OPT_min_sqnr, name, "the SQNR", q,
				 q >= opt_num(c, OPT_min_sqnr, 0));
		if (!s)
			s = gate(c, OPT_min_agreement, name,
				 "the top-1 agreement", a,
				 a >= opt_num(c, OPT_min_agreement, 0));
	}
	return s;
}

/* Larger than the input?  Then an exact command keeps the original, and a
 * lossy one fails. */
static enum status size_rule(struct cli *c, struct produce *p)
{
	const char *out = opt_text(c, OPT_output, "");
	const struct model *m = p->original;
	uint64_t was, is;

	if (opt_given(c, OPT_allow_growth) || !is_onnx_path(out) || !m->file ||
	    !onnx_probe(m->file->p, m->file->len) || c->id == CMD_convert ||
	    opt_given(c, OPT_shape) || opt_given(c, OPT_dim))
		return OK;
	is = onnx_size(p->result);
	was = onnx_size(m); /* counts external data, too */
	if (was < m->file_bytes)
		was = m->file_bytes;
	if (is <= was)
		return OK;
	if (!p->lossy) {
		p->unchanged = true;
		return OK;
	}
	diag_error(&c->diag, NULL, E_growth,
		   "the result has %llu bytes, the input %llu",
		   (unsigned long long)is, (unsigned long long)was);
	diag_hint(&c->diag, "--allow-growth accepts it");
	return NO;
}

static enum status write_result(struct cli *c, struct produce *p)
{
	const char *out = opt_text(c, OPT_output, NULL);
	const struct blob *file = p->original->file;

	if (!p->unchanged)
		return save_model(c, p->result, out, &p->bytes_after);
	p->bytes_after = file->len;
	return file_write_all(&c->diag, out, file->p, file->len,
			      opt_given(c, OPT_if_changed));
}

/* ---- dependency file ---- */

static void make_word(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == ' ' || *s == '#' || *s == '\\')
			buf_putc(b, '\\');
		if (*s == '$')
			buf_putc(b, '$');
		buf_putc(b, *s);
	}
}

static void add_prerequisites(struct cli *c, struct buf *b, const char *sep,
			      const char *end)
{
	static const enum opt_id from[] = {OPT_calib, OPT_input};

	for (size_t i = 0; i < countof(from); i++) {
		const char *const *v = opt_list(c, from[i]);

		for (; *v; v++) {
			const char *eq = strchr(*v, '=');

			buf_puts(b, sep);
			make_word(b, eq ? eq + 1 : *v);
			buf_puts(b, end);
		}
	}
}

static enum status write_depfile(struct cli *c)
{
	const char *out = opt_text(c, OPT_output, NULL);
	struct buf b = {0}, name = {0};
	enum status s;

	if (!opt_given(c, OPT_MD) && !opt_given(c, OPT_MF))
		return OK;
	buf_printf(&name, "%s.d", out);
	make_word(&b, out);
	buf_puts(&b, ": ");
	make_word(&b, c->operand[0]);
	add_prerequisites(c, &b, " ", "");
	buf_putc(&b, '\n');
	if (opt_given(c, OPT_MP)) {
		make_word(&b, c->operand[0]);
		buf_puts(&b, ":\n");
		add_prerequisites(c, &b, "", ":\n");
	}
	s = file_write_all(&c->diag, opt_text(c, OPT_MF, name.p), b.p, b.n,
			   false);
	buf_release(&b);
	buf_release(&name);
	return s;
}

enum status produce_output(struct cli *c, struct produce *p)
{
	enum status s = model_finish(p->result);

	p->bytes_before = p->original->file_bytes;
	if (!s)
		s = model_infer(p->result);
	if (s)
		return s;
	model_cost(p->original, &p->before);
	model_cost(p->result, &p->after);
	s = verify_result(c, p);
	if (!s)
		s = apply_gates(c, p);
	if (!s)
		s = size_rule(c, p);
	s = cli_outcome(c, s);
	if (!s)
		s = write_result(c, p);
	if (!s)
		s = write_depfile(c);
	progress_end();
	if (!s && !opt_given(c, OPT_quiet))
		report_table(stderr, p);
	return s ? s : report_json(c, p);
}

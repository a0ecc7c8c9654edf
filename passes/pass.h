/* SPDX-License-Identifier: MIT */
/*
 * pass.h -- passes, pipelines and the rewrite engine.
 */
#ifndef PASSES_PASS_H
#define PASSES_PASS_H

#include "ir/ir.h"
#include "runtime/runtime.h"

/* Facts about a model; the driver computes what a pass needs and drops what
 * it does not keep once it changed something. */
enum fact {
	FACT_TYPES = 1,  /* value.type and value.data are inferred */
	FACT_CONSTS = 2, /* value.konst is set where known */
};

struct pass_opt { /* name{key=value;...}; values are int64 */
	const char *key;
	int64_t dflt;
	const char *help;
};

struct pass_run;

struct pass {
	const char *name, *summary;
	const struct pass_opt *opts; /* ends with key == NULL; may be NULL */
	unsigned needs, keeps;
	/* Works on the whole model; sets r->changed. */
	enum status (*run)(struct pass_run *r);
};

/* A region that a rewrite replaced: for --explain, reports and regionwise
 * verification. */
struct rewrite_event {
	uint64_t number;   /* counts single rewrites, from 1 */
	const char *what;  /* rule or pass name */
	const char *where; /* "main/bn_3" */
};

struct driver_opts {
	const char *pipeline; /* "fold,fix(canon,cse,dce)"; aliases O0..O3 */
	const char *const *disable; /* rule or pass names, NULL-ended */
	const char *const *keep;    /* node or value names left alone */
	bool verify_each;           /* model_verify_ir after each pass */
	bool fast_math;
	uint64_t bisect_limit;   /* stop rewriting after this many; 0: none */
	const char *print_after; /* pass name or "all"; to stderr */
	bool print_changed, time_passes;
	const char *explain; /* "RULE@NODE" */
	size_t fold_limit;   /* bytes a folded constant may add beyond
				what it frees */
	void (*on_rewrite)(void *arg, const struct rewrite_event *e);
	void *arg;
};

struct pass_count { /* how often each rule or pass fired */
	const char *name;
	uint64_t n;
};

struct pass_run {
	struct model *m;
	struct diag *diag;
	const struct driver_opts *o;
	const int64_t *opt; /* values in the order of pass.opts */
	bool changed;
	uint64_t nrewrite; /* rewrites done so far, all passes */
	size_t saved;      /* encoded bytes saved so far, as estimated */
	VEC(struct pass_count) counts;
	VEC(struct pass_time {
		const char *name;
		double s;
		unsigned runs;
	})
	times;
	unsigned facts;
};

/* Runs a pipeline.  r is zeroed by the caller, released by pass_run_release;
 * counts stay readable in between. */
enum status driver_run(struct pass_run *r, struct model *m,
		       const struct driver_opts *o);
void pass_run_release(struct pass_run *r);
/* Canonical form of a pipeline string (aliases expanded); E-pipeline. */
enum status pipeline_print(struct diag *d, const char *pipeline,
			   struct buf *out);
/*
 * May this rewrite be done?  False when disabled, kept, or past the bisect
 * limit; counts and reports it otherwise.  Call it when all other conditions
 * hold, just before changing anything.
 */
bool pass_allow(struct pass_run *r, const char *what, const struct node *at);
bool pass_kept(const struct pass_run *r, const struct node *n);

const struct pass *pass_table(size_t *n); /* passes.def */
const struct pass *pass_find(const char *name);

/* ---- rules (rewrite.c; tables that tools/genrw makes of the .rw files) ----
 */

struct rw_rule;
size_t rule_count(void);
const struct rw_rule *rule_at(size_t i);
const char *rule_name(const struct rw_rule *r);
const char *rule_summary(const struct rw_rule *r);
const char *rule_file(const struct rw_rule *r); /* "conv.rw" */
int rule_line(const struct rw_rule *r);
const char *rule_class(const struct rw_rule *r);   /* "exact", "round",
						      "fast-math" */
const char *rule_comment(const struct rw_rule *r); /* identity, source,
						      counterexample */

/* ---- opsets (opset.c) ---- */

/*
 * Takes m, functions included, to a version of ai.onnx (7 or newer), infers
 * types and checks it.  E-unsupported names the node that cannot be said
 * there; m is then not to be used.  r is zeroed; counts changed nodes.
 */
enum status opset_convert(struct pass_run *r, struct model *m, int64_t to);

/* ---- verification (verify.c): runs two models, says how they differ ---- */

enum verify_mode { VERIFY_WHOLE, VERIFY_REGIONS, VERIFY_NONE };

struct verify_opts {
	uint64_t seed;
	unsigned rounds;    /* sizes tried for dynamic dims; 0: 3 (or 1) */
	double rtol, atol;  /* of an exact pass; 0: defaults 1e-4, 1e-5 */
	double max_seconds; /* --check-time, 0: 60 */
	size_t max_bytes;   /* --check-memory, 0: 4 GiB */
	struct array *const *const *inputs; /* given instead of generated:
					       ninputs sets */
	size_t ninputs;
	bool lossy; /* differences are reported, not an error */
};

struct verify_output {
	const char *name;
	struct compare c;
	bool random; /* compared by type and shape alone */
};

struct verify_report {
	enum verify_mode mode;
	const char *why; /* why not whole, or why none */
	unsigned runs;
	size_t regions, regions_skipped;
	struct verify_output *out; /* per graph output */
	uint32_t nout;
	bool differs;
	char first[200]; /* the first difference in words */
};

/*
 * Runs original and result on the same inputs.  OK with r->differs false
 * when equal within tolerance; E-verify is not raised here: the caller
 * decides.  Falls back to regions when an operator is unknown or the budget
 * does not allow a whole run.  Memory of r from result's arena.
 */
enum status verify_models(struct model *original, struct model *result,
			  const struct verify_opts *o, struct verify_report *r);

#endif

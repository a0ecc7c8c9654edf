/* SPDX-License-Identifier: MIT */
/*
 * pass_p.h -- what passes share with the driver.
 */
#ifndef PASSES_PASS_P_H
#define PASSES_PASS_P_H

#include "passes/pass.h"

#define PASS(id, name, summary, opts, needs, keeps) \
	enum status pass_##id(struct pass_run *r);
#define ALIAS(name, pipeline, summary)
#include "passes/passes.def"
#undef PASS
#undef ALIAS

/* Is a rule or pass switched off by name? */
bool pass_disabled(const struct pass_run *r, const char *what);

/*
 * May something of `bytes` encoded bytes replace something of `gone`?  What
 * single rewrites add must have been saved before (or be allowed by
 * fold_limit), so the file as a whole never grows.
 */
bool pass_affords(const struct pass_run *r, size_t bytes, size_t gone);
/* Account for an exchange that was done. */
void pass_spend(struct pass_run *r, size_t bytes, size_t gone);

/* ---- pipelines (pipeline.c) ---- */

enum { PASS_MAX_OPTS = 8 };

struct step {                    /* preorder */
	const struct pass *pass; /* NULL: fix(...) */
	int64_t opt[PASS_MAX_OPTS];
	size_t span; /* entries after this one that belong to it */
};

typedef VEC(struct step) step_vec;

/* Appends the steps of a pipeline, aliases expanded; E-pipeline. */
enum status pipeline_parse(struct diag *d, const char *text, step_vec *out);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * quant.h -- post-training quantization: calibration, parameters, placement.
 */
#ifndef QUANT_QUANT_H
#define QUANT_QUANT_H

#include "passes/pass.h"

enum quant_mode { QUANT_STATIC, QUANT_DYNAMIC, QUANT_WEIGHT };
enum quant_range { RANGE_MINMAX, RANGE_PERCENTILE, RANGE_MSE, RANGE_ENTROPY };

/* Calibration samples, one call per run; OK with *in NULL: no more.  The
 * arrays belong to the source until the next call. */
struct sample_source {
	enum status (*next)(void *arg, struct array *const **in);
	void *arg;
};

struct quant_opts {
	enum quant_mode mode;
	enum quant_range range;
	double percentile;          /* 99.99 */
	bool per_tensor;            /* default: per channel */
	bool no_saturation_guard;   /* target has VNNI or the like */
	const char *const *exclude; /* node names or op types, NULL-ended */
	const char *const *only;    /* op types, NULL-ended; NULL: default */
};

struct quant_skip {
	const char *node, *op, *why;
};

struct quant_report {
	size_t quantized; /* nodes */
	size_t weights;   /* weight tensors */
	size_t guarded;   /* channels shrunk against saturation */
	size_t samples;
	struct quant_skip *skip;
	size_t nskip;
};

/* Rewrites m into QDQ form (or dynamic/weight-only).  m should be optimized
 * first.  calib may be NULL for the modes that need no data. */
enum status quantize(struct model *m, const struct quant_opts *o,
		     const struct sample_source *calib, struct quant_report *r);

#endif

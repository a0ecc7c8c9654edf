/* SPDX-License-Identifier: MIT */
/*
 * quant_p.h -- inner interfaces of quant/.
 */
#ifndef QUANT_QUANT_P_H
#define QUANT_QUANT_P_H

#include "ir/weights.h"
#include "quant/quant.h"

/* ---- observers (observe.c) ---- */

enum { OBS_BINS = 4096 }; /* even; half of them below zero */

/*
 * A streaming histogram over [-limit, limit].  When a value exceeds the
 * limit, the limit doubles and neighbouring bins merge, so memory does not
 * depend on the number of samples and no second pass is needed.
 */
struct observer {
	double min, max; /* of what was seen; 0 is always included */
	double limit;    /* a power of two; 0: nothing seen */
	uint64_t count;
	uint64_t bin[OBS_BINS];
};

void observer_add(struct observer *o, const struct array *a);
/* Centre of bin i and the width of all bins. */
double observer_center(const struct observer *o, int i);
double observer_width(const struct observer *o);

/* ---- ranges and parameters (range.c, params.c) ---- */

struct qparams { /* unsigned 8 bit, per tensor */
	float scale;
	uint8_t zero;
};

/* The range [lo, hi], 0 included, that o's values should be mapped from. */
void range_choose(const struct observer *o, enum quant_range how,
		  double percentile, double *lo, double *hi);
/* s = (hi - lo) / 255, z = rne(-lo / s); a range below FLT_MIN gives 1, 0. */
struct qparams qparams_of_range(double lo, double hi);

struct qweight {
	const struct tensor *q;     /* int8, shape of the weight */
	const struct tensor *scale; /* float32 [channels], or scalar */
	const struct tensor *zero;  /* int8 zeros, shape of scale */
	int axis;                   /* -1: per tensor */
	size_t guarded;             /* channels shrunk against saturation */
};

struct qweight_opts {
	int channel, contraction; /* axes; channel -1: per tensor */
	bool guard;               /* keep u8 x s8 pair sums within 16 bits */
	/* float32 bias, one per output channel, and the input's scale, or NULL:
	 * scales grow until the int32 bias fits. */
	const float *bias;
	int64_t nbias;
	float x_scale;
};

/*
 * Symmetric int8: scale[c] = max|w_c| / 127 (1 for an all-zero channel),
 * q = rne(w / scale).  E-value for NaN or infinity; E-memory.
 */
enum status quantize_weight(struct model *m, const struct tensor *w,
			    const struct qweight_opts *o, struct qweight *out);
/* int32 bias with scale x_scale * w_scale[c]; *scale gets these, with the
 * shape of the weight's scale. */
enum status quantize_bias(struct model *m, const struct tensor *bias,
			  float x_scale, const struct qweight *w,
			  const struct tensor **q, const struct tensor **scale);

/* ---- the plan (place.c) ---- */

enum unit_kind {
	UNIT_NONE,
	UNIT_MAC,  /* integer multiply-accumulate, has a weight */
	UNIT_GLUE, /* integer form exists; own output range */
	UNIT_PASS, /* output keeps the input's parameters */
};

struct act { /* an activation that gets Q and DQ */
	struct value *v;
	struct act *same; /* shares the parameters of this one */
	struct observer *obs;
	struct qparams p;
	bool everywhere; /* float users take the DQ output, too */
};

struct unit {
	struct node *n;
	enum unit_kind kind;
	struct value *x;   /* MAC: the activation input */
	struct node *relu; /* Relu/Clip that its output range absorbs */
	struct value *out; /* n's output, or relu's */
};

struct plan {
	struct model *m;
	const struct quant_opts *o;
	struct quant_report *r;
	VEC(struct unit) units;
	VEC(struct act *) acts;
	VEC(struct quant_skip) skips;
	struct map unit_of; /* node -> index into units */
	struct map act_of;  /* value -> struct act * */
	struct map zeros;   /* channels -> shared int8 zero tensor value */
};

/* Visits each node of main and its bodies (functions stay as they are) until
 * one fails; the visit may remove its node and add others. */
enum status plan_each_node(struct plan *p,
			   enum status (*visit)(struct plan *p,
						struct node *n));
bool plan_excluded(const struct plan *p, const struct node *n);
void plan_skip(struct plan *p, const struct node *n, const char *why);
/* Units and activations; nothing is changed yet. */
void plan_make(struct plan *p);
struct unit *plan_unit(struct plan *p, const struct node *n);
void plan_release(struct plan *p);

/* ---- rewriting (static.c, dynamic.c, weight.c) ---- */

enum status rewrite_static(struct plan *p);
enum status rewrite_dynamic(struct plan *p);
enum status rewrite_weight_only(struct plan *p);
/* QuantizeLinear or DequantizeLinear before a node; zero may be NULL.  NULL
 * if the opset has no such operator. */
struct node *make_qdq(struct graph *g, enum op_id op, struct value *x,
		      struct value *scale, struct value *zero,
		      struct node *before);
/* A DequantizeLinear over the quantized weight, before node n; NULL as
 * above. */
struct value *weight_dequant(struct plan *p, struct node *n,
			     const struct qweight *q);
/* Embedding tables: int8 rows looked up, then scaled. */
enum status rewrite_gather(struct plan *p, struct node *n);
/* Options for the weight w of n under plan p, without bias. */
struct qweight_opts weight_opts(const struct plan *p, const struct node *n,
				const struct weight *w);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * norm_p.h -- what the normalization kernels agree on.
 */
#ifndef RUNTIME_KERNELS_NORM_P_H
#define RUNTIME_KERNELS_NORM_P_H

#include "runtime/kernels/shared/nn_p.h"

/* LayerNormalization and its kin: X is [outer, n]; the parameters broadcast
 * to the last axes, n elements. */
struct layer_norm {
	int axis;
	int64_t outer, n;
	double eps;
	enum dtype stash; /* type of the statistics' outputs */
	int rank;         /* and their shape */
	int64_t dim[KERNEL_MAX_RANK];
};
enum status layer_norm_init(struct kcall *c, struct layer_norm *l,
			    const struct array *x);

/* Instance and group normalization: X is [batch, groups, per, inner], `per`
 * channels in a group; parameters by channel, or by group if per_group. */
struct group_norm {
	int64_t batch, groups, per, inner;
	double eps;
	bool per_group;
};
enum status group_norm_init(struct kcall *c, struct group_norm *g,
			    bool instance);

/* Local response normalization of [batch, channels, inner]. */
struct lrn {
	int64_t batch, channels, inner, before, after;
	double alpha, beta, bias; /* alpha already divided by size */
};
enum status lrn_init(struct kcall *c, struct lrn *l);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * data_plan_p.h -- what goes where in the data file beside a written model.
 */
#ifndef ONNX_DATA_PLAN_P_H
#define ONNX_DATA_PLAN_P_H

#include "onnx/onnx.h"

struct data_entry {
	const struct tensor *t;
	uint64_t off;
};

struct data_plan {
	VEC(struct data_entry) e; /* in the order of the file */
	struct map index;         /* tensor -> position in e */
	struct map bytes;         /* (blob, off) -> position in e */
	uint64_t size;            /* of the file */
	char *name;               /* STEM.HASH.data */
	char *path;               /* of the file, in the model's directory */
};

/*
 * Choose the tensors of a data file: with all, every initializer of at least
 * min bytes; those that lie outside already in any case.  Offsets are
 * multiples of 64, of 4096 from 64 KiB on, so that mappings are aligned.
 */
void data_plan_make(struct data_plan *p, const struct model *m, bool all,
		    size_t min);
/* Names the file after the model path and the hash of its content. */
enum status data_plan_name(struct data_plan *p, const struct model *m,
			   const char *model_path);
enum status data_plan_write(const struct data_plan *p, const struct model *m,
			    struct diag *d);
bool data_plan_find(const struct data_plan *p, const struct tensor *t,
		    uint64_t *off);
void data_plan_release(struct data_plan *p);

#endif

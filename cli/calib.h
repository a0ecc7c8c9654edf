/* SPDX-License-Identifier: MIT */
/*
 * calib.h -- calibration samples, streamed from files.
 */
#ifndef CLI_CALIB_H
#define CLI_CALIB_H

#include "cli/cli.h"
#include "quant/quant.h"

struct calib;

/*
 * Opens --calib or --random-calib; USAGE with a hint if neither was given.
 * Rows of an .npz or .npy are taken one by one where the model's first
 * dimension is 1 or free, else as many as it asks for.
 */
enum status calib_open(struct cli *c, struct model *m, struct calib **out);
void calib_source(struct calib *k, struct sample_source *s);
/* The first few samples again, to report the error on: at most max sets. */
enum status calib_preview(struct cli *c, struct model *m, size_t max,
			  struct input_sets *out);
bool calib_is_random(const struct calib *k);
void calib_free(struct calib *k);

#endif

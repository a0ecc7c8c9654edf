/* SPDX-License-Identifier: MIT */
/*
 * value.h -- run-time values as text, as JSON and in files.
 */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include <jansson.h>
#include "cli/cli.h"
#include "runtime/runtime.h"

/* "float[2,3]", "sequence of 2", "optional", "map of 4". */
void value_type(struct buf *b, const struct array *a);

/* Over the elements of a number tensor; min, max and mean over those that
 * are finite: NaN if none is. */
struct value_stats {
	bool numeric;
	double min, max, mean;
	int64_t nan, inf;
};
struct value_stats value_stats(const struct array *a);
/* "min 0 max 1 mean 0.5 nan 2 inf 1"; nothing if not numeric. */
void value_stats_text(struct buf *b, const struct value_stats *s);

/* Rows and brackets as NumPy prints them; of tensors with more than limit
 * elements only the corners; limit 0: everything.  Ends with a new line. */
void value_text(struct buf *b, const struct array *a, int64_t limit);

/* An object: type, dims, statistics, and with limit >= 0 the values: flat,
 * the first `limit` of them (0: all). */
json_t *value_json(const struct array *a, int64_t limit);

struct onnx_data;

/* ONNX's data messages; E-unsupported where there is no message. */
enum status data_of_array(struct model *m, const struct array *a,
			  struct onnx_data *d);
struct array *array_of_data(struct model *m, const struct onnx_data *d);

/* Writes the main graph's outputs to the folder of --output-dir, in the
 * format of --format. */
enum status outputs_write(struct cli *c, struct model *m,
			  struct array *const *out);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * json.h -- JSON pieces that commands share.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>
#include "cli/cli.h"

/* Any bytes; escaped if not UTF-8. */
json_t *json_str(struct str s);
json_t *json_text(const char *s);
json_t *json_number(double v); /* null for NaN and infinities */
json_t *json_u64(uint64_t v);
json_t *json_cost(const struct cost *c, uint64_t file_bytes);
json_t *json_verify(const struct verify_report *v);
/* Print j to path, or standard output if NULL; takes j. */
enum status json_emit(struct cli *c, json_t *j, const char *path);

#endif

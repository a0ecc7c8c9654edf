/* SPDX-License-Identifier: MIT */
/*
 * lettercase.h -- upper and lower case of Unicode characters, whatever the
 * locale.
 */
#ifndef BASE_LETTERCASE_H
#define BASE_LETTERCASE_H

#include "base/util.h"

/* The simple mappings: one character to one, itself if it has none. */
uint32_t case_upper(uint32_t c);
uint32_t case_lower(uint32_t c);
/* Equal for characters that differ in case only; dotted capital and dotless
 * small i are letters of their own. */
uint32_t case_fold(uint32_t c);
/* The least character from c on that has another case; 0: none. */
uint32_t case_next(uint32_t c);

#endif

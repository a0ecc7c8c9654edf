/* SPDX-License-Identifier: MIT */
/*
 * channels_last_p.h -- kernels for channels in front, run on channels behind.
 */
#ifndef RUNTIME_KERNELS_CHANNELS_LAST_P_H
#define RUNTIME_KERNELS_CHANNELS_LAST_P_H

#include "runtime/kernel.h"

/* Runs fn, which reads input 0 and makes output 0 with the channels as axis 1,
 * on an input of rank 3 or more that has them as its last axis. */
enum status channels_last(struct kcall *c, kernel_fn *fn);

#endif

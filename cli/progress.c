/* SPDX-License-Identifier: MIT */
/*
 * progress.c -- one line on the terminal while long work goes on.
 */
#include <inttypes.h>
#include <unistd.h>
#include "base/clock.h"
#include "cli/cli.h"

static bool enabled, shown;
static double started, last;

void progress_enable(bool on)
{
	enabled = on && isatty(STDERR_FILENO);
	started = clock_seconds();
}

void progress(const char *what, uint64_t done, uint64_t total)
{
	double t = enabled ? clock_seconds() : 0;

	if (!enabled || t - started < 0.5 || t - last < 0.1)
		return;
	last = t;
	shown = true;
	if (total)
		fprintf(stderr, "\r\033[K%s %" PRIu64 "/%" PRIu64, what, done,
			total);
	else
		fprintf(stderr, "\r\033[K%s %" PRIu64, what, done);
	fflush(stderr);
}

void progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

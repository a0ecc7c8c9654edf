/* SPDX-License-Identifier: MIT */
/*
 * roundtrip.c -- models through the text syntax and back, and through the
 * reader and the writer.
 *
 *	roundtrip FILE.onnx...    the models must be equal, the bytes the same
 *	roundtrip - <LIST         the same for the files listed, one a line
 *
 * What the syntax cannot say (documentation of nodes, unknown fields) does
 * not count.  Prints a line per file that differs and a summary; exit 1 if
 * any does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "onnx/onnx.h"

struct counts {
	unsigned files, unread, differ;
};

/* Adds to why unless the text of m gives m again. */
static void through_text(const char *path, const struct model *m,
			 struct buf *why)
{
	struct buf first = {0}, second = {0};
	struct diag d;
	struct model *again;

	diag_init(&d, NULL);
	model_print(m, &first, NULL);
	again = model_parse(&d, path, (struct str){first.p, first.n});
	if (!again) {
		buf_printf(why, "not parsed: %s", d.last.p);
	} else if (model_equal(m, again, why)) {
		model_verify_ir(again);
		model_print(again, &second, NULL);
		if (first.n != second.n || memcmp(first.p, second.p, first.n))
			buf_puts(why, "printed again, the text differs");
	}
	model_free(again);
	buf_release(&first);
	buf_release(&second);
	diag_release(&d);
}

/* Adds to why unless writing m gives the bytes of its file. */
static void through_file(struct model *m, struct buf *why)
{
	struct buf b = {0};

	if (model_finish(m) || onnx_encode(m, &b))
		buf_puts(why, "not written");
	else if (b.n != m->file->len || memcmp(b.p, m->file->p, b.n))
		buf_printf(why, "written, it has other bytes: %zu for %zu", b.n,
			   m->file->len);
	buf_release(&b);
}

static void run(const char *path, struct counts *c)
{
	struct onnx_read_opts o = {0};
	struct buf why = {0};
	struct model *m = NULL;
	struct diag d;

	diag_init(&d, stderr);
	c->files++;
	if (onnx_read(&d, path, &o, &m)) {
		c->unread++;
	} else {
		through_text(path, m, &why);
		through_file(m, &why);
		if (why.n) {
			c->differ++;
			printf("%s: %s\n", path, why.p);
		}
		model_free(m);
	}
	buf_release(&why);
	diag_release(&d);
}

static void run_list(struct counts *c)
{
	char line[4096];

	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			run(line, c);
	}
}

int main(int argc, char **argv)
{
	struct counts c = {0};

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-") == 0)
			run_list(&c);
		else
			run(argv[i], &c);
	}
	printf("%u passed, %u failed\n", c.files - c.unread - c.differ,
	       c.unread + c.differ);
	return c.differ || c.unread;
}

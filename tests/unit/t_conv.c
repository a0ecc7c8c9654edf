/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "tests/unit/kernel_run.h"

#define HEAD "<ir_version: 8, opset_import: [\"\" : 22]>\n"

struct shape {
	int n, c, h, w, m, kh, kw, sh, sw, dh, dw, group;
	int pads[4];
};

/* Direct, gathered and packed forms, edges of tiles, strides that do not
 * divide, dilations, uneven pads, groups, depthwise. */
static const struct shape shapes[] = {
	{1, 3, 8, 8, 4, 3, 3, 1, 1, 1, 1, 1, {1, 1, 1, 1}},
	{2, 5, 7, 9, 7, 1, 1, 1, 1, 1, 1, 1, {0}},
	{1, 64, 5, 5, 50, 1, 1, 1, 1, 1, 1, 1, {0}},
	{1, 70, 7, 7, 61, 3, 3, 1, 1, 1, 1, 1, {1, 1, 1, 1}},
	{1, 3, 33, 31, 8, 7, 7, 2, 2, 1, 1, 1, {3, 3, 3, 3}},
	{1, 4, 17, 40, 6, 3, 3, 2, 3, 1, 1, 1, {0, 1, 2, 0}},
	{1, 6, 20, 70, 12, 3, 5, 1, 1, 2, 3, 1, {2, 6, 2, 6}},
	{2, 8, 9, 9, 12, 3, 3, 1, 1, 1, 1, 4, {1, 1, 1, 1}},
	{1, 16, 19, 19, 16, 3, 3, 1, 1, 1, 1, 16, {1, 1, 1, 1}},
	{1, 9, 21, 37, 18, 5, 5, 2, 2, 1, 1, 9, {2, 2, 2, 2}},
	{1, 5, 12, 12, 10, 2, 4, 3, 1, 2, 2, 5, {0, 3, 1, 2}},
	{1, 8, 16, 16, 24, 1, 1, 2, 2, 1, 1, 1, {0}},
	{1, 2, 1, 400, 5, 1, 90, 1, 40, 1, 1, 1, {0, 20, 0, 20}},
	{2, 64, 6, 6, 96, 3, 3, 1, 1, 1, 1, 2, {1, 1, 1, 1}},
	{1, 30, 15, 17, 40, 3, 3, 2, 2, 1, 2, 1, {1, 2, 1, 2}},
	{1, 80, 11, 11, 33, 1, 1, 1, 1, 1, 1, 1, {0}},
	{1, 40, 32, 32, 20, 1, 1, 1, 1, 1, 1, 1, {0}},
	{1, 3, 7, 7, 3, 3, 3, 1, 1, 1, 1, 3, {1, 1, 1, 1}},
	{2, 2, 14, 29, 4, 3, 3, 1, 1, 1, 1, 2, {0, 1, 2, 0}},
	{1, 3, 15, 9, 3, 3, 3, 2, 2, 1, 1, 3, {1, 1, 1, 1}},
	{1, 2, 13, 70, 2, 3, 3, 1, 2, 1, 1, 2, {1, 1, 1, 1}},
	{1, 2, 9, 70, 2, 3, 3, 2, 1, 1, 1, 2, {1, 1, 1, 1}},
	{1, 2, 11, 1, 2, 3, 1, 1, 1, 2, 1, 2, {2, 0, 2, 0}},
	{0, 2, 4, 4, 3, 3, 3, 1, 1, 1, 1, 1, {0}},
};

static void conv_text(char *b, size_t n, const struct shape *s,
		      const char *type)
{
	snprintf(b, n,
		 HEAD "g (%s[%d,%d,%d,%d] x, %s[%d,%d,%d,%d] w, %s[%d] b) => "
		      "(%s y) {\n y = Conv <strides = [%d,%d], dilations = "
		      "[%d,%d], group = %d, pads = [%d,%d,%d,%d]> (x, w, b)\n}",
		 type, s->n, s->c, s->h, s->w, type, s->m, s->c / s->group,
		 s->kh, s->kw, type, s->m, type, s->sh, s->sw, s->dh, s->dw,
		 s->group, s->pads[0], s->pads[1], s->pads[2], s->pads[3]);
}

Test(conv, float_shapes_agree)
{
	char t[1024];

	for (size_t i = 0; i < countof(shapes); i++) {
		conv_text(t, sizeof t, &shapes[i], "float");
		run_agrees(t, 1e-4, 1e-4);
	}
	conv_text(t, sizeof t, &shapes[0], "double");
	run_agrees(t, 0, 0);
	conv_text(t, sizeof t, &shapes[4], "float16");
	run_agrees(t, 0, 0);
}

Test(conv, other_ranks_and_automatic_padding_agree)
{
	static const char *const text[] = {
		HEAD "g (float[2,3,50] x, float[5,3,4] w) => (float y) {"
		     "y = Conv <auto_pad = \"SAME_LOWER\", strides = [3]> "
		     "(x, w) }",
		HEAD "g (float[1,2,5,9,8] x, float[4,2,3,3,3] w, float[4] b) "
		     "=> (float y) { y = Conv <auto_pad = \"SAME_UPPER\", "
		     "strides = [2,1,2]> (x, w, b) }",
		HEAD "g (float[1,2,5,9,8] x, float[2,1,2,3,3] w, float[2] b) "
		     "=> (float y) { y = Conv <group = 2> (x, w, b) }",
		HEAD "g (float[1,2,3,4,3,4] x, float[3,2,2,2,2,2] w) => "
		     "(float y) { y = Conv (x, w) }",
		HEAD "g (float[1,1,6,6] x, float[2,1,3,3] w) => (float y) {"
		     "y = Conv <auto_pad = \"VALID\"> (x, w) }",
	};

	for (size_t i = 0; i < countof(text); i++)
		run_agrees(text[i], 1e-4, 1e-5);
}

Test(conv, transposed_shapes_agree)
{
	static const char *const text[] = {
		HEAD "g (float[1,4,7,6] x, float[4,5,3,3] w, float[5] b) => "
		     "(float y) { y = ConvTranspose <strides = [2,2], pads = "
		     "[1,1,1,1], output_padding = [1,1]> (x, w, b) }",
		HEAD "g (float[2,6,5,5] x, float[6,3,2,4] w) => (float y) {"
		     "y = ConvTranspose <group = 3, dilations = [2,1], strides "
		     "= [1,3]> (x, w) }",
		HEAD "g (float[1,3,9] x, float[3,2,4] w) => (float y) {"
		     "y = ConvTranspose <strides = [3], output_shape = [27]> "
		     "(x, w) }",
		HEAD "g (float[1,2,3,4,5] x, float[2,3,2,2,2] w) => (float y) "
		     "{ y = ConvTranspose <strides = [2,2,2], auto_pad = "
		     "\"SAME_UPPER\"> (x, w) }",
	};

	for (size_t i = 0; i < countof(text); i++)
		run_agrees(text[i], 1e-4, 1e-5);
}

Test(conv, quantized_shapes_are_exact)
{
	static const char *const types[][2] = {
		{"uint8", "int8"},
		{"uint8", "uint8"},
		{"int8", "int8"},
	};
	char t[1024];

	for (size_t i = 0; i < countof(shapes); i++) {
		const struct shape *s = &shapes[i];
		const char *a = types[i % 3][0], *w = types[i % 3][1];

		snprintf(t, sizeof t,
			 HEAD "g (%s[%d,%d,%d,%d] x, float s1, %s zx, "
			      "%s[%d,%d,%d,%d] w, float[%d] s2, %s[%d] zw, "
			      "float s3, %s zy, int32[%d] b) => (%s y) {\n"
			      " y = QLinearConv <strides = [%d,%d], dilations "
			      "= [%d,%d], group = %d, pads = [%d,%d,%d,%d]> "
			      "(x, s1, zx, w, s2, zw, s3, zy, b)\n}",
			 a, s->n, s->c, s->h, s->w, a, w, s->m, s->c / s->group,
			 s->kh, s->kw, s->m, w, s->m, a, s->m, a, s->sh, s->sw,
			 s->dh, s->dw, s->group, s->pads[0], s->pads[1],
			 s->pads[2], s->pads[3]);
		run_agrees(t, 0, 0);
		snprintf(t, sizeof t,
			 HEAD "g (%s[%d,%d,%d,%d] x, %s[%d,%d,%d,%d] w, %s zx)"
			      " => (int32 y) {\n y = ConvInteger <strides = "
			      "[%d,%d], dilations = [%d,%d], group = %d, pads "
			      "= [%d,%d,%d,%d]> (x, w, zx)\n}",
			 a, s->n, s->c, s->h, s->w, w, s->m, s->c / s->group,
			 s->kh, s->kw, a, s->sh, s->sw, s->dh, s->dw, s->group,
			 s->pads[0], s->pads[1], s->pads[2], s->pads[3]);
		run_agrees(t, 0, 0);
	}
}

Test(conv, impossible_attributes_are_refused)
{
	static const char *const attrs[] = {
		"strides = [0,1]",
		"strides = [-1,1]",
		"strides = [1]",
		"dilations = [0,1]",
		"dilations = [1099511627776,1]",
		"dilations = [1000000000,1000000000]",
		"pads = [-1,0,0,0]",
		"pads = [0,0,0]",
		"pads = [9223372036854775807,0,0,0]",
		"group = 0",
		"group = -1",
		"group = 2",
		"group = 4611686018427387904",
		"kernel_shape = [3,2]",
		"auto_pad = \"SAME\"",
	};
	char t[512];

	for (size_t i = 0; i < countof(attrs); i++) {
		snprintf(t, sizeof t,
			 HEAD "g (float[1,3,5,5] x, float[4,3,3,3] w) => "
			      "(float y) { y = Conv <%s> (x, w) }",
			 attrs[i]);
		run_refuses(t);
	}
	run_refuses(HEAD "g (float[1,3,2,2] x, float[4,3,3,3] w) => (float y)"
			 "{ y = Conv (x, w) }");
	run_refuses(HEAD "g (float[1,3,5,5] x, float[4,2,3,3] w) => (float y)"
			 "{ y = Conv (x, w) }");
	run_refuses(HEAD "g (float[1,3,5,5] x, float[4,3,3,3] w, float[3] b) "
			 "=> (float y) { y = Conv (x, w, b) }");
}

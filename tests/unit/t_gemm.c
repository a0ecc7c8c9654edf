/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "runtime/kernels/matmul/gemm_p.h"
#include "tests/unit/kernel_run.h"

#define HEAD "<ir_version: 8, opset_import: [\"\" : 21]>\n"

/* One element by the definition: a single chain in order of k. */
static float chain(const float *a, const float *b, int64_t n, int64_t k,
		   float s)
{
	for (int64_t p = 0; p < k; p++)
		s = __builtin_fmaf(a[p], b[p * n], s);
	return s;
}

Test(gemm, is_one_chain_per_element_at_every_level)
{
	static const int shape[][3] = {
		{1, 1, 1},    {1, 64, 7},   {1, 130, 400}, {2, 17, 5},
		{5, 16, 321}, {6, 15, 320}, {12, 32, 640}, {13, 33, 65},
		{97, 100, 3}, {7, 95, 330}, {3, 5, 0},
	};

	for (size_t s = 0; s < countof(shape); s++) {
		int64_t m = shape[s][0], n = shape[s][1], k = shape[s][2];
		float *a = xcalloc((size_t)(m * k) + 1, sizeof *a);
		float *b = xcalloc((size_t)(k * n) + 1, sizeof *b);
		float *c = xcalloc((size_t)(m * n), sizeof *c), *pb;
		struct rng r = rng_make(s, 1);
		size_t size;

		cr_assert(gemm_b_size(k, n, &size));
		pb = xcalloc(size + 1, sizeof *pb);
		for (int64_t i = 0; i < m * k; i++)
			a[i] = (float)rng_normal(&r);
		for (int64_t i = 0; i < k * n; i++)
			b[i] = (float)rng_normal(&r);
		gemm_pack_b(pb, b, n, 1, k, n);
		for (int l = CPU_PORTABLE; l <= CPU_AVX512; l++) {
			struct gemm g = {
				.m = m,
				.n = n,
				.k = k,
				.a = a,
				.ars = k,
				.acs = 1,
				.alpha = 1,
				.b = pb,
				.c = c,
				.ldc = n,
				.batch = 1,
			};

			cpu_set_level((enum cpu_level)l);
			gemm_run(&g);
			for (int64_t i = 0; i < m * n; i++)
				cr_assert_eq(c[i],
					     chain(a + i / n * k, b + i % n, n,
						   k, 0),
					     "%d x %d x %d at %d", (int)m,
					     (int)n, (int)k, (int)i);
		}
		cpu_set_level(CPU_AVX512);
		free(a);
		free(b);
		free(c);
		free(pb);
	}
}

Test(gemm, operator_forms_agree)
{
	static const char *const attrs[] = {
		"transA = 0",
		"transB = 1",
		"transA = 1",
		"transA = 1, transB = 1, alpha = 0.5, beta = 2.0",
		"alpha = 2.0, beta = 0.0",
	};
	static const char *const bias[] = {"9,21", "21", "1,21", "9,1", "1"};
	char t[512];

	for (size_t i = 0; i < countof(attrs); i++)
		for (size_t j = 0; j < countof(bias); j++) {
			bool ta = strstr(attrs[i], "transA = 1") != NULL;
			bool tb = strstr(attrs[i], "transB = 1") != NULL;

			snprintf(t, sizeof t,
				 HEAD "g (float[%s] a, float[%s] b, float[%s] "
				      "c) => (float y) { y = Gemm <%s> "
				      "(a, b, c) }",
				 ta ? "33,9" : "9,33", tb ? "21,33" : "33,21",
				 bias[j], attrs[i]);
			run_agrees(t, 1e-4, 1e-4);
		}
	run_agrees(HEAD "g (int32[4,5] a, int32[5,6] b, int32[6] c) => "
			"(int32 y) { y = Gemm (a, b, c) }",
		   0, 0);
}

Test(gemm, matmul_broadcasts_like_numpy)
{
	static const char *const shape[][2] = {
		{"5", "5"},           {"5", "5,7"},
		{"4,5", "5"},         {"2,3,4,5", "5,6"},
		{"2,1,4,5", "3,5,6"}, {"3,5", "2,4,5,6"},
		{"1,70", "70,100"},   {"2,3,17,19", "2,3,19,40"},
		{"0,5", "5,3"},       {"3,0", "0,4"},
	};
	char t[512];

	for (size_t i = 0; i < countof(shape); i++) {
		snprintf(t, sizeof t,
			 HEAD "g (float[%s] a, float[%s] b) => (float y) {"
			      "y = MatMul (a, b) }",
			 shape[i][0], shape[i][1]);
		run_agrees(t, 1e-4, 1e-4);
		snprintf(t, sizeof t,
			 HEAD "g (int64[%s] a, int64[%s] b) => (int64 y) {"
			      "y = MatMul (a, b) }",
			 shape[i][0], shape[i][1]);
		run_agrees(t, 0, 0);
		snprintf(t, sizeof t,
			 HEAD "g (uint8[%s] a, int8[%s] b, uint8 za, int8 zb) "
			      "=> (int32 y) { y = MatMulInteger (a, b, za, zb) "
			      "}",
			 shape[i][0], shape[i][1]);
		run_agrees(t, 0, 0);
	}
}

Test(gemm, quantized_products_are_exact)
{
	static const int shape[][3] = {
		{1, 1, 1},
		{7, 33, 5},
		{100, 300, 40},
		{13, 17, 1100},
	};
	char t[512];

	for (size_t i = 0; i < countof(shape); i++) {
		int m = shape[i][0], n = shape[i][1], k = shape[i][2];

		snprintf(t, sizeof t,
			 HEAD "g (uint8[%d,%d] a, float s1, uint8 za, "
			      "int8[%d,%d] b, float[%d] s2, int8[%d] zb, "
			      "float s3, uint8 zy) => (uint8 y) {"
			      "y = QLinearMatMul (a, s1, za, b, s2, zb, s3, zy)"
			      "}",
			 m, k, k, n, n, n);
		run_agrees(t, 0, 0);
		snprintf(t, sizeof t,
			 HEAD "g (int8[%d,%d] a, int8[%d,%d] b, int8[%d] za) "
			      "=> (int32 y) { y = MatMulInteger (a, b, za) }",
			 m, k, k, n, m);
		run_agrees(t, 0, 0);
	}
}

Test(gemm, einsum_agrees)
{
	static const char *const text[][3] = {
		{"ij,jk->ik", "7,9", "9,11"},
		{"bhid,bhjd->bhij", "2,3,5,7", "2,3,4,7"},
		{"ij,kj", "3,4", "5,4"},
		{"...ij,...jk->...ik", "2,1,3,4", "5,4,6"},
		{"iij,jk->ki", "3,3,4", "4,2"},
		{"ab,cd->bdca", "2,3", "4,5"},
		{"ij,ij->", "6,7", "6,7"},
		{"abc,c->b", "2,3,4", "4"},
		{"ij,jk->ik", "0,9", "9,11"},
		{"ij,jk->ik", "3,0", "0,2"},
	};
	char t[512];

	for (size_t i = 0; i < countof(text); i++) {
		snprintf(t, sizeof t,
			 HEAD "g (float[%s] a, float[%s] b) => (float y) {"
			      "y = Einsum <equation = \"%s\"> (a, b) }",
			 text[i][1], text[i][2], text[i][0]);
		run_agrees(t, 1e-4, 1e-5);
	}
	run_agrees(HEAD "g (int32[4,4] a) => (int32 y) {"
			"y = Einsum <equation = \"ii\"> (a) }",
		   0, 0);
}

Test(gemm, impossible_equations_are_refused)
{
	static const char *const eq[] = {
		"ij,jk->iz", "ij",     "ijk,jk->i",  "ij,jk->ii",
		"i-,j",      "ij,jk-", "ij,kl,",     "i1,jk",
		"......,jk", "",       "ij,jk->ik,",
	};
	char t[512];

	for (size_t i = 0; i < countof(eq); i++) {
		snprintf(t, sizeof t,
			 HEAD "g (float[2,3] a, float[3,4] b) => (float y) {"
			      "y = Einsum <equation = \"%s\"> (a, b) }",
			 eq[i]);
		run_refuses(t);
	}
}

Test(gemm, wrong_shapes_are_refused)
{
	run_refuses(HEAD "g (float[2,3] a, float[4,5] b) => (float y) {"
			 "y = MatMul (a, b) }");
	run_refuses(HEAD "g (float[2,2,3] a, float[3,3,5] b) => (float y) {"
			 "y = MatMul (a, b) }");
	run_refuses(HEAD "g (float a, float[3] b) => (float y) {"
			 "y = MatMul (a, b) }");
	run_refuses(HEAD "g (float[2,3] a, float[3,4] b, float[3] c) => "
			 "(float y) { y = Gemm (a, b, c) }");
	run_refuses(HEAD "g (uint8[2,3] a, uint8[3,4] b, uint8[3] z) => "
			 "(int32 y) { y = MatMulInteger (a, b, z) }");
}

/* SPDX-License-Identifier: MIT */
#include <math.h>
#include "runtime/kernels/signal/fft_p.h"
#include "runtime/mathd.h"
#include "tests/unit/kernel_show.h"

#define F "float"

Test(signal, transforms)
{
	static const struct show_case cases[] = {
		/* constant, alternating and single-bin signals */
		{20, F, "float[1,4,1] x = {1,1,1,1}", "y = DFT(x)",
		 "1x4x2: 4 0 0 0 0 0 0 0"},
		{17, F, "float[1,4,1] x = {1,-1,1,-1}",
		 "y = DFT<onesided = 1>(x)", "1x3x2: 0 0 0 0 4 0"},
		{20, F, "float[1,4,2] x = {0,0,4,0,0,0,0,0}",
		 "y = DFT<inverse = 1>(x)", "1x4x2: 1 0 0 1 -1 0 0 -1"},
		/* half a spectrum back; its ends lose their imaginary part */
		{20, F, "float[1,3,2] x = {4,9,0,0,4,9}",
		 "y = DFT<inverse = 1, onesided = 1>(x)", "1x4x1: 2 0 2 0"},
		{20, F, "float[1,3,2] x = {3,0,0,0,0,0}, int64 n = {3}",
		 "y = DFT<inverse = 1, onesided = 1>(x, n)", "1x3x1: 1 1 1"},
		/* cut, padded; the first axis */
		{20, F, "float[1,3,1] x = {1,2,3}, int32 n = {2}",
		 "y = DFT(x, n)", "1x2x2: 3 0 -1 0"},
		{20, F, "float[1,1,1] x = {5}, int64[1] n = {3}",
		 "y = DFT(x, n)", "1x3x2: 5 0 5 0 5 0"},
		{20, F, "float[2,2,1] x = {1,2,3,5}, int64 a = {0}",
		 "y = DFT(x, , a)", "2x2x2: 4 0 7 0 -2 0 -3 0"},
		{17, F, "float[2,2,1] x = {1,2,3,5}", "y = DFT<axis = -3>(x)",
		 "2x2x2: 4 0 7 0 -2 0 -3 0"},
		{20, F, "float[0,2,1] x = {}", "y = DFT(x)", "0x2x2:"},
		{20, "float16", "float[1,2,1] f = {1,2}",
		 "x = Cast<to = 10>(f) y = DFT(x)", "1x2x2: 3 0 -1 0"},
		/* a prime of 37: a convolution */
		{20, F, "float[1,1,1] x = {2}, int64 n = {37}",
		 "f = DFT(x, n) y = ReduceMax<keepdims = 0>(f)", ": 2"},
		/* refused */
		{20, F, "float[1,4,1] x = {1,1,1,1}, int64 a = {2}",
		 "y = DFT(x, , a)", "E-value"},
		{20, F, "float[1,4,1] x = {1,1,1,1}, int64 a = {-4}",
		 "y = DFT(x, , a)", "E-value"},
		{20, F, "float[1,4,3] x = {1,1,1,1,1,1,1,1,1,1,1,1}",
		 "y = DFT(x)", "E-shape"},
		{20, F, "float[4] x = {1,1,1,1}", "y = DFT(x)", "E-shape"},
		{20, F, "float[1,2,2] x = {1,1,1,1}",
		 "y = DFT<onesided = 1>(x)", "E-shape"},
		{20, F, "float[1,2,1] x = {1,1}",
		 "y = DFT<onesided = 1, inverse = 1>(x)", "E-shape"},
		{20, F, "float[1,1,2] x = {1,1}",
		 "y = DFT<onesided = 1, inverse = 1>(x)", "E-value"},
		{20, F, "float[1,2,1] x = {1,1}, int64 n = {0}",
		 "y = DFT(x, n)", "E-value"},
		{20, F, "float[1,2,1] x = {1,1}, int64 n = {-9}",
		 "y = DFT(x, n)", "E-value"},
		{20, F,
		 "float[1,2,1] x = {1,1}, int64 n = {9223372036854775807}",
		 "y = DFT(x, n)", "E-dims"},
		{20, F, "float[1,2,1] x = {1,1}, int64 n = {1000000000000}",
		 "y = DFT(x, n)", "E-memory"},
	};

	show_cases(cases, countof(cases));
}

Test(signal, short_time)
{
	static const struct show_case cases[] = {
		{17, F,
		 "float[1,4,1] x = {1,2,3,5}, int64 s = {2}, int64 n = {2}",
		 "y = STFT(x, s, , n)", "1x2x2x2: 3 0 -1 0 8 0 -2 0"},
		{17, F,
		 "float[1,4] x = {1,2,3,5}, int64 s = {2}, float[2] w = {1,0}",
		 "y = STFT<onesided = 0>(x, s, w)", "1x2x2x2: 1 0 1 0 3 0 3 0"},
		{17, F, "float[1,2,2] x = {1,1,2,1}, int64 s = {1}",
		 "y = STFT<onesided = 0>(x, s)", "1x1x2x2: 3 2 -1 0"},
		{17, F,
		 "float[1,4,1] x = {1,2,3,5}, int64 s = {0}, int64 n = {2}",
		 "y = STFT(x, s, , n)", "E-value"},
		{17, F,
		 "float[1,4,1] x = {1,2,3,5}, int64 s = {1}, int64 n = {5}",
		 "y = STFT(x, s, , n)", "E-value"},
		{17, F,
		 "float[1,4,1] x = {1,2,3,5}, int64 s = {1}, int64 n = {2}, "
		 "float[3] w = {1,1,1}",
		 "y = STFT(x, s, w, n)", "E-shape"},
		{17, F,
		 "float[1,4,1] x = {1,2,3,5}, int64 s = {1}, double[2] w = "
		 "{1,1}",
		 "y = STFT(x, s, w)", "E-shape"},
		{17, F, "float[4] x = {1,2,3,5}, int64 s = {1}",
		 "y = STFT(x, s)", "E-shape"},
	};

	show_cases(cases, countof(cases));
}

Test(signal, windows_and_mel)
{
	static const struct show_case cases[] = {
		{17, F, "int64 n = {4}", "y = HannWindow(n)", "4: 0 0.5 1 0.5"},
		{17, F, "int64 n = {3}", "y = HannWindow<periodic = 0>(n)",
		 "3: 0 1 0"},
		{17, F, "int64 n = {1}", "y = HannWindow<periodic = 0>(n)",
		 "1: 1"},
		{17, F, "int32 n = {0}", "y = HannWindow(n)", "0:"},
		{17, F, "int64 n = {2}", "y = HammingWindow(n)",
		 "2: 0.086957 1"},
		{17, "int8", "int64 n = {4}",
		 "y = BlackmanWindow<output_datatype = 3>(n)", "4: 0 0 1 0"},
		{17, F, "int64 n = {-1}", "y = HannWindow(n)", "E-value"},
		{17, F, "int64 n = {4}",
		 "y = HannWindow<output_datatype = 8>(n)", "E-attr"},
		{17, F, "int64 n = {4}",
		 "y = HannWindow<output_datatype = 99>(n)", "E-attr"},
		{17, F, "int64 n = {4611686018427387904}", "y = HannWindow(n)",
		 "E-dims"},
		{17, F,
		 "int64 b = {1}, int64 n = {4}, int64 r = {8}, float l = {0}, "
		 "float u = {4}",
		 "y = MelWeightMatrix(b, n, r, l, u)", "3x1: 1 0 0"},
		{17, F,
		 "int64 b = {2}, int64 n = {4}, int64 r = {8}, float l = {0}, "
		 "float u = {400}",
		 "y = MelWeightMatrix(b, n, r, l, u)", "E-value"},
		{17, F,
		 "int64 b = {2}, int64 n = {4}, int64 r = {8}, float l = "
		 "{-800}, "
		 "float u = {4}",
		 "y = MelWeightMatrix(b, n, r, l, u)", "E-value"},
		{17, F,
		 "int64 b = {9223372036854775807}, int64 n = {4}, int64 r = "
		 "{8}, "
		 "float l = {0}, float u = {4}",
		 "y = MelWeightMatrix(b, n, r, l, u)", "E-value"},
		{17, F,
		 "int64 b = {2}, int64 n = {4}, int64 r = {0}, float l = {0}, "
		 "float u = {4}",
		 "y = MelWeightMatrix(b, n, r, l, u)", "E-value"},
	};

	show_cases(cases, countof(cases));
}

/* Every length up to 150 against the definition. */
Test(signal, lengths)
{
	static const char text[] =
		"<ir_version: 10, opset_import: [\"\" : 20]> "
		"g (double[1,%d,2] x) => (double y) { y = DFT(x) }";
	char t[256];

	for (int n = 1; n <= 150; n++) {
		struct rng r = rng_make(7, 0);
		double x[300], worst = 0;
		struct run_result res;

		for (int i = 0; i < 2 * n; i++)
			x[i] = rng_normal(&r);
		snprintf(t, sizeof t, text, n);
		res = run_text(t, EXEC_FAST, CPU_AVX512);
		cr_assert_eq(res.status, OK);
		for (int k = 0; k < n; k++) {
			const double *y = (double *)res.out[0]->data + 2 * k;
			double re = 0, im = 0, c, s;

			for (int j = 0; j < n; j++) {
				fft_root((int64_t)j * k % n, n, &c, &s);
				re += x[2 * j] * c - x[2 * j + 1] * s;
				im += x[2 * j] * s + x[2 * j + 1] * c;
			}
			worst = fmax(worst, fabs(re - y[0]));
			worst = fmax(worst, fabs(im - y[1]));
		}
		cr_assert_lt(worst, 1e-12, "length %d: %g", n, worst);
		run_release(&res);
	}
}

Test(signal, roots)
{
	for (int64_t n = 1; n < 40; n++)
		for (int64_t k = 0; k < n; k++) {
			double a =
				2 * 3.14159265358979324 * (double)k / (double)n;
			double re, im;

			fft_root(k, n, &re, &im);
			cr_assert_lt(fabs(re - md_cos(a)), 2e-15);
			cr_assert_lt(fabs(im + md_sin(a)), 2e-15);
		}
}

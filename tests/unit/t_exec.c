/* SPDX-License-Identifier: MIT */
/*
 * t_exec.c -- the executor on small models: kernels of both sets, captures,
 * loops, functions, planned memory, limits and refusals.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/runtime.h"

struct fixture {
	struct diag d;
	struct model *m;
	struct exec *e;
};

static void load(struct fixture *f, const char *text)
{
	diag_init(&f->d, NULL);
	f->m = model_parse(&f->d, "test", (struct str){text, strlen(text)});
	cr_assert(f->m, "%s", f->d.last.p);
	cr_assert_eq(model_infer(f->m), OK, "%s", f->d.last.p);
	f->e = NULL;
}

static void unload(struct fixture *f)
{
	exec_free(f->e);
	model_free(f->m);
	diag_release(&f->d);
}

static struct array *floats(struct diag *d, int rank, const int64_t *dim,
			    const float *v)
{
	struct array *a = array_create(d, DT_F32, rank, dim);

	if (a->n)
		memcpy(a->data, v, a->bytes);
	return a;
}

/* Runs on one float vector; the result's elements, n of them. */
static struct array *run1(struct fixture *f, enum exec_set set, int64_t n,
			  const float *v)
{
	struct exec_opts o = {.set = set};
	struct array *in = floats(&f->d, 1, &n, v), *out = NULL;

	exec_free(f->e);
	f->e = exec_create(f->m, &o);
	cr_assert(f->e, "%s", f->d.last.p);
	exec_run(f->e, &in, &out);
	array_unref(in);
	return out;
}

static void expect(const struct array *a, int64_t n, const float *want)
{
	cr_assert(a);
	cr_assert_eq(a->n, n);
	for (int64_t i = 0; i < n; i++)
		cr_assert_float_eq(((const float *)a->data)[i], want[i], 1e-5f);
}

#define HEAD "<ir_version: 8, opset_import: [\"\" : 17]>\n"

Test(exec, both_sets_compute)
{
	static const char *const bodies[] = {
		"y = Add(x, x)",
		"t = Relu(x) y = Add(t, x)",
		"t = Neg(x) u = Abs(t) y = Sub(u, x)",
	};
	static const float want[][3] = {{2, -4, 6}, {2, -2, 6}, {0, 4, 0}};
	static const float v[] = {1, -2, 3};

	for (size_t i = 0; i < countof(bodies); i++)
		for (int set = 0; set < 2; set++) {
			struct fixture f;
			struct array *y;
			char text[300];

			snprintf(text, sizeof text,
				 HEAD "g (float[3] x) => (float[3] y) { %s }",
				 bodies[i]);
			load(&f, text);
			y = run1(&f, set ? EXEC_REFERENCE : EXEC_FAST, 3, v);
			expect(y, 3, want[i]);
			array_unref(y);
			unload(&f);
		}
}

Test(exec, loop_carries_state_and_captures)
{
	struct fixture f;
	struct array *y;
	static const float v[] = {1, 2}, want[] = {4, 8};

	load(&f, HEAD "g (float[2] x) => (float[2] y)\n"
		      "<int64 n = {3}, bool c = {1}> {\n"
		      " y = Loop <body = b (int64 i, bool k, float[2] s)\n"
		      "  => (bool k2, float[2] s2)\n"
		      "  { k2 = Identity(k) s2 = Add(s, x) }> (n, c, x)\n"
		      "}");
	y = run1(&f, EXEC_FAST, 2, v);
	expect(y, 2, want);
	array_unref(y);
	unload(&f);
}

Test(exec, functions_bind_attributes)
{
	struct fixture f;
	struct array *y;
	static const float v[] = {-1, 2}, want[] = {-0.5f, 2};

	load(&f,
	     "<ir_version: 8, opset_import: [\"\" : 17, \"f\" : 1]>\n"
	     "g (float[2] x) => (float[2] y) { y = f.act <slope = 0.5> (x) }\n"
	     "<domain: \"f\", opset_import: [\"\" : 17]>\n"
	     "act <slope> (a) => (b) { b = LeakyRelu <alpha: float = @slope> "
	     "(a) }");
	y = run1(&f, EXEC_FAST, 2, v);
	expect(y, 2, want);
	array_unref(y);
	unload(&f);
}

Test(exec, results_outlive_the_executor)
{
	struct fixture f;
	struct array *y;
	static const float v[] = {1, -2, 3, 4}, want[] = {1, 0, 3, 4};

	load(&f, HEAD "g (float[4] x) => (float[4] y)\n"
		      "{ a = Relu(x) s = Shape(x) y = Reshape(a, s) }");
	y = run1(&f, EXEC_FAST, 4, v);
	exec_free(f.e);
	f.e = NULL;
	expect(y, 4, want);
	array_unref(y);
	unload(&f);
}

/* A chain of n nodes needs two buffers, and in place one. */
Test(exec, plan_reaches_the_bound)
{
	struct fixture f;
	struct exec_opts o = {0};
	struct plan_stats s;

	load(&f, HEAD "g (float[256] x) => (float[128] y) <int64[1] z = {0},"
		      " int64[1] h = {128}> {\n"
		      " a = Relu(x) b = Softmax(a) c = Relu(b) d = Softmax(c)\n"
		      " y = Slice(d, z, h)\n}");
	f.e = exec_create(f.m, &o);
	cr_assert(f.e, "%s", f.d.last.p);
	exec_plan_stats(f.e, &s);
	cr_assert_eq(s.planned, s.bound);
	cr_assert_lt(s.planned, s.naive);
	unload(&f);
}

Test(exec, refusals_have_codes)
{
	static const struct {
		const char *body;
		enum diag_code code;
	} bad[] = {
		{"i = Cast <to = 7> (x) z = Sub(i, i) q = Div(i, z)"
		 " y = Cast <to = 1> (q)",
		 E_value},
		{"n = ArgMax(x) u = Add(n, n) y = Gather(x, u)", E_value},
		{"s = Shape(x) t = Mul(s, s) y = Expand(x, t)", E_shape},
	};
	static const float v[] = {1, 2, 5};

	for (size_t i = 0; i < countof(bad); i++) {
		struct fixture f;
		char text[400];

		snprintf(text, sizeof text,
			 HEAD "g (float[N] x) => (float[M] y) { %s }",
			 bad[i].body);
		load(&f, text);
		cr_assert_null(run1(&f, EXEC_FAST, 3, v), "%s", bad[i].body);
		cr_assert_eq(f.d.first, bad[i].code, "%s: %s", bad[i].body,
			     f.d.last.p);
		unload(&f);
	}
}

/* A weight that is not aligned in its file is copied when asked for, and made
 * anew after it was given back. */
Test(exec, late_weights)
{
	enum { N = 1 << 14 };
	static char bytes[1 + N * sizeof(float)];
	const int64_t dim = N;
	char path[] = "/tmp/pare-late-XXXXXX";
	const struct tensor *t;
	struct array *a, *now;
	struct fixture f;
	struct blob *b;
	float v;

	load(&f, "<ir_version: 8, opset_import: [\"\" : 18]>\n"
		 "g (float[1] x) => (float[1] y) { y = Neg (x) }");
	for (int i = 0; i < N; i++) {
		v = (float)i;
		memcpy(bytes + 1 + (size_t)i * sizeof v, &v, sizeof v);
	}
	close(mkstemp(path));
	cr_assert_eq(file_write_all(&f.d, path, bytes, sizeof bytes, false),
		     OK);
	cr_assert_eq(file_map(&f.d, path, &b), OK);
	t = tensor_of_blob(f.m, DT_F32, 1, &dim, b, 1);
	now = array_of_tensor(f.m, t);
	a = array_of_tensor_late(f.m, t);
	cr_assert_null(a->data);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(array_load(f.m, a), OK);
		cr_assert_arr_eq(a->data, now->data, now->bytes);
		array_unload(a);
		cr_assert_null(a->data);
	}
	a->pinned = true;
	cr_assert_eq(array_load(f.m, a), OK);
	array_unload(a);
	cr_assert_arr_eq(a->data, bytes + 1, now->bytes);
	array_unref(a);
	array_unref(now);
	blob_unref(b);
	unlink(path);
	unload(&f);
}

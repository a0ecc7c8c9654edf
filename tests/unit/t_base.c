/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "base/diag.h"
#include "base/intern.h"
#include "base/io.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "base/vec.h"

static struct str S(const char *s) {
	return (struct str){s, strlen(s)};
}

Test(base, strings)
{
	cr_assert(str_eq((struct str){NULL, 0}, S("")));
	cr_assert(str_is(S("ab"), "ab") && !str_is(S("ab"), "abc"));
	cr_assert(str_cmp(S("a"), S("ab")) < 0);
	cr_assert(str_cmp(S("b"), S("ab")) > 0);
	cr_assert(str_cmp((struct str){"a\0b", 3}, (struct str){"a\0b", 3}) ==
		  0);
}

Test(base, arena)
{
	struct arena a;
	size_t i, k;

	arena_init(&a);
	for (i = 0; i < 5000; i++) {
		unsigned char *p = arena_alloc(&a, i);

		cr_assert_eq((uintptr_t)p % 16, 0);
		for (k = 0; k < i; k++)
			cr_assert_eq(p[k], 0);
		memset(p, 0xff, i);
	}
	cr_assert_str_eq(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	cr_assert_eq(arena_str(&a, S("abc")).p[3], '\0');
	cr_assert_eq(memcmp(arena_dup(&a, "abc", 3), "abc", 3), 0);
	cr_assert_null(arena_try(&a, SIZE_MAX));
	cr_assert_null(arena_try(&a, SIZE_MAX / 2));
	cr_assert_eq(limit_memory_used(), a.total);
	limit_set(a.total + 1000, 0);
	cr_assert_null(arena_try(&a, 4 << 20));
	limit_set(0, 0);
	cr_assert_not_null(arena_try(&a, 4 << 20));
	arena_release(&a);
	cr_assert_eq(limit_memory_used(), 0);
}

Test(base, intern)
{
	struct intern *t = intern_create();
	char name[32];
	unsigned i;

	for (i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		cr_assert_eq(intern_find(t, S(name)), 0);
		cr_assert_eq(intern_cstr(t, name), i + 1);
		cr_assert_eq(intern_cstr(t, name), i + 1);
	}
	cr_assert_eq(intern_find(t, S("n17")), 18);
	cr_assert_str_eq(intern_text(t, 18), "n17");
	cr_assert_str_eq(intern_text(t, 0), "");
	cr_assert_null(intern_get(t, 0).p);
	cr_assert_neq(intern_str(t, (struct str){"a\0b", 3}),
		      intern_cstr(t, "a"));
	cr_assert_neq(intern_cstr(t, ""), 0);
	cr_assert_eq(intern_get(t, intern_cstr(t, "")).n, 0);
	intern_free(t);
}

Test(base, map)
{
	struct map m = {0};
	uint64_t i;

	cr_assert_null(map_get(&m, 5));
	for (i = 0; i < 50000; i++)
		cr_assert(map_put(&m, i * 4096, i));
	for (i = 0; i < 50000; i++)
		cr_assert_eq(*map_get(&m, i * 4096), i);
	cr_assert_null(map_get(&m, 1));
	cr_assert(!map_put(&m, 0, 99));
	cr_assert_eq(*map_get(&m, 0), 99);
	cr_assert_eq(m.n, 50000);
	for (i = 1; i < m.n; i++)
		cr_assert_eq(m.e[i].key, i * 4096);
	cr_assert(map_put_ptr(&m, 1, &m));
	cr_assert_eq(map_get_ptr(&m, 1), &m);
	map_clear(&m);
	cr_assert_null(map_get(&m, 0));
	cr_assert(map_put(&m, 0, 1) && m.n == 1);
	map_release(&m);
}

Test(base, vec)
{
	VEC(int) v = {0};
	int i;

	for (i = 0; i < 1000; i++)
		vec_push(&v, i);
	cr_assert_eq(v.n, 1000);
	cr_assert_eq(v.p[999], 999);
	cr_assert_eq(vec_pop(&v), 999);
	vec_release(&v);
	cr_assert_null(v.p);
}

Test(base, buf)
{
	struct buf b = {0};

	buf_printf(&b, "%s-%05d", "x", 42);
	buf_putc(&b, '!');
	cr_assert_str_eq(b.p, "x-00042!");
	buf_le(&b, 0x04030201, 3);
	cr_assert_eq(memcmp(b.p + 8, "\1\2\3", 4), 0);
	buf_pad(&b, 8);
	cr_assert_eq(b.n, 16);
	buf_pad(&b, 8);
	cr_assert_eq(b.n, 16);
	buf_release(&b);
}

Test(base, escaping)
{
	static const struct {
		struct str in;
		const char *escaped, *json;
	} row[] = {
		{{"plain", 5}, "plain", "\"plain\""},
		{{"a\"\\b", 4}, "a\\\"\\\\b", "\"a\\\"\\\\b\""},
		{{"\033[31m\n", 6}, "\\u001b[31m\\n", "\"\\u001b[31m\\u000a\""},
		{{"a\0b", 3}, "a\\u0000b", "\"a\\u0000b\""},
		{{"\xff\xc3", 2}, "\\xff\\xc3", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{{"\xc3\xa4", 2}, "\xc3\xa4", "\"\xc3\xa4\""},
		{{"\xed\xa0\x80", 3},
		 "\\xed\\xa0\\x80",
		 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{{"\xe2\x80\xae", 3}, "\\u202e", "\"\xe2\x80\xae\""},
		{{"\xc0\x80", 2}, "\\xc0\\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	size_t i;

	for (i = 0; i < countof(row); i++) {
		struct buf b = {0};

		buf_escaped(&b, row[i].in);
		cr_assert_str_eq(b.p, row[i].escaped);
		b.n = 0;
		buf_json(&b, row[i].in);
		cr_assert_str_eq(b.p, row[i].json);
		buf_release(&b);
	}
	cr_assert(utf8_valid(S("\xf0\x9f\x98\x80")));
	cr_assert(!utf8_valid(S("\xf4\x90\x80\x80")));
}

static char *render(struct diag *d, void (*fn)(struct diag *d))
{
	char *text = NULL;
	size_t n = 0;

	d->out = open_memstream(&text, &n);
	fn(d);
	fclose(d->out);
	d->out = NULL;
	return text;
}

static void say_things(struct diag *d)
{
	struct at at = {.graph = "main/if_3.then",
			.node = S("conv_17"),
			.op = S("Conv"),
			.slot = S("input 1 'w'")};
	struct at bad = {.file = "x.onnx", .node = S("a\n::set-output b")};

	d->file = "m.onnx";
	cr_assert_eq(diag_error(d, &at, E_shape, "rank %d weight, expected %d",
				3, 4),
		     BAD_MODEL);
	diag_hint(d, "look at it");
	diag_warn(d, &bad, E_name, "odd");
	diag_note(d, 1, "not shown");
	diag_note(d, 0, "shown");
	cr_assert_eq(diag_error(d, NULL, E_open, "gone"), BAD_IO);
}

Test(base, diag_text)
{
	struct diag d;
	char *s;

	diag_init(&d, NULL);
	s = render(&d, say_things);
	cr_assert_str_eq(
		s,
		"pare: error[E-shape]: m.onnx: main/if_3.then/conv_17 (Conv) "
		"input 1 'w': rank 3 weight, expected 4\n"
		"hint: look at it\n"
		"pare: warning[E-name]: x.onnx: a\\n::set-output b: odd\n"
		"pare: note: shown\n"
		"pare: error[E-open]: m.onnx: gone\n");
	free(s);
	cr_assert_eq(d.nerror, 2);
	cr_assert_eq(d.nwarning, 1);
	cr_assert_eq(d.first, E_shape);
	cr_assert_str_eq(d.last.p, "gone");
	diag_release(&d);
	diag_init(&d, NULL);
	d.json = true;
	s = render(&d, say_things);
	cr_assert_eq(strncmp(s,
			     "{\"level\":\"error\",\"code\":\"E-shape\","
			     "\"status\":3,"
			     "\"file\":\"m.onnx\",\"graph\":\"main/if_3.then\","
			     "\"node\":\"conv_17\",\"op\":\"Conv\","
			     "\"slot\":\"input 1 'w'\","
			     "\"text\":\"rank 3 weight, expected 4\"}\n"
			     "{\"level\":\"hint\",\"text\":\"look at it\"}\n",
			     190),
		     0);
	free(s);
	diag_release(&d);
}

static void repeat(struct diag *d)
{
	int i;

	for (i = 0; i < 100; i++) {
		diag_error(d, NULL, E_value, "no");
		diag_hint(d, "h");
	}
	for (i = 0; i < 100; i++)
		diag_warn(d, NULL, E_name, "quiet");
}

Test(base, diag_repeats_and_quiet)
{
	struct diag d;
	size_t lines = 0;
	char *s, *p;

	diag_init(&d, NULL);
	d.verbosity = -1;
	s = render(&d, repeat);
	for (p = s; *p; p++)
		lines += *p == '\n';
	cr_assert_eq(lines, 41, "%zu", lines);
	cr_assert_eq(d.nerror, 100);
	cr_assert_eq(d.nwarning, 100);
	free(s);
	diag_release(&d);
	cr_assert_str_eq(diag_find("E-shape")->name, "E-shape");
	cr_assert_null(diag_find("E-none"));
	for (lines = 0; lines < DIAG_COUNT; lines++)
		cr_assert_eq(diag_find(diag_info(lines)->name),
			     diag_info(lines));
}

static void count_up(void *arg, size_t i)
{
	unsigned *seen = arg;

	__atomic_fetch_add(&seen[i], 1, __ATOMIC_RELAXED);
}

static void nested(void *arg, size_t i)
{
	unsigned *seen = arg;

	pool_for(10, count_up, seen + 10 * i);
}

Test(base, pool)
{
	static unsigned seen[10000];
	unsigned threads, round;
	size_t i, n;

	for (threads = 1; threads <= 4; threads++) {
		pool_set_threads(threads);
		cr_assert_eq(pool_threads(), threads);
		for (round = 0; round < 300; round++) {
			n = round * 7 % 200;
			memset(seen, 0, sizeof(seen));
			pool_for(n, count_up, seen);
			for (i = 0; i < countof(seen); i++)
				cr_assert_eq(seen[i], i < n);
		}
		memset(seen, 0, sizeof(seen));
		pool_for(countof(seen) / 10, nested, seen);
		for (i = 0; i < countof(seen); i++)
			cr_assert_eq(seen[i], 1);
	}
	pool_shutdown();
	pool_for(3, count_up, seen);
	cr_assert_eq(seen[2], 2);
	pool_shutdown();
}

Test(base, rng)
{
	struct rng r = rng_make(1, 2), s = rng_make(1, 2);
	double sum = 0, sq = 0, v;
	unsigned hist[10] = {0}, i;

	/* Fixed forever: other machines must see the same numbers. */
	cr_assert_eq(rng_at(0, 0, 0), rng_at(0, 0, 0));
	cr_assert_neq(rng_at(0, 0, 0), rng_at(0, 1, 0));
	cr_assert_neq(rng_at(0, 0, 0), rng_at(1, 0, 0));
	cr_assert_eq(rng_next(&r), rng_at(1, 2, 0));
	cr_assert_eq(rng_next(&r), rng_at(1, 2, 1));
	for (i = 0; i < 100000; i++) {
		v = rng_normal(&s);
		sum += v;
		sq += v * v;
		v = rng_unit(&r);
		cr_assert(v >= 0 && v < 1);
		hist[rng_below(&r, 10)]++;
	}
	cr_assert(sum / i > -0.02 && sum / i < 0.02, "%g", sum / i);
	cr_assert(sq / i > 0.97 && sq / i < 1.03, "%g", sq / i);
	for (i = 0; i < 10; i++)
		cr_assert(hist[i] > 9500 && hist[i] < 10500);
	cr_assert_eq(rng_below(&r, 1), 0);
}

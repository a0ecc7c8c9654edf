/* SPDX-License-Identifier: MIT */
#include "base/lettercase.h"
#include "base/utf8.h"
#include "tests/unit/kernel_show.h"

#define S "string"

Test(strings, concat_and_split)
{
	static const struct show_case cases[] = {
		{20, S, "string[2] a = {\"x\", \"\"}, string b = {\"yz\"}",
		 "y = StringConcat(a, b)", "2: 'xyz' 'yz'"},
		{20, S,
		 "string[2,1] a = {\"a\", \"b\"}, string[2] b = {\"c\", \"d\"}",
		 "y = StringConcat(a, b)", "2x2: 'ac' 'ad' 'bc' 'bd'"},
		{20, S, "string[0] a = {}, string b = {\"c\"}",
		 "y = StringConcat(a, b)", "0:"},
		{20, S,
		 "string[2] a = {\"\", \"\"}, string[3] b = {\"\", \"\", \"\"}",
		 "y = StringConcat(a, b)", "E-shape"},
		{20, S, "float[2] a = {1, 2}, string b = {\"\"}",
		 "y = StringConcat(a, b)", "E-type"},
		{20, S, "string[2] a = {\" a  b \", \"c\"}",
		 "y, n = StringSplit(a)", "2x2: 'a' 'b' 'c' ''"},
		{20, S, "string a = {\",a,,b\"}",
		 "y, n = StringSplit<delimiter = \",\">(a)",
		 "4: '' 'a' '' 'b'"},
		{20, S, "string[2] a = {\"a b  c \", \"\"}",
		 "y, n = StringSplit<maxsplit = 1>(a)",
		 "2x2: 'a' 'b  c' '' ''"},
		{20, S, "string a = {\"aaaa\"}",
		 "y, n = StringSplit<delimiter = \"aa\">(a)", "3: '' '' ''"},
		{20, "int64", "string[2] a = {\" \", \"x y\"}",
		 "p, y = StringSplit(a)", "2: 0 2"},
		{20, S, "string[1] a = {\" \"}", "y, n = StringSplit(a)",
		 "1x0:"},
		{20, S, "string[2,0] a = {}", "y, n = StringSplit(a)",
		 "2x0x0:"},
		{20, S, "int64 a = {1}", "y, n = StringSplit(a)", "E-type"},
	};

	show_cases(cases, countof(cases));
}

/* Strings outlive the iterations that made them. */
Test(strings, loops)
{
	static const struct show_case cases[] = {
		{20, S, "int64 n = {3}, bool c = {1}, string[1] a = {\"ab\"}",
		 "v, y = Loop(n, c, a) <body = b (int64 i, bool cc, string[1] "
		 "p) => (bool co, string[1] q, string[1] r) { co = "
		 "Identity(cc) q = StringConcat(p, p) r = Identity(q) }>",
		 "3x1: 'abab' 'abababab' 'abababababababab'"},
		{20, S, "string[2] x = {\"a\", \"b\"}, string s = {\"\"}",
		 "v, y = Scan(s, x) <num_scan_inputs = 1, body = b (string p, "
		 "string e) => (string q, string r) { q = StringConcat(e, p) "
		 "r = Identity(q) }>",
		 "2: 'a' 'ba'"},
	};

	show_cases(cases, countof(cases));
}

Test(strings, normalizer)
{
	static const struct show_case cases[] = {
		{10, S, "string[3] a = {\"Ab\", \"\xc3\xa9t\", \"c\"}",
		 "y = StringNormalizer<case_change_action = \"UPPER\", "
		 "stopwords = [\"C\"]>(a)",
		 "2: 'AB' '\xc3\x89T'"},
		{10, S, "string[1,2] a = {\"Ab\", \"ab\"}",
		 "y = StringNormalizer<is_case_sensitive = 1, "
		 "stopwords = [\"ab\"]>(a)",
		 "1x1: 'Ab'"},
		{10, S, "string[1,2] a = {\"Ab\", \"ab\"}",
		 "y = StringNormalizer<stopwords = [\"ab\"]>(a)", "1x1: ''"},
		{10, S, "string[0] a = {}", "y = StringNormalizer(a)", "1: ''"},
		{10, S, "string[1] a = {\"a\"}",
		 "y = StringNormalizer<case_change_action = \"lower\">(a)",
		 "E-attr"},
		{10, S, "string[2,1] a = {\"a\", \"b\"}",
		 "y = StringNormalizer(a)", "E-shape"},
		{10, S, "string a = {\"a\"}", "y = StringNormalizer(a)",
		 "E-shape"},
	};

	show_cases(cases, countof(cases));
}

Test(strings, tfidf)
{
#define GRAMS(mode, more)                                                  \
	"y = TfIdfVectorizer<mode = \"" mode "\", min_gram_length = 1, "   \
	"max_gram_length = 2, max_skip_count = 1, ngram_counts = [0, 2], " \
	"ngram_indexes = [2, 0, 1], pool_int64s = [7, 8, 7, 8]" more ">(a)"
	static const struct show_case cases[] = {
		{9, "float", "int64[4] a = {7, 8, 7, 8}", GRAMS("TF", ""),
		 "3: 2 2 2"},
		{9, "float", "int32[2,3] a = {7, 9, 8, 0, 0, 0}",
		 GRAMS("TFIDF", ", weights = [10.0, 20.0, 30.0]"),
		 "2x3: 20 30 10 0 0 0"},
		{9, "float", "int64[4] a = {7, 7, 7, 8}",
		 GRAMS("IDF", ", weights = [10.0, 20.0, 30.0]"), "3: 20 30 10"},
		{9, "float", "int64[0] a = {}", GRAMS("TF", ""), "3: 0 0 0"},
		{9, "float", "int64[1] a = {7}", GRAMS("X", ""), "E-attr"},
		{9, "float", "int64[1] a = {7}",
		 GRAMS("TFIDF", ", weights = [1.0]"), "E-attr"},
		{9, "float", "string[1] a = {\"7\"}", GRAMS("TF", ""),
		 "E-attr"},
		{9, "float", "int64 a = {7}", GRAMS("TF", ""), "E-shape"},
		{9, "float", "int64[1] a = {7}",
		 "y = TfIdfVectorizer<mode = \"TF\", min_gram_length = 1, "
		 "max_gram_length = 1, max_skip_count = 0, ngram_counts = [5], "
		 "ngram_indexes = [0], pool_int64s = [7]>(a)",
		 "E-attr"},
		{9, "float", "int64[1] a = {7}",
		 "y = TfIdfVectorizer<mode = \"TF\", min_gram_length = 1, "
		 "max_gram_length = 1, max_skip_count = 0, ngram_counts = [0], "
		 "ngram_indexes = [-1], pool_int64s = [7]>(a)",
		 "E-attr"},
	};

	show_cases(cases, countof(cases));
}

/* "pattern" TAB "text that matches" "..." | "that does not". */
static const struct {
	const char *pattern, *yes[4], *no[4];
} matches[] = {
	{"", {""}, {"a"}},
	{"a|bc|", {"a", "bc", ""}, {"b", "abc"}},
	{"(a*)*b", {"b", "aaab"}, {"a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"}},
	{"(a|aa)+$", {"a", "aaaaaaaaa"}, {"", "aab"}},
	{"x{2}y{1,3}z{0}w{2,}", {"xxyww", "xxyyywww"}, {"xyww", "xxyzww"}},
	{"a{,2}", {"a{,2}"}, {"aa"}},
	{".\\.[^.]", {"a.b", "\xc3\xa9.\n"}, {"\n.b", "a..", "\xff.b"}},
	{"(?s).", {"\n"}, {"", "\xc3"}},
	{"(?i)stra\xc3\x9f"
	 "e[k]",
	 {"STRA\xe1\xba\x9e"
	  "EK",
	  "stra\xc3\x9f"
	  "e\xe2\x84\xaa"},
	 {"strassek"}},
	{"(?i:a)b", {"Ab"}, {"AB"}},
	{"(?i)[^k]", {"x"}, {"K", "\xe2\x84\xaa"}},
	{"(?i)\\W", {"-"}, {"\xe2\x84\xaa", "k"}},
	{"\\bfoo\\b.*\\Bo", {"foo bo"}, {"foo o", "xfoo bo"}},
	{"(?m)^a$\n^b$", {"a\nb"}, {"ab", "a\nb\n"}},
	{"[[:alpha:]_]\\d+[[:^digit:]]", {"a1b", "_22 "}, {"a1", "a11"}},
	{"[]a-c-]+", {"]", "a-b"}, {"d", ""}},
	{"\\Qa.b\\E+", {"a.b", "a.bbb"}, {"axb"}},
	{"\\x41\\x{e9}\\103\\t",
	 {"A\xc3\xa9"
	  "C\t"},
	 {"AeC\t"}},
	{"(?P<n>a)(?<m>b)(?:c)(?U)d*?", {"abc", "abcdd"}, {"ab"}},
};

static void quoted(struct buf *b, const char *s)
{
	for (; *s; s++)
		buf_printf(b, strchr("\\\"", *s) ? "\\%c" : "%c", *s);
}

static struct run_result full_match(const char *pattern, const char *text)
{
	struct buf t = {0};
	struct run_result r;

	buf_puts(&t, "<ir_version: 10, opset_import: [\"\" : 20]> "
		     "g () => (bool y) <string x = {\"");
	quoted(&t, text);
	buf_puts(&t, "\"}> { y = RegexFullMatch<pattern = \"");
	quoted(&t, pattern);
	buf_puts(&t, "\">(x) }");
	r = run_text(t.p, EXEC_FAST, CPU_AVX512);
	buf_release(&t);
	return r;
}

static void matches_as(const char *pattern, const char *text, bool want)
{
	struct run_result r = full_match(pattern, text);

	cr_assert_eq(r.status, OK, "%s", pattern);
	cr_assert_eq(*(bool *)r.out[0]->data, want, "'%s' on '%s'", pattern,
		     text);
	run_release(&r);
}

Test(strings, regex)
{
	for (size_t i = 0; i < countof(matches); i++)
		for (size_t k = 0; k < 4; k++) {
			if (matches[i].yes[k])
				matches_as(matches[i].pattern,
					   matches[i].yes[k], true);
			if (matches[i].no[k])
				matches_as(matches[i].pattern, matches[i].no[k],
					   false);
		}
}

static enum diag_code compile(const char *pattern)
{
	struct run_result r = full_match(pattern, "a");

	run_release(&r);
	return r.status ? r.code : E_tty;
}

Test(strings, regex_refuses)
{
	static const char *const bad[] = {
		"(",       ")",       "(a",      "a)",          "[",
		"[a",      "[]",      "[b-a]",   "*a",          "a**",
		"a{2}{3}", "a{2,1}",  "a{1001}", "\\",          "(?",
		"(?x)",    "(?P<>a)", "(?P<a",   "(?i",         "\\1",
		"\\8",     "\\q",     "\\x4",    "\\x{110000}", "[[:nope:]]",
		"|*",      "(?i)*",   "(?-)",    "(?=a)",       "\xff",
	};
	static const char *const missing[] = {
		"\\pL",
		"\\C",
		"[\\PN]",
		"((a{1000}){1000})",
	};
	struct buf deep = {0};

	for (size_t i = 0; i < countof(bad); i++)
		cr_assert_eq(compile(bad[i]), E_attr, "%s", bad[i]);
	for (size_t i = 0; i < countof(missing); i++)
		cr_assert_eq(compile(missing[i]), E_unsupported, "%s",
			     missing[i]);
	for (int i = 0; i < 5000; i++)
		buf_putc(&deep, '(');
	cr_assert_eq(compile(deep.p), E_unsupported);
	deep.n = 0;
	for (int i = 0; i < 70000; i++)
		buf_putc(&deep, '|');
	cr_assert_eq(compile(deep.p), E_unsupported);
	buf_release(&deep);
}

/* Any text is a pattern or is refused. */
Test(strings, regex_takes_any_text)
{
	static const char *const part[] = {
		"a",    "b",   ".",    "\\",    "[",     "]",       "^",
		"$",    "(",   ")",    "(?",    "(?:",   "(?i)",    "(?P<n>",
		"*",    "+",   "?",    "{2}",   "{,3}",  "{1,900}", "|",
		"-",    "[^",  "[:",   ":]",    "alpha", "\\Q",     "\\E",
		"\\x{", "\\d", "\\b",  "\\pL",  "\xc3",  "\xa9",    "}",
		"0",    "a-z", "(?-s", "\\101",
	};
	struct rng r = rng_make(11, 0);

	for (int i = 0; i < 3000; i++) {
		uint64_t n = rng_below(&r, 12);
		struct buf p = {0};
		enum diag_code code;

		buf_puts(&p, "");
		while (n--)
			buf_puts(&p, part[rng_below(&r, countof(part))]);
		code = compile(p.p ? p.p : "");
		cr_assert(code == E_tty || code == E_attr ||
				  code == E_unsupported,
			  "%s: %s", p.p, diag_info(code)->name);
		buf_release(&p);
	}
}

Test(strings, letter_case)
{
	static const struct {
		uint32_t c, upper, lower, fold;
	} rows[] = {
		{'a', 'A', 'a', 'a'},
		{'Z', 'Z', 'z', 'z'},
		{'5', '5', '5', '5'},
		{0xe9, 0xc9, 0xe9, 0xe9},
		{0xdf, 0xdf, 0xdf, 0xdf},
		{0x1e9e, 0x1e9e, 0xdf, 0xdf},
		{0x17f, 'S', 0x17f, 's'},
		{0x212a, 0x212a, 'k', 'k'},
		{0x1c5, 0x1c4, 0x1c6, 0x1c6},
		{0x130, 0x130, 'i', 0x130},
		{0x131, 'I', 0x131, 0x131},
		{0x1f80, 0x1f88, 0x1f80, 0x1f80},
		{0x10428, 0x10400, 0x10428, 0x10428},
		{0x10ffff, 0x10ffff, 0x10ffff, 0x10ffff},
	};
	uint32_t count = 0;
	char p[4];

	for (size_t i = 0; i < countof(rows); i++) {
		cr_assert_eq(case_upper(rows[i].c), rows[i].upper);
		cr_assert_eq(case_lower(rows[i].c), rows[i].lower);
		cr_assert_eq(case_fold(rows[i].c), rows[i].fold);
	}
	for (uint32_t c = case_next(0), v; c; c = case_next(c + 1), count++) {
		cr_assert(case_upper(c) != c || case_lower(c) != c);
		cr_assert_eq(utf8_decode(p, utf8_encode(c, p), &v),
			     utf8_encode(c, p));
		cr_assert_eq(v, c);
	}
	cr_assert_gt(count, 2000);
}

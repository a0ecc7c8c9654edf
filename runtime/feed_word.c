/* SPDX-License-Identifier: MIT */
/*
 * feed_word.c -- words and keys for inputs: those of the tables in a model, so
 * that looking them up finds something.
 */
#include <string.h>

#include "runtime/feed_p.h"

static void add_word(struct feed_words *w, struct str s)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (str_eq(w->word[i], s))
			return;
	if (w->n < FEED_WORDS)
		w->word[w->n++] = s;
}

static void add_key(struct feed_words *w, int64_t v)
{
	for (uint32_t i = 0; i < w->nkey; i++)
		if (w->key[i] == v)
			return;
	if (w->nkey < FEED_WORDS)
		w->key[w->nkey++] = v;
}

static void add_list(struct feed_words *w, const struct attr *a)
{
	const struct tensor *t = a->kind == ATTR_TENSOR ? a->u.t[0] : NULL;

	for (uint32_t i = 0; a->kind == ATTR_STRINGS && i < a->n; i++)
		add_word(w, a->u.s[i]);
	for (uint32_t i = 0; a->kind == ATTR_INTS && i < a->n; i++)
		add_key(w, a->u.i[i]);
	for (int64_t i = 0; t && t->strings && i < t->n && i < FEED_WORDS; i++)
		add_word(w, t->strings[i]);
}

/* Lists of what is looked up. */
static void add_node(struct feed_words *w, const struct node *n)
{
	static const char *const lists[] = {
		"cats_strings",     "keys_strings", "keys_tensor",
		"classes_strings",  "pool_strings", "string_vocabulary",
		"int64_vocabulary",
	};

	for (size_t i = 0; i < countof(lists); i++) {
		const struct attr *a = node_attr(n, lists[i]);

		if (a && !a->ref)
			add_list(w, a);
	}
	/* Keys of a sparse CastMap are places. */
	if (node_is(n, OP_ml_CastMap))
		for (int64_t k = 0; k < node_attr_int(n, "max_map", 1) && k < 4;
		     k++)
			add_key(w, k);
}

void feed_words(const struct model *m, struct feed_words *w)
{
	static const char *const usual[] = {"a", "b", "c", "one two", "1"};
	const struct node *n;

	w->n = w->nkey = 0;
	graph_foreach (n, m->main)
		add_node(w, n);
	for (size_t i = 0; i < countof(usual); i++)
		add_word(w, (struct str){usual[i], strlen(usual[i])});
	add_key(w, 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * diag.c -- messages as text or JSON lines; safe to call from any thread.
 *
 * Whatever comes from a file is escaped and cut before it is printed.
 */
#include "base/diag.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPEAT_MAX = 20, NAME_SHOWN = 200, TEXT_SHOWN = 4000 };

static const struct diag_info table[DIAG_COUNT] = {
#define DIAG(id, name, status, summary, explain) \
	[E_##id] = {name, status, summary, explain},
#include "base/diag.def"
#undef DIAG
};

static const struct {
	const char *name, *colour;
} level_text[] = {
	[DIAG_ERROR] = {"error", "\033[1;31m"},
	[DIAG_WARNING] = {"warning", "\033[1;33m"},
	[DIAG_NOTE] = {"note", "\033[1m"},
	[DIAG_HINT] = {"hint", "\033[1;36m"},
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_set(const char *name)
{
	const char *v = getenv(name);

	return v && *v;
}

static bool want_colour(FILE *out)
{
	const char *when = getenv("PARE_COLOR"), *term = getenv("TERM");

	if (when && strcmp(when, "always") == 0)
		return true;
	if (when && strcmp(when, "never") == 0)
		return false;
	if (is_set("NO_COLOR") || (term && strcmp(term, "dumb") == 0))
		return false;
	return out && isatty(fileno(out));
}

void diag_init(struct diag *d, FILE *out)
{
	*d = (struct diag){.out = out, .colour = want_colour(out)};
}

void diag_release(struct diag *d)
{
	buf_release(&d->last);
}

const struct diag_info *diag_info(enum diag_code code)
{
	if ((unsigned)code >= DIAG_COUNT)
		BUG("no diagnostic %d", (int)code);
	return &table[code];
}

const struct diag_info *diag_find(const char *name)
{
	size_t i;

	for (i = 0; i < DIAG_COUNT; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static struct str str_of(const char *s)
{
	return (struct str){s, s ? strlen(s) : 0};
}

static void put_name(struct buf *b, struct str s)
{
	bool cut = s.n > NAME_SHOWN;

	if (cut)
		s.n = NAME_SHOWN;
	buf_escaped(b, s);
	if (cut)
		buf_puts(b, "...");
}

/* `FILE: GRAPH/NODE (OP) SLOT: `, absent parts left out. */
static void put_at(struct buf *b, const struct at *at, const char *file)
{
	size_t start;

	if (file) {
		put_name(b, str_of(file));
		buf_puts(b, ": ");
	}
	if (!at)
		return;
	start = b->n;
	put_name(b, str_of(at->graph));
	if (at->node.n) {
		if (b->n > start)
			buf_putc(b, '/');
		put_name(b, at->node);
	}
	if (at->op.n) {
		buf_puts(b, b->n > start ? " (" : "(");
		put_name(b, at->op);
		buf_putc(b, ')');
	}
	if (at->slot.n) {
		if (b->n > start)
			buf_putc(b, ' ');
		put_name(b, at->slot);
	}
	if (b->n > start)
		buf_puts(b, ": ");
}

static void put_field(struct buf *b, const char *key, struct str s)
{
	if (s.n == 0)
		return;
	buf_printf(b, ",\"%s\":", key);
	buf_json(b, s);
}

static void put_json(struct buf *b, const struct at *at, const char *file,
		     enum diag_level level, const struct diag_info *info,
		     struct str text)
{
	buf_printf(b, "{\"level\":\"%s\"", level_text[level].name);
	if (info)
		buf_printf(b, ",\"code\":\"%s\",\"status\":%d", info->name,
			   (int)info->status);
	put_field(b, "file", str_of(file));
	if (at) {
		put_field(b, "graph", str_of(at->graph));
		put_field(b, "node", at->node);
		put_field(b, "op", at->op);
		put_field(b, "slot", at->slot);
	}
	put_field(b, "text", text);
	buf_puts(b, "}\n");
}

static void put_text(struct buf *b, const struct at *at, const char *file,
		     enum diag_level level, const struct diag_info *info,
		     struct str text, bool colour)
{
	if (level != DIAG_HINT)
		buf_puts(b, "pare: ");
	if (colour)
		buf_puts(b, level_text[level].colour);
	buf_puts(b, level_text[level].name);
	if (info)
		buf_printf(b, "[%s]", info->name);
	buf_puts(b, colour ? ":\033[0m " : ": ");
	put_at(b, at, file);
	buf_sanitized(b, text);
	buf_putc(b, '\n');
}

/* Print one message; code < 0: the level has none. */
static void emit(struct diag *d, const struct at *at, enum diag_level level,
		 int code, struct str text)
{
	const struct diag_info *info = code < 0 ? NULL : &table[code];
	const char *file = at && at->file ? at->file : NULL;
	struct buf b = {0};

	if (!d->out)
		return;
	if (!file && level <= DIAG_WARNING)
		file = d->file;
	if (text.n > TEXT_SHOWN)
		text.n = TEXT_SHOWN;
	if (d->json)
		put_json(&b, at, file, level, info, text);
	else
		put_text(&b, at, file, level, info, text, d->colour);
	fwrite(b.p, 1, b.n, d->out);
	buf_release(&b);
}

/* Print a message with a code unless its kind was printed too often. */
static void emit_coded(struct diag *d, const struct at *at,
		       enum diag_level level, enum diag_code code,
		       struct str text)
{
	struct buf more = {0};
	unsigned n;

	d->muted = true;
	if (level == DIAG_WARNING && d->verbosity < 0)
		return;
	n = ++d->repeat[code];
	d->muted = n > REPEAT_MAX;
	if (!d->muted)
		emit(d, at, level, code, text);
	if (n != REPEAT_MAX + 1)
		return;
	buf_printf(&more, "more messages of kind %s are not shown",
		   table[code].name);
	emit(d, NULL, DIAG_NOTE, -1, (struct str){more.p, more.n});
	buf_release(&more);
}

enum status diag_error(struct diag *d, const struct at *at, enum diag_code code,
		       const char *fmt, ...)
{
	va_list ap;

	diag_info(code);
	pthread_mutex_lock(&lock);
	if (d->nerror++ == 0)
		d->first = code;
	d->last.n = 0;
	va_start(ap, fmt);
	buf_vprintf(&d->last, fmt, ap);
	va_end(ap);
	emit_coded(d, at, DIAG_ERROR, code, (struct str){d->last.p, d->last.n});
	pthread_mutex_unlock(&lock);
	return table[code].status;
}

void diag_warn(struct diag *d, const struct at *at, enum diag_code code,
	       const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	diag_info(code);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&lock);
	d->nwarning++;
	emit_coded(d, at, DIAG_WARNING, code, (struct str){b.p, b.n});
	pthread_mutex_unlock(&lock);
	buf_release(&b);
}

__attribute__((format(printf, 3, 0))) static void
emit_plain(struct diag *d, enum diag_level level, const char *fmt, va_list ap)
{
	struct buf b = {0};

	buf_vprintf(&b, fmt, ap);
	pthread_mutex_lock(&lock);
	emit(d, NULL, level, -1, (struct str){b.p, b.n});
	pthread_mutex_unlock(&lock);
	buf_release(&b);
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (d->muted)
		return;
	va_start(ap, fmt);
	emit_plain(d, DIAG_HINT, fmt, ap);
	va_end(ap);
}

void diag_note(struct diag *d, int level, const char *fmt, ...)
{
	va_list ap;

	if (d->verbosity < level)
		return;
	d->muted = false;
	va_start(ap, fmt);
	emit_plain(d, DIAG_NOTE, fmt, ap);
	va_end(ap);
}

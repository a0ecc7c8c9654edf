/* SPDX-License-Identifier: MIT */
/*
 * pool.c -- threads that share one loop at a time.
 *
 * A loop is open while its caller works on it.  A worker announces itself in
 * `active`, then looks whether the loop is (still) open; the caller closes the
 * loop when no index is left and waits until nobody is active.  So a worker
 * that the system does not schedule never holds up the caller.  Idle workers
 * spin for a moment, then sleep on a futex.
 */
#include "base/clock.h"
#include "base/pool.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS_MAX = 256, CHUNKS = 8, SPIN_NS = 20000 };

struct loop {
	void (*fn)(void *arg, size_t i);
	void *arg;
	size_t n, chunk;
	atomic_size_t next;
};

static struct {
	pthread_mutex_t lock; /* held by whoever runs a loop */
	unsigned want;        /* threads, caller included; 0: not chosen */
	unsigned nworker;     /* running workers */
	pthread_t worker[THREADS_MAX];
	struct loop loop;
	atomic_uint open;    /* may loop be joined */
	atomic_uint active;  /* workers that may look at loop */
	atomic_uint waiting; /* the caller sleeps on active */
	atomic_uint epoch;   /* counts loops; workers sleep on it */
	atomic_uint sleepers;
	atomic_bool stop;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Inside a loop body: further loops run inline. */
static _Thread_local bool busy;

static void futex_wait(atomic_uint *p, unsigned seen)
{
	syscall(SYS_futex, p, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *p)
{
	syscall(SYS_futex, p, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* Wait briefly until *p differs from seen. */
static bool spin_until_not(atomic_uint *p, unsigned seen)
{
	int64_t end = clock_ns() + SPIN_NS;
	int i;

	do {
		for (i = 0; i < 64; i++) {
			if (atomic_load(p) != seen)
				return true;
			relax();
		}
	} while (clock_ns() < end);
	return false;
}

static void work(struct loop *l)
{
	size_t i, end;

	busy = true;
	for (;;) {
		i = atomic_fetch_add(&l->next, l->chunk);
		if (i >= l->n)
			break;
		end = l->n - i < l->chunk ? l->n : i + l->chunk;
		for (; i < end; i++)
			l->fn(l->arg, i);
	}
	busy = false;
}

static void join_loop(void)
{
	atomic_fetch_add(&pool.active, 1);
	if (atomic_load(&pool.open))
		work(&pool.loop);
	if (atomic_fetch_sub(&pool.active, 1) == 1 &&
	    atomic_load(&pool.waiting))
		futex_wake(&pool.active);
}

static void *worker_main(void *arg)
{
	unsigned seen = (unsigned)(uintptr_t)arg;

	while (!atomic_load(&pool.stop)) {
		if (!spin_until_not(&pool.epoch, seen)) {
			atomic_fetch_add(&pool.sleepers, 1);
			futex_wait(&pool.epoch, seen);
			atomic_fetch_sub(&pool.sleepers, 1);
		}
		seen = atomic_load(&pool.epoch);
		join_loop();
	}
	return NULL;
}

static unsigned default_threads(void)
{
	const char *v = getenv("PARE_THREADS"), *make = getenv("MAKEFLAGS");
	cpu_set_t cpus;
	char *end;
	long n;

	if (v && *v) {
		n = strtol(v, &end, 10);
		if (*end == '\0' && n > 0)
			return n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
	}
	/* Under a parallel make, one job is one thread. */
	if (make && strstr(make, "--jobserver"))
		return 1;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	n = CPU_COUNT(&cpus);
	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

unsigned pool_threads(void)
{
	if (!pool.want)
		pool.want = default_threads();
	return pool.want;
}

static void stop_workers(void)
{
	unsigned i;

	atomic_store(&pool.stop, true);
	atomic_fetch_add(&pool.epoch, 1);
	futex_wake(&pool.epoch);
	for (i = 0; i < pool.nworker; i++)
		pthread_join(pool.worker[i], NULL);
	pool.nworker = 0;
	atomic_store(&pool.stop, false);
}

/* Signals are for the main thread: workers block them all. */
static void start_workers(unsigned n)
{
	void *epoch = (void *)(uintptr_t)atomic_load(&pool.epoch);
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; pool.nworker < n; pool.nworker++)
		if (pthread_create(&pool.worker[pool.nworker], NULL,
				   worker_main, epoch) != 0)
			break; /* fewer hands, same results */
	if (pool.nworker < n)
		pool.want = pool.nworker + 1;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void pool_set_threads(unsigned n)
{
	pthread_mutex_lock(&pool.lock);
	pool.want = n > THREADS_MAX ? THREADS_MAX : n;
	if (pool.nworker)
		stop_workers();
	pthread_mutex_unlock(&pool.lock);
}

void pool_shutdown(void)
{
	pthread_mutex_lock(&pool.lock);
	if (pool.nworker)
		stop_workers();
	pthread_mutex_unlock(&pool.lock);
}

/* Take part in the loop, then wait for the workers that joined. */
static void run_open(void)
{
	unsigned seen;

	atomic_store(&pool.open, 1);
	atomic_fetch_add(&pool.epoch, 1);
	if (atomic_load(&pool.sleepers))
		futex_wake(&pool.epoch);
	work(&pool.loop);
	atomic_store(&pool.open, 0);
	while ((seen = atomic_load(&pool.active)) != 0) {
		if (spin_until_not(&pool.active, seen))
			continue;
		atomic_store(&pool.waiting, 1);
		seen = atomic_load(&pool.active);
		if (seen)
			futex_wait(&pool.active, seen);
		atomic_store(&pool.waiting, 0);
	}
}

void pool_for(size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
	unsigned threads;
	size_t i;

	if (n < 2 || busy || pthread_mutex_trylock(&pool.lock) != 0) {
		for (i = 0; i < n; i++)
			fn(arg, i);
		return;
	}
	threads = pool_threads();
	if (pool.nworker < threads - 1)
		start_workers(threads - 1);
	pool.loop.fn = fn;
	pool.loop.arg = arg;
	pool.loop.n = n;
	pool.loop.chunk = n / ((size_t)threads * CHUNKS);
	if (pool.loop.chunk == 0)
		pool.loop.chunk = 1;
	atomic_store(&pool.loop.next, 0);
	run_open();
	pthread_mutex_unlock(&pool.lock);
}

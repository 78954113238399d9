/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "sys/pool.h"
#include "sys/thread.h"
#include "unit.h"

struct job {
    int number, result;
};

static atomic_int n_dropped;

static void square(void *ctx, int worker, void *arg)
{
    struct job *j = arg;

    (void)ctx;
    (void)worker;
    for (volatile int spin = 0; spin < (j->number % 7) * 1000; spin++)
        ;
    j->result = j->number * j->number;
}

static void drop(void *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    atomic_fetch_add(&n_dropped, 1);
}

static const struct bp_pool_ops ops = {.work = square, .drop = drop};

static void jobs_come_back_in_the_order_given(void)
{
    static struct job jobs[3000];

    for (int threads = 1; threads <= 4; threads++) {
        struct bp_err err = {0};
        struct bp_pool *p;
        int given = 0, taken = 0;

        NEED(bp_pool_open(&p, threads, 5, &ops, NULL, &err) == 0);
        while (taken < 3000) {
            if (given < 3000 && bp_pool_has_room(p)) {
                jobs[given] = (struct job){.number = given};
                bp_pool_give(p, &jobs[given++]);
                continue;
            }
            struct job *j = bp_pool_take(p);
            NEED(j == &jobs[taken]);
            CHECK(j->result == taken * taken);
            taken++;
        }
        CHECK(bp_pool_take(p) == NULL);
        bp_pool_free(p);
    }
}

static void what_nobody_took_is_dropped(void)
{
    static struct job jobs[4];

    for (int threads = 1; threads <= 3; threads++) {
        struct bp_err err = {0};
        struct bp_pool *p;

        atomic_store(&n_dropped, 0);
        NEED(bp_pool_open(&p, threads, 4, &ops, NULL, &err) == 0);
        for (int i = 0; i < 4; i++)
            bp_pool_give(p, &jobs[i]);
        CHECK(bp_pool_take(p) == &jobs[0]);
        bp_pool_free(p);
        CHECK(atomic_load(&n_dropped) == 3);
    }
}

struct watch {
    pthread_t caller;
    int n_threads;
    atomic_int n_wrong, n_here;
};

static void look_who(void *ctx, int worker, void *arg)
{
    struct watch *w = ctx;
    bool here = pthread_equal(pthread_self(), w->caller) != 0;

    (void)arg;
    if (here != (worker == w->n_threads - 1))
        atomic_fetch_add(&w->n_wrong, 1);
    if (here)
        atomic_fetch_add(&w->n_here, 1);
}

/* The caller is the last of the threads, and no job is run by one more. */
static void the_caller_runs_jobs_as_the_last_thread(void)
{
    static const struct bp_pool_ops look = {.work = look_who};
    static struct job jobs[8];

    for (int threads = 1; threads <= 4; threads++) {
        struct watch w = {.caller = pthread_self(), .n_threads = threads};
        struct bp_err err = {0};
        struct bp_pool *p;

        NEED(bp_pool_open(&p, threads, 8, &look, &w, &err) == 0);
        for (int round = 0; round < 2000; round++) {
            for (int i = 0; i < 8; i++)
                bp_pool_give(p, &jobs[i]);
            for (int i = 0; i < 8; i++)
                NEED(bp_pool_take(p) == &jobs[i]);
        }
        bp_pool_free(p);
        CHECK(atomic_load(&w.n_wrong) == 0);
        CHECK(atomic_load(&w.n_here) > 0);
    }
}

/* A wake-up that is lost leaves all asleep, for ever: a hang is the failure. */
static void short_jobs_wake_somebody_each(void)
{
    static struct job jobs[3];

    for (int threads = 2; threads <= 4; threads++) {
        struct bp_err err = {0};
        struct bp_pool *p;

        NEED(bp_pool_open(&p, threads, 3, &ops, NULL, &err) == 0);
        for (int i = 0; i < 20000; i++) {
            for (int k = 0; k <= i % 3; k++) {
                jobs[k] = (struct job){.number = 7 * k};
                bp_pool_give(p, &jobs[k]);
            }
            for (int k = 0; k <= i % 3; k++)
                NEED(bp_pool_take(p) == &jobs[k] && jobs[k].result == 49 * k * k);
        }
        bp_pool_free(p);
    }
}

UNIT_MAIN(T(jobs_come_back_in_the_order_given), T(what_nobody_took_is_dropped),
          T(the_caller_runs_jobs_as_the_last_thread), T(short_jobs_wake_somebody_each))

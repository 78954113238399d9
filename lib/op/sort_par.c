/* SPDX-License-Identifier: Apache-2.0 */
/* The calling thread works too; a thread that cannot be started is done without. */
#include "op/sort_par.h"

#include <stdatomic.h>

#include "sys/thread.h"

#define MAX_HELPERS 63

struct each {
    atomic_llong next;
    int64_t n_tasks;
    void (*run)(void *ctx, int64_t task);
    void *ctx;
};

static void *work(void *arg)
{
    struct each *e = arg;

    for (;;) {
        int64_t task = atomic_fetch_add_explicit(&e->next, 1, memory_order_relaxed);

        if (task >= e->n_tasks)
            return NULL;
        e->run(e->ctx, task);
    }
}

void bp_par_each(int n_threads, int64_t n_tasks, void (*run)(void *ctx, int64_t task), void *ctx)
{
    struct each e = {.n_tasks = n_tasks, .run = run, .ctx = ctx};
    pthread_t helpers[MAX_HELPERS];
    int n = 0;

    atomic_init(&e.next, 0);
    while (n < MAX_HELPERS && n + 1 < n_threads && n + 1 < n_tasks) {
        struct bp_err ignored = {0};

        if (bp_thread_start(&helpers[n], work, &e, &ignored) < 0)
            break;
        n++;
    }
    work(&e);
    for (int i = 0; i < n; i++)
        pthread_join(helpers[i], NULL);
}

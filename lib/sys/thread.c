/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/thread.h"

#include <sched.h>
#include <time.h>

int bp_cpu_count(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

int bp_thread_start(pthread_t *t, void *(*run)(void *), void *arg, struct bp_err *err)
{
    int e = pthread_create(t, NULL, run, arg);

    return e ? bp_fail_errno(err, e, "cannot start a thread") : 0;
}

int64_t bp_clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

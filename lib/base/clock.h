/* SPDX-License-Identifier: Apache-2.0 */
/* Two clocks, in nanoseconds from any start. 0 where the system has none. */
#ifndef BP_BASE_CLOCK_H
#define BP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t bp_clock_of(clockid_t id)
{
    struct timespec t;

    return clock_gettime(id, &t) < 0 ? 0 : (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Time, which nobody sets back. */
static inline int64_t bp_clock_ns(void)
{
    return bp_clock_of(CLOCK_MONOTONIC);
}

/* What the calling thread has worked so far: waiting does not count. */
static inline int64_t bp_cpu_ns(void)
{
    return bp_clock_of(CLOCK_THREAD_CPUTIME_ID);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/busy.h"

#include "base/clock.h"

#define STRETCH_BATCHES 16
#define WAITS_SHARE 10 /* of the time, at most 1/WAITS_SHARE is spent waiting */

bool bp_busy_ask(struct bp_busy *b)
{
    int64_t wall, cpu;

    if (b->yes || b->n_batches++ % STRETCH_BATCHES)
        return b->yes;
    wall = bp_clock_ns();
    cpu = bp_cpu_ns();
    b->yes = b->n_batches > 1 &&
             (wall - b->wall_ns) - (cpu - b->cpu_ns) < (wall - b->wall_ns) / WAITS_SHARE;
    b->wall_ns = wall;
    b->cpu_ns = cpu;
    return b->yes;
}

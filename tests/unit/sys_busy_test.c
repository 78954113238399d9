/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/busy.h"

#include <time.h>

#include "base/clock.h"

#include "unit.h"

static void who_waits_is_not_busy(void)
{
    struct timespec nap = {.tv_nsec = 2000000};
    struct bp_busy b = {0};

    for (int i = 0; i < 50; i++) {
        CHECK(!bp_busy_ask(&b));
        nanosleep(&nap, NULL);
    }
}

static void busy_once_is_busy(void)
{
    struct bp_busy b = {.yes = true};

    for (int i = 0; i < 50; i++)
        CHECK(bp_busy_ask(&b));
}

/* As if a stretch had begun a second of either clock ago. */
static void the_two_clocks_decide(void)
{
    struct bp_busy worked = {.n_batches = 16}, waited = {.n_batches = 16};

    worked.wall_ns = bp_clock_ns();
    worked.cpu_ns = bp_cpu_ns() - 1000000000;
    CHECK(bp_busy_ask(&worked));
    waited.cpu_ns = bp_cpu_ns();
    waited.wall_ns = bp_clock_ns() - 1000000000000;
    CHECK(!bp_busy_ask(&waited));
}

UNIT_MAIN(T(who_waits_is_not_busy), T(the_two_clocks_decide), T(busy_once_is_busy))

/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/busy.h"

#include <time.h>

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

UNIT_MAIN(T(who_waits_is_not_busy), T(busy_once_is_busy))

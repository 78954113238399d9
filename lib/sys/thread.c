/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/thread.h"

#include <stdlib.h>
#include <string.h>

#include "sys/input.h"

#include <sched.h>

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

int64_t bp_peak_bytes(void)
{
    struct bp_buf b = {0};
    struct bp_err ignored = {0};
    const char *at;
    long long kib = -1;

    if (bp_read_file("/proc/self/status", 65536, &b, &ignored) == 0 && bp_buf_str(&b, &ignored)) {
        at = strstr((const char *)b.data, "VmHWM:");
        if (at)
            kib = strtoll(at + 6, NULL, 10);
    }
    bp_buf_release(&b);
    return kib < 0 ? -1 : kib * 1024;
}

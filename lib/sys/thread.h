/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, cores, the clock. Mutexes and conditions are pthread's own. */
#ifndef BP_SYS_THREAD_H
#define BP_SYS_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

/* Cores allowed to this process (affinity), at least 1. */
int bp_cpu_count(void);
int bp_thread_start(pthread_t *t, void *(*run)(void *), void *arg, struct bp_err *err) BP_MUST;
/* The most memory that was resident at once; -1 if that is not known. */
int64_t bp_peak_bytes(void);

#endif

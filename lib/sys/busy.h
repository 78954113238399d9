/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this thread the one that holds up a pipeline? It is, if it hardly ever waits: neither for its
 * input nor for room behind it, nor for a core that others have. Then threads to help it are worth
 * their while. Zero-initialise.
 */
#ifndef BP_SYS_BUSY_H
#define BP_SYS_BUSY_H

#include <stdbool.h>
#include <stdint.h>

struct bp_busy {
    int64_t wall_ns, cpu_ns; /* of the thread, when the stretch began */
    int64_t n_batches;
    bool yes;
};

/* To be asked by the thread itself, behind each batch. Once it is true, it stays so. */
bool bp_busy_ask(struct bp_busy *b);

#endif

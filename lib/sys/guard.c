/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed table of atomic pointers, so that the handler needs no lock. */
#include "sys/guard.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#define MAX_GUARDED 256

static _Atomic(const char *) guarded[MAX_GUARDED];

int bp_guard_add(const char *path)
{
    for (int i = 0; i < MAX_GUARDED; i++) {
        const char *none = NULL;

        if (atomic_compare_exchange_strong(&guarded[i], &none, path))
            return i;
    }
    return -1;
}

void bp_guard_remove(int slot)
{
    if (slot >= 0)
        atomic_store(&guarded[slot], NULL);
}

static void on_signal(int sig)
{
    for (int i = 0; i < MAX_GUARDED; i++) {
        const char *path = atomic_load(&guarded[i]);

        if (path)
            unlink(path);
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

void bp_guard_signals(void)
{
    static const int fatal[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction sa = {.sa_handler = on_signal};
    struct sigaction old;

    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        /* what was ignored by the caller (nohup) stays ignored */
        if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
            continue;
        sigaction(fatal[i], &sa, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary files that must not outlive SIGINT, SIGTERM or SIGHUP. */
#ifndef BP_SYS_GUARD_H
#define BP_SYS_GUARD_H

/* path must stay valid until removed. A slot, or -1 if the table is full (then the
 * next run's sweep removes the file). */
int bp_guard_add(const char *path);
void bp_guard_remove(int slot); /* -1 is a no-op */
/* Ignore SIGPIPE and SIGXFSZ (writes report them); on SIGINT, SIGTERM, SIGHUP unlink
 * guarded files and die by the same signal. Called once by lib/tool. */
void bp_guard_signals(void);

#endif

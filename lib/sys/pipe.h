/* SPDX-License-Identifier: Apache-2.0 */
/* Room in a pipe. */
#ifndef BP_SYS_PIPE_H
#define BP_SYS_PIPE_H

/*
 * As much as this process may have, up to 4 MiB: two batches, so that who writes one and who
 * reads one need not wait for each other. Others than root get what
 * /proc/sys/fs/pipe-max-size says, mostly 1 MiB. Needed by nobody: nothing fails.
 */
void bp_pipe_widen(int fd);

#endif

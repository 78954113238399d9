/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shell command at the other end of a pipe, whose exit status is seen. Between us and
 * it stands a keeper: a process that lives as long as both. Its life hangs on a control
 * pipe from us, and it holds the writing end of the command's stdin itself. So whatever
 * kills us (SIGKILL included), the command is killed before it could take the end of our
 * bytes for the end of the table; it sees an end of file only by bp_child_finish().
 *
 *      we --- control --> keeper --- fork --> sh -c TEXT   (a process group of its own)
 *       \------------- bytes, or back ------------^
 *
 * The command has no terminal to ask at. Its stderr is ours; its stdin is /dev/null
 * where we read from it, its stdout ours where we write to it.
 */
#ifndef BP_SYS_CHILD_H
#define BP_SYS_CHILD_H

#include <stdbool.h>

#include "base/err.h"

struct bp_child;

/* fd: the end of the pipe that is ours; the caller's. is_reader: it reads what we write.
 * May be called from any thread. */
int bp_child_start(struct bp_child **out, const char *text, bool is_reader, int *fd,
                   struct bp_err *err) BP_MUST;
/* What we write ends here (our end of the pipe is closed): waits for the command.
 * BP_ECOMMAND if it exits with another status than 0, BP_EDATA if it does not exit. Frees c. */
int bp_child_finish(struct bp_child *c, struct bp_err *err) BP_MUST;
/* Kills the command and what it started, waits, frees c. Before fd is closed. */
void bp_child_kill(struct bp_child *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A table of an SQLite database, out and in. */
#ifndef BP_SQLITE_H
#define BP_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"

#define BUSY_MS 10000 /* how long another process is waited for */

/* read.c: the table's rows as an Arrow stream to stdout. table "": the only one. */
int table_read(const char *file, const char *table, struct bp_err *err) BP_MUST;
/* write.c: the Arrow stream on stdin into the table, in one transaction; file and table are made if
 * they are not there. A table that has rows is refused, or emptied first (replace). */
int table_write(const char *file, const char *table, bool replace, struct bp_err *err) BP_MUST;

/* main.c: what failed goes to stderr, once. */
void say(const struct bp_err *err);

#endif

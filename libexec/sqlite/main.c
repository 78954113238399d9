/* SPDX-License-Identifier: Apache-2.0 */
/* bp-sqlite read|write|replace FILE TABLE (README.md). */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sqlite.h"

void say(const struct bp_err *err)
{
    static bool said;

    if (!said && err->code < 0 && err->code != BP_ECLOSED)
        fprintf(stderr, "bp-sqlite: %s\n", err->msg);
    said = said || err->code < 0;
}

int main(int argc, char **argv)
{
    struct bp_err err = {0};
    int rc;

    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && strcmp(argv[1], "read") == 0) {
        rc = table_read(argv[2], argv[3], &err);
    } else if (argc == 4 && (strcmp(argv[1], "write") == 0 || strcmp(argv[1], "replace") == 0)) {
        rc = table_write(argv[2], argv[3], argv[1][0] == 'r', &err);
    } else {
        fprintf(stderr, "bp-sqlite is started by bp-read, bp-write and the like for databases of "
                        "SQLite; by hand: bp-sqlite read|write|replace FILE TABLE\n");
        return 2;
    }
    say(&err);
    return rc < 0 && rc != BP_ECLOSED;
}

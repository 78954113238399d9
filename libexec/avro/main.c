/* SPDX-License-Identifier: Apache-2.0 */
/* bp-avro read FILE '': the rows of an Avro object container file as an Arrow stream (README.md).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "avro.h"

/* Once. */
static void say(const struct bp_err *err)
{
    static bool said;

    if (!said && err->code < 0 && err->code != BP_ECLOSED)
        fprintf(stderr, "bp-avro: %s\n", err->msg);
    said = said || err->code < 0;
}

int main(int argc, char **argv)
{
    struct bp_err err = {0};

    if (argc != 4 || strcmp(argv[1], "read") != 0) {
        fprintf(stderr, "bp-avro is started by bp-read and the like for Avro files; by hand: "
                        "bp-avro read FILE ''\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (*argv[3])
        bp_fail(&err, BP_EDATA, "%s: an Avro file has no tables, so none is named '%s'", argv[2],
                argv[3]);
    else if (avro_read(argv[2], STDOUT_FILENO, say, &err) == BP_ECLOSED)
        bp_err_clear(&err);
    say(&err);
    return err.code < 0;
}

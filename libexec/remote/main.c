/* SPDX-License-Identifier: Apache-2.0 */
/* bp-remote: http and s3 for the commands (README.md). Not to be run by hand. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "remote.h"

static int usage(void)
{
    fprintf(stderr, "bp-remote is started by batchpipe's commands for names such as "
                    "s3://BUCKET/KEY; it is of no use by hand\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct bp_err err = {0};
    struct stat st;

    if (argc < 2 || fstat(BP_WIRE_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
        return usage();
    /* the command decides, and its end is seen on the socket: an upload is aborted then */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[1], "serve") == 0 && argc == 2)
        return serve(&err) < 0;
    if (strcmp(argv[1], "put") == 0 && argc == 3)
        return put(argv[2], &err) < 0;
    return usage();
}

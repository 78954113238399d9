/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an Avro file: no crash, no leak. What is accepted is a whole stream that our
 * own reader takes; what is refused has a message, and a stream that nobody takes for a result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../libexec/avro/avro.h"
#include "ipc/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* Reads the stream in fd to its end: BP_DONE, or why not. */
static int read_stream(int fd)
{
    off_t end = lseek(fd, 0, SEEK_END);
    uint8_t *p = malloc((size_t)end + 1);
    struct bp_source src = {0};
    struct bp_err err = {0};
    struct bp_input in;
    struct bp_batch b;
    int rc;

    must(p && pread(fd, p, (size_t)end, 0) == end);
    rc = bp_input_from_memory(&in, "stream", p, (size_t)end, &err);
    if (rc == 0)
        rc = bp_ipc_stream_source(&src, &in, NULL, &err);
    while (rc == 0 && (rc = bp_source_next(&src, &b, &err)) == 0)
        bp_batch_release(&b);
    bp_source_free(&src);
    free(p);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int in = memfd_create("file.avro", 0), out = memfd_create("stream", 0), rc;
    struct bp_err err = {0};
    char path[40];

    must(in >= 0 && out >= 0 && write(in, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", in);
    rc = avro_read(path, dup(out), NULL, &err);
    must(rc == 0 || (rc < 0 && err.code == rc && err.msg[0]));
    must((read_stream(out) == BP_DONE) == (rc == 0));
    close(in);
    close(out);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, value by value, into a stream: all of them in batches of their bound, or an abort mark. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/ipc.h"
#include "ipc/rows.h"
#include "unit.h"

/* n rows of one column that counts; they end with rc. */
static void write_rows(int fd, int64_t n, int rc)
{
    struct bp_err err = {0};
    struct bp_schema schema = {0};
    struct bp_ipc_rows r = {0};
    int ended;

    NEED(bp_schema_add(&schema, "n", BP_TYPE(BP_INT64), &err) == 0);
    NEED(bp_ipc_rows_open(&r, dup(fd), "memory", &schema, &err) == 0);
    for (int64_t i = 0; i < n; i++) {
        CHECK(bp_builder_add(&r.cols[0], &i, &err) == 0);
        CHECK(bp_ipc_rows_next(&r, 8, &err) == 0);
        CHECK(r.n_rows == i + 1);
    }
    if (rc < 0)
        bp_fail(&err, rc, "the table went away");
    ended = bp_ipc_rows_end(&r, rc, NULL, &err);
    CHECK(ended == rc);
    CHECK(!r.cols && !r.sink.ops);
    bp_schema_release(&schema);
}

/* The rows that come back, which must count up. */
static int read_rows(int fd, int64_t *n, struct bp_err *err)
{
    off_t end = lseek(fd, 0, SEEK_END);
    uint8_t *p = calloc((size_t)end + 1, 1);
    struct bp_source src = {0};
    struct bp_input in;
    struct bp_batch b;
    int rc;

    CHECK(p && pread(fd, p, (size_t)end, 0) == end);
    *n = 0;
    rc = bp_input_from_memory(&in, "memory", p, (size_t)end, err);
    if (rc == 0)
        rc = bp_ipc_stream_source(&src, &in, NULL, err);
    while (rc == 0 && (rc = bp_source_next(&src, &b, err)) == 0) {
        const int64_t *v = b.cols[0].data;

        for (int64_t i = 0; i < b.n_rows; i++)
            CHECK(v[i] == *n + i);
        *n += b.n_rows;
        bp_batch_release(&b);
    }
    bp_source_free(&src);
    free(p);
    return rc;
}

static void every_row_is_in_the_stream(void)
{
    static const int64_t sizes[] = {0, 1, BP_IPC_ROWS_N, BP_IPC_ROWS_N + 1, 3 * BP_IPC_ROWS_N - 1};

    for (size_t i = 0; i < BP_COUNT_OF(sizes); i++) {
        int fd = memfd_create("rows", 0);
        struct bp_err err = {0};
        int64_t n;

        write_rows(fd, sizes[i], 0);
        CHECK(read_rows(fd, &n, &err) == BP_DONE);
        CHECK(n == sizes[i]);
        close(fd);
    }
}

static void a_failure_is_handed_on(void)
{
    int fd = memfd_create("rows", 0);
    struct bp_err err = {0};
    int64_t n;

    write_rows(fd, 10, BP_EDATA);
    CHECK(read_rows(fd, &n, &err) == BP_EUPSTREAM);
    CHECK(strstr(err.msg, "the table went away") != NULL);
    close(fd);
}

static void what_was_never_opened_can_end(void)
{
    struct bp_ipc_rows r = {0};
    struct bp_err err = {0};

    bp_fail(&err, BP_EDATA, "no such table");
    CHECK(bp_ipc_rows_end(&r, BP_EDATA, NULL, &err) == BP_EDATA);
}

UNIT_MAIN(T(every_row_is_in_the_stream), T(a_failure_is_handed_on),
          T(what_was_never_opened_can_end))

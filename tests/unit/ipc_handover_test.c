/* SPDX-License-Identifier: Apache-2.0 */
/* A stream whose bodies go through shared memory, from a thread to this one. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/ipc.h"
#include "unit.h"

#define BATCHES 30
#define ROWS 20000

static int ends[2];

static void make_batch(struct bp_batch *out, int64_t first)
{
    struct bp_err err = {0};
    struct bp_builder b;

    bp_builder_init(&b, BP_TYPE(BP_INT64));
    for (int64_t i = first; i < first + ROWS; i++)
        CHECK(bp_builder_add(&b, &i, &err) == 0);
    CHECK(bp_batch_init(out, 1, &err) == 0);
    out->n_rows = ROWS;
    CHECK(bp_builder_finish(&b, &out->cols[0], &err) == 0);
}

/* A stream of BATCHES * ROWS numbers from 0 on. */
static void *write_stream(void *arg)
{
    struct bp_schema schema = {0};
    struct bp_err err = {0};
    struct bp_sink sink;
    struct bp_outfile f;

    (void)arg;
    CHECK(bp_schema_add(&schema, "n", BP_TYPE(BP_INT64), &err) == 0);
    CHECK(bp_outfile_borrow(&f, ends[1], "pipe", &err) == 0);
    CHECK(bp_ipc_stream_sink(&sink, &f, &schema, &err) == 0);
    for (int64_t i = 0; i < BATCHES; i++) {
        struct bp_batch b;

        make_batch(&b, i * ROWS);
        CHECK(bp_sink_put(&sink, &b, &err) == 0);
    }
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&schema);
    return NULL;
}

/* Does p lie in memory that a ring shares? NULL: is there any? */
static bool is_shared(const void *p)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from, to;
    char line[512];
    bool yes = false;

    CHECK(maps != NULL);
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "batchpipe ring") && sscanf(line, "%lx-%lx", &from, &to) == 2)
            yes = yes || !p || ((uintptr_t)p >= from && (uintptr_t)p < to);
    if (maps)
        fclose(maps);
    return yes;
}

/* All numbers, and how many batches lay in shared memory. */
static int read_stream(struct bp_source *src)
{
    struct bp_err err = {0};
    struct bp_batch b;
    int64_t next = 0;
    int shared = 0, rc;

    while ((rc = bp_source_next(src, &b, &err)) == 0) {
        const int64_t *v = b.cols[0].data;

        shared += b.n_rows && is_shared(v);
        for (int64_t i = 0; i < b.n_rows; i++)
            CHECK(v[i] == next + i);
        CHECK(b.first_row == next);
        next += b.n_rows;
        bp_batch_release(&b);
    }
    CHECK(rc == BP_DONE && next == (int64_t)BATCHES * ROWS);
    return shared;
}

/* The stream through a pipe; with_ring: the reader takes part. */
static int through_a_pipe(bool with_ring)
{
    struct bp_err err = {0};
    struct bp_source src;
    struct bp_input in;
    pthread_t writer;
    char path[64];
    int shared;

    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    if (!with_ring)
        setenv("BP_RING", "off", 1);
    CHECK(bp_input_open(&in, path, &err) == 0);
    CHECK(pthread_create(&writer, NULL, write_stream, NULL) == 0);
    CHECK(bp_ipc_stream_source(&src, &in, NULL, &err) == 0);
    shared = read_stream(&src);
    pthread_join(writer, NULL);
    CHECK(!is_shared(NULL)); /* it ended with the stream: who reads may go on for long */
    bp_source_free(&src);
    close(ends[0]);
    return shared;
}

static void large_streams_are_handed_over_behind_their_first_batches(void)
{
    unsetenv("BP_RING");
    CHECK(through_a_pipe(true) > 0);
}

static void all_of_them_for_tests(void)
{
    setenv("BP_RING", "all", 1);
    CHECK(through_a_pipe(true) >= 3);
}

static void or_not_at_all(void)
{
    CHECK(through_a_pipe(false) == 0);
    unsetenv("BP_RING");
}

UNIT_MAIN(T(large_streams_are_handed_over_behind_their_first_batches), T(all_of_them_for_tests),
          T(or_not_at_all))

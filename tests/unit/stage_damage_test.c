/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged stage files: refused, or read as if nothing had happened. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/hash.h"
#include "ipc/ipc.h"
#include "stage_fixture.h"
#include "sys/dir.h"
#include "sys/thread.h"

/* One column of every type; the text form cannot tell all encodings apart. */
static const struct bp_type types[] = {
    {.kind = BP_BOOL},
    {.kind = BP_INT8},
    {.kind = BP_INT16},
    {.kind = BP_INT32},
    {.kind = BP_INT64},
    {.kind = BP_UINT8},
    {.kind = BP_UINT16},
    {.kind = BP_UINT32},
    {.kind = BP_UINT64},
    {.kind = BP_FLOAT32},
    {.kind = BP_FLOAT64},
    {.kind = BP_DECIMAL, .precision = 10, .scale = 2},
    {.kind = BP_DATE},
    {.kind = BP_TIME, .unit = BP_SECOND},
    {.kind = BP_TIME, .unit = BP_MICRO},
    {.kind = BP_TIMESTAMP, .unit = BP_MILLI},
    {.kind = BP_TIMESTAMPTZ, .unit = BP_MICRO},
    {.kind = BP_INTERVAL},
    {.kind = BP_TEXT},
    {.kind = BP_BINARY},
};

static void make_types(struct bp_schema *s)
{
    const char *const clauses[] = {"total_amount > 0", NULL};
    const struct bp_step step = {"bp-filter", clauses, NULL, NULL};
    char name[16];

    *s = (struct bp_schema){0};
    for (size_t i = 0; i < BP_COUNT_OF(types); i++) {
        snprintf(name, sizeof name, "c%zu", i);
        CHECK(bp_schema_add(s, name, types[i], &err) == 0);
    }
    CHECK(bp_lineage_push(s, &step, NULL, 0, &err) == 0);
    CHECK(bp_schema_set_meta(s, BP_MARK_PARTIAL, "{}", &err) == 0);
}

static void make_values(struct bp_batch *b, int64_t from, int64_t n)
{
    CHECK(bp_batch_init(b, (int)BP_COUNT_OF(types), &err) == 0);
    for (size_t c = 0; c < BP_COUNT_OF(types); c++) {
        struct bp_builder k;

        bp_builder_init(&k, types[c]);
        for (int64_t i = from; i < from + n; i++) {
            uint8_t value[16] = {(uint8_t)(i + 1), (uint8_t)c, 0};

            if ((i + (int64_t)c) % 4 == 0)
                CHECK(bp_builder_add_null(&k, &err) == 0);
            else if (bp_type_is_bytes(types[c]))
                CHECK(bp_builder_add_bytes(&k, "abcdefgh", (size_t)i % 8, &err) == 0);
            else
                CHECK(bp_builder_add(&k, value, &err) == 0);
        }
        CHECK(bp_builder_finish(&k, &b->cols[c], &err) == 0);
    }
    b->n_rows = n;
}

static void write_types(const char *dir, int task, int n_tasks)
{
    static const char *const keys[] = {"c3", "c18", NULL};
    struct bp_stage_opts o = {
        .dir = dir, .keys = keys, .parts = 2, .task = task, .n_tasks = n_tasks};
    struct bp_sink sink = {0};
    struct bp_schema s;
    struct bp_batch b;

    bp_err_clear(&err);
    make_types(&s);
    NEED(bp_stage_sink(&sink, &s, &o, &ctx, &err) == 0);
    make_values(&b, task * 10, 9);
    CHECK(bp_sink_put(&sink, &b, &err) == 0);
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&s);
}

static uint64_t chain(uint64_t sum, const void *p, size_t n)
{
    return bp_xxh3_seeded(p, n, sum);
}

static uint64_t sum_schema(const struct bp_schema *s)
{
    static const char *const marks[] = {BP_MARK_PARTED, BP_MARK_PARTIAL, BP_MARK_TASK,
                                        BP_MARK_SORTED, BP_MARK_LINEAGE, BP_MARK_VERSION};
    struct bp_buf b = {0};
    uint64_t sum;

    CHECK(bp_schema_print(s, true, &b, &err) == 0);
    for (size_t i = 0; i < BP_COUNT_OF(marks); i++) {
        const char *v = bp_schema_meta(s, marks[i]);

        CHECK(bp_buf_printf(&b, &err, "%s\n", v ? v : "-") == 0);
    }
    sum = chain(0, b.data, b.len);
    bp_buf_release(&b);
    return sum;
}

static uint64_t sum_rows(uint64_t sum, const struct bp_batch *b)
{
    const struct bp_column *cols[BP_COUNT_OF(types)];
    uint64_t hashes[64];

    if (b->n_cols != (int)BP_COUNT_OF(types) || b->n_rows > 64)
        return 1;
    for (int c = 0; c < b->n_cols; c++)
        cols[c] = &b->cols[c];
    CHECK(bp_key_hash(cols, b->n_cols, b->n_rows, hashes, &err) == 0);
    return chain(sum, hashes, (size_t)b->n_rows * sizeof *hashes);
}

/* 0 and the fingerprint of schema, marks and rows in order; or the error. */
static int fingerprint(const char *dir, uint64_t *sum)
{
    struct bp_source src;
    struct bp_batch b;
    int rc;

    bp_err_clear(&err);
    if (!bp_stage_is(dir)) { /* then the directory would be read as plain files */
        *sum = 2;
        return 0;
    }
    rc = bp_stage_source(&src, dir, whole, 0, 0, &ctx, &err);
    if (rc < 0)
        return rc;
    *sum = sum_schema(&src.schema);
    while ((rc = bp_source_next(&src, &b, &err)) == 0) {
        *sum = sum_rows(*sum, &b);
        bp_batch_release(&b);
    }
    bp_source_free(&src);
    return rc == BP_DONE ? 0 : rc;
}

struct file {
    char path[300];
    uint8_t *data;
    size_t n;
};

static bool load(struct file *f, const char *dir, const char *name)
{
    struct bp_buf b = {0};

    snprintf(f->path, sizeof f->path, "%s/%s", dir, name);
    if (bp_read_file(f->path, 1 << 20, &b, &err) < 0)
        return false;
    f->data = b.data;
    f->n = b.len;
    return true;
}

static void store(const struct file *f, size_t n)
{
    int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    CHECK(fd >= 0 && write(fd, f->data, n) == (ssize_t)n && close(fd) == 0);
}

static void poke(int fd, size_t at, uint8_t v)
{
    CHECK(pwrite(fd, &v, 1, (off_t)at) == 1);
}

/* Each byte, xor each of masks: how many of the changes changed the result. */
static int flip_all(const char *dir, const char *name, const uint8_t *masks, int n_masks,
                    size_t *n_read)
{
    struct file f;
    uint64_t want, got;
    int fd, n_wrong = 0;

    *n_read = 0;
    CHECK(fingerprint(dir, &want) == 0 && want != 2);
    if (!load(&f, dir, name))
        return -1;
    fd = open(f.path, O_WRONLY);
    for (size_t i = 0; i < f.n; i++)
        for (int m = 0; m < n_masks; m++) {
            uint8_t mask = (uint8_t)(masks[m] ? masks[m] : 1u << (i % 8));

            poke(fd, i, f.data[i] ^ mask);
            if (fingerprint(dir, &got) == 0) {
                ++*n_read;
                if (got != want) {
                    n_wrong++;
                    printf("# %s: byte %zu of %zu, xor %02x: the result is another\n", name, i, f.n,
                           mask);
                }
            } else {
                CHECK(err.msg[0] != '\0');
            }
            poke(fd, i, f.data[i]);
        }
    CHECK(close(fd) == 0);
    CHECK(fingerprint(dir, &got) == 0 && got == want);
    bp_mem_free(f.data);
    return n_wrong;
}

static void every_flipped_byte_is_refused_or_changes_nothing(void)
{
    /* BP_TEST_ALL_FLIPS: every value of every byte */
    static uint8_t all[255];
    static const uint8_t one_bit[] = {0};
    bool thorough = getenv("BP_TEST_ALL_FLIPS") != NULL;
    const char *dir = new_dir();
    size_t n_read;

    for (int i = 0; i < 255; i++)
        all[i] = (uint8_t)(i + 1);
    write_types(dir, 0, 2);
    write_types(dir, 1, 2);
    CHECK(flip_all(dir, "00001-of-00002.arrow", thorough ? all : one_bit, thorough ? 255 : 1,
                   &n_read) == 0);
    CHECK(n_read > 0); /* the schema's copy at the start is read by nobody */
}

static void a_stage_of_one_file_stays_a_stage_when_flipped(void)
{
    static const uint8_t few[] = {0x20};
    const char *dir = new_dir();
    size_t n_read;

    write_types(dir, 0, 0);
    CHECK(flip_all(dir, "00000-of-00001.arrow", few, 1, &n_read) == 0);
}

static void a_file_cut_anywhere_is_refused(void)
{
    const char *dir = new_dir();
    uint64_t sum;
    struct file f;

    write_types(dir, 0, 1);
    NEED(load(&f, dir, "00000-of-00001.arrow"));
    for (size_t n = 0; n < f.n; n++) {
        store(&f, n);
        CHECK(fingerprint(dir, &sum) < 0);
    }
    store(&f, f.n);
    CHECK(fingerprint(dir, &sum) == 0);
    bp_mem_free(f.data);
}

static void a_file_under_another_name_is_refused(void)
{
    const char *dir = new_dir();
    struct file f;
    uint64_t sum;

    write_types(dir, 0, 2);
    write_types(dir, 1, 2);
    NEED(load(&f, dir, "00000-of-00002.arrow"));
    snprintf(f.path, sizeof f.path, "%s/00001-of-00002.arrow", dir);
    store(&f, f.n); /* cp of task 0 over task 1: no row may come twice */
    CHECK(fingerprint(dir, &sum) == BP_EDATA);
    CHECK(strstr(err.msg, "00001-of-00002.arrow is task 0 of 2") != NULL);
    bp_mem_free(f.data);
}

static void a_foreign_arrow_file_among_the_tasks_is_refused(void)
{
    const char *dir = new_dir();
    struct bp_sink sink = {0};
    struct bp_outfile out;
    struct bp_schema s;
    char path[300];
    uint64_t sum;

    write_types(dir, 0, 2);
    make_types(&s);
    snprintf(path, sizeof path, "%s/00001-of-00002.arrow", dir);
    NEED(bp_outfile_open(&out, path, &err) == 0);
    NEED(bp_ipc_file_sink(&sink, &out, &s, &err) == 0);
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&s);
    CHECK(fingerprint(dir, &sum) == BP_EDATA);
    CHECK(strstr(err.msg, "not of a stage") != NULL);
}

/* ---- killed ---- */

static void write_slowly(const char *dir, int64_t n_rows)
{
    struct job j = {.dir = dir, .parts = 64, .n_rows = n_rows, .batch_rows = 3000};

    ctx.budget.limit_bytes = 1 << 20;
    _exit(write_stage(&j) < 0);
}

static void killed_at_any_moment_it_leaves_the_old_file_or_the_new(void)
{
    const char *dir = new_dir();
    struct job old = {.dir = dir, .parts = 64, .n_rows = 50};
    int n_old = 0, n_new = 0;
    int64_t n, began = bp_clock_ns(), usual_us;
    struct bp_names l;

    bp_err_clear(&err);
    if (fork() == 0)
        write_slowly(dir, 60000);
    CHECK(wait(NULL) > 0);
    usual_us = (bp_clock_ns() - began) / 1000;
    NEED(write_stage(&old) == 0);
    for (int i = 0; i < 40; i++) {
        pid_t pid;
        int status;

        fflush(stdout);
        pid = fork();
        if (pid == 0)
            write_slowly(dir, 60000);
        usleep((useconds_t)(usual_us * i / 30));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        CHECK(read_rows(dir, &n) == 0);
        CHECK(n == 50 || n == 60000);
        n_old += n == 50;
        n_new += n == 60000;
        if (n != 50)
            NEED(write_stage(&old) == 0);
    }
    printf("# %d times the old file, %d times the new\n", n_old, n_new);
    CHECK(n_old > 0 && n_old + n_new == 40);
    NEED(write_stage(&old) == 0); /* sweeps what the dead left */
    CHECK(bp_dir_list(dir, true, &l, &err) == 0);
    CHECK(l.n == 1);
    bp_names_release(&l);
}

static void a_sink_that_is_dropped_leaves_nothing(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 4};
    struct bp_sink sink = {0};
    struct bp_schema s;
    struct bp_names l;
    struct bp_batch b;

    NEED(open_sink(&j, &s, &sink) == 0);
    make_batch(&b, &s, 0, 5000);
    CHECK(bp_sink_put(&sink, &b, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&s);
    CHECK(bp_dir_list(dir, true, &l, &err) == 0);
    CHECK(l.n == 0);
    bp_names_release(&l);
}

static void the_end(void)
{
    remove_scratch();
}

UNIT_MAIN(T(every_flipped_byte_is_refused_or_changes_nothing),
          T(a_stage_of_one_file_stays_a_stage_when_flipped), T(a_file_cut_anywhere_is_refused),
          T(a_file_under_another_name_is_refused),
          T(a_foreign_arrow_file_among_the_tasks_is_refused),
          T(killed_at_any_moment_it_leaves_the_old_file_or_the_new),
          T(a_sink_that_is_dropped_leaves_nothing), T(the_end))

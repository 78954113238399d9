/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of lib/stage: a scratch directory, a table whose every value
 * follows from the row's number g, and stages written from ranges of it.
 */
#ifndef BP_TESTS_STAGE_FIXTURE_H
#define BP_TESTS_STAGE_FIXTURE_H

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "col/key.h"
#include "flow/marks.h"
#include "stage/stage.h"
#include "unit.h"

enum { COL_G, COL_KEY, COL_TEXT, COL_FLAG, COL_PRICE, COL_TIME, COL_N };

static struct bp_err err;
static struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 8192};
static char scratch[200];
static int n_dirs;

static const char *new_dir(void)
{
    static char path[4][256];
    char *p = path[n_dirs % 4];

    if (!scratch[0]) {
        const char *tmp = getenv("TMPDIR");

        snprintf(scratch, sizeof scratch, "%s/bp-stage-XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(scratch))
            abort();
    }
    snprintf(p, sizeof path[0], "%s/%d", scratch, n_dirs++);
    return p;
}

static inline void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char path[600];

    while (d && (e = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.' || strlen(e->d_name) > 2)
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

static inline void remove_scratch(void)
{
    char path[256];

    for (int i = 0; i < n_dirs; i++) {
        snprintf(path, sizeof path, "%s/%d", scratch, i);
        remove_dir(path);
    }
    if (scratch[0])
        rmdir(scratch);
}

/* ---- the table ---- */

static inline void make_schema(struct bp_schema *s)
{
    *s = (struct bp_schema){0};
    bp_err_clear(&err);
    CHECK(bp_schema_add(s, "g", BP_TYPE(BP_INT64), &err) == 0);
    CHECK(bp_schema_add(s, "key", BP_TYPE(BP_INT32), &err) == 0);
    CHECK(bp_schema_add(s, "text", BP_TYPE(BP_TEXT), &err) == 0);
    CHECK(bp_schema_add(s, "flag", BP_TYPE(BP_BOOL), &err) == 0);
    CHECK(bp_schema_add(s, "price", BP_TYPE_DECIMAL(10, 2), &err) == 0);
    CHECK(bp_schema_add(s, "at", BP_TYPE_UNIT(BP_TIME, BP_MILLI), &err) == 0);
}

static inline int32_t key_of(int64_t g)
{
    return (int32_t)(g * 7919 % 1009);
}

static inline int text_of(int64_t g, char out[64])
{
    return g % 50 == 3 ? 0 : snprintf(out, 64, "row %lld of many", (long long)(g % 300));
}

static inline void add_row(struct bp_builder *b, int64_t g)
{
    int32_t key = key_of(g);
    uint8_t flag = g % 3 == 0;
    bp_int128 price = (bp_int128)g * 25 - 1000;
    int64_t at = g * 1000 % 86400000;
    char text[64];
    int n = text_of(g, text);

    CHECK(bp_builder_add(&b[COL_G], &g, &err) == 0);
    CHECK((g % 11 ? bp_builder_add(&b[COL_KEY], &key, &err)
                  : bp_builder_add_null(&b[COL_KEY], &err)) == 0);
    CHECK((g % 13 ? bp_builder_add_bytes(&b[COL_TEXT], text, (size_t)n, &err)
                  : bp_builder_add_null(&b[COL_TEXT], &err)) == 0);
    CHECK(bp_builder_add(&b[COL_FLAG], &flag, &err) == 0);
    CHECK(bp_builder_add(&b[COL_PRICE], &price, &err) == 0);
    CHECK((g % 5 ? bp_builder_add(&b[COL_TIME], &at, &err)
                 : bp_builder_add_null(&b[COL_TIME], &err)) == 0);
}

static inline void make_batch(struct bp_batch *out, const struct bp_schema *s, int64_t from,
                              int64_t n)
{
    struct bp_builder b[COL_N];

    for (int c = 0; c < COL_N; c++)
        bp_builder_init(&b[c], s->fields[c].type);
    for (int64_t g = from; g < from + n; g++)
        add_row(b, g);
    CHECK(bp_batch_init(out, COL_N, &err) == 0);
    for (int c = 0; c < COL_N; c++)
        CHECK(bp_builder_finish(&b[c], &out->cols[c], &err) == 0);
    out->n_rows = n;
}

/* True if row i of b is what its g says. */
static inline bool row_is_right(const struct bp_batch *b, int64_t i)
{
    int64_t g = ((const int64_t *)b->cols[COL_G].data)[i];
    bp_int128 price = bp_column_decimal(&b->cols[COL_PRICE], i);
    char text[64];
    size_t n;
    const uint8_t *p = bp_column_bytes(&b->cols[COL_TEXT], i, &n);
    size_t want = (size_t)text_of(g, text);

    if (bp_column_is_null(&b->cols[COL_KEY], i) != (g % 11 == 0) ||
        bp_column_is_null(&b->cols[COL_TEXT], i) != (g % 13 == 0) ||
        bp_column_is_null(&b->cols[COL_TIME], i) != (g % 5 == 0))
        return false;
    if (g % 13 && (n != want || (n && memcmp(p, text, n) != 0)))
        return false;
    return (g % 11 == 0 || ((const int32_t *)b->cols[COL_KEY].data)[i] == key_of(g)) &&
           bp_bit_get(b->cols[COL_FLAG].data, i) == (g % 3 == 0) &&
           price == (bp_int128)g * 25 - 1000 &&
           (g % 5 == 0 || ((const int64_t *)b->cols[COL_TIME].data)[i] == g * 1000 % 86400000);
}

/* ---- stages ---- */

struct job {
    const char *dir;
    uint32_t parts;
    int task, n_tasks;
    int64_t from, n_rows, batch_rows;
    const char *clause; /* in the lineage; NULL: none */
    bool even, no_keys, replace;
    struct bp_share mark; /* of the stream */
};

static const char *const job_keys[] = {"key", NULL};
static const char *const no_keys[] = {NULL};

static inline int open_sink(const struct job *j, struct bp_schema *s, struct bp_sink *sink)
{
    const char *const clauses[] = {j->clause, NULL};
    const struct bp_step step = {"bp-filter", clauses, NULL, NULL};
    struct bp_stage_opts o = {.dir = j->dir,
                              .keys = j->no_keys || j->even ? no_keys : job_keys,
                              .parts = j->parts,
                              .even = j->even,
                              .task = j->task,
                              .n_tasks = j->n_tasks,
                              .replace = j->replace};

    make_schema(s);
    if (j->clause)
        CHECK(bp_lineage_push(s, &step, NULL, 0, &err) == 0);
    if (j->mark.n)
        CHECK(bp_mark_set_task(s, j->mark, &err) == 0);
    return bp_stage_sink(sink, s, &o, &ctx, &err);
}

/* Runs the job as far as the commit; the first error. */
static inline int write_stage(const struct job *j)
{
    struct bp_sink sink = {0};
    struct bp_schema s;
    int rc = open_sink(j, &s, &sink);
    int64_t step = j->batch_rows ? j->batch_rows : 1000;

    for (int64_t at = 0; at < j->n_rows && rc == 0; at += step) {
        struct bp_batch b;

        make_batch(&b, &s, j->from + at, BP_MIN(step, j->n_rows - at));
        b.share = j->mark;
        rc = bp_sink_put(&sink, &b, &err);
    }
    if (rc == 0)
        rc = sink.ops->commit(sink.self, &err);
    bp_sink_free(&sink);
    bp_schema_release(&s);
    return rc;
}

static const struct bp_stage_range whole = {-1, -1};

/* What reading a stage gave. */
struct got {
    int rc;
    int64_t n_rows, n_batches;
    uint64_t sum;         /* over the rows and their order */
    uint8_t *seen;        /* times that each g came */
    int64_t n_seen;       /* length of seen */
    bool rows_right;      /* row_is_right() for all */
    bool in_order;        /* partitions ascend, g within them */
    uint32_t first, last; /* partitions that came */
    struct bp_share share;
};

static inline void note_rows(struct got *got, const struct bp_batch *b, uint32_t parts)
{
    const struct bp_column *key = &b->cols[COL_KEY];
    uint64_t *hashes = bp_mem_new((size_t)b->n_rows, sizeof *hashes, &err);
    static int64_t last_g;

    CHECK(bp_key_hash(&key, 1, b->n_rows, hashes, &err) == 0);
    for (int64_t i = 0; i < b->n_rows; i++) {
        int64_t g = ((const int64_t *)b->cols[COL_G].data)[i];
        uint32_t part = bp_key_part(hashes[i], parts);

        got->rows_right &= row_is_right(b, i);
        if (got->n_rows + i > 0 && (part < got->last || (part == got->last && g <= last_g)))
            got->in_order = false;
        got->first = got->n_rows + i == 0 ? part : got->first;
        got->last = part;
        last_g = g;
        if (g >= 0 && g < got->n_seen)
            got->seen[g]++;
        got->sum = got->sum * 31 + (uint64_t)g;
    }
    bp_mem_free(hashes);
}

/* Rows are noted as of a stage with `parts` partitions; got->seen is the caller's. */
static inline void read_stage(struct got *got, const char *dir, struct bp_stage_range range,
                              int task, int n_tasks, uint32_t parts)
{
    struct bp_source src;
    struct bp_batch b;

    bp_err_clear(&err);
    got->rows_right = got->in_order = true;
    got->n_rows = got->n_batches = 0;
    got->sum = 0;
    got->rc = bp_stage_source(&src, dir, range, task, n_tasks, &ctx, &err);
    if (got->rc < 0)
        return;
    while ((got->rc = bp_source_next(&src, &b, &err)) == 0) {
        if (b.n_rows && b.n_cols == COL_N)
            note_rows(got, &b, parts);
        got->n_rows += b.n_rows;
        got->n_batches++;
        got->share = b.share;
        bp_batch_release(&b);
    }
    if (got->rc == BP_DONE)
        got->rc = 0;
    bp_source_free(&src);
}

static inline int read_rows(const char *dir, int64_t *n_rows)
{
    struct got got = {0};

    read_stage(&got, dir, whole, 0, 0, 1);
    *n_rows = got.n_rows;
    return got.rc;
}

#endif

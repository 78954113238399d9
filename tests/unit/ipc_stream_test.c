/* SPDX-License-Identifier: Apache-2.0 */
/* Streams out and in again: values, ends, damage. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow/marks.h"
#include "ipc/ipc.h"
#include "unit.h"

/* A batch of n rows: integer (every 5th null), text, dictionary of 3, boolean. */
static struct bp_dict *dict;

static void make_schema(struct bp_schema *s)
{
    struct bp_err err = {0};

    memset(s, 0, sizeof *s);
    CHECK(bp_schema_add(s, "n", BP_TYPE(BP_INT64), &err) == 0);
    CHECK(bp_schema_add(s, "t", BP_TYPE(BP_TEXT), &err) == 0);
    CHECK(bp_schema_add(s, "k", BP_TYPE(BP_TEXT), &err) == 0);
    CHECK(bp_schema_add(s, "b", BP_TYPE(BP_BOOL), &err) == 0);
    s->fields[2].dict = BP_DICT_KNOWN;
}

static void make_dict(void)
{
    struct bp_err err = {0};
    struct bp_builder b;
    struct bp_column c;

    bp_builder_init(&b, BP_TYPE(BP_TEXT));
    for (int i = 0; i < 3; i++)
        CHECK(bp_builder_add_bytes(&b, &"xyz"[i], 1, &err) == 0);
    CHECK(bp_builder_finish(&b, &c, &err) == 0);
    CHECK(bp_dict_new(&dict, &c, &err) == 0);
}

static void make_batch(struct bp_batch *out, int64_t first, int64_t n)
{
    static const enum bp_kind kinds[] = {BP_INT64, BP_TEXT, BP_INT32, BP_BOOL};
    struct bp_builder b[4];
    struct bp_err err = {0};
    char text[32];

    for (int i = 0; i < 4; i++)
        bp_builder_init(&b[i], BP_TYPE((uint8_t)kinds[i]));
    for (int64_t i = first; i < first + n; i++) {
        int32_t code = (int32_t)(i % 3);

        CHECK((i % 5 == 4 ? bp_builder_add_null(&b[0], &err) : bp_builder_add(&b[0], &i, &err)) ==
              0);
        snprintf(text, sizeof text, "row %lld", (long long)i);
        CHECK(bp_builder_add_bytes(&b[1], text, strlen(text), &err) == 0);
        CHECK(bp_builder_add(&b[2], &code, &err) == 0);
        CHECK(bp_builder_add(&b[3], &(uint8_t){i % 2 == 0}, &err) == 0);
    }
    CHECK(bp_batch_init(out, 4, &err) == 0);
    out->n_rows = n;
    for (int i = 0; i < 4; i++)
        CHECK(bp_builder_finish(&b[i], &out->cols[i], &err) == 0);
    out->cols[2].type = BP_TYPE(BP_TEXT);
    out->cols[2].dict = bp_dict_ref(dict);
}

/* A sink on a memory file. */
static int open_sink(struct bp_sink *sink, int fd, const struct bp_schema *schema)
{
    struct bp_err err = {0};
    struct bp_outfile f;

    CHECK(bp_outfile_borrow(&f, dup(fd), "memory", &err) == 0);
    return bp_ipc_stream_sink(sink, &f, schema, &err);
}

/* What is in fd, NUL behind it. */
static uint8_t *contents(int fd, size_t *n)
{
    off_t end = lseek(fd, 0, SEEK_END);
    uint8_t *p = calloc((size_t)end + 1, 1);

    *n = (size_t)end;
    CHECK(p && pread(fd, p, *n, 0) == end);
    return p;
}

/* Rows [0, n) written as one stream, in batches of step rows. */
static uint8_t *write_rows(int64_t n, int64_t step, size_t *n_bytes)
{
    int fd = memfd_create("stream", 0);
    struct bp_err err = {0};
    struct bp_schema schema;
    struct bp_sink sink;
    struct bp_batch b;
    uint8_t *p;

    make_schema(&schema);
    CHECK(open_sink(&sink, fd, &schema) == 0);
    for (int64_t i = 0; i < n; i += step) {
        make_batch(&b, i, BP_MIN(step, n - i));
        CHECK(bp_sink_put(&sink, &b, &err) == 0);
    }
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&schema);
    p = contents(fd, n_bytes);
    close(fd);
    return p;
}

/* Reads all of it; rows, or the error's code. first: checked against row numbers. */
static int64_t read_rows(const uint8_t *p, size_t n, bool truncated, struct bp_err *err)
{
    struct bp_ipc_opts o = {.allow_truncated = truncated};
    struct bp_source src;
    struct bp_input in;
    struct bp_batch b;
    int64_t rows = 0;
    int rc = bp_input_from_memory(&in, "memory", p, n, err);

    if (rc == 0)
        rc = bp_ipc_stream_source(&src, &in, &o, err);
    if (rc < 0)
        return rc;
    while ((rc = bp_source_next(&src, &b, err)) == 0) {
        rows += b.n_rows;
        bp_batch_release(&b);
    }
    bp_source_free(&src);
    return rc == BP_DONE ? rows : rc;
}

static void values_come_back_as_they_were(void)
{
    size_t n, len;
    uint8_t *p = write_rows(1000, 77, &n);
    struct bp_err err = {0};
    struct bp_source src;
    struct bp_input in;
    struct bp_batch got, want;

    NEED(bp_input_from_memory(&in, "memory", p, n, &err) == 0);
    NEED(bp_ipc_stream_source(&src, &in, NULL, &err) == 0);
    CHECK(src.schema.n_fields == 4 && src.schema.fields[2].dict);
    CHECK_STR(bp_schema_meta(&src.schema, BP_MARK_VERSION), "1");
    NEED(bp_source_next(&src, &got, &err) == 0);
    make_batch(&want, 0, 1000);
    CHECK(got.n_rows == 1000 && got.cols[0].n_nulls == 200);
    for (int64_t i = 0; i < 1000; i++) {
        const int64_t *a = got.cols[0].data, *b = want.cols[0].data;
        const uint8_t *s;

        CHECK(a[i] == b[i] && bp_column_is_null(&got.cols[0], i) == (i % 5 == 4));
        CHECK(bp_bit_get(got.cols[3].data, i) == (i % 2 == 0));
        s = bp_column_bytes(&got.cols[2], i, &len);
        CHECK(len == 1 && *s == (uint8_t) "xyz"[i % 3]);
    }
    bp_batch_release(&want);
    bp_batch_release(&got);
    CHECK(bp_source_next(&src, &got, &err) == BP_DONE);
    bp_source_free(&src);
    free(p);
}

static void bytes_do_not_depend_on_inner_batches(void)
{
    size_t n, m;
    uint8_t *one = write_rows(200000, 200000, &n), *many;

    for (int64_t step = 997; step < 70000; step *= 8) {
        many = write_rows(200000, step, &m);
        CHECK(n == m && memcmp(one, many, n) == 0);
        free(many);
    }
    free(one);
}

static void a_stream_cut_at_any_byte_is_refused(void)
{
    size_t n;
    uint8_t *p = write_rows(30, 10, &n);

    for (size_t i = 0; i < n; i++) {
        struct bp_err err = {0};
        uint8_t *part = malloc(i ? i : 1); /* exact: over-reads show under ASan */

        NEED(part);
        memcpy(part, p, i);
        CHECK(read_rows(part, i, false, &err) == BP_EUPSTREAM);
        CHECK(strstr(err.msg, "ended early"));
        free(part);
    }
    free(p);
}

static void allow_truncated_takes_whole_messages_only(void)
{
    size_t n;
    uint8_t *p = write_rows(30, 10, &n);
    struct bp_err err = {0};

    CHECK(read_rows(p, n - 8, true, &err) == 30);
    CHECK(read_rows(p, n - 3, true, &err) == BP_EUPSTREAM);
    free(p);
}

static void a_flipped_bit_never_crashes(void)
{
    size_t n;
    uint8_t *p = write_rows(9, 9, &n);

    for (size_t i = 0; i < n * 8; i++) {
        struct bp_err err = {0};

        p[i / 8] ^= (uint8_t)(1u << (i % 8));
        (void)!read_rows(p, n, false, &err);
        p[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    free(p);
}

static void a_claim_of_a_tebibyte_costs_no_memory(void)
{
    size_t n;
    uint8_t *p = write_rows(9, 9, &n);
    int64_t body = 0, big = INT64_C(1) << 40;
    size_t at = 8 + bp_load_u32(p + 4); /* the dictionary's message */
    struct bp_err err = {0};

    /* its bodyLength is the only 8 bytes with this value */
    for (size_t i = at; i + 8 <= at + 8 + bp_load_u32(p + at + 4) && !body; i += 8)
        if (bp_load_u64(p + i) == 128) {
            body = (int64_t)i;
            memcpy(p + i, &big, sizeof big);
        }
    CHECK(body > 0);
    CHECK(read_rows(p, n, false, &err) == BP_EUPSTREAM);
    free(p);
}

static void a_wrong_trailer_is_refused(void)
{
    size_t n;
    uint8_t *p = write_rows(9, 9, &n);
    struct bp_err err = {0};

    for (uint8_t *at = p; at + 6 < p + n; at++)
        if (memcmp(at, "\1\0\0\0009\0", 6) == 0) /* the flatbuffer's string "9" */
            at[4] = '8';
    CHECK(read_rows(p, n, false, &err) == BP_EDATA);
    CHECK(strstr(err.msg, "does not add up: it counts 8 rows in 1 batches, there came 9 in 1"));
    free(p);
}

static void the_abort_mark_hands_the_reason_on(void)
{
    int fd = memfd_create("stream", 0);
    struct bp_err err = {0};
    struct bp_schema schema;
    struct bp_sink sink;
    struct bp_batch b;
    size_t n;
    uint8_t *p;

    make_schema(&schema);
    NEED(open_sink(&sink, fd, &schema) == 0);
    make_batch(&b, 0, 70000);
    CHECK(bp_sink_put(&sink, &b, &err) == 0);
    sink.ops->abort(sink.self, "bp-read: t.csv:3: bad\tcell");
    bp_sink_free(&sink);
    bp_schema_release(&schema);
    p = contents(fd, &n);
    CHECK(read_rows(p, n, false, &err) == BP_EUPSTREAM);
    CHECK_STR(err.msg, "bp-read: t.csv:3: bad cell");
    bp_err_clear(&err);
    CHECK(read_rows(p, n, true, &err) == BP_EUPSTREAM);
    free(p);
    close(fd);
}

static void an_empty_batch_carries_the_share_of_each_stream(void)
{
    int fd = memfd_create("stream", 0);
    struct bp_err err = {0};
    struct bp_schema schema;
    struct bp_sink sink;
    struct bp_source src;
    struct bp_input in;
    struct bp_batch b;
    int seen[8], n_seen = 0;
    size_t n;
    uint8_t *p;

    make_schema(&schema);
    CHECK(bp_mark_set_task(&schema, (struct bp_share){0, 3}, &err) == 0);
    NEED(open_sink(&sink, fd, &schema) == 0);
    for (int i = 0; i < 3; i++) {
        make_batch(&b, 0, i == 1 ? 0 : 5); /* share 1 has no rows */
        b.share = (struct bp_share){i, 3};
        CHECK(bp_sink_put(&sink, &b, &err) == 0);
    }
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    p = contents(fd, &n);
    NEED(bp_input_from_memory(&in, "memory", p, n, &err) == 0);
    NEED(bp_ipc_stream_source(&src, &in, NULL, &err) == 0);
    while (bp_source_next(&src, &b, &err) == 0) {
        CHECK(b.share.n == 3);
        if (n_seen < 8)
            seen[n_seen++] = b.share.i * 10 + (int)b.n_rows;
        bp_batch_release(&b);
    }
    CHECK(n_seen == 5 && seen[0] == 0 && seen[1] == 5 && seen[2] == 10 && seen[3] == 20 &&
          seen[4] == 25);
    bp_source_free(&src);
    bp_schema_release(&schema);
    free(p);
    close(fd);
}

static void a_null_in_a_not_null_column_is_not_written(void)
{
    int fd = memfd_create("stream", 0);
    struct bp_err err = {0};
    struct bp_schema schema;
    struct bp_sink sink;
    struct bp_batch b;

    make_schema(&schema);
    schema.fields[0].nullable = false;
    NEED(open_sink(&sink, fd, &schema) == 0);
    make_batch(&b, 0, 70000);
    CHECK(bp_sink_put(&sink, &b, &err) == BP_EDATA);
    CHECK_STR(err.msg, "column 'n' is NOT NULL but has a NULL");
    bp_sink_free(&sink);
    bp_schema_release(&schema);
    close(fd);
}

int main(void)
{
    static const struct unit_test tests[] = {
        T(values_come_back_as_they_were),
        T(bytes_do_not_depend_on_inner_batches),
        T(a_stream_cut_at_any_byte_is_refused),
        T(allow_truncated_takes_whole_messages_only),
        T(a_flipped_bit_never_crashes),
        T(a_claim_of_a_tebibyte_costs_no_memory),
        T(a_wrong_trailer_is_refused),
        T(the_abort_mark_hands_the_reason_on),
        T(an_empty_batch_carries_the_share_of_each_stream),
        T(a_null_in_a_not_null_column_is_not_written),
    };
    int n = (int)BP_COUNT_OF(tests), bad = 0;

    make_dict();
    for (int i = 0; i < n; i++) {
        unit_failed = 0;
        tests[i].run();
        bad += unit_failed != 0;
        printf("%sok %d - %s\n", unit_failed ? "not " : "", i + 1, tests[i].name);
    }
    bp_dict_unref(dict);
    printf("1..%d\n", n);
    return bad != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer writes, and that it reads back the same. */
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "fmt_csv_table.h"

static char written[200000];

/* text is read under schema and written by out's options into written. */
static int rewrite(const char *text, const char *schema_text, struct bp_csv_out_opts out,
                   struct bp_err *err)
{
    char path[] = "/tmp/bp-csv-write-XXXXXX";
    int fd = mkstemp(path);
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 3};
    struct bp_schema schema = {0};
    struct bp_csv_opts o = {.delim = ',', .quote = '"', .schema = &schema};
    struct bp_source src = {0};
    struct bp_sink sink = {0};
    struct bp_outfile file = {0};
    struct bp_input in;
    ssize_t n = 0;
    int rc;

    if (bp_schema_parse(schema_text, &schema, &o.star, err) < 0 ||
        bp_input_from_memory(&in, "a.csv", text, strlen(text), err) < 0 ||
        bp_csv_source(&src, &in, 1, &o, &ctx, err) < 0 ||
        bp_outfile_borrow(&file, dup(fd), "out", err) < 0 ||
        bp_csv_sink(&sink, &file, &src.schema, &out, err) < 0)
        rc = err->code;
    else
        rc = bp_flow_run(&src, &sink, err);
    n = pread(fd, written, sizeof written - 1, 0);
    written[n < 0 ? 0 : n] = 0;
    if (src.ops)
        bp_source_free(&src);
    if (sink.ops)
        bp_sink_free(&sink);
    bp_schema_release(&schema);
    close(fd);
    unlink(path);
    return rc;
}

static const char *again(const char *text, const char *schema)
{
    struct bp_err err = {0};
    struct bp_csv_out_opts out = {.delim = ',', .header = true};

    return rewrite(text, schema, out, &err) < 0 ? err.msg[0] ? "failed" : "?" : written;
}

static void only_what_needs_quotes_is_quoted(void)
{
    const char *same = "a,\"b,\",c\nx,\"y,\",\"q\"\"q\"\n\"l\nl\",\"r\rr\", blanks \n,\"\",\n";

    CHECK_STR(again(same, "a text, \"b,\" text, c text"), same);
}

static void null_and_empty_text_stay_apart(void)
{
    CHECK_STR(again("a\n\n\"\"\nx\n", "a text"), "a\n\n\"\"\nx\n");
}

static void values_have_postgresqls_text(void)
{
    const char *same = "a,b,c,d,e,f,g\n-7,0.1,1.50,2020-02-29,2020-01-01 12:34:56,true,x\n"
                       ",1e+20,-0.01,0001-01-01,1969-12-31 23:59:59,false,\n"
                       "0,-0,0.00,9999-12-31,2020-01-01 00:00:00.5,,z\n"
                       "1,12345678.25,0.00,1970-01-01,0044-03-15 00:00:00,,z\n"
                       "1,-3.07,0.00,1970-01-01,2020-12-31 01:02:03.000004,,z\n";

    CHECK_STR(
        again(same, "a int, b float8, c decimal(6,2), d date, e timestamp, f boolean, g text"),
        same);
}

static void short_floats_are_written_as_the_general_routine_writes_them(void)
{
    static char text[100000];
    struct bp_err err = {0};
    size_t n = (size_t)sprintf(text, "v\n"), at = 2;
    char general[BP_TEXT_MAX + 1];

    for (int i = -2500; i < 2500; i++)
        n +=
            (size_t)sprintf(text + n, "%.*f\n", 1 + (i & 3), (double)i * 1.37 / (1 + (i & 1) * 99));
    NEED(rewrite(text, "v float8", (struct bp_csv_out_opts){.delim = ',', .header = true}, &err) >=
         0);
    for (char *line = strtok(text + 2, "\n"); line; line = strtok(NULL, "\n")) {
        size_t len = bp_format_float64(strtod(line, NULL), general);

        general[len] = '\n';
        NEED(strncmp(written + at, general, len + 1) == 0);
        at += len + 1;
    }
}

static void another_text_for_null_is_not_mistaken(void)
{
    struct bp_err err = {0};
    struct bp_csv_out_opts out = {.delim = '\t', .header = false, .null_text = "\\N"};

    CHECK(rewrite("a,b\n,\\N\n\"\",x,\n", "a text, b text", out, &err) < 0);
    err.code = 0;
    CHECK(rewrite("a,b\n,\\N\n\"\",x\n", "a text, b text", out, &err) >= 0);
    CHECK_STR(written, "\\N\t\"\\N\"\n\"\"\tx\n");
    out.null_text = "a\tb";
    CHECK(rewrite("a\n1\n", "a text", out, &err) == BP_EUSAGE);
}

/* ---- every type against lib/col ---- */

#define N_VALUES 3000

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* 16 bytes of a value of any fixed width: edges first, then of every number of digits. */
static void edge_value(int64_t i, struct bp_type t, uint8_t out[16])
{
    static const int64_t edges[] = {0,
                                    1,
                                    -1,
                                    9,
                                    10,
                                    99,
                                    100,
                                    99999999,
                                    100000000,
                                    9999999999999999,
                                    10000000000000000,
                                    999999999999999999,
                                    1000000000000000000,
                                    INT32_MAX,
                                    INT32_MIN,
                                    INT64_MAX,
                                    INT64_MIN,
                                    86399,
                                    86400,
                                    -86400,
                                    -719162,
                                    -719163,
                                    2932896,
                                    2932897,
                                    256,
                                    512};
    static const double doubles[] = {0.0, -0.0, 0.5,  1e13,     1e-5, 123.45, 99.995, INFINITY,
                                     NAN, 1e22, 0.01, 12345.67, 0.1,  -0.07,  5e-324, 1.7e308};
    static uint64_t seed = 88172645463325252u;
    uint64_t r = next_random(&seed);
    int64_t v =
        (size_t)i < BP_COUNT_OF(edges) ? edges[i] : (int64_t)(r >> (next_random(&seed) % 64));
    bp_int128 wide = v;

    if (i & 1 && (size_t)i >= BP_COUNT_OF(edges))
        v = -(v & INT64_MAX);
    memset(out, 0, 16);
    switch (t.kind) {
    case BP_BOOL: out[0] = v & 1; break;
    case BP_FLOAT32: {
        float f = (float)((size_t)i < BP_COUNT_OF(doubles) ? doubles[i] : (double)v / 100);

        memcpy(out, &f, sizeof f);
        break;
    }
    case BP_FLOAT64: {
        double f = (size_t)i < BP_COUNT_OF(doubles) ? doubles[i]
                   : i % 3                          ? (double)v / (i % 3 == 1 ? 100 : 1e9)
                                                    : (double)(v % 100000) / 10;

        memcpy(out, &f, sizeof f);
        break;
    }
    case BP_DECIMAL:
        wide = i % 5 == 4 && t.precision > 18 ? (bp_int128)v * 1000000007 : v;
        memcpy(out, &wide, 16);
        break;
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ:
        if (i % 4) /* mostly whole seconds of this century */
            v = (int64_t)(r % 4000000000) * bp_unit_per_second((enum bp_unit)t.unit);
        memcpy(out, &v, 8);
        break;
    case BP_INTERVAL: {
        struct bp_interval x = {(int32_t)(v % 1000), (int32_t)(v % 77), v % 1000000007};

        memcpy(out, &x, sizeof x);
        break;
    }
    default: memcpy(out, &v, 8);
    }
}

static void add_value(struct bp_builder *b, int64_t i, struct bp_err *err)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "a,b",
                                        "q\"q",
                                        "\n",
                                        "r\rr",
                                        "tab\t;|",
                                        "sixteen bytes ab",
                                        "a text longer than thirty-two bytes, with a comma",
                                        "a text longer than thirty-two bytes without any"};
    uint8_t value[16];
    int rc;

    if (i % 11 == 5) {
        rc = bp_builder_add_null(b, err);
    } else if (bp_type_is_bytes(b->type)) {
        const char *text = texts[(size_t)i % (i < 500 ? BP_COUNT_OF(texts) : 2)];

        rc = bp_builder_add_bytes(b, text, strlen(text), err);
    } else {
        edge_value(i, b->type, value);
        rc = bp_builder_add(b, value, err);
    }
    CHECK(rc == 0);
}

/* The line of row i by lib/col. */
static void plain_row(const struct bp_batch *b, int64_t i, char delim, const char *null_text,
                      struct bp_buf *out, struct bp_err *err)
{
    for (int c = 0; c < b->n_cols; c++) {
        struct bp_buf t = {0};
        char special[] = {delim, '"', '\r', '\n', 0};
        const char *text;

        CHECK(c == 0 || bp_buf_append(out, &delim, 1, err) == 0);
        if (bp_column_is_null(&b->cols[c], i)) {
            CHECK(bp_buf_puts(out, null_text, err) == 0);
            continue;
        }
        CHECK(bp_text_append(&b->cols[c], i, &t, err) == 0);
        text = bp_buf_str(&t, err);
        if (*text && strcmp(text, null_text) != 0 && !strpbrk(text, special)) {
            CHECK(bp_buf_puts(out, text, err) == 0);
        } else {
            CHECK(bp_buf_puts(out, "\"", err) == 0);
            for (; *text; text++)
                CHECK(bp_buf_append(out, "\"\"", *text == '"', err) == 0 &&
                      bp_buf_append(out, text, 1, err) == 0);
            CHECK(bp_buf_puts(out, "\"", err) == 0);
        }
        bp_buf_release(&t);
    }
    CHECK(bp_buf_puts(out, "\n", err) == 0);
}

static void as_lib_col(struct bp_batch *b, const struct bp_schema *schema, int n_threads,
                       char delim, const char *null_text)
{
    char path[] = "/tmp/bp-csv-types-XXXXXX";
    struct bp_csv_out_opts o = {.delim = delim, .null_text = null_text, .n_threads = n_threads};
    struct bp_buf want = {0}, got = {0};
    struct bp_err err = {0};
    struct bp_outfile file;
    struct bp_sink sink;
    struct bp_batch all;
    int fd = mkstemp(path);

    for (int64_t i = 0; i < b->n_rows; i++)
        plain_row(b, i, delim, null_text ? null_text : "", &want, &err);
    NEED(bp_outfile_borrow(&file, dup(fd), "out", &err) == 0);
    NEED(bp_csv_sink(&sink, &file, schema, &o, &err) == 0);
    for (int64_t from = 0, n = 1; from < b->n_rows; from += n, n = n * 3 + 1) {
        n = BP_MIN(n, b->n_rows - from);
        NEED(bp_batch_slice(&all, b, from, n, &err) == 0);
        NEED(bp_sink_put(&sink, &all, &err) == 0);
    }
    NEED(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    NEED(bp_read_file(path, 1 << 26, &got, &err) == 0);
    CHECK(got.len == want.len && memcmp(got.data, want.data, got.len) == 0);
    bp_buf_release(&got);
    bp_buf_release(&want);
    close(fd);
    unlink(path);
}

static void every_type_is_written_as_lib_col_writes_it(void)
{
    static const struct bp_type types[] = {{.kind = BP_BOOL},
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
                                           BP_TYPE_DECIMAL(38, 0),
                                           BP_TYPE_DECIMAL(18, 1),
                                           BP_TYPE_DECIMAL(38, 2),
                                           BP_TYPE_DECIMAL(38, 7),
                                           BP_TYPE_DECIMAL(38, 8),
                                           BP_TYPE_DECIMAL(38, 20),
                                           {.kind = BP_DATE},
                                           BP_TYPE_UNIT(BP_TIME, BP_MICRO),
                                           BP_TYPE_UNIT(BP_TIMESTAMP, BP_SECOND),
                                           BP_TYPE_UNIT(BP_TIMESTAMP, BP_MILLI),
                                           BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO),
                                           BP_TYPE_UNIT(BP_TIMESTAMP, BP_NANO),
                                           BP_TYPE_UNIT(BP_TIMESTAMPTZ, BP_MICRO),
                                           {.kind = BP_INTERVAL},
                                           {.kind = BP_TEXT},
                                           {.kind = BP_BINARY}};
    enum { N = BP_COUNT_OF(types) };
    struct bp_schema schema = {0};
    struct bp_err err = {0};
    struct bp_batch b;

    NEED(bp_batch_init(&b, N, &err) == 0);
    for (int c = 0; c < N; c++) {
        struct bp_builder builder;

        bp_builder_init(&builder, types[c]);
        NEED(bp_schema_add(&schema, "c", types[c], &err) == 0);
        for (int64_t i = 0; i < N_VALUES; i++)
            add_value(&builder, i, &err);
        NEED(bp_builder_finish(&builder, &b.cols[c], &err) == 0);
    }
    b.n_rows = N_VALUES;
    as_lib_col(&b, &schema, 1, ',', NULL);
    as_lib_col(&b, &schema, 3, '\t', NULL);
    as_lib_col(&b, &schema, 1, '0', NULL);
    as_lib_col(&b, &schema, 2, ',', "1");
    bp_batch_release(&b);
    bp_schema_release(&schema);
}

/* A dictionary of which all is null, and one that changes. */
static void dictionaries_are_written_as_their_values(void)
{
    static const char *const values[] = {"plain", "a,b", "", "x"};
    struct bp_schema schema = {0};
    struct bp_err err = {0};

    NEED(bp_schema_add(&schema, "c", BP_TYPE(BP_TEXT), &err) == 0);
    for (int n_values = 0; n_values <= 4; n_values++) {
        struct bp_builder v, codes;
        struct bp_column column;
        struct bp_batch b;

        bp_builder_init(&v, BP_TYPE(BP_TEXT));
        bp_builder_init(&codes, BP_TYPE(BP_INT32));
        for (int i = 0; i < n_values; i++)
            NEED(bp_builder_add_bytes(&v, values[i], strlen(values[i]), &err) == 0);
        for (int32_t i = 0; i < 40; i++) {
            int32_t code = n_values ? i % n_values : 0;

            NEED((n_values && i % 7 ? bp_builder_add(&codes, &code, &err)
                                    : bp_builder_add_null(&codes, &err)) == 0);
        }
        NEED(bp_batch_init(&b, 1, &err) == 0);
        NEED(bp_builder_finish(&codes, &b.cols[0], &err) == 0);
        NEED(bp_builder_finish(&v, &column, &err) == 0);
        b.cols[0].type = BP_TYPE(BP_TEXT);
        NEED(bp_dict_new(&b.cols[0].dict, &column, &err) == 0);
        b.n_rows = 40;
        as_lib_col(&b, &schema, 1, ',', NULL);
        as_lib_col(&b, &schema, 2, ',', "x");
        bp_batch_release(&b);
    }
    bp_schema_release(&schema);
}

static void a_full_device_is_an_error(void)
{
    struct bp_outfile file = {0};
    struct bp_schema schema = {0};
    struct bp_csv_out_opts out = {.delim = ',', .header = true};
    struct bp_sink sink;
    struct bp_err err = {0};

    NEED(bp_schema_add(&schema, "a", BP_TYPE(BP_TEXT), &err) == 0);
    NEED(bp_outfile_borrow(&file, open("/dev/full", O_WRONLY), "out", &err) == 0);
    NEED(bp_csv_sink(&sink, &file, &schema, &out, &err) == 0);
    CHECK(sink.ops->commit(sink.self, &err) == BP_ESYS);
    bp_sink_free(&sink);
    bp_schema_release(&schema);
}

UNIT_MAIN(T(only_what_needs_quotes_is_quoted), T(null_and_empty_text_stay_apart),
          T(values_have_postgresqls_text),
          T(short_floats_are_written_as_the_general_routine_writes_them),
          T(every_type_is_written_as_lib_col_writes_it),
          T(dictionaries_are_written_as_their_values), T(another_text_for_null_is_not_mistaken),
          T(a_full_device_is_an_error))

/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer writes, and that it reads back the same. */
#include <fcntl.h>
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
          T(another_text_for_null_is_not_mistaken), T(a_full_device_is_an_error))

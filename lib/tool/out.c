/* SPDX-License-Identifier: Apache-2.0 */
/* A format is one row of the table. */
#include "tool/out.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "codec/encode.h"
#include "expr/expr.h"
#include "flow/marks.h"
#include "fmt/csv.h"
#include "fmt/jsonl.h"
#include "fmt/parquet/parquet.h"
#include "ipc/ipc.h"

#define TEXT_FILE_BYTES ((int64_t)2 << 20) /* the text of a batch */
#define ENCODER_BYTES ((int64_t)4 << 20)

struct bp_out_format {
    const char *name; /* NULL: another suffix of the row above */
    const char *suffix;
    bool is_text; /* may be compressed as a whole */
    int64_t file_bytes;
    int (*open)(const struct bp_out *out, struct bp_outfile *f, const struct bp_schema *schema,
                struct bp_sink *sink);
};

static int open_text(const struct bp_out *out, char delim, struct bp_outfile *f,
                     const struct bp_schema *schema, struct bp_sink *sink)
{
    const struct bp_out_opts *o = out->o;
    struct bp_csv_out_opts c = {.delim = delim, .header = true, .null_text = o->null_text};

    c.n_threads = out->one_of_many ? 1
                                   : bp_csv_out_threads(schema, out->t->ctx.n_threads,
                                                        out->t->ctx.budget.limit_bytes);
    bp_budget_least(&out->t->ctx.budget, TEXT_FILE_BYTES);
    if (o->delim)
        c.delim = o->delim[0];
    if (o->header && strcmp(o->header, "no") == 0)
        c.header = false;
    return bp_csv_sink(sink, f, schema, &c, &out->t->err);
}

static int open_csv(const struct bp_out *out, struct bp_outfile *f, const struct bp_schema *schema,
                    struct bp_sink *sink)
{
    return open_text(out, ',', f, schema, sink);
}

static int open_tsv(const struct bp_out *out, struct bp_outfile *f, const struct bp_schema *schema,
                    struct bp_sink *sink)
{
    return open_text(out, '\t', f, schema, sink);
}

static int open_jsonl(const struct bp_out *out, struct bp_outfile *f,
                      const struct bp_schema *schema, struct bp_sink *sink)
{
    return bp_jsonl_sink(sink, f, schema, &out->t->err);
}

static int open_arrow(const struct bp_out *out, struct bp_outfile *f,
                      const struct bp_schema *schema, struct bp_sink *sink)
{
    if (f->borrowed || f->is_command)
        return bp_ipc_stream_sink(sink, f, schema, &out->t->err);
    return bp_ipc_file_sink(sink, f, schema, &out->t->err);
}

/* The keys by which the stream says it is sorted, as far as they are columns; from the
 * tool's arena. */
static int order_of(const struct bp_out *out, const struct bp_schema *schema,
                    struct bp_parquet_order **order, int *n)
{
    struct bp_clause c = {.text = bp_schema_meta(schema, BP_MARK_SORTED)};
    struct bp_order list = {0};
    struct bp_err quiet = {0};

    *n = 0;
    if (!c.text || bp_expr_parse_order(&c, schema, &list, &quiet) < 0)
        return 0;
    *order = bp_arena_alloc(out->t->arena, (size_t)list.n * sizeof **order, &out->t->err);
    for (; *order && *n < list.n; ++*n) {
        int col = bp_expr_column(list.items[*n].expr);

        if (col < 0)
            break;
        (*order)[*n] =
            (struct bp_parquet_order){col, list.items[*n].desc, list.items[*n].nulls_first};
    }
    bp_order_release(&list);
    return *order ? 0 : out->t->err.code;
}

static int open_parquet(const struct bp_out *out, struct bp_outfile *f,
                        const struct bp_schema *schema, struct bp_sink *sink)
{
    const struct bp_out_opts *o = out->o;
    struct bp_parquet_out_opts p = {
        .codec = BP_PACK_SNAPPY, .group_rows = o->group_rows, .v2 = o->page_version == 2};

    struct bp_parquet_order *order = NULL;
    char **bloom = NULL;
    int n_bloom = 0, rc;

    if (o->codec)
        p.codec = (enum bp_pack)bp_pack_by_name(o->codec);
    rc = order_of(out, schema, &order, &p.n_order);
    p.order = order;
    if (rc == 0 && o->bloom)
        rc = bp_expr_parse_names(o->bloom, &bloom, &n_bloom, &out->t->err);
    p.bloom = (const char *const *)bloom;
    if (rc == 0)
        rc = bp_parquet_sink(sink, f, schema, &p, &out->t->ctx, &out->t->err);
    else
        bp_outfile_abort(f);
    for (int i = 0; i < n_bloom; i++)
        bp_mem_free(bloom[i]);
    bp_mem_free(bloom);
    return rc;
}

/* clang-format off: a row each */
static const struct bp_out_format formats[] = {
    {"csv", ".csv", true, 1 << 20, open_csv},
    {NULL, ".txt", true, 1 << 20, open_csv},
    {"tsv", ".tsv", true, 1 << 20, open_tsv},
    {NULL, ".tab", true, 1 << 20, open_tsv},
    {"jsonl", ".jsonl", true, 1 << 20, open_jsonl},
    {NULL, ".ndjson", true, 1 << 20, open_jsonl},
    {"arrow", ".arrow", false, 4 << 20, open_arrow},
    {NULL, ".feather", false, 4 << 20, open_arrow},
    {"parquet", ".parquet", false, 32 << 20, open_parquet},
};
/* clang-format on */
#define FORMAT_NAMES "csv, tsv, jsonl, arrow and parquet"

static int choose_format(struct bp_out *out, const char *path, size_t len)
{
    const char *name = out->o->format;
    size_t dot = len;

    out->format = &formats[0];
    if (name) {
        for (size_t i = 0; i < BP_COUNT_OF(formats); i++)
            if (formats[i].name && strcmp(name, formats[i].name) == 0) {
                out->format = &formats[i];
                return 0;
            }
        return bp_fail(&out->t->err, BP_EUSAGE, "-f %s: the formats are " FORMAT_NAMES, name);
    }
    while (dot && path[dot - 1] != '.' && path[dot - 1] != '/')
        dot--;
    if (!dot || path[dot - 1] == '/')
        return 0;
    dot--;
    for (size_t i = 0; i < BP_COUNT_OF(formats); i++)
        if (strlen(formats[i].suffix) == len - dot &&
            memcmp(path + dot, formats[i].suffix, len - dot) == 0) {
            out->format = &formats[i];
            return 0;
        }
    return bp_fail(&out->t->err, BP_EUSAGE,
                   "'%s': no format goes by that suffix: say -f csv, tsv, jsonl, arrow or "
                   "parquet",
                   path);
}

/* Of text as a whole: by --codec, or by the suffix of path. */
static int choose_codec(struct bp_out *out, const char *path)
{
    const char *codec = out->o->codec;

    out->codec = path ? bp_encoding_of_path(path) : NULL;
    if (!codec || !out->format->is_text)
        return 0;
    out->codec = bp_encoding_named(codec);
    if (!out->codec && strcmp(codec, "none") != 0)
        return bp_fail(&out->t->err, BP_EUSAGE, "--codec %s: the codecs are gzip, zstd and none",
                       codec);
    return 0;
}

static int check_text_options(const struct bp_out *out)
{
    const struct bp_out_opts *o = out->o;
    struct bp_err *err = &out->t->err;

    if (o->header && strcmp(o->header, "yes") != 0 && strcmp(o->header, "no") != 0)
        return bp_fail(err, BP_EUSAGE, "--header is yes or no, not '%s'", o->header);
    if (o->delim && (!o->delim[0] || o->delim[1]))
        return bp_fail(err, BP_EUSAGE, "--delim wants one character, not '%s'", o->delim);
    if (out->format->open == open_jsonl && (o->delim || o->header || o->null_text))
        return bp_fail(err, BP_EUSAGE, "--delim, --header and --null are for csv and tsv");
    return 0;
}

/* Parquet compresses its pages itself; Arrow is not compressed. */
static int check_binary_options(const struct bp_out *out, const char *path)
{
    const struct bp_out_opts *o = out->o;
    struct bp_err *err = &out->t->err;
    bool is_parquet = out->format->open == open_parquet;

    if (out->codec && is_parquet)
        return bp_fail(err, BP_EUSAGE,
                       "'%s': a Parquet file is compressed inside: --codec, and no suffix", path);
    if (!out->format->is_text && !is_parquet &&
        (out->codec || (o->codec && strcmp(o->codec, "none") != 0)))
        return bp_fail(err, BP_EUSAGE,
                       "an Arrow file is not compressed as a whole: --codec is for text and "
                       "Parquet");
    if (!is_parquet && (o->group_rows || o->page_version || o->bloom))
        return bp_fail(err, BP_EUSAGE,
                       "--row-group-rows, --page-version and --bloom are for Parquet files");
    if (is_parquet && o->codec && bp_pack_by_name(o->codec) < 0)
        return bp_fail(err, BP_EUSAGE,
                       "--codec %s: the codecs of Parquet are snappy, zstd, lz4, gzip, brotli and "
                       "none",
                       o->codec);
    if (o->page_version > 2)
        return bp_fail(err, BP_EUSAGE, "--page-version is 1 or 2, not %lld",
                       (long long)o->page_version);
    return 0;
}

int bp_out_choose(struct bp_out *out, struct bp_tool *t, const struct bp_out_opts *o,
                  const char *path)
{
    const struct bp_encoding *by_name = path ? bp_encoding_of_path(path) : NULL;
    const struct bp_out_format *f;

    out->t = t;
    out->o = o;
    BP_TRY(choose_format(out, path,
                         path ? strlen(path) - (by_name ? strlen(by_name->suffix) : 0) : 0));
    BP_TRY(choose_codec(out, path));
    BP_TRY(check_text_options(out));
    BP_TRY(check_binary_options(out, path));
    for (f = out->format; !f->name;)
        f--;
    snprintf(out->suffix, sizeof out->suffix, "%s%s", f->suffix,
             out->codec ? out->codec->suffix : "");
    out->file_bytes = f->file_bytes + (out->codec ? ENCODER_BYTES : 0);
    return 0;
}

/* That compress. */
static int threads_of(const struct bp_out *out)
{
    return out->one_of_many || bp_mem_is_tight() ? 1 : out->t->ctx.n_threads;
}

int bp_out_open(const struct bp_out *out, struct bp_outfile *f, const struct bp_schema *schema,
                struct bp_sink *sink)
{
    if (out->codec && bp_outfile_encode(f, out->codec, threads_of(out), &out->t->err) < 0) {
        bp_outfile_abort(f);
        return out->t->err.code;
    }
    return out->format->open(out, f, schema, sink);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* bp-write: a stream to a file, a directory of part files, or stdout (INTO). */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "codec/encode.h"
#include "flow/marks.h"
#include "fmt/csv.h"
#include "fmt/jsonl.h"
#include "fmt/parquet/parquet.h"
#include "ipc/ipc.h"
#include "stage/stage.h"
#include "sys/dir.h"
#include "tool/tool.h"

#include <unistd.h>

struct opts {
    const char *format, *null_text, *header, *delim, *codec;
    int64_t group_rows, page_version;
    bool replace;
};

static const struct bp_option options[] = {
    {'f', "format", BP_OPT_TEXT, offsetof(struct opts, format), "FMT",
     "csv, tsv, jsonl, arrow, parquet (by OUT's suffix; csv)"},
    {0, "delim", BP_OPT_TEXT, offsetof(struct opts, delim), "C",
     "field delimiter of text (default: , )"},
    {0, "header", BP_OPT_TEXT, offsetof(struct opts, header), "yes|no",
     "a first line of names (default: yes)"},
    {0, "null", BP_OPT_TEXT, offsetof(struct opts, null_text), "TEXT",
     "what stands for NULL (default: nothing)"},
    {0, "codec", BP_OPT_TEXT, offsetof(struct opts, codec), "CODEC",
     "text: gzip, zstd, none (by suffix); Parquet: snappy ..."},
    {0, "row-group-rows", BP_OPT_COUNT, offsetof(struct opts, group_rows), "N",
     "rows of a Parquet row group (default: 1048576)"},
    {0, "page-version", BP_OPT_COUNT, offsetof(struct opts, page_version), "1|2",
     "of a Parquet file's data pages (default: 1)"},
    {0, "replace", BP_OPT_FLAG, offsetof(struct opts, replace), NULL,
     "replace a directory of another number of tasks"},
};

static const struct bp_command command = {
    .name = "bp-write",
    .synopsis = "[options] [OUT | OUT/]",
    .summary = "write the stream on stdin to OUT, which appears whole or not at all (INTO)",
    .examples = {"bp-read trips.csv | bp-write trips.arrow",
                 "bp-read -c total_amount trips.csv | bp-write | head -n 3",
                 "bp-read trips.csv | bp-write -f arrow out/"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_PART,
    .min_operands = 0,
    .max_operands = 1,
    .order = "input order",
    .memory = "one batch; for Parquet, the compressed pages of a row group",
};

enum format { CSV, TSV, JSONL, ARROW, PARQUET };

static const struct {
    enum format format;
    const char *name, *suffix;
} formats[] = {{CSV, "csv", ".csv"},
               {TSV, "tsv", ".tsv"},
               {JSONL, "jsonl", ".jsonl"},
               {ARROW, "arrow", ".arrow"},
               {PARQUET, "parquet", ".parquet"},
               {CSV, NULL, ".txt"},
               {TSV, NULL, ".tab"},
               {JSONL, NULL, ".ndjson"},
               {ARROW, NULL, ".feather"}};

#define FORMAT_NAMES "csv, tsv, jsonl, arrow and parquet"

static const char *suffix_of(enum format f)
{
    size_t i = 0;

    while (formats[i].format != f)
        i++;
    return formats[i].suffix;
}

/* Bytes of out without the suffix of a codec. */
static size_t plain_len(const char *out)
{
    const struct bp_encoding *e = out ? bp_encoding_of_path(out) : NULL;

    return out ? strlen(out) - (e ? strlen(e->suffix) : 0) : 0;
}

/* Of text as a whole: by --codec, or by the suffix of out. */
static int codec_of(struct bp_tool *t, const struct opts *o, const char *out, enum format f,
                    const struct bp_encoding **e)
{
    *e = out ? bp_encoding_of_path(out) : NULL;
    if (f == PARQUET && *e)
        return bp_fail(&t->err, BP_EUSAGE,
                       "'%s': a Parquet file is compressed inside: --codec, and no suffix", out);
    if (!o->codec || f == PARQUET)
        return 0;
    *e = bp_encoding_named(o->codec);
    if (!*e && strcmp(o->codec, "none") != 0)
        return bp_fail(&t->err, BP_EUSAGE, "--codec %s: the codecs are gzip, zstd and none",
                       o->codec);
    return 0;
}

static int format_of(struct bp_tool *t, const struct opts *o, const char *out, size_t len,
                     enum format *f)
{
    size_t dot = len;

    *f = CSV;
    if (o->format) {
        for (size_t i = 0; i < BP_COUNT_OF(formats); i++)
            if (formats[i].name && strcmp(o->format, formats[i].name) == 0) {
                *f = formats[i].format;
                return 0;
            }
        return bp_fail(&t->err, BP_EUSAGE, "-f %s: the formats are " FORMAT_NAMES, o->format);
    }
    while (dot && out[dot - 1] != '.' && out[dot - 1] != '/')
        dot--;
    if (!dot || out[dot - 1] == '/')
        return 0;
    dot--;
    for (size_t i = 0; i < BP_COUNT_OF(formats); i++)
        if (strlen(formats[i].suffix) == len - dot &&
            memcmp(out + dot, formats[i].suffix, len - dot) == 0) {
            *f = formats[i].format;
            return 0;
        }
    return bp_fail(&t->err, BP_EUSAGE,
                   "'%s': no format goes by that suffix: say -f csv, tsv, jsonl, arrow or parquet",
                   out);
}

/* Parquet compresses its pages itself. */
static int parquet_options(struct bp_tool *t, const struct opts *o, enum format f,
                           struct bp_parquet_out_opts *p)
{
    int codec = o->codec ? bp_pack_by_name(o->codec) : BP_PACK_SNAPPY;

    if (f != PARQUET && (o->group_rows || o->page_version))
        return bp_fail(&t->err, BP_EUSAGE,
                       "--row-group-rows and --page-version are for Parquet files");
    if (f != PARQUET)
        return 0;
    if (codec < 0)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--codec %s: the codecs of Parquet are snappy, zstd, lz4, gzip, brotli and "
                       "none",
                       o->codec);
    if (o->page_version > 2)
        return bp_fail(&t->err, BP_EUSAGE, "--page-version is 1 or 2, not %lld",
                       (long long)o->page_version);
    *p = (struct bp_parquet_out_opts){
        .codec = (enum bp_pack)codec, .group_rows = o->group_rows, .v2 = o->page_version == 2};
    return 0;
}

static int text_sink(struct bp_tool *t, const struct opts *o, enum format f,
                     struct bp_outfile *file, const struct bp_schema *schema, struct bp_sink *sink)
{
    struct bp_csv_out_opts c = {
        .delim = f == TSV ? '\t' : ',', .header = true, .null_text = o->null_text};

    if (f == JSONL && (o->delim || o->header || o->null_text)) {
        bp_outfile_abort(file);
        return bp_fail(&t->err, BP_EUSAGE, "--delim, --header and --null are for csv and tsv");
    }
    if (f == JSONL)
        return bp_jsonl_sink(sink, file, schema, &t->err);
    if (o->delim && (!o->delim[0] || o->delim[1])) {
        bp_outfile_abort(file);
        return bp_fail(&t->err, BP_EUSAGE, "--delim wants one character, not '%s'", o->delim);
    }
    if (o->delim)
        c.delim = o->delim[0];
    if (o->header && strcmp(o->header, "no") == 0)
        c.header = false;
    return bp_csv_sink(sink, file, schema, &c, &t->err);
}

/* The name of this task's file in the directory; the directory is made. */
static char *part_path(struct bp_tool *t, const struct opts *o, const char *dir, enum format f,
                       const struct bp_encoding *e)
{
    int n = t->task.n ? t->task.n : 1;
    size_t len = strlen(dir);
    char name[64], suffix[32];

    snprintf(suffix, sizeof suffix, "%s%s", suffix_of(f), e ? e->suffix : "");
    if (bp_dir_make(dir, &t->err) < 0 || bp_task_dir_check(dir, n, o->replace, &t->err) < 0 ||
        bp_task_name(name, t->task.i, n, suffix) < 0)
        return NULL;
    return bp_arena_printf(t->arena, &t->err, "%s%s%s", dir, dir[len - 1] == '/' ? "" : "/", name);
}

/* One process wrote the whole directory: say so, last. */
static int mark_success(struct bp_tool *t, const char *dir)
{
    size_t len = strlen(dir);
    struct bp_outfile f;
    char *path =
        bp_arena_printf(t->arena, &t->err, "%s%s_SUCCESS", dir, dir[len - 1] == '/' ? "" : "/");

    if (!path)
        return t->err.code;
    BP_TRY(bp_outfile_open(&f, path, &t->err));
    return bp_outfile_commit(&f, &t->err);
}

static int check_target(struct bp_tool *t, const char *out, bool is_dir)
{
    if (t->task.n && !is_dir)
        return bp_fail(&t->err, BP_EUSAGE,
                       "-T writes this task's file into a directory: OUT/ (with the slash)");
    (void)out;
    return 0;
}

static int run(struct bp_tool *t, const struct opts *o)
{
    const char *out = t->n_operands && strcmp(t->operands[0], "-") != 0 ? t->operands[0] : NULL;
    size_t len = out ? strlen(out) : 0;
    bool is_dir = len && (out[len - 1] == '/' || bp_path_kind(out) == BP_PATH_DIR);
    struct bp_share task = t->task;
    struct bp_source src = {0};
    struct bp_sink sink = {0};
    struct bp_outfile file;
    const struct bp_encoding *codec;
    struct bp_parquet_out_opts parquet = {0};
    enum format f;
    char *path = (char *)(uintptr_t)out;
    int rc;

    BP_TRY(format_of(t, o, is_dir ? NULL : out, plain_len(is_dir ? NULL : out), &f));
    BP_TRY(codec_of(t, o, is_dir ? NULL : out, f, &codec));
    if (codec && f == ARROW)
        return bp_fail(&t->err, BP_EUSAGE,
                       "an Arrow file is not compressed as a whole: --codec "
                       "is for text and Parquet");
    BP_TRY(parquet_options(t, o, f, &parquet));
    BP_TRY(check_target(t, out, is_dir));
    if (o->header && strcmp(o->header, "yes") != 0 && strcmp(o->header, "no") != 0)
        return bp_fail(&t->err, BP_EUSAGE, "--header is yes or no, not '%s'", o->header);
    t->task.n = 0; /* stdin is read whole: the task names our output */
    rc = bp_tool_open(t, NULL, 0, NULL, &src);
    t->task = task;
    BP_GO(rc);
    BP_GO(bp_tool_check_share(t, &src.schema));
    if (bp_schema_meta(&src.schema, BP_MARK_PARTIAL))
        BP_GO(bp_fail(&t->err, BP_EDATA,
                      "the stream holds partial states: bp-reduce --final finishes them"));
    BP_GO(bp_schema_set_meta(&src.schema, BP_MARK_TASK, NULL, &t->err));
    if (task.n)
        BP_GO(bp_mark_set_task(&src.schema, task, &t->err));
    if (is_dir && !(path = part_path(t, o, out, f, codec)))
        BP_GO(t->err.code);
    if (out)
        BP_GO(bp_outfile_open(&file, path, &t->err));
    else
        BP_GO(bp_outfile_borrow(&file, STDOUT_FILENO, "stdout", &t->err));
    if (codec && bp_outfile_encode(&file, codec, &t->err) < 0) {
        bp_outfile_abort(&file);
        BP_GO(t->err.code);
    }
    if (f == ARROW && !out)
        BP_GO(bp_ipc_stream_sink(&sink, &file, &src.schema, &t->err));
    else if (f == ARROW)
        BP_GO(bp_ipc_file_sink(&sink, &file, &src.schema, &t->err));
    else if (f == PARQUET)
        BP_GO(bp_parquet_sink(&sink, &file, &src.schema, &parquet, &t->ctx, &t->err));
    else
        BP_GO(text_sink(t, o, f, &file, &src.schema, &sink));
    rc = bp_tool_drain(t, &src, &sink);
    if (rc == 0 && is_dir && o->replace)
        rc = bp_task_dir_retire(out, task.n ? task.n : 1, &t->err);
    if (rc == 0 && is_dir && !task.n)
        rc = mark_success(t, out);
out:
    bp_sink_free(&sink);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {0};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv)) {
        t.subject = t.n_operands ? bp_arena_printf(t.arena, &t.err, "%s not written", t.operands[0])
                                 : "the output is not complete";
        (void)run(&t, &o);
    }
    return bp_tool_end(&t);
}

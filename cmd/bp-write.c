/* SPDX-License-Identifier: Apache-2.0 */
/* bp-write: a stream to a file, a directory of part files, or stdout (INTO). */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "expr/expr.h"
#include "flow/marks.h"
#include "stage/by.h"
#include "stage/manifest.h"
#include "stage/parts.h"
#include "stage/stage.h"
#include "sys/dir.h"
#include "sys/remote.h"
#include "tool/out.h"

#include <unistd.h>

struct opts {
    struct bp_out_opts out;
    const char *by, *to, *target_size, *run;
    int64_t parts;
    bool replace, replace_parts;
};

static const struct bp_option options[] = {
    {'f', "format", BP_OPT_TEXT, offsetof(struct opts, out.format), "FMT",
     "csv, tsv, jsonl, arrow, parquet (by OUT's suffix; csv)"},
    {0, "by", BP_OPT_TEXT, offsetof(struct opts, by), "COLS",
     "directories COL=VALUE in OUT/, one for each value"},
    {0, "to", BP_OPT_TEXT, offsetof(struct opts, to), "CMD",
     "run CMD and give it the table on its stdin"},
    {0, "parts", BP_OPT_COUNT, offsetof(struct opts, parts), "N",
     "N files of as many rows in OUT/, in the order of rows"},
    {0, "target-size", BP_OPT_TEXT, offsetof(struct opts, target_size), "SIZE",
     "files in OUT/ of about SIZE of values: 256M"},
    {0, "run", BP_OPT_TEXT, offsetof(struct opts, run), "ID",
     "add to OUT/, in place of what run ID wrote before"},
    {0, "delim", BP_OPT_TEXT, offsetof(struct opts, out.delim), "C",
     "field delimiter of text (default: , )"},
    {0, "header", BP_OPT_TEXT, offsetof(struct opts, out.header), "yes|no",
     "a first line of names (default: yes)"},
    {0, "null", BP_OPT_TEXT, offsetof(struct opts, out.null_text), "TEXT",
     "what stands for NULL (default: nothing)"},
    {0, "codec", BP_OPT_TEXT, offsetof(struct opts, out.codec), "CODEC",
     "text: gzip, zstd, none (by suffix); Parquet: snappy ..."},
    {0, "row-group-rows", BP_OPT_COUNT, offsetof(struct opts, out.group_rows), "N",
     "rows of a Parquet row group (default: 131072)"},
    {0, "page-version", BP_OPT_COUNT, offsetof(struct opts, out.page_version), "1|2",
     "of a Parquet file's data pages (default: 1)"},
    {0, "bloom", BP_OPT_TEXT, offsetof(struct opts, out.bloom), "COLS",
     "Bloom filters for these columns of a Parquet file"},
    {0, "replace", BP_OPT_FLAG, offsetof(struct opts, replace), NULL,
     "replace what a directory holds, whoever wrote it"},
    {0, "replace-parts", BP_OPT_FLAG, offsetof(struct opts, replace_parts), NULL,
     "--by: replace only the values that are written"},
};

static const struct bp_command command = {
    .name = "bp-write",
    .synopsis = "[options] [OUT | OUT/ | 'OUT/{COL}.csv']",
    .summary = "write the stream on stdin to OUT, which appears whole or not at all (INTO)",
    .examples = {"bp-read trips.csv | bp-write trips.arrow",
                 "bp-read -c total_amount trips.csv | bp-write | head -n 3",
                 "bp-read trips.csv | bp-write -f arrow out/",
                 "bp-read trips.csv | bp-write -f csv --by PULocationID zones/"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_PART,
    .min_operands = 0,
    .max_operands = 1,
    .order = "input order",
    .memory = "one batch; Parquet: a row group; --by: --mem, then $TMPDIR",
};

struct target {
    const char *out;     /* NULL: stdout */
    const char *command; /* that everything goes to instead; NULL: none */
    bool is_dir, is_pattern;
    bool by_value, by_parts; /* several files of this process */
    int64_t part_bytes;
    const char *task_dir; /* by value under -T: where the tasks' directories stand */
    struct bp_out make;
};

/* ---- a directory of part files ---- */

/* Files beside those of a list would be read with them, or not at all. */
static int refuse_listed(struct bp_tool *t, const char *dir)
{
    struct bp_manifest m;
    bool present;
    int rc = bp_manifest_read(&m, dir, &present, &t->err);

    bp_manifest_release(&m);
    if (rc == 0 && present)
        rc = bp_fail(&t->err, BP_EDATA,
                     "'%s' is an output of several files of one process (its _SUCCESS lists them): "
                     "write to another directory, or remove it first",
                     dir);
    return rc;
}

/* The name of this task's file in the directory; the directory is made. */
static char *part_path(struct bp_tool *t, const struct opts *o, const char *dir, const char *suffix)
{
    int n = t->task.n ? t->task.n : 1;
    size_t len = strlen(dir);
    char name[64];

    if (refuse_listed(t, dir) < 0 || bp_dir_make(dir, &t->err) < 0 ||
        bp_task_dir_check(dir, n, o->replace, &t->err) < 0 ||
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

/* ---- by value ---- */

static int open_by_file(void *arg, struct bp_outfile *f, const struct bp_schema *schema,
                        struct bp_sink *out, struct bp_err *err)
{
    (void)err; /* it is the tool's */
    return bp_out_open(arg, f, schema, out);
}

/* 'out/{a}/{b}.csv': the directory, and the rest. */
static int cut_pattern(struct bp_tool *t, const char *out, char **dir, const char **pattern)
{
    const char *brace = strchr(out, '{'), *slash = brace;

    while (slash > out && *slash != '/')
        slash--;
    if (*slash != '/' || slash == out)
        return bp_fail(&t->err, BP_EUSAGE,
                       "'%s': the files want a directory of their own, which is replaced as a "
                       "whole: 'DIR/%s'",
                       out, *slash == '/' ? slash + 1 : out);
    *dir = bp_arena_strn(t->arena, out, (size_t)(slash - out), &t->err);
    *pattern = slash + 1;
    return *dir ? 0 : t->err.code;
}

static struct bp_publish_opts publish_opts(const struct opts *o, const struct target *g)
{
    return (struct bp_publish_opts){
        .dir = g->out, .run = o->run, .replace = o->replace, .replace_parts = o->replace_parts};
}

static int by_sink(struct bp_tool *t, const struct opts *o, struct target *g,
                   const struct bp_schema *schema, struct bp_sink *sink)
{
    struct bp_by_opts y = {.to = publish_opts(o, g), .open = open_by_file, .arg = &g->make};
    char **names = NULL, *dir;
    int n_names = 0, rc;

    g->make.one_of_many = true;
    y.file_bytes = g->make.file_bytes;
    if (o->by) {
        BP_TRY(bp_expr_parse_names(o->by, &names, &n_names, &t->err));
        y.columns = (const char *const *)names;
        y.suffix = g->make.suffix;
    } else {
        BP_TRY(cut_pattern(t, g->out, &dir, &y.pattern));
        y.to.dir = dir;
        y.to.fixed_names = true;
    }
    g->task_dir = y.to.dir;
    if (t->task.n && !(y.to.dir = part_path(t, o, y.to.dir, "")))
        return t->err.code;
    rc = bp_by_sink(sink, schema, &y, &t->ctx, &t->err);
    for (int i = 0; i < n_names; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
    return rc;
}

/* ---- part files of one process ---- */

static int parts_sink(struct bp_tool *t, const struct opts *o, struct target *g,
                      const struct bp_schema *schema, struct bp_sink *sink)
{
    struct bp_parts_opts p = {.to = publish_opts(o, g),
                              .suffix = g->make.suffix,
                              .n_parts = o->target_size ? 0 : BP_MAX(o->parts, 1),
                              .part_bytes = g->part_bytes,
                              .file_bytes = g->make.file_bytes,
                              .open = open_by_file,
                              .arg = &g->make};

    return bp_parts_sink(sink, schema, &p, &t->ctx, &t->err);
}

/* ---- the command ---- */

static int check_runs(struct bp_tool *t, const struct opts *o, const struct target *g)
{
    if (o->run && g->is_pattern)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--run names the files, and so does '%s': put the run into it", g->out);
    if (o->replace_parts && !o->by)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--replace-parts replaces directories by value: it wants --by COLS");
    if (!!o->run + o->replace + o->replace_parts > 1)
        return bp_fail(&t->err, BP_EUSAGE, "of --run, --replace and --replace-parts there is one");
    return 0;
}

static int check_options(struct bp_tool *t, const struct opts *o, const struct target *g)
{
    if (o->parts && o->target_size)
        return bp_fail(&t->err, BP_EUSAGE, "of --parts and --target-size there is one");
    if (g->by_parts && (o->by || g->is_pattern) && (o->parts || o->target_size))
        return bp_fail(&t->err, BP_EUSAGE,
                       "--parts and --target-size write one table in their "
                       "order, and there is one file for each value");
    if (g->by_parts && !g->is_dir)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--parts, --target-size and --run write into a directory: OUT/");
    if (t->task.n && (g->by_parts || o->run || o->replace_parts))
        return bp_fail(&t->err, BP_EUSAGE,
                       "-T writes what is this task's, and a repeated one replaces it: --parts, "
                       "--target-size, --run and --replace-parts are for one process");
    if (t->task.n && g->by_value && o->replace && bp_remote_kind(g->out))
        return bp_fail(&t->err, BP_EUSAGE,
                       "'%s': --replace under -T takes away other tasks' directories, which an "
                       "object store cannot: write to a new prefix",
                       g->out);
    BP_TRY(check_runs(t, o, g));
    if (o->by && (!g->out || g->is_pattern))
        return bp_fail(&t->err, BP_EUSAGE, "--by writes into a directory: --by '%s' OUT/", o->by);
    if (o->to && (g->out || o->by))
        return bp_fail(&t->err, BP_EUSAGE,
                       "--to '%s': the table goes to a command, and not to %s as well", o->to,
                       g->out ? g->out : "directories (--by)");
    if (t->task.n && !g->is_dir && !g->is_pattern && !o->to)
        return bp_fail(&t->err, BP_EUSAGE,
                       "-T writes this task's file into a directory: OUT/ (with the slash)");
    return 0;
}

/* The table of a database: its helper takes a stream. */
static int table_target(struct bp_tool *t, const struct opts *o, struct target *g)
{
    static const struct bp_out_opts stream = {.format = "arrow"};
    const struct bp_out_opts *f = &o->out;

    if (f->format || f->null_text || f->header || f->delim || f->codec || f->group_rows ||
        f->page_version || f->bloom || o->to || g->by_parts || o->replace_parts || t->task.n)
        return bp_fail(&t->err, BP_EUSAGE,
                       "'%s' is a table of a database, which is written in one transaction: of the "
                       "options only --replace is for it",
                       g->out);
    return bp_out_choose(&g->make, t, &stream, NULL);
}

static int find_target(struct bp_tool *t, const struct opts *o, struct target *g)
{
    size_t len;

    if (t->n_operands && strcmp(t->operands[0], "-") != 0)
        g->out = t->operands[0];
    len = g->out ? strlen(g->out) : 0;
    if (len && bp_remote_kind(g->out) == BP_REMOTE_HTTP)
        return bp_fail(&t->err, BP_EUSAGE, "http can be read, not written; s3:// can be written");
    g->is_dir = len && (o->by || g->out[len - 1] == '/' || bp_path_kind(g->out) == BP_PATH_DIR);
    g->is_pattern =
        len && !g->is_dir && strchr(g->out, '{') && bp_path_kind(g->out) == BP_PATH_NONE;
    g->by_value = o->by || g->is_pattern;
    g->by_parts = o->parts || o->target_size || (o->run && !g->by_value);
    if (o->target_size)
        BP_TRY(bp_tool_size(t, "--target-size", o->target_size, &g->part_bytes));
    if (g->out && !o->by)
        BP_TRY(bp_out_by_helper(t, g->out, o->replace, &g->command));
    if (g->command)
        return table_target(t, o, g);
    g->command = o->to;
    BP_TRY(bp_out_choose(&g->make, t, &o->out, g->is_dir ? NULL : g->out));
    return check_options(t, o, g);
}

/* Everything goes to one file, or to stdout. */
static int file_sink(struct bp_tool *t, const struct opts *o, const struct target *g,
                     const struct bp_schema *schema, struct bp_sink *sink)
{
    char *path = (char *)(uintptr_t)g->out;
    struct bp_outfile file;

    if (g->is_dir && !(path = part_path(t, o, g->out, g->make.suffix)))
        return t->err.code;
    if (g->command)
        BP_TRY(bp_outfile_command(&file, g->command, &t->err));
    else if (path)
        BP_TRY(bp_outfile_open(&file, path, &t->err));
    else
        BP_TRY(bp_outfile_borrow(&file, STDOUT_FILENO, "stdout", &t->err));
    return bp_out_open(&g->make, &file, schema, sink);
}

static int open_input(struct bp_tool *t, struct bp_source *src)
{
    struct bp_share task = t->task;
    int rc;

    t->task.n = 0; /* stdin is read whole: the task names our output */
    rc = bp_tool_open(t, NULL, 0, NULL, src);
    t->task = task;
    BP_TRY(rc);
    BP_TRY(bp_tool_check_share(t, &src->schema));
    if (bp_schema_meta(&src->schema, BP_MARK_PARTIAL))
        return bp_fail(&t->err, BP_EDATA,
                       "the stream holds partial states: bp-reduce --final finishes them");
    BP_TRY(bp_schema_set_meta(&src->schema, BP_MARK_TASK, NULL, &t->err));
    if (task.n)
        BP_TRY(bp_mark_set_task(&src->schema, task, &t->err));
    return bp_tool_mark_ledger(t, &src->schema);
}

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_source src = {0};
    struct bp_sink sink = {0};
    struct target g = {0};
    bool is_one_file;
    int rc;

    BP_TRY(find_target(t, o, &g));
    is_one_file = !g.by_value && !g.by_parts;
    BP_GO(open_input(t, &src));
    if (g.by_value)
        BP_GO(by_sink(t, o, &g, &src.schema, &sink));
    else if (g.by_parts)
        BP_GO(parts_sink(t, o, &g, &src.schema, &sink));
    else
        BP_GO(file_sink(t, o, &g, &src.schema, &sink));
    rc = bp_tool_drain(t, &src, &sink);
    if (rc < 0 && g.command && !o->to && t->err.code == BP_ECOMMAND) {
        bp_err_clear(&t->err); /* its helper has said why */
        rc = bp_fail(&t->err, BP_EUPSTREAM, "the database did not take it");
    }
    if (rc == 0 && g.is_dir && is_one_file && o->replace)
        rc = bp_task_dir_retire(g.out, t->task.n ? t->task.n : 1, &t->err);
    if (rc == 0 && g.by_value && t->task.n && o->replace)
        rc = bp_task_dir_retire(g.task_dir, t->task.n, &t->err);
    if (rc == 0 && g.is_dir && is_one_file && !t->task.n)
        rc = mark_success(t, g.out);
out:
    bp_sink_free(&sink);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    char shown[1024];
    struct opts o = {0};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv)) {
        t.subject = o.to ? "the table is not written"
                    : t.n_operands
                        ? bp_arena_printf(t.arena, &t.err, "%s not written",
                                          bp_remote_shown(t.operands[0], shown, sizeof shown))
                        : "the output is not complete";
        (void)run(&t, &o);
    }
    return bp_tool_end(&t);
}

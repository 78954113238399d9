/* SPDX-License-Identifier: Apache-2.0 */
/* bp-read --on-error, --rejects, --max-errors: the account's file and the counts. */
#include <stdio.h>
#include <string.h>

#include "fmt/rejects.h"
#include "ipc/ipc.h"
#include "tool/tool.h"

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static int open_file(struct bp_rejects *r, const char *path, struct bp_err *err)
{
    struct bp_schema schema = {0};
    struct bp_outfile f;
    int rc;

    BP_TRY(bp_rejects_schema(&schema, err));
    rc = bp_outfile_open(&f, path, err);
    if (rc == 0)
        rc = ends_with(path, ".jsonl") ? bp_rejects_jsonl_sink(&r->sink, &f, err)
                                       : bp_ipc_file_sink(&r->sink, &f, &schema, err);
    bp_schema_release(&schema);
    return rc;
}

int bp_tool_rejects_open(struct bp_tool *t, const struct bp_reject_opts *o, struct bp_rejects **out)
{
    const char *mode = o->on_error ? o->on_error : "fail";
    bool skip = strcmp(mode, "skip") == 0, null = strcmp(mode, "null") == 0;

    *out = NULL;
    if (!skip && !null && strcmp(mode, "fail") != 0)
        return bp_fail(&t->err, BP_EUSAGE, "--on-error is fail, null or skip, not '%s'", mode);
    if (!skip && !null && (o->file || o->max_errors >= 0))
        return bp_fail(&t->err, BP_EUSAGE, "%s needs --on-error null or --on-error skip",
                       o->file ? "--rejects" : "--max-errors");
    if (!skip && !null)
        return 0;
    *out = bp_mem_new(1, sizeof **out, &t->err);
    if (!*out)
        return t->err.code;
    (*out)->skip = skip;
    (*out)->max_errors = o->max_errors;
    return o->file ? open_file(*out, o->file, &t->err) : 0;
}

/* ---- the commit ---- */

struct watched {
    struct bp_source in;
    struct bp_rejects *rejects;
    bool done;
};

static int watched_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct watched *w = self;
    int rc = w->done ? BP_DONE : bp_source_next(&w->in, out, err);

    if (rc == BP_DONE && !w->done) {
        w->done = true;
        if (bp_rejects_commit(w->rejects, err) < 0)
            return err->code;
    }
    return rc;
}

static void watched_free(void *self)
{
    struct watched *w = self;

    bp_source_free(&w->in);
    bp_mem_free(w);
}

int bp_tool_rejects_watch(struct bp_tool *t, struct bp_rejects *r, struct bp_source *src)
{
    static const struct bp_source_ops ops = {.next = watched_next, .free = watched_free};
    struct watched *w = bp_mem_new(1, sizeof *w, &t->err);
    struct bp_schema schema = {0};

    if (!w)
        return t->err.code;
    if (bp_schema_copy(&schema, &src->schema, &t->err) < 0) {
        bp_mem_free(w);
        return t->err.code;
    }
    w->rejects = r;
    bp_source_move(&w->in, src);
    *src = (struct bp_source){.ops = &ops, .self = w, .schema = schema};
    return 0;
}

/* ---- the counts ---- */

static void say(const struct bp_tool *t, const struct bp_rejects *r, const char *file)
{
    char rows[64] = "", values[64] = "";

    if (r->n_rows)
        snprintf(rows, sizeof rows, "%lld row%s skipped", (long long)r->n_rows,
                 r->n_rows == 1 ? "" : "s");
    if (r->n_values)
        snprintf(values, sizeof values, "%lld value%s made NULL", (long long)r->n_values,
                 r->n_values == 1 ? "" : "s");
    fprintf(stderr, "%s: %s%s%s%s%s\n", t->cmd->name, rows, *rows && *values ? ", " : "", values,
            r->committed ? ", see " : "; the first: ", r->committed ? file : r->first);
}

void bp_tool_rejects_end(struct bp_tool *t, struct bp_rejects *r, const char *file)
{
    if (!r)
        return;
    /* with a second output, a reader that stops early is no success: it is not whole */
    if (t->err.code == BP_ECLOSED && file) {
        bp_err_clear(&t->err);
        bp_fail(&t->err, BP_EDATA,
                "stdout was closed by its reader before all was read: %s is not written", file);
    }
    if (t->err.code == 0 && !t->quiet && r->first)
        say(t, r, file);
    if (t->err.code == 0 && !t->quiet && file && !r->committed) /* a terminal shows the top */
        fprintf(stderr, "%s: not all was read: %s is not written\n", t->cmd->name, file);
    bp_rejects_free(r);
    bp_mem_free(r);
}

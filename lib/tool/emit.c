/* SPDX-License-Identifier: Apache-2.0 */
/* Where a command's rows go: the stream on stdout, the terminal, a sink. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "flow/marks.h"
#include "fmt/show.h"
#include "ipc/ipc.h"
#include "tool/internal.h"

#define SHOW_ROWS 20
#define SHOW_MAX_CELL 40

bool bp_tool_stdout_is_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

int bp_tool_print(struct bp_tool *t, const void *p, size_t n)
{
    struct bp_outfile f;
    int rc;

    BP_TRY(bp_outfile_borrow(&f, STDOUT_FILENO, "stdout", &t->err));
    rc = bp_outfile_write(&f, p, n, &t->err);
    if (rc == 0)
        rc = bp_outfile_commit(&f, &t->err);
    bp_outfile_abort(&f);
    return rc;
}

/* A stream is Arrow: a redirect to a name that promises text is a mistake. */
static int refuse_text_names(struct bp_tool *t)
{
    static const char *const suffixes[] = {".csv", ".tsv", ".json", ".jsonl", ".parquet", ".txt"};
    char path[4096];
    ssize_t n = readlink("/proc/self/fd/1", path, sizeof path - 1);

    if (n <= 0)
        return 0;
    path[n] = '\0';
    for (size_t i = 0; i < BP_COUNT_OF(suffixes); i++) {
        size_t len = strlen(suffixes[i]);

        if ((size_t)n > len && strcmp(path + n - len, suffixes[i]) == 0) {
            const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

            t->stdout_open = true; /* nothing of ours goes there, not even an abort mark */
            return bp_fail(
                &t->err, BP_EUSAGE,
                "stdout is '%s', but a stream is Arrow; for text: %s ... | bp-write > %s", base,
                t->cmd->name, base);
        }
    }
    return 0;
}

static void terminal_size(int *rows, int *cols)
{
    struct winsize w;

    *rows = 24;
    *cols = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col) {
        *rows = w.ws_row;
        *cols = w.ws_col;
    }
}

static int show(struct bp_tool *t, struct bp_source *src)
{
    struct bp_show_opts o = {.n_rows = SHOW_ROWS, .max_cell = SHOW_MAX_CELL};
    const char *no_color = getenv("NO_COLOR");
    struct bp_buf b = {0};
    int rows, rc;

    terminal_size(&rows, &o.width_cols);
    o.color = !(no_color && *no_color);
    rc = bp_show_table(src, &o, &b, &t->err);
    if (rc == 0)
        rc = bp_tool_print(t, b.data, b.len);
    bp_buf_release(&b);
    return rc;
}

/* Rows on their way out, counted for --stats. */
struct counted {
    struct bp_tool *t;
    struct bp_source *in;
};

static void count_out(struct bp_tool *t, const struct bp_batch *b)
{
    t->out_rows += b->n_rows;
    if (t->stats)
        t->out_bytes += bp_batch_size_bytes(b);
}

static int counted_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct counted *c = self;
    int rc = bp_source_next(c->in, out, err);

    if (rc == 0)
        count_out(c->t, out);
    return rc;
}

static void counted_free(void *self)
{
    (void)self; /* owns nothing */
}

static int run_counted(struct bp_tool *t, struct bp_source *src, struct bp_sink *sink)
{
    static const struct bp_source_ops ops = {.next = counted_next, .free = counted_free};
    struct counted c = {t, src};
    struct bp_source counted = {.ops = &ops, .self = &c};

    return bp_flow_run(&counted, sink, &t->err);
}

int bp_tool_emit(struct bp_tool *t, struct bp_source *src)
{
    struct bp_sink sink = {0};
    struct bp_outfile f;
    int rc;

    if (bp_tool_stdout_is_terminal()) {
        rc = show(t, src);
        bp_source_free(src);
        return rc;
    }
    BP_GO(refuse_text_names(t));
    BP_GO(bp_tool_check_memory(t, src));
    BP_GO(bp_schema_set_meta(&src->schema, BP_MARK_VERSION, "1", &t->err));
    BP_GO(bp_outfile_borrow(&f, STDOUT_FILENO, "stdout", &t->err));
    t->stdout_open = true;
    BP_GO(bp_ipc_stream_sink(&sink, &f, &src->schema, &t->err));
    bp_ipc_stream_sink_ledger(&sink, &t->ledger);
    rc = run_counted(t, src, &sink);
out:
    bp_sink_free(&sink);
    bp_source_free(src);
    return rc;
}

/* ---- sinks: shares against -T ---- */

int bp_tool_check_share(struct bp_tool *t, const struct bp_schema *s)
{
    struct bp_share mark;

    BP_TRY(bp_mark_task(s, &mark, &t->err));
    if (mark.n > 0 && t->task.n > 0 && (mark.i != t->task.i || mark.n != t->task.n))
        return bp_fail(&t->err, BP_EDATA,
                       "the input is share %d/%d, but this is task %d/%d: give both the same task",
                       mark.i, mark.n, t->task.i, t->task.n);
    return 0;
}

int bp_tool_mark_ledger(struct bp_tool *t, struct bp_schema *s)
{
    bool is_share = bp_schema_meta(s, BP_MARK_TASK) != NULL;
    struct bp_buf b = {0};
    int rc = 0;

    if (is_share) {
        BP_GO(bp_ledger_write(&t->ledger, &b, &t->err));
        BP_GO(bp_buf_str(&b, &t->err) ? 0 : t->err.code);
    }
    rc = bp_schema_set_meta(s, BP_MARK_LEDGER, is_share ? (const char *)b.data : NULL, &t->err);
out:
    bp_buf_release(&b);
    return rc;
}

struct checked {
    struct bp_tool *t;
    struct bp_source *in;
    struct bp_shareset seen;
};

static int check_whole(const struct checked *c, struct bp_err *err)
{
    struct bp_share task = c->t->task;

    if (task.n > 0 || bp_shareset_whole(&c->seen))
        return 0;
    if (c->seen.n_seen == 1)
        return bp_fail(err, BP_EDATA,
                       "the input is only share %d/%d of a table: add -T (with BP_TASK=%d/%d) to "
                       "write that task's part",
                       c->seen.last, c->seen.n, c->seen.last, c->seen.n);
    return bp_fail(err, BP_EDATA, "the input has only %d of the %d shares of a table",
                   c->seen.n_seen, c->seen.n);
}

static int checked_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct checked *c = self;
    struct bp_share task = c->t->task;
    int rc = bp_source_next(c->in, out, err);

    if (rc == BP_DONE && check_whole(c, err) < 0)
        return err->code;
    if (rc != 0)
        return rc;
    rc = bp_shareset_add(&c->seen, out->share, err);
    if (rc == 0 && task.n > 0 && out->share.n > 0 &&
        (out->share.i != task.i || out->share.n != task.n))
        rc = bp_fail(err, BP_EDATA, "share %d/%d came in, but this is task %d/%d", out->share.i,
                     out->share.n, task.i, task.n);
    if (rc < 0)
        bp_batch_release(out);
    else
        count_out(c->t, out);
    out->share = (struct bp_share){0}; /* checked: to the sink it is one table */
    return rc;
}

static void checked_free(void *self)
{
    struct checked *c = self;

    bp_shareset_release(&c->seen);
}

int bp_tool_drain(struct bp_tool *t, struct bp_source *src, struct bp_sink *sink)
{
    static const struct bp_source_ops ops = {.next = checked_next, .free = checked_free};
    struct checked c = {.t = t, .in = src};
    struct bp_source guard = {.ops = &ops, .self = &c};
    int rc = bp_tool_check_memory(t, src);

    if (rc == 0)
        rc = bp_flow_run(&guard, sink, &t->err);
    bp_source_free(&guard);
    return rc;
}

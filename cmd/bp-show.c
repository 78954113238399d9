/* SPDX-License-Identifier: Apache-2.0 */
/* bp-show: a table for people. */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fmt/show.h"
#include "tool/tool.h"
#include "tool/twice.h"

struct opts {
    int64_t n_rows;
    bool all, expanded;
};

static const struct bp_option options[] = {
    {'n', "rows", BP_OPT_COUNT, offsetof(struct opts, n_rows), "N", "how many rows (default: 20)"},
    {'a', "all", BP_OPT_FLAG, offsetof(struct opts, all), NULL, "all rows, nothing cut"},
    {'x', "expanded", BP_OPT_FLAG, offsetof(struct opts, expanded), NULL, "one line a column"},
};

static const struct bp_command command = {
    .name = "bp-show",
    .synopsis = "[options] [IN...]",
    .summary = "show a table to a person: aligned, types under the names",
    .examples = {"bp-show trips.csv", "bp-show -n 2 -x trips.csv",
                 "bp-read trips.csv | bp-head -n 5 | bp-show -a"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_JOBS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "input order",
    .memory = "the rows shown; -a: up to --mem, the rest in TMPDIR",
};

/* -a: text goes out as it is made, rows are kept for a second look. */
struct all {
    struct bp_tool *t;
    struct bp_twice *rows;
    struct bp_outfile f;
};

static int keep(void *arg, const struct bp_batch *b, struct bp_err *err)
{
    return bp_twice_keep(((struct all *)arg)->rows, b, err);
}

static int next(void *arg, struct bp_batch *out, struct bp_err *err)
{
    return bp_twice_next(((struct all *)arg)->rows, out, err);
}

static int put(void *arg, const void *p, size_t n, struct bp_err *err)
{
    return bp_outfile_write(&((struct all *)arg)->f, p, n, err);
}

static int show_all(struct bp_tool *t, struct bp_source *src, const struct bp_show_opts *s)
{
    struct all a = {.t = t};
    const struct bp_show_twice twice = {keep, next, put, &a};
    int rc;

    BP_TRY(bp_outfile_borrow(&a.f, STDOUT_FILENO, "stdout", &t->err));
    BP_GO(bp_twice_open(&a.rows, &src->schema, &t->ctx, &t->err));
    BP_GO(bp_show_all(src, s, &twice, &t->err));
    rc = bp_outfile_commit(&a.f, &t->err);
out:
    bp_outfile_abort(&a.f);
    bp_twice_free(a.rows);
    return rc;
}

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_show_opts s = {
        .n_rows = o->all ? -1 : o->n_rows, .expanded = o->expanded, .max_cell = o->all ? 0 : 40};
    const char *no_color = getenv("NO_COLOR");
    struct bp_source src = {0};
    struct bp_buf b = {0};
    struct winsize w;
    int rc;

    BP_TRY(bp_tool_open(t, t->operands, t->n_operands, NULL, &src));
    if (bp_tool_stdout_is_terminal()) {
        s.color = !(no_color && *no_color);
        if (!o->all && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
            s.width_cols = w.ws_col;
    }
    rc = o->all ? show_all(t, &src, &s) : bp_show_table(&src, &s, &b, &t->err);
    if (rc == 0 && !o->all)
        rc = bp_tool_print(t, b.data, b.len);
    bp_buf_release(&b);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {.n_rows = 20};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv)) {
        t.subject = "nothing to show";
        (void)run(&t, &o);
    }
    return bp_tool_end(&t);
}

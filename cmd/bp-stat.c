/* SPDX-License-Identifier: Apache-2.0 */
/* bp-stat: the columns of a table, the partitions of a stage, at a glance. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fmt/show.h"
#include "op/op.h"
#include "stage/stage.h"
#include "sys/dir.h"
#include "tool/tool.h"

#define BAR_CELLS 40
#define NAMED_TASKS 5

struct opts {
    const char *keys;
    int64_t n_keys;
    bool verify, fingerprint, ledger;
};

static const struct bp_option options[] = {
    {'k', "keys", BP_OPT_TEXT, offsetof(struct opts, keys), "KEYS",
     "the heaviest keys: those with the most rows"},
    {'n', "top", BP_OPT_COUNT, offsetof(struct opts, n_keys), "N", "how many keys (default: 10)"},
    {0, "verify", BP_OPT_FLAG, offsetof(struct opts, verify), NULL,
     "of a stage: read all of it against its checksums"},
    {0, "ledger", BP_OPT_FLAG, offsetof(struct opts, ledger), NULL,
     "of a stage or output: which task read what of which input"},
    {0, "fingerprint", BP_OPT_FLAG, offsetof(struct opts, fingerprint), NULL,
     "a hash of the rows, whatever their order, and their number"},
};

static const struct bp_command command = {
    .name = "bp-stat",
    .synopsis = "[options] [IN...]",
    .summary = "the columns of a table, or the partitions of a stage, at a glance",
    .examples = {"bp-stat trips.csv", "bp-read -c PULocationID,total_amount trips.csv | bp-stat",
                 "bp-stat -k PULocationID -n 3 trips.csv", "bp-stat --fingerprint trips.csv"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_JOBS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "columns as they stand; partitions from 0",
    .memory = "up to 256K a column; 16 bytes a partition; -k: up to --mem, then TMPDIR",
};

/* ---- columns ---- */

static int head_line(const struct bp_stat_facts *f, int n_cols, struct bp_buf *b,
                     struct bp_err *err)
{
    if (f->n_seen < f->n_shares)
        BP_TRY(bp_buf_printf(b, err, "only %d of %d shares: ", f->n_seen, f->n_shares));
    return bp_buf_printf(b, err, "%" PRId64 " row%s, %d column%s\n", f->n_rows,
                         f->n_rows == 1 ? "" : "s", n_cols, n_cols == 1 ? "" : "s");
}

/* The table without its last line, which counts rows: here they are columns. */
static int table_text(struct bp_source *table, struct bp_buf *b, struct bp_err *err)
{
    struct bp_show_opts s = {.n_rows = -1, .max_cell = 40};
    const char *no_color = getenv("NO_COLOR");
    struct winsize w;

    if (bp_tool_stdout_is_terminal()) {
        s.color = !(no_color && *no_color);
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
            s.width_cols = w.ws_col;
    }
    BP_TRY(bp_show_table(table, &s, b, err));
    while (b->len && b->data[--b->len - 1] != '\n')
        ;
    return 0;
}

static int show_columns(struct bp_tool *t, struct bp_source *in)
{
    struct bp_source table = {0};
    struct bp_stat_facts facts;
    struct bp_buf b = {0};
    int rc;

    bp_budget_least(&t->ctx.budget, bp_stat_profile_bytes(in->schema.n_fields));
    BP_GO(bp_tool_check_memory(t, in));
    BP_GO(bp_stat_profile(&table, in, &facts, &t->err));
    BP_GO(head_line(&facts, in->schema.n_fields, &b, &t->err));
    BP_GO(table_text(&table, &b, &t->err));
    if (facts.estimated)
        BP_GO(bp_buf_printf(&b, &t->err,
                            "more than %" PRId64 " distinct values are estimated, to about %d %%\n",
                            facts.exact_max, facts.exact_max < 10000 ? 5 : 2));
    rc = bp_tool_print(t, b.data, b.len);
out:
    bp_buf_release(&b);
    bp_source_free(&table);
    return rc;
}

static int show_heavy(struct bp_tool *t, const struct opts *o, const struct bp_clause *keys,
                      struct bp_source *in)
{
    struct bp_source table = {0};
    struct bp_heavy_facts facts;
    struct bp_buf b = {0};
    int rc;

    BP_GO(bp_stat_heavy(&table, in, keys, o->n_keys, &facts, &t->ctx, &t->err));
    BP_GO(bp_buf_printf(&b, &t->err, "%" PRId64 " row%s, %" PRId64 " key%s\n", facts.n_rows,
                        facts.n_rows == 1 ? "" : "s", facts.n_keys, facts.n_keys == 1 ? "" : "s"));
    BP_GO(table_text(&table, &b, &t->err));
    if (facts.n_keys)
        BP_GO(bp_buf_printf(
            &b, &t->err, "skew: %.2f (the heaviest key, %" PRId64 " rows, against the mean)\n",
            (double)facts.most * (double)facts.n_keys / (double)facts.n_rows, facts.most));
    rc = bp_tool_print(t, b.data, b.len);
out:
    bp_buf_release(&b);
    bp_source_free(&table);
    return rc;
}

static int show_fingerprint(struct bp_tool *t, struct bp_source *in)
{
    struct bp_buf b = {0};
    uint64_t sum;
    int64_t n;
    int rc;

    BP_GO(bp_stat_fingerprint(in, &sum, &n, &t->err));
    BP_GO(bp_buf_printf(&b, &t->err, "%016" PRIx64 " %" PRId64 "\n", sum, n));
    rc = bp_tool_print(t, b.data, b.len);
out:
    bp_buf_release(&b);
    return rc;
}

/* ---- partitions ---- */

static int put_tasks(const struct bp_stage_report *r, const char *dir, struct bp_buf *b,
                     struct bp_err *err)
{
    int n = 0, n_missing = r->n_tasks - r->n_committed;

    if (!n_missing)
        return 0;
    BP_TRY(bp_buf_printf(b, err, "missing: task%s ", n_missing == 1 ? "" : "s"));
    for (int i = 0; i < r->n_tasks && n < NAMED_TASKS; i++)
        if (!r->committed[i])
            BP_TRY(bp_buf_printf(b, err, "%s%d", n++ ? ", " : "", i));
    if (n_missing > n)
        BP_TRY(bp_buf_printf(b, err, " and %d more", n_missing - n));
    return bp_buf_printf(b, err, " (bp-todo -n %d %s lists what to run)\n", r->n_tasks, dir);
}

static int put_head(const struct bp_stage_report *r, const char *dir, struct bp_buf *b,
                    struct bp_err *err)
{
    BP_TRY(bp_buf_printf(b, err, "%s: %d of %d tasks, %u partition%s", dir, r->n_committed,
                         r->n_tasks, r->parts, r->parts == 1 ? "" : "s"));
    for (int i = 0; i < r->n_keys; i++) {
        BP_TRY(bp_buf_puts(b, i ? ", " : " by ", err));
        BP_TRY(bp_name_print(r->keys[i], b, err));
    }
    if (r->range)
        BP_TRY(bp_buf_printf(b, err, " (ranges of %s)", r->range));
    if (r->split || r->copied)
        BP_TRY(bp_buf_printf(b, err, ", hot keys %s", r->split ? "split" : "copied"));
    BP_TRY(bp_buf_printf(b, err, "%s; %" PRId64 " rows, %" PRId64 " bytes in %" PRId64 " blocks\n",
                         r->even ? ", even" : "", r->n_rows, r->n_bytes, r->n_blocks));
    BP_TRY(put_tasks(r, dir, b, err));
    if (r->other_run < 0)
        return 0;
    return bp_buf_printf(b, err, "mixed: task %d came from another run; readers will refuse it\n",
                         r->other_run);
}

/* Eighths of a cell. */
static int put_bar(int64_t rows, int64_t largest, struct bp_buf *b, struct bp_err *err)
{
    int eighths = largest ? (int)((double)rows / (double)largest * BAR_CELLS * 8 + 0.5) : 0;

    for (; eighths >= 8; eighths -= 8)
        BP_TRY(bp_buf_puts(b, "\xe2\x96\x88", err));
    if (eighths)
        return bp_buf_printf(b, err, "\xe2\x96%c", 0x90 - eighths);
    return 0;
}

static int put_parts(const struct bp_stage_report *r, struct bp_buf *b, struct bp_err *err)
{
    uint32_t largest = 0;

    for (uint32_t p = 0; p < r->parts; p++)
        largest = r->rows[p] > r->rows[largest] ? p : largest;
    BP_TRY(bp_buf_printf(b, err, "%9s %12s %14s\n", "partition", "rows", "bytes"));
    for (uint32_t p = 0; p < r->parts; p++) {
        BP_TRY(bp_buf_printf(b, err, "%9u %12" PRId64 " %14" PRId64 "%s", p, r->rows[p],
                             r->bytes[p], r->rows[p] ? "  " : ""));
        BP_TRY(put_bar(r->rows[p], r->rows[largest], b, err));
        BP_TRY(bp_buf_puts(b, "\n", err));
    }
    if (r->copied)
        BP_TRY(bp_buf_printf(b, err, "%9s %12" PRId64 " %14" PRId64 "\n", "each, too",
                             r->rows[r->parts], r->bytes[r->parts]));
    if (!r->n_rows)
        return 0;
    return bp_buf_printf(b, err, "skew: %.2f (the largest partition, %u, against the mean)\n",
                         (double)r->rows[largest] * r->parts / (double)r->n_rows, largest);
}

static int show_stage(struct bp_tool *t, const char *dir, bool verify)
{
    struct bp_stage_report r = {0};
    struct bp_buf b = {0};
    int rc;

    BP_GO(bp_stage_report_read(&r, dir, verify, &t->err));
    BP_GO(put_head(&r, dir, &b, &t->err));
    BP_GO(put_parts(&r, &b, &t->err));
    if (verify)
        BP_GO(bp_buf_puts(&b, "verified: every block is what its checksum says\n", &t->err));
    BP_GO(bp_tool_print(t, b.data, b.len));
    if (verify && (r.n_committed < r.n_tasks || r.other_run >= 0))
        rc = bp_fail(&t->err, BP_EDATA, "%s: what is there is undamaged, but it is no whole stage",
                     dir);
out:
    bp_buf_release(&b);
    bp_stage_report_release(&r);
    return rc;
}

/* ---- inputs ---- */

/* What is there, and whether a reader would take it. */
static int show_ledgers(struct bp_tool *t, const char *dir, const struct bp_ledger *ledgers,
                        const uint8_t *committed, int n)
{
    const struct bp_ledger **tasks = bp_mem_new((size_t)n, sizeof(struct bp_ledger *), &t->err);
    struct bp_buf b = {0};
    int rc = t->err.code, n_missing = 0;

    for (int i = 0; i < n && rc == 0; i++) {
        tasks[i] = &ledgers[i];
        n_missing += !committed[i];
    }
    BP_GO(rc);
    BP_GO(bp_buf_printf(&b, &t->err, "%s: %d of %d tasks\n", dir, n - n_missing, n));
    if (n_missing) {
        BP_GO(bp_buf_puts(&b, "missing: ", &t->err));
        BP_GO(bp_tasks_name(committed, n, 0, &b, &t->err));
        BP_GO(bp_buf_puts(&b, "\n", &t->err));
    }
    BP_GO(bp_ledger_show(tasks, n, &b, &t->err));
    if (!n_missing && bp_ledger_check(tasks, n, &t->err) == 0)
        BP_GO(bp_buf_puts(&b, "the shares are of one division and of the same inputs\n", &t->err));
    t->subject = t->err.code ? "readers refuse it" : t->subject;
    BP_GO(bp_tool_print(t, b.data, b.len));
    rc = t->err.code ? bp_err_prefix(&t->err, "%s", dir) : 0;
out:
    bp_buf_release(&b);
    bp_mem_free(tasks);
    return rc;
}

static int show_stage_ledger(struct bp_tool *t, const char *dir)
{
    struct bp_stage_report r = {0};
    int rc;

    BP_TRY(bp_stage_report_read(&r, dir, false, &t->err));
    rc = show_ledgers(t, dir, r.ledgers, r.committed, r.n_tasks);
    bp_stage_report_release(&r);
    return rc;
}

static int show_output_ledger(struct bp_tool *t, const char *dir)
{
    struct bp_tool_ledgers l;
    int rc;

    BP_TRY(bp_tool_ledgers(t, dir, &l));
    if (l.n_with)
        rc = show_ledgers(t, dir, l.tasks, l.committed, l.n_tasks);
    else
        rc = bp_fail(&t->err, BP_EDATA,
                     "%s: its files are text, which has no room for a ledger: only Arrow and "
                     "Parquet files have one",
                     dir);
    bp_tool_ledgers_release(&l);
    return rc;
}

static int look(struct bp_tool *t, bool *is_stage)
{
    *is_stage = false;
    if (t->n_operands != 1 || t->part || bp_path_kind(t->operands[0]) != BP_PATH_DIR)
        return 0;
    return bp_stage_look(t->operands[0], is_stage, &t->err);
}

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_source in = {0};
    struct bp_clause keys;
    bool is_stage;
    int rc;

    if (o->verify + o->fingerprint + o->ledger > 1)
        return bp_fail(&t->err, BP_EUSAGE, "--verify, --fingerprint or --ledger: one of them");
    if (o->keys && (o->verify || o->fingerprint || o->ledger))
        return bp_fail(&t->err, BP_EUSAGE,
                       "-k shows keys: leave out --verify, --fingerprint and --ledger");
    BP_TRY(look(t, &is_stage));
    if (o->ledger && (t->n_operands != 1 || bp_path_kind(t->operands[0]) != BP_PATH_DIR))
        return bp_fail(&t->err, BP_EUSAGE, "--ledger wants one directory of task files");
    if (o->ledger)
        return is_stage ? show_stage_ledger(t, t->operands[0])
                        : show_output_ledger(t, t->operands[0]);
    if (!o->fingerprint && !o->keys && is_stage)
        return show_stage(t, t->operands[0], o->verify);
    if (o->verify)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--verify wants one stage directory: nothing else carries checksums");
    BP_TRY(bp_tool_clause(t, o->keys, &keys));
    BP_TRY(bp_tool_open(t, t->operands, t->n_operands, NULL, &in));
    rc = o->keys          ? show_heavy(t, o, &keys, &in)
         : o->fingerprint ? show_fingerprint(t, &in)
                          : show_columns(t, &in);
    bp_source_free(&in);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {.n_keys = 10};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv)) {
        t.subject = "nothing to show";
        (void)run(&t, &o);
    }
    return bp_tool_end(&t);
}

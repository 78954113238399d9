/* SPDX-License-Identifier: Apache-2.0 */
/* Start and end of a command; clauses; lineage. */
#include "tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "flow/marks.h"
#include "ipc/ipc.h"
#include "sys/dir.h"
#include "sys/guard.h"
#include "sys/input.h"
#include "sys/thread.h"
#include "tool/internal.h"

#define CLAUSE_MAX_BYTES ((size_t)1 << 20)

/* A closed 0, 1 or 2 must not become one of our files: stand-ins that fail as a
 * closed descriptor does. */
static void hold_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int bp_tool_start(struct bp_tool *t, const struct bp_command *cmd, void *opts, int argc,
                  char **argv)
{
    memset(t, 0, sizeof *t);
    t->cmd = cmd;
    t->ctx.ledger = &t->ledger;
    t->started_ns = bp_clock_ns();
    hold_standard_fds();
    bp_guard_signals();
    t->arena = bp_mem_new(1, sizeof *t->arena, &t->err);
    if (!t->arena || bp_tool_parse(t, opts, argc, argv) < 0 || t->ended)
        return 1;
    return bp_tool_settings(t) < 0;
}

/* A failed stream says so to its reader, whatever the reason. */
static void abort_stdout(struct bp_tool *t)
{
    struct bp_outfile f;
    struct bp_err ignored = {0};

    if (!t->cmd->is_stream || t->stdout_open || t->ended || bp_tool_stdout_is_terminal())
        return;
    if (bp_outfile_borrow(&f, STDOUT_FILENO, "stdout", &ignored) < 0)
        return;
    bp_ipc_write_abort(&f, t->err.msg);
    bp_outfile_abort(&f);
}

static void report(struct bp_tool *t)
{
    const char *name = t->cmd->name;
    bool sink = !t->cmd->is_stream || bp_tool_stdout_is_terminal();

    if (t->err.code == BP_EUPSTREAM && !sink)
        return; /* the command that failed said why; the sink will say what is missing */
    if (t->subject)
        fprintf(stderr, "%s: %s: %s\n", name, t->subject, t->err.msg);
    else
        fprintf(stderr, "%s: %s\n", name, t->err.msg);
}

static void print_stats(const struct bp_tool *t)
{
    fprintf(stderr,
            "{\"command\":\"%s\",\"rows\":%lld,\"bytes\":%lld,\"peak_bytes\":%lld,"
            "\"spilled_bytes\":%lld,\"seconds\":%.3f}\n",
            t->cmd->name, (long long)t->out_rows, (long long)t->out_bytes,
            (long long)bp_peak_bytes(), (long long)atomic_load(&t->ctx.spilled_bytes),
            (double)(bp_clock_ns() - t->started_ns) / 1e9);
}

int bp_tool_end(struct bp_tool *t)
{
    int status = t->exit_status;

    if (t->err.code < 0 && t->err.code != BP_ECLOSED) {
        status = t->err.code == BP_EUSAGE ? 2 : 1;
        report(t);
        abort_stdout(t);
    } else if (t->stats) {
        print_stats(t);
    }
    if (t->arena)
        bp_arena_release(t->arena);
    bp_mem_free(t->arena);
    bp_ledger_release(&t->ledger);
    bp_mem_free(t->vars);
    bp_mem_free(t->var_texts);
    return status;
}

/* bp-filter trips.csv 'a > 1': the operands in the wrong order. */
static int refuse_file_name(struct bp_tool *t, const char *text)
{
    static const char *const suffixes[] = {".csv", ".tsv", ".arrow", ".arrows", ".gz", ".parquet"};
    const char *dot = strrchr(text, '.');

    for (size_t i = 0; dot && i < BP_COUNT_OF(suffixes); i++)
        if (strcmp(dot, suffixes[i]) == 0 && bp_path_kind(text) != BP_PATH_NONE)
            return bp_fail(&t->err, BP_EUSAGE,
                           "'%s' is a file: the clause comes first, then the inputs", text);
    return 0;
}

/* It is told before the inputs are open, and so before the clause can be bound. */
static int note_pseudo(struct bp_tool *t, const char *text)
{
    static const char *const names[] = {"_file", "_part", "_line"}; /* enum bp_pseudo */
    unsigned bits;

    BP_TRY(bp_expr_mentions(text, names, BP_COUNT_OF(names), &bits, &t->err));
    t->pseudo |= bits;
    return 0;
}

int bp_tool_text(struct bp_tool *t, const char *text, struct bp_clause *out)
{
    struct bp_buf b = {0};
    int rc = 0;

    *out = (struct bp_clause){.text = text, .vars = t->vars, .n_vars = t->n_vars};
    if (!text)
        return 0;
    if (text[0] != '@')
        return refuse_file_name(t, text);
    rc = bp_read_file(text + 1, CLAUSE_MAX_BYTES, &b, &t->err);
    if (rc == 0) {
        out->text = bp_arena_strn(t->arena, (const char *)b.data, b.len, &t->err);
        if (!out->text)
            rc = t->err.code;
        else if (strlen(out->text) != b.len)
            rc = bp_fail(&t->err, BP_EUSAGE, "'%s' holds a NUL byte: not a clause", text + 1);
    }
    bp_buf_release(&b);
    return rc;
}

int bp_tool_clause(struct bp_tool *t, const char *text, struct bp_clause *out)
{
    BP_TRY(bp_tool_text(t, text, out));
    return out->text ? note_pseudo(t, out->text) : 0;
}

int bp_tool_step(struct bp_tool *t, struct bp_schema *out, const char *const *clauses,
                 const struct bp_schema *const from[], int n_from)
{
    struct bp_step step = {
        .cmd = t->cmd->name,
        .clauses = clauses,
        .vars = (const char *const *)t->var_texts,
        .inputs = (const char *const *)t->input_names,
    };

    return bp_lineage_push(out, &step, from, n_from, &t->err);
}

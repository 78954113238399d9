/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs by name: operands -> pieces -> one source.
 *
 * A piece is one thing that opens: a stream, an Arrow file, a text file, a stage
 * or a range of its partitions. A directory of files and a glob are several
 * pieces. Text files that follow one another are one table (columns match by
 * name, inference sees them all); everything else is put one after the other.
 */
#include <string.h>

#include "base/arena.h"
#include "codec/codec.h"
#include "flow/marks.h"
#include "fmt/csv.h"
#include "fmt/jsonl.h"
#include "fmt/parquet/parquet.h"
#include "ipc/ipc.h"
#include "op/op.h"
#include "stage/stage.h"
#include "sys/dir.h"
#include "sys/remote.h"
#include "tool/constants.h"
#include "tool/pieces.h"
#include "tool/tool.h"

#define SCHEMA_MAX_BYTES ((size_t)1 << 20)

struct opening {
    struct bp_tool *t;
    struct bp_open o;
    struct bp_pieces pieces;
    int *first; /* [n_sources]: the piece, or the first of text files, that it is of */
    int n_sources;
    struct bp_share task;    /* n == 0: everything */
    unsigned pseudo;         /* enum bp_pseudo: what clauses name */
    bool noted;              /* all inputs were opened once: the ledger knows them */
    struct bp_ledger unread; /* what those opened again say once more */
};

/* ---- text ---- */

static int one_byte(struct bp_tool *t, const char *option, const char *text, char *out)
{
    if (strcmp(text, "\\t") == 0 || strcmp(text, "tab") == 0)
        text = "\t";
    if (text[0] == '\0' || text[1] != '\0' || strchr("\r\n", text[0]))
        return bp_fail(&t->err, BP_EUSAGE, "%s wants one character, not '%s'", option, text);
    *out = text[0];
    return 0;
}

static int text_options(struct bp_tool *t, bool tsv, struct bp_csv_opts *c)
{
    const char *e = t->encoding;

    c->delim = tsv ? '\t' : ',';
    c->quote = '"';
    if (t->delim)
        BP_TRY(one_byte(t, "--delim", t->delim, &c->delim));
    if (t->quote && !*t->quote)
        c->quote = 0;
    else if (t->quote)
        BP_TRY(one_byte(t, "--quote", t->quote, &c->quote));
    if (t->header && strcmp(t->header, "no") == 0)
        c->header = BP_CSV_HEADER_NO;
    else if (t->header && strcmp(t->header, "yes") != 0)
        return bp_fail(&t->err, BP_EUSAGE, "--header is yes or no, not '%s'", t->header);
    c->missing_null = t->missing && strcmp(t->missing, "null") == 0;
    if (e && strcmp(e, "utf-8") != 0 && strcmp(e, "utf8") != 0 && strcmp(e, "UTF-8") != 0)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--encoding '%s' is not read here: iconv -f '%s' -t utf-8 FILE | bp-read", e,
                       e);
    c->null_text = t->null_text;
    return 0;
}

/* The schema of text: -s, or a file _schema beside the data. */
static int text_schema(struct opening *g, const struct bp_piece *p, struct bp_schema *schema,
                       bool *star, bool *present)
{
    struct bp_tool *t = g->t;
    const char *path = p->path, *text = t->schema_text, *slash = strrchr(path, '/');
    struct bp_clause c;
    char *beside = NULL;

    if (!text && !g->o.no_schema_file && !g->o.from && strcmp(path, "-") != 0 &&
        bp_remote_kind(path) != BP_REMOTE_HTTP) {
        beside =
            slash ? bp_arena_printf(t->arena, &t->err, "@%.*s/_schema", (int)(slash - path), path)
                  : bp_arena_str(t->arena, "@_schema", &t->err);
        if (!beside)
            return t->err.code;
        if (bp_path_kind(beside + 1) == BP_PATH_FILE)
            text = beside;
    }
    if (!text)
        text = p->schema_text; /* begins with a name */
    *present = text != NULL;
    if (!text)
        return 0;
    BP_TRY(bp_tool_text(t, text, &c));
    if (bp_schema_parse(c.text, schema, star, &t->err) < 0)
        return bp_err_prefix(&t->err, "schema%s%s", text[0] == '@' ? " " : "",
                             text[0] == '@' ? text + 1 : "");
    return 0;
}

/* JSON Lines: the options that are common to text, which c holds. */
static int open_jsonl(struct opening *g, struct bp_input *ins, int n, const struct bp_csv_opts *c,
                      struct bp_source *out)
{
    struct bp_tool *t = g->t;
    struct bp_jsonl_opts o = {.schema = c->schema,
                              .star = c->star,
                              .columns = c->columns,
                              .may_lack = c->may_lack,
                              .line_name = c->line_name,
                              .rejects = c->rejects,
                              .task = c->task,
                              .n_tasks = c->n_tasks};
    const char *option = t->delim       ? "--delim"
                         : t->quote     ? "--quote"
                         : t->header    ? "--header"
                         : t->null_text ? "--null"
                                        : NULL;

    if (!option)
        return bp_jsonl_source(out, ins, n, &o, &t->ctx, &t->err);
    bp_fail(&t->err, BP_EUSAGE, "%s is for CSV and TSV; '%s' is JSON Lines", option, ins[0].name);
    for (int i = 0; i < n; i++)
        bp_input_close(&ins[i]);
    return t->err.code;
}

static int open_text(struct opening *g, struct bp_piece *p, int n, struct bp_source *out)
{
    static const char *const pseudo_names[] = {"_file", "_part", "_line", NULL};
    struct bp_tool *t = g->t;
    struct bp_csv_opts c = {.task = g->task.i, .n_tasks = g->task.n, .rejects = g->o.rejects};
    struct bp_input *ins = bp_mem_new((size_t)n, sizeof *ins, &t->err);
    struct bp_schema schema = {0};
    char **names = NULL;
    bool declared = false;
    int n_names = 0, rc;

    if (!ins)
        return t->err.code;
    BP_GO(text_options(t, p->kind == BP_PIECE_TSV, &c));
    BP_GO(text_schema(g, p, &schema, &c.star, &declared));
    BP_GO(bp_piece_take_hive(p, &schema, &t->err));
    if (declared)
        c.schema = &schema;
    if (g->o.columns)
        BP_GO(bp_piece_own_columns(p, g->o.columns, &names, &n_names, &t->err));
    if (n_names)
        c.columns = (const char *const *)names;
    c.may_lack = pseudo_names;
    c.line_name = g->pseudo & BP_PSEUDO_LINE ? "_line" : NULL;
    for (int i = 0; i < n; i++)
        bp_input_move(&ins[i], &p[i].in);
    if (p->kind == BP_PIECE_JSONL)
        rc = open_jsonl(g, ins, n, &c, out);
    else
        rc = bp_csv_source(out, ins, n, &c, &t->ctx, &t->err);
out:
    for (int i = 0; i < n_names; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
    bp_schema_release(&schema);
    bp_mem_free(ins);
    return rc;
}

/* ---- Arrow ---- */

static struct bp_ledger *ledger_of(struct opening *g)
{
    return g->noted ? &g->unread : &g->t->ledger;
}

static int open_stream(struct opening *g, struct bp_piece *p, struct bp_source *out)
{
    struct bp_ipc_opts o = {.allow_truncated = g->t->allow_truncated, .ledger = ledger_of(g)};

    if (g->task.n)
        return bp_fail(&g->t->err, BP_EUSAGE,
                       "%s is a stream: it cannot be cut into shares for -T; name files, or let "
                       "the producer take the share",
                       p->path);
    return bp_ipc_stream_source(out, &p->in, &o, &g->t->err);
}

/* Which batches, or row groups, of piece p are this task's. */
static void batches_of(const struct opening *g, const struct bp_piece *p, int *first, int *n)
{
    int64_t total = g->pieces.n_batches, before = p->first_batch, count = p->n_batches;
    int64_t from = BP_MAX(total * g->task.i / g->task.n, before) - before;
    int64_t to = BP_MIN(total * (g->task.i + 1) / g->task.n, before + count) - before;

    *first = (int)BP_MIN(from, count);
    *n = to > from ? (int)(to - from) : 0;
}

/* Batches or row groups [first, first + n) of a file; without -T all, uncounted. */
static int note_batches(struct opening *g, const struct bp_piece *p, int first, int n)
{
    char room[1024];
    const char *shown = bp_remote_shown(p->path, room, sizeof room);
    struct bp_ledger_entry e = {.input = (char *)(uintptr_t)shown,
                                .unit = g->task.n ? BP_LEDGER_BATCHES : BP_LEDGER_WHOLE,
                                .size_bytes = p->in.size_bytes,
                                .mtime_ns = p->in.mtime_ns,
                                .end = g->task.n ? p->n_batches : 1,
                                .from = g->task.n ? first : 0,
                                .to = g->task.n ? first + n : 1,
                                .share = g->task};

    memcpy(e.version, p->in.version, sizeof e.version);
    return bp_ledger_add(ledger_of(g), &e, &g->t->err);
}

static int open_arrow_file(struct opening *g, struct bp_piece *p, struct bp_source *out)
{
    struct bp_ipc_opts o = {.unite = p->unite, .task = g->task.i, .n_tasks = g->task.n};

    o.some_batches = g->task.n > 0;
    if (g->task.n)
        batches_of(g, p, &o.first_batch, &o.n_batches);
    BP_TRY(note_batches(g, p, o.first_batch, o.n_batches));
    BP_TRY(bp_ipc_file_source(out, &p->in, &o, &g->t->err));
    return bp_schema_set_meta(&out->schema, BP_MARK_LEDGER, NULL, &g->t->err);
}

static int open_parquet(struct opening *g, struct bp_piece *p, struct bp_source *out)
{
    struct bp_parquet_opts o = {.unite = p->unite, .task = g->task.i, .n_tasks = g->task.n};

    o.some_groups = g->task.n > 0;
    if (g->task.n)
        batches_of(g, p, &o.first_group, &o.n_groups);
    BP_TRY(note_batches(g, p, o.first_group, o.n_groups));
    BP_TRY(bp_parquet_source(out, &p->in, &o, &g->t->ctx, &g->t->err));
    return bp_schema_set_meta(&out->schema, BP_MARK_LEDGER, NULL, &g->t->err);
}

static int count_arrow(const char *path, int *n, struct bp_err *err)
{
    struct bp_ipc_file *f;
    struct bp_input in;

    BP_TRY(bp_input_open(&in, path, err));
    BP_TRY(bp_ipc_file_open(&f, &in, err));
    *n = bp_ipc_file_n_batches(f);
    bp_ipc_file_free(f);
    return 0;
}

static int count_parquet(const char *path, int *n, struct bp_err *err)
{
    struct bp_input in;

    BP_TRY(bp_input_open(&in, path, err));
    return bp_parquet_count_groups(&in, n, err);
}

/* How many batches each Arrow file has, and row groups each Parquet file, for shares
 * that run over all of them. */
static int count_batches(struct opening *g)
{
    for (int i = 0; i < g->pieces.n; i++) {
        struct bp_piece *p = &g->pieces.items[i];

        if (p->kind == BP_PIECE_ARROW)
            BP_TRY(count_arrow(p->path, &p->n_batches, &g->t->err));
        else if (p->kind == BP_PIECE_PARQUET)
            BP_TRY(count_parquet(p->path, &p->n_batches, &g->t->err));
        p->first_batch = g->pieces.n_batches;
        g->pieces.n_batches += p->n_batches;
    }
    return 0;
}

/* ---- all ---- */

static bool is_text(const struct bp_piece *p)
{
    return p->kind == BP_PIECE_CSV || p->kind == BP_PIECE_TSV || p->kind == BP_PIECE_JSONL;
}

/* How many text files from piece i on are read as one; 0: it is no text. */
static int text_run(const struct opening *g, int i)
{
    const struct bp_piece *p = &g->pieces.items[i];
    int n = 0;

    /* the files of one directory have the same constants, and only they */
    while (is_text(p) && i + n < g->pieces.n && p[n].kind == p->kind && p[n].hive == p->hive &&
           p[n].n_hive == p->n_hive && p[n].schema_text == p->schema_text)
        n++;
    return n;
}

static int note_input(struct bp_tool *t, const char *name)
{
    size_t n = (size_t)t->n_input_names;
    char **names = t->input_names, room[1024];

    if ((n & (n + 1)) == 0) { /* full at one below powers of two: a NULL ends them */
        names = bp_arena_alloc(t->arena, (n + 1) * 2 * sizeof *names, &t->err);
        if (!names)
            return t->err.code;
        if (n)
            memcpy(names, t->input_names, n * sizeof *names);
        t->input_names = names;
    }
    names[n + 1] = NULL;
    names[n] = bp_arena_str(t->arena, bp_remote_shown(name, room, sizeof room), &t->err);
    if (!names[n])
        return t->err.code;
    t->n_input_names++;
    return 0;
}

/* Shares run over all inputs as one row of rows: a mixture has no common measure. */
static int refuse_mixed_shares(struct opening *g)
{
    const struct bp_piece *p = g->pieces.items;

    for (int i = 1; g->task.n && i < g->pieces.n; i++)
        if (is_text(&p[i]) != is_text(&p[0]) || p[i].kind == BP_PIECE_STAGE ||
            p[0].kind == BP_PIECE_STAGE)
            return bp_fail(&g->t->err, BP_EUSAGE,
                           "'%s' and '%s' are of different kinds: one task's share of both "
                           "together is not defined; read them by two commands",
                           p[0].path, p[i].path);
    return 0;
}

/* -s for a file that has a schema may say the types of its directories' columns. */
static int own_schema(struct opening *g, struct bp_piece *p)
{
    struct bp_schema schema = {0};
    bool star = false, present = false;
    int rc = 0;

    if (!g->t->schema_text)
        return 0;
    if (p->n_hive) {
        BP_GO(text_schema(g, p, &schema, &star, &present));
        BP_GO(bp_piece_take_hive(p, &schema, &g->t->err));
    }
    if (!p->n_hive || schema.n_fields || star)
        rc =
            bp_fail(&g->t->err, BP_EUSAGE, "'%s' has a schema of its own: -s is for text", p->path);
out:
    bp_schema_release(&schema);
    return rc;
}

/* A share with rows that others have too is only good for meeting its like in a join. */
static int open_stage(struct opening *g, struct bp_piece *p, struct bp_source *out)
{
    struct bp_err *err = &g->t->err;
    struct bp_parted parted;
    bool present, copied;

    BP_TRY(bp_stage_source(out, p->path, p->range, g->task.i, g->task.n, &g->t->ctx, err));
    BP_TRY(bp_mark_parted(&out->schema, &present, &parted, err));
    copied = parted.copied;
    bp_parted_release(&parted);
    if (copied && !g->o.takes_copies)
        return bp_fail(err, BP_EDATA,
                       "a share of %s has copies of other shares' rows (bp-shuffle --copy-hot): it "
                       "is for bp-join only; for all else read the stage whole",
                       p->path);
    return 0;
}

/* An output of ours without rows: its list tells the columns, -s their types. */
static int open_empty(struct opening *g, const struct bp_piece *p, struct bp_source *out)
{
    struct bp_schema schema = {0};
    bool star = false, present;
    int rc;

    BP_GO(text_schema(g, p, &schema, &star, &present));
    if (star) {
        bp_schema_release(&schema);
        BP_GO(bp_schema_parse(p->schema_text, &schema, &star, &g->t->err));
    }
    rc = bp_empty_source(out, &schema, g->task, &g->t->err);
out:
    bp_schema_release(&schema);
    return rc;
}

static int open_file(struct opening *g, struct bp_piece *p, struct bp_source *out)
{
    if (p->kind == BP_PIECE_EMPTY)
        return open_empty(g, p, out);
    BP_TRY(own_schema(g, p));
    if (p->kind == BP_PIECE_STREAM)
        return open_stream(g, p, out);
    if (p->kind == BP_PIECE_ARROW)
        return open_arrow_file(g, p, out);
    if (p->kind == BP_PIECE_PARQUET)
        return open_parquet(g, p, out);
    return open_stage(g, p, out);
}

/* What was opened went with the source that was made of it. */
static int reopen(struct opening *g, struct bp_piece *p, int n)
{
    for (int k = 0; k < n; k++) {
        BP_TRY(bp_piece_reopen(g->t, &g->o, &p[k]));
    }
    return 0;
}

static int open_piece(struct opening *g, int i, struct bp_source *out)
{
    struct bp_piece *p = &g->pieces.items[i];
    bool again = p->opened;
    int n = text_run(g, i), rc;
    struct bp_source file = {0};

    p->opened = true;
    if (again)
        BP_TRY(reopen(g, p, BP_MAX(n, 1)));
    if (n) {
        for (int k = 0; k < n && !again; k++)
            BP_TRY(note_input(g->t, p[k].path));
        rc = open_text(g, p, n, &file);
    } else {
        rc = open_file(g, p, &file);
        if (rc == 0 && !again && !bp_schema_meta(&file.schema, BP_MARK_LINEAGE))
            rc = note_input(g->t, p->path);
    }
    if (rc == 0 && (p->n_hive || g->pseudo))
        return bp_piece_dress(p, BP_MAX(n, 1), g->pseudo, &file, out, &g->t->err);
    bp_source_move(out, &file);
    return rc;
}

/* ---- several, for the union ---- */

static int opening_open(void *self, int i, struct bp_source *out, struct bp_err *err)
{
    struct opening *g = self;
    int rc = open_piece(g, g->first[i], out);

    /* while batches walk, errors go another way than while things are opened */
    if (rc < 0 && err != &g->t->err) {
        *err = g->t->err;
        bp_err_clear(&g->t->err);
    }
    return rc;
}

/* A file with a name; a stage keeps few files open, and reads much when it is opened. */
static bool opening_again(const void *self, int i)
{
    const struct opening *g = self;
    const struct bp_piece *p = &g->pieces.items[g->first[i]];

    return (!is_text(p) || p->n_hive) && p->kind != BP_PIECE_STAGE && strcmp(p->path, "-") != 0 &&
           bp_path_kind(p->path) == BP_PATH_FILE;
}

static void opening_free(void *self)
{
    struct opening *g = self;

    bp_mem_free(g->first);
    bp_ledger_release(&g->unread);
    bp_pieces_release(&g->pieces);
    bp_mem_free(g);
}

static int check_opened(struct opening *g, int ledger_before, struct bp_source *out)
{
    struct bp_tool *t = g->t;
    int rc = bp_ledger_number(&t->ledger, ledger_before, &t->err);

    if (rc == 0 && !g->o.side)
        rc = bp_pieces_check_pseudo(&g->pieces, g->pseudo, &out->schema, &t->err);
    return rc;
}

/* g is taken over. */
static int open_all(struct opening *g, struct bp_source *out)
{
    struct bp_union_inputs ins = {0, false, opening_open, opening_again, opening_free, g};
    struct bp_tool *t = g->t;
    int rc, before = t->ledger.n;

    BP_GO(refuse_mixed_shares(g));
    if (g->task.n)
        BP_GO(count_batches(g));
    g->first = bp_mem_new((size_t)g->pieces.n + 1, sizeof *g->first, &t->err);
    BP_GO(g->first ? 0 : t->err.code);
    for (int i = 0; i < g->pieces.n; i += BP_MAX(text_run(g, i), 1))
        g->first[g->n_sources++] = i;
    ins.n = g->n_sources;
    ins.missing_null = t->missing && strcmp(t->missing, "null") == 0;
    if (ins.n > 1) {
        BP_TRY(bp_union_inputs_open(out, &ins, &t->err));
        g->noted = true;
        rc = check_opened(g, before, out);
        if (rc < 0)
            bp_source_free(out); /* and g */
        return rc;
    }
    BP_GO(open_piece(g, 0, out));
    rc = check_opened(g, before, out);
    if (rc < 0)
        bp_source_free(out);
out:
    opening_free(g);
    return rc;
}

int bp_tool_open(struct bp_tool *t, char *const *names, int n, const struct bp_open *o,
                 struct bp_source *out)
{
    static const struct bp_open plain = {0};
    struct opening *g = bp_mem_new(1, sizeof *g, &t->err);

    memset(out, 0, sizeof *out);
    if (!g)
        return t->err.code;
    g->t = t;
    g->o = o ? *o : plain;
    g->pseudo = t->pseudo;
    if (!g->o.whole)
        g->task = t->task;
    if (t->missing && strcmp(t->missing, "null") != 0 && strcmp(t->missing, "error") != 0)
        bp_fail(&t->err, BP_EUSAGE, "--missing is null or error, not '%s'", t->missing);
    if (t->err.code || bp_pieces_find(t, names, n, &g->o, &g->pieces) < 0) {
        opening_free(g);
        return t->err.code;
    }
    return open_all(g, out);
}

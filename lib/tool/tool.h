/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every command shares: options, clauses, opening inputs by name, outputs,
 * reports, exit codes. The only room that prints and exits. Order of calls:
 *
 *     if (!bp_tool_start(&t, &command, &opts, argc, argv))
 *         run(&t, &opts);             opens, wires, ends in bp_tool_emit() or a sink
 *     return bp_tool_end(&t);         reports once, gives the exit status
 *
 * The first error sticks in t.err.
 */
#ifndef BP_TOOL_TOOL_H
#define BP_TOOL_TOOL_H

#include "expr/expr.h"
#include "flow/flow.h"
#include "flow/ledger.h"
#include "sys/outfile.h"

enum bp_option_kind {
    BP_OPT_FLAG,  /* bool */
    BP_OPT_TEXT,  /* const char * */
    BP_OPT_COUNT, /* int64_t, 0 or more */
};

struct bp_option {
    char letter;      /* 0: long name only */
    const char *name; /* without "--" */
    enum bp_option_kind kind;
    size_t offset;   /* into the command's options struct */
    const char *arg; /* shown in the help; NULL for flags */
    const char *help;
};

/* Shared options a command takes. */
enum bp_tool_uses {
    BP_USES_VARS = 1,   /* -v */
    BP_USES_TASK = 2,   /* -T, --task */
    BP_USES_JOBS = 4,   /* -j */
    BP_USES_TEXT = 8,   /* reading text: -s --delim --quote --header --null --missing */
    BP_USES_PART = 16,  /* --part, --allow-truncated */
    BP_USES_STATS = 32, /* --stats: what goes through bp_tool_emit() or bp_tool_drain() */
};

struct bp_command {
    const char *name, *synopsis, *summary;
    const char *examples[4]; /* at least three that run */
    const struct bp_option *options;
    int n_options;
    unsigned uses;                  /* enum bp_tool_uses */
    int min_operands, max_operands; /* max -1: any number */
    const char *order, *memory;     /* one line each */
    bool is_stream;                 /* writes an Arrow stream to stdout */
};

/* Pseudo-columns, which inputs have where a clause names them. */
enum bp_pseudo {
    BP_PSEUDO_FILE = 1, /* _file: the file or the stage that the row is of */
    BP_PSEUDO_PART = 2, /* _part: the partition of a stage */
    BP_PSEUDO_LINE = 4, /* _line: the line of a text file that it begins in */
};

struct bp_tool {
    const struct bp_command *cmd;
    struct bp_err err;
    struct bp_ctx ctx;
    struct bp_ledger ledger; /* what this process read; ctx points to it */
    int exit_status;
    bool ended; /* help or version was shown */
    bool quiet;
    char **operands; /* points into argv */
    int n_operands;
    struct bp_var *vars;
    char **var_texts; /* NAME=VALUE, NULL-terminated */
    int n_vars;
    struct bp_share task; /* n == 0: no -T */
    unsigned pseudo;      /* enum bp_pseudo: what a clause so far names */
    bool stdout_open;     /* the output stream was handed to a sink */
    const char *subject;  /* sinks: what failed, "out.csv not written" */
    char **input_names;   /* operands that carry no lineage, NULL-terminated; from the arena */
    int n_input_names;
    struct bp_arena *arena;                  /* strings that live as long as the tool */
    int64_t started_ns, out_rows, out_bytes; /* --stats */
    /* shared options */
    bool stats, task_from_env, header_no, allow_truncated;
    const char *task_text, *mem_text, *schema_text, *delim, *quote, *header, *null_text, *missing,
        *encoding, *part, *endpoint;
    int64_t jobs;
};

/* 0: go on. Else help was shown or the command line is wrong: end. */
int bp_tool_start(struct bp_tool *t, const struct bp_command *cmd, void *opts, int argc,
                  char **argv) BP_MUST;
int bp_tool_end(struct bp_tool *t);

/* text, or the contents of FILE for "@FILE", with the -v variables. Lives as long
 * as t. text NULL gives *out zeroed. */
int bp_tool_clause(struct bp_tool *t, const char *text, struct bp_clause *out) BP_MUST;

/* The same for a text that names no columns of an input: a schema. */
int bp_tool_text(struct bp_tool *t, const char *text, struct bp_clause *out) BP_MUST;

/* 64M, 2G, 25% (of the machine's memory), in bytes. what: for messages. */
int bp_tool_size(struct bp_tool *t, const char *what, const char *text, int64_t *out) BP_MUST;

/* ---- inputs (open.c) ---- */
struct bp_open {
    const char *format;  /* bp-read -f: "csv", "tsv", "arrow"; NULL: told by bytes and name */
    const char *columns; /* bp-read -c; NULL: all */
    const char *from;    /* bp-read --from: the command that has each operand's bytes; or NULL */
    bool text_on_stdin;  /* bp-read: stdin may be CSV */
    bool whole;          /* a broadcast side: never a share */
    bool no_schema_file; /* text: a file _schema beside it is not read */
    bool takes_copies;   /* bp-join: a share may have copies of hot keys' rows */
    bool side; /* bp-join: the other side may have the pseudo-column that a clause names */
    struct bp_rejects *rejects; /* bp-read --on-error null, skip; NULL: errors fail */
};
/* Operands names[0..n) (n == 0: stdin) one after the other as one table. */
int bp_tool_open(struct bp_tool *t, char *const *names, int n, const struct bp_open *o,
                 struct bp_source *out) BP_MUST;

/* ---- what the tasks of an output directory read (ledgers.c) ---- */
struct bp_tool_ledgers {
    int n_tasks;
    uint8_t *committed;      /* of each */
    struct bp_ledger *tasks; /* empty, where there is none */
    int n_with;              /* files that have room for one: Arrow, Parquet */
};
/* Of dir as it is, complete or not. Release what is filled. */
int bp_tool_ledgers(struct bp_tool *t, const char *dir, struct bp_tool_ledgers *out) BP_MUST;
void bp_tool_ledgers_release(struct bp_tool_ledgers *l);

/* ---- rejects (rejects.c) ---- */
struct bp_reject_opts {
    const char *on_error, *file; /* --on-error, --rejects */
    int64_t max_errors;          /* --max-errors; < 0: not given */
};
/* The options' account. *out NULL: errors fail. */
int bp_tool_rejects_open(struct bp_tool *t, const struct bp_reject_opts *o,
                         struct bp_rejects **out) BP_MUST;
/* src commits r's file when it has ended, before its own reader hears of it. */
int bp_tool_rejects_watch(struct bp_tool *t, struct bp_rejects *r, struct bp_source *src) BP_MUST;
/* Says how many there were, and frees r (may be NULL). */
void bp_tool_rejects_end(struct bp_tool *t, struct bp_rejects *r, const char *file);

/* ---- lineage ---- */
/* Note this command's step on out, over the inputs' lineages as they were before
 * the operators (from, as copied by bp_tool_lineage_keep()). clauses: NULL-
 * terminated texts that change the answer. */
int bp_tool_step(struct bp_tool *t, struct bp_schema *out, const char *const *clauses,
                 const struct bp_schema *const from[], int n_from) BP_MUST;

/* ---- outputs (emit.c) ---- */
/* Stream commands: src (taken over) goes to stdout as an Arrow stream, or to the
 * terminal as a table. */
int bp_tool_emit(struct bp_tool *t, struct bp_source *src) BP_MUST;
/* Sinks: checks the shares of src against -T while it runs. src and sink stay the
 * caller's. */
int bp_tool_drain(struct bp_tool *t, struct bp_source *src, struct bp_sink *sink) BP_MUST;
/* Before anything is read: a marked input against -T. */
int bp_tool_check_share(struct bp_tool *t, const struct bp_schema *s) BP_MUST;
/* Everything is open: is --mem enough for it, and for batches of src? Part of
 * bp_tool_emit() and bp_tool_drain(). */
int bp_tool_check_memory(struct bp_tool *t, const struct bp_source *src) BP_MUST;
/* A file that is a share (bp.task) carries the ledger; another does not: its bytes
 * are to depend on what was read only. */
int bp_tool_mark_ledger(struct bp_tool *t, struct bp_schema *s) BP_MUST;
/* Text to stdout, checked. */
int bp_tool_print(struct bp_tool *t, const void *p, size_t n) BP_MUST;
bool bp_tool_stdout_is_terminal(void);

#endif

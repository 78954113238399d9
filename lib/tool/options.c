/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: the option table of a command and the shared ones, --help. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "tool/internal.h"

#define SHARED(field, l, n, k, a, h)                                                               \
    {                                                                                              \
        .letter = (l), .name = (n), .kind = (k), .offset = offsetof(struct bp_tool, field),        \
        .arg = (a), .help = (h)                                                                    \
    }

static const struct shared {
    unsigned uses; /* 0: every command */
    struct bp_option o;
} shared[] = {
    {BP_USES_TEXT, SHARED(schema_text, 's', "schema", BP_OPT_TEXT, "SCHEMA",
                          "columns of text input: 'a int, b text, *' or @FILE")},
    {BP_USES_TEXT, SHARED(delim, 0, "delim", BP_OPT_TEXT, "C", "field delimiter (default: , )")},
    {BP_USES_TEXT, SHARED(quote, 0, "quote", BP_OPT_TEXT, "C", "quote; '' for none (default: \")")},
    {BP_USES_TEXT,
     SHARED(header, 0, "header", BP_OPT_TEXT, "yes|no", "the first line has names (default: yes)")},
    {BP_USES_TEXT, SHARED(null_text, 0, "null", BP_OPT_TEXT, "TEXT",
                          "unquoted TEXT is NULL too, besides nothing at all")},
    {BP_USES_TEXT,
     SHARED(encoding, 0, "encoding", BP_OPT_TEXT, "NAME", "of text input: utf-8 (default)")},
    {BP_USES_TEXT, SHARED(missing, 0, "missing", BP_OPT_TEXT, "null|error",
                          "a column that one of several files lacks")},
    {BP_USES_PART,
     SHARED(part, 0, "part", BP_OPT_TEXT, "A[-B]", "read these partitions of a stage")},
    {BP_USES_PART, SHARED(allow_truncated, 0, "allow-truncated", BP_OPT_FLAG, NULL,
                          "take a stream without its end mark as whole")},
    {0, SHARED(endpoint, 0, "endpoint", BP_OPT_TEXT, "URL",
               "the server of s3:// names (AWS_ENDPOINT_URL)")},
    {BP_USES_VARS,
     SHARED(vars, 'v', "var", BP_OPT_TEXT, "NAME=VALUE", "the value of :NAME in a clause")},
    {BP_USES_TASK, SHARED(task_from_env, 'T', NULL, BP_OPT_FLAG, NULL,
                          "one task of a fan-out: I/N from BP_TASK (or the scheduler)")},
    {BP_USES_TASK,
     SHARED(task_text, 0, "task", BP_OPT_TEXT, "I/N", "one task of a fan-out, I from 0")},
    {BP_USES_JOBS, SHARED(jobs, 'j', "jobs", BP_OPT_COUNT, "N", "threads (BP_JOBS)")},
    {BP_USES_JOBS,
     SHARED(mem_text, 0, "mem", BP_OPT_TEXT, "SIZE", "memory: 64M, 2G, 25% (BP_MEM; 256M)")},
    {BP_USES_STATS, SHARED(stats, 0, "stats", BP_OPT_FLAG, NULL,
                           "rows, bytes, memory, seconds to stderr, as JSON")},
    {0, SHARED(quiet, 'q', "quiet", BP_OPT_FLAG, NULL, "no notes on stderr")},
};

/* ---- help ---- */

static void help_option(FILE *f, const struct bp_option *o)
{
    char left[64];
    int n = 0;

    if (o->letter)
        n = snprintf(left, sizeof left, "-%c", o->letter);
    if (o->name)
        n += snprintf(left + n, sizeof left - (size_t)n, "%s--%s", n ? ", " : "", o->name);
    if (o->arg)
        snprintf(left + n, sizeof left - (size_t)n, " %s", o->arg);
    fprintf(f, "  %-24s %s\n", left, o->help);
}

static int help(struct bp_tool *t)
{
    const struct bp_command *c = t->cmd;
    FILE *f = stdout;

    fprintf(f, "usage: %s %s\n%s\n\n", c->name, c->synopsis, c->summary);
    for (size_t i = 0; i < BP_COUNT_OF(c->examples) && c->examples[i]; i++)
        fprintf(f, "  %s\n", c->examples[i]);
    fprintf(f, "\n");
    for (int i = 0; i < c->n_options; i++)
        help_option(f, &c->options[i]);
    for (size_t i = 0; i < BP_COUNT_OF(shared); i++)
        if (!shared[i].uses || (shared[i].uses & c->uses))
            help_option(f, &shared[i].o);
    fprintf(f, "  %-24s %s\n  %-24s %s\n", "-h, --help", "this page", "-V, --version",
            "the version");
    fprintf(f, "\norder of rows: %s\nmemory: %s\nmore: man %s, man bp-expr, man batchpipe\n",
            c->order, c->memory, c->name);
    return 0;
}

/* stdout was written by stdio: did it arrive? */
static void finish_stdio(struct bp_tool *t)
{
    errno = 0;
    if (fflush(stdout) != 0 && errno == EPIPE)
        bp_fail(&t->err, BP_ECLOSED, "stdout was closed by its reader");
    else if (errno || ferror(stdout))
        bp_fail_errno(&t->err, errno, "cannot write to stdout");
}

/* ---- parsing ---- */

struct parse {
    const struct bp_option *o[64];
    bool is_shared[64];
    struct option longs[64 + 3];
    char shorts[200];
    int n;
};

static void add_option(struct parse *p, const struct bp_option *o, bool is_shared)
{
    size_t len = strlen(p->shorts);

    if (o->letter)
        snprintf(p->shorts + len, sizeof p->shorts - len, "%c%s", o->letter, o->arg ? ":" : "");
    p->o[p->n] = o;
    p->is_shared[p->n] = is_shared;
    p->n++;
}

static void make_longs(struct parse *p)
{
    int k = 0;

    for (int i = 0; i < p->n; i++)
        if (p->o[i]->name)
            p->longs[k++] =
                (struct option){.name = p->o[i]->name,
                                .has_arg = p->o[i]->arg ? required_argument : no_argument,
                                .val = 1000 + i};
    p->longs[k++] = (struct option){.name = "help", .val = 'h'};
    p->longs[k++] = (struct option){.name = "version", .val = 'V'};
}

static int bad_usage(struct bp_tool *t, const char *what, const char *text)
{
    return bp_fail(&t->err, BP_EUSAGE, "%s '%s'; %s -h lists the options", what, text,
                   t->cmd->name);
}

static int add_var(struct bp_tool *t, char *text)
{
    char *eq = strchr(text, '=');
    struct bp_var *vars;
    char **texts;
    char *name;

    if (!eq || eq == text)
        return bp_fail(&t->err, BP_EUSAGE, "-v wants NAME=VALUE, not '%s'", text);
    name = bp_arena_strn(t->arena, text, (size_t)(eq - text), &t->err);
    if (!name)
        return t->err.code;
    vars = bp_mem_grow(t->vars, (size_t)t->n_vars + 1, sizeof *vars, &t->err);
    if (!vars)
        return t->err.code;
    t->vars = vars;
    texts = bp_mem_grow(t->var_texts, (size_t)t->n_vars + 2, sizeof *texts, &t->err);
    if (!texts)
        return t->err.code;
    t->var_texts = texts;
    t->vars[t->n_vars] = (struct bp_var){.name = name, .value = eq + 1};
    t->var_texts[t->n_vars++] = text;
    t->var_texts[t->n_vars] = NULL;
    return 0;
}

static int set_option(struct bp_tool *t, const struct bp_option *o, void *base, char *text)
{
    char *at = (char *)base + o->offset, *end;
    long long v;

    if (o->letter == 'v' && base == t)
        return add_var(t, text);
    switch (o->kind) {
    case BP_OPT_FLAG: *(bool *)at = true; return 0;
    case BP_OPT_TEXT: *(const char **)(void *)at = text; return 0;
    case BP_OPT_COUNT:
        v = strtoll(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end)
            return bp_fail(&t->err, BP_EUSAGE, "--%s wants a whole number, not '%s'", o->name,
                           text);
        *(int64_t *)(void *)at = v;
        return 0;
    }
    return 0;
}

static int one(struct bp_tool *t, struct parse *p, void *opts, int c, char **argv)
{
    const struct bp_option *o = NULL;
    bool is_shared = false;
    char text[2] = {0};

    if (c == '?' || c == ':') {
        if (optopt && optopt < 256) {
            text[0] = (char)optopt;
            return bad_usage(t, c == ':' ? "no value for option" : "unknown option", text);
        }
        return bad_usage(t, c == ':' ? "no value for option" : "unknown option", argv[optind - 1]);
    }
    for (int i = 0; i < p->n; i++)
        if (c == 1000 + i || (c < 256 && p->o[i]->letter == c)) {
            o = p->o[i];
            is_shared = p->is_shared[i];
        }
    return o ? set_option(t, o, is_shared ? (void *)t : opts, optarg) : 0;
}

int bp_tool_parse(struct bp_tool *t, void *opts, int argc, char **argv)
{
    struct parse p = {.shorts = ":hV"};
    int c;

    for (int i = 0; i < t->cmd->n_options; i++)
        add_option(&p, &t->cmd->options[i], false);
    for (size_t i = 0; i < BP_COUNT_OF(shared); i++)
        if (!shared[i].uses || (shared[i].uses & t->cmd->uses))
            add_option(&p, &shared[i].o, true);
    make_longs(&p);
    opterr = 0;
    while ((c = getopt_long(argc, argv, p.shorts, p.longs, NULL)) != -1) {
        if (c == 'h' || c == 'V') {
            t->ended = true;
            if (c == 'h')
                help(t);
            else
                printf("%s (batchpipe) %s\n", t->cmd->name, BP_VERSION);
            finish_stdio(t);
            return t->err.code;
        }
        BP_TRY(one(t, &p, opts, c, argv));
    }
    t->operands = argv + optind;
    t->n_operands = argc - optind;
    if (t->n_operands < t->cmd->min_operands)
        return bp_fail(&t->err, BP_EUSAGE, "usage: %s %s", t->cmd->name, t->cmd->synopsis);
    if (t->cmd->max_operands >= 0 && t->n_operands > t->cmd->max_operands)
        return bad_usage(t, "one operand too many:", t->operands[t->cmd->max_operands]);
    return 0;
}

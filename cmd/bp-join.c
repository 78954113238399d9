/* SPDX-License-Identifier: Apache-2.0 */
/* bp-join: two tables by equal keys (JOIN). */
#include "op/op.h"
#include "tool/tool.h"

#include <string.h>

#include "base/arena.h"

struct opts {
    const char *type, *keys, *where, *broadcast, *fill, *suffix;
    bool per_task;
};

static const struct bp_option options[] = {
    {'t', "type", BP_OPT_TEXT, offsetof(struct opts, type), "TYPE",
     "inner (default) left right full semi anti cross"},
    {'k', "keys", BP_OPT_TEXT, offsetof(struct opts, keys), "KEYS",
     "'a, b' (as USING) or 'a = x, b = y'"},
    {'w', "where", BP_OPT_TEXT, offsetof(struct opts, where), "EXPR",
     "a further condition of the match"},
    {'b', "broadcast", BP_OPT_TEXT, offsetof(struct opts, broadcast), "SMALL",
     "hold SMALL as the right side, stream the left"},
    {0, "fill", BP_OPT_TEXT, offsetof(struct opts, fill), "VALUE",
     "for the numbers of a missing side, instead of NULL"},
    {0, "suffix", BP_OPT_TEXT, offsetof(struct opts, suffix), "R|L,R",
     "behind names that clash (default: _r)"},
    {0, "per-task", BP_OPT_FLAG, offsetof(struct opts, per_task), NULL,
     "take a task's share as a whole table"},
};

static const struct bp_command command = {
    .name = "bp-join",
    .synopsis = "[-t TYPE] -k KEYS LEFT RIGHT  |  -k KEYS -b SMALL [LEFT...]",
    .summary = "join two tables by equal keys (JOIN); a NULL key matches nothing",
    .examples = {"bp-join -k 'PULocationID = LocationID' trips.csv zones.csv",
                 "bp-read trips.csv | bp-join -t left -k 'PULocationID = LocationID' -b zones.csv",
                 "bp-join -t anti -k 'PULocationID = LocationID' trips.csv zones.csv"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses =
        BP_USES_VARS | BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "the left's; matches in the right's order; then unmatched right rows",
    .memory = "--mem; a right side larger than that goes to TMPDIR, with the left",
    .is_stream = true,
};

static int type_of(struct bp_tool *t, const char *text, enum bp_join_type *out)
{
    static const char *const names[] = {"inner", "left", "right", "full", "semi", "anti", "cross"};

    for (size_t i = 0; i < BP_COUNT_OF(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum bp_join_type)i;
            return 0;
        }
    return bp_fail(&t->err, BP_EUSAGE, "-t %s: the types are inner left right full semi anti cross",
                   text);
}

static int suffixes(struct bp_tool *t, const char *text, struct bp_join_opts *j)
{
    const char *comma = text ? strchr(text, ',') : NULL;

    j->suffix_left = "";
    j->suffix_right = text ? text : "_r";
    if (!comma)
        return 0;
    j->suffix_left = bp_arena_strn(t->arena, text, (size_t)(comma - text), &t->err);
    j->suffix_right = comma + 1;
    return j->suffix_left ? 0 : t->err.code;
}

static int open_sides(struct bp_tool *t, const struct opts *o, struct bp_source *left,
                      struct bp_source *right)
{
    static const struct bp_open whole = {.whole = true, .side = true}, streamed = {.side = true},
                                side = {.takes_copies = true, .side = true};
    char *small[1];

    if (!o->broadcast && t->n_operands != 2)
        return bp_fail(&t->err, BP_EUSAGE, "usage: bp-join %s", t->cmd->synopsis);
    if (!o->broadcast) {
        BP_TRY(bp_tool_open(t, t->operands, 1, &side, left));
        return bp_tool_open(t, t->operands + 1, 1, &side, right);
    }
    small[0] = bp_arena_str(t->arena, o->broadcast, &t->err);
    if (!small[0])
        return t->err.code;
    BP_TRY(bp_tool_open(t, t->operands, t->n_operands, &streamed, left));
    return bp_tool_open(t, small, 1, &whole, right);
}

static int step(struct bp_tool *t, const struct opts *o, const char *keys, const char *where,
                const struct bp_schema *const from[], struct bp_source *src)
{
    const char *clauses[12] = {0};
    int n = 0;

    clauses[n++] = "-t";
    clauses[n++] = o->type;
    if (keys) {
        clauses[n++] = "-k";
        clauses[n++] = keys;
    }
    if (where) {
        clauses[n++] = "-w";
        clauses[n++] = where;
    }
    if (o->fill) {
        clauses[n++] = "--fill";
        clauses[n++] = o->fill;
    }
    if (o->suffix) {
        clauses[n++] = "--suffix";
        clauses[n++] = o->suffix;
    }
    return bp_tool_step(t, &src->schema, clauses, from, 2);
}

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_join_opts j = {
        .fill = o->fill, .broadcast = o->broadcast != NULL, .per_task = o->per_task};
    struct bp_source left = {0}, right = {0}, src = {0};
    struct bp_schema from[2] = {{0}, {0}};
    struct bp_clause keys, where;
    int rc;

    BP_TRY(type_of(t, o->type, &j.type));
    BP_TRY(suffixes(t, o->suffix, &j));
    BP_TRY(bp_tool_clause(t, o->keys, &keys));
    BP_TRY(bp_tool_clause(t, o->where, &where));
    if (!keys.text && j.type != BP_JOIN_CROSS)
        return bp_fail(&t->err, BP_EUSAGE, "-k: which columns must be equal?");
    j.keys = keys.text;
    j.where = where.text ? &where : NULL;
    BP_GO(open_sides(t, o, &left, &right));
    BP_GO(bp_schema_copy_meta(&from[0], &left.schema, &t->err));
    BP_GO(bp_schema_copy_meta(&from[1], &right.schema, &t->err));
    BP_GO(bp_join_open(&src, &left, &right, &j, &t->ctx, &t->err));
    BP_GO(
        step(t, o, keys.text, where.text, (const struct bp_schema *[]){&from[0], &from[1]}, &src));
    rc = bp_tool_emit(t, &src);
out:
    bp_schema_release(&from[0]);
    bp_schema_release(&from[1]);
    bp_source_free(&left);
    bp_source_free(&right);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {.type = "inner"};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv))
        (void)run(&t, &o);
    return bp_tool_end(&t);
}

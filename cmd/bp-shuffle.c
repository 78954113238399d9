/* SPDX-License-Identifier: Apache-2.0 */
/* bp-shuffle: rows into a hash-partitioned stage directory (DISTRIBUTE BY). */
#include "flow/marks.h"
#include "op/op.h"
#include "stage/stage.h"
#include "tool/tool.h"

#include <stdio.h>

#include "base/arena.h"

struct opts {
    const char *keys;
    int64_t parts;
    bool even, replace;
};

static const struct bp_option options[] = {
    {'k', "keys", BP_OPT_TEXT, offsetof(struct opts, keys), "COLS",
     "partition by these (default: keys of a partial stream)"},
    {'n', "parts", BP_OPT_COUNT, offsetof(struct opts, parts), "PARTS",
     "how many partitions; plan generously"},
    {0, "even", BP_OPT_FLAG, offsetof(struct opts, even), NULL,
     "row r of a task to partition r mod PARTS"},
    {0, "replace", BP_OPT_FLAG, offsetof(struct opts, replace), NULL,
     "replace a stage of another number of tasks"},
};

static const struct bp_command command = {
    .name = "bp-shuffle",
    .synopsis = "-n PARTS [-k COLS] [-T] STAGE",
    .summary = "write the rows of stdin to a stage, partitioned by the hash of their keys",
    .examples =
        {"bp-read trips.csv | bp-shuffle -k PULocationID -n 64 stage/trips",
         "bp-read trips.csv | bp-shuffle --even -n 24 stage/even",
         "bp-reduce --partial -k PULocationID 'count(*)' trips.csv | bp-shuffle -n 8 stage/zones"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_PART,
    .min_operands = 1,
    .max_operands = 1,
    .order = "within a partition: by task, then input order",
    .memory = "blocks of the partitions being filled",
};

static int key_names(struct bp_tool *t, const struct opts *o, const struct bp_schema *s,
                     char ***names)
{
    int n;

    if (o->keys)
        return bp_expr_parse_names(o->keys, names, &n, &t->err);
    if (!o->even && bp_schema_meta(s, BP_MARK_PARTIAL))
        return bp_partial_keys(s, names, &t->err);
    if (!o->even)
        return bp_fail(&t->err, BP_EUSAGE,
                       "-k: partition by which columns? (or --even; the stream is not a partial "
                       "one, whose keys are known)");
    *names = bp_mem_new(1, sizeof **names, &t->err);
    return *names ? 0 : t->err.code;
}

static int step(struct bp_tool *t, const struct opts *o, char **names, struct bp_source *src)
{
    struct bp_buf b = {0};
    const char *keys;
    int rc = 0;

    for (int i = 0; names[i] && rc == 0; i++) {
        rc = bp_buf_puts(&b, i ? ", " : "", &t->err);
        if (rc == 0)
            rc = bp_name_print(names[i], &b, &t->err);
    }
    keys = rc == 0 ? bp_buf_str(&b, &t->err) : NULL;
    if (keys)
        rc = bp_tool_step(t, &src->schema, (const char *[]){o->even ? "--even" : "-k", keys, NULL},
                          (const struct bp_schema *[]){&src->schema}, 1);
    else
        rc = t->err.code;
    bp_buf_release(&b);
    return rc;
}

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_stage_opts s = {.dir = t->operands[0],
                              .even = o->even,
                              .replace = o->replace,
                              .task = t->task.i,
                              .n_tasks = t->task.n};
    struct bp_share task = t->task;
    struct bp_source src = {0};
    struct bp_sink sink = {0};
    char **names = NULL;
    int rc;

    if (o->even && o->keys)
        return bp_fail(&t->err, BP_EUSAGE, "--even or -k, not both");
    if (o->parts < 1 || o->parts > 65536)
        return bp_fail(&t->err, BP_EUSAGE, "-n: how many partitions? from 1 to 65536");
    s.parts = (uint32_t)o->parts;
    t->task.n = 0; /* stdin is read whole: the task names our output */
    rc = bp_tool_open(t, NULL, 0, NULL, &src);
    t->task = task;
    BP_GO(rc);
    BP_GO(bp_tool_check_share(t, &src.schema));
    BP_GO(key_names(t, o, &src.schema, &names));
    BP_GO(step(t, o, names, &src));
    s.keys = (const char *const *)names;
    BP_GO(bp_stage_sink(&sink, &src.schema, &s, &t->ctx, &t->err));
    rc = bp_tool_drain(t, &src, &sink);
out:
    for (int i = 0; names && names[i]; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
    bp_sink_free(&sink);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {0};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv)) {
        t.subject = bp_arena_printf(t.arena, &t.err, "%s: task %d of %d not written", t.operands[0],
                                    t.task.i, t.task.n ? t.task.n : 1);
        (void)run(&t, &o);
    }
    return bp_tool_end(&t);
}

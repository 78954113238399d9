/* SPDX-License-Identifier: Apache-2.0 */
/* bp-sample: some rows, or all rows of some keys, the same ones every time (TABLESAMPLE). */
#include "base/num.h"
#include "col/text.h"
#include "op/op.h"
#include "sys/dir.h"
#include "tool/tool.h"

#include <stdio.h>
#include <string.h>

#define PERCENT_DIGITS 9 /* behind the point */

struct opts {
    const char *amount, *keys;
    int64_t seed;
};

static const struct bp_option options[] = {
    {'n', "rows", BP_OPT_TEXT, offsetof(struct opts, amount), "N|PCT%",
     "how many rows, or which part of them (default: 10)"},
    {'k', "keys", BP_OPT_TEXT, offsetof(struct opts, keys), "COLS",
     "N keys, or PCT% of them, with all their rows"},
    {0, "seed", BP_OPT_COUNT, offsetof(struct opts, seed), "S",
     "another sample for another number (default: 0)"},
};

static const struct bp_command command = {
    .name = "bp-sample",
    .synopsis = "[-n N | PCT%] [-k COLS] [--seed S] [IN...]",
    .summary = "some rows, or all rows of some keys, the same every time (TABLESAMPLE)",
    .examples = {"bp-sample -n 3 trips.csv", "bp-sample 1% trips.csv",
                 "bp-read trips.csv | bp-sample 10% -k PULocationID --seed 7"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "input order",
    .memory = "one batch; with N up to --mem, the rest in TMPDIR",
    .is_stream = true,
};

static bool is_percent(const char *s)
{
    size_t n = strlen(s);

    return n > 1 && s[n - 1] == '%' && strspn(s, "0123456789.") == n - 1;
}

/* Exact: 2^64 times the percentage, cut to a whole number. */
static int parse_percent(struct bp_tool *t, const char *s, struct bp_sample_opts *out)
{
    bp_int128 v, unit = 1;

    if (bp_parse_decimal(s, strlen(s) - 1, 38, PERCENT_DIGITS, &v) != BP_TEXT_OK)
        return bp_fail(&t->err, BP_EUSAGE, "'%s' is no percentage of at most %d decimals", s,
                       PERCENT_DIGITS);
    for (int i = 0; i < PERCENT_DIGITS + 2; i++)
        unit *= 10;
    if (v > unit)
        return bp_fail(&t->err, BP_EUSAGE, "'%s' is more than all of them", s);
    out->n_rows = -1;
    out->below = ((bp_uint128)v << 64) / (bp_uint128)unit;
    return 0;
}

static int parse_amount(struct bp_tool *t, const char *s, struct bp_sample_opts *out)
{
    if (is_percent(s))
        return parse_percent(t, s, out);
    if (bp_parse_int64(s, strlen(s), &out->n_rows) != BP_TEXT_OK || out->n_rows < 0)
        return bp_fail(&t->err, BP_EUSAGE, "-n wants a number of rows, or a percentage, not '%s'",
                       s);
    return 0;
}

/* The first operand may be PCT%; a file of that name wins. */
static int settle(struct bp_tool *t, struct opts *o, struct bp_sample_opts *out)
{
    bool first =
        t->n_operands && is_percent(t->operands[0]) && bp_path_kind(t->operands[0]) == BP_PATH_NONE;

    if (first && o->amount)
        return bp_fail(&t->err, BP_EUSAGE, "-n %s or %s, not both", o->amount, t->operands[0]);
    if (first) {
        o->amount = *t->operands++;
        t->n_operands--;
    }
    if (!o->amount)
        o->amount = "10";
    BP_TRY(parse_amount(t, o->amount, out));
    if (t->task.n && (!o->keys || out->n_rows >= 0))
        return bp_fail(&t->err, BP_EUSAGE,
                       "a sample of N keys or of rows is of the whole table, and -T reads a share: "
                       "sample a percentage of the keys (-k), or leave -T out");
    out->keys = o->keys;
    out->seed = (uint64_t)o->seed;
    return 0;
}

static int run(struct bp_tool *t, struct opts *o)
{
    struct bp_sample_opts s = {0};
    struct bp_clause keys;
    struct bp_source in = {0}, src = {0};
    struct bp_schema from = {0};
    char seed[40];
    int rc;

    BP_TRY(bp_tool_clause(t, o->keys, &keys));
    o->keys = keys.text;
    BP_TRY(settle(t, o, &s));
    BP_TRY(bp_tool_open(t, t->operands, t->n_operands, NULL, &in));
    BP_GO(bp_schema_copy_meta(&from, &in.schema, &t->err));
    BP_GO(bp_sample_open(&src, &in, &s, &t->ctx, &t->err));
    snprintf(seed, sizeof seed, "--seed %lld", (long long)o->seed);
    BP_GO(bp_tool_step(t, &src.schema, (const char *[]){o->amount, seed, keys.text, NULL},
                       (const struct bp_schema *[]){&from}, 1));
    rc = bp_tool_emit(t, &src);
out:
    bp_schema_release(&from);
    bp_source_free(&in);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {0};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv))
        (void)run(&t, &o);
    return bp_tool_end(&t);
}

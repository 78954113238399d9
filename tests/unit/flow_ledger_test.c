/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ledger.h"

#include "base/buf.h"
#include "base/mem.h"
#include "unit.h"

static struct bp_err err;
static struct bp_ledger tasks[4];

static const struct bp_ledger *const all[] = {&tasks[0], &tasks[1], &tasks[2], &tasks[3]};

static void reset(void)
{
    for (int i = 0; i < 4; i++)
        bp_ledger_release(&tasks[i]);
    bp_err_clear(&err);
}

static struct bp_ledger_entry bytes(const char *name, int64_t size, int64_t from, int64_t to, int i,
                                    int n)
{
    return (struct bp_ledger_entry){.input = (char *)(uintptr_t)name,
                                    .unit = BP_LEDGER_BYTES,
                                    .size_bytes = size,
                                    .mtime_ns = 1700000000000000000,
                                    .end = size,
                                    .from = from,
                                    .to = to,
                                    .share = {i, n}};
}

static void add(int task, struct bp_ledger_entry e)
{
    CHECK(bp_ledger_add(&tasks[task], &e, &err) == 0);
}

/* Two files of 100 and 50 bytes in three shares of 50. */
static void fill(void)
{
    reset();
    add(0, bytes("a", 100, 0, 50, 0, 3));
    add(0, bytes("b", 50, 0, 0, 0, 3));
    add(1, bytes("a", 100, 50, 100, 1, 3));
    add(1, bytes("b", 50, 0, 0, 1, 3));
    add(2, bytes("a", 100, 100, 100, 2, 3));
    add(2, bytes("b", 50, 0, 50, 2, 3));
}

static bool refused(const char *why)
{
    bool is = bp_ledger_check(all, 3, &err) == BP_EDATA && strstr(err.msg, why) != NULL;

    if (!is)
        printf("# no '%s' in: %s\n", why, err.msg);
    reset();
    return is;
}

static void shares_that_tile_every_input_pass(void)
{
    fill();
    CHECK(bp_ledger_check(all, 3, &err) == 0);
    reset();
    CHECK(bp_ledger_check(all, 3, &err) == 0); /* nothing but pipes */
}

static void an_input_of_another_size_or_time_is_refused(void)
{
    fill();
    tasks[1].entries[1].size_bytes = tasks[1].entries[1].end = 51;
    CHECK(refused("'b' changed between the tasks"));
    fill();
    tasks[2].entries[0].mtime_ns += 1;
    CHECK(refused("run tasks 0 and 1 of 3 again"));
}

static void an_input_that_a_task_did_not_see_is_refused(void)
{
    fill();
    bp_mem_free(tasks[1].entries[1].input);
    tasks[1].n = 1;
    CHECK(refused("'b' is an input of task 0, but not of task 1"));
    fill();
    add(2, bytes("c", 10, 0, 10, 2, 3));
    CHECK(refused("'c' is an input of task 2, but not of tasks 0 and 1"));
    fill();
    bp_ledger_release(&tasks[0]); /* it read a pipe */
    CHECK(refused("run task 0 of 3 again"));
}

static void a_gap_or_an_overlap_is_refused(void)
{
    fill();
    tasks[0].entries[0].to = 49;
    CHECK(refused("tasks 0 and 1 do not agree where 'a' is cut: one ends at 49"));
    fill();
    tasks[1].entries[0].from = 40;
    CHECK(refused("the next begins at 40"));
    fill();
    tasks[1].entries[0].to = 99;
    CHECK(refused("no task has bytes 99 to 100 of 'a'"));
    fill();
    tasks[0].entries[0].from = 1;
    CHECK(refused("no task has bytes 0 to 1 of 'a'"));
}

static void a_share_of_another_division_is_refused(void)
{
    fill();
    tasks[1].entries[0].share = (struct bp_share){1, 8};
    CHECK(refused("task 1 of 3 holds the share 1/8 of 'a'"));
    fill();
    tasks[1].entries[0].share = (struct bp_share){2, 3};
    CHECK(refused("task 1 of 3 holds the share 2/3 of 'a'"));
}

static void inputs_read_whole_need_only_be_the_same(void)
{
    fill();
    for (int i = 0; i < 3; i++)
        add(i, bytes("small", 7, 0, 7, 0, 0));
    CHECK(bp_ledger_check(all, 3, &err) == 0);
    add(1, bytes("own", 9, 0, 9, 0, 0));
    CHECK(bp_ledger_check(all, 3, &err) == 0);
    tasks[2].entries[2].mtime_ns++;
    CHECK(refused("'small' changed between the tasks"));
}

static void one_task_of_united_shares_holds_all_of_them(void)
{
    reset();
    for (int i = 0; i < 3; i++)
        add(0, bytes("a", 30, i * 10, i * 10 + 10, i, 3));
    CHECK(bp_ledger_check(all, 1, &err) == 0);
    tasks[0].entries[1].from = 11;
    CHECK(bp_ledger_check(all, 1, &err) == BP_EDATA);
    reset();
}

static void both_sides_of_a_join_may_read_the_same(void)
{
    fill();
    for (int i = 0; i < 3; i++)
        add(i, bytes("a", 100, tasks[i].entries[0].from, tasks[i].entries[0].to, i, 3));
    CHECK(bp_ledger_check(all, 3, &err) == 0);
    reset();
}

static void an_operand_given_twice_is_two_inputs(void)
{
    reset();
    add(0, bytes("a", 30, 0, 30, 0, 2));
    add(0, bytes("a", 30, 0, 0, 0, 2));
    add(1, bytes("a", 30, 30, 30, 1, 2));
    add(1, bytes("a", 30, 0, 30, 1, 2));
    for (int i = 0; i < 2; i++)
        CHECK(bp_ledger_number(&tasks[i], 0, &err) == 0);
    CHECK(tasks[0].entries[0].nth == 0 && tasks[0].entries[1].nth == 1);
    CHECK(bp_ledger_check(all, 2, &err) == 0);
    reset();
}

static void text_reads_back_and_is_the_same_for_any_order(void)
{
    struct bp_buf a = {0}, b = {0}, c = {0};

    fill();
    add(0, (struct bp_ledger_entry){.input = (char[]){"stdin"}, .unit = BP_LEDGER_PIPE});
    add(0, (struct bp_ledger_entry){.input = (char[]){"st\"age"},
                                    .unit = BP_LEDGER_PARTITIONS,
                                    .size_bytes = -1,
                                    .mtime_ns = -1,
                                    .version = "0123456789abcdef",
                                    .first = 2,
                                    .end = 64,
                                    .from = 2,
                                    .to = 9,
                                    .share = {0, 9},
                                    .nth = 3});
    CHECK(bp_ledger_write(&tasks[0], &a, &err) == 0 && bp_buf_str(&a, &err));
    for (int i = tasks[0].n - 1; i >= 0; i--)
        CHECK(bp_ledger_add(&tasks[1], &tasks[0].entries[i], &err) == 0);
    bp_ledger_release(&tasks[2]);
    CHECK(bp_ledger_read(&tasks[2], (const char *)a.data, &err) == 0);
    CHECK(bp_ledger_read(&tasks[2], (const char *)a.data, &err) == 0); /* equal lines count once */
    CHECK(bp_ledger_write(&tasks[2], &b, &err) == 0 && bp_buf_str(&b, &err));
    CHECK_STR((const char *)b.data, (const char *)a.data);
    CHECK(bp_ledger_write(NULL, &c, &err) == 0 && c.len == 2);
    bp_buf_release(&a);
    bp_buf_release(&b);
    bp_buf_release(&c);
    reset();
}

static void damaged_text_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[1]",
        "[{}]",
        "[{\"input\":\"a\",\"unit\":\"lines\"}]",
        "[{\"input\":\"a\",\"unit\":\"bytes\"}]",
        "[{\"input\":\"a\",\"unit\":\"bytes\",\"first\":0,\"end\":9,\"from\":5,\"to\":4}]",
        "[{\"input\":\"a\",\"unit\":\"bytes\",\"first\":0,\"end\":9,\"from\":5,\"to\":10}]",
        "[{\"input\":\"a\",\"unit\":\"bytes\",\"first\":-1,\"end\":9,\"from\":5,\"to\":9}]",
        "[{\"input\":\"a\",\"unit\":\"pipe\",\"share\":\"3/3\"}]",
        "[{\"input\":\"a\",\"unit\":\"pipe\",\"share\":3}]",
        "[{\"input\":\"a\",\"unit\":\"pipe\",\"version\":\"0123456789abcdef0\"}]",
    };

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++) {
        reset();
        CHECK(bp_ledger_read(&tasks[0], bad[i], &err) == BP_EDATA);
    }
    reset();
}

static void a_version_is_of_inputs_not_of_cuts(void)
{
    char one[17], three[17], other[17], salted[17];

    reset();
    add(0, bytes("a", 100, 0, 100, 0, 1));
    add(0, bytes("b", 50, 0, 50, 0, 1));
    CHECK(bp_ledger_version(all, 1, "x", one, &err) == 0);
    CHECK(bp_ledger_version(all, 1, "y", salted, &err) == 0);
    fill();
    CHECK(bp_ledger_version(all, 3, "x", three, &err) == 0);
    for (int i = 0; i < 3; i++)
        tasks[i].entries[1].mtime_ns++;
    CHECK(bp_ledger_version(all, 3, "x", other, &err) == 0);
    CHECK_STR(one, three);
    CHECK(strcmp(one, other) != 0 && strcmp(one, salted) != 0);
    reset();
}

UNIT_MAIN(T(shares_that_tile_every_input_pass), T(an_input_of_another_size_or_time_is_refused),
          T(an_input_that_a_task_did_not_see_is_refused), T(a_gap_or_an_overlap_is_refused),
          T(a_share_of_another_division_is_refused), T(inputs_read_whole_need_only_be_the_same),
          T(one_task_of_united_shares_holds_all_of_them), T(both_sides_of_a_join_may_read_the_same),
          T(an_operand_given_twice_is_two_inputs), T(text_reads_back_and_is_the_same_for_any_order),
          T(damaged_text_is_refused), T(a_version_is_of_inputs_not_of_cuts))

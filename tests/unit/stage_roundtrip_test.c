/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_fixture.h"

#define ROWS 20000

/* n_tasks tasks write ROWS rows in contiguous shares. */
static void write_all(const char *dir, uint32_t parts, int n_tasks, int64_t batch_rows)
{
    for (int i = 0; i < n_tasks; i++) {
        int64_t from = (int64_t)ROWS * i / n_tasks;
        struct job j = {.dir = dir,
                        .parts = parts,
                        .task = i,
                        .n_tasks = n_tasks,
                        .from = from,
                        .n_rows = (int64_t)ROWS * (i + 1) / n_tasks - from,
                        .batch_rows = batch_rows};

        bp_err_clear(&err);
        CHECK(write_stage(&j) == 0);
        if (err.code)
            printf("# %s\n", err.msg);
    }
}

static void check_whole(const char *dir, uint32_t parts)
{
    static uint8_t seen[ROWS];
    struct got got = {.seen = seen, .n_seen = ROWS};
    bool once = true;

    memset(seen, 0, sizeof seen);
    read_stage(&got, dir, whole, 0, 0, parts);
    CHECK(got.rc == 0);
    if (got.rc)
        printf("# %s\n", err.msg);
    CHECK(got.n_rows == ROWS);
    CHECK(got.rows_right);
    CHECK(got.in_order);
    for (int i = 0; i < ROWS; i++)
        once &= seen[i] == 1;
    CHECK(once);
}

static void every_row_comes_back_once_by_partition_task_and_row(void)
{
    static const uint32_t parts[] = {1, 8, 64, 1024};
    static const int tasks[] = {1, 4, 7};

    for (size_t p = 0; p < BP_COUNT_OF(parts); p++)
        for (size_t t = 0; t < BP_COUNT_OF(tasks); t++) {
            const char *dir = new_dir();

            write_all(dir, parts[p], tasks[t], 1000);
            check_whole(dir, parts[p]);
        }
}

static void batches_of_any_size_give_the_same_rows(void)
{
    static const int64_t sizes[] = {1, 7, 100, 1023, 1024, 8192, ROWS};

    for (size_t i = 0; i < BP_COUNT_OF(sizes); i++) {
        const char *dir = new_dir();

        write_all(dir, 16, 2, sizes[i]);
        check_whole(dir, 16);
    }
}

static void many_partitions_work(void)
{
    const char *dir = new_dir();

    write_all(dir, 65536, 1, 8192);
    check_whole(dir, 65536);
}

static void a_small_budget_gives_the_same_rows(void)
{
    const char *dir = new_dir();

    ctx.budget.limit_bytes = 1 << 20; /* several flushes */
    atomic_store(&ctx.budget.peak_bytes, 0);
    write_all(dir, 8, 1, 500);
    CHECK(atomic_load(&ctx.budget.used_bytes) == 0);
    CHECK(atomic_load(&ctx.budget.peak_bytes) <= 1 << 20);
    CHECK(atomic_load(&ctx.budget.peak_bytes) > 0);
    ctx.budget.limit_bytes = 0;
    check_whole(dir, 8);
}

static void small_slices_give_the_same_rows(void)
{
    const char *dir = new_dir();

    write_all(dir, 8, 2, 5000);
    ctx.batch_rows = 7;
    check_whole(dir, 8);
    ctx.batch_rows = 8192;
}

static void shares_of_a_stage_are_disjoint_and_whole(void)
{
    static const int n_shares[] = {1, 3, 8, 64, 100};
    const char *dir = new_dir();

    write_all(dir, 64, 4, 1000);
    for (size_t k = 0; k < BP_COUNT_OF(n_shares); k++) {
        static uint8_t seen[ROWS];
        uint32_t last = 0;
        int64_t sum = 0;
        bool once = true;

        memset(seen, 0, sizeof seen);
        for (int i = 0; i < n_shares[k]; i++) {
            struct got got = {.seen = seen, .n_seen = ROWS};

            read_stage(&got, dir, whole, i, n_shares[k], 64);
            CHECK(got.rc == 0 && got.rows_right && got.in_order);
            CHECK(got.share.i == i && got.share.n == n_shares[k]);
            CHECK(got.n_batches > 0); /* an empty one says so, too */
            CHECK(!got.n_rows || !sum || got.first > last);
            last = got.n_rows ? got.last : last;
            sum += got.n_rows;
        }
        for (int i = 0; i < ROWS; i++)
            once &= seen[i] == 1;
        CHECK(sum == ROWS && once);
    }
}

static void a_range_of_partitions_has_just_these(void)
{
    const char *dir = new_dir();
    struct got got = {0}, rest = {0};

    write_all(dir, 8, 3, 1000);
    read_stage(&got, dir, (struct bp_stage_range){3, 3}, 0, 0, 8);
    CHECK(got.rc == 0 && got.n_rows > 0 && got.first == 3 && got.last == 3 && got.share.n == 0);
    read_stage(&rest, dir, (struct bp_stage_range){2, 5}, 1, 2, 8);
    CHECK(rest.rc == 0 && rest.first == 4 && rest.last == 5);
    read_stage(&got, dir, (struct bp_stage_range){0, 8}, 0, 0, 8);
    CHECK(got.rc == BP_EUSAGE && strstr(err.msg, "partitions 0 to 7"));
}

static void even_partitions_deal_the_rows_out(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 24, .even = true, .n_rows = 1000, .batch_rows = 33};
    struct bp_source src;
    struct bp_batch b;
    int64_t next = 5;

    bp_err_clear(&err);
    NEED(write_stage(&j) == 0);
    NEED(bp_stage_source(&src, dir, (struct bp_stage_range){5, 5}, 0, 0, &ctx, &err) == 0);
    CHECK(!bp_schema_meta(&src.schema, BP_MARK_PARTED));
    while (bp_source_next(&src, &b, &err) == 0) {
        for (int64_t i = 0; i < b.n_rows; i++, next += 24)
            CHECK(((const int64_t *)b.cols[COL_G].data)[i] == next);
        bp_batch_release(&b);
    }
    CHECK(next >= 1000 && next < 1024);
    bp_source_free(&src);
}

static void no_keys_mean_one_partition(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 64, .no_keys = true, .n_rows = 3000};
    struct got got = {0};

    bp_err_clear(&err);
    CHECK(write_stage(&j) == 0);
    read_stage(&got, dir, (struct bp_stage_range){0, 0}, 0, 0, 1);
    CHECK(got.rc == 0 && got.n_rows == 3000 && got.in_order);
    read_stage(&got, dir, (struct bp_stage_range){0, 1}, 0, 0, 1);
    CHECK(got.rc == BP_EUSAGE);
}

static void the_marks_say_what_was_read(void)
{
    const char *dir = new_dir();
    struct bp_parted p;
    struct bp_source src;
    struct bp_share task;
    bool present;

    write_all(dir, 64, 2, 1000);
    NEED(bp_stage_source(&src, dir, whole, 1, 8, &ctx, &err) == 0);
    CHECK(bp_mark_task(&src.schema, &task, &err) == 0 && task.i == 1 && task.n == 8);
    CHECK(bp_mark_parted(&src.schema, &present, &p, &err) == 0 && present);
    CHECK(p.n_keys == 1 && strcmp(p.keys[0], "key") == 0 && p.classes[0] == 2);
    CHECK(p.parts == 64 && p.first == 8 && p.last == 15);
    CHECK(!bp_schema_meta(&src.schema, "bp.file"));
    bp_parted_release(&p);
    bp_source_free(&src);
    NEED(bp_stage_source(&src, dir, whole, 0, 0, &ctx, &err) == 0);
    CHECK(!bp_schema_meta(&src.schema, BP_MARK_TASK)); /* not that of task 0's file */
    bp_source_free(&src);
}

static void an_empty_task_commits_an_empty_file(void)
{
    const char *dir = new_dir();
    struct job a = {.dir = dir, .parts = 8, .task = 0, .n_tasks = 2, .n_rows = 100};
    struct job b = {.dir = dir, .parts = 8, .task = 1, .n_tasks = 2, .n_rows = 0};
    int64_t n;

    bp_err_clear(&err);
    CHECK(write_stage(&a) == 0 && write_stage(&b) == 0);
    CHECK(read_rows(dir, &n) == 0 && n == 100);
}

static void a_dictionary_is_written_as_its_values(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 4};
    struct bp_column values;
    struct bp_builder codes;
    struct bp_dict *dict;
    struct bp_sink sink;
    struct bp_schema s;
    struct bp_batch b;
    struct got got = {0};

    bp_err_clear(&err);
    NEED(open_sink(&j, &s, &sink) == 0);
    for (int round = 0; round < 3; round++) { /* dictionary, plain, another dictionary */
        make_batch(&b, &s, round * 2000, 2000);
        if (round != 1) {
            bp_column_ref(&values, &b.cols[COL_TEXT]);
            CHECK(bp_dict_new(&dict, &values, &err) == 0);
            bp_builder_init(&codes, BP_TYPE(BP_INT32));
            for (int32_t i = 0; i < 2000; i++)
                CHECK((bp_column_is_null(&b.cols[COL_TEXT], i)
                           ? bp_builder_add_null(&codes, &err)
                           : bp_builder_add(&codes, &i, &err)) == 0);
            bp_column_release(&b.cols[COL_TEXT]);
            CHECK(bp_builder_finish(&codes, &b.cols[COL_TEXT], &err) == 0);
            b.cols[COL_TEXT].type = BP_TYPE(BP_TEXT);
            b.cols[COL_TEXT].dict = dict;
        }
        CHECK(bp_sink_put(&sink, &b, &err) == 0);
    }
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&s);
    read_stage(&got, dir, whole, 0, 0, 4);
    CHECK(got.rc == 0 && got.n_rows == 6000 && got.rows_right && got.in_order);
}

static void columns_can_be_chosen(void)
{
    const char *dir = new_dir();
    const int cols[] = {COL_TEXT, COL_G};
    struct bp_source src;
    struct bp_batch b;
    int64_t n = 0;

    write_all(dir, 4, 2, 1000);
    NEED(bp_stage_source(&src, dir, whole, 0, 0, &ctx, &err) == 0);
    CHECK(bp_source_project(&src, cols, 2, &err) == 0);
    CHECK(src.schema.n_fields == 2);
    while (bp_source_next(&src, &b, &err) == 0) {
        CHECK(b.n_cols == 2 && b.cols[0].type.kind == BP_TEXT && b.cols[1].type.kind == BP_INT64);
        n += b.n_rows;
        bp_batch_release(&b);
    }
    CHECK(err.code == 0 && n == ROWS);
    bp_source_free(&src);
}

static void the_end(void)
{
    remove_scratch();
}

UNIT_MAIN(T(every_row_comes_back_once_by_partition_task_and_row),
          T(batches_of_any_size_give_the_same_rows), T(many_partitions_work),
          T(a_small_budget_gives_the_same_rows), T(small_slices_give_the_same_rows),
          T(shares_of_a_stage_are_disjoint_and_whole), T(a_range_of_partitions_has_just_these),
          T(even_partitions_deal_the_rows_out), T(no_keys_mean_one_partition),
          T(the_marks_say_what_was_read), T(an_empty_task_commits_an_empty_file),
          T(a_dictionary_is_written_as_its_values), T(columns_can_be_chosen), T(the_end))

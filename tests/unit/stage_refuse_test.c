/* SPDX-License-Identifier: Apache-2.0 */
/* Stages that are not whole, and rows that do not belong: what is said about them. */
#include <sys/resource.h>

#include "ipc/ipc.h"
#include "stage_fixture.h"
#include "sys/dir.h"

/* Tasks 0..n-1, 100 rows each. */
static void write_tasks(const char *dir, int n, const char *clause)
{
    for (int i = 0; i < n; i++) {
        struct job j = {.dir = dir,
                        .parts = 8,
                        .task = i,
                        .n_tasks = n,
                        .from = i * 100,
                        .n_rows = 100,
                        .clause = clause};

        bp_err_clear(&err);
        CHECK(write_stage(&j) == 0);
    }
}

static void remove_task(const char *dir, int task, int n)
{
    char path[400], name[64];

    bp_task_name(name, task, n, ".arrow");
    snprintf(path, sizeof path, "%s/%s", dir, name);
    CHECK(unlink(path) == 0);
}

static void check_says(const char *want)
{
    CHECK(strstr(err.msg, want) != NULL);
    if (!strstr(err.msg, want))
        printf("# says: %s\n", err.msg);
}

static void a_missing_task_is_named_with_the_cure(void)
{
    const char *dir = new_dir();
    char want[700];
    int64_t n;

    write_tasks(dir, 8, "a > 1");
    remove_task(dir, 3, 8);
    CHECK(read_rows(dir, &n) == BP_EDATA && n == 0);
    snprintf(want, sizeof want,
             "%s: task 3 of 8 is missing (00003-of-00008.arrow): run it again; `bp-todo -n 8 %s` "
             "lists what is missing",
             dir, dir);
    CHECK_STR(err.msg, want);
    remove_task(dir, 7, 8);
    CHECK(read_rows(dir, &n) == BP_EDATA);
    check_says("tasks 3 and 7 of 8 are missing (00003-of-00008.arrow...): run them again");
    for (int i = 0; i < 7; i++)
        if (i != 3)
            remove_task(dir, i, 8);
    CHECK(read_rows(dir, &n) == BP_EDATA);
    check_says("no task of this stage is committed");
}

static void a_share_of_an_incomplete_stage_is_refused_too(void)
{
    const char *dir = new_dir();
    struct got got = {0};

    write_tasks(dir, 4, "a > 1");
    remove_task(dir, 0, 4);
    read_stage(&got, dir, whole, 0, 2, 8);
    CHECK(got.rc == BP_EDATA);
    read_stage(&got, dir, (struct bp_stage_range){3, 3}, 0, 0, 8);
    CHECK(got.rc == BP_EDATA);
    check_says("task 0 of 4 is missing");
}

static void a_task_of_another_run_is_named_with_the_clause(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir,
                    .parts = 8,
                    .task = 2,
                    .n_tasks = 4,
                    .from = 200,
                    .n_rows = 100,
                    .clause = "a > 2"};
    int64_t n;

    write_tasks(dir, 4, "a > 1");
    CHECK(read_rows(dir, &n) == 0 && n == 400);
    CHECK(write_stage(&j) == 0);
    CHECK(read_rows(dir, &n) == BP_EDATA && n == 0);
    check_says("task 2 of 4 came from another run");
    check_says("bp-filter: 'a > 2' against 'a > 1'");
    check_says("run it again");
    j.task = 0;
    CHECK(write_stage(&j) == 0);
    CHECK(read_rows(dir, &n) == BP_EDATA); /* two and two: still refused */
    j.task = 1;
    CHECK(write_stage(&j) == 0);
    CHECK(read_rows(dir, &n) == BP_EDATA);
    check_says("task 3 of 4 came from another run");
    j.task = 3;
    CHECK(write_stage(&j) == 0);
    CHECK(read_rows(dir, &n) == 0);
}

static void another_number_of_partitions_is_another_run(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 16, .task = 1, .n_tasks = 2, .n_rows = 10};
    int64_t n;

    write_tasks(dir, 2, NULL);
    bp_err_clear(&err);
    CHECK(write_stage(&j) == 0);
    CHECK(read_rows(dir, &n) == BP_EDATA);
}

static void other_columns_are_refused(void)
{
    const char *dir = new_dir();
    struct bp_stage_opts o = {.dir = dir, .keys = job_keys, .parts = 8, .task = 1, .n_tasks = 2};
    struct bp_sink sink = {0};
    struct bp_schema s;
    int64_t n;

    write_tasks(dir, 2, NULL);
    make_schema(&s);
    s.fields[COL_TEXT].type = BP_TYPE(BP_BINARY);
    bp_err_clear(&err);
    NEED(bp_stage_sink(&sink, &s, &o, &ctx, &err) == 0);
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&s);
    CHECK(read_rows(dir, &n) == BP_EDATA);
    check_says("the columns of task 1 of 2 are not those of task 0");
}

static void another_n_is_refused_by_the_writer(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 8, .task = 0, .n_tasks = 2, .n_rows = 100};
    int64_t n;

    write_tasks(dir, 4, "a > 1");
    bp_err_clear(&err);
    CHECK(write_stage(&j) == BP_EDATA);
    check_says("--replace");
    CHECK(read_rows(dir, &n) == 0 && n == 400); /* nothing was touched */
}

static void replacing_another_n_leaves_only_the_new(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 8, .n_tasks = 2, .n_rows = 70, .replace = true};
    struct bp_names l;
    int64_t n;

    write_tasks(dir, 4, "a > 1");
    bp_err_clear(&err);
    CHECK(write_stage(&j) == 0);
    CHECK(read_rows(dir, &n) == BP_EDATA); /* task 1 is not there yet */
    check_says("task 1 of 2 is missing");
    j.task = 1;
    CHECK(write_stage(&j) == 0);
    CHECK(read_rows(dir, &n) == 0 && n == 140);
    CHECK(bp_dir_list(dir, true, &l, &err) == 0 && l.n == 2);
    bp_names_release(&l);
}

static void killed_between_commit_and_removal_the_mixture_is_refused(void)
{
    const char *dir = new_dir(), *other = new_dir();
    char from[600], to[600];
    struct job j = {.dir = dir, .parts = 8, .n_tasks = 1, .n_rows = 70, .replace = true};
    int64_t n;

    write_tasks(dir, 4, "a > 1");
    write_tasks(other, 1, "a > 1");
    snprintf(from, sizeof from, "%s/00000-of-00001.arrow", other);
    snprintf(to, sizeof to, "%s/00000-of-00001.arrow", dir);
    CHECK(rename(from, to) == 0);
    CHECK(bp_stage_is(dir));
    CHECK(read_rows(dir, &n) == BP_EDATA && n == 0);
    check_says("files of two runs");
    CHECK(write_stage(&j) == 0); /* the task again finishes it */
    CHECK(read_rows(dir, &n) == 0 && n == 70);
}

static void a_share_without_t_is_refused_at_the_end(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 8, .n_rows = 100, .mark = {3, 8}};
    struct bp_names l;

    bp_err_clear(&err);
    CHECK(write_stage(&j) == BP_EDATA);
    check_says("only share 3/8");
    check_says("-T");
    CHECK(bp_dir_list(dir, true, &l, &err) == 0 && l.n == 0);
    bp_names_release(&l);
}

static void shares_that_follow_one_another_are_whole(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 8};
    struct bp_sink sink = {0};
    struct bp_schema s;
    struct bp_batch b;
    int64_t n;

    bp_err_clear(&err);
    NEED(open_sink(&j, &s, &sink) == 0);
    for (int i = 0; i < 3; i++) {
        make_batch(&b, &s, i * 10, i == 1 ? 0 : 10);
        b.share = (struct bp_share){i, 3};
        CHECK(bp_sink_put(&sink, &b, &err) == 0);
    }
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&s);
    CHECK(read_rows(dir, &n) == 0 && n == 20);
}

static void another_share_under_t_is_refused(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 8, .task = 2, .n_tasks = 8, .n_rows = 100, .mark = {3, 8}};
    struct bp_sink sink = {0};
    struct bp_schema s;
    struct bp_batch b;

    bp_err_clear(&err);
    CHECK(write_stage(&j) == BP_EDATA); /* by the schema's mark */
    check_says("3/8");
    j.mark = (struct bp_share){0, 0};
    bp_err_clear(&err);
    NEED(open_sink(&j, &s, &sink) == 0);
    make_batch(&b, &s, 0, 10);
    b.share = (struct bp_share){3, 8}; /* by a batch's */
    CHECK(bp_sink_put(&sink, &b, &err) == BP_EDATA);
    bp_sink_free(&sink);
    bp_schema_release(&s);
}

static void a_plain_output_directory_is_no_stage(void)
{
    const char *dir = new_dir();
    struct job j = {.dir = dir, .parts = 8, .task = 1, .n_tasks = 2, .n_rows = 1};
    struct bp_sink sink = {0};
    struct bp_outfile out;
    struct bp_schema s;
    char path[400];

    mkdir(dir, 0777);
    CHECK(!bp_stage_is(dir));
    make_schema(&s);
    snprintf(path, sizeof path, "%s/00000-of-00002.arrow", dir);
    NEED(bp_outfile_open(&out, path, &err) == 0);
    NEED(bp_ipc_file_sink(&sink, &out, &s, &err) == 0);
    CHECK(sink.ops->commit(sink.self, &err) == 0);
    bp_sink_free(&sink);
    bp_schema_release(&s);
    CHECK(!bp_stage_is(dir));
    CHECK(write_stage(&j) == BP_EDATA);
    check_says("no stage");
    CHECK(!bp_stage_is("/nonexistent"));
}

static void numbers_out_of_range_are_usage_errors(void)
{
    static const struct job bad[] = {{.parts = 0},
                                     {.parts = 65537},
                                     {.parts = 8, .task = 8, .n_tasks = 8},
                                     {.parts = 8, .task = -1, .n_tasks = 8},
                                     {.parts = 8, .n_tasks = 1000001}};

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++) {
        struct job j = bad[i];

        j.dir = new_dir();
        bp_err_clear(&err);
        CHECK(write_stage(&j) == BP_EUSAGE);
        CHECK(bp_path_kind(j.dir) == BP_PATH_NONE);
    }
}

static void a_key_that_is_no_column_is_named(void)
{
    static const char *const keys[] = {"zone", NULL};
    struct bp_stage_opts o = {.dir = new_dir(), .keys = keys, .parts = 8};
    struct bp_sink sink = {0};
    struct bp_schema s;

    make_schema(&s);
    bp_err_clear(&err);
    CHECK(bp_stage_sink(&sink, &s, &o, &ctx, &err) == BP_EUSAGE);
    check_says("zone");
    bp_schema_release(&s);
}

static void many_tasks_need_few_open_files(void)
{
    const char *dir = new_dir();
    struct rlimit old, few;
    int64_t n;

    write_tasks(dir, 40, NULL);
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    few = (struct rlimit){12, old.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(read_rows(dir, &n) == 0 && n == 4000);
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

static void the_end(void)
{
    remove_scratch();
}

UNIT_MAIN(T(a_missing_task_is_named_with_the_cure),
          T(a_share_of_an_incomplete_stage_is_refused_too),
          T(a_task_of_another_run_is_named_with_the_clause),
          T(another_number_of_partitions_is_another_run), T(other_columns_are_refused),
          T(another_n_is_refused_by_the_writer), T(replacing_another_n_leaves_only_the_new),
          T(killed_between_commit_and_removal_the_mixture_is_refused),
          T(a_share_without_t_is_refused_at_the_end), T(shares_that_follow_one_another_are_whole),
          T(another_share_under_t_is_refused), T(a_plain_output_directory_is_no_stage),
          T(numbers_out_of_range_are_usage_errors), T(a_key_that_is_no_column_is_named),
          T(many_tasks_need_few_open_files), T(the_end))

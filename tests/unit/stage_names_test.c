/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "stage_fixture.h"
#include "sys/dir.h"

static void touch(const char *dir, const char *name)
{
    char path[400];
    int fd;

    mkdir(dir, 0777);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT, 0666);
    CHECK(fd >= 0 && close(fd) == 0);
}

static void a_name_is_two_numbers_of_five_digits_and_a_suffix(void)
{
    char name[64], small[80];

    CHECK(bp_task_name(name, 3, 8, ".arrow") == 20);
    CHECK_STR(name, "00003-of-00008.arrow");
    CHECK(bp_task_name(name, 123456, 1000000, "") > 0);
    CHECK_STR(name, "123456-of-1000000");
    memset(small, 'x', sizeof small);
    small[79] = '\0';
    CHECK(bp_task_name(name, 0, 1, small) == -1);
}

static void names_parse_in_one_spelling_only(void)
{
    static const char *const bad[] = {"",
                                      "3-of-8",
                                      "0003-of-00008",
                                      "000003-of-00008",
                                      "00008-of-00008",
                                      "00003-of-00008x",
                                      "00003-of-",
                                      "00003_of_00008",
                                      "-0003-of-00008",
                                      "00003-of-00000",
                                      "00003-of-000008",
                                      "00003-of-10000000",
                                      "00003-of-99999999999999999999",
                                      ".tmp-00003-of-00008.arrow.host.12",
                                      " 00003-of-00008"};
    const char *suffix;
    int task, n;

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++)
        CHECK(!bp_task_parse(bad[i], &task, &n, &suffix));
    CHECK(bp_task_parse("00003-of-00008.csv.gz", &task, &n, &suffix));
    CHECK(task == 3 && n == 8);
    CHECK_STR(suffix, ".csv.gz");
    CHECK(bp_task_parse("999999-of-1000000", &task, &n, &suffix) && *suffix == '\0');
    CHECK(task == 999999 && n == 1000000);
}

static void a_scan_tells_what_is_committed(void)
{
    const char *dir = new_dir();
    uint8_t *committed;
    int n;

    touch(dir, "00001-of-00004.csv");
    touch(dir, "00003-of-00004.csv");
    touch(dir, ".tmp-00002-of-00004.csv.host.1");
    touch(dir, "_SUCCESS");
    touch(dir, "notes.txt");
    bp_err_clear(&err);
    NEED(bp_task_dir_scan(dir, &n, &committed, &err) == 0);
    CHECK(n == 4);
    CHECK(!committed[0] && committed[1] && !committed[2] && committed[3]);
    bp_mem_free(committed);
}

static void a_scan_of_no_tasks_is_empty(void)
{
    const char *dir = new_dir();
    uint8_t *committed;
    int n;

    touch(dir, "x.csv");
    bp_err_clear(&err);
    CHECK(bp_task_dir_scan(dir, &n, &committed, &err) == 0 && n == 0 && !committed);
}

static void a_mixture_is_refused(void)
{
    const char *dir = new_dir(), *other = new_dir();
    uint8_t *committed;
    int n;

    touch(dir, "00001-of-00004.csv");
    touch(dir, "00001-of-00008.csv");
    touch(other, "00001-of-00004.csv");
    touch(other, "00002-of-00004.arrow");
    bp_err_clear(&err);
    CHECK(bp_task_dir_scan(dir, &n, &committed, &err) == BP_EDATA);
    CHECK(strstr(err.msg, "00001-of-00004.csv and 00001-of-00008.csv") && !committed && n == 0);
    bp_err_clear(&err);
    CHECK(bp_task_dir_scan(other, &n, &committed, &err) == BP_EDATA);
}

static void a_writer_refuses_another_n(void)
{
    const char *dir = new_dir();

    bp_err_clear(&err);
    CHECK(bp_task_dir_check(dir, 8, false, &err) == 0); /* not there yet */
    touch(dir, "00001-of-00004.csv");
    touch(dir, "00002-of-00004.csv");
    CHECK(bp_task_dir_check(dir, 4, false, &err) == 0);
    CHECK(bp_task_dir_check(dir, 8, true, &err) == 0);
    CHECK(bp_task_dir_check(dir, 8, false, &err) == BP_EDATA);
    CHECK(strstr(err.msg, "2 files") && strstr(err.msg, "00001-of-00004.csv") &&
          strstr(err.msg, "--replace"));
}

static void retiring_removes_the_others_only(void)
{
    const char *dir = new_dir();
    struct bp_names l;

    touch(dir, "00001-of-00004.csv");
    touch(dir, "00002-of-00004.csv");
    touch(dir, "00000-of-00008.csv");
    touch(dir, "notes.txt");
    bp_err_clear(&err);
    CHECK(bp_task_dir_retire(dir, 8, &err) == 0);
    CHECK(bp_dir_list(dir, true, &l, &err) == 0);
    CHECK(l.n == 2);
    CHECK_STR(l.names[0], "00000-of-00008.csv");
    CHECK_STR(l.names[1], "notes.txt");
    bp_names_release(&l);
}

static void a_share_goes_to_its_own_task_only(void)
{
    struct bp_share none = {0, 0}, s = {3, 8};

    bp_err_clear(&err);
    CHECK(bp_stage_check_share(none, 3, 8, &err) == 0);
    CHECK(bp_stage_check_share(s, 3, 8, &err) == 0);
    CHECK(bp_stage_check_share(s, 0, 0, &err) == 0); /* judged at the end */
    CHECK(bp_stage_check_share(s, 3, 9, &err) == BP_EDATA);
    bp_err_clear(&err);
    CHECK(bp_stage_check_share(s, 2, 8, &err) == BP_EDATA);
    CHECK(strstr(err.msg, "3/8") && strstr(err.msg, "2/8"));
}

static void the_end(void)
{
    remove_scratch();
}

UNIT_MAIN(T(a_name_is_two_numbers_of_five_digits_and_a_suffix), T(names_parse_in_one_spelling_only),
          T(a_scan_tells_what_is_committed), T(a_scan_of_no_tasks_is_empty),
          T(a_mixture_is_refused), T(a_writer_refuses_another_n),
          T(retiring_removes_the_others_only), T(a_share_goes_to_its_own_task_only), T(the_end))

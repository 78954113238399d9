/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/input.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define N_FILES 200
#define LINES 50

static char dir[200];

static const char *path_of(int i)
{
    static char path[4][256];
    char *p = path[i % 4];

    snprintf(p, sizeof path[0], "%s/%d", dir, i);
    return p;
}

/* File i has the line "i:k" for k from 0. */
static void make_files(int n)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(dir, sizeof dir, "%s/bp-input-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        abort();
    for (int i = 0; i < n; i++) {
        FILE *f = fopen(path_of(i), "w");

        for (int k = 0; f && k < LINES; k++)
            fprintf(f, "%3d:%3d\n", i, k);
        if (!f || fclose(f))
            abort();
    }
}

static void remove_files(int n)
{
    for (int i = 0; i < n; i++)
        unlink(path_of(i));
    rmdir(dir);
}

static void limit_descriptors(rlim_t n)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r))
        abort();
    r.rlim_cur = n;
    if (setrlimit(RLIMIT_NOFILE, &r))
        abort();
}

static struct bp_input ins[N_FILES];

static void more_files_than_descriptors_are_read_in_turn(void)
{
    struct bp_err err = {0};
    char line[9] = "", want[20];
    const uint8_t *head;
    size_t got;

    for (int i = 0; i < N_FILES; i++)
        NEED(bp_input_open(&ins[i], path_of(i), &err) == 0);
    for (int i = 0; i < N_FILES; i++)
        CHECK(bp_input_peek(&ins[i], 3, &head, &got, &err) == 0 && got == 3);
    for (int k = 0; k < LINES; k++)
        for (int i = 0; i < N_FILES; i++) {
            snprintf(want, sizeof want, "%3d:%3d\n", i, k);
            CHECK(bp_input_read(&ins[i], line, 8, &got, &err) == 0 && got == 8);
            CHECK_STR(line, want);
        }
    for (int i = 0; i < N_FILES; i++) {
        CHECK(bp_input_read(&ins[i], line, 8, &got, &err) == 0 && got == 0);
        bp_input_close(&ins[i]);
    }
}

static void *read_places(void *arg)
{
    struct bp_err err = {0};
    int start = *(int *)arg, bad = 0;
    char line[9] = "", want[20];
    size_t got;

    for (int n = 0; n < 4000; n++) {
        int i = (start + n * 7) % N_FILES, k = n % LINES;

        snprintf(want, sizeof want, "%3d:%3d\n", i, k);
        if (bp_input_read_at(&ins[i], line, 8, k * 8, &got, &err) < 0 || strcmp(line, want) != 0)
            bad++;
    }
    return bad ? arg : NULL;
}

static void threads_read_at_places_of_any(void)
{
    struct bp_err err = {0};
    int starts[4] = {0, 50, 100, 150};
    pthread_t t[4];
    void *bad;

    for (int i = 0; i < N_FILES; i++)
        NEED(bp_input_open(&ins[i], path_of(i), &err) == 0);
    for (int i = 0; i < 4; i++)
        NEED(pthread_create(&t[i], NULL, read_places, &starts[i]) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], &bad) == 0 && !bad);
    for (int i = 0; i < N_FILES; i++)
        bp_input_close(&ins[i]);
}

static void a_file_that_was_replaced_is_not_taken_for_the_first(void)
{
    struct bp_err err = {0};
    char line[8];
    size_t got;

    for (int i = 0; i < N_FILES; i++)
        NEED(bp_input_open(&ins[i], path_of(i), &err) == 0);
    NEED(rename(path_of(N_FILES - 1), path_of(0)) == 0); /* 0 was closed for others */
    CHECK(bp_input_read(&ins[0], line, 8, &got, &err) == BP_EDATA);
    CHECK(strstr(err.msg, "was replaced while it was read"));
    for (int i = 0; i < N_FILES; i++)
        bp_input_close(&ins[i]);
}

/* First and last: what the others need. */
static void files_are_made(void)
{
    limit_descriptors(40);
    make_files(N_FILES);
}

static void files_are_removed(void)
{
    remove_files(N_FILES);
    CHECK(access(dir, F_OK) != 0);
}

UNIT_MAIN(T(files_are_made), T(more_files_than_descriptors_are_read_in_turn),
          T(threads_read_at_places_of_any), T(a_file_that_was_replaced_is_not_taken_for_the_first),
          T(files_are_removed))

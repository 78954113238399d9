/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"
#include "sys/behind.h"
#include "sys/input.h"
#include "sys/outfile.h"
#include "unit.h"

#define MIB ((size_t)1 << 20)

static char path[200];
static uint8_t *bytes; /* 40 MiB that say where they belong */
static const size_t n_bytes = 40 * MIB;

static int open_new(void)
{
    return open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
}

/* The file holds bytes[0, n) and no more. */
static bool holds(size_t n)
{
    struct bp_err err = {0};
    struct bp_buf b = {0};
    bool same =
        bp_read_file(path, n + 1, &b, &err) == 0 && b.len == n && memcmp(b.data, bytes, n) == 0;

    bp_buf_release(&b);
    return same;
}

/* bytes[at, at + n), some at a time */
static int write_from(struct bp_behind *b, size_t at, size_t n, size_t step, struct bp_err *err)
{
    for (size_t i = 0; i < n; i += step)
        BP_TRY(bp_behind_write(b, bytes + at + i, n - i < step ? n - i : step, err));
    return 0;
}

static void all_bytes_arrive_whatever_their_borders(void)
{
    static const size_t at[] = {0, 1, 4096, 5000}, n[] = {0, 1, 4095, 9000, MIB, 9 * MIB + 77},
                        step[] = {MIB, 65537, 3 * MIB};

    for (size_t i = 0; i < BP_COUNT_OF(at); i++)
        for (size_t j = 0; j < BP_COUNT_OF(n); j++) {
            struct bp_err err = {0};
            int fd = open_new();
            struct bp_behind *b;

            NEED(fd >= 0 && write(fd, bytes, at[i]) == (ssize_t)at[i]);
            b = bp_behind_open(fd, path, (int64_t)at[i], 2 + (unsigned)i % 3,
                               i % 2 ? MIB : MIB / 2);
            NEED(b != NULL);
            CHECK(write_from(b, at[i], n[j], step[(i + j) % 3], &err) == 0);
            CHECK(bp_behind_finish(b, &err) == 0);
            bp_behind_free(b);
            close(fd);
            CHECK(holds(at[i] + n[j]));
        }
}

static void what_is_not_finished_is_dropped(void)
{
    struct bp_err err = {0};
    int fd = open_new();
    struct bp_behind *b = bp_behind_open(fd, path, 0, 2, MIB);
    struct stat st;

    NEED(b != NULL);
    CHECK(write_from(b, 0, 9 * MIB + 1, MIB, &err) == 0);
    bp_behind_free(b);
    CHECK(fstat(fd, &st) == 0 && (size_t)st.st_size <= 9 * MIB);
    close(fd);
}

static void two_files_at_once_then_no_more(void)
{
    int fd = open_new();
    struct bp_behind *a = bp_behind_open(fd, path, 0, 4, MIB),
                     *b = bp_behind_open(fd, path, 0, 4, MIB);

    CHECK(a && b && !bp_behind_open(fd, path, 0, 4, MIB));
    bp_behind_free(a);
    a = bp_behind_open(fd, path, 0, 4, MIB);
    CHECK(a != NULL);
    bp_behind_free(a);
    bp_behind_free(b);
    close(fd);
}

static void a_write_that_fails_is_told_later_at_the_latest_at_the_end(void)
{
    struct rlimit old, small;

    signal(SIGXFSZ, SIG_IGN);
    NEED(getrlimit(RLIMIT_FSIZE, &old) == 0);
    small = old;
    small.rlim_cur = 3 * MIB;
    for (size_t n = 3 * MIB + 1; n <= 20 * MIB; n += 5 * MIB + 300) {
        struct bp_err err = {0};
        int fd = open_new(), rc;
        struct bp_behind *b = bp_behind_open(fd, path, 0, 4, MIB);

        NEED(b != NULL && setrlimit(RLIMIT_FSIZE, &small) == 0);
        rc = write_from(b, 0, n, MIB, &err);
        if (rc == 0)
            rc = bp_behind_finish(b, &err);
        bp_behind_free(b);
        CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
        CHECK(rc == BP_ESYS && strstr(err.msg, path) && strstr(err.msg, "File too large"));
        close(fd);
    }
}

static int put_file(size_t n, struct bp_err *err)
{
    struct bp_outfile f;

    BP_TRY(bp_outfile_open(&f, path, err));
    for (size_t i = 0, step = 12345; i < n; i += step, step = step * 3 % 900001 + 1)
        if (bp_outfile_write(&f, bytes + i, n - i < step ? n - i : step, err) < 0) {
            bp_outfile_abort(&f);
            return err->code;
        }
    if (f.pos_bytes != (int64_t)n)
        bp_fail(err, BP_EDATA, "%lld bytes", (long long)f.pos_bytes);
    return err->code < 0 ? err->code : bp_outfile_commit(&f, err);
}

static void a_large_file_is_whole_or_the_old_one(void)
{
    struct bp_err err = {0};
    struct rlimit old, small;

    NEED(put_file(n_bytes, &err) == 0);
    CHECK(holds(n_bytes));
    NEED(getrlimit(RLIMIT_FSIZE, &old) == 0);
    small = old;
    small.rlim_cur = 36 * MIB;
    NEED(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(put_file(n_bytes, &err) == BP_ESYS);
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(holds(n_bytes));
}

static void prepare(void)
{
    const char *dir = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/bp-behind.%ld", dir && *dir ? dir : "/tmp", (long)getpid());
    bytes = malloc(n_bytes);
    NEED(bytes != NULL);
    for (size_t i = 0; i < n_bytes; i++)
        bytes[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16 ^ i >> 20);
}

static void finish(void)
{
    CHECK(unlink(path) == 0);
    free(bytes);
}

UNIT_MAIN(T(prepare), T(all_bytes_arrive_whatever_their_borders),
          T(what_is_not_finished_is_dropped), T(two_files_at_once_then_no_more),
          T(a_write_that_fails_is_told_later_at_the_latest_at_the_end),
          T(a_large_file_is_whole_or_the_old_one), T(finish))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole unit test harness. A test is a function whose name is a claim;
 * main() is UNIT_MAIN(T(claim_one), T(claim_two)). CHECK counts a failure and
 * goes on; NEED leaves the test. Output is TAP.
 */
#ifndef BP_TESTS_UNIT_H
#define BP_TESTS_UNIT_H

#include <stdio.h>
#include <string.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

static int unit_failed;

#define T(fn)                                                                                      \
    {                                                                                              \
#fn, fn                                                                                    \
    }
#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            unit_failed++;                                                                         \
            printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);                                    \
        }                                                                                          \
    } while (0)
#define NEED(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            unit_failed++;                                                                         \
            printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);                                    \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *unit_g = (got), *unit_w = (want);                                              \
        if (strcmp(unit_g, unit_w) != 0) {                                                         \
            unit_failed++;                                                                         \
            printf("# %s:%d: got '%s', want '%s'\n", __FILE__, __LINE__, unit_g, unit_w);          \
        }                                                                                          \
    } while (0)

#define UNIT_MAIN(...)                                                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        static const struct unit_test tests[] = {__VA_ARGS__};                                     \
        int n = (int)(sizeof tests / sizeof tests[0]), bad = 0;                                    \
        for (int i = 0; i < n; i++) {                                                              \
            unit_failed = 0;                                                                       \
            tests[i].run();                                                                        \
            bad += unit_failed != 0;                                                               \
            printf("%sok %d - %s\n", unit_failed ? "not " : "", i + 1, tests[i].name);             \
            fflush(stdout);                                                                        \
        }                                                                                          \
        printf("1..%d\n", n);                                                                      \
        return bad != 0;                                                                           \
    }

#endif

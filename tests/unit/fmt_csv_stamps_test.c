/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/csv_put.h"
#include "fmt/csv_stamps.h"
#include "unit.h"

#define N 37 /* no multiple of a vector */

static uint64_t state = 1;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* v as the parts tell it, against the text of lib/col. */
static void check(const int64_t *v, int64_t per_second, enum bp_unit unit)
{
    uint64_t clock[N];
    int32_t day[N];

    NEED(csv_split_stamps(v, N, per_second, day, clock));
    for (int i = 0; i < N; i++) {
        char want[BP_TEXT_MAX] = {0}, got[BP_TEXT_MAX] = {0};
        size_t n = bp_format_timestamp(v[i], unit, false, want);

        NEED(n == 19);
        (void)bp_format_date(day[i], got);
        got[10] = ' ';
        put_word((uint8_t *)got + 11, clock[i]);
        want[n] = got[n] = '\0';
        CHECK_STR(got, want);
    }
}

static void parts_are_those_of_the_text(void)
{
    static const int64_t edges[] = {0, -1, 1, 86399, 86400, -86400, -86401, 3599, 3600, 59, 60};

    for (int unit = BP_SECOND; unit <= BP_NANO; unit++) {
        int64_t per = bp_unit_per_second((enum bp_unit)unit), v[N];
        int64_t reach = unit == BP_NANO ? INT64_C(9000000000) : INT64_C(60000000000);

        for (int i = 0; i < N; i++)
            v[i] = edges[(size_t)i % (sizeof edges / sizeof *edges)] * per;
        check(v, per, (enum bp_unit)unit);
        for (int round = 0; round < 300; round++) {
            for (int i = 0; i < N; i++)
                v[i] = ((int64_t)(next_random() % (uint64_t)(2 * reach)) - reach) * per;
            check(v, per, (enum bp_unit)unit);
        }
    }
}

/* Among whole seconds of 1970. */
static bool takes(int64_t odd, int64_t per_second)
{
    uint64_t clock[N];
    int32_t day[N];
    int64_t v[N];

    for (int at = 0; at < N; at += N - 1) {
        for (int i = 0; i < N; i++)
            v[i] = i * per_second;
        v[at] = odd;
        if (!csv_split_stamps(v, N, per_second, day, clock))
            return false;
    }
    return true;
}

static void parts_of_seconds_and_unusual_years_are_left_to_others(void)
{
    const int64_t last = INT64_C(253402300799), first = INT64_C(-62135596800);

    CHECK(takes(last, 1) && !takes(last + 1, 1));
    CHECK(takes(first, 1) && !takes(first - 1, 1));
    CHECK(takes(last * 1000000, 1000000) && !takes((last + 1) * 1000000, 1000000));
    CHECK(!takes(1, 1000) && !takes(-1, 1000000) && !takes(999999999, 1000000000));
    CHECK(!takes(INT64_MAX, 1) && !takes(INT64_MIN, 1) && !takes(INT64_MIN, 1000000000));
    CHECK(takes(INT64_C(9000000000000000000), 1000000000));
}

static void small_numbers_have_their_text(void)
{
    static struct put_small t;

    put_small_make(&t);
    for (int v = 0; v < PUT_SMALL; v++) {
        char want[8], got[8] = {0};

        snprintf(want, sizeof want, "%d", v);
        memcpy(got, t.of[v].text, t.of[v].len);
        CHECK_STR(got, want);
    }
}

UNIT_MAIN(T(parts_are_those_of_the_text), T(parts_of_seconds_and_unusual_years_are_left_to_others),
          T(small_numbers_have_their_text))

/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones: POSIX texts, TZif bytes good and damaged, local times that are skipped or twice. */
#include "expr/zone.h"
#include "unit.h"

static int32_t offset_at(const char *rule, int64_t t)
{
    struct bp_zone_rule r;

    return bp_zone_rule_parse(rule, strlen(rule), &r) ? bp_zone_rule_span(&r, t).offset_s : -1;
}

static void a_rule_says_when_summer_is(void)
{
    CHECK(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", 1616893199) == 3600); /* 2021-03-28 00:59:59Z */
    CHECK(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", 1616893200) == 7200);
    CHECK(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", 1635641999) == 7200); /* 2021-10-31 */
    CHECK(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", 1635642000) == 3600);
    CHECK(offset_at("NZST-12NZDT,M9.5.0,M4.1.0/3", 1609459200) == 46800); /* new year */
    CHECK(offset_at("<+0330>-3:30", 0) == 12600);
    CHECK(offset_at("+3", 0) == -10800);
    CHECK(offset_at("EST5EDT", 1594000000) == -14400);       /* the days of the USA by default */
    CHECK(offset_at("X0Y,J60/0,J61/0", 1583020800) == 3600); /* 2020-03-01, day 60 of any year */
    CHECK(offset_at("X0Y,59/0,60/0", 1582934400) == 3600);   /* 2020-02-29, day 59 from 0 */
}

static void what_is_no_rule_is_refused(void)
{
    static const char *const bad[] = {"",
                                      "X",
                                      "X24:60",
                                      "X1Y,",
                                      "X1Y,M3",
                                      "X1Y,M13.1.0,M1.1.0",
                                      "X1Y,M3.6.0,M1.1.0",
                                      "X1Y,J0,J5",
                                      "X1Y,400,5",
                                      "X1Y,M3.1.0,M4.1.0x",
                                      "<X1",
                                      "X1Y,M3.1.0/168,5",
                                      "1 2",
                                      "X999999999999"};
    struct bp_zone_rule r;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (bp_zone_rule_parse(bad[i], strlen(bad[i]), &r)) {
            printf("# taken: %s\n", bad[i]);
            CHECK(false);
        }
}

/* Version 2: an empty first part, then one change at 1000 from +100 to +200, and a rule. */
static size_t make_file(uint8_t *p, const char *rule)
{
    size_t n = 0;
    static const uint8_t one[] = {0, 0, 0, 0, 0, 1, 'A', 0};

    memset(p, 0, 400);
    memcpy(p, "TZif2", 5);
    p[39] = 1; /* one type, one byte of abbreviations */
    p[43] = 1;
    n = 44 + 6 + 1;
    memcpy(p + n, "TZif2", 5);
    p[n + 35] = 1; /* changes */
    p[n + 39] = 2; /* types */
    p[n + 43] = 2; /* abbreviations */
    n += 44;
    p[n + 6] = 1000 >> 8;
    p[n + 7] = 1000 & 255;
    p[n + 8] = 1;
    n += 9;
    p[n + 3] = 100;
    p[n + 9] = 200;
    memcpy(p + n + 10, one, 2);
    memcpy(p + n + 12, one + 6, 2);
    n += 14;
    return n + (size_t)sprintf((char *)p + n, "\n%s\n", rule);
}

static void a_file_gives_changes_and_a_rule(void)
{
    struct bp_arena mem = {0};
    struct bp_err err = {0};
    struct bp_zone z;
    uint8_t p[400];
    size_t n = make_file(p, "X-1");

    NEED(bp_zone_read(&mem, p, n, &z, &err) == 0);
    CHECK(z.n == 1 && z.has_rule);
    CHECK(bp_zone_span(&z, 999).offset_s == 100 && bp_zone_span(&z, 999).to == 1000);
    CHECK(bp_zone_span(&z, 1000).offset_s == 3600 && bp_zone_span(&z, 1000).from == 1000);
    n = make_file(p, "");
    NEED(bp_zone_read(&mem, p, n, &z, &err) == 0);
    CHECK(!z.has_rule && bp_zone_span(&z, 5000).offset_s == 200);
    bp_arena_release(&mem);
}

static void a_file_cut_anywhere_is_refused_or_shorter_by_its_rule(void)
{
    struct bp_arena mem = {0};
    struct bp_err err = {0};
    struct bp_zone z;
    uint8_t p[400];
    size_t n = make_file(p, "X-1"), data = n - 5;

    for (size_t k = 0; k < n; k++) {
        int rc = bp_zone_read(&mem, p, k, &z, &err);

        CHECK(k < data ? rc == BP_EDATA : rc == 0 && !z.has_rule);
    }
    for (size_t k = 0; k < n * 8; k++) { /* any bit: no crash, no read outside */
        p[k / 8] ^= (uint8_t)(1 << k % 8);
        if (bp_zone_read(&mem, p, n, &z, &err) == 0)
            (void)bp_zone_span(&z, 5000);
        p[k / 8] ^= (uint8_t)(1 << k % 8);
    }
    bp_arena_release(&mem);
}

static int32_t local(const char *name, int64_t t)
{
    struct bp_zone_span s = {.from = 1, .to = 0};
    struct bp_arena mem = {0};
    struct bp_err err = {0};
    struct bp_zone z;
    int32_t o = -1;

    if (bp_zone_find(&mem, name, strlen(name), &z, &err) == 0)
        o = bp_zone_local_offset(&z, t, &s);
    bp_arena_release(&mem);
    return o;
}

static void skipped_and_double_hours(void)
{
    CHECK(local("CET-1CEST,M3.5.0,M10.5.0/3", 1616898600) == 3600); /* 02:30 is not there: before */
    CHECK(local("CET-1CEST,M3.5.0,M10.5.0/3", 1635647400) ==
          3600); /* 02:30 is there twice: after */
    CHECK(local("CET-1CEST,M3.5.0,M10.5.0/3", 1635643800) == 7200); /* 01:30 once */
    CHECK(local("EST", 0) == -18000);
}

static void names_stay_inside_the_database(void)
{
    struct bp_arena mem = {0};
    struct bp_err err = {0};
    struct bp_zone z;
    static const char *const bad[] = {
        "../../../etc/passwd", "/etc/localtime", "Europe",  "Europe/", "zone.tab", "",
        "Europe//Paris",       "tzdata.zi",      "No/Where"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err.code = 0;
        CHECK(bp_zone_find(&mem, bad[i], strlen(bad[i]), &z, &err) == BP_EDATA);
    }
    bp_arena_release(&mem);
}

UNIT_MAIN(T(a_rule_says_when_summer_is), T(what_is_no_rule_is_refused),
          T(a_file_gives_changes_and_a_rule),
          T(a_file_cut_anywhere_is_refused_or_shorter_by_its_rule), T(skipped_and_double_hours),
          T(names_stay_inside_the_database))

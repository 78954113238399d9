/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taxi-gen: taxi trips as CSV, with the columns of the New York City TLC's
 * files of 2020. The same bytes on every machine: whole numbers only, and a
 * counter-based generator, so that row r depends on the kind, the seed, the
 * month and r alone (a longer file begins with the shorter one).
 *
 *   taxi-gen [--kind yellow|green|fhv] [--rows N] [--seed S] [--month 2020-01]
 *
 * What a job has to cope with is in the data: one pickup in 2,000 lies before
 * 2020, some cells are empty, a few zones have most of the trips, a few fares
 * are refunds. total_amount is the exact sum of its parts.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_ZONES 265
#define N_BASES 3400
#define ZONE_SLOTS 16384 /* a power of two: the skew is a table, not a formula */
#define MAX_DAYS 40      /* a month, and days after it for late drop-offs */
#define OUT_BYTES (1 << 20)
#define LINE_MAX_BYTES 320
#define DAY_SECONDS 86400
#define JFK_ZONE 132

enum kind { YELLOW, GREEN, FHV, N_KINDS };

static const char *const kind_names[N_KINDS] = {"yellow", "green", "fhv"};

static const char *const headers[N_KINDS] = {
    ("VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,"
     "RatecodeID,store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,"
     "mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount,congestion_surcharge\n"),
    ("VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,"
     "PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,"
     "tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,"
     "trip_type,congestion_surcharge\n"),
    ("hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,"
     "DOLocationID,SR_Flag\n"),
};

/* Digits that a table picks from: how often a value comes is how often it stands. */
static const char passenger_table[64 + 1] =
    "1111111111111111111111111111111111111111111112222222222333555664";
static const char hour_table[64] = {0,  0,  1,  2,  3,  5,  6,  6,  7,  7,  7,  8,  8,  8,  8,  9,
                                    9,  9,  10, 10, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14,
                                    14, 15, 15, 15, 16, 16, 16, 17, 17, 17, 17, 18, 18, 18, 18, 18,
                                    19, 19, 19, 19, 20, 20, 20, 21, 21, 21, 22, 22, 22, 23, 23, 4};

/* Days of which a wrong clock puts trips into a month's file. */
static const char *const stray_days[8] = {"2008-12-31 ", "2009-01-01 ", "2019-12-31 ",
                                          "2019-12-18 ", "2003-01-01 ", "2019-12-31 ",
                                          "2019-02-28 ", "2009-01-01 "};

struct gen {
    enum kind kind;
    uint64_t key; /* of the generator: seed and kind */
    int n_days;
    char days[MAX_DAYS][12]; /* "2020-01-17 " */
    uint16_t zones[ZONE_SLOTS];
    char two[100][2];           /* "00" ... "99" */
    char three[N_ZONES + 1][4]; /* decimal zone numbers, [3] is the length */
};

/* One trip, money in cents, distance in hundredths of a mile. */
struct trip {
    const char *pickup_day, *dropoff_day;
    int pickup_s, dropoff_s; /* of their day */
    int vendor, from, to;
    char passengers; /* a digit, or 0: the cell is empty */
    int rate, payment;
    bool stored, unknown; /* unknown: what the meter did not send is empty */
    bool no_congestion;   /* that cell is empty */
    int distance, fare, extra, mta, tip, tolls, improvement, congestion, total;
};

/* ---- random numbers: a mixed counter ---- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xE9846AF9B1A615D5u;
    x ^= x >> 29;
    x *= 0xD1B54A32D192ED03u;
    x ^= x >> 32;
    return x;
}

/* Word number i (0..7) of a row. */
static uint64_t word_of(const struct gen *g, uint64_t row, unsigned i)
{
    return mix(g->key + (row * 8 + i) * 0x9E3779B97F4A7C15u);
}

/* 0..n-1 from 16 bits of w. */
static int pick(uint64_t w, unsigned from_bit, int n)
{
    return (int)((((w >> from_bit) & 0xFFFF) * (uint64_t)n) >> 16);
}

/* True in per_million cases of a million, from the top 32 bits of w. */
static bool chance(uint64_t w, uint64_t per_million)
{
    return ((w >> 32) * 1000000) >> 32 < per_million;
}

/* ---- tables ---- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month] + (month == 2 && is_leap(year));
}

static void fill_days(struct gen *g, int year, int month)
{
    int day = 1;

    g->n_days = days_in(year, month);
    for (int i = 0; i < MAX_DAYS; i++) {
        int n = snprintf(g->days[i], sizeof g->days[i], "%04d-%02d-%02d ", year, month, day);

        if (n != 11)
            abort();
        if (++day > days_in(year, month)) {
            day = 1;
            month = month % 12 + 1;
            year += month == 1;
        }
    }
}

/* The zone of rank k (0 is the busiest) has a share that goes with 1 / (k + 6);
 * ranks are scattered over the zone numbers (97 and 265 have no common factor). */
static void fill_zones(struct gen *g)
{
    uint64_t sum = 0, done = 0;
    int slot = 0;

    for (int k = 0; k < N_ZONES; k++)
        sum += 1000000000u / (uint64_t)(k + 6);
    for (int k = 0; k < N_ZONES; k++) {
        int zone = (160 + k * 97) % N_ZONES + 1, end;

        done += 1000000000u / (uint64_t)(k + 6);
        end = (int)(done * ZONE_SLOTS / sum);
        while (slot < end)
            g->zones[slot++] = (uint16_t)zone;
    }
}

static void gen_init(struct gen *g, enum kind kind, uint64_t seed, int year, int month)
{
    g->kind = kind;
    g->key = mix(seed * N_KINDS + (uint64_t)kind + 1);
    fill_days(g, year, month);
    fill_zones(g);
    for (int i = 0; i < 100; i++) {
        g->two[i][0] = (char)('0' + i / 10);
        g->two[i][1] = (char)('0' + i % 10);
    }
    for (int i = 0; i <= N_ZONES; i++) {
        char s[12];
        int n = snprintf(s, sizeof s, "%d", i);

        memcpy(g->three[i], s, 3);
        g->three[i][3] = (char)n;
    }
}

/* ---- a trip ---- */

static void make_times(const struct gen *g, uint64_t w, struct trip *t, int duration_s)
{
    int day = pick(w, 0, g->n_days), s;

    s = hour_table[(w >> 16) & 63] * 3600 + pick(w, 22, 3600);
    t->pickup_s = s;
    s += duration_s;
    t->dropoff_s = s % DAY_SECONDS;
    if (chance(mix(w), 500)) { /* 0.05 % */
        t->pickup_day = t->dropoff_day = stray_days[(w >> 38) & 7];
        if (s >= DAY_SECONDS)
            t->dropoff_s = DAY_SECONDS - 1;
        return;
    }
    t->pickup_day = g->days[day];
    t->dropoff_day = g->days[day + s / DAY_SECONDS];
}

/* Most trips are short; one in 16 is long. */
static int make_distance(uint64_t w)
{
    uint64_t u = w & 0xFFFF, cube = (u * u * u) >> 32;
    int d = 30 + (int)((cube * 700) >> 16);

    return ((w >> 16) & 15) == 0 ? d + pick(w, 20, 2000) : d;
}

static int make_extra(const struct trip *t)
{
    int hour = t->pickup_s / 3600;

    if (hour >= 20 || hour < 6)
        return 50;
    return hour >= 16 ? 100 : 0;
}

static void make_money(struct trip *t, uint64_t w)
{
    bool airport = t->from == JFK_ZONE || t->to == JFK_ZONE;
    int p = pick(w, 0, 100);

    t->rate = airport ? 2 : pick(w, 16, 1000) < 6 ? 5 : 1;
    t->fare = airport ? 5200 : 250 + (t->distance * 250 / 100 + pick(w, 32, 300)) / 50 * 50;
    t->extra = make_extra(t);
    t->mta = 50;
    t->improvement = 30;
    t->congestion = pick(w, 48, 100) < 92 ? 250 : 0;
    w = mix(w);
    t->tolls = airport ? (w & 1) * 612 : pick(w, 1, 1000) < 25 ? 612 : 0;
    t->payment = p < 72 ? 1 : p < 98 ? 2 : p < 99 ? 3 : 4;
    if (t->payment == 1) { /* tips are known of cards only: a fifth, a quarter, or a sum */
        int parts = t->fare + t->extra + t->mta + t->tolls + t->improvement + t->congestion;

        t->tip = (w & 0x60000) ? parts / (4 + (int)((w >> 20) & 1)) : pick(w, 24, 8) * 50;
    }
    t->no_congestion = !t->unknown && pick(w, 40, 1000) < 3;
    if (t->no_congestion)
        t->congestion = 0;
    if (t->payment >= 3 && (w >> 63)) { /* a refund takes every part back */
        t->fare = -t->fare;
        t->extra = -t->extra;
        t->mta = -t->mta;
        t->tolls = -t->tolls;
        t->improvement = -t->improvement;
        t->congestion = -t->congestion;
    }
    t->total = t->fare + t->extra + t->mta + t->tip + t->tolls + t->improvement + t->congestion;
}

static void make_trip(const struct gen *g, uint64_t row, struct trip *t)
{
    uint64_t w = word_of(g, row, 0), d = word_of(g, row, 1);

    memset(t, 0, sizeof *t);
    t->from = g->zones[w & (ZONE_SLOTS - 1)];
    t->to = g->zones[(w >> 14) & (ZONE_SLOTS - 1)];
    t->vendor = (w >> 28) % 3 == 0 ? 1 : 2;
    t->passengers = passenger_table[(w >> 40) & 63];
    if (pick(w, 46, 1000) < 18)
        t->passengers = '0';
    t->stored = pick(d, 44, 1000) < 10;
    t->unknown = chance(mix(w), 9500);
    t->distance = make_distance(d);
    if (t->vendor == 1)
        t->distance = t->distance / 10 * 10;
    make_times(g, word_of(g, row, 2), t, 90 + t->distance * 2 + pick(d, 28, 600));
    if (g->kind != FHV)
        make_money(t, word_of(g, row, 3));
}

/* ---- text: each put_ writes at p and returns the place behind ---- */

static char *put_time(const struct gen *g, char *p, const char *day, int s)
{
    memcpy(p, day, 11);
    memcpy(p + 11, g->two[s / 3600], 2);
    p[13] = ':';
    memcpy(p + 14, g->two[s / 60 % 60], 2);
    p[16] = ':';
    memcpy(p + 17, g->two[s % 60], 2);
    p[19] = ',';
    return p + 20;
}

static char *put_zone(const struct gen *g, char *p, int zone)
{
    memcpy(p, g->three[zone], 3);
    p += g->three[zone][3];
    *p++ = ',';
    return p;
}

/* A digit, or nothing, and a comma. */
static char *put_digit(char *p, bool empty, int digit)
{
    *p = (char)('0' + digit);
    p += !empty;
    *p++ = ',';
    return p;
}

/* Hundredths as the real files have them: 7.0, 12.3, 14.16. */
static char *put_hundredths(const struct gen *g, char *p, int v)
{
    unsigned u = (unsigned)(v < 0 ? -v : v), whole = u / 100, part = u % 100;

    *p = '-';
    p += v < 0;
    if (whole >= 100) {
        *p = (char)('0' + whole / 1000 % 10);
        p += whole >= 1000;
        *p++ = (char)('0' + whole / 100 % 10);
        memcpy(p, g->two[whole % 100], 2);
        p += 2;
    } else {
        *p = (char)('0' + whole / 10);
        p += whole >= 10;
        *p++ = (char)('0' + whole % 10);
    }
    *p++ = '.';
    memcpy(p, g->two[part], 2);
    p += part % 10 ? 2 : 1;
    *p++ = ',';
    return p;
}

static char *put_flag(char *p, const struct trip *t)
{
    *p = t->stored ? 'Y' : 'N';
    p += !t->unknown;
    *p++ = ',';
    return p;
}

/* The last column of a taxi trip: its comma becomes the end of the line. */
static char *put_congestion(const struct gen *g, char *p, const struct trip *t)
{
    if (t->no_congestion)
        *p++ = ',';
    else
        p = put_hundredths(g, p, t->congestion);
    p[-1] = '\n';
    return p;
}

static char *put_yellow(const struct gen *g, char *p, const struct trip *t)
{
    p = put_digit(p, false, t->vendor);
    p = put_time(g, p, t->pickup_day, t->pickup_s);
    p = put_time(g, p, t->dropoff_day, t->dropoff_s);
    p = put_digit(p, t->unknown, t->passengers - '0');
    p = put_hundredths(g, p, t->distance);
    p = put_digit(p, t->unknown, t->rate);
    p = put_flag(p, t);
    p = put_zone(g, p, t->from);
    p = put_zone(g, p, t->to);
    p = put_digit(p, t->unknown, t->payment);
    p = put_hundredths(g, p, t->fare);
    p = put_hundredths(g, p, t->extra);
    p = put_hundredths(g, p, t->mta);
    p = put_hundredths(g, p, t->tip);
    p = put_hundredths(g, p, t->tolls);
    p = put_hundredths(g, p, t->improvement);
    p = put_hundredths(g, p, t->total);
    return put_congestion(g, p, t);
}

static char *put_green(const struct gen *g, char *p, const struct trip *t)
{
    p = put_digit(p, false, t->vendor);
    p = put_time(g, p, t->pickup_day, t->pickup_s);
    p = put_time(g, p, t->dropoff_day, t->dropoff_s);
    p = put_flag(p, t);
    p = put_digit(p, t->unknown, t->rate);
    p = put_zone(g, p, t->from);
    p = put_zone(g, p, t->to);
    p = put_digit(p, t->unknown, t->passengers - '0');
    p = put_hundredths(g, p, t->distance);
    p = put_hundredths(g, p, t->fare);
    p = put_hundredths(g, p, t->extra);
    p = put_hundredths(g, p, t->mta);
    p = put_hundredths(g, p, t->tip);
    p = put_hundredths(g, p, t->tolls);
    *p++ = ','; /* ehail_fee: never sent */
    p = put_hundredths(g, p, t->improvement);
    p = put_hundredths(g, p, t->total);
    p = put_digit(p, t->unknown, t->payment);
    p = put_digit(p, t->unknown, t->rate == 5 ? 2 : 1); /* street hail, dispatch */
    return put_congestion(g, p, t);
}

/* Licences HV0002 to HV0005, three quarters of them HV0003; 32 of the bases
 * send two thirds of the cars. */
static char *put_fhv(const struct gen *g, char *p, const struct trip *t, uint64_t w)
{
    int licence = pick(w, 0, 100), base = pick(w, 16, N_BASES) + 1;

    licence = licence < 73 ? 3 : licence < 94 ? 5 : licence < 98 ? 4 : 2;
    if ((w >> 32) % 3 != 0)
        base = (int)((w >> 48) & 31) * 107 % N_BASES + 28;
    memcpy(p, "HV000", 5);
    p[5] = (char)('0' + licence);
    memcpy(p + 6, ",B0", 3);
    memcpy(p + 9, g->two[base / 100], 2);
    memcpy(p + 11, g->two[base % 100], 2);
    p[13] = ',';
    p = put_time(g, p + 14, t->pickup_day, t->pickup_s);
    p = put_time(g, p, t->dropoff_day, t->dropoff_s);
    p = put_zone(g, p, t->from);
    p = put_zone(g, p, t->to);
    p = put_digit(p, !t->stored, 1); /* SR_Flag: shared rides only */
    p[-1] = '\n';
    return p;
}

/* ---- output ---- */

static bool write_all(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            fprintf(stderr, "taxi-gen: cannot write: %s\n", strerror(errno));
            return false;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static bool write_trips(const struct gen *g, uint64_t n_rows)
{
    static char buf[OUT_BYTES + LINE_MAX_BYTES];
    char *p = buf + strlen(headers[g->kind]);
    struct trip t;

    memcpy(buf, headers[g->kind], (size_t)(p - buf));
    for (uint64_t row = 0; row < n_rows; row++) {
        make_trip(g, row, &t);
        if (g->kind == YELLOW)
            p = put_yellow(g, p, &t);
        else if (g->kind == GREEN)
            p = put_green(g, p, &t);
        else
            p = put_fhv(g, p, &t, word_of(g, row, 4));
        if (p - buf >= OUT_BYTES) {
            if (!write_all(buf, (size_t)(p - buf)))
                return false;
            p = buf;
        }
    }
    return write_all(buf, (size_t)(p - buf));
}

/* ---- command line ---- */

static int usage(const char *what, const char *arg)
{
    fprintf(stderr, "taxi-gen: %s '%s'\n", what, arg);
    fprintf(stderr, "usage: taxi-gen [--kind yellow|green|fhv] [--rows N] [--seed S]"
                    " [--month YYYY-MM]\n");
    return 2;
}

static bool parse_number(const char *s, uint64_t *out)
{
    char *end;

    errno = 0;
    if (s[0] < '0' || s[0] > '9')
        return false;
    *out = strtoull(s, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool parse_month(const char *s, int *year, int *month)
{
    char end;

    return strlen(s) == 7 && sscanf(s, "%4d-%2d%c", year, month, &end) == 2 && *year >= 1900 &&
           *year <= 9998 && *month >= 1 && *month <= 12;
}

static bool parse_kind(const char *s, enum kind *out)
{
    for (int k = 0; k < N_KINDS; k++) {
        if (strcmp(s, kind_names[k]) == 0) {
            *out = (enum kind)k;
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"kind", required_argument, NULL, 'k'},
                                            {"rows", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"month", required_argument, NULL, 'm'},
                                            {NULL, 0, NULL, 0}};
    static struct gen gen;
    enum kind kind = YELLOW;
    uint64_t n_rows = 1000000, seed = 1;
    int year = 2020, month = 1, c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'k' && !parse_kind(optarg, &kind))
            return usage("no such kind of trip", optarg);
        if (c == 'n' && !parse_number(optarg, &n_rows))
            return usage("--rows is not a number", optarg);
        if (c == 's' && !parse_number(optarg, &seed))
            return usage("--seed is not a number", optarg);
        if (c == 'm' && !parse_month(optarg, &year, &month))
            return usage("--month is not YYYY-MM", optarg);
        if (c == '?')
            return usage("wrong option near", argv[optind - 1]);
    }
    if (optind < argc)
        return usage("unexpected operand", argv[optind]);
    gen_init(&gen, kind, seed, year, month);
    return write_trips(&gen, n_rows) ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The conversions of many fields at a time, by each build that this machine has, against those
 * of one at a time. */
#include <stdlib.h>

#include "col/text.h"
#include "fmt/csv_out.h"
#include "fmt/csv_scan.h"
#include "unit.h"

#define FIELDS 150 /* more than a block, no multiple of the lanes */
#define FIELD_MAX 30
#define FRONT 64

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 20) % n);
}

struct fields {
    uint8_t text[FRONT + FIELDS * (FIELD_MAX + 1) + 64];
    uint32_t idx[FIELDS + 1]; /* as the scan leaves them */
    int n;
};

static void clear(struct fields *f)
{
    memset(f->text, '9', sizeof f->text); /* around a field, what could be one */
    f->idx[0] = FRONT - 1;
    f->n = 0;
}

static void add(struct fields *f, const char *s)
{
    size_t n = strlen(s);
    uint32_t at = f->idx[f->n] + 1;

    memcpy(f->text + at, s, n);
    f->text[at + n] = ',';
    f->idx[++f->n] = at + (uint32_t)n;
}

static struct csv_out convert(struct bp_type t, const struct fields *f, int level, bool *ok)
{
    static struct csv_dates dates;
    struct csv_span all = {
        .p = f->text, .s = f->idx, .e = f->idx + 1, .step = 1, .n = f->n, .dates = &dates};
    struct csv_out o = {.type = t};
    struct bp_err err = {0};

    CHECK(csv_out_reserve(&o, f->n + 3, 0, &err) == 0);
    csv_out_nulls(&o, 3); /* the rows begin anywhere */
    *ok = csv_convert(&o, &all, level);
    return o;
}

static bool same(const struct csv_out *a, const struct csv_out *b)
{
    if (a->n_rows != b->n_rows || a->n_nulls != b->n_nulls)
        return false;
    for (int64_t i = 0; i < a->n_rows; i++)
        if (bp_bit_get(a->valid->data, i) != bp_bit_get(b->valid->data, i))
            return false;
    return memcmp(a->data->data, b->data->data, (size_t)a->n_rows * bp_type_width_bytes(a->type)) ==
           0;
}

/* True: the fields are values of t. All ways must say so, and give the same. */
static bool agree(struct bp_type t, const struct fields *f)
{
    bool ok, ok_wide;
    struct csv_out a = convert(t, f, 0, &ok);

    for (int level = csv_kernels_pick()->level; level > 0; level--) {
        struct csv_out b = convert(t, f, level, &ok_wide);

        CHECK(ok == ok_wide);
        CHECK(!ok || same(&a, &b));
        csv_out_release(&b);
    }
    csv_out_release(&a);
    return ok;
}

static void make_number(char *out)
{
    static const char *const odd[] = {
        "",        "0",          "-0",       "-",         ".",        "-.5",      "5.",
        "+7",      "1e3",        "00000001", "99999999",  "-9999999", "1.0.0",    "0.000000",
        "-.",      "2147483648", "99999.99", "100000000", "1.234567", "123456.7", "-12345.6",
        "0.00001", "NaN",        " 1",       "1 ",        "99999.999"};
    static const char alphabet[] = "0123456789012345678901234567890123456789.-";
    uint32_t n = below(4) ? below(8) + 1 : below(14) + 1;

    if (below(4) == 0) {
        strcpy(out, odd[below(BP_COUNT_OF(odd))]);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        out[i] = alphabet[below(i ? sizeof alphabet - 2 : sizeof alphabet - 1)];
    out[n] = '\0';
}

static void make_time(char *out, bool clock)
{
    static const char *const odd[] = {"2020-02-29", "2019-02-29", "1900-02-29", "2000-02-29",
                                      "2020-13-01", "2020-00-10", "2020-01-00", "2020-04-31",
                                      "0000-01-01", "0001-01-01", "9999-12-31", "2020-1-1"};
    static const char *const clocks[] = {"00:00:00", "23:59:59", "24:00:00", "23:60:00",
                                         "23:59:60", "07:08:09", "29:00:00", "1:02:03"};
    static const char alphabet[] = "0123456789-: T/";
    int64_t first = -719162, days = 3652059;

    memset(out, 0, FIELD_MAX);
    if (below(30) == 0)
        return;
    (void)bp_format_date((int32_t)(first + below((uint32_t)days)), out);
    if (below(5) == 0)
        strcpy(out, odd[below(BP_COUNT_OF(odd))]);
    if (clock) {
        strcat(out, below(3) ? " " : "T");
        strcat(out, clocks[below(BP_COUNT_OF(clocks))]);
    }
    if (below(4) == 0)
        out[below((uint32_t)strlen(out))] = alphabet[below(sizeof alphabet - 1)];
}

static void make(struct bp_type t, char *out)
{
    if (t.kind == BP_DATE || t.kind == BP_TIMESTAMP || t.kind == BP_TIMESTAMPTZ)
        make_time(out, below(20) ? t.kind != BP_DATE : t.kind == BP_DATE);
    else
        make_number(out);
}

/* Each field alone; then those that are values together; then one among them that is none. */
static void check_type(struct bp_type t)
{
    static struct fields one, good;
    char text[FIELD_MAX], bad[FIELD_MAX] = "";

    for (int round = 0; round < 40; round++) {
        clear(&good);
        while (good.n < FIELDS - 5 - round % 7) {
            make(t, text);
            clear(&one);
            add(&one, text);
            if (agree(t, &one))
                add(&good, text);
            else
                strcpy(bad, text);
        }
        CHECK(agree(t, &good));
        if (bad[0]) {
            add(&good, bad);
            CHECK(!agree(t, &good));
        }
    }
    CHECK(bad[0] != '\0');
}

static void integers_agree(void)
{
    check_type(BP_TYPE(BP_INT32));
    check_type(BP_TYPE(BP_INT64));
    check_type(BP_TYPE(BP_INT16));
}

static void floats_agree(void)
{
    check_type(BP_TYPE(BP_FLOAT64));
}

static void decimals_agree(void)
{
    check_type(BP_TYPE_DECIMAL(10, 2));
    check_type(BP_TYPE_DECIMAL(5, 3));
    check_type(BP_TYPE_DECIMAL(4, 0));
    check_type(BP_TYPE_DECIMAL(18, 9));
    check_type(BP_TYPE_DECIMAL(38, 2));
}

static void dates_agree(void)
{
    check_type(BP_TYPE(BP_DATE));
}

static void timestamps_agree(void)
{
    for (int unit = BP_SECOND; unit <= BP_NANO; unit++) {
        check_type(BP_TYPE_UNIT(BP_TIMESTAMP, (uint8_t)unit));
        check_type(BP_TYPE_UNIT(BP_TIMESTAMPTZ, (uint8_t)unit));
    }
}

/* Every day of four hundred years. */
static void every_day_agrees(void)
{
    static struct fields f;
    char text[FIELD_MAX];

    for (int32_t day = -719162; day < -719162 + 146097 + 400;) {
        clear(&f);
        while (f.n < FIELDS) {
            text[bp_format_date(day++, text)] = '\0';
            add(&f, text);
        }
        CHECK(agree(BP_TYPE(BP_DATE), &f));
    }
}

/* A column of long numbers: given up block by block, never wrongly. */
static void long_numbers_agree(void)
{
    static struct fields f;

    clear(&f);
    while (f.n < FIELDS)
        add(&f, f.n % 9 == 0 ? "" : f.n % 10 == 0 ? "7" : "1234567890123");
    CHECK(agree(BP_TYPE(BP_INT64), &f));
}

UNIT_MAIN(T(integers_agree), T(floats_agree), T(decimals_agree), T(dates_agree),
          T(timestamps_agree), T(every_day_agrees), T(long_numbers_agree))

/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/csv_repeats.h"

#include "base/mem.h"

#define VALUES_LEAST 1000
#define REPEATS 4 /* of a value, on average */
/* So many distinct values where half of the rows or less had `early`: there will be no end. */
#define IS_GROWING(all, early) ((all) > (early) + (early) / 4 + 64)

struct column {
    struct bp_dictset values;
    int64_t n;           /* values seen */
    int64_t late, early; /* distinct ones when n was a power of two, and half of it */
    bool counts, few;
};

struct csv_repeats {
    int n_cols;
    struct bp_err err; /* the first failure, told in the end */
    struct column cols[];
};

int csv_repeats_open(struct csv_repeats **out, const struct csv_reader *r, struct bp_err *err)
{
    size_t n = (size_t)r->n_cols;
    struct csv_repeats *s = bp_mem_new(1, sizeof *s + n * sizeof s->cols[0], err);

    if (!s)
        return err->code;
    s->n_cols = r->n_cols;
    for (int c = 0; c < r->n_cols; c++)
        s->cols[c].counts = (r->cols[c].guessed || r->cols[c].type.kind == BP_TEXT) &&
                            !r->cols[c].dict && r->files[0].field_of[c] >= 0;
    *out = s;
    return 0;
}

bool csv_repeats_counts(const struct csv_repeats *s, int c)
{
    return s->cols[c].counts;
}

bool csv_repeats_any(const struct csv_repeats *s)
{
    for (int c = 0; c < s->n_cols; c++)
        if (s->cols[c].counts)
            return true;
    return false;
}

bool csv_repeats_can_tell(const struct csv_file *f)
{
    return !f->in.is_file || f->in.size_bytes - f->data_start >= CSV_REPEATS_BYTES;
}

static void give_up(struct column *k)
{
    k->counts = false;
    bp_dictset_release(&k->values);
}

void csv_repeats_add(struct csv_repeats *s, int c, const uint8_t *p, size_t n)
{
    struct column *k = &s->cols[c];
    int32_t code;

    if (!k->counts || s->err.code)
        return;
    k->n++;
    if ((k->n & (k->n - 1)) == 0) {
        k->early = k->late;
        k->late = k->values.n;
    }
    if (bp_dictset_code(&k->values, p, n, &code, &s->err) == 0 && k->values.n > CSV_REPEATS_VALUES)
        give_up(k);
}

static bool repeats(const struct column *k)
{
    return k->counts && k->n >= VALUES_LEAST && k->values.n * REPEATS <= k->n &&
           !IS_GROWING(k->values.n, k->early);
}

/* The column with the fewest values, of those that repeat and are not taken yet; or NULL. */
static struct column *fewest(struct csv_repeats *s)
{
    struct column *least = NULL;

    for (int c = 0; c < s->n_cols; c++) {
        struct column *k = &s->cols[c];

        if (repeats(k) && !k->few && (!least || k->values.n < least->values.n))
            least = k;
    }
    return least;
}

int csv_repeats_decide(struct csv_repeats *s, struct bp_err *err)
{
    struct column *k;

    if (s->err.code) {
        *err = s->err;
        return err->code;
    }
    for (int64_t left = CSV_REPEATS_VALUES; (k = fewest(s)) && k->values.n <= left;) {
        k->few = true;
        left -= k->values.n;
    }
    return 0;
}

int64_t csv_repeats_values(const struct csv_repeats *s, int c)
{
    return s->cols[c].values.n;
}

bool csv_repeats_are_few(const struct csv_repeats *s, int c)
{
    return s->cols[c].few;
}

void csv_repeats_free(struct csv_repeats *s)
{
    if (!s)
        return;
    for (int c = 0; c < s->n_cols; c++)
        bp_dictset_release(&s->cols[c].values);
    bp_mem_free(s);
}

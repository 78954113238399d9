/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sample of the inputs tells: types for columns that are not declared (guess.h), and
 * which columns of text repeat few values (csv_repeats.c). The first is asked of every file,
 * the second of the first.
 */
#include <string.h>

#include "base/mem.h"
#include "col/text.h"
#include "fmt/csv_repeats.h"
#include "fmt/csv_sample.h"
#include "fmt/guess.h"

struct findings {
    const struct csv_reader *r;
    struct bp_guess *guess;      /* [n_cols] */
    struct csv_repeats *repeats; /* NULL: not of this file */
    const struct csv_sample *sample;
};

/* ---- one value ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(const char *s, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(s, word, n) == 0;
}

/* A number as a person would not want it as text: no '+', no 007. */
static unsigned number_bits(const char *s, size_t n)
{
    size_t i = *s == '-';
    bool whole = true;
    int64_t v;
    double d;

    if (i >= n || !(is_digit(s[i]) || (s[i] == '.' && i + 1 < n && is_digit(s[i + 1]))))
        return 0;
    if (s[i] == '0' && i + 1 < n && is_digit(s[i + 1]))
        return 0;
    for (size_t k = i; k < n; k++)
        whole &= is_digit(s[k]);
    if (whole)
        return bp_parse_int64(s, n, &v) == BP_TEXT_OK ? BP_IS_INT | BP_IS_FLOAT : 0;
    return bp_parse_float64(s, n, &d) == BP_TEXT_OK ? BP_IS_FLOAT : 0;
}

static void look_at(struct bp_guess *g, const uint8_t *p, size_t n, bool quoted)
{
    const char *s = (const char *)p;

    if (!n && !quoted)
        return;
    g->seen = true;
    if (!g->left)
        return;
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    while (n && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    if (!n)
        g->left = 0;
    else if (is_word(s, n, "true") || is_word(s, n, "false"))
        g->left &= BP_IS_BOOL;
    else if (n >= 10 && s[4] == '-' && s[7] == '-')
        g->left &= bp_guess_time(s, n);
    else
        g->left &= number_bits(s, n);
}

/* ---- all columns ---- */

/* Of a larger sample rows of 1 MiB or a little more, all over it, tell enough. */
static bool is_counted(const struct csv_sample *m)
{
    return m->rows % BP_MAX(m->bytes / CSV_REPEATS_BYTES, 1) == 0;
}

static void see_field(void *ctx, int c, const uint8_t *p, size_t n, bool quoted)
{
    struct findings *f = ctx;

    if (f->r->cols[c].guessed)
        look_at(&f->guess[c], p, n, quoted);
    if (f->repeats && n && is_counted(f->sample))
        csv_repeats_add(f->repeats, c, p, n);
}

static int look_at_files(struct csv_reader *r, struct findings *found, struct csv_sample *m,
                         struct csv_repeats *repeats, struct bp_err *err)
{
    size_t each = r->any_guess ? bp_sample_bytes(r->n_files) : CSV_REPEATS_BYTES;

    for (int i = 0; i < r->n_files; i++) {
        struct csv_file *f = &r->files[i];
        bool first = i == 0 && csv_repeats_any(repeats) && csv_repeats_can_tell(f);
        size_t bytes = first ? BP_MAX(each, (size_t)CSV_REPEATS_BYTES) : each;

        for (int c = 0; c < r->n_cols; c++)
            m->wants[c] = r->cols[c].guessed || (first && csv_repeats_counts(repeats, c));
        found->repeats = first ? repeats : NULL;
        if (r->any_guess || first)
            BP_TRY(csv_sample_read(m, f, bytes, err));
        if (first && m->bytes >= CSV_REPEATS_BYTES)
            BP_TRY(csv_repeats_decide(repeats, err));
        if ((r->any_guess || first) && (i >= CSV_AWAKE_FILES || bp_mem_is_tight()))
            bp_input_rest(&f->in);
        if (!r->any_guess)
            break;
    }
    return 0;
}

int csv_infer(struct csv_reader *r, struct bp_err *err)
{
    struct csv_sample m = {.r = r, .field = see_field};
    struct findings found = {.r = r, .sample = &m};
    struct csv_repeats *repeats = NULL;
    int rc = 0;

    m.ctx = &found;
    found.guess = bp_mem_new((size_t)r->n_cols, sizeof *found.guess, err);
    m.wants = bp_mem_new((size_t)r->n_cols, sizeof *m.wants, err);
    if (!found.guess || !m.wants)
        BP_GO(err->code);
    BP_GO(csv_repeats_open(&repeats, r, err));
    for (int c = 0; c < r->n_cols; c++)
        found.guess[c] = BP_GUESS_ANY;
    BP_GO(look_at_files(r, &found, &m, repeats, err));
    for (int c = 0; c < r->n_cols; c++) {
        if (r->cols[c].guessed)
            r->cols[c].type = bp_guess_type(found.guess[c]);
        if (r->cols[c].type.kind == BP_TEXT && csv_repeats_are_few(repeats, c)) {
            r->cols[c].dict = BP_DICT_GROWING;
            r->cols[c].dict_values = csv_repeats_values(repeats, c);
        }
    }
out:
    csv_repeats_free(repeats);
    csv_sample_release(&m);
    bp_mem_free(found.guess);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "op/join_small.h"

#include <string.h>

#include "flow/dictset.h"

struct small {
    struct bp_source from; /* what is not read yet */
    struct bp_batch *read; /* n_read, of which `given` went on */
    int n_read, cap_read, given;
    int n_cols;
    int64_t n_rows, n_bytes;
    int64_t *text_bytes; /* per column */
    bool ended, is_small;
};

static void small_free(void *self)
{
    struct small *s = self;

    for (int i = s->given; i < s->n_read; i++)
        bp_batch_release(&s->read[i]);
    bp_mem_free(s->read);
    bp_mem_free(s->text_bytes);
    bp_source_free(&s->from);
    bp_mem_free(s);
}

static int small_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct small *s = self;

    if (s->given < s->n_read) {
        bp_batch_move(out, &s->read[s->given++]);
        return 0;
    }
    return s->ended ? BP_DONE : bp_source_next(&s->from, out, err);
}

static const struct bp_source_ops small_ops = {.next = small_next, .free = small_free};

/* ---- how much it is ---- */

/* Counts b; false: it is too much. */
static bool count(struct small *s, const struct bp_batch *b)
{
    bool fits = true;

    s->n_rows += b->n_rows;
    for (int c = 0; c < b->n_cols && s->n_rows <= BP_SMALL_ROWS; c++) {
        int64_t bytes;

        if (!bp_type_is_bytes(b->cols[c].type)) {
            s->n_bytes += bp_column_size_bytes(&b->cols[c]);
            continue;
        }
        bytes = bp_column_text_bytes(&b->cols[c]);
        s->n_bytes += bytes;
        s->text_bytes[c] += bytes;
        fits &= s->text_bytes[c] <= BP_SMALL_TEXT_BYTES;
    }
    return fits && s->n_rows <= BP_SMALL_ROWS && s->n_bytes <= BP_SMALL_BYTES;
}

static int read_small(struct small *s, struct bp_err *err)
{
    bool fits = true;
    int rc = 0;

    while (fits) {
        if (s->n_read == s->cap_read) {
            int cap = s->cap_read ? s->cap_read * 2 : 8;
            struct bp_batch *grown = bp_mem_grow(s->read, (size_t)cap, sizeof *grown, err);

            if (!grown)
                return err->code;
            s->read = grown;
            s->cap_read = cap;
        }
        rc = bp_source_next(&s->from, &s->read[s->n_read], err);
        if (rc)
            break;
        fits = count(s, &s->read[s->n_read++]);
    }
    if (rc < 0)
        return rc;
    s->ended = rc == BP_DONE;
    s->is_small = s->ended && fits;
    return 0;
}

/* ---- texts to codes ---- */

/* Column col of all that was read, with one dictionary. */
static int encode_column(struct small *s, int col, struct bp_err *err)
{
    struct bp_dictset set = {0};
    int rc = 0, done = 0;

    for (; done < s->n_read && rc == 0; done++)
        rc = bp_dictset_recode(&set, NULL, &s->read[done].cols[col], err);
    for (int i = 0; i < done; i++) {
        if (rc == 0)
            rc = bp_dictset_bind(&set, &s->read[i].cols[col], err);
        if (rc < 0) /* codes are nothing without it */
            bp_column_release(&s->read[i].cols[col]);
    }
    bp_dictset_release(&set);
    return rc;
}

int bp_join_small(struct bp_source *src, struct bp_err *err)
{
    struct small *s = bp_mem_new(1, sizeof *s, err);

    if (!s)
        return err->code;
    s->n_cols = src->schema.n_fields;
    s->text_bytes = bp_mem_new((size_t)s->n_cols, sizeof *s->text_bytes, err);
    if (!s->text_bytes) {
        bp_mem_free(s);
        return err->code;
    }
    s->from.ops = src->ops;
    s->from.self = src->self;
    src->ops = &small_ops;
    src->self = s;
    BP_TRY(read_small(s, err));
    for (int c = 0; c < s->n_cols && s->is_small; c++)
        if (src->schema.fields[c].type.kind == BP_TEXT) {
            BP_TRY(encode_column(s, c, err));
            src->schema.fields[c].dict = true;
        }
    return 0;
}

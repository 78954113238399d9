/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/narrowed.h"

#include "base/num.h"
#include "col/narrow.h"

void bp_narrowed_widths(const struct bp_batch *in, uint8_t *widths)
{
    for (int i = 0; i < in->n_cols; i++) {
        const struct bp_column *c = &in->cols[i];

        if (bp_type_narrows(c->type) && widths[i] < bp_type_width_bytes(c->type))
            widths[i] = (uint8_t)BP_MAX(widths[i], bp_narrow_width(c));
    }
}

static struct bp_type narrow_type(struct bp_type t, size_t width)
{
    if (!width || width == bp_type_width_bytes(t))
        return t;
    switch (width) {
    case 1: return BP_TYPE(BP_INT8);
    case 2: return BP_TYPE(BP_INT16);
    case 4: return BP_TYPE(BP_INT32);
    default: return BP_TYPE(BP_INT64);
    }
}

int bp_narrowed_schema(struct bp_schema *out, const struct bp_schema *from, const uint8_t *widths,
                       struct bp_err *err)
{
    for (int i = 0; i < from->n_fields; i++)
        BP_TRY(bp_schema_add(out, from->fields[i].name,
                             narrow_type(from->fields[i].type, widths[i]), err));
    return 0;
}

/* The values of c, from `from` bytes each to the width of type, which c is then of. */
static int convert(struct bp_column *c, struct bp_type type, struct bp_err *err)
{
    size_t from = bp_type_width_bytes(c->type), to = bp_type_width_bytes(type);
    struct bp_block *b;

    BP_TRY(bp_block_new(&b, (size_t)c->n_rows * to, err));
    if (to < from)
        bp_narrow_put(c->data, from, to, c->n_rows, b->data, to);
    else
        bp_narrow_widen(c->data, from, to, c->n_rows, b->data);
    bp_block_unref(c->own[1]);
    c->own[1] = b;
    c->data = b->data;
    c->type = type;
    return 0;
}

int bp_narrowed_batch(struct bp_batch *out, const struct bp_batch *in, const uint8_t *widths,
                      struct bp_err *err)
{
    int rc = 0;

    BP_TRY(bp_batch_init(out, in->n_cols, err));
    out->n_rows = in->n_rows;
    for (int i = 0; i < in->n_cols; i++) {
        struct bp_type t = narrow_type(in->cols[i].type, widths[i]);

        bp_column_ref(&out->cols[i], &in->cols[i]);
        if (!bp_type_equal(t, in->cols[i].type))
            BP_GO(convert(&out->cols[i], t, err));
    }
    return 0;
out:
    bp_batch_release(out);
    return rc;
}

int bp_narrowed_back(struct bp_batch *b, const struct bp_schema *schema, struct bp_err *err)
{
    for (int i = 0; i < b->n_cols; i++)
        if (!bp_type_equal(b->cols[i].type, schema->fields[i].type))
            BP_TRY(convert(&b->cols[i], schema->fields[i].type, err));
    return 0;
}

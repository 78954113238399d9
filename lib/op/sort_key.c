/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_key.h"

#include <string.h>

#include "col/key.h"
#include "flow/marks.h"

int bp_sort_keys_open(struct bp_sort_keys *k, const struct bp_clause *order,
                      const struct bp_schema *s, struct bp_err *err)
{
    memset(k, 0, sizeof *k);
    BP_TRY(bp_expr_parse_order(order, s, &k->order, err));
    k->n = k->order.n;
    k->n_in = s->n_fields;
    k->keys = bp_mem_new((size_t)k->n, sizeof *k->keys, err);
    if (!k->keys) {
        bp_sort_keys_release(k);
        return err->code;
    }
    for (int i = 0; i < k->n; i++) {
        const struct bp_order_item *item = &k->order.items[i];

        k->keys[i] = (struct bp_sort_key){.col = bp_expr_column(item->expr),
                                          .type = bp_expr_type(item->expr),
                                          .desc = item->desc,
                                          .nulls_first = item->nulls_first};
        if (bp_key_allowed(k->keys[i].type,
                           k->keys[i].col < 0 ? "a key" : s->fields[k->keys[i].col].name,
                           err) < 0) {
            bp_sort_keys_release(k);
            return err->code;
        }
        if (k->keys[i].col < 0)
            k->keys[i].col = k->n_in + k->n_added++;
    }
    return 0;
}

void bp_sort_keys_release(struct bp_sort_keys *k)
{
    bp_order_release(&k->order);
    bp_mem_free(k->keys);
    memset(k, 0, sizeof *k);
}

int bp_sort_keys_add(const struct bp_sort_keys *k, struct bp_batch *b, struct bp_err *err)
{
    struct bp_batch keyed;
    int rc = 0;

    if (!k->n_added)
        return 0;
    BP_TRY(bp_batch_init(&keyed, k->n_in + k->n_added, err));
    for (int i = 0; i < k->n; i++)
        if (k->keys[i].col >= k->n_in)
            BP_GO(bp_expr_eval(k->order.items[i].expr, b, &keyed.cols[k->keys[i].col], err));
    memcpy(keyed.cols, b->cols, (size_t)k->n_in * sizeof *b->cols);
    memset(b->cols, 0, (size_t)k->n_in * sizeof *b->cols); /* moved */
    keyed.n_rows = b->n_rows;
    keyed.first_row = b->first_row;
    keyed.share = b->share;
    bp_batch_release(b);
    bp_batch_move(b, &keyed);
    return 0;
out:
    bp_batch_release(&keyed);
    return rc;
}

void bp_sort_keys_drop(const struct bp_sort_keys *k, struct bp_batch *b)
{
    while (b->n_cols > k->n_in)
        bp_column_release(&b->cols[--b->n_cols]);
}

int bp_sort_compare(const struct bp_sort_keys *k, int from_key, const struct bp_batch *a,
                    int64_t ra, const struct bp_batch *b, int64_t rb)
{
    for (int i = from_key; i < k->n; i++) {
        const struct bp_sort_key *key = &k->keys[i];
        const struct bp_column *ca = &a->cols[key->col], *cb = &b->cols[key->col];
        bool na = bp_column_is_null(ca, ra), nb = bp_column_is_null(cb, rb);
        int c;

        if (na || nb) {
            if (na && nb)
                continue;
            return na == key->nulls_first ? -1 : 1;
        }
        c = bp_value_compare(ca, ra, cb, rb);
        if (c)
            return key->desc ? -c : c;
    }
    return 0;
}

int bp_sort_keys_mark(const struct bp_sort_keys *k, struct bp_schema *s, struct bp_err *err)
{
    struct bp_buf text = {0};
    const char *str = NULL;
    int rc = 0;

    for (int i = 0; i < k->n && k->keys[i].col < k->n_in; i++) {
        if (i)
            BP_GO(bp_buf_puts(&text, ", ", err));
        BP_GO(bp_name_print(s->fields[k->keys[i].col].name, &text, err));
        if (k->keys[i].desc)
            BP_GO(bp_buf_puts(&text, " DESC", err));
        if (k->keys[i].nulls_first)
            BP_GO(bp_buf_puts(&text, " NULLS FIRST", err));
    }
    if (text.len) {
        str = bp_buf_str(&text, err);
        if (!str) {
            rc = err->code;
            goto out;
        }
    }
    rc = bp_schema_set_meta(s, BP_MARK_SORTED, str, err);
out:
    bp_buf_release(&text);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "col/schema.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

void bp_schema_release(struct bp_schema *s)
{
    for (int i = 0; i < s->n_fields; i++)
        bp_mem_free(s->fields[i].name);
    for (int i = 0; i < s->n_meta; i++) {
        bp_mem_free(s->meta[i].key);
        bp_mem_free(s->meta[i].value);
    }
    bp_mem_free(s->fields);
    bp_mem_free(s->meta);
    memset(s, 0, sizeof *s);
}

int bp_schema_add(struct bp_schema *s, const char *name, struct bp_type type, struct bp_err *err)
{
    struct bp_field *grown;
    char *copy = bp_mem_str(name, err);

    if (!copy)
        return err->code;
    if ((s->n_fields & (s->n_fields - 1)) == 0) { /* grow at 0, 1, 2, 4, 8 ... */
        size_t cap = s->n_fields ? (size_t)s->n_fields * 2 : 1;

        grown = bp_mem_grow(s->fields, cap, sizeof *grown, err);
        if (!grown) {
            bp_mem_free(copy);
            return err->code;
        }
        s->fields = grown;
    }
    s->fields[s->n_fields++] = (struct bp_field){.name = copy, .type = type, .nullable = true};
    return 0;
}

int bp_schema_copy(struct bp_schema *dst, const struct bp_schema *src, struct bp_err *err)
{
    memset(dst, 0, sizeof *dst);
    for (int i = 0; i < src->n_fields; i++) {
        if (bp_schema_add(dst, src->fields[i].name, src->fields[i].type, err) < 0)
            goto fail;
        dst->fields[i].nullable = src->fields[i].nullable;
        dst->fields[i].dict = src->fields[i].dict;
        dst->fields[i].pseudo = src->fields[i].pseudo;
    }
    if (bp_schema_copy_meta(dst, src, err) < 0)
        goto fail;
    return 0;
fail:
    bp_schema_release(dst);
    return err->code;
}

bool bp_schema_equal(const struct bp_schema *a, const struct bp_schema *b)
{
    if (a->n_fields != b->n_fields)
        return false;
    for (int i = 0; i < a->n_fields; i++)
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
            !bp_type_equal(a->fields[i].type, b->fields[i].type))
            return false;
    return true;
}

int bp_schema_find(const struct bp_schema *s, const char *name)
{
    int found = -1;

    for (int i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return i;
    for (int i = 0; i < s->n_fields; i++)
        if (strcasecmp(s->fields[i].name, name) == 0)
            found = found == -1 ? i : -2;
    return found;
}

int bp_schema_index(const struct bp_schema *s, const char *name, int *index, struct bp_err *err)
{
    struct bp_buf b = {0};
    const char *list = NULL;
    int i = bp_schema_find(s, name);

    if (i >= 0) {
        *index = i;
        return 0;
    }
    for (int k = 0; k < s->n_fields && b.len < 800; k++)
        if (bp_buf_printf(&b, err, "%s%s", k ? ", " : "", s->fields[k].name) < 0)
            goto out;
    list = bp_buf_str(&b, err);
    if (!list)
        goto out;
    if (i == -2)
        bp_fail(err, BP_EUSAGE, "column '%s' is ambiguous: spell it exactly; there are: %s", name,
                list);
    else
        bp_fail(err, BP_EUSAGE, "no column '%s'; there are: %s", name, list);
out:
    bp_buf_release(&b);
    return err->code;
}

const char *bp_schema_meta(const struct bp_schema *s, const char *key)
{
    for (int i = 0; i < s->n_meta; i++)
        if (strcmp(s->meta[i].key, key) == 0)
            return s->meta[i].value;
    return NULL;
}

static void meta_remove(struct bp_schema *s, int i)
{
    bp_mem_free(s->meta[i].key);
    bp_mem_free(s->meta[i].value);
    memmove(s->meta + i, s->meta + i + 1, (size_t)(s->n_meta - i - 1) * sizeof *s->meta);
    s->n_meta--;
}

int bp_schema_set_meta(struct bp_schema *s, const char *key, const char *value, struct bp_err *err)
{
    struct bp_meta *grown, m;
    int i;

    for (i = 0; i < s->n_meta; i++)
        if (strcmp(s->meta[i].key, key) == 0)
            break;
    if (!value) {
        if (i < s->n_meta)
            meta_remove(s, i);
        return 0;
    }
    m.value = bp_mem_str(value, err);
    if (!m.value)
        return err->code;
    if (i < s->n_meta) {
        bp_mem_free(s->meta[i].value);
        s->meta[i].value = m.value;
        return 0;
    }
    m.key = bp_mem_str(key, err);
    grown = m.key ? bp_mem_grow(s->meta, (size_t)s->n_meta + 1, sizeof *grown, err) : NULL;
    if (!grown) {
        bp_mem_free(m.key);
        bp_mem_free(m.value);
        return err->code;
    }
    s->meta = grown;
    s->meta[s->n_meta++] = m;
    return 0;
}

int bp_schema_copy_meta(struct bp_schema *dst, const struct bp_schema *src, struct bp_err *err)
{
    for (int i = 0; i < src->n_meta; i++)
        BP_TRY(bp_schema_set_meta(dst, src->meta[i].key, src->meta[i].value, err));
    return 0;
}

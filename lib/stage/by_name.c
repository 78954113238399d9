/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/by_name.h"

#include <string.h>

#include "base/mem.h"
#include "stage/hive.h"

void bp_by_name_release(struct bp_by_name *n)
{
    for (int i = 0; i < n->n_pieces; i++)
        bp_mem_free(n->pieces[i].text);
    bp_mem_free(n->pieces);
    bp_mem_free(n->columns);
    bp_buf_release(&n->name);
    *n = (struct bp_by_name){0};
}

static int add_piece(struct bp_by_name *n, const void *text, size_t len, int column,
                     struct bp_err *err)
{
    struct bp_by_piece *p = bp_mem_grow(n->pieces, (size_t)n->n_pieces + 1, sizeof *p, err);

    if (!p)
        return err->code;
    n->pieces = p;
    p += n->n_pieces;
    *p = (struct bp_by_piece){bp_mem_strn(text, len, err), column};
    if (!p->text)
        return err->code;
    n->n_pieces++;
    return 0;
}

static int add_column(struct bp_by_name *n, const struct bp_schema *s, const char *name,
                      int *column, struct bp_err *err)
{
    int *grown;

    BP_TRY(bp_schema_index(s, name, column, err));
    for (int i = 0; i < n->n_columns; i++)
        if (n->columns[i] == *column)
            return n->is_hive ? bp_fail(err, BP_EUSAGE, "--by names '%s' twice", name) : 0;
    grown = bp_mem_grow(n->columns, (size_t)n->n_columns + 1, sizeof *grown, err);
    if (!grown)
        return err->code;
    n->columns = grown;
    n->columns[n->n_columns++] = *column;
    return 0;
}

static int init_hive(struct bp_by_name *n, const struct bp_schema *s, const char *const *columns,
                     struct bp_err *err)
{
    int column;

    n->is_hive = true;
    for (int i = 0; columns[i]; i++) {
        const char *name;

        BP_TRY(add_column(n, s, columns[i], &column, err));
        name = s->fields[column].name; /* as the table spells it */
        if (*name == '_' || *name == '.')
            return bp_fail(err, BP_EUSAGE,
                           "--by %s: readers pass over directories that begin with '%c': rename "
                           "the column (bp-map -r)",
                           name, *name);
        n->name.len = 0;
        BP_TRY(bp_buf_puts(&n->name, i ? "/" : "", err));
        BP_TRY(bp_hive_escape(name, strlen(name), &n->name, err));
        BP_TRY(bp_buf_puts(&n->name, "=", err));
        BP_TRY(add_piece(n, n->name.data, n->name.len, column, err));
    }
    return 0;
}

int bp_by_name_file(struct bp_by_name *n, const char *file_name, struct bp_err *err)
{
    n->name.len = 0;
    BP_TRY(bp_buf_printf(&n->name, err, "/%s", file_name));
    return add_piece(n, n->name.data, n->name.len, -1, err);
}

static int init_pattern(struct bp_by_name *n, const struct bp_schema *s, const char *pattern,
                        struct bp_err *err)
{
    const char *p = pattern, *open;

    for (; (open = strchr(p, '{')) != NULL; p++) {
        const char *end = strchr(open, '}');
        char *name;
        int column, rc;

        if (!end || end == open + 1)
            return bp_fail(err, BP_EUSAGE, "'%s': a brace wants a column: {NAME}", pattern);
        name = bp_mem_strn(open + 1, (size_t)(end - open) - 1, err);
        if (!name)
            return err->code;
        rc = add_column(n, s, name, &column, err);
        bp_mem_free(name);
        BP_TRY(rc);
        BP_TRY(add_piece(n, p, (size_t)(open - p), column, err));
        p = end;
    }
    return add_piece(n, p, strlen(p), -1, err);
}

int bp_by_name_init(struct bp_by_name *n, const struct bp_schema *s, const char *const *columns,
                    const char *pattern, struct bp_err *err)
{
    *n = (struct bp_by_name){0};
    if (pattern)
        return init_pattern(n, s, pattern, err);
    return init_hive(n, s, columns, err);
}

/* ---- a row's ---- */

/* A name that a value begins is not to be hidden, nor to pass for "." or "..", nor to be
 * nothing: empty text is a "%", which no other value makes. */
static int guard_first(struct bp_buf *b, size_t from, struct bp_err *err)
{
    char escape[4];

    if (b->len == from)
        return bp_buf_puts(b, "%", err);
    if (b->data[from] != '.' && b->data[from] != '_')
        return 0;
    strcpy(escape, b->data[from] == '.' ? "%2E" : "%5F");
    BP_TRY(bp_buf_reserve(b, 2, err));
    memmove(b->data + from + 3, b->data + from + 1, b->len - from - 1);
    memcpy(b->data + from, escape, 3);
    b->len += 2;
    return 0;
}

static int check_parts(const char *name, struct bp_err *err)
{
    while (*name) {
        size_t n = strcspn(name, "/");

        if (n > BP_HIVE_NAME_MAX)
            return bp_fail(err, BP_EDATA,
                           "a value is too long to be a name: '%.60s...' takes %zu bytes, and "
                           "file systems allow %d",
                           name, n, BP_HIVE_NAME_MAX);
        if ((n == 1 && name[0] == '.') || (n == 2 && memcmp(name, "..", 2) == 0))
            return bp_fail(err, BP_EUSAGE, "'%.*s' is no part of a file's name", (int)n, name);
        name += n;
        name += *name == '/';
    }
    return 0;
}

int bp_by_name_make(struct bp_by_name *n, const struct bp_batch *b, int64_t i, char **out,
                    struct bp_err *err)
{
    struct bp_buf *name = &n->name;

    name->len = 0;
    for (int k = 0; k < n->n_pieces; k++) {
        const struct bp_by_piece *p = &n->pieces[k];
        size_t from;

        BP_TRY(bp_buf_puts(name, p->text, err));
        from = name->len;
        if (p->column < 0)
            continue;
        BP_TRY(bp_hive_value(&b->cols[p->column], i, name, err));
        if (from == 0 || name->data[from - 1] == '/')
            BP_TRY(guard_first(name, from, err));
    }
    if (!bp_buf_str(name, err))
        return err->code;
    BP_TRY(check_parts((const char *)name->data, err));
    *out = bp_mem_str((const char *)name->data, err);
    return *out ? 0 : err->code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a piece that no file holds: what its directories tell, and _file. */
#include "tool/constants.h"

#include <string.h>

#include "base/mem.h"
#include "sys/remote.h"

int bp_piece_take_hive(const struct bp_piece *p, struct bp_schema *schema, struct bp_err *err)
{
    struct bp_schema rest = {0};
    int rc = 0;

    if (!p->n_hive)
        return 0;
    for (int i = 0; i < schema->n_fields && rc == 0; i++) {
        const struct bp_field *f = &schema->fields[i];
        int k = 0;

        while (k < p->n_hive && strcmp(p->hive[k].name, f->name) != 0)
            k++;
        if (k < p->n_hive) {
            p->hive[k].type = f->type;
            continue;
        }
        rc = bp_schema_add(&rest, f->name, f->type, err);
        if (rc == 0)
            rest.fields[rest.n_fields - 1].nullable = f->nullable;
    }
    bp_schema_release(schema);
    *schema = rest;
    return rc;
}

int bp_piece_own_columns(const struct bp_piece *p, const char *columns, char ***names, int *n,
                         struct bp_err *err)
{
    int kept = 0;

    BP_TRY(bp_expr_parse_names(columns, names, n, err));
    for (int i = 0; i < *n; i++) {
        bool is_hive = false;

        for (int k = 0; k < p->n_hive; k++)
            is_hive |= strcmp(p->hive[k].name, (*names)[i]) == 0;
        if (is_hive)
            bp_mem_free((*names)[i]);
        else
            (*names)[kept++] = (*names)[i];
    }
    *n = kept;
    (*names)[kept] = NULL;
    return 0;
}

int bp_piece_dress(const struct bp_piece *p, bool names_file, struct bp_source *file,
                   struct bp_source *out, struct bp_err *err)
{
    struct bp_constant *c;
    char room[1024];
    int n = p->n_hive, rc;

    c = bp_mem_new((size_t)n + 1, sizeof *c, err);
    if (!c) {
        bp_source_free(file);
        return err->code;
    }
    if (n)
        memcpy(c, p->hive, (size_t)n * sizeof *c);
    if (names_file && p->kind != BP_PIECE_STREAM && bp_schema_find(&file->schema, "_file") < 0) {
        c[n] = (struct bp_constant){.name = "_file", .type = {.kind = BP_TEXT}};
        c[n].text = bp_remote_shown(p->path, room, sizeof room);
        c[n].n_bytes = strlen(c[n].text);
        n++;
    }
    if (n) {
        rc = bp_constants_open(out, file, c, n, err);
    } else {
        bp_source_move(out, file);
        rc = 0;
    }
    bp_mem_free(c);
    return rc;
}

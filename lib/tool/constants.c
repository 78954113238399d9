/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a piece that no file holds: what its directories tell, and pseudo-columns. */
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

/* The names of pieces p[0, n): each is an origin of the source. */
static int name_files(const struct bp_piece *p, int n, char **names, struct bp_err *err)
{
    char room[1024];

    for (int i = 0; i < n; i++) {
        names[i] = bp_mem_str(bp_remote_shown(p[i].path, room, sizeof room), err);
        if (!names[i])
            return err->code;
    }
    return 0;
}

int bp_piece_dress(const struct bp_piece *p, int n, unsigned pseudo, struct bp_source *file,
                   struct bp_source *out, struct bp_err *err)
{
    struct bp_constant *c = bp_mem_new((size_t)p->n_hive + 3, sizeof *c, err);
    char **names = c ? bp_mem_new((size_t)n, sizeof *names, err) : NULL;
    int n_c = p->n_hive;

    memset(out, 0, sizeof *out);
    if (!names || name_files(p, n, names, err) < 0)
        goto out;
    if (n_c)
        memcpy(c, p->hive, (size_t)n_c * sizeof *c);
    if ((pseudo & BP_PSEUDO_FILE) && p->kind != BP_PIECE_STREAM &&
        bp_schema_find(&file->schema, "_file") < 0) {
        c[n_c] = (struct bp_constant){.name = "_file", .type = {.kind = BP_TEXT}, .pseudo = true};
        if (n > 1) {
            c[n_c].texts = (const char *const *)names;
            c[n_c].n_texts = n;
        } else { /* good for pruning, too */
            c[n_c].text = names[0];
            c[n_c].n_bytes = strlen(names[0]);
        }
        n_c++;
    }
    if ((pseudo & BP_PSEUDO_PART) && p->kind == BP_PIECE_STAGE &&
        bp_schema_find(&file->schema, "_part") < 0)
        c[n_c++] = (struct bp_constant){
            .name = "_part", .type = {.kind = BP_INT32}, .pseudo = true, .is_origin = true};
    if ((pseudo & BP_PSEUDO_LINE) && p->kind == BP_PIECE_EMPTY &&
        bp_schema_find(&file->schema, "_line") < 0) /* of what may have been text, no rows */
        c[n_c++] =
            (struct bp_constant){.name = "_line", .type = {.kind = BP_INT64}, .pseudo = true};
    if (n_c)
        (void)!bp_constants_open(out, file, c, n_c, err);
    else
        bp_source_move(out, file);
out:
    bp_source_free(file);
    for (int i = 0; names && i < n; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
    bp_mem_free(c);
    return err->code;
}

/* What it is that a pseudo-column is told of. */
static const struct {
    unsigned bit;
    const char *name, *of;
} kinds[] = {{BP_PSEUDO_PART, "_part", "a stage, whose rows are of partitions"},
             {BP_PSEUDO_LINE, "_line", "CSV, TSV or JSON Lines"}};

int bp_pieces_check_pseudo(const struct bp_pieces *p, unsigned pseudo, const struct bp_schema *s,
                           struct bp_err *err)
{
    char room[1024];

    for (size_t k = 0; k < BP_COUNT_OF(kinds); k++) {
        if (!(pseudo & kinds[k].bit) || bp_schema_find(s, kinds[k].name) >= 0)
            continue;
        for (int i = 0; i < p->n; i++)
            if (p->items[i].kind != BP_PIECE_STREAM)
                return bp_fail(err, BP_EUSAGE, "'%s' has no %s: it is not %s",
                               bp_remote_shown(p->items[i].path, room, sizeof room), kinds[k].name,
                               kinds[k].of);
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an expression's type is, for expr_edges.py: thousands of them, and a command
 * for each would take too long.
 *   expr_bind SCHEMA     expressions on stdin, one a line -> "= TYPE" or "! MESSAGE" a line
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/expr.h"

static void answer(const char *text, const struct bp_schema *schema)
{
    struct bp_clause c = {.text = text};
    struct bp_expr *e = NULL;
    struct bp_err err = {0};
    char name[BP_TYPE_NAME_MAX];

    if (bp_expr_parse(&c, schema, &e, &err) < 0)
        printf("! %.*s\n", (int)strcspn(err.msg, "\n"), err.msg);
    else
        printf("= %s\n", bp_type_name(bp_expr_type(e), name));
    bp_expr_free(e);
}

int main(int argc, char **argv)
{
    struct bp_schema schema = {0};
    struct bp_err err = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    bool star;

    if (argc != 2)
        return 2;
    if (bp_schema_parse(argv[1], &schema, &star, &err) < 0) {
        fprintf(stderr, "expr_bind: %s\n", err.msg);
        return 1;
    }
    while ((n = getline(&line, &cap, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        answer(line, &schema);
    }
    free(line);
    bp_schema_release(&schema);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text form of a schema, an SQL column list:
 *
 *     list   = column { "," column } [ "," "*" ] | "*"
 *     column = name type { NOT NULL | NULL | DICTIONARY }
 *     name   = letters, digits, "_", "$", bytes beyond ASCII | '"' anything '"'
 *
 * The first word of a column is its name whatever SQL reserves it for. Errors
 * show the line they are about with a caret under the place.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "col/schema.h"

struct parser {
    const char *text;
    size_t n, at;
    struct bp_schema *out;
    size_t *name_at; /* where each field's name begins */
    int cap_names;
    bool star;
};

/* Words that PostgreSQL's grammar does not take for a column's name. */
static const char *const reserved[] = {
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

/* ---- errors ---- */

#define SHOWN_BYTES 100 /* of the line that an error quotes, around the place */

/* Put the line of byte `at`, and a caret under it, behind the message. */
static int point_at(const struct parser *p, size_t at, struct bp_err *err)
{
    size_t from = at, to = at, shown, line = 1;
    char pad[SHOWN_BYTES * 2];
    size_t n_pad = 0;
    char msg[sizeof err->msg];
    int code = err->code;

    while (from > 0 && p->text[from - 1] != '\n')
        from--;
    while (to < p->n && p->text[to] != '\n' && p->text[to] != '\r')
        to++;
    for (size_t i = 0; i < from; i++)
        line += p->text[i] == '\n';
    if (at - from > SHOWN_BYTES / 2)
        from = at - SHOWN_BYTES / 2;
    while (from < at && (p->text[from] & 0xC0) == 0x80)
        from++;
    shown = BP_MIN(to - from, (size_t)SHOWN_BYTES);
    while (from + shown < to && (p->text[from + shown] & 0xC0) == 0x80)
        shown--;
    for (size_t i = from; i < at; i++) /* a blank for each character; tabs stay tabs */
        if ((p->text[i] & 0xC0) != 0x80)
            pad[n_pad++] = p->text[i] == '\t' ? '\t' : ' ';
    memcpy(msg, err->msg, sizeof msg);
    bp_err_clear(err);
    return bp_fail(err, code, "schema, line %zu: %.1500s\n  %.*s\n  %.*s^", line, msg, (int)shown,
                   p->text + from, (int)n_pad, pad);
}

static int fail_at(const struct parser *p, size_t at, struct bp_err *err, const char *what)
{
    bp_fail(err, BP_EUSAGE, "%s", what);
    return point_at(p, at, err);
}

/* ---- words ---- */

/* A comment in C's form; as in SQL, they nest. */
static int skip_block_comment(struct parser *p, struct bp_err *err)
{
    size_t start = p->at;
    int depth = 0;

    do {
        if (p->at + 1 >= p->n)
            return fail_at(p, start, err, "the comment does not end");
        if (p->text[p->at] == '/' && p->text[p->at + 1] == '*') {
            depth++;
            p->at += 2;
        } else if (p->text[p->at] == '*' && p->text[p->at + 1] == '/') {
            depth--;
            p->at += 2;
        } else {
            p->at++;
        }
    } while (depth > 0);
    return 0;
}

static int skip_blanks(struct parser *p, struct bp_err *err)
{
    while (p->at < p->n) {
        char c = p->text[p->at], next = p->at + 1 < p->n ? p->text[p->at + 1] : 0;

        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            p->at++;
        } else if (c == '-' && next == '-') {
            while (p->at < p->n && p->text[p->at] != '\n')
                p->at++;
        } else if (c == '/' && next == '*') {
            BP_TRY(skip_block_comment(p, err));
        } else {
            break;
        }
    }
    return 0;
}

static bool take_char(struct parser *p, char c)
{
    if (p->at >= p->n || p->text[p->at] != c)
        return false;
    p->at++;
    return true;
}

static size_t word_bytes(const struct parser *p)
{
    size_t n = 0;

    while (p->at + n < p->n && is_name_char(p->text[p->at + n]))
        n++;
    return n;
}

static bool take_word(struct parser *p, const char *word)
{
    size_t n = word_bytes(p);

    if (n != strlen(word) || strncasecmp(p->text + p->at, word, n) != 0)
        return false;
    p->at += n;
    return true;
}

/* The name at p->at, unquoted, as a new string. */
static int read_name(struct parser *p, char **name, struct bp_err *err)
{
    size_t start = p->at, n = word_bytes(p), len = 0;

    if (n > 0) {
        *name = bp_mem_strn(p->text + p->at, n, err);
        p->at += n;
        return *name ? 0 : err->code;
    }
    if (!take_char(p, '"'))
        return fail_at(p, start, err,
                       start == p->n
                           ? "a column name is missing"
                           : "a column name is missing here; quote unusual ones as \"like this\"");
    *name = bp_mem_new(p->n - p->at + 1, 1, err);
    if (!*name)
        return err->code;
    while (p->at < p->n) {
        char c = p->text[p->at++];

        if (c == '"' && !take_char(p, '"'))
            return 0;
        (*name)[len++] = c;
    }
    return fail_at(p, start, err, "the quoted name does not end");
}

/* ---- columns ---- */

static int read_options(struct parser *p, struct bp_field *f, struct bp_err *err)
{
    bool null = false;

    for (;;) {
        size_t start;

        BP_TRY(skip_blanks(p, err));
        start = p->at;
        if (take_word(p, "not")) {
            BP_TRY(skip_blanks(p, err));
            if (!take_word(p, "null"))
                return fail_at(p, p->at, err, "NULL is missing behind NOT");
            if (null)
                return fail_at(p, start, err, "the column is declared NULL already");
            f->nullable = false;
        } else if (take_word(p, "null")) {
            if (!f->nullable)
                return fail_at(p, start, err, "the column is declared NOT NULL already");
            null = true;
        } else if (take_word(p, "dictionary")) {
            if (f->type.kind != BP_TEXT)
                return fail_at(p, start, err, "only text can be a DICTIONARY");
            f->dict = BP_DICT_KNOWN;
        } else {
            return 0;
        }
    }
}

static int read_type(struct parser *p, const char *name, struct bp_type *type, struct bp_err *err)
{
    size_t used = 0, start;
    int rc;

    BP_TRY(skip_blanks(p, err));
    start = p->at;
    if (start == p->n || p->text[start] == ',') {
        bp_fail(err, BP_EUSAGE, "column '%.200s' has no type", name);
        return point_at(p, start, err);
    }
    rc = bp_type_parse(p->text + start, p->n - start, &used, type, err);
    if (rc < 0) {
        bp_err_prefix(err, "column '%.200s'", name);
        return point_at(p, start + used, err);
    }
    p->at += used;
    return 0;
}

static int keep_name_at(struct parser *p, size_t at, struct bp_err *err)
{
    if (p->out->n_fields > p->cap_names) {
        int cap = p->cap_names ? p->cap_names * 2 : 32;
        size_t *grown = bp_mem_grow(p->name_at, (size_t)cap, sizeof *grown, err);

        if (!grown)
            return err->code;
        p->name_at = grown;
        p->cap_names = cap;
    }
    p->name_at[p->out->n_fields - 1] = at;
    return 0;
}

static int read_column(struct parser *p, struct bp_err *err)
{
    size_t name_at = p->at;
    struct bp_type type = {0};
    char *name = NULL;
    int rc;

    BP_GO(read_name(p, &name, err));
    BP_GO(read_type(p, name, &type, err));
    BP_GO(bp_schema_add(p->out, name, type, err));
    BP_GO(keep_name_at(p, name_at, err));
    BP_GO(read_options(p, &p->out->fields[p->out->n_fields - 1], err));
out:
    bp_mem_free(name);
    return rc;
}

static int unexpected(const struct parser *p, struct bp_err *err)
{
    if (p->text[p->at] == ';')
        return fail_at(p, p->at, err, "give the list of columns only, without ';'");
    return fail_at(p, p->at, err,
                   "expected ',' or the end here (a column is a name, a type, and NOT NULL, "
                   "NULL or DICTIONARY)");
}

static int read_list(struct parser *p, struct bp_err *err)
{
    BP_TRY(skip_blanks(p, err));
    if (p->at == p->n)
        return bp_fail(err, BP_EUSAGE, "schema: no columns; give them as 'a int, b text'");
    if (p->text[p->at] == '(')
        return fail_at(p, p->at, err, "give the list of columns only, without brackets");
    do {
        BP_TRY(skip_blanks(p, err));
        if (take_char(p, '*'))
            p->star = true;
        else
            BP_TRY(read_column(p, err));
        BP_TRY(skip_blanks(p, err));
    } while (!p->star && take_char(p, ','));
    if (p->at == p->n)
        return 0;
    if (p->star)
        return fail_at(p, p->at, err, "'*' (the other columns) stands at the end");
    return unexpected(p, err);
}

/* ---- names that stand twice ---- */

struct placed_name {
    const char *name;
    size_t at;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed_name *x = a, *y = b;
    int c = strcmp(x->name, y->name);

    return c ? c : (x->at > y->at) - (x->at < y->at);
}

static int refuse_doubles(const struct parser *p, struct bp_err *err)
{
    int n = p->out->n_fields, rc = 0;
    struct placed_name *names = bp_mem_new((size_t)n + 1, sizeof *names, err);

    if (!names)
        return err->code;
    for (int i = 0; i < n; i++)
        names[i] = (struct placed_name){p->out->fields[i].name, p->name_at[i]};
    qsort(names, (size_t)n, sizeof *names, compare_placed);
    for (int i = 1; i < n && rc == 0; i++)
        if (strcmp(names[i].name, names[i - 1].name) == 0) {
            bp_fail(err, BP_EUSAGE, "column '%.200s' stands twice", names[i].name);
            rc = point_at(p, names[i].at, err);
        }
    bp_mem_free(names);
    return rc;
}

int bp_schema_parse(const char *text, struct bp_schema *out, bool *star, struct bp_err *err)
{
    struct parser p = {.text = text, .n = strlen(text), .out = out};
    int rc;

    *out = (struct bp_schema){0};
    BP_GO(read_list(&p, err));
    BP_GO(refuse_doubles(&p, err));
    *star = p.star;
out:
    bp_mem_free(p.name_at);
    if (rc < 0)
        bp_schema_release(out);
    return rc;
}

/* ---- printing ---- */

static int compare_word(const void *key, const void *elem)
{
    return strcasecmp(key, *(const char *const *)elem);
}

static bool needs_quotes(const char *name)
{
    if (name[0] == 0 || (name[0] >= '0' && name[0] <= '9') || name[0] == '$')
        return true;
    for (const char *c = name; *c; c++)
        if (!is_name_char(*c))
            return true;
    return bsearch(name, reserved, BP_COUNT_OF(reserved), sizeof reserved[0], compare_word) != NULL;
}

int bp_name_print(const char *name, struct bp_buf *out, struct bp_err *err)
{
    if (!needs_quotes(name))
        return bp_buf_puts(out, name, err);
    BP_TRY(bp_buf_puts(out, "\"", err));
    for (const char *c = name; *c; c++) {
        BP_TRY(bp_buf_append(out, c, 1, err));
        if (*c == '"')
            BP_TRY(bp_buf_append(out, c, 1, err));
    }
    return bp_buf_puts(out, "\"", err);
}

int bp_type_print(struct bp_type t, struct bp_buf *out, struct bp_err *err)
{
    char name[BP_TYPE_NAME_MAX];

    if (t.kind == BP_LIST) {
        BP_TRY(bp_type_print(t.nest->kids[0], out, err));
        return bp_buf_puts(out, "[]", err);
    }
    if (t.kind != BP_STRUCT)
        return bp_buf_puts(out, bp_type_name(t, name), err);
    BP_TRY(bp_buf_puts(out, "struct(", err));
    for (int i = 0; i < t.nest->n_kids; i++) {
        BP_TRY(bp_buf_puts(out, i ? ", " : "", err));
        BP_TRY(bp_name_print(t.nest->names[i], out, err));
        BP_TRY(bp_buf_puts(out, " ", err));
        BP_TRY(bp_type_print(t.nest->kids[i], out, err));
    }
    return bp_buf_puts(out, ")", err);
}

int bp_schema_print(const struct bp_schema *s, bool multiline, struct bp_buf *out,
                    struct bp_err *err)
{
    for (int i = 0; i < s->n_fields; i++) {
        const struct bp_field *f = &s->fields[i];
        const char *end = i + 1 < s->n_fields ? (multiline ? ",\n" : ", ") : multiline ? "\n" : "";

        BP_TRY(bp_name_print(f->name, out, err));
        BP_TRY(bp_buf_puts(out, " ", err));
        BP_TRY(bp_type_print(f->type, out, err));
        BP_TRY(bp_buf_printf(out, err, "%s%s%s", f->dict == BP_DICT_KNOWN ? " DICTIONARY" : "",
                             f->nullable ? "" : " NOT NULL", end));
    }
    return 0;
}

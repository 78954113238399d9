/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Type names. What is written (bp_type_name):
 *
 *   boolean  tinyint smallint integer bigint  utinyint usmallint uinteger ubigint
 *   real  double precision  decimal(p,s)  date  interval  text  bytea
 *   time timestamp timestamptz (microseconds), and with (0), (3), (9): s, ms, ns
 *   type[]   struct(name type, name type)
 *
 * What is read besides: PostgreSQL's aliases and the few names of other systems
 * that can only mean one thing. A name that would promise something we do not
 * do (a length, a zone on a time) is refused with the way out.
 */
#include "col/type.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "col/schema.h"

static const char *const kind_names[BP_N_KINDS] = {
    [BP_NO_TYPE] = "unknown",
    [BP_BOOL] = "boolean",
    [BP_INT8] = "tinyint",
    [BP_INT16] = "smallint",
    [BP_INT32] = "integer",
    [BP_INT64] = "bigint",
    [BP_UINT8] = "utinyint",
    [BP_UINT16] = "usmallint",
    [BP_UINT32] = "uinteger",
    [BP_UINT64] = "ubigint",
    [BP_FLOAT32] = "real",
    [BP_FLOAT64] = "double precision",
    [BP_DECIMAL] = "decimal",
    [BP_DATE] = "date",
    [BP_TIME] = "time",
    [BP_TIMESTAMP] = "timestamp",
    [BP_TIMESTAMPTZ] = "timestamptz",
    [BP_INTERVAL] = "interval",
    [BP_TEXT] = "text",
    [BP_BINARY] = "bytea",
    [BP_LIST] = "list",
    [BP_STRUCT] = "struct",
};

/* Names of one word without arguments. */
static const struct {
    const char *name;
    uint8_t kind;
} plain_names[] = {
    {"bool", BP_BOOL},        {"boolean", BP_BOOL},   {"tinyint", BP_INT8},
    {"smallint", BP_INT16},   {"int2", BP_INT16},     {"int", BP_INT32},
    {"integer", BP_INT32},    {"int4", BP_INT32},     {"bigint", BP_INT64},
    {"int8", BP_INT64},       {"utinyint", BP_UINT8}, {"usmallint", BP_UINT16},
    {"uinteger", BP_UINT32},  {"uint", BP_UINT32},    {"ubigint", BP_UINT64},
    {"real", BP_FLOAT32},     {"float4", BP_FLOAT32}, {"float8", BP_FLOAT64},
    {"date", BP_DATE},        {"text", BP_TEXT},      {"string", BP_TEXT},
    {"bytea", BP_BINARY},     {"binary", BP_BINARY},  {"blob", BP_BINARY},
    {"varbinary", BP_BINARY},
};

/* Names that people bring from elsewhere and that are not clear enough to take. */
static const struct {
    const char *name, *use;
} strangers[] = {
    {"int16", "smallint"},      {"int32", "integer"},       {"int64", "bigint"},
    {"long", "bigint"},         {"short", "smallint"},      {"byte", "tinyint"},
    {"uint8", "utinyint"},      {"uint16", "usmallint"},    {"uint32", "uinteger"},
    {"uint64", "ubigint"},      {"float32", "real"},        {"float64", "double precision"},
    {"number", "decimal(p,s)"}, {"money", "decimal(19,2)"}, {"datetime", "timestamp"},
    {"date32", "date"},         {"utf8", "text"},           {"str", "text"},
    {"object", "text"},         {"json", "text"},           {"jsonb", "text"},
    {"uuid", "text"},           {"bpchar", "text"},         {"enum", "text dictionary"},
    {"serial", "integer"},      {"bigserial", "bigint"},    {"hugeint", "decimal(38,0)"},
};

struct reader {
    const char *s;
    size_t n, at;
};

static int parse_type(struct reader *r, int depth, struct bp_type *out, struct bp_err *err);

size_t bp_type_width_bytes(struct bp_type t)
{
    switch ((enum bp_kind)t.kind) {
    case BP_INT8:
    case BP_UINT8: return 1;
    case BP_INT16:
    case BP_UINT16: return 2;
    case BP_INT32:
    case BP_UINT32:
    case BP_FLOAT32:
    case BP_DATE: return 4;
    case BP_INT64:
    case BP_UINT64:
    case BP_FLOAT64:
    case BP_TIME:
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: return 8;
    case BP_DECIMAL: return bp_type_is_decimal64(t) ? sizeof(int64_t) : sizeof(bp_int128);
    case BP_INTERVAL: return sizeof(struct bp_interval);
    case BP_NO_TYPE:
    case BP_BOOL:
    case BP_TEXT:
    case BP_BINARY:
    case BP_LIST:
    case BP_STRUCT:
    case BP_N_KINDS: break;
    }
    return 0;
}

size_t bp_type_counted_bytes(struct bp_type t)
{
    return t.kind == BP_DECIMAL ? sizeof(bp_int128) : bp_type_width_bytes(t);
}

int64_t bp_unit_per_second(enum bp_unit u)
{
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};

    return per_second[u];
}

/* As much of the name as buf holds; where that is not all, "..." at its end. */
static const char *nested_name(struct bp_type t, char buf[BP_TYPE_NAME_MAX])
{
    struct bp_err err = {0};
    struct bp_buf b = {0};

    buf[0] = 0;
    if (bp_type_print(t, &b, &err) == 0) {
        size_t n = BP_MIN(b.len, (size_t)BP_TYPE_NAME_MAX - 1);

        memcpy(buf, b.data, n);
        buf[n] = 0;
        if (n < b.len) {
            for (n -= 3; n > 0 && (buf[n] & 0xC0) == 0x80; n--)
                continue;
            memcpy(buf + n, "...", 4);
        }
    }
    bp_buf_release(&b);
    return buf;
}

const char *bp_type_name(struct bp_type t, char buf[BP_TYPE_NAME_MAX])
{
    const char *name = t.kind < BP_N_KINDS ? kind_names[t.kind] : kind_names[BP_NO_TYPE];
    bool has_unit = t.kind == BP_TIME || t.kind == BP_TIMESTAMP || t.kind == BP_TIMESTAMPTZ;

    if (t.nest)
        return nested_name(t, buf);
    if (t.kind == BP_DECIMAL)
        snprintf(buf, BP_TYPE_NAME_MAX, "%s(%d,%d)", name, t.precision, t.scale);
    else if (has_unit && t.unit != BP_MICRO)
        snprintf(buf, BP_TYPE_NAME_MAX, "%s(%d)", name, t.unit * 3);
    else
        snprintf(buf, BP_TYPE_NAME_MAX, "%s", name);
    return buf;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->n && (r->s[r->at] == ' ' || (r->s[r->at] >= '\t' && r->s[r->at] <= '\r')))
        r->at++;
}

/* The next word in lower case; "" and no movement if none or longer than word. */
static void read_word(struct reader *r, char word[32])
{
    size_t n = 0, at;

    skip_blanks(r);
    for (at = r->at; at < r->n && is_word_char(r->s[at]) && n < 31; at++) {
        char c = r->s[at];
        word[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (at < r->n && is_word_char(r->s[at]))
        n = 0;
    else
        r->at = at;
    word[n] = 0;
}

/* Takes the words of want (two at most), or nothing. */
static bool take_words(struct reader *r, const char *first, const char *second)
{
    struct reader try = *r;
    char word[32];

    read_word(&try, word);
    if (strcmp(word, first) != 0)
        return false;
    if (second) {
        read_word(&try, word);
        if (strcmp(word, second) != 0)
            return false;
    }
    *r = try;
    return true;
}

static bool take_char(struct reader *r, char c)
{
    struct reader try = *r;

    skip_blanks(&try);
    if (try.at == try.n || try.s[try.at] != c)
        return false;
    try.at++;
    *r = try;
    return true;
}

/* "(a)" or "(a, b)" -> how many numbers stood there; 0 if there is no bracket. */
static int read_args(struct reader *r, const char *name, int args[2], int *n, struct bp_err *err)
{
    *n = 0;
    if (!take_char(r, '('))
        return 0;
    do {
        int v = 0, digits = 0;

        skip_blanks(r);
        for (; r->at < r->n && r->s[r->at] >= '0' && r->s[r->at] <= '9'; digits++, r->at++)
            v = v < 100000 ? v * 10 + (r->s[r->at] - '0') : v;
        if (digits == 0 || *n == 2)
            return bp_fail(err, BP_EUSAGE, "'%s(' wants %s, then ')'", name,
                           *n == 2 ? "at most two numbers" : "a number");
        args[(*n)++] = v;
    } while (take_char(r, ','));
    if (!take_char(r, ')'))
        return bp_fail(err, BP_EUSAGE, "'%s(': ')' is missing", name);
    return 0;
}

static int parse_decimal(struct reader *r, const char *name, struct bp_type *out,
                         struct bp_err *err)
{
    int args[2] = {0, 0}, n;
    size_t at = r->at;

    BP_TRY(read_args(r, name, args, &n, err));
    if (n == 0)
        return bp_fail(err, BP_EUSAGE,
                       "%s needs its digits: %s(precision,scale), for instance %s(12,2)", name,
                       name, name);
    if (args[0] < 1 || args[0] > 38 || args[1] > args[0]) {
        r->at = at;
        return bp_fail(err, BP_EUSAGE,
                       "%s(%d,%d): the precision is 1 to 38, the scale 0 to the precision", name,
                       args[0], args[1]);
    }
    *out = BP_TYPE_DECIMAL((uint8_t)args[0], (uint8_t)args[1]);
    return 0;
}

static int parse_float(struct reader *r, struct bp_type *out, struct bp_err *err)
{
    int args[2] = {53, 0}, n;
    size_t at = r->at;

    BP_TRY(read_args(r, "float", args, &n, err));
    if (n == 2 || args[0] < 1 || args[0] > 53) {
        r->at = at;
        return bp_fail(err, BP_EUSAGE,
                       "float(n) takes 1 to 53 bits; or use real, double precision");
    }
    *out = BP_TYPE(args[0] <= 24 ? BP_FLOAT32 : BP_FLOAT64);
    return 0;
}

/* After "time", "timestamp", "timestamptz". */
static int parse_time(struct reader *r, const char *name, uint8_t kind, struct bp_type *out,
                      struct bp_err *err)
{
    int args[2] = {6, 0}, n;
    size_t at = r->at;

    BP_TRY(read_args(r, name, args, &n, err));
    if (n == 2 || args[0] > 9 || args[0] % 3 != 0) {
        r->at = at;
        return bp_fail(err, BP_EUSAGE,
                       "%s(n): n is the digits of a second, 0 (seconds), 3 (ms), 6 (us) or 9 (ns)",
                       name);
    }
    at = r->at;
    if (kind != BP_TIMESTAMPTZ && take_words(r, "with", "time")) {
        if (!take_words(r, "zone", NULL))
            return bp_fail(err, BP_EUSAGE, "'zone' is missing behind '%s with time'", name);
        if (kind == BP_TIME) {
            r->at = at;
            return bp_fail(err, BP_EUSAGE,
                           "there is no time with time zone; use time, or timestamptz");
        }
        kind = BP_TIMESTAMPTZ;
    } else if (kind != BP_TIMESTAMPTZ && take_words(r, "without", "time")) {
        if (!take_words(r, "zone", NULL))
            return bp_fail(err, BP_EUSAGE, "'zone' is missing behind '%s without time'", name);
    }
    *out = BP_TYPE_UNIT(kind, (uint8_t)(args[0] / 3));
    return 0;
}

/* After "char", "character", "varchar". */
static int parse_char(struct reader *r, const char *name, struct bp_type *out, struct bp_err *err)
{
    bool varying = strcmp(name, "varchar") == 0 || take_words(r, "varying", NULL);

    if (take_char(r, '('))
        return bp_fail(err, BP_EUSAGE, "%s%s(n): lengths are not kept or checked; use text", name,
                       varying && name[0] == 'c' ? " varying" : "");
    if (!varying)
        return bp_fail(err, BP_EUSAGE, "%s means one character in SQL; use text", name);
    *out = BP_TYPE(BP_TEXT);
    return 0;
}

/* ---- structs and maps: their brackets are open ---- */

/* A field's name: a word, or anything in double quotes; n_name bytes, unescaped. */
static int read_field_name(struct reader *r, char **name, struct bp_err *err)
{
    size_t n = 0, from;

    skip_blanks(r);
    from = r->at;
    if (!take_char(r, '"')) {
        while (r->at < r->n && is_word_char(r->s[r->at]))
            r->at++;
        if (r->at == from)
            return bp_fail(err, BP_EUSAGE, "a field of a struct is a name and a type");
        *name = bp_mem_strn(r->s + from, r->at - from, err);
        return *name ? 0 : err->code;
    }
    *name = bp_mem_new(r->n - r->at + 1, 1, err);
    if (!*name)
        return err->code;
    while (r->at < r->n) {
        char c = r->s[r->at++];

        if (c == '"' && (r->at == r->n || r->s[r->at] != '"'))
            return 0;
        r->at += c == '"';
        (*name)[n++] = c;
    }
    return bp_fail(err, BP_EUSAGE, "the quoted name does not end");
}

struct fields {
    char **names;
    struct bp_type *types;
    int n, cap;
};

static int more_fields(struct fields *f, struct bp_err *err)
{
    char **names;
    struct bp_type *types;

    if (f->n < f->cap)
        return 0;
    f->cap = f->cap ? f->cap * 2 : 8;
    names = bp_mem_grow(f->names, (size_t)f->cap, sizeof(*names), err);
    if (!names)
        return err->code;
    f->names = names;
    types = bp_mem_grow(f->types, (size_t)f->cap, sizeof *types, err);
    if (!types)
        return err->code;
    f->types = types;
    return 0;
}

static int parse_struct(struct reader *r, int depth, struct bp_type *out, struct bp_err *err)
{
    struct fields f = {0};
    int rc = 0;

    do {
        BP_GO(more_fields(&f, err));
        f.names[f.n] = NULL;
        f.n++;
        BP_GO(read_field_name(r, &f.names[f.n - 1], err));
        BP_GO(parse_type(r, depth + 1, &f.types[f.n - 1], err));
    } while (take_char(r, ','));
    if (!take_char(r, ')'))
        BP_GO(bp_fail(err, BP_EUSAGE, "'struct(': ',' or ')' is missing"));
    rc = bp_type_struct((const char *const *)f.names, f.types, f.n, out, err);
    if (rc < 0 && err->code == BP_EDATA)
        rc = err->code = BP_EUSAGE;
out:
    for (int i = 0; i < f.n; i++)
        bp_mem_free(f.names[i]);
    bp_mem_free(f.names);
    bp_mem_free(f.types);
    return rc;
}

static int parse_map(struct reader *r, int depth, struct bp_type *out, struct bp_err *err)
{
    static const char *const names[] = {"key", "value"};
    struct bp_type kids[2], entry;

    BP_TRY(parse_type(r, depth + 1, &kids[0], err));
    if (!take_char(r, ','))
        return bp_fail(err, BP_EUSAGE, "'map(': ',' is missing; write map(key type, value type)");
    BP_TRY(parse_type(r, depth + 1, &kids[1], err));
    if (!take_char(r, ')'))
        return bp_fail(err, BP_EUSAGE, "'map(': ')' is missing");
    BP_TRY(bp_type_struct(names, kids, 2, &entry, err));
    return bp_type_list(entry, out, err);
}

static int unknown_type(const struct reader *r, const char *word, struct bp_err *err)
{
    if (word[0] == 0 && (r->at == r->n || !is_word_char(r->s[r->at])))
        return bp_fail(err, BP_EUSAGE, "a type is missing");
    for (size_t i = 0; i < BP_COUNT_OF(strangers); i++)
        if (strcmp(strangers[i].name, word) == 0)
            return bp_fail(err, BP_EUSAGE, "unknown type '%s'; use %s", word, strangers[i].use);
    return bp_fail(err, BP_EUSAGE,
                   "unknown type '%s'; there are boolean, tinyint to bigint, utinyint to ubigint, "
                   "real, double precision, decimal(p,s), date, time, timestamp, timestamptz, "
                   "interval, text, bytea",
                   word[0] ? word : "(a very long word)");
}

static int parse_name(struct reader *r, int depth, struct bp_type *out, struct bp_err *err)
{
    struct reader start;
    char word[32];

    skip_blanks(r);
    start = *r;
    read_word(r, word);
    if (strcmp(word, "decimal") == 0 || strcmp(word, "numeric") == 0 || strcmp(word, "dec") == 0)
        return parse_decimal(r, word, out, err);
    if (strcmp(word, "double") == 0) {
        take_words(r, "precision", NULL);
        *out = BP_TYPE(BP_FLOAT64);
        return 0;
    }
    if (strcmp(word, "float") == 0)
        return parse_float(r, out, err);
    if (strcmp(word, "time") == 0)
        return parse_time(r, word, BP_TIME, out, err);
    if (strcmp(word, "timestamp") == 0)
        return parse_time(r, word, BP_TIMESTAMP, out, err);
    if (strcmp(word, "timestamptz") == 0)
        return parse_time(r, word, BP_TIMESTAMPTZ, out, err);
    if (strcmp(word, "char") == 0 || strcmp(word, "character") == 0 || strcmp(word, "varchar") == 0)
        return parse_char(r, word, out, err);
    if (strcmp(word, "interval") == 0) {
        *out = BP_TYPE(BP_INTERVAL);
        return 0;
    }
    if (strcmp(word, "struct") == 0 && take_char(r, '('))
        return parse_struct(r, depth, out, err);
    if (strcmp(word, "map") == 0 && take_char(r, '('))
        return parse_map(r, depth, out, err);
    for (size_t i = 0; i < BP_COUNT_OF(plain_names); i++)
        if (strcmp(plain_names[i].name, word) == 0) {
            *out = BP_TYPE(plain_names[i].kind);
            return 0;
        }
    r->at = start.at;
    if (strcmp(word, "timetz") == 0)
        return bp_fail(err, BP_EUSAGE, "there is no time with time zone; use time, or timestamptz");
    return unknown_type(r, word, err);
}

/* A type and the [] behind it: a list each. */
static int parse_type(struct reader *r, int depth, struct bp_type *out, struct bp_err *err)
{
    char name[BP_TYPE_NAME_MAX];

    if (depth >= BP_NEST_DEPTH_MAX)
        return bp_fail(err, BP_EUSAGE, "the type is nested more than %d deep", BP_NEST_DEPTH_MAX);
    BP_TRY(parse_name(r, depth, out, err));
    if (take_char(r, '('))
        return bp_fail(err, BP_EUSAGE, "%s takes no number in brackets", bp_type_name(*out, name));
    while (take_char(r, '[')) {
        if (!take_char(r, ']'))
            return bp_fail(err, BP_EUSAGE, "%s[: ']' is missing; lists have no fixed length",
                           bp_type_name(*out, name));
        if (bp_type_list(*out, out, err) < 0)
            return err->code = BP_EUSAGE;
    }
    return 0;
}

int bp_type_parse(const char *s, size_t n, size_t *used, struct bp_type *out, struct bp_err *err)
{
    struct reader r = {s, n, 0};
    int rc = parse_type(&r, 0, out, err);

    *used = r.at;
    return rc;
}

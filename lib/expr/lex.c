/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL's lexical rules, as far as finding the borders of tokens needs
 * them: its scanner still reads every token after us.
 */
#include "expr/lex.h"

#include <string.h>

#include "base/mem.h"
#include "col/text.h"

#define MAX_TEXT_BYTES (16 << 20)

static bool is_word_start(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_char(unsigned char c)
{
    return is_word_start(c) || is_digit(c) || c == '$';
}

static bool is_op_char(char c)
{
    return c && strchr("~!@#^&|`?+-*/%<>=", c);
}

struct lexer {
    const char *text;
    int pos;
    struct bp_toks *out;
    int cap;
    int depth;
    int *open; /* token indexes of open brackets */
    struct bp_arena *mem;
    struct bp_err *err;
};

/* Past blanks and comments. */
static int skip_gap(struct lexer *l, bool *gap, bool *newline)
{
    const char *s = l->text;
    int start, nest;

    for (;;) {
        char c = s[l->pos];

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
            *newline |= c == '\n' || c == '\r';
            l->pos++;
        } else if (c == '-' && s[l->pos + 1] == '-') {
            while (s[l->pos] && s[l->pos] != '\n' && s[l->pos] != '\r')
                l->pos++;
        } else if (c == '/' && s[l->pos + 1] == '*') {
            start = l->pos;
            nest = 1;
            for (l->pos += 2; nest; l->pos++) {
                if (!s[l->pos])
                    return bp_fail_at(l->err, s, start, "this comment does not end (*/)");
                if (s[l->pos] == '*' && s[l->pos + 1] == '/')
                    nest--, l->pos++;
                else if (s[l->pos] == '/' && s[l->pos + 1] == '*')
                    nest++, l->pos++;
            }
        } else {
            return 0;
        }
        *gap = true;
    }
}

/* At an opening quote: past the closing one. */
static int skip_quoted(struct lexer *l, char q, bool backslash)
{
    const char *s = l->text;
    int start = l->pos;

    for (l->pos++; s[l->pos]; l->pos++) {
        if (backslash && s[l->pos] == '\\' && s[l->pos + 1]) {
            l->pos++;
        } else if (s[l->pos] == q) {
            if (s[l->pos + 1] != q) {
                l->pos++;
                return 0;
            }
            l->pos++;
        }
    }
    return bp_fail_at(l->err, s, start, "this quote does not end (%c)", q);
}

/* At $: a dollar-quoted string, or -1 if it is none. */
static int skip_dollar(struct lexer *l)
{
    const char *s = l->text + l->pos, *end;
    size_t tag = 1;

    if (is_word_start((unsigned char)s[tag]))
        while (is_word_char((unsigned char)s[tag]) && s[tag] != '$')
            tag++;
    if (s[tag] != '$')
        return bp_fail_at(l->err, l->text, l->pos,
                          "'$' has no meaning here: variables are :name, set with -v name=value");
    tag++;
    for (end = strchr(s + tag, '$'); end; end = strchr(end + 1, '$'))
        if (strncmp(end, s, tag) == 0) {
            l->pos += (int)(end - s + (ptrdiff_t)tag);
            return 0;
        }
    return bp_fail_at(l->err, l->text, l->pos, "this quote does not end (%.*s)", (int)tag, s);
}

static void skip_number(struct lexer *l)
{
    const char *s = l->text;
    int p = l->pos;

    while (is_digit((unsigned char)s[p]))
        p++;
    if (s[p] == '.' && s[p + 1] != '.') {
        p++;
        while (is_digit((unsigned char)s[p]))
            p++;
    }
    if (s[p] == 'e' || s[p] == 'E') {
        int q = p + 1 + (s[p + 1] == '+' || s[p + 1] == '-');

        if (is_digit((unsigned char)s[q])) {
            p = q;
            while (is_digit((unsigned char)s[p]))
                p++;
        }
    }
    l->pos = p;
}

/* Operators are greedy, end before a comment, and end in + or - only if they
 * hold one of the characters that plain SQL does not use. */
static void skip_op(struct lexer *l)
{
    const char *s = l->text + l->pos;
    int n = 0;
    bool odd = false;

    while (is_op_char(s[n])) {
        if (n > 0 && ((s[n] == '-' && s[n + 1] == '-') || (s[n] == '/' && s[n + 1] == '*')))
            break;
        odd |= strchr("~!@#^&|`?%", s[n]) != NULL;
        n++;
    }
    while (!odd && n > 1 && (s[n - 1] == '+' || s[n - 1] == '-'))
        n--;
    l->pos += n;
}

/* A word that introduces a string: e'..' b'..' x'..' n'..' u&'..' u&"..". */
static int string_prefix(const char *s)
{
    char c = (char)(s[0] | 0x20);

    if ((c == 'e' || c == 'b' || c == 'x' || c == 'n') && s[1] == '\'')
        return 1;
    if (c == 'u' && s[1] == '&' && (s[2] == '\'' || s[2] == '"'))
        return 2;
    return 0;
}

static int lex_one(struct lexer *l, struct bp_tok *t)
{
    const char *s = l->text + l->pos;
    unsigned char c = (unsigned char)*s;
    int prefix = string_prefix(s);

    if (prefix) {
        l->pos += prefix;
        t->kind = s[prefix] == '"' ? BP_TOK_QUOTED : BP_TOK_STRING;
        return skip_quoted(l, s[prefix], (c | 0x20) == 'e');
    }
    if (is_word_start(c)) {
        t->kind = BP_TOK_WORD;
        while (is_word_char((unsigned char)l->text[l->pos]))
            l->pos++;
        return 0;
    }
    if (c == '"' || c == '\'') {
        t->kind = c == '"' ? BP_TOK_QUOTED : BP_TOK_STRING;
        return skip_quoted(l, (char)c, false);
    }
    if (c == '$') {
        t->kind = BP_TOK_STRING;
        return skip_dollar(l);
    }
    if (is_digit(c) || (c == '.' && is_digit((unsigned char)s[1]))) {
        t->kind = BP_TOK_NUMBER;
        skip_number(l);
        return 0;
    }
    t->kind = BP_TOK_PUNCT;
    if (c == ':' && is_word_start((unsigned char)s[1])) {
        t->kind = BP_TOK_VAR;
        for (l->pos++; is_word_char((unsigned char)l->text[l->pos]); l->pos++)
            ;
        return 0;
    }
    if (c == ':' && (s[1] == ':' || s[1] == '=')) {
        t->kind = BP_TOK_OP;
        l->pos += 2;
        return 0;
    }
    if (is_op_char((char)c)) {
        t->kind = BP_TOK_OP;
        skip_op(l);
        return 0;
    }
    if (!strchr("()[],;.:", c))
        return bp_fail_at(l->err, l->text, l->pos, "'%c' has no meaning here", c);
    l->pos++;
    return 0;
}

static int push(struct lexer *l, const struct bp_tok *t)
{
    struct bp_toks *o = l->out;

    if (o->n == l->cap) {
        int cap = l->cap ? l->cap * 2 : 32;
        struct bp_tok *p = bp_arena_alloc(l->mem, (size_t)cap * sizeof *p, l->err);
        int *open = bp_arena_alloc(l->mem, (size_t)cap * sizeof *open, l->err);

        if (!p || !open)
            return l->err->code;
        if (o->n) {
            memcpy(p, o->tok, (size_t)o->n * sizeof *p);
            memcpy(open, l->open, (size_t)l->depth * sizeof *open);
        }
        o->tok = p;
        l->open = open;
        l->cap = cap;
    }
    o->tok[o->n++] = *t;
    return 0;
}

/* Pair the brackets: token o->n - 1 is one. */
static int bracket(struct lexer *l)
{
    struct bp_toks *o = l->out;
    int me = o->n - 1, partner;
    char c = l->text[o->tok[me].from];

    if (c == '(' || c == '[') {
        l->open[l->depth++] = me;
        return 0;
    }
    if (l->depth == 0)
        return bp_fail_at(l->err, l->text, o->tok[me].from, "'%c' closes nothing", c);
    partner = l->open[--l->depth];
    if (l->text[o->tok[partner].from] != (c == ')' ? '(' : '['))
        return bp_fail_at(l->err, l->text, o->tok[me].from, "'%c' closes a '%c'", c,
                          l->text[o->tok[partner].from]);
    o->tok[me].depth = l->depth;
    o->tok[me].match = partner;
    o->tok[partner].match = me;
    return 0;
}

int bp_lex(const char *text, struct bp_arena *mem, struct bp_toks *out, struct bp_err *err)
{
    struct lexer l = {.text = text, .out = out, .mem = mem, .err = err};
    size_t n = strlen(text), bad;

    memset(out, 0, sizeof *out);
    out->text = text;
    if (n > MAX_TEXT_BYTES)
        return bp_fail(err, BP_EUSAGE, "a clause of %zu bytes is longer than %d", n,
                       MAX_TEXT_BYTES);
    if (!bp_utf8_check((const uint8_t *)text, n, &bad))
        return bp_fail(err, BP_EUSAGE, "byte %zu of the clause is not UTF-8", bad + 1);
    for (;;) {
        struct bp_tok t = {.depth = l.depth, .match = -1};

        BP_TRY(skip_gap(&l, &t.gap, &t.newline));
        if (!text[l.pos])
            break;
        t.from = l.pos;
        BP_TRY(lex_one(&l, &t));
        t.to = l.pos;
        BP_TRY(push(&l, &t));
        if (t.kind == BP_TOK_PUNCT && strchr("()[]", text[t.from]))
            BP_TRY(bracket(&l));
        if (t.kind == BP_TOK_PUNCT && text[t.from] == ';')
            return bp_fail_at(err, text, t.from, "';' has no place here: this is one clause");
    }
    if (l.depth)
        return bp_fail_at(err, text, out->tok[l.open[l.depth - 1]].from, "this '%c' is not closed",
                          text[out->tok[l.open[l.depth - 1]].from]);
    return 0;
}

bool bp_tok_is_word(const struct bp_toks *t, int i, const char *w)
{
    const struct bp_tok *k;
    size_t n = strlen(w);

    if (i < 0 || i >= t->n)
        return false;
    k = &t->tok[i];
    if (k->kind != BP_TOK_WORD || (size_t)(k->to - k->from) != n)
        return false;
    for (size_t c = 0; c < n; c++)
        if ((t->text[(size_t)k->from + c] | 0x20) != (w[c] | 0x20))
            return false;
    return true;
}

bool bp_tok_is(const struct bp_toks *t, int i, const char *s)
{
    const struct bp_tok *k;
    size_t n = strlen(s);

    if (i < 0 || i >= t->n)
        return false;
    k = &t->tok[i];
    return (k->kind == BP_TOK_OP || k->kind == BP_TOK_PUNCT) && (size_t)(k->to - k->from) == n &&
           memcmp(t->text + k->from, s, n) == 0;
}

char *bp_tok_name(const struct bp_toks *t, int i, struct bp_arena *mem, struct bp_err *err)
{
    const struct bp_tok *k = &t->tok[i];
    const char *s = t->text + k->from;
    size_t n = (size_t)(k->to - k->from), w = 0;
    char *p;

    if (k->kind != BP_TOK_QUOTED)
        return bp_arena_strn(mem, s, n, err);
    if (*s != '"') {
        bp_fail_at(err, t->text, k->from, "write the name itself in double quotes, without U&");
        return NULL;
    }
    p = bp_arena_strn(mem, s, n, err);
    if (!p)
        return NULL;
    for (size_t r = 1; r + 1 < n; r++) {
        p[w++] = s[r];
        r += s[r] == '"';
    }
    p[w] = '\0';
    return p;
}

char *bp_toks_text(const struct bp_toks *t, int a, int b, struct bp_arena *mem, struct bp_err *err)
{
    size_t n = 0, w = 0;
    char *p;

    for (int i = a; i < b; i++)
        n += (size_t)(t->tok[i].to - t->tok[i].from) + 1;
    p = bp_arena_alloc(mem, n + 1, err);
    if (!p)
        return NULL;
    for (int i = a; i < b; i++) {
        size_t len = (size_t)(t->tok[i].to - t->tok[i].from);

        if (i > a && t->tok[i].gap)
            p[w++] = ' ';
        memcpy(p + w, t->text + t->tok[i].from, len);
        w += len;
    }
    return p;
}

int bp_toks_split(const struct bp_toks *t, int a, int b, struct bp_arena *mem, int **cut, int *n,
                  struct bp_err *err)
{
    int depth = a < b ? t->tok[a].depth : 0, parts = 1, k = 0;

    for (int i = a; i < b; i++)
        parts += t->tok[i].depth == depth && bp_tok_is(t, i, ",");
    *cut = bp_arena_alloc(mem, ((size_t)parts + 1) * sizeof **cut, err);
    if (!*cut)
        return err->code;
    (*cut)[k++] = a;
    for (int i = a; i <= b; i++) {
        if (i < b && !(t->tok[i].depth == depth && bp_tok_is(t, i, ",")))
            continue;
        if (i == (*cut)[k - 1])
            return bp_fail_at(err, t->text, i < t->n ? t->tok[i].from : (int)strlen(t->text),
                              parts == 1 ? "the clause is empty" : "an item is missing here");
        (*cut)[k++] = i + 1;
    }
    *n = parts;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names a clause mentions, told before there is a schema to bind it to. A name behind AS
 * is a label and not a use; so is one that stands where an operand has just ended ("count(*)
 * _file"), and one behind a point is a field of something else.
 */
#include <strings.h>

#include "expr/clause.h"

/* Words that an operand follows. Any other word is an operand itself. */
static bool wants_operand(const struct bp_toks *t, int i)
{
    static const char *const words[] = {
        "all",     "and",      "asymmetric", "between", "both",      "by",   "case", "distinct",
        "else",    "escape",   "for",        "from",    "ilike",     "in",   "like", "not",
        "on",      "or",       "placing",    "similar", "symmetric", "then", "to",   "trailing",
        "leading", "variadic", "when",       "where",   "using",     "zone"};

    for (size_t k = 0; k < BP_COUNT_OF(words); k++)
        if (bp_tok_is_word(t, i, words[k]))
            return true;
    return false;
}

/* Does an operand end with token i? */
static bool ends_operand(const struct bp_toks *t, int i)
{
    switch (t->tok[i].kind) {
    case BP_TOK_OP: return false;
    case BP_TOK_PUNCT: return bp_tok_is(t, i, ")") || bp_tok_is(t, i, "]");
    case BP_TOK_WORD: return !wants_operand(t, i);
    default: return true;
    }
}

static bool is_use(const struct bp_toks *t, int i)
{
    if (t->tok[i].kind != BP_TOK_WORD && t->tok[i].kind != BP_TOK_QUOTED)
        return false;
    return i == 0 || !(bp_tok_is(t, i - 1, ".") || ends_operand(t, i - 1));
}

int bp_expr_mentions(const char *text, const char *const names[], int n, unsigned *bits,
                     struct bp_err *err)
{
    struct bp_arena mem = {0};
    struct bp_toks t;
    int rc;

    *bits = 0;
    rc = bp_lex(text, &mem, &t, err);
    if (rc == BP_EUSAGE) { /* whoever parses the clause will say so */
        bp_err_clear(err);
        t.n = rc = 0;
    }
    for (int i = 0; rc >= 0 && i < t.n; i++) {
        char *name = NULL;

        if (!is_use(&t, i))
            continue;
        name = bp_tok_name(&t, i, &mem, err);
        rc = name ? 0 : err->code;
        for (int k = 0; name && k < n; k++)
            if (strcasecmp(name, names[k]) == 0)
                *bits |= 1u << k;
    }
    bp_arena_release(&mem);
    return rc < 0 ? rc : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a clause, cut as PostgreSQL's scanner cuts them, so that the
 * house can find a name, a variable or a comma outside quotes and comments
 * without asking the grammar. Also the one place that draws a caret.
 */
#ifndef BP_EXPR_LEX_H
#define BP_EXPR_LEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum bp_tok_kind {
    BP_TOK_WORD,   /* bare: keyword or name */
    BP_TOK_QUOTED, /* "name" */
    BP_TOK_STRING, /* '...', E'...', $$...$$ and the like */
    BP_TOK_NUMBER,
    BP_TOK_VAR,   /* :name */
    BP_TOK_OP,    /* operators, :: and := */
    BP_TOK_PUNCT, /* one of ( ) [ ] , ; . : */
};

struct bp_tok {
    uint8_t kind;
    bool newline;     /* the gap before it holds a newline */
    bool gap;         /* there is a gap (blanks, comments) before it */
    int32_t depth;    /* brackets open around it */
    int32_t from, to; /* bytes of the text */
    int32_t match;    /* of a bracket: the index of its partner */
};

struct bp_toks {
    const char *text;
    struct bp_tok *tok;
    int n;
};

/* The text must outlive out. Unfinished quotes or comments and brackets that do
 * not match are BP_EUSAGE, with a caret. */
int bp_lex(const char *text, struct bp_arena *mem, struct bp_toks *out, struct bp_err *err) BP_MUST;

/* Token i is the bare word w (lower case), whatever its case. */
bool bp_tok_is_word(const struct bp_toks *t, int i, const char *w);
/* Token i is the operator or punctuation s. */
bool bp_tok_is(const struct bp_toks *t, int i, const char *s);
/* The name that a WORD or QUOTED token spells (case and length kept). */
char *bp_tok_name(const struct bp_toks *t, int i, struct bp_arena *mem, struct bp_err *err) BP_MUST;
/* The source of tokens [a, b), gaps squeezed to one blank, comments dropped. */
char *bp_toks_text(const struct bp_toks *t, int a, int b, struct bp_arena *mem,
                   struct bp_err *err) BP_MUST;
/* Cut [a, b) at the commas of its own depth: part k is [cut[k], cut[k + 1] - 1).
 * n parts, n + 1 cuts. An empty part is BP_EUSAGE. */
int bp_toks_split(const struct bp_toks *t, int a, int b, struct bp_arena *mem, int **cut, int *n,
                  struct bp_err *err) BP_MUST;

/* BP_EUSAGE: the message, then the line of the text that holds byte `at`, then a
 * caret under it. */
int bp_fail_at(struct bp_err *err, const char *text, int at, const char *fmt, ...) BP_PRINTF(4, 5);

#endif

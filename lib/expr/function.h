/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions. One is one row of a table: its name, the types it takes, what it
 * gives, its kernel. Several rows of one name are overloads: the one that needs
 * the fewest implicit casts is taken, the first of equals. A row with bind
 * decides more by itself (a result type, a constant argument turned into a
 * parameter). Tables are listed in function.c.
 */
#ifndef BP_EXPR_FUNCTION_H
#define BP_EXPR_FUNCTION_H

#include "expr/bind.h"

#define BP_FN_ARGS 7

/* What an argument may be, besides one kind (enum bp_kind). */
enum {
    BP_ANY = BP_N_KINDS, /* anything, as it is; untyped literals become text */
    BP_INT,              /* any whole number, as it is */
    BP_RAW,              /* anything, even untyped: bind settles it */
    BP_MORE,             /* the argument before this may be repeated */
};

enum {
    BP_FN_FALLIBLE = 1,
    BP_FN_LAX = 2,     /* sees NULLs */
    BP_FN_PER_ROW = 4, /* not to be run on a dictionary's values */
    BP_FN_CHEAP = 8,   /* cheaper than gathering its arguments */
    BP_FN_DICT = 16,   /* takes dictionaries as they are */
};

struct bp_fn {
    const char *name;
    uint8_t args[BP_FN_ARGS + 1]; /* ends with 0 */
    uint8_t result;               /* a kind; BP_ANY: the type of the first argument */
    uint8_t flags;
    uint8_t op;
    bp_kernel run;
    /* May change c and the arguments; NULL: nothing to do. */
    int (*bind)(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c);
};

/* make_interval(days => 3): the arguments' names, NULL at the end; those left out are 0.
 * NULL: the function's arguments have no names. */
const char *const *bp_fn_arg_names(const char *name);

struct bp_fn_table {
    const struct bp_fn *fns;
    int n;
};
extern const struct bp_fn_table bp_fns_text, bp_fns_number, bp_fns_time, bp_fns_from_char,
    bp_fns_choice, bp_fns_math, bp_fns_piece, bp_fns_code, bp_fns_regex, bp_fns_make, bp_fns_age,
    bp_fns_alias, bp_fns_epoch, bp_fns_zone, bp_fns_to_char, bp_fns_bits, bp_fns_angle,
    bp_fns_to_char_number, bp_fns_to_number, bp_fns_known, bp_fns_list;

/* fn_text.c, a bind: all arguments as text, booleans as t and f. */
int bp_bind_as_texts(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                     struct bp_call *c) BP_MUST;

#endif

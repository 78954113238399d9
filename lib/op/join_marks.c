/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares. The right side is held, so it must be whole, or its rows must be just
 * those that can meet the left's: both sides one share, parted alike within the
 * keys. Whatever brings out unmatched right rows needs all left rows as well.
 * Shares that follow one another in an input are judged when it has ended.
 *
 * Hot keys: one side's rows of them are split over the shares, each row in one; of the
 * other side's every share has all. So a split row meets all of its matches, and comes
 * out once; but whether a copied row has a match no share knows alone. Its rows without
 * one cannot come out, nor can it be the side that semi and anti joins are about.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "op/join_plan.h"
#include "op/partial.h"

static bool same_column(const struct bp_schema *s, const char *name, int col)
{
    return bp_schema_find(s, name) == col;
}

/* The i-th parted columns of the sides are the two columns of one join key. */
static bool is_key_pair(const struct bp_join_plan *p, const char *left, const char *right,
                        bool *using_name)
{
    for (int k = 0; k < p->n_keys; k++)
        if (same_column(&p->left, left, p->keys[k].left) &&
            same_column(&p->right, right, p->keys[k].right)) {
            *using_name = p->keys[k].using_name;
            return true;
        }
    return false;
}

/* NULL if the hot keys of sides that are parted alike are; else why not, and the cure. */
static const char *hot_unlike(const struct bp_parted *l, const struct bp_parted *r)
{
    if (!l->hot[0] && !r->hot[0])
        return NULL;
    if (!l->hot[0] || !r->hot[0])
        return l->copied || r->copied
                   ? "one side's hot keys are copied, and the other's are not split: shuffle that "
                     "one with --split-hot and the same keys, or both without"
                   : "one side's hot keys are split: shuffle the other with --copy-hot and the "
                     "same keys, or take it whole, as the right side (-b)";
    if (l->copied == r->copied)
        return l->copied ? "the hot keys of both sides are copied: shuffle one with --split-hot"
                         : "the hot keys of both sides are split: shuffle one with --copy-hot";
    if (strcmp(l->hot, r->hot) != 0)
        return "the hot keys of the two sides are not the same: shuffle one of them again";
    return NULL;
}

static bool parted_alike(const struct bp_join_plan *p, const struct bp_parted *l,
                         const struct bp_parted *r, bool *all_using)
{
    if (l->parts != r->parts || l->first != r->first || l->last != r->last ||
        l->n_keys != r->n_keys || l->n_keys == 0 || strcmp(l->borders, r->borders) != 0)
        return false;
    *all_using = true;
    for (int i = 0; i < l->n_keys; i++) {
        bool using_name = false;

        if (l->classes[i] != r->classes[i] || !is_key_pair(p, l->keys[i], r->keys[i], &using_name))
            return false;
        *all_using &= using_name;
    }
    return true;
}

/* The side whose hot rows are copied does not decide which of its rows come out. */
static int check_copied(const struct bp_join_plan *p, bool left_copied, struct bp_err *err)
{
    static const char *const cures[] = {
        [BP_JOIN_LEFT] = "a left join, so put the split side on the left, or say -t right",
        [BP_JOIN_RIGHT] = "a right join, so put the split side on the right, or say -t left",
        [BP_JOIN_FULL] = "a full join, so shuffle without hot keys",
        [BP_JOIN_SEMI] = "a semi join, so split the left side and copy the right",
        [BP_JOIN_ANTI] = "an anti join, so split the left side and copy the right",
    };
    bool asks = left_copied ? p->keeps_left || p->only_left : p->keeps_right;

    if (!asks)
        return 0;
    return bp_fail(err, BP_EUSAGE,
                   "every share has the %s side's rows of hot keys (bp-shuffle --copy-hot), and no "
                   "share knows alone which of them match: not for %s",
                   left_copied ? "left" : "right", cures[p->type]);
}

static int find_alike(const struct bp_join_plan *p, const struct bp_schema *left,
                      const struct bp_schema *right, struct bp_join_shares *s, bool *all_using,
                      struct bp_err *err)
{
    struct bp_parted l = {0}, r = {0};
    struct bp_share ls, rs;
    bool has_l, has_r = false;
    int rc;

    *all_using = false;
    BP_GO(bp_mark_task(left, &ls, err));
    BP_GO(bp_mark_task(right, &rs, err));
    BP_GO(bp_mark_parted(left, &has_l, &l, err));
    BP_GO(bp_mark_parted(right, &has_r, &r, err));
    s->alike = has_l && has_r && ls.n && rs.n && parted_alike(p, &l, &r, all_using);
    s->why = s->alike ? hot_unlike(&l, &r) : NULL;
    if (s->why)
        s->alike = false;
    if (s->alike && l.hot[0])
        BP_GO(check_copied(p, l.copied, err));
    else if (l.copied || r.copied)
        rc = bp_fail(err, BP_EDATA, "%s",
                     s->why ? s->why
                            : "a share has copies of hot keys' rows, and the sides are not parted "
                              "alike by the keys: shuffle both by the keys into the same number of "
                              "partitions, one with --split-hot, one with --copy-hot");
out:
    bp_parted_release(&l);
    bp_parted_release(&r);
    return rc;
}

/* Of rows that were copied each comes out with the split row it met: where that is. */
static int copies_met(struct bp_join_plan *p, struct bp_err *err)
{
    struct bp_parted parted;
    bool present;
    int rc = 0;

    BP_TRY(bp_mark_parted(&p->schema, &present, &parted, err));
    if (parted.copied) {
        parted.copied = false;
        rc = bp_mark_set_parted(&p->schema, &parted, err);
    }
    bp_parted_release(&parted);
    return rc;
}

/* Left columns may have a suffix now: marks over names follow. */
static int rename_marks(struct bp_join_plan *p, struct bp_err *err)
{
    struct bp_parted parted = {0};
    bool renamed = false, present;
    int rc;

    for (int i = 0; i < p->left.n_fields; i++)
        renamed |= strcmp(p->left.fields[i].name, p->schema.fields[i].name) != 0;
    if (!renamed)
        return 0;
    BP_TRY(bp_schema_set_meta(&p->schema, BP_MARK_SORTED, NULL, err));
    BP_TRY(bp_mark_parted(&p->schema, &present, &parted, err));
    if (!present)
        return 0;
    rc = 0;
    for (int i = 0; i < parted.n_keys; i++) {
        int col = bp_schema_find(&p->left, parted.keys[i]);
        char *name = bp_mem_str(col < 0 ? parted.keys[i] : p->schema.fields[col].name, err);

        if (!name) {
            rc = err->code;
            goto out;
        }
        bp_mem_free(parted.keys[i]);
        parted.keys[i] = name;
    }
    rc = bp_mark_set_parted(&p->schema, &parted, err);
out:
    bp_parted_release(&parted);
    return rc;
}

/* Needs all left rows, not a share of them. */
static bool needs_whole_left(const struct bp_join_shares *s)
{
    return s->type == BP_JOIN_RIGHT || s->type == BP_JOIN_FULL ||
           (s->type == BP_JOIN_CROSS && !s->broadcast);
}

int bp_join_marks(struct bp_join_plan *p, struct bp_join_shares *s, const struct bp_schema *left,
                  const struct bp_schema *right, const struct bp_join_opts *opts,
                  struct bp_err *err)
{
    bool all_using;

    *s = (struct bp_join_shares){
        .per_task = opts->per_task, .broadcast = opts->broadcast, .type = opts->type};
    BP_TRY(bp_partial_refuse(left, "bp-join", err));
    BP_TRY(bp_partial_refuse(right, "bp-join", err));
    BP_TRY(find_alike(p, left, right, s, &all_using, err));
    if (opts->broadcast)
        s->alike = false; /* read whole */
    BP_TRY(bp_schema_copy_meta(&p->schema, left, err));
    BP_TRY(copies_met(p, err));
    if (p->keeps_right) {
        BP_TRY(bp_schema_set_meta(&p->schema, BP_MARK_SORTED, NULL, err));
        if (!s->alike || !all_using)
            BP_TRY(bp_schema_set_meta(&p->schema, BP_MARK_PARTED, NULL, err));
    }
    if (needs_whole_left(s) && !s->alike && !s->per_task)
        BP_TRY(bp_schema_set_meta(&p->schema, BP_MARK_TASK, NULL, err));
    return rename_marks(p, err);
}

int bp_join_shares_right(struct bp_join_shares *s, struct bp_err *err)
{
    if (bp_shareset_whole(&s->right) || s->per_task)
        return 0;
    if (s->alike && s->right.n_seen == 1)
        return 0;
    if (s->broadcast)
        return bp_fail(err, BP_EDATA,
                       "the right side has %d of %d shares: a broadcast side is read whole, so "
                       "leave --task away where it is made",
                       s->right.n_seen, s->right.n);
    if (s->why)
        return bp_fail(err, BP_EDATA, "the right side has %d of %d shares, and %s", s->right.n_seen,
                       s->right.n, s->why);
    return bp_fail(err, BP_EDATA,
                   "the right side has %d of %d shares, and the sides are not parted alike by the "
                   "keys: shuffle both by the keys into the same number of partitions (bp-shuffle "
                   "-k), or take the right side whole (-b)",
                   s->right.n_seen, s->right.n);
}

int bp_join_shares_left(struct bp_join_shares *s, struct bp_share share, struct bp_err *err)
{
    BP_TRY(bp_shareset_add(&s->left, share, err));
    if (s->per_task || bp_shareset_whole(&s->right))
        return 0;
    /* the right is one share: only the left's same share can meet it */
    if (share.n != s->right.n || share.i != s->right.last)
        return bp_fail(err, BP_EDATA,
                       "share %d of %d on the left, share %d of %d on the right: shares are joined "
                       "one with its like",
                       share.i, share.n, s->right.last, s->right.n);
    return 0;
}

int bp_join_shares_end(struct bp_join_shares *s, struct bp_err *err)
{
    static const char *const names[] = {"inner", "left", "right", "full", "semi", "anti", "cross"};

    if (!needs_whole_left(s) || s->per_task || bp_shareset_whole(&s->left) ||
        !bp_shareset_whole(&s->right))
        return 0;
    return bp_fail(
        err, BP_EDATA,
        "the left side has %d of %d shares: a %s join of a share with a whole table would "
        "give its unmatched rows once for each share; shuffle both sides by the keys, or "
        "say --per-task",
        s->left.n_seen, s->left.n, names[s->type]);
}

struct bp_share bp_join_shares_out(const struct bp_join_shares *s, struct bp_share left)
{
    bool of_one = s->per_task || !bp_shareset_whole(&s->right);

    return needs_whole_left(s) && !of_one ? (struct bp_share){0, 0} : left;
}

void bp_join_shares_release(struct bp_join_shares *s)
{
    bp_shareset_release(&s->left);
    bp_shareset_release(&s->right);
}

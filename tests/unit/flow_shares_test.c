/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"
#include "unit.h"

static void shares_once_each_are_whole(void)
{
    struct bp_err err = {0};
    struct bp_shareset s = {0};

    CHECK(bp_shareset_whole(&s));
    for (int i = 0; i < 3; i++) {
        NEED(bp_shareset_add(&s, (struct bp_share){i, 3}, &err) == 0);
        NEED(bp_shareset_add(&s, (struct bp_share){i, 3}, &err) == 0);
        CHECK(bp_shareset_whole(&s) == (i == 2));
    }
    CHECK(bp_shareset_add(&s, (struct bp_share){1, 3}, &err) == BP_EDATA); /* again */
    bp_shareset_release(&s);
}

static void shares_of_different_divisions_do_not_mix(void)
{
    struct bp_err err = {0};
    struct bp_shareset s = {0};

    NEED(bp_shareset_add(&s, (struct bp_share){0, 2}, &err) == 0);
    CHECK(bp_shareset_add(&s, (struct bp_share){1, 3}, &err) == BP_EDATA);
    bp_shareset_release(&s);
    bp_err_clear(&err);
    NEED(bp_shareset_add(&s, (struct bp_share){0, 0}, &err) == 0);
    CHECK(bp_shareset_whole(&s));
    CHECK(bp_shareset_add(&s, (struct bp_share){1, 3}, &err) == BP_EDATA);
    bp_shareset_release(&s);
}

UNIT_MAIN(T(shares_once_each_are_whole), T(shares_of_different_divisions_do_not_mix))

/* SPDX-License-Identifier: Apache-2.0 */
/* A growing dictionary, and codes of other dictionaries in it. */
#include "flow/dictset.h"
#include "unit.h"

static struct bp_err err;

static int32_t code_of(struct bp_dictset *s, const char *p, size_t n)
{
    int32_t code = -1;

    CHECK(bp_dictset_code(s, (const uint8_t *)p, n, &code, &err) == 0);
    return code;
}

static void values_of_any_bytes_are_told_apart(void)
{
    static const char nul[40];
    char x[40];
    struct bp_dictset s = {0};
    int32_t next = 0;

    for (size_t n = 0; n < sizeof nul; n++) /* as many zeros, then an x at each end */
        CHECK(code_of(&s, nul, n) == next++);
    for (size_t n = 2; n < sizeof x; n++)
        for (int end = 0; end < 2; end++) {
            memset(x, 0, sizeof x);
            x[end ? n - 1 : 0] = 'x';
            CHECK(code_of(&s, x, n) == next++);
        }
    for (size_t n = 0; n < sizeof nul; n++)
        CHECK(code_of(&s, nul, n) == (int32_t)n);
    CHECK(s.n == next && bp_dictset_bytes(&s) > 0);
    bp_dictset_release(&s);
}

/* The look-up of loops finds what the other one put there. */
static void both_ways_to_look_up_agree(void)
{
    struct bp_dictset s = {0};
    char room[16 + BP_DICT_INLINE];
    uint64_t head[2];

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            int n = snprintf(room, sizeof room, "%d", i * i);

            memset(room + n, '#', BP_DICT_INLINE);
            CHECK(bp_dictset_ready(&s, &err) == 0);
            bp_dict_head((const uint8_t *)room, (uint32_t)n, head);
            CHECK(bp_dictset_find(&s, head, (uint32_t)n, bp_dictset_start(&s, head)) ==
                  (round ? i : -1));
            CHECK(code_of(&s, room, (size_t)n) == i);
        }
    bp_dictset_release(&s);
}

/* A column of codes with the dictionary of s. */
static struct bp_column column(struct bp_dictset *s, int32_t *codes, int64_t n)
{
    struct bp_column c = {.type = BP_TYPE(BP_TEXT), .n_rows = n, .data = codes};

    CHECK(bp_dictset_dict(s, &c.dict, &err) == 0);
    return c;
}

static void a_dictionary_that_grew_keeps_its_map(void)
{
    struct bp_dictset from = {0}, to = {0};
    struct bp_dictmap map = {0};
    int32_t codes[3] = {0, 1, 0}, got[3];
    struct bp_column c;

    code_of(&to, "z", 1);
    code_of(&from, "a", 1);
    code_of(&from, "b", 1);
    c = column(&from, codes, 3);
    CHECK(bp_dictset_encode(&to, &map, &c, 0, 3, got, &err) == 0);
    CHECK(got[0] == 1 && got[1] == 2 && got[2] == 1 && map.n_mapped == 2);
    CHECK(!bp_dictset_same(&to, &map, c.dict));
    bp_dict_unref(c.dict);
    code_of(&from, "z", 1);
    codes[0] = 2;
    c = column(&from, codes, 3);
    CHECK(bp_dictset_encode(&to, &map, &c, 0, 3, got, &err) == 0);
    CHECK(got[0] == 0 && got[1] == 2 && got[2] == 1);
    CHECK(map.n_mapped == 3); /* the first two were not looked up again */
    bp_dict_unref(c.dict);
    bp_dictmap_release(&map);
    bp_dictset_release(&from);
    bp_dictset_release(&to);
}

static void a_map_is_void_once_its_set_is_cleared(void)
{
    struct bp_dictset from = {0}, to = {0};
    int32_t codes[2] = {1, 0}, got[2];
    struct bp_column c;

    code_of(&from, "a", 1);
    code_of(&from, "b", 1);
    c = column(&from, codes, 2);
    code_of(&to, "a", 1);
    CHECK(bp_dictset_encode(&to, NULL, &c, 0, 2, got, &err) == 0);
    CHECK(got[0] == 1 && got[1] == 0 && bp_dictset_same(&to, NULL, c.dict));
    bp_dictset_clear(&to);
    CHECK(!bp_dictset_same(&to, NULL, c.dict) && to.n == 0);
    CHECK(bp_dictset_encode(&to, NULL, &c, 0, 2, got, &err) == 0);
    CHECK(got[0] == 0 && got[1] == 1 && !bp_dictset_same(&to, NULL, c.dict));
    bp_dict_unref(c.dict);
    bp_dictset_release(&from);
    bp_dictset_release(&to);
}

UNIT_MAIN(T(values_of_any_bytes_are_told_apart), T(both_ways_to_look_up_agree),
          T(a_dictionary_that_grew_keeps_its_map), T(a_map_is_void_once_its_set_is_cleared))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lists and structs are made of. Each such type stands once in a table of
 * the process, found by what it consists of (hash consing): a bp_type stays a
 * small value that is copied freely and owned by nobody, and two types are equal
 * when their pointers are. What is in the table stays there to the end of the
 * process; there are as many entries as there are different types in its schemas.
 */
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/mem.h"
#include "col/type.h"

struct entry {
    struct bp_nest nest; /* first: what the outside sees */
    uint64_t hash;
    struct entry *next;
};

enum { N_CHAINS = 256 };
static struct entry *chains[N_CHAINS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t hash_of(const char *const *names, const struct bp_type *kids, int n)
{
    uint64_t h = (uint64_t)n + (names ? 1u << 16 : 0);

    for (int i = 0; i < n; i++) {
        uint64_t part[4] = {h, (uintptr_t)kids[i].nest, 0, 0};

        part[2] = (uint64_t)kids[i].kind << 24 | (uint64_t)kids[i].unit << 16 |
                  (uint64_t)kids[i].precision << 8 | kids[i].scale;
        part[3] = names ? bp_xxh3(names[i], strlen(names[i])) : 0;
        h = bp_xxh3(part, sizeof part);
    }
    return h;
}

static bool is_same(const struct bp_nest *a, const char *const *names, const struct bp_type *kids,
                    int n)
{
    if (a->n_kids != n || !a->names != !names)
        return false;
    for (int i = 0; i < n; i++)
        if (!bp_type_equal(a->kids[i], kids[i]) || (names && strcmp(a->names[i], names[i]) != 0))
            return false;
    return true;
}

/* Kids, names and their text in one piece of memory behind the entry. */
static struct entry *new_entry(const char *const *names, const struct bp_type *kids, int n,
                               struct bp_err *err)
{
    size_t bytes = sizeof(struct entry), count = (size_t)n, text = 0;
    struct bp_type *to;
    struct entry *e;
    char **list, *s;

    for (int i = 0; names && i < n; i++)
        text += strlen(names[i]) + 1;
    e = bp_mem_new(1, bytes + count * (sizeof *to + sizeof(char *)) + text + 1, err);
    if (!e)
        return NULL;
    to = (struct bp_type *)(void *)(e + 1);
    list = (char **)(void *)(to + count);
    s = (char *)(list + count);
    if (n)
        memcpy(to, kids, count * sizeof *to);
    for (int i = 0; names && i < n; i++) {
        size_t len = strlen(names[i]) + 1;

        list[i] = memcpy(s, names[i], len);
        s += len;
    }
    e->nest = (struct bp_nest){
        .n_kids = n, .kids = to, .names = names ? (const char *const *)list : NULL, .depth = 1};
    for (int i = 0; i < n; i++)
        if (kids[i].nest && kids[i].nest->depth >= e->nest.depth)
            e->nest.depth = kids[i].nest->depth + 1;
    return e;
}

static int intern(enum bp_kind kind, const char *const *names, const struct bp_type *kids, int n,
                  struct bp_type *out, struct bp_err *err)
{
    uint64_t h = hash_of(names, kids, n);
    struct entry **chain = &chains[h % N_CHAINS], *e;

    for (int i = 0; i < n; i++)
        if (kids[i].nest && kids[i].nest->depth >= BP_NEST_DEPTH_MAX)
            return bp_fail(err, BP_EDATA, "a type is nested more than %d deep", BP_NEST_DEPTH_MAX);
    pthread_mutex_lock(&lock);
    for (e = *chain; e; e = e->next)
        if (e->hash == h && is_same(&e->nest, names, kids, n))
            break;
    if (!e && (e = new_entry(names, kids, n, err))) {
        e->hash = h;
        e->next = *chain;
        *chain = e;
    }
    pthread_mutex_unlock(&lock);
    if (!e)
        return err->code;
    *out = (struct bp_type){.kind = (uint8_t)kind, .nest = &e->nest};
    return 0;
}

int bp_type_list(struct bp_type elem, struct bp_type *out, struct bp_err *err)
{
    return intern(BP_LIST, NULL, &elem, 1, out, err);
}

int bp_type_struct(const char *const *names, const struct bp_type *kids, int n, struct bp_type *out,
                   struct bp_err *err)
{
    if (n < 1)
        return bp_fail(err, BP_EDATA, "a struct has no fields");
    return intern(BP_STRUCT, names, kids, n, out, err);
}

int bp_type_field(struct bp_type t, const char *name, size_t n)
{
    int found = -1;

    for (int i = 0; i < t.nest->n_kids; i++)
        if (strlen(t.nest->names[i]) == n && memcmp(t.nest->names[i], name, n) == 0)
            return i;
    for (int i = 0; i < t.nest->n_kids; i++)
        if (strlen(t.nest->names[i]) == n && strncasecmp(t.nest->names[i], name, n) == 0)
            found = found == -1 ? i : -2;
    return found;
}

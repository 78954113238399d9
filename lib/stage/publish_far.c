/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An output below a URL. What the list names counts, whatever else is there: so files that stay
 * need not be touched, and what a writer that died left is known, because no list names it, be the
 * list that it found there or the one that it had already written.
 */
#include "stage/publish.h"

#include <string.h>

#include "base/mem.h"
#include "stage/names.h"
#include "sys/outtree_far.h"

#define DIGITS_LEAST 5
#define DIGITS_MOST 8

/* What is there when the writing begins. */
struct place {
    struct bp_names names; /* sorted */
    bool is_dead;          /* a writer has left it unfinished */
    bool has_list;         /* a list of ours */
};

/* Neither the mark nor a file that the list names, nor the list. */
static bool is_stranger(const struct bp_publish *p, const struct place *at, const char *name)
{
    if (strcmp(name, BP_UNFINISHED_NAME) == 0)
        return false;
    if (at->has_list && strcmp(name, BP_MANIFEST_NAME) == 0)
        return false;
    return !at->has_list || !bp_manifest_has(&p->old, name);
}

/* As on a disk: publish.c, may_replace(). */
static int judge(const struct bp_publish *p, const struct place *at, struct bp_err *err)
{
    const char *first = NULL;
    int n = 0;

    for (int i = 0; i < at->names.n; i++)
        if (is_stranger(p, at, at->names.names[i]) && n++ == 0)
            first = at->names.names[i];
    if (n && !at->is_dead && !p->o.replace)
        return bp_manifest_strangers(p->o.dir, n, first, err);
    if (p->old.n_runs && !p->run && !p->o.replace && !p->o.replace_parts)
        return bp_publish_other_runs(&p->old, p->o.dir, err);
    if (p->o.fixed_names && (p->old.n_files || (n && !at->is_dead)))
        return bp_fail(err, BP_EDATA,
                       "'%s' holds '%s', and an object store cannot put files of the same names in "
                       "their place all at once: write to a new prefix, or remove the old one "
                       "first",
                       p->o.dir, p->old.n_files ? p->old.files[0].path : first);
    return 0;
}

/* There stays what counts, and, where nothing was left unfinished, all. */
static int clear_dead(const struct bp_publish *p, const struct place *at, struct bp_names *there,
                      struct bp_err *err)
{
    for (int i = 0; i < at->names.n; i++) {
        const char *name = at->names.names[i];

        if (strcmp(name, BP_UNFINISHED_NAME) == 0)
            continue;
        if (at->is_dead && is_stranger(p, at, name))
            BP_TRY(bp_outtree_far_remove(&p->tree, name, err));
        else
            BP_TRY(bp_names_add(there, name, err));
    }
    return 0;
}

/* The digits of a file's number, whose name begins as that of ours; 0: another's. */
static size_t digits_of(const struct bp_publish *p, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = p->run ? strlen(p->run) : 0, digits;

    if (n && (strncmp(name, p->run, n) != 0 || name[n++] != '-'))
        return 0;
    digits = strspn(name + n, "0123456789");
    return name[n + digits] == '.' || (!p->run && name[n + digits] == '-') ? digits : 0;
}

/* Names that none there has. */
static int choose_digits(struct bp_publish *p, const struct bp_names *there, struct bp_err *err)
{
    unsigned taken = 0;

    for (int i = 0; i < there->n; i++) {
        size_t digits = digits_of(p, there->names[i]);

        taken |= digits <= DIGITS_MOST ? 1u << digits : 0;
    }
    p->n_digits = DIGITS_LEAST;
    while (p->n_digits <= DIGITS_MOST && taken >> p->n_digits & 1)
        p->n_digits++;
    if (p->n_digits > DIGITS_MOST)
        return bp_fail(err, BP_EDATA,
                       "'%s' holds files of all the names that there are for new ones", p->o.dir);
    return 0;
}

int bp_publish_far_begin(struct bp_publish *p, struct bp_err *err)
{
    struct bp_names there = {0};
    struct place at = {.is_dead = false};
    int rc;

    BP_GO(bp_outtree_far_list(&p->tree, &at.names, err));
    at.is_dead = bp_outtree_far_has(&at.names, BP_UNFINISHED_NAME);
    if (bp_outtree_far_has(&at.names, BP_MANIFEST_NAME))
        BP_GO(bp_manifest_load(&p->old, p->tree.path, &at.has_list, err));
    BP_GO(judge(p, &at, err));
    BP_GO(clear_dead(p, &at, &there, err));
    BP_GO(choose_digits(p, &there, err));
    rc = bp_outtree_far_begin(&p->tree, &there, err);
out:
    bp_names_release(&there);
    bp_names_release(&at.names);
    return rc;
}

int bp_publish_far_clear(struct bp_publish *p, struct bp_err *err)
{
    const struct bp_names *there = &p->tree.far_there;

    bp_manifest_sort(&p->list);
    for (int i = 0; i < there->n; i++)
        if (strcmp(there->names[i], BP_MANIFEST_NAME) != 0 &&
            !bp_manifest_has(&p->list, there->names[i]))
            BP_TRY(bp_outtree_far_remove(&p->tree, there->names[i], err));
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2o-gen: the tables of the H2O.ai database-like operations benchmark, by its
 * published recipe. The same distributions and domains, not the same bytes: its
 * own generator is R's, ours is a mixed counter and gives the same bytes anywhere.
 *
 *   h2o-gen groupby --rows N [--groups K]     G1: id1..id6, v1, v2, v3
 *   h2o-gen x|small|medium|big --rows N       J1: N is the rows of x and of big
 *
 * Joins: keys of three sizes (N/1e6, N/1e3, N; ten at least). Of each, nine tenths
 * are in both sides, one tenth in the left alone, one tenth in the right alone. Each
 * key comes once at least where a table has rows enough; the order is random.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT, RIGHT };

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xE9846AF9B1A615D5u;
    x ^= x >> 29;
    x *= 0xD1B54A32D192ED03u;
    x ^= x >> 32;
    return x;
}

/* The i-th number of a stream, below n. */
static uint32_t pick(uint64_t stream, uint64_t i, uint32_t n)
{
    uint64_t word = mix(mix(stream * 0x9E3779B97F4A7C15u + 1) + i);
    return (uint32_t)(((word >> 32) * n) >> 32);
}

static void shuffle(uint32_t *v, uint32_t n, uint64_t stream)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = pick(stream, i, i), held = v[i - 1];
        v[i - 1] = v[j];
        v[j] = held;
    }
}

static uint32_t *numbers(uint32_t n)
{
    uint32_t *v = malloc((size_t)n * sizeof *v);
    if (!v) {
        fprintf(stderr, "h2o-gen: no memory for %" PRIu32 " keys\n", n);
        exit(1);
    }
    return v;
}

/* A column of a join table: the n keys of that side, once each and then at random, shuffled. */
static uint32_t *key_column(uint32_t n, uint32_t rows, int side, uint64_t stream)
{
    uint32_t all = n + n / 10, both = n - n / 10;
    uint32_t *keys = numbers(all), *out = numbers(rows);
    for (uint32_t i = 0; i < all; i++)
        keys[i] = i + 1;
    shuffle(keys, all, stream); /* alike for both sides: the stream is the key's */
    if (side == RIGHT)
        memmove(keys + both, keys + n, (all - n) * sizeof *keys);
    for (uint32_t i = 0; i < rows; i++)
        out[i] = i < n ? keys[i] : keys[pick(stream + 10 + (uint64_t)side, i, n)];
    shuffle(out, rows, stream + 20 + (uint64_t)side + rows);
    free(keys);
    return out;
}

static void groupby(uint32_t rows, uint32_t k)
{
    uint32_t small = rows / k > 0 ? rows / k : 1;
    puts("id1,id2,id3,id4,id5,id6,v1,v2,v3");
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t v3 = pick(9, i, 100000000);
        printf("id%03u,id%03u,id%010u,%u,%u,%u,%u,%u,%u.%06u\n", pick(1, i, k) + 1,
               pick(2, i, k) + 1, pick(3, i, small) + 1, pick(4, i, k) + 1, pick(5, i, k) + 1,
               pick(6, i, small) + 1, pick(7, i, 5) + 1, pick(8, i, 15) + 1, v3 / 1000000,
               v3 % 1000000);
    }
}

static uint32_t at_least_ten(uint32_t n)
{
    return n < 10 ? 10 : n;
}

/* Tables x, small, medium, big have 3, 1, 2, 3 keys, each as a number and as text. */
static void join_table(const char *name, uint32_t n)
{
    uint32_t sizes[3] = {at_least_ten(n / 1000000), at_least_ten(n / 1000), n};
    int n_keys = name[0] == 's' ? 1 : name[0] == 'm' ? 2 : 3;
    int side = name[0] == 'x' ? LEFT : RIGHT;
    uint32_t rows = sizes[n_keys - 1];
    uint32_t *keys[3];
    for (int c = 0; c < n_keys; c++)
        keys[c] = key_column(sizes[c], rows, side, 100 * (uint64_t)(c + 1));
    for (int c = 0; c < n_keys; c++)
        printf("id%d,", c + 1);
    for (int c = 0; c < n_keys; c++)
        printf("id%d,", c + 4);
    puts(side == LEFT ? "v1" : "v2");
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t v = pick(50 + (uint64_t)n_keys + (uint64_t)side, i, 100000000);
        for (int c = 0; c < n_keys; c++)
            printf("%u,", keys[c][i]);
        for (int c = 0; c < n_keys; c++)
            printf("id%u,", keys[c][i]);
        printf("%u.%06u\n", v / 1000000, v % 1000000);
    }
    for (int c = 0; c < n_keys; c++)
        free(keys[c]);
}

static uint32_t number_of(int argc, char **argv, const char *option, uint32_t otherwise)
{
    for (int i = 2; i + 1 < argc; i += 2) {
        char *end;
        if (strcmp(argv[i], option) != 0)
            continue;
        unsigned long n = strtoul(argv[i + 1], &end, 10);
        if (*end || n < 10 || n > 1000000000) {
            fprintf(stderr, "h2o-gen: %s '%s' is not from 10 to 1000000000\n", option, argv[i + 1]);
            exit(2);
        }
        return (uint32_t)n;
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    static const char *const tables[] = {"groupby", "x", "small", "medium", "big"};
    uint32_t rows = number_of(argc, argv, "--rows", 10000000);
    int t = 0;
    while (t < 5 && (argc < 2 || strcmp(argv[1], tables[t]) != 0))
        t++;
    if (t == 5) {
        fputs("usage: h2o-gen groupby|x|small|medium|big [--rows N] [--groups K]\n", stderr);
        return 2;
    }
    if (t == 0)
        groupby(rows, number_of(argc, argv, "--groups", 100));
    else
        join_table(argv[1], rows);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "h2o-gen: cannot write: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}

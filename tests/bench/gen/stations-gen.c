/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stations-gen: measurements as in the one billion row challenge: lines "name;12.3",
 * no header. Names are made of syllables (4 to 20 bytes, some not ASCII), each with a
 * mean temperature of its own; values lie around it as the sum of four uniform numbers
 * (close to normal, deviation 10), between -99.9 and 99.9. The same bytes anywhere.
 *
 *   stations-gen [--rows N] [--stations 413]
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STATIONS 10000
#define NAME_BYTES 40

struct station {
    char name[NAME_BYTES];
    int mean_tenths;
};

static const char *const syllables[32] = {
    "al",  "ber", "cu",  "dor", "en",        "fi",        "gra",        "ha",   "il",   "jo", "ka",
    "lem", "mur", "nav", "o",   "pra",       "qui",       "ros",        "sa",   "tar",  "ul", "vik",
    "wen", "xi",  "yar", "zo",  "\xc3\xa9n", "\xc3\xb8r", "s\xc3\xa3o", "ling", "el c", "ton"};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xE9846AF9B1A615D5u;
    x ^= x >> 29;
    x *= 0xD1B54A32D192ED03u;
    x ^= x >> 32;
    return x;
}

/* Station i: its number in base 32 spelled in syllables, so that no two are alike. */
static void name_station(struct station *s, uint32_t i)
{
    uint64_t word = mix(i + 1);
    uint32_t digits = i;
    size_t n = 0;
    for (int part = 0; part < 3 || digits > 0; part++, digits /= 32)
        n += (size_t)snprintf(s->name + n, sizeof s->name - n, "%s", syllables[digits % 32]);
    for (uint64_t more = word & 1; more > 0; more--, word >>= 5)
        n += (size_t)snprintf(s->name + n, sizeof s->name - n, "%s", syllables[word >> 8 & 15]);
    if (s->name[0] >= 'a' && s->name[0] <= 'z')
        s->name[0] = (char)(s->name[0] - 'a' + 'A');
    s->mean_tenths = (int)(mix(i + 1000003) % 450) - 100;
}

static uint64_t number_of(int argc, char **argv, const char *option, uint64_t otherwise,
                          uint64_t most)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        char *end;
        if (strcmp(argv[i], option) != 0)
            continue;
        uint64_t n = strtoull(argv[i + 1], &end, 10);
        if (*end || n < 1 || n > most) {
            fprintf(stderr, "stations-gen: %s '%s' is not from 1 to %" PRIu64 "\n", option,
                    argv[i + 1], most);
            exit(2);
        }
        return n;
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    static struct station stations[MAX_STATIONS];
    uint64_t rows = number_of(argc, argv, "--rows", 100000000, UINT64_C(1) << 40);
    uint32_t n = (uint32_t)number_of(argc, argv, "--stations", 413, MAX_STATIONS);
    for (uint32_t i = 0; i < n; i++)
        name_station(&stations[i], i);
    for (uint64_t row = 0; row < rows; row++) {
        uint64_t word = mix(row * 2 + 1), dice = mix(row * 2 + 2);
        const struct station *s = &stations[((word >> 32) * n) >> 32];
        int t = s->mean_tenths - 346; /* four numbers of 0..173: deviation 100 tenths */
        for (int d = 0; d < 4; d++)
            t += (int)((dice >> (16 * d) & 0xffff) * 174 >> 16);
        if (t > 999)
            t = 999;
        if (t < -999)
            t = -999;
        int size = t < 0 ? -t : t;
        printf("%s;%s%d.%d\n", s->name, t < 0 ? "-" : "", size / 10, size % 10);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "stations-gen: cannot write: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}

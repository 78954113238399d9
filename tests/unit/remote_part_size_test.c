/* SPDX-License-Identifier: Apache-2.0 */
#include "../../libexec/remote/part_size.h"

#include <stdint.h>

#include "unit.h"

#define MIB ((uint64_t)1 << 20)

/* S3: 10,000 parts of 5 MiB (but for the last) to 5 GiB, 5 TiB in all. */
static void parts_are_what_s3_allows(void)
{
    uint64_t all = 0;

    CHECK(MAX_PARTS <= 10000);
    for (int i = 0; i < MAX_PARTS; i++) {
        CHECK(part_size(i) >= 5 * MIB && part_size(i) <= 5120 * MIB);
        CHECK((part_size(i) & (part_size(i) - 1)) == 0); /* or buffers would grow beyond it */
        CHECK(i == 0 || part_size(i) >= part_size(i - 1));
        all += part_size(i);
    }
    CHECK(all <= ((uint64_t)5 << 40));
    CHECK(all / (1024 * MIB) == 1367); /* as bp-remote(7) says */
}

/* The part that is filled, and those on their way; bp-remote(7) has the figures. */
static void memory_grows_slowly_and_has_an_end(void)
{
    static const struct {
        uint64_t object_mib, held_mib;
    } most[] = {{24000, 48}, {56000, 64}, {120000, 128}, {376000, 256}, {1400000, 512}};
    uint64_t all = 0;
    size_t k = 0;

    for (int i = 0; i < MAX_PARTS; i++) {
        uint64_t part = part_size(i), running = part > PUT_BYTES ? part : PUT_BYTES;

        while (k < 5 && all >= most[k].object_mib * MIB)
            k++;
        NEED(k < 5);
        CHECK(part + running <= most[k].held_mib * MIB);
        all += part;
    }
}

UNIT_MAIN(T(parts_are_what_s3_allows), T(memory_grows_slowly_and_has_an_end))

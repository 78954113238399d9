/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 of reading CSV: the structural index. 64 bytes at a time become four
 * bit masks (delimiter, quote, LF, CR); the quote mask's prefix-xor says which
 * bytes stand inside quotes; what is left of delimiters and LFs is written out
 * as positions. A quote or CR in a place where libcsv's reading is not the
 * plain one (text after a closing quote, a quote inside an unquoted field, a
 * bare CR) sets `odd`, and the caller turns to libcsv.
 *
 * Three builds of the same step, chosen at run time (BP_SIMD=portable|avx2|avx512
 * forces one): AVX-512 (BW, VBMI2), AVX2 and portable C.
 */
#ifndef BP_FMT_CSV_SCAN_H
#define BP_FMT_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that must be readable, and neutral (blanks), behind what is scanned. */
#define CSV_PAD_BYTES 64

struct csv_scan {
    uint8_t delim, quote;
    bool quotes;                /* false: the quote byte means nothing */
    uint64_t inside;            /* all ones inside quotes, else 0 */
    uint64_t edge_quote;        /* 1: the byte before was a closing quote */
    uint64_t edge_cr;           /* 1: the byte before was a CR outside quotes */
    uint64_t odd;               /* not 0: not the plain reading, ask libcsv */
    uint64_t saw_quote, saw_cr; /* not 0: seen since the caller cleared it */
    bool saw_high, saw_nul;     /* bytes >= 0x80, bytes 0; as above */
    int64_t n_lf;               /* LFs outside quotes */
    uint32_t *idx;              /* positions of delimiters and LFs outside quotes */
    size_t n_idx;
};

struct csv_kernels {
    const char *name;
    /* Index p[from, to); from and to count from p. Works in steps of 64 from
     * `from`; the last step may read into the pad. p[from - 1] is readable; idx
     * has room for to - from + 128 more. */
    void (*scan)(struct csv_scan *s, const uint8_t *p, uint32_t from, uint32_t to);
    /* How often byte c stands in p[0, n). */
    size_t (*count)(const uint8_t *p, size_t n, uint8_t c);
    int level; /* 0 portable, 1 AVX2, 2 AVX-512 */
};

extern const struct csv_kernels csv_kernels_portable, csv_kernels_avx2, csv_kernels_avx512;

/* The best one this machine has, or the one BP_SIMD names if it has it. */
const struct csv_kernels *csv_kernels_pick(void);

#endif

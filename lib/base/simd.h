/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For files of kernels: include first. Loops are written plainly and left to
 * the compiler's vectoriser; BP_WIDE makes copies of a function for wider
 * vectors, chosen when the program starts. Sanitised builds and other
 * compilers do with one.
 */
#ifndef BP_BASE_SIMD_H
#define BP_BASE_SIMD_H

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) &&             \
    !defined(__SANITIZE_THREAD__)
#if __GNUC__ >= 12 /* by what the processor can do; an older name is that of one model */
#define BP_WIDE __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define BP_WIDE __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
#endif
#endif
#endif
#ifndef BP_WIDE
#define BP_WIDE
#endif

#endif

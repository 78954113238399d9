/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/pack.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <limits.h>
#include <lz4.h>
#include <pthread.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/snappy_unpack.h"
#include "codec/snappy_words.h"
#include "sys/library.h"

#define ZSTD_LEVEL 1
#define SNAPPY_WORK_BYTES ((size_t)192 << 10)
#define BROTLI_QUALITY 5
/* Of words, before their way is decided; what that may be worse by. */
#define SAMPLE_BYTES (32 << 10)
#define SAMPLE_LEAST_BYTES (8 << 10)
#define WORSE_SHARE 32

typedef int unpack_fn(const uint8_t *in, size_t n, uint8_t *out, size_t out_n, struct bp_err *err);
typedef int pack_fn(const uint8_t *in, size_t n, uint8_t *out, size_t *out_n, struct bp_err *err);
typedef size_t words_fn(const uint8_t *in, size_t n, size_t lead, uint8_t *out);

static int bad(struct bp_err *err, const char *codec)
{
    return bp_fail(err, BP_EDATA, "%s: the block is damaged, or not as long as it says", codec);
}

/* ---- none ---- */

static int none_unpack(const uint8_t *in, size_t n, uint8_t *out, size_t out_n, struct bp_err *err)
{
    if (n != out_n)
        return bad(err, "no codec");
    memcpy(out, in, n);
    return 0;
}

static int none_pack(const uint8_t *in, size_t n, uint8_t *out, size_t *out_n, struct bp_err *err)
{
    (void)err;
    memcpy(out, in, n);
    *out_n = n;
    return 0;
}

/* ---- snappy ---- */

static int snappy_unpack(const uint8_t *in, size_t n, uint8_t *out, size_t out_n,
                         struct bp_err *err)
{
    return bp_snappy_unpack(in, n, out, out_n) ? 0 : bad(err, "snappy");
}

static int snappy_pack(const uint8_t *in, size_t n, uint8_t *out, size_t *out_n, struct bp_err *err)
{
    static _Atomic(void *) compress_fn;
    void *f = compress_fn, *room;

    if (!f) {
        BP_TRY(bp_library_symbol("libsnappy.so.1", "libsnappy1v5", "snappy_compress", &f, err));
        compress_fn = f;
    }
    /* its working memory is taken by new, which ends the process where there is none: asked
     * for here before, that is an error as any other */
    room = bp_mem_new(SNAPPY_WORK_BYTES, 1, err);
    if (!room)
        return err->code;
    bp_mem_free(room);
    *out_n = bp_pack_bound(BP_PACK_SNAPPY, n);
    if (((__typeof__(&snappy_compress))f)((const char *)in, n, (char *)out, out_n) != SNAPPY_OK)
        return bp_fail(err, BP_EDATA, "snappy could not compress a block of %zu bytes", n);
    return 0;
}

/* ---- gzip ---- */

/* Several members may stand behind one another, as in a file. */
static int gzip_unpack(const uint8_t *in, size_t n, uint8_t *out, size_t out_n, struct bp_err *err)
{
    z_stream z = {0};
    int rc;

    if (n > UINT_MAX || out_n > UINT_MAX || inflateInit2(&z, 15 + 32) != Z_OK)
        return bad(err, "gzip");
    z.next_in = (Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)out_n;
    do
        rc = inflate(&z, Z_FINISH);
    while (rc == Z_STREAM_END && z.avail_in && inflateReset(&z) == Z_OK);
    rc = rc == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    return rc ? 0 : bad(err, "gzip");
}

static int gzip_pack(const uint8_t *in, size_t n, uint8_t *out, size_t *out_n, struct bp_err *err)
{
    z_stream z = {0};
    int rc;

    if (n > UINT_MAX ||
        deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return bp_fail(err, BP_ENOMEM, "gzip could not start");
    z.next_in = (Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)BP_MIN(bp_pack_bound(BP_PACK_GZIP, n), UINT_MAX);
    rc = deflate(&z, Z_FINISH);
    *out_n = z.total_out;
    deflateEnd(&z);
    return rc == Z_STREAM_END ? 0 : bp_fail(err, BP_EDATA, "gzip could not compress a block");
}

/* ---- brotli ---- */

static int brotli_unpack(const uint8_t *in, size_t n, uint8_t *out, size_t out_n,
                         struct bp_err *err)
{
    static _Atomic(void *) decompress;
    void *f = decompress;
    size_t len = out_n;

    if (!f) {
        BP_TRY(bp_library_symbol("libbrotlidec.so.1", "libbrotli1", "BrotliDecoderDecompress", &f,
                                 err));
        decompress = f;
    }
    if (((__typeof__(&BrotliDecoderDecompress))f)(n, in, &len, out) !=
            BROTLI_DECODER_RESULT_SUCCESS ||
        len != out_n)
        return bad(err, "brotli");
    return 0;
}

static int brotli_pack(const uint8_t *in, size_t n, uint8_t *out, size_t *out_n, struct bp_err *err)
{
    static _Atomic(void *) compress_fn;
    void *f = compress_fn;

    if (!f) {
        BP_TRY(
            bp_library_symbol("libbrotlienc.so.1", "libbrotli1", "BrotliEncoderCompress", &f, err));
        compress_fn = f;
    }
    *out_n = bp_pack_bound(BP_PACK_BROTLI, n);
    if (!((__typeof__(&BrotliEncoderCompress))f)(BROTLI_QUALITY, BROTLI_DEFAULT_WINDOW,
                                                 BROTLI_DEFAULT_MODE, n, in, out_n, out))
        return bp_fail(err, BP_EDATA, "brotli could not compress a block of %zu bytes", n);
    return 0;
}

/* ---- lz4 ---- */

static int lz4_unpack(const uint8_t *in, size_t n, uint8_t *out, size_t out_n, struct bp_err *err)
{
    if (n > INT_MAX || out_n > INT_MAX ||
        LZ4_decompress_safe((const char *)in, (char *)out, (int)n, (int)out_n) != (int)out_n)
        return bad(err, "lz4");
    return 0;
}

static int lz4_pack(const uint8_t *in, size_t n, uint8_t *out, size_t *out_n, struct bp_err *err)
{
    int got = n > LZ4_MAX_INPUT_SIZE ? 0
                                     : LZ4_compress_default((const char *)in, (char *)out, (int)n,
                                                            (int)bp_pack_bound(BP_PACK_LZ4, n));

    if (got <= 0)
        return bp_fail(err, BP_EDATA, "lz4 could not compress a block of %zu bytes", n);
    *out_n = (size_t)got;
    return 0;
}

static uint32_t big_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Hadoop's framing: sizes of what follows, big-endian, raw then packed, per block. */
static bool lz4_framed(const uint8_t *in, size_t n, uint8_t *out, size_t out_n)
{
    struct bp_err ignored = {0};

    while (n >= 8) {
        size_t raw = big_u32(in), packed = big_u32(in + 4);

        if (packed > n - 8 || raw > out_n || lz4_unpack(in + 8, packed, out, raw, &ignored) < 0)
            return false;
        in += 8 + packed;
        n -= 8 + packed;
        out += raw;
        out_n -= raw;
    }
    return n == 0 && out_n == 0;
}

static int lz4_hadoop_unpack(const uint8_t *in, size_t n, uint8_t *out, size_t out_n,
                             struct bp_err *err)
{
    return lz4_framed(in, n, out, out_n) ? 0 : lz4_unpack(in, n, out, out_n, err);
}

/* ---- zstd ---- */

static pthread_key_t zstd_key;
static pthread_once_t zstd_once = PTHREAD_ONCE_INIT;

static void free_context(void *p)
{
    ZSTD_freeDCtx(p);
}

static void make_key(void)
{
    if (pthread_key_create(&zstd_key, free_context) != 0)
        zstd_key = 0;
}

/* A context a thread: making one for each page would cost more than the page. */
static ZSTD_DCtx *zstd_context(void)
{
    ZSTD_DCtx *z;

    pthread_once(&zstd_once, make_key);
    z = pthread_getspecific(zstd_key);
    if (!z) {
        z = ZSTD_createDCtx();
        if (z && pthread_setspecific(zstd_key, z) != 0) {
            ZSTD_freeDCtx(z);
            return NULL;
        }
    }
    return z;
}

static int zstd_unpack(const uint8_t *in, size_t n, uint8_t *out, size_t out_n, struct bp_err *err)
{
    ZSTD_DCtx *z = zstd_context();

    if (!z)
        return bp_fail_oom(err, 1);
    if (ZSTD_decompressDCtx(z, out, out_n, in, n) != out_n)
        return bad(err, "zstd");
    return 0;
}

static int zstd_pack(const uint8_t *in, size_t n, uint8_t *out, size_t *out_n, struct bp_err *err)
{
    *out_n = ZSTD_compress(out, bp_pack_bound(BP_PACK_ZSTD, n), in, n, ZSTD_LEVEL);
    if (ZSTD_isError(*out_n))
        return bp_fail(err, BP_EDATA, "zstd: %s", ZSTD_getErrorName(*out_n));
    return 0;
}

/* ---- all ---- */

static const struct {
    const char *name;
    unpack_fn *unpack;
    pack_fn *pack;   /* NULL: not written */
    words_fn *words; /* NULL: no way of its own */
} codecs[BP_N_PACKS] = {
    [BP_PACK_NONE] = {"none", none_unpack, none_pack},
    [BP_PACK_SNAPPY] = {"snappy", snappy_unpack, snappy_pack, bp_snappy_words},
    [BP_PACK_GZIP] = {"gzip", gzip_unpack, gzip_pack},
    [BP_PACK_LZO] = {"lzo", NULL, NULL},
    [BP_PACK_BROTLI] = {"brotli", brotli_unpack, brotli_pack},
    [BP_PACK_LZ4_HADOOP] = {"lz4 of Hadoop", lz4_hadoop_unpack, NULL},
    [BP_PACK_ZSTD] = {"zstd", zstd_unpack, zstd_pack},
    [BP_PACK_LZ4] = {"lz4", lz4_unpack, lz4_pack},
};

int bp_unpack(enum bp_pack codec, const uint8_t *in, size_t in_bytes, uint8_t *out,
              size_t out_bytes, struct bp_err *err)
{
    if ((unsigned)codec >= BP_N_PACKS || !codecs[codec].unpack)
        return bp_fail(err, BP_EDATA, "compressed with %s, which is not read here",
                       (unsigned)codec < BP_N_PACKS ? codecs[codec].name : "an unknown codec");
    return codecs[codec].unpack(in, in_bytes, out, out_bytes, err);
}

size_t bp_pack_bound(enum bp_pack codec, size_t n)
{
    (void)codec;
    /* above what each of them states: n + n/6 (snappy), n/255 (lz4), n/256 (zstd) */
    return n + n / 4 + 1024;
}

int bp_pack_into(enum bp_pack codec, const uint8_t *in, size_t in_bytes, uint8_t *out,
                 size_t *out_bytes, struct bp_err *err)
{
    return codecs[codec].pack(in, in_bytes, out, out_bytes, err);
}

/* Does its own way make about as little of a part of them? */
static int ask_way(enum bp_pack codec, enum bp_pack_way *way, const uint8_t *in, size_t in_bytes,
                   size_t lead, uint8_t *out, struct bp_err *err)
{
    size_t n = BP_MIN(in_bytes, (size_t)SAMPLE_BYTES), as_bytes;

    BP_TRY(bp_pack_into(codec, in, n, out, &as_bytes, err));
    *way = codecs[codec].words(in, n, lead, out) <= as_bytes + as_bytes / WORSE_SHARE
               ? BP_PACK_WORDS
               : BP_PACK_BYTES;
    return 0;
}

int bp_pack_words_into(enum bp_pack codec, enum bp_pack_way *way, const uint8_t *in,
                       size_t in_bytes, size_t lead, uint8_t *out, size_t *out_bytes,
                       struct bp_err *err)
{
    if (codecs[codec].words && *way == BP_PACK_NOT_ASKED && in_bytes >= SAMPLE_LEAST_BYTES)
        BP_TRY(ask_way(codec, way, in, in_bytes, lead, out, err));
    if (!codecs[codec].words || *way != BP_PACK_WORDS)
        return bp_pack_into(codec, in, in_bytes, out, out_bytes, err);
    *out_bytes = codecs[codec].words(in, in_bytes, lead, out);
    return 0;
}

int bp_pack_by_name(const char *name)
{
    for (int i = 0; i < BP_N_PACKS; i++)
        if (codecs[i].pack && strcmp(name, codecs[i].name) == 0)
            return i;
    return -1;
}

const char *bp_pack_name(enum bp_pack codec)
{
    return (unsigned)codec < BP_N_PACKS ? codecs[codec].name : NULL;
}

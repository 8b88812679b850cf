/* A pinned zlib as a WebAssembly module that packs one stream at a time: the same bytes on every machine, and the bytes of
 * two other families of writers as well. See README.md. No copy of zlib lies here; see build.sh. */
#include "zlib.h"

#define IN_BYTES (256 * 1024)
#define OUT_BYTES (1024 * 1024)
#define HEAP_BYTES (512 * 1024)

extern int hash_of_four;
extern int early_blocks;

static Bytef input[IN_BYTES];
static Bytef output[OUT_BYTES];
static Bytef heap[HEAP_BYTES];
static unsigned used;
static z_stream stream;

static voidpf take(voidpf opaque, uInt items, uInt size)
{
    unsigned bytes = (items * size + 15) & ~15u;
    voidpf got = heap + used;
    (void)opaque;
    if (bytes > HEAP_BYTES - used) return Z_NULL;
    used += bytes;
    return got;
}

static void leave(voidpf opaque, voidpf address)
{
    (void)opaque;
    (void)address;
}

uLong ZEXPORT adler32(uLong adler, const Bytef *data, uInt size)
{
    (void)data;
    (void)size;
    return adler;
}

const char *const z_errmsg[10];

void zmemcpy(Bytef *to, const Bytef *from, uInt size) { __builtin_memcpy(to, from, size); }

void zmemzero(Bytef *to, uInt size) { __builtin_memset(to, 0, size); }

Bytef *input_at(void) { return input; }

Bytef *output_at(void) { return output; }

/* Begin a raw stream; what was there before is forgotten. Zero if the parameters are possible. */
int start(int level, int memory, int strategy, int window, int family)
{
    if (family < 0 || family > 2) return Z_STREAM_ERROR;
    hash_of_four = family == 1;
    early_blocks = family == 2;
    used = 0;
    __builtin_memset(heap, 0, HEAP_BYTES);
    stream.zalloc = take;
    stream.zfree = leave;
    stream.opaque = Z_NULL;
    return deflateInit2(&stream, level, Z_DEFLATED, -window, memory, strategy);
}

/* Pack the input's first bytes, and end the stream if asked to. How many bytes of output there are, or less than zero. */
int pack(unsigned size, int end)
{
    int result;
    if (size > IN_BYTES) return -1;
    stream.next_in = input;
    stream.avail_in = size;
    stream.next_out = output;
    stream.avail_out = OUT_BYTES;
    result = deflate(&stream, end ? Z_FINISH : Z_NO_FLUSH);
    if (stream.avail_in != 0 || stream.avail_out == 0) return -1;
    if (end ? result != Z_STREAM_END : (result != Z_OK && result != Z_BUF_ERROR)) return -1;
    return (int)(OUT_BYTES - stream.avail_out);
}

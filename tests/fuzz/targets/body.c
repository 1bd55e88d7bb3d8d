/*
 * A request's body as it comes in, and out of gzip (src/server/body.c). Of an input, two bytes are
 * the limit, two how much all other bodies have left of what all may take, one how it is cut into
 * pieces and one whether it is gzip already, its beginning, or made gzip here.
 */

#include "../../../src/server/body.h"
#include "../fuzz.h"

#include <zlib.h>

#define GZIP (15 + 16)
#define PLAIN_MAX ((size_t)4 << 20)

typedef struct {
    ms_slice bytes;
    size_t limit;
    size_t piece;
    size_t others; /* what other bodies take */
} arrival;

static ms_body
arrived(const arrival *how, atomic_size_t *taken)
{
    ms_body body;
    atomic_init(taken, how->others);
    ms_body_init(&body, how->limit, taken);
    EXPECT(ms_body_text(&body).len == 0);
    for (size_t at = 0; at < how->bytes.len; at += how->piece) {
        size_t left = how->bytes.len - at;
        ms_body_add(&body, how->bytes.ptr + at, left < how->piece ? left : how->piece);
    }
    EXPECT(body.len == how->bytes.len && body.room <= body.limit);
    EXPECT(atomic_load(taken) <= MS_BODIES_MAX);
    return body;
}

/* It holds all of `expected`, or says why not; and gives back what it took. */
static void
check_text(ms_body *body, const arrival *how, ms_slice expected)
{
    ms_slice text = ms_body_text(body);
    if (expected.len <= how->limit && !body->lacking) {
        EXPECT(ms_slice_equal(text, expected));
    } else {
        EXPECT(text.len == 0);
    }
    EXPECT(!body->lacking || how->others + how->limit > MS_BODIES_MAX);
    ms_body_free(body);
    EXPECT(atomic_load(body->taken) == how->others && ms_body_text(body).len == 0);
}

/* What zlib makes of it, each member at one go; a NULL ptr if it is no whole gzip. */
static ms_slice
unpacked(ms_slice packed)
{
    static char plain[PLAIN_MAX];
    z_stream stream = {.next_in = (unsigned char *)packed.ptr,
                       .avail_in = (uInt)packed.len,
                       .next_out = (unsigned char *)plain,
                       .avail_out = sizeof plain};
    EXPECT(inflateInit2(&stream, GZIP) == Z_OK);
    int result = Z_OK;
    do {
        result = inflate(&stream, Z_FINISH);
    } while (result == Z_STREAM_END && stream.avail_in > 0 && inflateReset(&stream) == Z_OK);
    (void)inflateEnd(&stream);
    bool whole = result == Z_STREAM_END && stream.avail_in == 0;
    bool beyond = stream.avail_out == 0;
    return whole || beyond ? fuzz_copy((ms_slice){plain, sizeof plain - stream.avail_out})
                           : (ms_slice){NULL, 0};
}

static ms_slice
packed_from(ms_slice plain, int level)
{
    z_stream stream = {.next_in = (unsigned char *)plain.ptr, .avail_in = (uInt)plain.len};
    EXPECT(deflateInit2(&stream, level, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&stream, plain.len);
    char *bytes = fuzz_memory(room);
    stream.next_out = (unsigned char *)bytes;
    stream.avail_out = (uInt)room;
    EXPECT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    ms_slice packed = {bytes, room - stream.avail_out};
    EXPECT(deflateEnd(&stream) == Z_OK);
    return fuzz_copy(packed);
}

/* In two members. */
static ms_slice
packed_twice(ms_slice plain, int level)
{
    size_t half = plain.len / 2;
    ms_slice first = packed_from((ms_slice){plain.ptr, half}, level);
    ms_slice second = packed_from((ms_slice){plain.ptr + half, plain.len - half}, level);
    char *bytes = fuzz_memory(first.len + second.len);
    memcpy(bytes, first.ptr, first.len);
    memcpy(bytes + first.len, second.ptr, second.len);
    return (ms_slice){bytes, first.len + second.len};
}

static void
check_gunzip(const arrival *how)
{
    atomic_size_t taken;
    ms_body body = arrived(how, &taken);
    ms_slice expected = unpacked(ms_body_text(&body));
    bool lacked = body.lacking;
    bool whole = ms_body_gunzip(&body);
    if (how->bytes.len > how->limit || lacked) {
        ms_body_free(&body);
        return; /* nobody asks then */
    }
    if (!whole) {
        EXPECT(body.len == 0 && ms_body_text(&body).len == 0);
        EXPECT(expected.ptr == NULL);
        ms_body_free(&body);
        EXPECT(atomic_load(&taken) == how->others);
    } else if (expected.ptr == NULL) {
        EXPECT(body.len > how->limit || body.lacking); /* it need not be read to its end */
        check_text(&body, how, (ms_slice){"", how->limit + 1});
    } else {
        EXPECT(body.lacking || body.len == expected.len || body.len > how->limit);
        check_text(&body, how, expected);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    arrival how = {.limit = fuzz_short(&in)};
    size_t left = fuzz_short(&in);
    size_t piece = fuzz_byte(&in);
    unsigned int form = fuzz_byte(&in);
    how.piece = piece == 0 ? 4096 : piece;
    how.others = left % 16 == 0 ? MS_BODIES_MAX - left : 0;
    how.bytes = fuzz_rest(&in);

    atomic_size_t taken;
    ms_body body = arrived(&how, &taken);
    check_text(&body, &how, how.bytes);
    if (form % 4 == 0) {
        check_gunzip(&how);
        fuzz_forget();
        return 0;
    }
    ms_slice plain = how.bytes;
    int level = (int)(form / 4 % 10);
    how.bytes = form % 4 == 3 ? packed_twice(plain, level) : packed_from(plain, level);
    if (form % 4 != 2 && how.bytes.len <= how.limit && how.others == 0) {
        body = arrived(&how, &taken);
        EXPECT(ms_body_gunzip(&body));
        check_text(&body, &how, plain);
    }
    if (form % 4 == 2) {
        how.bytes = fuzz_copy((ms_slice){how.bytes.ptr, how.bytes.len * (form / 4) / 64});
    }
    check_gunzip(&how);
    fuzz_forget();
    return 0;
}

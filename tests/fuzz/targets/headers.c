/*
 * What requests say in their headers, and the cookie that comes along in bodies. The first byte
 * chooses which.
 */

#include "../../../src/server/client_address.h"
#include "../../../src/server/framing.h"
#include "../../../src/server/intake/cookie.h"
#include "../../../src/server/intake/write_keys.h"
#include "../../../src/server/origin.h"
#include "../connection.h"
#include "../fuzz.h"
#include "../standards.h"

#include <arpa/inet.h>

#define MUNCHKIN_ID "561-HYG-937"

/* ---- the cookie ---- */

static ms_slice
percent_encoded(ms_slice text)
{
    ms_arena arena = fuzz_arena(3 * text.len + 1);
    const char *start = ms_text_begin(&arena);
    ms_text_encoded(&arena, text, ms_component_set);
    return ms_text_end(&arena, start);
}

static void
check_cookie(fuzz_input *in)
{
    ms_slice text = fuzz_rest(in);
    ms_slice cookie;
    ms_slice again;
    ms_arena arena = fuzz_arena(4096);
    ms_status status = ms_cookie_read(&arena, text, MS_SLICE(MUNCHKIN_ID), &cookie);
    EXPECT(status == MS_OK || status == MS_COOKIE_INVALID || status == MS_COOKIE_FOREIGN);
    EXPECT((status == MS_OK) == (cookie.len > 0));
    if (status != MS_OK) {
        return;
    }
    static const char start[] = "id:" MUNCHKIN_ID "&token:_mch-";
    ms_slice token = ms_cookie_token(cookie);
    ms_slice domain = ms_cookie_domain(cookie);
    EXPECT(cookie.len >= sizeof start && memcmp(cookie.ptr, start, sizeof start - 1) == 0);
    EXPECT(is_graphic(cookie) && cookie.len <= MS_COOKIE_MAX);
    EXPECT(memchr(token.ptr, '&', token.len) == NULL && memchr(token.ptr, '%', token.len) == NULL);
    EXPECT(token.ptr + token.len == cookie.ptr + cookie.len);
    EXPECT(domain.len == 0 ||
           (domain.ptr > token.ptr && domain.ptr + domain.len < token.ptr + token.len));
    EXPECT(ms_cookie_read(&arena, cookie, MS_SLICE(MUNCHKIN_ID), &again) == MS_OK);
    EXPECT(ms_slice_equal(again, cookie));
    EXPECT(ms_cookie_read(&arena, percent_encoded(cookie), MS_SLICE(MUNCHKIN_ID), &again) == MS_OK);
    EXPECT(ms_slice_equal(again, cookie));
    EXPECT(ms_cookie_read(&arena, cookie, MS_SLICE("123-ABC-456"), &again) == MS_COOKIE_FOREIGN);
    ms_arena small = fuzz_arena(cookie.len);
    EXPECT(ms_cookie_read(&small, text, MS_SLICE(MUNCHKIN_ID), &again) == MS_OUT_OF_MEMORY);
}

/* ---- Origin ---- */

static void
check_origin(fuzz_input *in)
{
    ms_origins origins = {.count = 0};
    char *first = fuzz_string(fuzz_text(in, '\0'));
    char *asked = fuzz_string(fuzz_rest(in));
    char *written = fuzz_string(ms_slice_from(first));
    if (!ms_origins_add(&origins, first)) {
        EXPECT(origins.count == 0 && !ms_origins_allow(&origins, written));
        return;
    }
    ms_slice origin = ms_slice_from(first);
    const char *host = strstr(first, "://");
    EXPECT(is_graphic(origin) && host != NULL && strpbrk(host + 3, "/?#@\\,*") == NULL);
    EXPECT(strncmp(first, "http://", 7) == 0 || strncmp(first, "https://", 8) == 0);
    EXPECT(ms_origins_allow(&origins, first));
    EXPECT(ms_origins_allow(&origins, asked) == ms_slice_equal_fold(ms_slice_from(asked), origin));
    ms_origins again = {.count = 0};
    char *same = fuzz_string(origin);
    EXPECT(ms_origins_add(&again, same) && ms_slice_equal(ms_slice_from(same), origin));
}

/* ---- Authorization ---- */

/* "Basic " and the base64 of `text`. */
static char *
basic(ms_slice text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *header = fuzz_memory(16 + 2 * text.len);
    char *to = stpcpy(header, "Basic ");
    for (size_t i = 0; i < text.len; i += 3) {
        unsigned long bits = 0;
        for (size_t j = i; j < i + 3; j++) {
            bits = bits << 8 | (j < text.len ? (unsigned char)text.ptr[j] : 0);
        }
        for (size_t j = 0; j < 4; j++) {
            *to++ = (char)(j > text.len - i ? '=' : digits[bits >> (18 - 6 * j) & 63]);
        }
    }
    *to = '\0';
    return header;
}

static void
check_authorization(fuzz_input *in)
{
    ms_write_keys keys = {.count = 0};
    ms_slice key = fuzz_text(in, '\n');
    ms_slice other = fuzz_text(in, '\n');
    ms_slice credentials = fuzz_text(in, '\n');
    char *raw = fuzz_string(fuzz_rest(in));
    (void)ms_write_keys_add(&keys, MS_SLICE("the first key"));
    EXPECT(keys.count == 0);
    bool added = ms_write_keys_add(&keys, key);
    bool graphic = key.len > 0 && is_graphic(key) && memchr(key.ptr, ':', key.len) == NULL;
    EXPECT(added == (graphic && key.len <= MS_WRITE_KEY_MAX));
    EXPECT(ms_write_keys_hold(&keys, key) == added);
    EXPECT(ms_write_keys_hold(&keys, other) == (added && ms_slice_equal(key, other)));
    const char *colon = credentials.len == 0 ? NULL : memchr(credentials.ptr, ':', credentials.len);
    ms_slice user = {credentials.ptr,
                     colon == NULL ? credentials.len : (size_t)(colon - credentials.ptr)};
    EXPECT(ms_write_keys_authorize(&keys, basic(credentials)) ==
           (added && ms_slice_equal(user, key)));
    if (ms_write_keys_authorize(&keys, raw)) {
        EXPECT(strncasecmp(raw, "Basic ", 6) == 0 && strlen(raw) >= 6 + (key.len * 4 + 2) / 3);
    }
}

/* ---- X-Forwarded-For ---- */

static struct in6_addr
client_of(struct MHD_Connection *connection, const ms_proxies *trusted)
{
    struct sockaddr_in6 client;
    EXPECT(ms_client_address(connection, trusted, &client));
    EXPECT(client.sin6_family == AF_INET6 && client.sin6_port == 0);
    return client.sin6_addr;
}

static bool
is_one_of(const ms_proxies *proxies, const struct in6_addr *address)
{
    for (size_t i = 0; i < proxies->count; i++) {
        if (memcmp(&proxies->list[i], address, sizeof *address) == 0) {
            return true;
        }
    }
    return false;
}

static void
check_client_address(fuzz_input *in)
{
    ms_proxies proxies = {.count = 0};
    struct MHD_Connection direct = {.count = 0};
    struct MHD_Connection connection = {.count = 0};
    struct MHD_Connection spoofed = {.count = 0};
    ms_proxies peers = {.count = 0};
    if (!ms_proxies_add(&peers, fuzz_string(fuzz_text(in, '\n')))) {
        (void)ms_proxies_add(&peers, "10.0.0.1");
    }
    char *list = fuzz_string(fuzz_text(in, '\n'));
    for (char *proxy = strtok(list, " "); proxy != NULL; proxy = strtok(NULL, " ")) {
        (void)ms_proxies_add(&proxies, proxy);
    }
    EXPECT(proxies.count <= MS_PROXIES_MAX);
    struct in6_addr peer = peers.list[0];
    connection_from(&direct, &peer);
    connection_from(&connection, &peer);
    connection_from(&spoofed, &peer);
    connection_add(&spoofed, "x-forwarded-for", MS_SLICE("1.2.3.4, 2001:db8::99"));
    while (in->len > 0) {
        ms_slice header = fuzz_text(in, '\n');
        connection_add(&connection, "X-Forwarded-For", header);
        connection_add(&spoofed, "X-Forwarded-For", header);
    }
    struct in6_addr client = client_of(&connection, &proxies);
    struct in6_addr without = client_of(&direct, &proxies);
    EXPECT(memcmp(&without, &peer, sizeof peer) == 0);
    if (!is_one_of(&proxies, &peer)) {
        EXPECT(memcmp(&client, &peer, sizeof peer) == 0);
    }
    /* Whom no proxy vouches for cannot change that by what it writes in front. */
    if (!is_one_of(&proxies, &client) && connection.count < HEADERS_MAX / 2) {
        struct in6_addr then = client_of(&spoofed, &proxies);
        EXPECT(memcmp(&then, &client, sizeof client) == 0);
    }
    char text[INET6_ADDRSTRLEN];
    EXPECT(inet_ntop(AF_INET6, &client, text, sizeof text) != NULL);
    ms_proxies again = {.count = 0};
    EXPECT(ms_proxies_add(&again, text) && memcmp(&again.list[0], &client, sizeof client) == 0);
}

/* ---- framing ---- */

/* As libmicrohttpd takes a head apart: the marks behind each text have become zeros. */
static char *
put(ms_arena *head, ms_slice text, size_t marks)
{
    char *place = ms_text_begin(head);
    ms_text_append(head, text);
    for (size_t i = 0; i < marks; i++) {
        ms_text_byte(head, '\0');
    }
    EXPECT(!head->exhausted);
    return place;
}

/* Does something stand behind a zero that was sent? Behind four, it cannot be seen of the last
 * header: there the head could have ended. */
static bool
hides_something(const char *value, size_t len)
{
    size_t zero = strlen(value);
    for (size_t i = zero; i < len && i < zero + 4; i++) {
        if (value[i] != '\0' && value[i] != ' ' && value[i] != '\t') {
            return true;
        }
    }
    return false;
}

static void
check_framing(fuzz_input *in)
{
    struct MHD_Connection connection = {.count = 0};
    ms_arena head = fuzz_arena(2 * in->len + (size_t)4 * HEADERS_MAX + 32);
    size_t lengths = 0;
    size_t encodings = 0;
    size_t hosts = 0;
    unsigned long long longest = 0;
    bool hidden = false;
    const ms_framing_line line = {.method = put(&head, MS_SLICE("POST"), 1),
                                  .path = put(&head, MS_SLICE("/v1/hash"), 1),
                                  .version = put(&head, MS_SLICE("HTTP/1.1"), 2)};
    while (in->len > 0 && connection.count < HEADERS_MAX) {
        /* Of a name with a zero libmicrohttpd makes none. */
        const char *name = put(&head, ms_slice_from(fuzz_string(fuzz_text(in, ':'))), 2);
        ms_slice text = fuzz_text(in, '\n');
        const char *value = put(&head, text, 2);
        hidden = hidden || hides_something(value, text.len);
        connection.names[connection.count] = name;
        connection.values[connection.count++] = value;
        lengths += strcasecmp(name, "Content-Length") == 0;
        encodings += strcasecmp(name, "Transfer-Encoding") == 0;
        hosts += strcasecmp(name, "Host") == 0;
        if (strcasecmp(name, "Content-Length") == 0) {
            longest = strtoull(value, NULL, 10);
        }
    }
    (void)put(&head, MS_SLICE(""), 2);
    ms_status status = ms_framing_check(&connection, &line);
    EXPECT(status == MS_OK || status == MS_FRAMING_INVALID || status == MS_BODY_TOO_LARGE);
    if (status == MS_OK) {
        EXPECT(!hidden && hosts <= 1 && lengths + encodings <= 1 && longest <= MS_DISCARD_MAX);
        const char *length =
            MHD_lookup_connection_value(&connection, MHD_HEADER_KIND, "Content-Length");
        EXPECT(length == NULL || strspn(length, "0123456789") == strlen(length));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    switch (fuzz_byte(&in)) {
    case 'c':
        check_cookie(&in);
        break;
    case 'o':
        check_origin(&in);
        break;
    case 'a':
        check_authorization(&in);
        break;
    case 'x':
        check_client_address(&in);
        break;
    case 'f':
        check_framing(&in);
        break;
    default:
        break;
    }
    fuzz_forget();
    return 0;
}

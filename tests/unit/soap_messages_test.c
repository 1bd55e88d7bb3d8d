/*
 * What the SOAP backend says and understands.
 *
 *     soap-messages-test DIRECTORY    with the vectors of tests/vectors
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vectors.h"

#include "../../src/core/hex.h"
#include "../../src/server/marketo/soap_reply.h"
#include "../../src/server/marketo/soap_request.h"

#include <libxml/parser.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static const char *directory;

/* Bytes that libxml2 has, and the most it had. */
static size_t taken;
static size_t taken_most;

static void *
count(void *memory)
{
    taken += malloc_usable_size(memory);
    taken_most = taken > taken_most ? taken : taken_most;
    return memory;
}

static void
counted_free(void *memory)
{
    taken -= malloc_usable_size(memory);
    free(memory);
}

static void *
counted_malloc(size_t size)
{
    return count(malloc(size));
}

static void *
counted_realloc(void *memory, size_t size)
{
    taken -= malloc_usable_size(memory);
    return count(realloc(memory, size));
}

static char *
counted_strdup(const char *text)
{
    return count(strdup(text));
}

static int64_t
number_of(const cJSON *object, const char *name)
{
    const cJSON *number = ms_json_member(object, name);
    return cJSON_IsNumber(number) ? (int64_t)number->valuedouble : 0;
}

static ms_due_lead
lead_of(const cJSON *vector)
{
    const cJSON *lead = ms_json_member(vector, "lead");
    return (ms_due_lead){.marketo_id = number_of(lead, "marketoId"),
                         .email = ms_json_string(lead, "email"),
                         .user_id = ms_json_string(lead, "userId"),
                         .cookie = ms_json_string(lead, "cookie"),
                         .fields = ms_json_string(lead, "fields")};
}

/* The envelope in exactly `size` bytes, so that the sanitizers see the first one too many. */
static ms_status
envelope_within(const cJSON *vector, size_t size, char **text)
{
    ms_soap_account account = {ms_json_string(vector, "userId"),
                               ms_json_string(vector, "encryptionKey")};
    ms_due_lead lead = lead_of(vector);
    ms_slice envelope;
    ms_arena arena;
    void *memory = malloc(size == 0 ? 1 : size);
    assert_non_null(memory);
    ms_arena_init(&arena, memory, size);
    ms_status status =
        ms_soap_write_sync(&arena, &account, number_of(vector, "now"), &lead, &envelope);
    *text = status == MS_OK ? strndup(envelope.ptr, envelope.len) : NULL;
    free(memory);
    return status;
}

static size_t
room_for(const cJSON *vector)
{
    ms_soap_account account = {ms_json_string(vector, "userId"),
                               ms_json_string(vector, "encryptionKey")};
    ms_due_lead lead = lead_of(vector);
    return ms_soap_room(&account, &lead);
}

static void
test_envelopes(void **state)
{
    (void)state;
    vector_file file = vector_file_read(directory, "soap_sync");
    for (const cJSON *vector = file.vectors; vector != NULL; vector = vector->next) {
        const char *expected = cJSON_GetStringValue(ms_json_member(vector, "envelope"));
        const char *error = cJSON_GetStringValue(ms_json_member(vector, "error"));
        char *text = NULL;
        ms_status status = envelope_within(vector, room_for(vector), &text);
        if (error != NULL) {
            assert_string_equal(ms_status_code(status), error);
        } else {
            assert_int_equal(status, MS_OK);
            assert_string_equal(text, expected);
        }
        free(text);
    }
    vector_file_free(&file);
}

static void
test_too_little_memory(void **state)
{
    (void)state;
    vector_file file = vector_file_read(directory, "soap_sync");
    for (const cJSON *vector = file.vectors; vector != NULL; vector = vector->next) {
        const char *expected = cJSON_GetStringValue(ms_json_member(vector, "envelope"));
        if (expected == NULL) {
            continue;
        }
        for (size_t size = 0; size < room_for(vector); size += 7) {
            char *text = NULL;
            ms_status status = envelope_within(vector, size, &text);
            assert_true(status == MS_OUT_OF_MEMORY || status == MS_OK);
            if (text != NULL) {
                assert_string_equal(text, expected);
            }
            free(text);
        }
    }
    vector_file_free(&file);
}

static void
append_utf8(ms_arena *out, uint32_t code)
{
    if (code < 0x80) {
        ms_text_byte(out, (char)code);
        return;
    }
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    int more = code >= 0x10000 ? 3 : code >= 0x800 ? 2 : 1;
    ms_text_byte(out, (char)(leads[more] | (code >> (6U * (unsigned)more))));
    while (more-- > 0) {
        ms_text_byte(out, (char)(0x80U | ((code >> (6U * (unsigned)more)) & 0x3FU)));
    }
}

static bool
xml_has(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0xFFFD) ||
           code >= 0x10000;
}

/* Every character there is comes out of an XML parser as it went in, or as U+FFFD. */
static void
test_every_character(void **state)
{
    (void)state;
    const size_t size = (size_t)16 << 20;
    char *memory = malloc(size);
    char *other = malloc(size);
    ms_arena plain;
    ms_arena written;
    assert_non_null(memory);
    assert_non_null(other);
    ms_arena_init(&plain, memory, size);
    ms_arena_init(&written, other, size);
    for (uint32_t code = 1; code <= 0x10FFFF; code += code < 0x11000 ? 1 : 97) {
        if (code < 0xD800 || code > 0xDFFF) {
            append_utf8(&plain, code);
        }
    }
    ms_slice text = {memory, plain.used};
    ms_text_append(&written, MS_SLICE("<x>"));
    ms_soap_write_text(&written, text);
    ms_text_append(&written, MS_SLICE("</x>"));
    assert_false(written.exhausted);

    xmlDoc *document =
        xmlReadMemory(other, (int)written.used, NULL, "UTF-8", XML_PARSE_NONET | XML_PARSE_HUGE);
    assert_non_null(document);
    xmlChar *content = xmlNodeGetContent(xmlDocGetRootElement(document));
    ms_arena_init(&written, other, size);
    for (uint32_t code = 1; code <= 0x10FFFF; code += code < 0x11000 ? 1 : 97) {
        if (code < 0xD800 || code > 0xDFFF) {
            append_utf8(&written, xml_has(code) ? code : 0xFFFD);
        }
    }
    ms_slice back = ms_slice_from((const char *)content);
    assert_int_equal(back.len, written.used);
    assert_memory_equal(back.ptr, other, back.len);
    xmlFree(content);
    xmlFreeDoc(document);
    free(memory);
    free(other);
}

static void
test_timestamps(void **state)
{
    (void)state;
    char text[MS_SOAP_TIMESTAMP];
    assert_true(ms_soap_timestamp(INT64_C(1370815494000), text));
    assert_memory_equal(text, "2013-06-09T22:04:54+00:00", sizeof text);
    assert_false(ms_soap_timestamp(INT64_MAX, text));
}

static void
test_get_lead(void **state)
{
    (void)state;
    static const char asked[] =
        "<SOAP-ENV:Body><ns1:paramsGetLead><leadKey><keyType>EMAIL</keyType>"
        "<keyValue>a&amp;b@c.co</keyValue></leadKey></ns1:paramsGetLead></SOAP-ENV:Body>";
    char memory[4096];
    ms_soap_account account = {MS_SLICE("user"), MS_SLICE("key")};
    ms_arena arena;
    ms_slice envelope;
    ms_arena_init(&arena, memory, sizeof memory);
    assert_int_equal(ms_soap_write_get(&arena, &account, 0, MS_SLICE("a&b@c.co"), &envelope),
                     MS_OK);
    assert_non_null(strstr(envelope.ptr, asked));
    for (size_t size = 0; size < envelope.len; size++) {
        char less[4096];
        ms_slice none;
        ms_arena_init(&arena, less, size);
        assert_int_equal(ms_soap_write_get(&arena, &account, 0, MS_SLICE("a&b@c.co"), &none),
                         MS_OUT_OF_MEMORY);
    }
}

/* A copy that ends where its memory ends. */
static ms_soap_reply
read_exactly(const char *text, size_t len)
{
    ms_soap_reply reply;
    char *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    memcpy(copy, text, len);
    ms_soap_reply_read((ms_slice){copy, len}, &reply);
    free(copy);
    return reply;
}

static size_t
bytes_of(const cJSON *vector, char **bytes)
{
    ms_slice hex = ms_json_string(vector, "replyHex");
    ms_slice text = ms_json_string(vector, "reply");
    *bytes = malloc(text.len + hex.len + 1);
    assert_non_null(*bytes);
    memcpy(*bytes, text.ptr, text.len);
    for (size_t i = 0; i < hex.len; i += 2) {
        (*bytes)[i / 2] = (char)ms_hex_value(hex.ptr + i, hex.ptr + hex.len, 2);
    }
    return text.len + hex.len / 2;
}

static void
expect_text(const cJSON *vector, const char *name, const char *actual)
{
    const cJSON *expected = ms_json_member(vector, name);
    if (expected != NULL && strcmp(actual, cJSON_GetStringValue(expected)) != 0) {
        fail_msg("%s: %s is \"%s\"", cJSON_GetStringValue(ms_json_member(vector, "name")), name,
                 actual);
    }
}

static void
test_replies(void **state)
{
    (void)state;
    static const char *const outcomes[] = {[MS_SOAP_SYNCED] = "synced",
                                           [MS_SOAP_FOUND] = "found",
                                           [MS_SOAP_FAULT] = "fault",
                                           [MS_SOAP_NO_REPLY] = "none"};
    static const char *const reactions[] = {
        [MS_SOAP_SIGN_AGAIN] = "sign_again",   [MS_SOAP_QUOTA] = "quota",
        [MS_SOAP_SLOW_DOWN] = "slow_down",     [MS_SOAP_FEWER] = "fewer",
        [MS_SOAP_BACK_OFF] = "back_off",       [MS_SOAP_LOCKED] = "locked",
        [MS_SOAP_CREDENTIALS] = "credentials", [MS_SOAP_REFUSED] = "refused",
        [MS_SOAP_UNKNOWN] = "unknown"};
    vector_file file = vector_file_read(directory, "soap_reply");
    for (const cJSON *vector = file.vectors; vector != NULL; vector = vector->next) {
        char *bytes = NULL;
        size_t len = bytes_of(vector, &bytes);
        ms_soap_reply reply = read_exactly(bytes, len);
        expect_text(vector, "outcome", outcomes[reply.outcome]);
        expect_text(vector, "status", reply.status);
        expect_text(vector, "code", reply.code);
        expect_text(vector, "message", reply.message);
        expect_text(vector, "reaction", reactions[ms_soap_react(&reply)]);
        assert_int_equal(reply.lead_id, number_of(vector, "leadId"));
        free(bytes);
    }
    vector_file_free(&file);
}

/* Cut off anywhere, a success is none; with any byte changed, nothing goes wrong. */
static void
test_damaged_replies(void **state)
{
    (void)state;
    vector_file file = vector_file_read(directory, "soap_reply");
    for (const cJSON *vector = file.vectors; vector != NULL; vector = vector->next) {
        ms_slice text = ms_json_string(vector, "reply");
        bool says_nothing =
            strcmp("none", cJSON_GetStringValue(ms_json_member(vector, "outcome"))) == 0;
        for (size_t len = 0; !says_nothing && len + 1 < text.len; len++) {
            assert_int_equal(read_exactly(text.ptr, len).outcome, MS_SOAP_NO_REPLY);
        }
        char *copy = strndup(text.ptr, text.len);
        assert_non_null(copy);
        for (size_t i = 0; i < text.len; i += 3) {
            static const char bytes[] = {0, '<', '&', '>', '"', (char)0x80, (char)0xFF};
            copy[i] = bytes[i % sizeof bytes];
            (void)read_exactly(copy, text.len);
            copy[i] = text.ptr[i];
        }
        free(copy);
    }
    vector_file_free(&file);
}

#define OPENING                                                                                    \
    "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' "                             \
    "xmlns:m='http://www.marketo.com/mktows/'><e:Body>"
#define CLOSING "</e:Body></e:Envelope>"

/* `piece` as often as it fits into `most` bytes, between two texts. */
static ms_soap_reply
read_filled(size_t most, const char *before, const char *piece, const char *after)
{
    char *body = malloc(most);
    ms_arena arena;
    assert_non_null(body);
    ms_arena_init(&arena, body, most);
    ms_text_append(&arena, ms_slice_from(before));
    while (arena.used + strlen(piece) + strlen(after) <= most) {
        ms_text_append(&arena, ms_slice_from(piece));
    }
    ms_text_append(&arena, ms_slice_from(after));
    assert_false(arena.exhausted);
    ms_soap_reply reply;
    ms_soap_reply_read((ms_slice){body, arena.used}, &reply);
    free(body);
    return reply;
}

/* Into the longest answer that there may be. */
static ms_soap_reply
read_repeated(const char *before, const char *piece, const char *after)
{
    return read_filled(MS_SOAP_REPLY_MAX, before, piece, after);
}

static void
test_large_replies(void **state)
{
    (void)state;
    static const char success[] =
        "<m:successSyncLead><result><leadId>5</leadId></result></m:successSyncLead>" CLOSING;
    size_t before = taken;
    taken_most = taken;

    assert_int_equal(read_repeated(OPENING, "<x/>", success).outcome, MS_SOAP_SYNCED);
    assert_int_equal(read_filled(MS_SOAP_REPLY_MAX + 4, OPENING, "<x/>", success).outcome,
                     MS_SOAP_NO_REPLY);
    assert_int_equal(read_repeated(OPENING "<x>", "blah ", "</x>").outcome, MS_SOAP_NO_REPLY);
    assert_int_equal(read_repeated(OPENING, "<x>", "").outcome, MS_SOAP_NO_REPLY);
    assert_int_equal(read_repeated(OPENING "<x ", "a='", "'/>").outcome, MS_SOAP_NO_REPLY);
    assert_int_equal(read_repeated(OPENING "<", "x", "/>").outcome, MS_SOAP_NO_REPLY);
    assert_int_equal(read_repeated(OPENING "<!--", "x", "-->").outcome, MS_SOAP_NO_REPLY);
    assert_int_equal(read_repeated("", "\n", "").outcome, MS_SOAP_NO_REPLY);
    assert_int_equal(read_repeated("<!DOCTYPE x [", "<!ENTITY a 'b'>", "").outcome,
                     MS_SOAP_NO_REPLY);

    /* A message that does not end is cut, and not within a character. */
    ms_soap_reply reply =
        read_repeated(OPENING "<e:Fault><detail><m:serviceException><code>20105</code><message>x",
                      "ü", "</message></m:serviceException></detail></e:Fault>" CLOSING);
    assert_int_equal(reply.outcome, MS_SOAP_FAULT);
    assert_string_equal(reply.code, "20105");
    assert_int_equal(strlen(reply.message), MS_SOAP_MESSAGE_MAX - 1);
    assert_string_equal(reply.message + MS_SOAP_MESSAGE_MAX - 3, "ü");

    /* What libxml2 had at a time: a few times the answer, whatever that is made of. */
    assert_true(taken_most - before > MS_SOAP_REPLY_MAX);
    assert_true(taken_most - before < 8 * MS_SOAP_REPLY_MAX);
    assert_int_equal(taken, before);
}

int
main(int argc, char **argv)
{
    directory = argc > 1 ? argv[1] : "tests/vectors";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelopes),       cmocka_unit_test(test_too_little_memory),
        cmocka_unit_test(test_every_character), cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_get_lead),        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_damaged_replies), cmocka_unit_test(test_large_replies),
    };
    (void)xmlMemSetup(counted_free, counted_malloc, counted_realloc, counted_strdup);
    xmlInitParser();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    xmlCleanupParser();
    return failed;
}

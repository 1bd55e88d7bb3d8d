/*
 * Marketo's SOAP API: what is made of its answers (soap_reply.c), and what is said to it
 * (soap_request.c). An input is a lead's e-mail, user id and fields, a NUL byte behind each, and
 * an answer.
 */

#include "../../../src/core/json.h"
#include "../../../src/server/marketo/soap_reply.h"
#include "../../../src/server/marketo/soap_request.h"
#include "../fuzz.h"
#include "../standards.h"

#include <libxml/parser.h>

/* ---- answers ---- */

static void
check_text(const char *text, size_t room)
{
    const char *end = memchr(text, '\0', room);
    EXPECT(end != NULL && is_utf8((ms_slice){text, (size_t)(end - text)}));
}

static void
check_reply(ms_slice body)
{
    ms_soap_reply reply;
    ms_soap_reply again;
    ms_soap_reply_read(body, &reply);
    check_text(reply.status, sizeof reply.status);
    check_text(reply.code, sizeof reply.code);
    check_text(reply.message, sizeof reply.message);
    EXPECT((reply.outcome == MS_SOAP_SYNCED) == (reply.lead_id > 0));
    EXPECT((reply.outcome == MS_SOAP_FAULT) == (reply.code[0] != '\0'));
    if (reply.outcome == MS_SOAP_FAULT) {
        ms_soap_reaction reaction = ms_soap_react(&reply);
        EXPECT(reaction >= MS_SOAP_SIGN_AGAIN && reaction <= MS_SOAP_UNKNOWN);
    }
    if (reply.outcome == MS_SOAP_NO_REPLY) {
        EXPECT(reply.message[0] == '\0');
        return;
    }
    /* Cut off anywhere, it is none. */
    const char *last = memrchr(body.ptr, '>', body.len);
    EXPECT(last != NULL);
    ms_soap_reply_read(fuzz_copy((ms_slice){body.ptr, (size_t)(last - body.ptr)}), &again);
    EXPECT(again.outcome == MS_SOAP_NO_REPLY);
}

/* ---- requests ---- */

/* As a reader of XML has it back: without what XML has no form for, and what core writes so. */
static ms_slice
in_xml(ms_slice text)
{
    ms_arena arena = fuzz_arena(3 * text.len + 1);
    const char *start = ms_text_begin(&arena);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool last_of_plane = text.len - i >= 3 && memcmp(text.ptr + i, "\xEF\xBF", 2) == 0 &&
                             (unsigned char)text.ptr[i + 2] >= 0xBE;
        bool has_form = byte >= ' ' || byte == '\t' || byte == '\n' || byte == '\r';
        if (last_of_plane || !has_form || text.ptr[i] == MS_NUL) {
            ms_text_append(&arena, MS_SLICE("\xEF\xBF\xBD"));
            i += last_of_plane ? 2 : 0;
        } else {
            ms_text_byte(&arena, (char)byte);
        }
    }
    return ms_text_end(&arena, start);
}

/* What another parser finds in the elements, in their order. */
typedef struct {
    char *text;
    size_t len;
    size_t room;
    size_t attributes; /* of the lead */
} found;

static void
begins(void *context, const xmlChar *name, const xmlChar **list)
{
    found *in = context;
    (void)list;
    in->attributes += strcmp((const char *)name, "attribute") == 0;
    in->len = strcmp((const char *)name, "keyValue") == 0 ? 0 : in->len;
}

static void
characters(void *context, const xmlChar *text, int len)
{
    found *in = context;
    EXPECT(len >= 0 && in->room - in->len >= (size_t)len);
    memcpy(in->text + in->len, text, (size_t)len);
    in->len += (size_t)len;
}

static found
read_back(ms_slice envelope)
{
    xmlSAXHandler handler = {.startElement = begins, .characters = characters};
    found in = {.text = fuzz_memory(envelope.len), .room = envelope.len};
    EXPECT(is_utf8(envelope));
    EXPECT(xmlSAXUserParseMemory(&handler, &in, envelope.ptr, (int)envelope.len) == 0);
    return in;
}

static void
check_requests(ms_slice email, ms_slice user_id, ms_slice fields)
{
    const ms_soap_account account = {MS_SLICE("user"), MS_SLICE("key")};
    const ms_due_lead lead = {
        .email = email, .user_id = user_id, .cookie = MS_SLICE(""), .fields = fields};
    ms_arena arena = fuzz_arena(ms_soap_room(&account, &lead));
    ms_slice envelope;
    cJSON *object = NULL;
    ms_status status = ms_soap_write_sync(&arena, &account, 0, &lead, &envelope);
    EXPECT(status == MS_OK || status == MS_JSON_INVALID || status == MS_EMAIL_MISSING);
    if (status == MS_OK && is_core_text(email) && is_core_text(user_id)) {
        arena = fuzz_arena(fields.len * 128 + 4096);
        EXPECT(ms_json_parse(&arena, fields, &object) == MS_OK);
        size_t members = 0;
        for (const cJSON *field = object->child; field != NULL; field = field->next) {
            members++;
        }
        EXPECT(read_back(envelope).attributes <= members);
    }
    if (is_core_text(email)) {
        arena = fuzz_arena(4096 + 8 * email.len);
        EXPECT(ms_soap_write_get(&arena, &account, 0, email, &envelope) == MS_OK);
        found in = read_back(envelope);
        EXPECT(ms_slice_equal((ms_slice){in.text, in.len}, in_xml(email)));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    ms_slice email = fuzz_text(&in, '\0');
    ms_slice user_id = fuzz_text(&in, '\0');
    ms_slice fields = fuzz_text(&in, '\0');
    check_reply(fuzz_rest(&in));
    check_requests(email, user_id, fields);
    fuzz_forget();
    return 0;
}

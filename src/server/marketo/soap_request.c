#include "soap_request.h"

#include "../../core/date.h"
#include "../../core/json.h"
#include "../../core/sign.h"
#include "../../core/value.h"

#define SECONDS_TEXT 19 /* "2026-11-24T06:43:10" */

/* What the envelope has beside the lead's own text, and one attribute beside its name and value. */
#define ROOM_ENVELOPE 2048
#define ROOM_ATTRIBUTE 80

/* "&#13;", "&amp;": what one byte becomes at most. */
#define ROOM_BYTE 5

bool
ms_soap_timestamp(int64_t now, char text[MS_SOAP_TIMESTAMP])
{
    char iso[MS_DATE_TEXT];
    if (!ms_date_format((double)now, iso)) {
        return false;
    }
    memcpy(text, iso, SECONDS_TEXT);
    memcpy(text + SECONDS_TEXT, "+00:00", MS_SOAP_TIMESTAMP - SECONDS_TEXT);
    return true;
}

/* How the character at `p` is written if not as it is, and its length in `*len`; NULL else. */
static const char *
replaced(const unsigned char *p, const unsigned char *end, size_t *len)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    *len = 1;
    switch (*p) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r': /* as it is, a reader makes it a line feed */
        return "&#13;";
    case '\t':
    case '\n':
        return NULL;
    case (unsigned char)MS_NUL:
        return replacement;
    default:
        break;
    }
    if (*p < ' ') {
        return replacement;
    }
    if (end - p >= 3 && p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE) { /* U+FFFE, U+FFFF */
        *len = 3;
        return replacement;
    }
    return NULL;
}

void
ms_soap_write_text(ms_arena *out, ms_slice text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    const unsigned char *end = p + text.len;
    const unsigned char *plain = p; /* where the bytes begin that go as they are */
    while (p < end) {
        size_t len = 0;
        const char *instead = replaced(p, end, &len);
        if (instead != NULL) {
            ms_text_append(out, (ms_slice){(const char *)plain, (size_t)(p - plain)});
            ms_text_append(out, ms_slice_from(instead));
            plain = p + len;
        }
        p += len;
    }
    ms_text_append(out, (ms_slice){(const char *)plain, (size_t)(end - plain)});
}

static void
write_element(ms_arena *out, const char *name, ms_slice text)
{
    ms_text_byte(out, '<');
    ms_text_append(out, ms_slice_from(name));
    ms_text_byte(out, '>');
    ms_soap_write_text(out, text);
    ms_text_append(out, MS_SLICE("</"));
    ms_text_append(out, ms_slice_from(name));
    ms_text_byte(out, '>');
}

static void
write_opening(ms_arena *out, const ms_soap_account *account, int64_t now)
{
    char stamp[MS_SOAP_TIMESTAMP] = {0};
    char signature[MS_SHA1_HEX];
    ms_slice timestamp = {stamp, ms_soap_timestamp(now, stamp) ? sizeof stamp : 0};
    ms_sign_soap(account->encryption_key, timestamp, account->user_id, signature);
    ms_text_append(out, MS_SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                 "<SOAP-ENV:Envelope"
                                 " xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\""
                                 " xmlns:ns1=\"http://www.marketo.com/mktows/\">"
                                 "<SOAP-ENV:Header><ns1:AuthenticationHeader>"));
    write_element(out, "mktowsUserId", account->user_id);
    write_element(out, "requestSignature", (ms_slice){signature, sizeof signature});
    write_element(out, "requestTimestamp", timestamp);
    ms_text_append(out, MS_SLICE("</ns1:AuthenticationHeader></SOAP-ENV:Header><SOAP-ENV:Body>"));
}

static ms_status
write_closing(ms_arena *out, const char *start, ms_slice *envelope)
{
    ms_text_append(out, MS_SLICE("</SOAP-ENV:Body></SOAP-ENV:Envelope>"));
    *envelope = ms_text_end(out, start);
    return out->exhausted ? MS_OUT_OF_MEMORY : MS_OK;
}

/* By what Marketo is to know the lead; what it says of the lead's e-mail need not be said again. */
static ms_slice
write_key(ms_arena *out, const ms_due_lead *lead)
{
    char digits[MS_NUMBER_TEXT];
    if (lead->marketo_id > 0) {
        size_t len = ms_number_format((double)lead->marketo_id, digits);
        write_element(out, "Id", (ms_slice){digits, len});
    } else if (lead->email.len > 0) {
        write_element(out, "Email", lead->email);
        return lead->email;
    } else if (lead->cookie.len == 0) {
        write_element(out, "ForeignSysPersonId", lead->user_id);
        ms_text_append(out, MS_SLICE("<ForeignSysType>CUSTOM</ForeignSysType>"));
    }
    return MS_SLICE("");
}

/* Leads of Marketo's have no field of this name, and SOAP refuses a lead for one. Core has given
 * FirstName and LastName the parts of it. */
static bool
is_no_field(ms_slice name)
{
    return ms_slice_equal(name, MS_SLICE("Name"));
}

/* The list may not be there without an attribute in it. */
static void
write_attributes(ms_arena *out, const cJSON *fields, ms_slice email_said)
{
    static const ms_slice opening = {"<leadAttributeList>", sizeof "<leadAttributeList>" - 1};
    bool open = false;
    for (const cJSON *field = fields->child; field != NULL; field = field->next) {
        char number[MS_NUMBER_TEXT];
        ms_slice name = ms_slice_from(field->string);
        ms_slice value = ms_value_text(field, number);
        bool said = ms_slice_equal(name, MS_SLICE("Email")) && ms_slice_equal(value, email_said);
        if (said || is_no_field(name)) {
            continue;
        }
        ms_text_append(out, open ? MS_SLICE("") : opening);
        open = true;
        ms_text_append(out, MS_SLICE("<attribute>"));
        write_element(out, "attrName", name);
        write_element(out, "attrValue", value);
        ms_text_append(out, MS_SLICE("</attribute>"));
    }
    ms_text_append(out, open ? MS_SLICE("</leadAttributeList>") : MS_SLICE(""));
}

ms_status
ms_soap_write_sync(ms_arena *arena, const ms_soap_account *account, int64_t now,
                   const ms_due_lead *lead, ms_slice *envelope)
{
    cJSON *fields = NULL;
    *envelope = MS_SLICE("");
    if (lead->marketo_id <= 0 && lead->email.len + lead->cookie.len + lead->user_id.len == 0) {
        return MS_EMAIL_MISSING;
    }
    ms_status status = ms_json_parse(arena, lead->fields, &fields);
    if (status != MS_OK) {
        return status;
    }
    const char *start = ms_text_begin(arena);
    write_opening(arena, account, now);
    ms_text_append(arena, MS_SLICE("<ns1:paramsSyncLead><leadRecord>"));
    ms_slice email_said = write_key(arena, lead);
    write_attributes(arena, fields, email_said);
    ms_text_append(arena, MS_SLICE("</leadRecord><returnLead>false</returnLead>"));
    if (lead->cookie.len > 0) {
        write_element(arena, "marketoCookie", lead->cookie);
    }
    ms_text_append(arena, MS_SLICE("</ns1:paramsSyncLead>"));
    return write_closing(arena, start, envelope);
}

size_t
ms_soap_room(const ms_soap_account *account, const ms_due_lead *lead)
{
    /* cJSON's tree: a node, two strings and what aligns them. The shortest member is `"":0,`. */
    const size_t member = sizeof(cJSON) + (size_t)4 * 16 + ROOM_ATTRIBUTE + MS_NUMBER_TEXT;
    size_t text = account->user_id.len + lead->email.len + lead->user_id.len + lead->cookie.len +
                  lead->fields.len;
    return ROOM_ENVELOPE + text * (ROOM_BYTE + 3) + (lead->fields.len / 5 + 1) * member;
}

ms_status
ms_soap_write_get(ms_arena *arena, const ms_soap_account *account, int64_t now, ms_slice email,
                  ms_slice *envelope)
{
    const char *start = ms_text_begin(arena);
    write_opening(arena, account, now);
    ms_text_append(arena, MS_SLICE("<ns1:paramsGetLead><leadKey><keyType>EMAIL</keyType>"));
    write_element(arena, "keyValue", email);
    ms_text_append(arena, MS_SLICE("</leadKey></ns1:paramsGetLead>"));
    return write_closing(arena, start, envelope);
}

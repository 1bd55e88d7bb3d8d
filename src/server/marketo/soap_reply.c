#include "soap_reply.h"

#include <libxml/parser.h>

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define MARKETO "http://www.marketo.com/mktows/"

/* libxml2 remembers what is open, and has a limit of its own only for trees. */
#define DEPTH_MAX 200

/* The elements of an answer that say something, and those around them. */
typedef enum {
    OUTSIDE,
    ENVELOPE,
    BODY,
    SYNCED,
    RESULT,
    LEAD_ID,
    SYNC_STATUS,
    SYNC_LEAD_ID,
    STATUS,
    ERROR,
    FOUND,
    FAULT,
    FAULT_STRING,
    DETAIL,
    EXCEPTION,
    CODE,
    MESSAGE,
    DETAIL_CODE,
    DETAIL_MESSAGE,
    PLACES
} place;

/*
 * Which element stands where. Elements without a namespace here may be Marketo's too: WSDL says
 * unqualified, gateways are not so strict.
 */
static const struct {
    place around;
    const char *namespace;
    const char *name;
} places[PLACES] = {
    [ENVELOPE] = {OUTSIDE, SOAP, "Envelope"},
    [BODY] = {ENVELOPE, SOAP, "Body"},
    [SYNCED] = {BODY, MARKETO, "successSyncLead"},
    [RESULT] = {SYNCED, NULL, "result"},
    [LEAD_ID] = {RESULT, NULL, "leadId"},
    [SYNC_STATUS] = {RESULT, NULL, "syncStatus"},
    [SYNC_LEAD_ID] = {SYNC_STATUS, NULL, "leadId"},
    [STATUS] = {SYNC_STATUS, NULL, "status"},
    [ERROR] = {SYNC_STATUS, NULL, "error"},
    [FOUND] = {BODY, MARKETO, "successGetLead"},
    [FAULT] = {BODY, SOAP, "Fault"},
    [FAULT_STRING] = {FAULT, NULL, "faultstring"},
    [DETAIL] = {FAULT, NULL, "detail"},
    [EXCEPTION] = {DETAIL, MARKETO, "serviceException"},
    [CODE] = {EXCEPTION, NULL, "code"},
    [MESSAGE] = {EXCEPTION, NULL, "message"},
    [DETAIL_CODE] = {DETAIL, NULL, "code"},
    [DETAIL_MESSAGE] = {DETAIL, NULL, "message"},
};

/* The text of an element. */
typedef struct {
    char text[MS_SOAP_MESSAGE_MAX];
    size_t len;
    bool full;
} content;

typedef struct {
    xmlParserCtxt *parser;
    place at;
    size_t beside; /* how deep in elements that say nothing */
    bool seen[PLACES];
    bool refused;
    content texts[PLACES];
} reading;

static bool
same(const xmlChar *text, const char *expected)
{
    return text != NULL && strcmp((const char *)text, expected) == 0;
}

/* OUTSIDE if the element says nothing there. Of several the first one counts. */
static place
find(const reading *state, const xmlChar *name, const xmlChar *namespace)
{
    for (place found = ENVELOPE; found < PLACES; found++) {
        bool named = places[found].namespace == NULL ? namespace == NULL || same(namespace, MARKETO)
                                                     : same(namespace, places[found].namespace);
        if (named && places[found].around == state->at && same(name, places[found].name) &&
            !state->seen[found]) {
            return found;
        }
    }
    return OUTSIDE;
}

static void
refuse(reading *state)
{
    state->refused = true;
    xmlStopParser(state->parser);
}

static void
element_begins(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace,
               int namespaces, const xmlChar **declared, int attributes, int defaulted,
               const xmlChar **list)
{
    reading *state = context;
    (void)prefix, (void)namespaces, (void)declared, (void)attributes, (void)defaulted, (void)list;
    place found = state->beside > 0 ? OUTSIDE : find(state, name, namespace);
    if (found == OUTSIDE) {
        state->beside++;
        if (state->beside > DEPTH_MAX) {
            refuse(state);
        }
    } else {
        state->at = found;
        state->seen[found] = true;
    }
}

static void
element_ends(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace)
{
    reading *state = context;
    (void)name, (void)prefix, (void)namespace;
    if (state->beside > 0) {
        state->beside--;
    } else {
        state->at = places[state->at].around;
    }
}

static void
characters(void *context, const xmlChar *text, int len)
{
    reading *state = context;
    content *to = &state->texts[state->at];
    if (state->beside > 0 || to->full || len <= 0) {
        return;
    }
    size_t more = (size_t)len;
    if (more >= sizeof to->text - to->len) {
        more = sizeof to->text - 1 - to->len;
        to->full = true;
        while (more > 0 && (text[more] & 0xC0) == 0x80) { /* not within a character */
            more--;
        }
    }
    memcpy(to->text + to->len, text, more);
    to->len += more;
}

/* SOAP forbids it, and all that makes XML dangerous begins with it. */
static void
document_type(void *context, const xmlChar *name, const xmlChar *public_id,
              const xmlChar *system_id)
{
    reading *state = context;
    (void)name, (void)public_id, (void)system_id;
    refuse(state);
}

/* libxml2 tells some errors to whoever listens, whatever it is asked: that would be stderr, beside
 * the log. */
static void
keep_quiet(void *context, const char *format, ...)
{
    (void)context, (void)format;
}

/* Whether it is XML to its end, and an envelope. */
static bool
read_document(reading *state, ms_slice body)
{
    xmlSAXHandler handler = {.initialized = XML_SAX2_MAGIC,
                             .startElementNs = element_begins,
                             .endElementNs = element_ends,
                             .characters = characters,
                             .cdataBlock = characters,
                             .internalSubset = document_type};
    if (body.len == 0 || body.len > MS_SOAP_REPLY_MAX) {
        return false;
    }
    state->parser = xmlCreatePushParserCtxt(&handler, state, NULL, 0, NULL);
    if (state->parser == NULL) {
        return false;
    }
    xmlSetGenericErrorFunc(NULL, keep_quiet); /* this thread's */
    (void)xmlCtxtUseOptions(state->parser,
                            XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    (void)xmlParseChunk(state->parser, body.ptr, (int)body.len, 0);
    (void)xmlParseChunk(state->parser, NULL, 0, 1);
    /* Where bytes are none of its encoding libxml2 stops, and calls what it has read well-formed.
     */
    bool ended = state->at == OUTSIDE && state->beside == 0;
    bool whole = state->parser->wellFormed == 1 && ended && !state->refused;
    xmlFreeParserCtxt(state->parser);
    return whole && state->seen[ENVELOPE];
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without the spaces and line breaks around it. */
static ms_slice
text_of(const reading *state, place of)
{
    ms_slice text = {state->texts[of].text, state->texts[of].len};
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

static ms_slice
first_of(ms_slice one, ms_slice other)
{
    return one.len > 0 ? one : other;
}

static void
put(char *to, size_t size, ms_slice text)
{
    size_t len = text.len < size ? text.len : size - 1;
    while (len < text.len && len > 0 && ((unsigned char)text.ptr[len] & 0xC0) == 0x80) {
        len--;
    }
    memcpy(to, text.ptr, len);
    to[len] = '\0';
}

/* A Marketo id; 0 if it is none. */
static int64_t
lead_id(ms_slice text)
{
    int64_t id = 0;
    if (text.len == 0 || text.len > 15) { /* exact as a double, too */
        return 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!ms_is_digit(text.ptr[i])) {
            return 0;
        }
        id = id * 10 + (text.ptr[i] - '0');
    }
    return id;
}

/* The code that a sentence like "20014 - Authentication failed" begins with. */
static ms_slice
leading_code(ms_slice sentence)
{
    size_t digits = 0;
    while (digits < sentence.len && ms_is_digit(sentence.ptr[digits])) {
        digits++;
    }
    return (ms_slice){sentence.ptr, digits};
}

static void
conclude_fault(const reading *state, ms_soap_reply *reply)
{
    ms_slice sentence = text_of(state, FAULT_STRING);
    ms_slice code = first_of(text_of(state, CODE), text_of(state, DETAIL_CODE));
    ms_slice message = first_of(text_of(state, MESSAGE), text_of(state, DETAIL_MESSAGE));
    code = first_of(first_of(code, leading_code(sentence)), MS_SLICE("unknown"));
    reply->outcome = MS_SOAP_FAULT;
    put(reply->code, sizeof reply->code, code);
    put(reply->message, sizeof reply->message, first_of(message, sentence));
}

static void
conclude_sync(const reading *state, ms_soap_reply *reply)
{
    ms_slice status = text_of(state, STATUS);
    put(reply->status, sizeof reply->status, status);
    if (ms_slice_equal(status, MS_SLICE("FAILED")) || ms_slice_equal(status, MS_SLICE("SKIPPED"))) {
        reply->outcome = MS_SOAP_FAULT;
        put(reply->code, sizeof reply->code, status);
        put(reply->message, sizeof reply->message, text_of(state, ERROR));
        return;
    }
    reply->lead_id = lead_id(first_of(text_of(state, LEAD_ID), text_of(state, SYNC_LEAD_ID)));
    reply->outcome = reply->lead_id > 0 ? MS_SOAP_SYNCED : MS_SOAP_NO_REPLY;
}

void
ms_soap_reply_read(ms_slice body, ms_soap_reply *reply)
{
    reading state = {.at = OUTSIDE};
    memset(reply, 0, sizeof *reply);
    reply->outcome = MS_SOAP_NO_REPLY;
    if (!read_document(&state, body)) {
        return;
    }
    if (state.seen[FAULT]) {
        conclude_fault(&state, reply);
    } else if (state.seen[SYNCED]) {
        conclude_sync(&state, reply);
    } else if (state.seen[FOUND]) {
        reply->outcome = MS_SOAP_FOUND;
    }
}

ms_soap_reaction
ms_soap_react(const ms_soap_reply *fault)
{
    static const struct {
        const char *first;
        const char *last;
        ms_soap_reaction reaction;
    } reactions[] = {
        {"10001", "10001", MS_SOAP_BACK_OFF},    {"20011", "20011", MS_SOAP_BACK_OFF},
        {"20013", "20014", MS_SOAP_CREDENTIALS}, {"20015", "20015", MS_SOAP_QUOTA},
        {"20016", "20016", MS_SOAP_SIGN_AGAIN},  {"20019", "20019", MS_SOAP_CREDENTIALS},
        {"20023", "20023", MS_SOAP_SLOW_DOWN},   {"20024", "20024", MS_SOAP_FEWER},
        {"20101", "20110", MS_SOAP_REFUSED},
    };
    /* Under whatever code it comes. */
    if (strcasestr(fault->message, "lock attempts") != NULL) {
        return MS_SOAP_LOCKED;
    }
    if (strlen(fault->code) != 5) {
        return MS_SOAP_UNKNOWN;
    }
    for (size_t i = 0; i < sizeof reactions / sizeof *reactions; i++) {
        if (strcmp(fault->code, reactions[i].first) >= 0 &&
            strcmp(fault->code, reactions[i].last) <= 0) {
            return reactions[i].reaction;
        }
    }
    return MS_SOAP_UNKNOWN;
}

/*
 * The SOAP backend between a queue and a network that the test plays: which calls it makes, and
 * what it does about each answer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/core/json.h"
#include "../../src/core/sign.h"
#include "../../src/server/marketo/backend.h"

#include <fcntl.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOON INT64_C(1795629600000) /* 2026-11-25T18:00:00Z, noon US Central */
#define MIDNIGHT (NOON + 12 * INT64_C(3600000))
#define CALLS 256
#define USER MS_SLICE("user_1&2")
#define KEY MS_SLICE("fortesting")

/* ---- the queue ------------------------------------------------------------------------------ */

typedef enum { WAITING, IN_FLIGHT, SENT, REFUSED } fate;

typedef struct {
    ms_due_lead due;
    int64_t due_at;
    fate fate;
    int64_t marketo_id;
    char code[64];
    char reason[256];
} queued_lead;

static struct {
    queued_lead leads[CALLS];
    size_t lead_count;
    size_t activities;
    char activity_code[64];
    int64_t forgotten;
    uint64_t calls_before;
    size_t calls_counted;
    char day[16];
} queue;

static queued_lead *
add_lead(const char *email)
{
    queued_lead *lead = &queue.leads[queue.lead_count++];
    *lead = (queued_lead){.due = {.id = (int64_t)queue.lead_count,
                                  .email = ms_slice_from(email),
                                  .user_id = MS_SLICE(""),
                                  .cookie = MS_SLICE(""),
                                  .fields = MS_SLICE("{\"FirstName\":\"Ada\"}")}};
    return lead;
}

static void
add_leads(size_t count)
{
    static char emails[CALLS][32];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(emails[i], sizeof emails[i], "lead%zu@example.com", queue.lead_count);
        (void)add_lead(emails[i]);
    }
}

static void
keep(char *to, size_t size, ms_slice text)
{
    (void)snprintf(to, size, "%.*s", (int)text.len, text.ptr);
}

ms_store_result
ms_store_take_leads(ms_store *store, ms_lead_selection selection, int64_t now, size_t room,
                    size_t bytes, ms_arena *arena, ms_due_lead *leads, size_t *count)
{
    (void)store, (void)bytes, (void)arena;
    assert_int_equal(selection, MS_BY_ANY);
    assert_int_equal(room, 1);
    *count = 0;
    for (size_t i = 0; i < queue.lead_count && *count == 0; i++) {
        queued_lead *lead = &queue.leads[i];
        if (lead->fate == WAITING && lead->due_at <= now) {
            lead->fate = IN_FLIGHT;
            *leads = lead->due;
            *count = 1;
        }
    }
    return MS_STORE_OK;
}

static queued_lead *
in_flight(int64_t id)
{
    queued_lead *lead = &queue.leads[id - 1];
    assert_int_equal(lead->fate, IN_FLIGHT);
    return lead;
}

ms_store_result
ms_store_lead_sent(ms_store *store, int64_t id, int64_t marketo_id, int64_t now)
{
    (void)store, (void)now;
    queued_lead *lead = in_flight(id);
    lead->fate = SENT;
    lead->marketo_id = marketo_id;
    return MS_STORE_OK;
}

ms_store_result
ms_store_suspect(ms_store *store, ms_suspect kind, int64_t id)
{
    (void)store;
    assert_int_equal(kind, MS_SUSPECT_LEAD);
    in_flight(id)->due.suspicions++;
    return MS_STORE_OK;
}

ms_store_result
ms_store_lead_again(ms_store *store, int64_t id, int64_t due)
{
    (void)store;
    queued_lead *lead = in_flight(id);
    lead->fate = WAITING;
    lead->due_at = due;
    lead->due.attempts++;
    return MS_STORE_OK;
}

ms_store_result
ms_store_lead_refused(ms_store *store, int64_t id, ms_slice code, ms_slice reason, int64_t now)
{
    (void)store, (void)now;
    queued_lead *lead = in_flight(id);
    lead->fate = REFUSED;
    keep(lead->code, sizeof lead->code, code);
    keep(lead->reason, sizeof lead->reason, reason);
    return MS_STORE_OK;
}

ms_store_result
ms_store_forget_marketo_id(ms_store *store, int64_t marketo_id, int64_t now)
{
    (void)store, (void)now;
    queue.forgotten = marketo_id;
    for (size_t i = 0; i < queue.lead_count; i++) {
        queued_lead *lead = &queue.leads[i];
        lead->due.marketo_id = lead->due.marketo_id == marketo_id ? 0 : lead->due.marketo_id;
    }
    return MS_STORE_OK;
}

ms_store_result
ms_store_take_activities(ms_store *store, int64_t now, size_t room, ms_arena *arena,
                         ms_due_activity *activities, size_t *count)
{
    (void)store, (void)now, (void)arena;
    *count = queue.activities < room ? queue.activities : room;
    for (size_t i = 0; i < *count; i++) {
        activities[i] = (ms_due_activity){.id = (int64_t)i + 1};
    }
    return MS_STORE_OK;
}

ms_store_result
ms_store_refused(ms_store *store, ms_queued kind, int64_t id, ms_slice code, ms_slice reason,
                 int64_t now)
{
    (void)store, (void)id, (void)reason, (void)now;
    assert_int_equal(kind, MS_QUEUED_ACTIVITY);
    queue.activities--;
    keep(queue.activity_code, sizeof queue.activity_code, code);
    return MS_STORE_OK;
}

ms_store_result
ms_store_count(ms_store *store, const char *day, ms_store_counts *counts)
{
    (void)store;
    *counts =
        (ms_store_counts){.calls_today = strcmp(day, queue.day) == 0 ? queue.calls_before : 0};
    return MS_STORE_OK;
}

ms_store_result
ms_store_count_call(ms_store *store, const char *day)
{
    (void)store;
    keep(queue.day, sizeof queue.day, ms_slice_from(day));
    queue.calls_counted++;
    return MS_STORE_OK;
}

ms_store_result
ms_store_remember(ms_store *store, const char *name, ms_slice value, int64_t now)
{
    (void)store;
    (void)now;
    assert_string_equal(name, "calls");
    assert_true(value.len > 0);
    return MS_STORE_OK;
}

ms_store_result
ms_store_recall(ms_store *store, const char *name, ms_arena *arena, ms_slice *value, int64_t *at)
{
    (void)store;
    (void)arena;
    (void)at;
    assert_string_equal(name, "calls");
    *value = MS_SLICE("");
    return MS_STORE_OK;
}

/* ---- the network ---------------------------------------------------------------------------- */

typedef struct {
    ms_http_call call;
    char url[256];
    char headers[256];
    char body[4096];
    bool answered;
} started_call;

static struct {
    started_call calls[CALLS];
    size_t count;
    bool without_memory;
    const ms_http_answer *at_once; /* the answer to all, where nobody waits for tests */
} network;

bool
ms_http_client_start(ms_http_client *client, const ms_http_call *call)
{
    (void)client;
    if (network.without_memory) {
        return false;
    }
    assert_true(network.count < CALLS);
    started_call *one = &network.calls[network.count++];
    *one = (started_call){.call = *call};
    assert_string_equal(call->method, "POST");
    keep(one->url, sizeof one->url, ms_slice_from(call->url));
    keep(one->body, sizeof one->body, call->body);
    for (const char *const *header = call->headers; *header != NULL; header++) {
        size_t len = strlen(one->headers);
        (void)snprintf(one->headers + len, sizeof one->headers - len, "%s|", *header);
    }
    return true;
}

ms_http_client *
ms_http_client_open(void)
{
    return (ms_http_client *)&network;
}

void
ms_http_client_close(ms_http_client *client)
{
    (void)client;
}

void
ms_http_client_committed(ms_http_client *client)
{
    (void)client;
}

bool
ms_http_client_has_answers(const ms_http_client *client)
{
    (void)client;
    return true;
}

void
ms_http_client_wait(ms_http_client *client, long wait_ms)
{
    (void)client, (void)wait_ms;
}

ms_store_result
ms_http_client_answer(ms_http_client *client, ms_store *store, int64_t now)
{
    (void)client;
    started_call *one = &network.calls[network.count - 1];
    return one->call.answered(one->call.argument, network.at_once, store, now);
}

/* ---- what tests do ----------------------------------------------------------------------------
 */

static ms_marketo_settings settings;
static ms_backend *backend;
static int64_t now;
static int64_t wake;

static int
set_up(void **state)
{
    (void)state;
    memset(&queue, 0, sizeof queue);
    memset(&network, 0, sizeof network);
    settings = (ms_marketo_settings){
        .soap_url = MS_SLICE("https://561-HYG-937.mktoapi.com/soap/mktows/3_1"),
        .soap_user_id = USER,
        .soap_encryption_key = KEY};
    now = NOON;
    backend = ms_soap_open(&settings);
    return backend == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < network.count; i++) {
        if (!network.calls[i].answered && network.calls[i].call.discard != NULL) {
            network.calls[i].call.discard(network.calls[i].call.argument);
        }
    }
    backend->close(backend);
    return 0;
}

/* How many calls are started at once. */
static size_t
start(void)
{
    size_t before = network.count;
    wake = INT64_MAX;
    assert_int_equal(backend->start_calls(backend, NULL, (ms_http_client *)&network, now, &wake),
                     MS_STORE_OK);
    return network.count - before;
}

static void
answer_with(size_t index, const ms_http_answer *answer)
{
    started_call *one = &network.calls[index];
    assert_false(one->answered);
    one->answered = true;
    assert_int_equal(one->call.answered(one->call.argument, answer, NULL, now), MS_STORE_OK);
    one->call.discard(one->call.argument);
}

static void
answer_text(size_t index, long status, const char *body)
{
    ms_http_answer answer = {.status = status, .body = ms_slice_from(body)};
    answer_with(index, &answer);
}

static const char *
success_text(int64_t id)
{
    static char text[1024];
    (void)snprintf(text, sizeof text,
                   "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
                   "<m:successSyncLead xmlns:m='http://www.marketo.com/mktows/'><result>"
                   "<leadId>%lld</leadId></result></m:successSyncLead></e:Body></e:Envelope>",
                   (long long)id);
    return text;
}

static const char *
fault_text(const char *code, const char *message)
{
    static char text[1024];
    (void)snprintf(text, sizeof text,
                   "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
                   "<e:Fault><faultcode>e:Client</faultcode><faultstring>%s</faultstring><detail>"
                   "<m:serviceException xmlns:m='http://www.marketo.com/mktows/'>"
                   "<message>%s</message><code>%s</code></m:serviceException></detail></e:Fault>"
                   "</e:Body></e:Envelope>",
                   message, message, code);
    return text;
}

static void
succeed(size_t index, int64_t id)
{
    answer_text(index, 200, success_text(id));
}

static void
fail_with(size_t index, const char *code)
{
    answer_text(index, 500, fault_text(code, "No lead is ada@example.com"));
}

/* What was logged since the last call of this; stderr goes to a file. */
static const char *
logged(void)
{
    static char text[8192];
    static off_t read_to;
    ssize_t len = pread(STDERR_FILENO, text, sizeof text - 1, read_to);
    assert_true(len >= 0);
    read_to += len;
    text[len] = '\0';
    return text;
}

static size_t
times(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *p = strstr(text, part); p != NULL; p = strstr(p + 1, part)) {
        count++;
    }
    return count;
}

static ms_slice
element(const char *xml, const char *name)
{
    char tag[64];
    (void)snprintf(tag, sizeof tag, "<%s>", name);
    const char *begin = strstr(xml, tag);
    assert_non_null(begin);
    begin += strlen(tag);
    return (ms_slice){begin, (size_t)(strchr(begin, '<') - begin)};
}

static void
assert_signed(const char *xml)
{
    char signature[MS_SHA1_HEX];
    ms_slice stated = element(xml, "requestSignature");
    ms_sign_soap(KEY, element(xml, "requestTimestamp"), USER, signature);
    assert_int_equal(stated.len, sizeof signature);
    assert_memory_equal(stated.ptr, signature, sizeof signature);
}

/* ---- calls --------------------------------------------------------------------------------------
 */

static void
test_calls(void **state)
{
    (void)state;
    add_leads(13);
    assert_int_equal(start(), 5);
    assert_int_equal(start(), 0);
    for (size_t i = 0; i < 5; i++) {
        const started_call *one = &network.calls[i];
        assert_string_equal(one->url, "https://561-HYG-937.mktoapi.com/soap/mktows/3_1");
        assert_string_equal(one->headers,
                            "Content-Type: text/xml; charset=utf-8|SOAPAction: \"\"|");
        assert_true(ms_slice_equal(element(one->body, "Email"), queue.leads[i].due.email));
        assert_signed(one->body);
        assert_int_equal(one->call.timeout_ms, 90000);
    }
    /* The turn that takes an answer up, and is not committed yet, starts the next. */
    started_call *first = &network.calls[0];
    const ms_http_answer answer = {.status = 200, .body = ms_slice_from(success_text(100))};
    first->answered = true;
    assert_int_equal(first->call.answered(first->call.argument, &answer, NULL, now), MS_STORE_OK);
    assert_int_equal(start(), 1);
    first->call.discard(first->call.argument);
    assert_int_equal(start(), 0);
    for (size_t i = 1; i < network.count; i++) {
        succeed(i, (int64_t)i + 100);
        (void)start();
    }
    assert_int_equal(network.count, 13);
    for (size_t i = 0; i < 13; i++) {
        assert_int_equal(queue.leads[i].fate, SENT);
        assert_int_equal(queue.leads[i].marketo_id, i + 100);
    }
    assert_int_equal(queue.calls_counted, 13);
    assert_string_equal(queue.day, "2026-11-25");
}

static void
test_rate(void **state)
{
    (void)state;
    add_leads(60);
    for (size_t i = 0; i < 50; i++) {
        (void)start();
        succeed(i, 1);
    }
    assert_int_equal(start(), 0);
    assert_true(wake > now + 20000 && wake < now + 21000);
    now = wake;
    assert_int_equal(start(), 5);
}

static void
test_cookies(void **state)
{
    (void)state;
    queued_lead *lead = add_lead("ada@example.com");
    lead->due.cookie = MS_SLICE("id:1&token:2");
    queued_lead *tie = add_lead("bob@example.com");
    tie->due.marketo_id = 901;
    tie->due.cookie = MS_SLICE("id:c");
    tie->due.fields = MS_SLICE("{}");
    assert_int_equal(start(), 2);
    assert_non_null(
        strstr(network.calls[0].body, "<marketoCookie>id:1&amp;token:2</marketoCookie>"));
    assert_true(ms_slice_equal(element(network.calls[1].body, "Id"), MS_SLICE("901")));
    assert_true(ms_slice_equal(element(network.calls[1].body, "marketoCookie"), MS_SLICE("id:c")));
    assert_null(strstr(network.calls[1].body, "leadAttributeList"));
    succeed(0, 5);
    succeed(1, 901);
    assert_int_equal(lead->fate, SENT);
    assert_int_equal(tie->fate, SENT);
}

static void
test_without_memory(void **state)
{
    (void)state;
    add_leads(1);
    network.without_memory = true;
    assert_int_equal(start(), 0);
    assert_int_equal(queue.leads[0].fate, WAITING);
    assert_true(queue.leads[0].due_at > now);
    network.without_memory = false;
    now = queue.leads[0].due_at;
    assert_int_equal(start(), 1);
}

static void
test_what_cannot_be_written(void **state)
{
    (void)state;
    add_lead("ada@example.com")->due.fields = MS_SLICE("{");
    add_lead("");
    add_leads(1);
    assert_int_equal(start(), 1);
    assert_int_equal(queue.leads[0].fate, REFUSED);
    assert_string_equal(queue.leads[0].code, "json_invalid");
    assert_string_equal(queue.leads[1].code, "email_missing");
    assert_true(strlen(queue.leads[1].reason) > 0);
    assert_int_equal(queue.leads[2].fate, IN_FLIGHT);
}

static void
test_activities(void **state)
{
    (void)state;
    queue.activities = 3;
    assert_int_equal(start(), 0);
    assert_int_equal(queue.activities, 0);
    assert_string_equal(queue.activity_code, "activity_unsupported");
}

/* A turn that is rolled back: the call never left, or its answer is handed out again. */
static void
test_rollbacks(void **state)
{
    (void)state;
    add_leads(7);
    assert_int_equal(start(), 5);
    for (size_t i = 0; i < 5; i++) {
        started_call *one = &network.calls[i];
        one->answered = true;
        one->call.discard(one->call.argument);
        queue.leads[i].fate = WAITING;
    }
    assert_int_equal(start(), 5);
    const ms_http_answer answer = {.status = 500,
                                   .body = ms_slice_from(fault_text("20024", "Too many"))};
    started_call *one = &network.calls[5];
    assert_int_equal(one->call.answered(one->call.argument, &answer, NULL, now), MS_STORE_OK);
    int64_t due = queue.leads[0].due_at;
    queue.leads[0].fate = IN_FLIGHT;
    answer_with(5, &answer);
    assert_int_equal(queue.leads[0].due_at, due);
    for (size_t i = 6; i < 10; i++) {
        succeed(i, 5);
    }
    now = due;
    assert_int_equal(start(), 3);
    add_leads(7);
    assert_int_equal(start(), 1); /* one fewer at once, not two */
}

/* ---- faults
 * --------------------------------------------------------------------------------------- */

static void
test_signs_again(void **state)
{
    (void)state;
    add_leads(1);
    assert_int_equal(start(), 1);
    now += 90000;
    fail_with(0, "20016");
    assert_int_equal(queue.leads[0].due_at, now);
    assert_int_equal(start(), 1);
    assert_signed(network.calls[1].body);
    assert_false(ms_slice_equal(element(network.calls[0].body, "requestTimestamp"),
                                element(network.calls[1].body, "requestTimestamp")));
    assert_string_equal(logged(), "");

    fail_with(1, "20016");
    assert_int_equal(queue.leads[0].fate, WAITING);
    assert_true(queue.leads[0].due_at > now);
    assert_int_equal(start(), 0);
    now = queue.leads[0].due_at;
    assert_int_equal(start(), 1);
    fail_with(2, "20016");
    assert_int_equal(times(logged(), "soap_request_expired"), 1);
    now = queue.leads[0].due_at;
    assert_int_equal(start(), 1);
    succeed(3, 5);
    assert_int_equal(queue.leads[0].fate, SENT);
}

/* Of a clock that is wrong all leads find out together. */
static void
test_all_expire(void **state)
{
    (void)state;
    add_leads(30);
    size_t calls = 0;
    for (int second = 0; second < 60; second++) {
        size_t first = network.count;
        calls += start();
        for (; first < network.count; first++) {
            fail_with(first, "20016");
        }
        now += 1000;
    }
    assert_true(calls <= 5 + 15);
}

static void
test_quota(void **state)
{
    (void)state;
    add_leads(8);
    assert_int_equal(start(), 5);
    for (size_t i = 0; i < 5; i++) {
        fail_with(i, "20015");
    }
    assert_int_equal(times(logged(), "daily_quota_used_up"), 1);
    assert_int_equal(start(), 0);
    assert_int_equal(wake, MIDNIGHT);
    now = MIDNIGHT - 1;
    assert_int_equal(start(), 0);
    now = MIDNIGHT;
    assert_int_equal(start(), 5);
}

static void
test_own_quota(void **state)
{
    (void)state;
    backend->close(backend);
    settings.daily_calls = 103;
    backend = ms_soap_open(&settings);
    memcpy(queue.day, "2026-11-25", sizeof "2026-11-25");
    queue.calls_before = 100;
    add_leads(8);
    assert_int_equal(start(), 3);
    assert_int_equal(wake, MIDNIGHT);
    succeed(0, 1);
    assert_int_equal(start(), 0);
    now = MIDNIGHT;
    assert_int_equal(start(), 3);
}

/* A call whose turn is undone, since the disk is full, say, is none. */
static void
test_calls_that_were_not_made(void **state)
{
    (void)state;
    backend->close(backend);
    settings.daily_calls = 3;
    backend = ms_soap_open(&settings);
    add_leads(8);
    assert_int_equal(start(), 3);
    for (size_t i = 0; i < 3; i++) {
        network.calls[i].answered = true;
        network.calls[i].call.discard(network.calls[i].call.argument);
    }
    assert_int_equal(start(), 3);
    succeed(3, 1);
    assert_int_equal(start(), 0);
}

static void
test_slows_down(void **state)
{
    (void)state;
    add_leads(80);
    assert_int_equal(start(), 5);
    now += 100;
    for (size_t i = 0; i < 5; i++) {
        fail_with(i, "20023"); /* together they are one */
    }
    assert_int_equal(start(), 0);
    assert_true(wake > now && wake <= now + 5000);
    now = wake;
    size_t first = network.count;
    while (start() > 0) {
        for (size_t i = first; i < network.count; i++) {
            if (!network.calls[i].answered) {
                fail_with(i, "20106");
            }
        }
    }
    assert_in_range(network.count, 20, 30); /* half of 50, and one more for each 10 */
}

static void
test_fewer_at_once(void **state)
{
    (void)state;
    add_leads(80);
    assert_int_equal(start(), 5);
    fail_with(0, "20024");
    for (size_t i = 1; i < 5; i++) {
        succeed(i, 1);
    }
    now = wake = queue.leads[0].due_at;
    assert_int_equal(start(), 4);
}

static void
test_not_well(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *code; /* of a fault; else: */
        const char *body;
    } answers[] = {
        {500, "10001", NULL},
        {500, "20011", NULL},
        {200, "20011", NULL},
        {500, NULL, "<html>"},
        {502, NULL, ""},
        {503, NULL, "{}"},
        {200, NULL, ""},
        {200, NULL, "rubbish"},
        {200, NULL,
         "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
         "<m:successSyncLead xmlns:m='http://www.marketo.com/mktows/'><result><leadId>5</leadId>"},
        {400, NULL, "?"},
        {0, NULL, ""},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        add_leads(3);
        assert_int_equal(start(), 3);
        size_t first = network.count - 3;
        now += 100;
        for (size_t call = first; call < first + 3; call++) {
            answer_text(call, answers[i].status,
                        answers[i].code != NULL ? fault_text(answers[i].code, "Internal error")
                                                : answers[i].body);
        }
        for (size_t lead = 0; lead < 3; lead++) {
            assert_int_equal(queue.leads[lead].fate, WAITING);
            assert_in_range(queue.leads[lead].due_at, now + 1000, now + 2000);
        }
        assert_int_equal(start(), 0);
        assert_in_range(wake, now + 1000, now + 2000);
        /* One finds out whether it is over, with a pause that grows; then all go. */
        now += 2000;
        assert_int_equal(start(), 1);
        answer_text(network.count - 1, 503, "");
        assert_in_range(queue.leads[0].due_at, now + 1000, now + 4000);
        now += 4000;
        assert_int_equal(start(), 1);
        succeed(network.count - 1, 5);
        assert_int_equal(start(), 2);
        succeed(network.count - 1, 6);
        succeed(network.count - 2, 7);
        queue.lead_count = 0;
        now += 60000;
    }
}

static void
test_retry_after(void **state)
{
    (void)state;
    add_leads(1);
    assert_int_equal(start(), 1);
    const ms_http_answer answer = {.status = 429, .body = MS_SLICE(""), .retry_after = 120000};
    answer_with(0, &answer);
    assert_int_equal(queue.leads[0].due_at, now + 120000);
    add_leads(1);
    assert_int_equal(start(), 0);
    assert_int_equal(wake, now + 120000);
}

static void
test_lock(void **state)
{
    (void)state;
    add_leads(8);
    assert_int_equal(start(), 5);
    answer_text(0, 500, fault_text("20011", "Exceeded lock attempts"));
    assert_int_equal(queue.leads[0].fate, WAITING);
    assert_in_range(queue.leads[0].due_at, now + 30000, now + 33000);
    assert_int_equal(start(), 1); /* it holds nobody else up */
}

static void
test_credentials(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *code;
    } answers[] = {{401, NULL}, {500, "20014"}, {500, "20013"}, {500, "20019"}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const char *body =
            answers[i].code == NULL ? "<html>" : fault_text(answers[i].code, "ada@example.com");
        add_leads(7);
        assert_int_equal(start(), 5);
        size_t first = network.count - 5;
        for (size_t call = first; call < network.count; call++) {
            answer_text(call, answers[i].status, body);
        }
        size_t calls = network.count;
        for (int tries = 1; tries <= 4; tries++) {
            now += 299999;
            assert_int_equal(start(), 0);
            now += 1;
            assert_int_equal(start(), 1);
            answer_text(network.count - 1, answers[i].status, body);
        }
        assert_int_equal(network.count, calls + 4);
        const char *log = logged();
        assert_int_equal(times(log, "marketo_refuses"), 1);
        assert_null(strstr(log, "ada"));
        for (size_t lead = 0; lead < 7; lead++) {
            assert_int_equal(queue.leads[lead].fate, WAITING);
        }
        now += 300000;
        assert_int_equal(start(), 1);
        succeed(network.count - 1, 5);
        assert_int_equal(times(logged(), "marketo_recovered"), 1);
        assert_int_equal(start(), 5);
        for (size_t call = network.count - 5; call < network.count; call++) {
            succeed(call, 5);
        }
        assert_int_equal(start(), 1);
        succeed(network.count - 1, 5);
        queue.lead_count = 0;
        now += 60000;
    }
}

/* What a gateway refuses may be for what one lead says: of calls that went well before, the pauses
 * grow; it is put aside only where others go well. */
static void
test_refused_by_a_gateway(void **state)
{
    (void)state;
    static const long answers[] = {403, 404, 410, 301};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        network.count = 0;
        add_leads(1);
        assert_int_equal(start(), 1);
        succeed(0, 5);
        (void)logged();
        queue.lead_count = 0;
        now += 60000;

        add_leads(1);
        size_t before = network.count;
        for (int tries = 0; tries < 60; tries++) {
            now += 60000;
            if (start() > 0) {
                answer_text(network.count - 1, answers[i], "<html>");
            }
            assert_int_equal(queue.leads[0].fate, WAITING);
        }
        size_t calls = network.count - before;
        assert_true(calls >= 12 && calls <= 22); /* in an hour */
        assert_int_equal(times(logged(), "marketo_refuses"), 1);

        /* Others go well between: then it is for what it says, and an hour in which all was refused
         * counts for little. */
        int more = 0;
        for (; queue.leads[0].fate == WAITING; more++) {
            network.count = 0;
            now += 600000;
            queue.leads[0].due_at = INT64_MAX;
            add_leads(1);
            assert_int_equal(start(), 1);
            succeed(0, 5);
            queue.lead_count = 1;
            queue.leads[0].due_at = now;
            assert_int_equal(start(), 1);
            answer_text(1, answers[i], "<html>");
        }
        assert_int_equal(queue.leads[0].fate, REFUSED);
        assert_int_equal(more, 7);
        queue.lead_count = 0;
        now += 60000;
        (void)logged();
    }
}

static void
test_refused(void **state)
{
    (void)state;
    static const char *const codes[] = {"20101", "20102", "20103", "20104", "20105",
                                        "20106", "20107", "20108", "20109", "20110"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        add_leads(6);
        assert_int_equal(start(), 5);
        size_t first = network.count - 5;
        answer_text(first, 500, fault_text(codes[i], "Bad &lt;name&gt;"));
        assert_int_equal(queue.leads[0].fate, REFUSED);
        assert_string_equal(queue.leads[0].code, codes[i]);
        assert_string_equal(queue.leads[0].reason, "Bad <name>");
        assert_int_equal(start(), 1); /* it holds nobody up */
        for (size_t call = first + 1; call < network.count; call++) {
            succeed(call, 5);
        }
        queue.lead_count = 0;
        now += 60000;
    }
    add_leads(1);
    (void)start();
    answer_text(network.count - 1, 413, "too large");
    assert_int_equal(queue.leads[0].fate, REFUSED);
    assert_string_equal(queue.leads[0].code, "http_413");
    assert_string_equal(logged(), "");
}

static void
test_id_that_is_gone(void **state)
{
    (void)state;
    queued_lead *lead = add_lead("ada@example.com");
    lead->due.marketo_id = 5;
    assert_int_equal(start(), 1);
    fail_with(0, "20103");
    assert_int_equal(queue.forgotten, 5);
    assert_int_equal(lead->due_at, now);
    assert_int_equal(start(), 1);
    assert_non_null(strstr(network.calls[1].body, "<Email>ada@example.com</Email>"));
    fail_with(1, "20103");
    assert_int_equal(lead->fate, REFUSED);
}

static void
test_unknown(void **state)
{
    (void)state;
    static const char *const codes[] = {"20012", "20017", "20111", "99999", "nonsense"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        queued_lead *lead = add_lead("ada@example.com");
        int64_t began = now;
        for (int tries = 1; tries <= 6; tries++) {
            assert_int_equal(lead->fate, WAITING);
            now = lead->due_at > now ? lead->due_at : now;
            assert_int_equal(start(), 1);
            fail_with(network.count - 1, codes[i]);
        }
        assert_int_equal(lead->fate, REFUSED);
        assert_string_equal(lead->code, codes[i]);
        assert_true(now >= began + 5000);
        queue.lead_count = 0;
        now += 60000;
    }
    assert_null(strstr(logged(), "ada"));
}

/* ---- --check
 * --------------------------------------------------------------------------------------- */

static void
test_check(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *code;
        const char *says; /* NULL: all is well */
    } answers[] = {{500, "20103", NULL},
                   {500, "20014", "encryption key"},
                   {500, "20013", "does not let"},
                   {500, "20016", "clock"},
                   {500, "20015", NULL},
                   {500, "20023", NULL},
                   {500, "20024", NULL},
                   {500, "20019", NULL},
                   {500, "20011", "try again later"},
                   {200, NULL, "--soap-url"},
                   {404, NULL, "--soap-url"},
                   {0, NULL, "--soap-url"}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const ms_http_answer answer = {
            .status = answers[i].status,
            .body = ms_slice_from(answers[i].code == NULL ? "<html/>"
                                                          : fault_text(answers[i].code, "x"))};
        network.at_once = &answer;
        const char *problem = ms_soap_check(&settings);
        if (answers[i].says == NULL) {
            assert_null(problem);
        } else {
            assert_non_null(problem);
            assert_non_null(strstr(problem, answers[i].says));
        }
        const char *body = network.calls[network.count - 1].body;
        assert_non_null(strstr(body, "<ns1:paramsGetLead>"));
        assert_null(strstr(body, "syncLead"));
        assert_signed(body);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cookies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_activities, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rollbacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signs_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quota, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_quota, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_calls_that_were_not_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_expire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slows_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fewer_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retry_after, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_credentials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_by_a_gateway, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_id_that_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
    };
    /* The log, which tests read. What else is said there is said at the end. */
    char path[] = "/tmp/soap-backend-test.XXXXXX";
    int file = mkstemp(path);
    int terminal = dup(STDERR_FILENO);
    if (file < 0 || terminal < 0 || dup2(file, STDERR_FILENO) < 0) {
        return 2;
    }
    (void)unlink(path);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char text[16384];
    ssize_t len = pread(STDERR_FILENO, text, sizeof text - 1, 0);
    (void)dup2(terminal, STDERR_FILENO);
    (void)fwrite(text, 1, len > 0 ? (size_t)len : 0, stderr);
    (void)close(terminal);
    (void)close(file);
    xmlCleanupParser();
    return failed;
}

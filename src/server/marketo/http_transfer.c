#include "http_transfer.h"

#include <stdlib.h>

#define CONNECT_TIMEOUT_MS 10000L
#define SHARED_REST_S 2L

/* curl's write function: takes the answer in, up to its limit, whatever it was compressed to. */
static size_t
take_in(char *bytes, size_t size, size_t count, void *argument)
{
    ms_transfer *one = argument;
    size_t len = size * count;
    if (len > MS_ANSWER_MAX - one->len) {
        one->too_long = true;
        return 0;
    }
    if (len > one->room - one->len) {
        size_t room = 2 * one->room + len;
        char *larger = realloc(one->answer, room);
        if (larger == NULL) {
            return 0;
        }
        one->answer = larger;
        one->room = room;
    }
    memcpy(one->answer + one->len, bytes, len);
    one->len += len;
    return len;
}

/*
 * A kept connection may have been closed already by whoever is at its other end, being idle. Then
 * it breaks under the next request without an answer, and nobody can tell from here whether that
 * arrived. curl looks at a connection before it uses it, but takes TLS's notice of the close for a
 * sign of life. So calls have a connection of their own, unless they say that they share: those
 * that are many, and may go again soon. They use none that has rested longer than servers keep one.
 *
 * HTTP/2 is not spoken: its servers may refuse single requests, or ask for HTTP/1.1, which curl
 * obeys by sending the request again.
 */
static void
choose_connection(CURL *easy, bool shared)
{
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, SHARED_REST_S);
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, shared ? 0L : 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, shared ? 0L : 1L);
}

/*
 * curl's prerequest function: called each time that it is about to send the request. It would send
 * one again by itself, up to five times at once, when a connection that it had kept breaks without
 * an answer: it may have arrived, and no limit counts the others. So a request of which something
 * has left does not leave again; the call ends as one that was not answered, and whoever made it
 * decides when there is to be another. What could not be sent at all may leave by another
 * connection.
 */
static int
leave(void *argument, char *to, char *from, int to_port, int from_port)
{
    ms_transfer *one = argument;
    long sent = 0; /* bytes; those for a proxy come before the first time */
    (void)to, (void)from, (void)to_port, (void)from_port;
    (void)curl_easy_getinfo(one->easy, CURLINFO_REQUEST_SIZE, &sent);
    bool has_left = one->begun && sent > 0;
    one->begun = true;
    return has_left ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* With a query, says what is to be asked for, too: curl 7.88 forgets the query of a URL if there is
 * no memory to copy it, and makes the call all the same. A proxy would need another text. */
static bool
set_url(CURL *easy, const char *url)
{
    const char *host = strstr(url, "://");
    const char *target = host == NULL ? NULL : strchr(host + 3, '/');
    if (target != NULL && strchr(target, '?') != NULL &&
        (curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target) != CURLE_OK ||
         curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) != CURLE_OK)) {
        return false;
    }
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK;
}

/* A line break in a header would begin another one. */
static bool
is_one_line(const char *header)
{
    return strpbrk(header, "\r\n") == NULL;
}

static bool
set_headers(ms_transfer *one, const char *const *headers)
{
    /* curl would wait for leave to send a long body. */
    one->headers = curl_slist_append(NULL, "Expect:");
    bool all = one->headers != NULL;
    for (; all && headers != NULL && *headers != NULL; headers++) {
        struct curl_slist *more =
            is_one_line(*headers) ? curl_slist_append(one->headers, *headers) : NULL;
        all = more != NULL;
        one->headers = all ? more : one->headers;
    }
    return all && curl_easy_setopt(one->easy, CURLOPT_HTTPHEADER, one->headers) == CURLE_OK;
}

static bool
set_body(ms_transfer *one, const ms_http_call *call)
{
    one->changes = strcmp(call->method, "GET") != 0;
    if (!one->changes) {
        return true;
    }
    one->request = malloc(call->body.len + 1);
    if (one->request == NULL) {
        return false;
    }
    memcpy(one->request, call->body.ptr == NULL ? "" : call->body.ptr, call->body.len);
    (void)curl_easy_setopt(one->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
    (void)curl_easy_setopt(one->easy, CURLOPT_POSTFIELDS, one->request);
    return curl_easy_setopt(one->easy, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK;
}

static bool
set_up(ms_transfer *one, const ms_http_call *call)
{
    CURL *easy = one->easy;
    bool tls = strncmp(call->url, "https:", 6) == 0;
    long connecting = call->timeout_ms < CONNECT_TIMEOUT_MS ? call->timeout_ms : CONNECT_TIMEOUT_MS;
    one->call = (ms_http_call){
        .answered = call->answered, .discard = call->discard, .argument = call->argument};
    bool set =
        set_url(easy, call->url) &&
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http") == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "munchkin-server/" MS_VERSION) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK;
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Else, where a call is given up while its host is looked up, curl waits for the thread that
     * does it, and with it the worker for a nameserver that does not answer. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, call->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connecting);
    choose_connection(easy, call->shares_connection);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, leave);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, one);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_in);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, one);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, one);
    return set && set_headers(one, call->headers) && set_body(one, call);
}

/* With a handle of its own: one that is used again has to be reset, and curl_easy_reset without
 * memory leaves curl's defaults out and does not tell. The connection is another's, and is kept. */
ms_transfer *
ms_transfer_new(const ms_http_call *call)
{
    ms_transfer *one = calloc(1, sizeof *one);
    if (one == NULL) {
        return NULL;
    }
    one->easy = curl_easy_init();
    if (one->easy == NULL || !set_up(one, call)) {
        ms_transfer_free(one);
        return NULL;
    }
    return one;
}

void
ms_transfer_free(ms_transfer *one)
{
    curl_easy_cleanup(one->easy); /* before what it points to is gone */
    curl_slist_free_all(one->headers);
    free(one->request);
    free(one->answer);
    free(one);
}

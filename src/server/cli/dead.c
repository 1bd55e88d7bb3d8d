/* munchkin-server dead list, show, retry, drop */

#include "../clock.h"
#include "../status_text.h"
#include "cli.h"
#include "print.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define WRONG 2
#define KIND_WIDTH 9
#define WHO_WIDTH 32
#define CODE_WIDTH 20

typedef struct {
    bool as_json;
    bool whole; /* with the payload */
    uint64_t count;
} listing;

static int
failed(const ms_store *store)
{
    (void)fprintf(stderr, "munchkin-server: %s\n", ms_store_problem(store));
    return 1;
}

/* Marketo's words; else what our own code means. */
static ms_slice
reason_of(const ms_dead_letter *letter)
{
    char code[64];
    if (letter->reason.len > 0 || letter->code.len >= sizeof code) {
        return letter->reason;
    }
    memcpy(code, letter->code.ptr, letter->code.len);
    code[letter->code.len] = '\0';
    return ms_slice_from(ms_sentence_of_code(code));
}

static void
print_member(const char *name, ms_slice text)
{
    (void)printf(",\"%s\":", name);
    ms_print_json(text);
}

static void
print_as_json(const ms_dead_letter *letter, const listing *to)
{
    (void)printf("%s{\"id\":%lld,\"at\":\"",
                 to->whole        ? ""
                 : to->count == 0 ? "[\n"
                                  : ",\n",
                 (long long)letter->id);
    ms_print_time(letter->at);
    (void)putchar('"');
    print_member("kind", letter->kind);
    print_member("who", letter->who);
    print_member("code", letter->code);
    print_member("reason", reason_of(letter));
    (void)fputs(",\"payload\":", stdout);
    if (letter->payload.len > 0) {
        (void)fwrite(letter->payload.ptr, 1, letter->payload.len, stdout);
    } else {
        (void)fputs("null", stdout);
    }
    (void)putchar('}');
}

static void
print_row(const ms_dead_letter *letter, const listing *to)
{
    if (to->count == 0) {
        (void)printf("%8s  %-20s  %-*s  %-*s  %-*s  %s\n", "ID", "SINCE", KIND_WIDTH, "KIND",
                     WHO_WIDTH, "WHO", CODE_WIDTH, "CODE", "REASON");
    }
    (void)printf("%8lld  ", (long long)letter->id);
    ms_print_time(letter->at);
    const struct {
        ms_slice text;
        size_t width;
    } columns[] = {{letter->kind, KIND_WIDTH},
                   {letter->who, WHO_WIDTH},
                   {letter->code, CODE_WIDTH},
                   {reason_of(letter), 0}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        (void)fputs("  ", stdout);
        ms_print_text(columns[i].text, columns[i].width);
    }
    (void)putchar('\n');
}

static void
print_whole(const ms_dead_letter *letter)
{
    const struct {
        const char *label;
        ms_slice text;
    } lines[] = {{"kind", letter->kind},
                 {"who", letter->who},
                 {"code", letter->code},
                 {"reason", reason_of(letter)},
                 {"payload", letter->payload}};
    (void)printf("%-8s %lld\n%-8s ", "id", (long long)letter->id, "since");
    ms_print_time(letter->at);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        (void)printf("\n%-8s ", lines[i].label);
        ms_print_text(lines[i].text, 0);
    }
    (void)putchar('\n');
}

static void
print_letter(const ms_dead_letter *letter, void *argument)
{
    listing *to = argument;
    if (to->as_json) {
        print_as_json(letter, to);
    } else if (to->whole) {
        print_whole(letter);
    } else {
        print_row(letter, to);
    }
    to->count++;
}

static int
list(ms_store *store, bool as_json)
{
    listing to = {.as_json = as_json};
    if (ms_store_dead_list(store, 0, print_letter, &to) != MS_STORE_OK) {
        return failed(store);
    }
    if (as_json) {
        (void)puts(to.count == 0 ? "[]" : "\n]");
    } else if (to.count == 0) {
        (void)puts("There are no dead letters.");
    }
    return 0;
}

static int
no_such(int64_t id)
{
    (void)fprintf(stderr, "munchkin-server: there is no dead letter %lld.\n", (long long)id);
    return 1;
}

static int
show(ms_store *store, int64_t id, bool as_json)
{
    listing to = {.as_json = as_json, .whole = true};
    if (ms_store_dead_list(store, id, print_letter, &to) != MS_STORE_OK) {
        return failed(store);
    }
    if (to.count == 0) {
        return no_such(id);
    }
    if (as_json) {
        (void)putchar('\n');
    }
    return 0;
}

static void
count_letter(const ms_dead_letter *letter, void *argument)
{
    (void)letter;
    ++*(uint64_t *)argument;
}

/* In a transaction of its own. */
static ms_store_result
change(ms_store *store, bool retry, int64_t id, uint64_t *count)
{
    if (ms_store_begin(store) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    ms_store_result result = retry ? ms_store_dead_retry(store, id, ms_clock_now(), count)
                                   : ms_store_dead_drop(store, id, count);
    if (result == MS_STORE_OK) {
        result = ms_store_commit(store);
    }
    return result;
}

static void
tell_retried(uint64_t count, uint64_t unsendable, bool as_json)
{
    if (as_json) {
        (void)printf("{\"retried\":%llu,\"unsendable\":%llu}\n", (unsigned long long)count,
                     (unsigned long long)unsendable);
        return;
    }
    ms_print_count(count, "dead letter");
    (void)puts(" put back into the queue.");
    if (unsendable > 0) {
        ms_print_count(unsendable, "message");
        (void)puts(" can never be sent as it is: mend what sends it, and drop it here.");
    }
}

static void
tell_dropped(uint64_t count, bool as_json)
{
    if (as_json) {
        (void)printf("{\"dropped\":%llu}\n", (unsigned long long)count);
        return;
    }
    ms_print_count(count, "dead letter");
    (void)puts(" dropped.");
}

static int
retry_or_drop(ms_store *store, bool retry, int64_t id, bool as_json)
{
    uint64_t there = 0;
    uint64_t count = 0;
    if (ms_store_dead_list(store, id, count_letter, &there) != MS_STORE_OK) {
        return failed(store);
    }
    if (there == 0 && id != 0) {
        return no_such(id);
    }
    if (change(store, retry, id, &count) != MS_STORE_OK) {
        int code = failed(store);
        ms_store_rollback(store);
        return code;
    }
    if (retry) {
        tell_retried(count, there > count ? there - count : 0, as_json);
    } else {
        tell_dropped(count, as_json);
    }
    /* One that was named was to be changed; of all, those that can be. */
    return id != 0 && count == 0;
}

/* A number from 1 on, or, if that may be, "all" as 0. */
static bool
read_id(const char *word, bool or_all, int64_t *id)
{
    char *end = NULL;
    if (or_all && strcmp(word, "all") == 0) {
        *id = 0;
        return true;
    }
    long long value = strtoll(word, &end, 10);
    *id = value;
    return ms_is_digit(word[0]) && *end == '\0' && value > 0 && value < LLONG_MAX;
}

int
ms_cli_dead(ms_store *store, char **words, bool as_json)
{
    int64_t id = 0;
    if (strcmp(words[0], "list") == 0) {
        return list(store, as_json);
    }
    bool is_show = strcmp(words[0], "show") == 0;
    if (!read_id(words[1], !is_show, &id)) {
        (void)fprintf(stderr, "munchkin-server: dead %s takes the number of a dead letter%s.\n",
                      words[0], is_show ? "" : ", or 'all'");
        return WRONG;
    }
    return is_show ? show(store, id, as_json)
                   : retry_or_drop(store, strcmp(words[0], "retry") == 0, id, as_json);
}

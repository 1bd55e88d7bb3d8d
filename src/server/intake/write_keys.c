#include "write_keys.h"

#include "../secret.h"

#include <errno.h>
#include <stdio.h>

#define SCHEME "Basic"

ms_write_keys *
ms_write_keys_open(void)
{
    return ms_secret_memory(sizeof(ms_write_keys));
}

void
ms_write_keys_close(ms_write_keys *keys)
{
    if (keys != NULL) {
        ms_secret_memory_free(keys, sizeof *keys);
    }
}

bool
ms_write_keys_add(ms_write_keys *keys, ms_slice key)
{
    if (key.len == 0 || key.len > MS_WRITE_KEY_MAX || keys->count == MS_WRITE_KEYS_MAX) {
        return false;
    }
    for (size_t i = 0; i < key.len; i++) {
        /* A colon would be the end of Basic's user name. */
        if (key.ptr[i] <= ' ' || key.ptr[i] > '~' || key.ptr[i] == ':') {
            return false;
        }
    }
    memset(keys->list[keys->count], 0, MS_WRITE_KEY_MAX);
    memcpy(keys->list[keys->count], key.ptr, key.len);
    keys->lens[keys->count++] = key.len;
    return true;
}

/* A line as it comes; of what is longer than any key, only how long it is. */
typedef struct {
    char text[MS_WRITE_KEY_MAX];
    size_t len;
    size_t key_len; /* without the spaces at its end */
    size_t number;
    bool in_comment;
} key_line;

static void
add_to_line(key_line *line, int c)
{
    line->in_comment = line->in_comment || c == '#';
    if (line->in_comment) {
        return;
    }
    if (line->len < sizeof line->text) {
        line->text[line->len] = (char)c;
    }
    line->len++;
    if (c > ' ') {
        line->key_len = line->len;
    }
}

static bool
add_line(ms_write_keys *keys, key_line *line, char problem[static MS_WRITE_KEYS_PROBLEM])
{
    if (line->key_len > 0 && keys->count == MS_WRITE_KEYS_MAX) {
        (void)snprintf(problem, MS_WRITE_KEYS_PROBLEM, "line %zu is a key too many: %d are allowed",
                       line->number, MS_WRITE_KEYS_MAX);
        return false;
    }
    if (line->key_len > 0 && !ms_write_keys_add(keys, (ms_slice){line->text, line->key_len})) {
        (void)snprintf(problem, MS_WRITE_KEYS_PROBLEM,
                       "line %zu is no write key: one has at most %d characters of ASCII, no space "
                       "and no colon",
                       line->number, MS_WRITE_KEY_MAX);
        return false;
    }
    *line = (key_line){.number = line->number + 1};
    return true;
}

static bool
add_lines(ms_write_keys *keys, FILE *file, key_line *line,
          char problem[static MS_WRITE_KEYS_PROBLEM])
{
    int c = 0;
    while ((c = getc(file)) != EOF) {
        if (c == '\0') {
            (void)snprintf(problem, MS_WRITE_KEYS_PROBLEM, "line %zu has a NUL byte: it is no text",
                           line->number);
            return false;
        }
        if (c != '\n') {
            add_to_line(line, c);
        } else if (!add_line(keys, line, problem)) {
            return false;
        }
    }
    if (ferror(file) != 0) {
        (void)snprintf(problem, MS_WRITE_KEYS_PROBLEM, "it cannot be read: %s", strerror(errno));
        return false;
    }
    return add_line(keys, line, problem);
}

bool
ms_write_keys_load(ms_write_keys *keys, const char *path,
                   char problem[static MS_WRITE_KEYS_PROBLEM])
{
    char buffer[BUFSIZ]; /* stdio would not wipe its own */
    key_line line = {.number = 1};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        (void)snprintf(problem, MS_WRITE_KEYS_PROBLEM, "it cannot be opened: %s", strerror(errno));
        return false;
    }
    ms_secret_file_check(fileno(file), path);
    (void)setvbuf(file, buffer, _IOFBF, sizeof buffer);
    bool complete = add_lines(keys, file, &line, problem);
    (void)fclose(file);
    explicit_bzero(buffer, sizeof buffer);
    explicit_bzero(&line, sizeof line);
    return complete;
}

bool
ms_write_keys_hold(const ms_write_keys *keys, ms_slice key)
{
    char asked[MS_WRITE_KEY_MAX] = {0};
    unsigned int found = 0;
    if (key.len == 0 || key.len > MS_WRITE_KEY_MAX) {
        return false;
    }
    memcpy(asked, key.ptr, key.len);
    for (size_t i = 0; i < keys->count; i++) {
        unsigned int differs = keys->lens[i] != key.len;
        for (size_t j = 0; j < MS_WRITE_KEY_MAX; j++) {
            differs |= (unsigned int)(unsigned char)(keys->list[i][j] ^ asked[j]);
        }
        found |= differs == 0;
    }
    explicit_bzero(asked, sizeof asked);
    return found != 0;
}

static int
base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits);
}

/* The user name of Basic's credentials; longer ones than any key are cut off. */
static ms_slice
user_name(const char *credentials, char room[MS_WRITE_KEY_MAX + 1])
{
    size_t len = 0;
    unsigned int bits = 0;
    unsigned int count = 0;
    for (const char *p = credentials; len <= MS_WRITE_KEY_MAX; p++) {
        int value = base64_value(*p);
        if (value < 0) {
            break;
        }
        bits = bits << 6 | (unsigned int)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            char byte = (char)(unsigned char)(bits >> count);
            if (byte == ':') {
                break;
            }
            room[len++] = byte;
        }
    }
    return (ms_slice){room, len};
}

bool
ms_write_keys_is_basic(const char *authorization)
{
    const ms_slice scheme = {authorization, strcspn(authorization, " ")};
    return ms_slice_equal_fold(scheme, MS_SLICE(SCHEME));
}

bool
ms_write_keys_authorize(const ms_write_keys *keys, const char *authorization)
{
    char room[MS_WRITE_KEY_MAX + 1];
    if (!ms_write_keys_is_basic(authorization)) {
        return false;
    }
    const char *behind = authorization + sizeof SCHEME - 1;
    bool found = ms_write_keys_hold(keys, user_name(behind + (*behind == ' '), room));
    explicit_bzero(room, sizeof room);
    return found;
}

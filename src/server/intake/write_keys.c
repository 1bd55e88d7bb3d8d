#include "write_keys.h"

#include <stdio.h>

#define LINE_MAX_BYTES 512
#define SCHEME "Basic "

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

bool
ms_write_keys_load(ms_write_keys *keys, const char *path)
{
    char line[LINE_MAX_BYTES];
    FILE *file = fopen(path, "r");
    bool complete = file != NULL;
    while (complete && fgets(line, sizeof line, file) != NULL) {
        ms_slice key = {line, strcspn(line, "#\r\n")};
        while (key.len > 0 && key.ptr[key.len - 1] <= ' ') {
            key.len--;
        }
        complete = key.len == 0 || ms_write_keys_add(keys, key);
    }
    complete = complete && ferror(file) == 0;
    if (file != NULL) {
        (void)fclose(file);
    }
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
ms_write_keys_authorize(const ms_write_keys *keys, const char *authorization)
{
    char room[MS_WRITE_KEY_MAX + 1];
    size_t scheme = sizeof SCHEME - 1;
    if (strlen(authorization) < scheme ||
        !ms_slice_equal_fold((ms_slice){authorization, scheme}, MS_SLICE(SCHEME))) {
        return false;
    }
    return ms_write_keys_hold(keys, user_name(authorization + scheme, room));
}

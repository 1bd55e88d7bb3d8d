#include "status_text.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    ms_status status;
    const char *code;
    const char *sentence;
} status_text;

static const status_text texts[] = {
#define MS_STATUS_TEXT(name, code, sentence) {name, code, sentence},
    MS_CORE_ERRORS(MS_STATUS_TEXT) MS_SERVER_ERRORS(MS_STATUS_TEXT) MS_TOKEN_ERRORS(MS_STATUS_TEXT)
        MS_INTAKE_ERRORS(MS_STATUS_TEXT) MS_MESSAGE_ERRORS(MS_STATUS_TEXT)
#undef MS_STATUS_TEXT
};

static const status_text *
find(ms_status status)
{
    static const status_text none = {MS_OK, "", ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].status == status) {
            return &texts[i];
        }
    }
    return &none;
}

const char *
ms_code_of(ms_status status)
{
    return find(status)->code;
}

const char *
ms_sentence_of(ms_status status)
{
    return find(status)->sentence;
}

const char *
ms_sentence_of_code(const char *code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i].code, code) == 0) {
            return texts[i].sentence;
        }
    }
    return "";
}

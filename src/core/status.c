#include "status.h"

const char *
ms_status_code(ms_status status)
{
    switch (status) {
#define MS_STATUS_CODE(name, code, sentence)                                                       \
    case name:                                                                                     \
        return code;
        MS_CORE_ERRORS(MS_STATUS_CODE)
        MS_CORE_WARNINGS(MS_STATUS_CODE)
#undef MS_STATUS_CODE
    default:
        return "ok";
    }
}

const char *
ms_status_sentence(ms_status status)
{
    switch (status) {
#define MS_STATUS_SENTENCE(name, code, sentence)                                                   \
    case name:                                                                                     \
        return sentence;
        MS_CORE_ERRORS(MS_STATUS_SENTENCE)
        MS_CORE_WARNINGS(MS_STATUS_SENTENCE)
#undef MS_STATUS_SENTENCE
    default:
        return "";
    }
}

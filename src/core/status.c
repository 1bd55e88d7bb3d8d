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

#include "status.h"

#include "list.h"

const char *
ms_status_code(ms_status status)
{
#define MS_STATUS_CODE(name, code, sentence) code "\0"
    ms_list codes = "ok\0" MS_CORE_ERRORS(MS_STATUS_CODE) MS_CORE_WARNINGS(MS_STATUS_CODE);
#undef MS_STATUS_CODE
    for (int i = 0; i < (int)status && *codes != '\0'; i++) {
        codes = ms_list_next(codes);
    }
    return codes;
}

#include "warnings.h"

void
ms_warn(ms_warnings *warnings, ms_status status, ms_slice name)
{
    if (warnings->count < MS_WARNINGS_MAX) {
        warnings->list[warnings->count++] = (ms_warning){status, name};
    }
}

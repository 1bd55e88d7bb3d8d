#include "list.h"

bool
ms_list_holds(ms_list list, ms_slice text)
{
    for (; *list != '\0'; list = ms_list_next(list)) {
        if (ms_slice_equal(text, ms_slice_from(list))) {
            return true;
        }
    }
    return false;
}

#include "value.h"

ms_slice
ms_value_text(const cJSON *value, char number[MS_NUMBER_TEXT])
{
    if (cJSON_IsString(value)) {
        return ms_slice_from(value->valuestring);
    }
    if (cJSON_IsNumber(value)) {
        return (ms_slice){number, ms_number_format(value->valuedouble, number)};
    }
    if (cJSON_IsBool(value)) {
        return cJSON_IsTrue(value) ? MS_SLICE("true") : MS_SLICE("false");
    }
    return MS_SLICE("");
}

bool
ms_value_is_plain_array(const cJSON *array)
{
    for (const cJSON *child = array->child; child != NULL; child = child->next) {
        if (cJSON_IsArray(child) || cJSON_IsObject(child)) {
            return false;
        }
    }
    return true;
}

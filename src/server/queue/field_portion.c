#include "field_portion.h"

#include <stdlib.h>

static bool
is_email(const ms_waiting_field *field)
{
    return ms_slice_equal_fold(field->name, MS_SLICE("Email"));
}

static int
compare_names(const void *left, const void *right)
{
    const ms_waiting_field *a = left;
    const ms_waiting_field *b = right;
    return ms_slice_compare_fold(a->name, b->name);
}

static int
compare_ages(const void *left, const void *right)
{
    const ms_waiting_field *a = left;
    const ms_waiting_field *b = right;
    if (is_email(a) != is_email(b)) {
        return is_email(a) ? -1 : 1;
    }
    int order = (a->time < b->time) - (a->time > b->time);
    return order != 0 ? order : compare_names(a, b);
}

ms_field_set
ms_field_portion(ms_field_set *left, size_t room)
{
    ms_field_set portion = {left->list, 0};
    size_t size = 1; /* what encloses them, of which the comma between two is one */
    while (left->count > 0) {
        size += ms_field_set_size(&(ms_field_set){left->list, 1}) - 1;
        if (portion.count > 0 && size > room) {
            break;
        }
        portion.count++;
        left->list++;
        left->count--;
    }
    return portion;
}

ms_field_set
ms_field_portion_to_send(ms_field_set *left, size_t room)
{
    size_t i = 0;
    while (i < left->count && !is_email(&left->list[i])) {
        i++;
    }
    if (i < left->count && ms_field_set_size(left) > room) {
        ms_waiting_field email = left->list[i];
        memmove(left->list + 1, left->list, i * sizeof email);
        left->list[0] = email;
    }
    return ms_field_portion(left, room);
}

ms_field_set
ms_field_portion_to_keep(ms_field_set *left, size_t room)
{
    if (ms_field_set_size(left) <= room) {
        return ms_field_portion(left, room);
    }
    qsort(left->list, left->count, sizeof *left->list, compare_ages);
    ms_field_set portion = ms_field_portion(left, room);
    qsort(portion.list, portion.count, sizeof *portion.list, compare_names);
    qsort(left->list, left->count, sizeof *left->list, compare_names);
    return portion;
}

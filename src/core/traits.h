/*
 * Traits, as analytics.identify takes them, as Marketo fields.
 */
#ifndef MS_TRAITS_H
#define MS_TRAITS_H

#include "fields.h"

#include <cJSON.h>

/*
 * A trait's name as a Marketo field's: split at spaces, the first letter of
 * every word in upper case, joined; everything else stays. Spaces inside are
 * left out, so `a field` gives AField.
 *
 * The empty slice if no Marketo field can have the name: nothing is left of
 * it, or it begins with a digit.
 */
ms_slice ms_trait_field_name(ms_arena *arena, ms_slice trait);

/* How many fields ms_traits_to_fields may add. */
size_t ms_traits_room(const cJSON *traits);

/*
 * Adds the fields of `traits` (an object, or NULL):
 *
 *   name      also gives FirstName and LastName
 *   company   text, or an object: name → Company, industry → Industry,
 *             employee_count → NumberOfEmployees, website → Website,
 *             phone → MainPhone, another member m → Company + field name of m
 *   address   text, or an object: street → Address, city → City, state → State,
 *             postalCode or zip → PostalCode, country → Country, another
 *             member m → Address + field name of m
 *   created, createdAt, created_at, birthday
 *             a number, taken for a Unix time, becomes ISO 8601
 *   email     in any case of the key, and with spaces anywhere in it; left out here if empty or
 *             null
 *   id        never sent, in any case of the key, and with spaces anywhere in it
 *
 * Text, numbers, true and false stay what they are; an array of them is joined
 * by commas; null is left out; an object is left out with MS_TRAIT_UNSUPPORTED.
 */
void ms_traits_to_fields(ms_arena *arena, const cJSON *traits, ms_fields *fields,
                         ms_warnings *warnings);

#endif

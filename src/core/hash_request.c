#include "hash_request.h"

#include "email.h"
#include "lead.h"

/* The e-mail of the lead that a request of identify makes. */
static ms_status
email_of_lead(ms_arena *arena, const cJSON *request, ms_slice *email)
{
    ms_lead lead;
    ms_status status = ms_lead_from_identify(arena, ms_json_member(request, "userId"),
                                             ms_json_member(request, "traits"), &lead);
    if (status == MS_OK) {
        *email = lead.email;
    }
    return status;
}

ms_status
ms_hash_request_email(ms_arena *arena, const cJSON *request, ms_slice *email)
{
    *email = MS_SLICE("");
    const cJSON *member = ms_json_member(request, "email");
    if (member == NULL && ms_json_member(request, "traits") != NULL) {
        return email_of_lead(arena, request, email);
    }
    if (member == NULL || cJSON_IsNull(member)) {
        return MS_EMAIL_MISSING;
    }
    if (!cJSON_IsString(member)) {
        return MS_EMAIL_INVALID;
    }
    *email = ms_slice_trim(ms_slice_from(member->valuestring));
    if (email->len == 0) {
        return MS_EMAIL_MISSING;
    }
    return ms_email_is_valid(*email) ? MS_OK : MS_EMAIL_INVALID;
}

/*
 * ms_status: every error and warning of the project, in one list.
 *
 * X(name, code, sentence): `name` is the C constant, `code` the stable name
 * that people and programs see, `sentence` what a person should know: errors
 * bring it along, as `message`. What JavaScript needs is generated from these
 * lists; README.md explains every code, which a test checks.
 *
 * Codes are a promise: they are added, never renamed. A sentence may change.
 */
#ifndef MS_STATUS_H
#define MS_STATUS_H

/* What core can answer. */
#define MS_CORE_ERRORS(X)                                                                          \
    X(MS_JSON_INVALID, "json_invalid", "Not a JSON object in UTF-8.")                              \
    X(MS_TOO_LARGE, "too_large", "More than 64 KB.")                                               \
    X(MS_OUT_OF_MEMORY, "out_of_memory", "Too deep or too long.")                                  \
    X(MS_URL_INVALID, "url_invalid", "Not a URL.")                                                 \
    X(MS_URL_UNSUPPORTED_SCHEME, "url_unsupported_scheme", "Not http or https.")                   \
    X(MS_EVENT_MISSING, "event_missing", "track needs an event name.")                             \
    X(MS_EMAIL_MISSING, "email_missing", "There is no e-mail address.")                            \
    X(MS_EMAIL_INVALID, "email_invalid", "Not an e-mail address.")

/* What core sends anyway, but wants known. */
#define MS_CORE_WARNINGS(X)                                                                        \
    X(MS_HOST_DIFFERS, "host_differs", "Marketo takes the path for one of this page's host.")      \
    X(MS_URL_TRUNCATED, "url_truncated", "The path was cut to its limit.")                         \
    X(MS_PARAMS_TRUNCATED, "params_truncated", "Parameters beyond the limit were left out.")       \
    X(MS_TRAIT_COLLISION, "trait_collision", "Two traits have one field name.")                    \
    X(MS_TRAIT_NAME_INVALID, "trait_name_invalid", "No Marketo field can have this name.")         \
    X(MS_TRAIT_UNSUPPORTED, "trait_unsupported", "A field cannot hold an object.")

/* What the browser's side adds. */
#define MS_GLUE_ERRORS(X)                                                                          \
    X(MS_ARGUMENTS_INVALID, "arguments_invalid", "Cannot be written as JSON.")                     \
    X(MS_NOT_A_BROWSER, "not_a_browser", "There is no page here.")                                 \
    X(MS_MUNCHKIN_ID_INVALID, "munchkin_id_invalid", "Not a Munchkin ID, like 123-ABC-456.")       \
    X(MS_MUNCHKIN_BLOCKED, "munchkin_blocked", "munchkin.js did not load.")                        \
    X(MS_MUNCHKIN_FAILED, "munchkin_failed", "Munchkin threw an exception.")                       \
    X(MS_CORE_BLOCKED, "core_blocked", "WebAssembly did not load.")                                \
    X(MS_EXTRAS_BLOCKED, "extras_blocked", "munchkin-shim.extras.js did not load.")                \
    X(MS_SERVER_MISSING, "server_missing", "identify needs the server option.")                    \
    X(MS_SERVER_UNREACHABLE, "server_unreachable", "The server did not answer.")                   \
    X(MS_SERVER_ERROR, "server_error", "Not an answer of munchkin-server.")

/* What identify by a hidden form adds. */
#define MS_FORM_ERRORS(X)                                                                          \
    X(MS_FORM_MISSING, "form_missing", "identify by form needs formsUrl and formId.")              \
    X(MS_FORM_BLOCKED, "form_blocked", "Marketo's forms2.min.js did not load.")                    \
    X(MS_FORM_FAILED, "form_failed", "Marketo did not take the form.")

/* What sending leads again, and with tokens, adds. */
#define MS_OUTBOX_ERRORS(X)                                                                        \
    X(MS_GIVEN_UP, "given_up", "The server has not taken the lead for a day.")                     \
    X(MS_TOKEN_FAILED, "token_failed", "The token option gave no token.")

/* Why the browser's side rightly sent nothing. */
#define MS_GLUE_SKIPS(X)                                                                           \
    X(MS_ALREADY_RECORDED, "already_recorded", "Munchkin recorded it at init.")                    \
    X(MS_UNCHANGED, "unchanged", "Sent in the last 24 hours.")                                     \
    X(MS_DESTINATION_OFF, "destination_off", "integrations leave Marketo out.")                    \
    X(MS_OPTED_OUT, "opted_out", "The visitor has opted out.")                                     \
    X(MS_NO_CONSENT, "no_consent", "The visitor has not consented.")                               \
    X(MS_NOT_SUPPORTED, "not_supported", "Marketo has no such call.")

/* What munchkin-server, or the signer of js-glue/signer.js, answers, as {"error": code, "message":
 * sentence}. */
#define MS_SERVER_ERRORS(X)                                                                        \
    X(MS_NOT_FOUND, "not_found", "Nothing is served under this path.")                             \
    X(MS_METHOD_NOT_ALLOWED, "method_not_allowed", "This path takes another method; see Allow.")   \
    X(MS_ORIGIN_MISSING, "origin_missing", "Only pages of allowed origins may ask.")               \
    X(MS_ORIGIN_NOT_ALLOWED, "origin_not_allowed", "Start the server with --allow-origin for it.") \
    X(MS_RATE_LIMITED, "rate_limited", "Too many requests from here, or for this e-mail; wait.")   \
    X(MS_BODY_TOO_LARGE, "body_too_large", "The request body is larger than this path takes.")     \
    X(MS_FRAMING_INVALID, "framing_invalid", "It can be read in two ways where the request ends.") \
    X(MS_NOT_AUTHORIZED, "not_authorized", "This visitor may not have this e-mail signed.")        \
    X(MS_AUTHORIZE_FAILED, "authorize_failed", "The site's authorize function threw an exception.")

/* What munchkin-server answers where it asks for a token (src/server/token.h). */
#define MS_TOKEN_ERRORS(X)                                                                         \
    X(MS_TOKEN_MISSING, "token_missing", "A token of the site's back end is needed.")              \
    X(MS_TOKEN_INVALID, "token_invalid", "The token is none of the site's back end.")              \
    X(MS_TOKEN_EXPIRED, "token_expired", "The token's time is over; get a new one.")               \
    X(MS_TOKEN_NOT_YET_VALID, "token_not_yet_valid", "Its time is to come; compare the clocks.")   \
    X(MS_TOKEN_LIFETIME, "token_lifetime", "A token may last a day; its exp is further ahead.")    \
    X(MS_TOKEN_AUDIENCE, "token_audience", "The token's aud is not the server's; see its flags.")  \
    X(MS_TOKEN_EMAIL_DIFFERS, "token_email_differs", "The token is for another e-mail address.")

/* What munchkin-server answers to who sends it events and leads. */
#define MS_INTAKE_ERRORS(X)                                                                        \
    X(MS_INTAKE_CLOSED, "intake_closed", "Start the server with --write-key to send it events.")   \
    X(MS_WRITE_KEY_INVALID, "write_key_invalid", "None of the server's write keys came along.")    \
    X(MS_BATCH_MISSING, "batch_missing", "The body needs a list of messages, called batch.")       \
    X(MS_BATCH_TOO_LONG, "batch_too_long", "A batch may have 5000 messages; send several.")        \
    X(MS_BATCH_SHARED_TOO_LARGE, "batch_shared_too_large",                                         \
      "What stands around the messages counts for each of them; send fewer at once.")              \
    X(MS_ENCODING_UNSUPPORTED, "encoding_unsupported", "Bodies may be plain or in gzip.")          \
    X(MS_GZIP_INVALID, "gzip_invalid", "The body is not the gzip that its header promises.")       \
    X(MS_QUEUE_FULL, "queue_full", "More comes than can be stored now; try again later.")          \
    X(MS_NOT_STORED, "not_stored", "It could not be written to the disk; try again later.")        \
    X(MS_HASH_UNAVAILABLE, "hash_unavailable", "This server has no private key to sign with.")

/* Why a message that was taken can never be sent; beside core's errors. */
#define MS_MESSAGE_ERRORS(X)                                                                       \
    X(MS_MESSAGE_TOO_LARGE, "message_too_large", "A message may have 32 KB.")                      \
    X(MS_TYPE_UNKNOWN, "type_unknown", "There is no such type of message.")                        \
    X(MS_COOKIE_INVALID, "cookie_invalid", "The Marketo cookie is none.")                          \
    X(MS_COOKIE_FOREIGN, "cookie_foreign", "The Marketo cookie is of another Munchkin ID.")        \
    X(MS_ACTIVITY_UNSUPPORTED, "activity_unsupported", "SOAP has no call for custom activities.")

typedef enum {
    MS_OK,
#define MS_STATUS_NAME(name, code, sentence) name,
    MS_CORE_ERRORS(MS_STATUS_NAME) MS_CORE_WARNINGS(MS_STATUS_NAME) MS_GLUE_ERRORS(MS_STATUS_NAME)
        MS_FORM_ERRORS(MS_STATUS_NAME) MS_OUTBOX_ERRORS(MS_STATUS_NAME)
            MS_GLUE_SKIPS(MS_STATUS_NAME) MS_SERVER_ERRORS(MS_STATUS_NAME)
                MS_TOKEN_ERRORS(MS_STATUS_NAME) MS_INTAKE_ERRORS(MS_STATUS_NAME)
                    MS_MESSAGE_ERRORS(MS_STATUS_NAME)
#undef MS_STATUS_NAME
} ms_status;

/* The stable code of one of core's errors or warnings, "" of any other status; static storage. */
const char *ms_status_code(ms_status status);

#endif

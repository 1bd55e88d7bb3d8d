#include "configuration.h"

#include "intake/cookie.h"
#include "secret.h"

#include <stdio.h>
#include <stdlib.h>

#define MS_PER_SECOND INT64_C(1000)
#define UNCHANGED_MS (INT64_C(24) * 3600 * MS_PER_SECOND)
#define HOLD_MS (INT64_C(7) * 24 * 3600 * MS_PER_SECOND)
#define BATCH 300

static bool
refuse(const char *sentence)
{
    (void)fprintf(stderr, "munchkin-server: %s\n", sentence);
    return false;
}

const char *
ms_way_name(ms_way way)
{
    return way == MS_WAY_REST ? "REST" : way == MS_WAY_SOAP ? "SOAP" : "hash";
}

static bool
load_secrets(ms_configuration *to, const ms_options *options)
{
    ms_marketo_settings *marketo = &to->marketo;
    marketo->client_id = ms_slice_from(getenv("MARKETO_CLIENT_ID"));
    marketo->soap_user_id = ms_slice_from(getenv("MARKETO_SOAP_USER_ID"));
    return ms_secret_load(&ms_secret_private_key, options->private_key_file, &to->private_key) &&
           ms_secret_load(&ms_secret_client_secret, options->client_secret_file,
                          &marketo->client_secret) &&
           ms_secret_load(&ms_secret_soap_encryption_key, options->soap_encryption_key_file,
                          &marketo->soap_encryption_key);
}

/* Where the site's back end vouches for who is signed in. */
static bool
load_tokens(ms_token_rules *to, const ms_options *options)
{
    for (size_t i = 0; i < MS_TOKEN_SECRETS; i++) {
        ms_slice *secret = &to->secrets[i];
        if (!ms_secret_load(&ms_secret_tokens[i], options->token_secret_files[i], secret)) {
            return false;
        }
        if (secret->len > 0 && secret->len < MS_TOKEN_SECRET_MIN) {
            return refuse(
                "a token secret of fewer than 32 bytes can be found by trying, so it does "
                "not start. Make\none that cannot:\n  openssl rand -base64 33");
        }
    }
    to->audience = ms_slice_from(options->token_audience);
    if (options->token_audience != NULL && (to->audience.len == 0 || !ms_token_is_needed(to))) {
        return refuse("--token-audience is what tokens say under aud, and not empty; and without a "
                      "secret there are no tokens: give --token-secret-file or set "
                      "MUNCHKIN_TOKEN_SECRET.");
    }
    return true;
}

/* Credentials come in pairs. */
static bool
check_halves(const ms_marketo_settings *marketo)
{
    if (marketo->client_secret.len > 0 && marketo->client_id.len == 0) {
        return refuse("there is a client secret but no client id; set MARKETO_CLIENT_ID. Marketo "
                      "shows both under Admin > Integration > LaunchPoint.");
    }
    if (marketo->client_id.len > 0 && marketo->client_secret.len == 0) {
        return refuse("there is a client id but no client secret; set MARKETO_CLIENT_SECRET or "
                      "give --client-secret-file. Marketo shows both under Admin > Integration > "
                      "LaunchPoint.");
    }
    if (marketo->soap_encryption_key.len > 0 && marketo->soap_user_id.len == 0) {
        return refuse("there is a SOAP encryption key but no user id; set MARKETO_SOAP_USER_ID.");
    }
    if (marketo->soap_user_id.len > 0 && marketo->soap_encryption_key.len == 0) {
        return refuse("there is a SOAP user id but no encryption key; set "
                      "MARKETO_SOAP_ENCRYPTION_KEY or give --soap-encryption-key-file.");
    }
    return true;
}

static bool
choose_way(ms_configuration *to, const ms_options *options)
{
    bool rest = to->marketo.client_id.len > 0;
    bool soap = to->marketo.soap_user_id.len > 0;
    to->way = options->way != MS_WAY_AUTO ? options->way
              : rest                      ? MS_WAY_REST
              : soap                      ? MS_WAY_SOAP
                                          : MS_WAY_HASH;
    if (to->way == MS_WAY_REST && !rest) {
        return refuse("--backend rest needs credentials; set MARKETO_CLIENT_ID and "
                      "MARKETO_CLIENT_SECRET. Marketo shows them under Admin > Integration > "
                      "LaunchPoint.");
    }
    if (to->way == MS_WAY_SOAP && !soap) {
        return refuse("--backend soap needs credentials; set MARKETO_SOAP_USER_ID and "
                      "MARKETO_SOAP_ENCRYPTION_KEY.");
    }
    return true;
}

/* Where nothing is sent from here. */
static bool
check_hash(const ms_configuration *configuration, const ms_options *options)
{
    if (options->write_keys->count > 0 && options->way == MS_WAY_HASH) {
        return refuse("--backend hash sends no events, which a write key lets servers do; leave "
                      "one of them out. Without --backend, the credentials decide.");
    }
    if (options->write_keys->count > 0) {
        return refuse("a write key lets servers send events, and there is no way to pass these on; "
                      "set MARKETO_CLIENT_ID and MARKETO_CLIENT_SECRET for Marketo's REST API.");
    }
    if (configuration->private_key.len == 0) {
        ms_secret_missing(&ms_secret_private_key);
        (void)fputs("To send leads to Marketo instead, set MARKETO_CLIENT_ID and "
                    "MARKETO_CLIENT_SECRET.\n",
                    stderr);
        return false;
    }
    if (options->allowed.count == 0) {
        return refuse("no origin is allowed, so it does not start: anyone could have any e-mail\n"
                      "address signed, and with that overwrite the lead. List the origins of your "
                      "pages:\n  --allow-origin https://www.example.com");
    }
    return true;
}

static bool
take_munchkin_id(ms_configuration *to, const ms_options *options)
{
    const char *text = options->munchkin_id;
    if (text == NULL) {
        text = getenv("MARKETO_MUNCHKIN_ID");
    }
    if (text == NULL) {
        return refuse("there is no Munchkin ID; give --munchkin-id or set MARKETO_MUNCHKIN_ID. "
                      "Marketo shows it under Admin > Integration > Munchkin.");
    }
    if (!ms_munchkin_id_is_valid(ms_slice_from(text))) {
        return refuse("a Munchkin ID looks like 561-HYG-937; see --munchkin-id and "
                      "MARKETO_MUNCHKIN_ID.");
    }
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        to->munchkin_id[i] = ms_to_upper(text[i]);
    }
    to->munchkin_id[len] = '\0';
    to->marketo.munchkin_id = (ms_slice){to->munchkin_id, len};
    return true;
}

/* Of one of Marketo's APIs. */
typedef struct {
    const char *option;
    const char *behind;           /* the Munchkin ID, in Marketo's own URL */
    const char *const folders[2]; /* which the calls' paths begin with */
} url_rule;

static const url_rule rest_url = {"rest-url", ".mktorest.com", {"/rest", "/identity"}};
static const url_rule soap_url = {"soap-url", ".mktoapi.com/soap/mktows/3_1", {NULL}};
static const url_rule web_events_url = {"webevents-url", ".mktoresp.com", {"/webevents"}};

static void
cut_slashes(ms_slice *url)
{
    while (url->len > 0 && url->ptr[url->len - 1] == '/') {
        url->len--;
    }
}

/* Marketo shows people its URL with such a folder at the end. */
static void
cut_folder(ms_slice *url, const url_rule *rule)
{
    for (size_t i = 0; i < sizeof rule->folders / sizeof *rule->folders; i++) {
        ms_slice folder = ms_slice_from(rule->folders[i]);
        if (folder.len > 0 && url->len > folder.len &&
            memcmp(url->ptr + url->len - folder.len, folder.ptr, folder.len) == 0) {
            url->len -= folder.len;
            cut_slashes(url);
            return;
        }
    }
}

/* Writes the URL that was given, else Marketo's own: before the Munchkin ID, and behind it. */
static bool
take_url(const ms_configuration *configuration, const url_rule *rule, const char *given,
         char text[MS_URL_TEXT], ms_slice *url)
{
    const char *id = configuration->munchkin_id;
    int len = given != NULL ? snprintf(text, MS_URL_TEXT, "%s", given)
                            : snprintf(text, MS_URL_TEXT, "https://%s%s", id, rule->behind);
    bool is_url = strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
    const char *host = is_url ? strstr(text, "://") + 3 : "";
    if (*host == '\0' || *host == '/' || len >= MS_URL_TEXT || strpbrk(text, " \t\r\n?#") != NULL) {
        (void)fprintf(stderr,
                      "munchkin-server: --%s: expected an http or https URL without parameters, "
                      "like Marketo's own https://%s%s\n",
                      rule->option, id, rule->behind);
        return false;
    }
    *url = (ms_slice){text, (size_t)len};
    cut_slashes(url);
    cut_folder(url, rule);
    text[url->len] = '\0';
    return true;
}

static bool
take_activities(ms_configuration *to, const ms_options *options)
{
    char problem[MS_ACTIVITIES_PROBLEM];
    if (options->activities_file == NULL) {
        return true;
    }
    to->activities = ms_activities_load(options->activities_file, problem);
    if (to->activities == NULL) {
        (void)fprintf(stderr, "munchkin-server: --activities %s: %s.\n", options->activities_file,
                      problem);
        return false;
    }
    return true;
}

/* Where there is a queue. */
static bool
load_marketo(ms_configuration *to, const ms_options *options)
{
    if (options->allowed.count == 0 && options->write_keys->count == 0) {
        return refuse("nobody may send anything, so it does not start. List the origins of your "
                      "pages, or choose a write key for your servers, or both:\n"
                      "  --allow-origin https://www.example.com\n"
                      "  --write-key KEY");
    }
    to->marketo.daily_calls = options->daily_calls;
    to->marketo.batch = BATCH;
    to->rules = (ms_store_rules){.interval = options->interval * MS_PER_SECOND,
                                 .linger = options->linger * MS_PER_SECOND,
                                 .unchanged = UNCHANGED_MS,
                                 .hold = HOLD_MS};
    return take_munchkin_id(to, options) &&
           take_url(to, &rest_url, options->rest_url, to->rest_url, &to->marketo.rest_url) &&
           take_url(to, &soap_url, options->soap_url, to->soap_url, &to->marketo.soap_url) &&
           take_url(to, &web_events_url, options->web_events_url, to->web_events_url,
                    &to->marketo.web_events_url) &&
           take_activities(to, options);
}

bool
ms_configuration_load(ms_configuration *configuration, const ms_options *options)
{
    static const ms_slice none = {"", 0};
    *configuration = (ms_configuration){
        .private_key = none,
        .tokens = {{none, none}, none},
        .marketo = {none, none, none, none, none, none, none, none, .daily_calls = 0},
    };
    if (!load_secrets(configuration, options) || !load_tokens(&configuration->tokens, options) ||
        !check_halves(&configuration->marketo) || !choose_way(configuration, options)) {
        return false;
    }
    return configuration->way == MS_WAY_HASH ? check_hash(configuration, options)
                                             : load_marketo(configuration, options);
}

void
ms_configuration_wipe(ms_configuration *configuration)
{
    ms_secret_wipe(&configuration->private_key);
    for (size_t i = 0; i < MS_TOKEN_SECRETS; i++) {
        ms_secret_wipe(&configuration->tokens.secrets[i]);
    }
    ms_secret_wipe(&configuration->marketo.client_secret);
    ms_secret_wipe(&configuration->marketo.soap_encryption_key);
    ms_activities_free(configuration->activities);
    configuration->activities = NULL;
}

ms_backend *
ms_configuration_open_backends(const ms_configuration *configuration)
{
    const ms_marketo_settings *settings = &configuration->marketo;
    ms_backend *leads =
        configuration->way == MS_WAY_REST ? ms_rest_open(settings) : ms_soap_open(settings);
    if (leads == NULL) {
        return NULL;
    }
    leads->beside = ms_web_events_open(settings);
    if (leads->beside == NULL) {
        leads->close(leads);
        return NULL;
    }
    return leads;
}

#include "alias.h"

ms_slice
ms_email_key(ms_store *store, ms_slice email)
{
    char *key = email.len == 0 ? NULL : ms_scratch(store, email.len);
    if (key == NULL) {
        return MS_SLICE("");
    }
    for (size_t i = 0; i < email.len; i++) {
        key[i] = ms_to_lower(email.ptr[i]);
    }
    return (ms_slice){key, email.len};
}

int64_t
ms_alias_find(ms_store *store, ms_name kind, ms_slice name)
{
    if (name.len == 0) {
        return 0;
    }
    ms_sql *sql = ms_sql_begin(store, MS_ALIAS_FIND);
    ms_sql_int(sql, kind);
    ms_sql_text(sql, name);
    return ms_sql_number(sql);
}

static void
change(ms_store *store, ms_query query, ms_name kind, ms_slice name, const ms_lead_row *lead)
{
    ms_sql *sql = ms_sql_begin(store, query);
    ms_sql_int(sql, kind);
    ms_sql_text(sql, name);
    ms_sql_int(sql, lead->id);
    (void)ms_sql_run(sql);
}

void
ms_alias_put(ms_store *store, ms_name kind, ms_slice name, const ms_lead_row *lead)
{
    change(store, MS_ALIAS_PUT, kind, name, lead);
}

void
ms_alias_take(ms_store *store, ms_name kind, ms_slice name, const ms_lead_row *lead)
{
    change(store, MS_ALIAS_DELETE, kind, name, lead);
}

#include "client/control/verbs.h"

#include "common/base/text.h"

static json_t *must(json_t *json)
{
    if (json == NULL)
        abort();
    return json;
}

json_t *verb_plain(const char *verb)
{
    return must(json_pack("{s:s}", "verb", verb));
}

json_t *verb_attach(const struct project_record *record, const struct trust *trust)
{
    CLEANUP(freep) char *project = project_record_encode(record);
    CLEANUP(freep) char *chain = trust_encode(trust);

    return must(json_pack("{s:s, s:s, s:s}", "verb", "attach", "record", project, "trust", chain));
}

json_t *verb_detach(const char *project, bool force)
{
    return must(json_pack("{s:s, s:s, s:b}", "verb", "detach", "project", project, "force", force));
}

json_t *answer_ok(void)
{
    return must(json_pack("{s:b}", "ok", 1));
}

json_t *answer_failure(const struct error *err)
{
    return must(json_pack("{s:b, s:s}", "ok", 0, "why", err->text));
}

bool answer_is_ok(json_t *answer, struct error *err)
{
    const char *why = json_string_value(json_object_get(answer, "why"));

    if (json_is_true(json_object_get(answer, "ok")))
        return true;
    (void)error_set(err, STATUS_INVALID, "%s", why != NULL ? why : "the daemon's answer is none");
    return false;
}

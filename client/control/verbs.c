#include "client/control/verbs.h"

#include <string.h>

#include "common/base/text.h"
#include "common/json/build.h"

json_t *verb_plain(const char *verb)
{
    return build(json_pack("{s:s}", "verb", verb));
}

json_t *verb_attach(const struct project_record *record, const struct trust *trust)
{
    CLEANUP(freep) char *project = project_record_encode(record);
    CLEANUP(freep) char *chain = trust_encode(trust);

    return build(json_pack("{s:s, s:s, s:s}", "verb", "attach", "record", project, "trust", chain));
}

static const char *const hows[] = {
    [DETACH_HAND_BACK] = "hand-back", [DETACH_FINISH] = "finish", [DETACH_FORGET] = "forget"};

enum detach_how detach_how_from_name(const char *name)
{
    int how = 0;

    while (how <= DETACH_FORGET && strcmp(hows[how], name) != 0)
        how++;
    return (enum detach_how)how;
}

json_t *verb_detach(const struct detach_order *order)
{
    return build(json_pack("{s:s, s:s, s:s, s:I}", "verb", "detach", "project", order->project,
                           "how", hows[order->how], "wait_s", (json_int_t)order->wait_s));
}

json_t *answer_ok(void)
{
    return build(json_pack("{s:b}", "ok", 1));
}

json_t *answer_failure(const struct error *err)
{
    return build(json_pack("{s:b, s:o}", "ok", 0, "why", build_text(err->text)));
}

bool answer_is_ok(json_t *answer, struct error *err)
{
    const char *why = json_string_value(json_object_get(answer, "why"));

    if (json_is_true(json_object_get(answer, "ok")))
        return true;
    (void)error_set(err, STATUS_INVALID, "%s", why != NULL ? why : "the daemon's answer is none");
    return false;
}

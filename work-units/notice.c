#include "work-units/notice.h"

#include "common/json/profile.h"

enum status notice_decode(const char *payload, size_t length, struct notice *ret_notice,
                          struct error *err)
{
    struct notice notice = {.text = ""};
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(payload, length, &profile_payload, &root, err));
    members_begin(&members, root, err);
    members_type(&members, NOTICE_TYPE);
    notice.project = members_digest(&members, "project");
    (void)text_fit(notice.text, sizeof notice.text,
                   members_lines(&members, "text", NOTICE_TEXT_MAX));
    if (!members_failed(&members) && notice.text[0] == '\0')
        members_fail(&members, "text", "malformed", "is empty");
    notice.issued_s = members_time(&members, "issued");
    notice.until_s = members_time(&members, "until");
    if (!members_failed(&members) && notice.until_s <= notice.issued_s)
        members_fail(&members, "until", "bad-number", "is not after issued");
    TRY(members_end(&members));

    *ret_notice = notice;
    return STATUS_OK;
}

char *notice_encode(const struct notice *notice)
{
    json_auto_t *root =
        json_pack("{s:s, s:o, s:s, s:I, s:I}", "type", NOTICE_TYPE, "project",
                  digest_to_json(&notice->project), "text", notice->text, "issued",
                  (json_int_t)notice->issued_s, "until", (json_int_t)notice->until_s);

    return profile_print(root);
}

#include "client/state/records.h"

#include <string.h>

#include "common/crypto/base64.h"
#include "common/json/build.h"
#include "common/json/members.h"
#include "common/json/profile.h"

static void set_text(json_t *root, const char *name, const char *text)
{
    build_set(root, name, json_string(text));
}

static void set_number(json_t *root, const char *name, int64_t number)
{
    build_set(root, name, json_integer(number));
}

static char *print(json_t *root)
{
    char *text = profile_print(root);

    json_decref(root);
    return text;
}

static enum status parse(const char *bytes, size_t length, size_t max, json_t **ret_root,
                         struct error *err)
{
    const struct profile_limits limits = {.bytes = max, .depth = 5};

    return profile_parse(bytes, length, &limits, ret_root, err);
}

static struct token read_token(struct members *members, const char *name)
{
    const char *text = members_text(members, name, 0, TOKEN_CHARS);
    struct token token = {0};

    if (text[0] != '\0' && !token_parse(text, &token))
        members_fail(members, name, "malformed", "is not a token");
    return token;
}

/* --- project.json --- */

static const char *const leaving_names[] = {
    [LEAVING_NOT] = "", [LEAVING_NOW] = "now", [LEAVING_FINISH] = "finish"};

const char *leaving_name(enum leaving leaving)
{
    return leaving_names[leaving];
}

static enum leaving read_leaving(struct members *members)
{
    const char *name = members_text(members, "leaving", 0, 16);

    for (int i = LEAVING_NOT; i <= LEAVING_FINISH; i++)
        if (strcmp(name, leaving_names[i]) == 0)
            return (enum leaving)i;
    members_fail(members, "leaving", "malformed", "is neither now nor finish");
    return LEAVING_NOT;
}

/* Back into the order and form in which they were noted, whatever the file says. */
static void read_known_urls(struct members *members, struct known_urls *known)
{
    struct members_list list = members_list(members, "known_urls", 0, KNOWN_URLS_MAX);

    for (size_t i = 0; i < list.count; i++)
        (void)known_urls_note(known, list_text(&list, i, 1, HTTP_URL_MAX - 1));
}

static json_t *known_urls_to_json(const struct known_urls *known)
{
    json_t *it = build(json_array());

    for (size_t i = 0; i < known->count; i++)
        build_append(it, json_string(known->urls[i].text));
    return it;
}

void project_record_clear(struct project_record *record)
{
    free(record->ca_pem);
    record->ca_pem = NULL;
}

enum status project_record_decode(const char *bytes, size_t length,
                                  struct project_record *ret_record, struct error *err)
{
    CLEANUP(project_record_clear) struct project_record record = {0};
    json_auto_t *json = NULL;
    struct members root;

    TRY(parse(bytes, length, PROJECT_RECORD_MAX, &json, err));
    members_begin(&root, json, err);
    record.project = members_digest(&root, "project");
    members_copy_text(&root, "url", record.url, sizeof record.url);
    members_copy_text(&root, "name", record.name, sizeof record.name);
    record.account = read_token(&root, "account");
    record.native_allowed = members_boolean(&root, "native_allowed");
    if (members_has(&root, "ca"))
        record.ca_pem = text_copy(members_lines(&root, "ca", HTTP_CA_PEM_MAX));
    members_copy_text(&root, "stopped", record.stopped, sizeof record.stopped);
    record.attached_s = members_time(&root, "attached");
    record.leaving = read_leaving(&root);
    members_copy_text(&root, "place_why", record.place_why, sizeof record.place_why);
    read_known_urls(&root, &record.known_urls);
    TRY(members_end(&root));
    *ret_record = record;
    record.ca_pem = NULL;
    return STATUS_OK;
}

char *project_record_encode(const struct project_record *record)
{
    json_t *root = build(json_object());

    set_text(root, "project", digest_format(&record->project).text);
    set_text(root, "url", record->url);
    set_text(root, "name", record->name);
    set_text(root, "account", record->account.text);
    build_set(root, "native_allowed", json_boolean(record->native_allowed));
    if (record->ca_pem != NULL)
        set_text(root, "ca", record->ca_pem);
    set_text(root, "stopped", record->stopped);
    set_number(root, "attached", record->attached_s);
    set_text(root, "leaving", leaving_name(record->leaving));
    set_text(root, "place_why", record->place_why);
    build_set(root, "known_urls", known_urls_to_json(&record->known_urls));
    return print(root);
}

/* --- host.json --- */

static void read_tally(struct members *members, struct tally *tally)
{
    struct members part;

    members_object(members, "tally", &part);
    tally->accepted = members_integer(&part, "accepted", 0, PROFILE_INTEGER_MAX);
    tally->outvoted = members_integer(&part, "outvoted", 0, PROFILE_INTEGER_MAX);
    tally->inconclusive = members_integer(&part, "inconclusive", 0, PROFILE_INTEGER_MAX);
    tally->errors = members_integer(&part, "errors", 0, PROFILE_INTEGER_MAX);
    tally->unit_failed = members_integer(&part, "unit_failed", 0, PROFILE_INTEGER_MAX);
    tally->credit = members_integer(&part, "credit", 0, PROFILE_INTEGER_MAX);
    members_end_part(&part);
}

enum status host_record_decode(const char *bytes, size_t length, struct host_record *ret_record,
                               struct error *err)
{
    struct host_record record = {0};
    json_auto_t *json = NULL;
    struct members root;

    TRY(parse(bytes, length, HOST_RECORD_MAX, &json, err));
    members_begin(&root, json, err);
    record.host = members_integer(&root, "host", 0, ID_MAX);
    record.token = read_token(&root, "token");
    record.volunteer = members_integer(&root, "volunteer", 0, ID_MAX);
    record.next_visit = members_integer(&root, "next_visit", 1, ID_MAX);
    record.return_at_s = members_time(&root, "return_at");
    read_tally(&root, &record.tally);
    TRY(members_end(&root));
    *ret_record = record;
    return STATUS_OK;
}

char *host_record_encode(const struct host_record *record)
{
    json_t *root = build(json_object()), *tally = build(json_object());

    set_number(tally, "accepted", record->tally.accepted);
    set_number(tally, "outvoted", record->tally.outvoted);
    set_number(tally, "inconclusive", record->tally.inconclusive);
    set_number(tally, "errors", record->tally.errors);
    set_number(tally, "unit_failed", record->tally.unit_failed);
    set_number(tally, "credit", record->tally.credit);
    set_number(root, "host", record->host);
    set_text(root, "token", record->token.text);
    set_number(root, "volunteer", record->volunteer);
    set_number(root, "next_visit", record->next_visit);
    set_number(root, "return_at", record->return_at_s);
    build_set(root, "tally", tally);
    return print(root);
}

/* --- visit.json --- */

void visit_record_clear(struct visit_record *record)
{
    free(record->body);
    *record = (struct visit_record){0};
}

enum status visit_record_decode(const char *bytes, size_t length, struct visit_record *ret_record,
                                struct error *err)
{
    struct visit_record record = {0};
    json_auto_t *json = NULL;
    struct members root;
    const char *body;

    TRY(parse(bytes, length, VISIT_RECORD_MAX, &json, err));
    members_begin(&root, json, err);
    record.number = members_integer(&root, "visit", 1, ID_MAX);
    body = members_raw_text(&root, "body", SCHEDULER_REQUEST_MAX);
    TRY(members_end(&root));
    record.body = text_copy(body);
    *ret_record = record;
    return STATUS_OK;
}

char *visit_record_encode(const struct visit_record *record)
{
    json_t *root = build(json_object());

    set_number(root, "visit", record->number);
    set_text(root, "body", record->body);
    return print(root);
}

/* dugnad connect: make a profile for a site, pinning its project. */
#include <string.h>

#include "common/base/text.h"
#include "operator/remote.h"
#include "operator/site.h"
#include "operator/verbs.h"

#define TOKEN_FILE_MAX 1024

static enum status read_stdin(struct session *session, struct buffer *content, struct error *err)
{
    char piece[256];
    size_t count;

    while ((count = fread(piece, 1, sizeof piece, session->in)) > 0)
        if (buffer_append(content, piece, count, NULL) != STATUS_OK)
            return error_set(err, STATUS_TOO_LARGE, "stdin holds more than %zu bytes, the limit",
                             content->max);
    return STATUS_OK;
}

static enum status read_any(struct session *session, const char *path, struct buffer *content,
                            struct error *err)
{
    return strcmp(path, "-") == 0 ? read_stdin(session, content, err)
                                  : session_read(session, path, content, err);
}

static enum status take_token(struct profile *profile, const char *path, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    size_t length;

    if (path == NULL)
        return STATUS_OK;
    buffer_init(&content, TOKEN_FILE_MAX);
    TRY(read_any(profile->session, path, &content, err));
    length = content.length;
    while (length > 0 && strchr(" \t\r\n", content.bytes[length - 1]) != NULL)
        content.bytes[--length] = '\0';
    if (!token_parse(buffer_text(&content), &profile->token))
        return error_set(err, STATUS_INVALID, "the token is %d characters of base64url",
                         TOKEN_CHARS);
    return STATUS_OK;
}

static enum status take_ca(struct profile *profile, const char *path, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    struct env *env = profile->session->env;
    struct error why = {0};

    if (path == NULL)
        return STATUS_OK;
    buffer_init(&content, PROFILE_CA_MAX);
    TRY(read_any(profile->session, path, &content, err));
    if (http_ca_check(buffer_text(&content), content.length, env->now_s(env), &why) != STATUS_OK)
        return error_set(err, STATUS_INVALID, "--ca %.100s: %s", path, why.text);
    free(profile->ca_pem);
    profile->ca_pem = buffer_take(&content);
    return STATUS_OK;
}

/* What a server we do not trust yet presents; believed only as far as the pinned id proves it. */
static enum status meet(struct profile *profile, struct http_response *ret_response,
                        struct project *ret_project, struct error *err)
{
    CLEANUP(freep) char *url = text_format("%s/v1/project", profile->url);
    struct http_request request = {
        .method = HTTP_GET, .url = url, .max_bytes = PROJECT_MAX, .on_first_contact = true};

    TRY(http_perform(profile->session->http, &request, ret_response, err));
    TRY(http_check(ret_response, err));
    return project_decode(buffer_text(&ret_response->body), ret_response->body.length, ret_project,
                          err);
}

/* The site uses a CA of its own: believe in it if the pinned project's keyring lists it. */
static enum status find_ca(struct profile *profile, struct error *err)
{
    CLEANUP(http_response_clear) struct http_response response = {0};
    CLEANUP(project_clear) struct project project = {0};
    struct env *env = profile->session->env;
    const struct keyring *keyring = &profile->trust.keyring;

    http_response_init(&response);
    TRY(meet(profile, &response, &project, err));
    TRY(site_follow(profile, &project, err));
    return http_chain_find_ca(&response.chain, profile->url, env->now_s(env), keyring->tls_cas,
                              keyring->tls_ca_count, &profile->ca_pem, err);
}

static enum status reach(struct profile *profile, struct project *ret_project, struct error *err)
{
    struct error why = {0};
    enum status status = site_ask_project(profile, ret_project, &why);
    bool is_unknown = status == STATUS_UNTRUSTED && profile->ca_pem == NULL && why.code != NULL &&
                      strcmp(why.code, "certificate-unknown-ca") == 0;

    if (is_unknown && !digest_is_none(&profile->project)) {
        TRY(find_ca(profile, err));
        return site_ask_project(profile, ret_project, err);
    }
    if (is_unknown)
        return error_set(err, STATUS_UNTRUSTED,
                         "the server's certificate is of a CA nobody here knows: give the whole "
                         "link with '#' and the project's id, or --ca FILE");
    if (status != STATUS_OK && err != NULL)
        *err = why;
    return status;
}

/* Nothing pinned the project: say who it claims to be, and let a person decide. */
static enum status pin(struct profile *profile, const struct project *project, struct error *err)
{
    struct session *session = profile->session;
    CLEANUP(freep) char *link = NULL;

    if (!digest_is_none(&profile->project) || digest_is_none(&project->project))
        return STATUS_OK;
    link = link_format(profile->url, &project->project);
    (void)fprintf(session->err,
                  "The server itself says that its project is\n    %s\nNobody else vouches for "
                  "that.\n",
                  link);
    if (!session_confirm(session, "Pin this project?"))
        return error_set(err, STATUS_UNTRUSTED,
                         "not pinned: give the whole link, with '#' and the project's id");
    profile->project = project->project;
    return STATUS_OK;
}

/* Keys, batches and what was signed are of the project, wherever it is; the token goes only where
 * the keyring says that it is. */
static enum status check_move(const struct profile *profile, const struct profile *old,
                              struct error *err)
{
    if (old->url[0] == '\0' || strcmp(old->url, profile->url) == 0 ||
        profile_url_is_listed(profile, profile->url))
        return STATUS_OK;
    return error_set(
        err, STATUS_UNTRUSTED,
        "the project's keyring does not list %.100s: 'dugnad key publish --url %.100s' "
        "first, while the site is still at %.100s",
        profile->url, profile->url, old->url);
}

static enum status make_connection(struct profile *profile, const struct profile *old,
                                   const struct options *options, struct error *err)
{
    CLEANUP(project_clear) struct project project = {0};

    TRY(take_token(profile, options_text(options, "token-file"), err));
    TRY(take_ca(profile, options_text(options, "ca"), err));
    TRY(reach(profile, &project, err));
    TRY(pin(profile, &project, err));
    TRY(site_follow(profile, &project, err));
    TRY(check_move(profile, old, err));
    if (profile->token.text[0] == '\0')
        profile->token = old->token; /* not before: see check_move() */
    (void)text_fit(profile->name, sizeof profile->name, project.name);
    return profile_save(profile, err);
}

static void say_connected(const struct profile *profile, const struct options *options)
{
    struct session *session = profile->session;
    bool is_claimed = !digest_is_none(&profile->project);
    CLEANUP(freep) char *link = is_claimed ? profile_link(profile) : NULL;

    if (options_has(options, "json")) {
        json_auto_t *root = json_pack("{s:s, s:s, s:s?, s:s}", "url", profile->url, "name",
                                      profile->name, "link", link, "profile", profile->folder.text);
        CLEANUP(freep) char *text = json_dumps(root, JSON_COMPACT);

        session_print(session, text);
        return;
    }
    session_say(session, options, "Connected to \"%s\" at %s (profile %s).", profile->name,
                profile->url, profile->folder.text);
    if (!is_claimed)
        session_say(
            session, options,
            "The site has no keys yet. Next: 'dugnad key init', then 'dugnad key publish'.");
    if (profile->token.text[0] == '\0')
        session_say(
            session, options,
            "Without a token nothing can be published: --token-file, made by 'dugnad-server "
            "token'.");
}

/* What its keys signed and its batches hold is of one project, and no other's. */
static enum status check_project(const struct profile *profile, const struct profile *old,
                                 struct error *err)
{
    CLEANUP(freep) char *link = NULL;

    if (digest_is_none(&old->project) || digest_equals(&old->project, &profile->project))
        return STATUS_OK;
    link = profile_link(old);
    return error_set(err, STATUS_CONFLICT,
                     "this profile belongs to another project, %.200s, as do its keys and batches: "
                     "use another one with --profile NAME",
                     link);
}

/*
 * The same site again, or the same project at another place: what was given before stays, unless it
 * is given anew. Where the project is known nothing less than it is followed.
 */
static enum status take_old(struct profile *profile, struct profile *old, struct error *err)
{
    bool is_same_site = strcmp(old->url, profile->url) == 0;

    if (digest_is_none(&profile->project))
        profile->project = old->project;
    TRY(check_project(profile, old, err));
    if (!is_same_site && digest_is_none(&old->project))
        return error_set(err, STATUS_CONFLICT,
                         "this profile belongs to %.100s: use another one with --profile NAME",
                         old->url);
    if (!digest_equals(&old->project, &profile->project))
        return STATUS_OK;
    profile->trust = old->trust; /* which CA a new place may have it says, too */
    old->trust = (struct trust){0};
    if (!is_same_site)
        return STATUS_OK;
    profile->token = old->token;
    profile->ca_pem = TAKE(old->ca_pem);
    return STATUS_OK;
}

/* What is there and cannot be read may be anybody's: it is not written over. */
static enum status find_old(struct profile *profile, struct profile *old,
                            const struct options *options, struct error *err)
{
    struct error why = {0};
    enum status status = profile_open(old, profile->session, options, &why);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return error_set(err, status,
                         "the profile %.150s cannot be read (%s): mend it, or use another one with "
                         "--profile NAME",
                         profile->folder.text, why.text);
    return take_old(profile, old, err);
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0}, old = {0};
    struct error err = {0};

    if (profile_find(&profile, session, options, &err) != STATUS_OK ||
        link_parse(options->operands[0], profile.url, sizeof profile.url, &profile.project, &err) !=
            STATUS_OK)
        return session_usage(session, options, &err);
    if (find_old(&profile, &old, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (make_connection(&profile, &old, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    say_connected(&profile, options);
    return EXIT_DONE;
}

static const struct option_rule rules[] = {
    {.name = "token-file",
     .argument = "FILE",
     .help = "The operator's token, made by 'dugnad-server token': a file or pipe of up to 1 KiB; "
             "'-' reads it from stdin."},
    {.name = "ca",
     .argument = "FILE",
     .help = "A CA certificate (PEM) to trust for this site. Needed only for a new site that uses "
             "its own CA and has no keyring yet."},
};

const struct command verb_connect = {
    .name = "connect",
    .operands = "URL[#PROJECT]",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Make a profile for a site",
    .description =
        "Remembers the site's URL, the token and who the project is, in a folder that only you can "
        "read. What follows '#' in the link is the project's id: with it nobody, not even the "
        "server, can show you another project. A site without keys has no id yet; the profile "
        "learns it from your own 'dugnad key publish'.\n\n"
        "A project that moved: connect to its new URL, once its keyring lists that; keys, token "
        "and batches stay what they are. A profile is of one project for good, as its keys and "
        "batches are: a link of another one is refused, and --profile NAME makes a profile for "
        "it.",
    .examples =
        "  A new site with its own CA, on this machine:\n"
        "    dugnad connect https://localhost:8443 --ca site/tls/ca.pem --token-file token\n"
        "  A site somebody else runs; the token from a password manager:\n"
        "    pass dugnad | dugnad connect 'https://grid.example/#PROJECT' --token-file -\n",
    .options = rules,
    .option_count = sizeof rules / sizeof *rules,
    .run = run,
};

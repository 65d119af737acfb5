#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "server/site/certificate.h"
#include "server/site/folder.h"
#include "server/site/listening.h"
#include "server/site/verbs.h"

static const struct option_rule options[] = {
    {.name = "name", .argument = "NAME", .help = "What people will know the project by; required."},
    {.name = "url",
     .argument = "URL",
     .help = "Where clients reach it: https://HOST[:PORT]; required."},
    {.name = "listen",
     .argument = "ADDR:PORT",
     .help = "Address for HTTPS (default: every IPv4 address, at the url's port; every address if "
             "the url names an IPv6 one; loopback alone if it names that).",
     .is_repeatable = true},
    {.name = "database",
     .argument = "URL",
     .help = "PostgreSQL to keep the site in, postgres://ROLE@HOST/NAME; without it the folder "
             "holds a database of its own."},
    {.name = "certificate",
     .argument = "FILE",
     .help = "Certificate chain to use (PEM); without it the site gets an authority of its own."},
    {.name = "key", .argument = "FILE", .help = "The certificate's key (PEM, not encrypted)."},
    {.name = "yes", .help = "Do not ask."},
};

/* What stands in site.conf as a line of its own, and is read from there as it was given. */
static enum status take(const char *name, const char *text, struct config_text *ret_text,
                        struct error *err)
{
    size_t length = strlen(text);

    if (length == 0 || length > CONFIG_TEXT_MAX)
        return error_set(err, STATUS_INVALID, "--%s has 1..%d bytes", name, CONFIG_TEXT_MAX);
    if (!text_is_plain(text, length, false))
        return error_set(err, STATUS_INVALID,
                         "--%s is one line of UTF-8 text, without line breaks, tabs and other "
                         "control characters",
                         name);
    if (text[0] == ' ' || text[length - 1] == ' ')
        return error_set(err, STATUS_INVALID, "--%s begins or ends with a blank", name);
    (void)text_fit(ret_text->text, sizeof ret_text->text, text);
    return STATUS_OK;
}

static enum status take_text(const struct options *given, const char *name,
                             struct config_text *ret_text, struct error *err)
{
    const char *text = options_text(given, name);

    return text == NULL ? STATUS_OK : take(name, text, ret_text, err);
}

/* A path given on the command line counts from where the operator stands, not from the site. */
static enum status take_path(const struct options *given, const char *name,
                             struct config_text *ret_text, struct error *err)
{
    const char *path = options_text(given, name);
    char here[DISK_PATH_MAX];
    struct disk_path whole;

    if (path == NULL)
        return STATUS_OK;
    if (*path != '/' && getcwd(here, sizeof here) == NULL)
        return error_set(err, STATUS_INVALID, "give --%s with its whole path", name);
    TRY(disk_join(&whole, err, "%s%s%s", *path == '/' ? "" : here, *path == '/' ? "" : "/", path));
    return take(name, whole.text, ret_text, err);
}

static const char *port_of(const char *url)
{
    const char *port = url + strlen("https://");

    if (*port == '[')
        port += strcspn(port, "]");
    port += strcspn(port, ":");
    return *port == ':' ? port + 1 : "443";
}

static enum status take_listen(const struct options *given, struct config *config,
                               struct error *err)
{
    struct certificate_host host;
    const char *address;
    char listening[LISTENING_MAX];

    config->listen.count = 0;
    for (size_t i = 0; (address = options_nth(given, "listen", i)) != NULL; i++) {
        if (i == CONFIG_LIST_MAX)
            return error_set(err, STATUS_INVALID, "--listen is given up to %d times",
                             CONFIG_LIST_MAX);
        TRY(take("listen", address, &config->listen.items[config->listen.count++], err));
    }
    if (config->listen.count > 0)
        return STATUS_OK;
    TRY(certificate_host_of(config->url.text, &host, err));
    listening_for(host.text, port_of(config->url.text), listening);
    (void)text_fit(config->listen.items[0].text, sizeof config->listen.items[0].text, listening);
    config->listen.count = 1;
    return STATUS_OK;
}

/*
 * By way of the file's own form, so that both are held to the same limits. Lines of a file that
 * nobody saw are left out of the words.
 */
static enum status check(struct config *config, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CONFIG_FILE_MAX};
    char words[sizeof err->text];

    config_print(config, &text);
    if (config_parse(buffer_text(&text), config, err) == STATUS_OK)
        return STATUS_OK;
    (void)text_fit(words, sizeof words, err->text);
    return error_set(err, STATUS_INVALID, "%s", words + strcspn(words, ":") + strlen(": "));
}

static enum status read_wishes(const struct options *given, struct config *config,
                               struct error *err)
{
    struct certificate_host host;

    config_defaults(config);
    if (!options_has(given, "name") || !options_has(given, "url"))
        return error_set(err, STATUS_INVALID, "give the project's --name and its --url");
    TRY(take_text(given, "name", &config->name, err));
    TRY(take_text(given, "url", &config->url, err));
    TRY(take_text(given, "database", &config->database, err));
    TRY(certificate_host_of(config->url.text, &host, err));
    TRY(take_path(given, "certificate", &config->certificate, err));
    TRY(take_path(given, "key", &config->certificate_key, err));
    TRY(take_listen(given, config, err));
    return check(config, err);
}

static bool is_agreed(const struct options *given, const char *folder, const struct config *config)
{
    char answer[8] = "";

    if (options_has(given, "yes") || isatty(STDIN_FILENO) == 0)
        return true;
    (void)printf("Make the site \"%s\" for %s in %s? [y/N] ", config->name.text, config->url.text,
                 folder);
    (void)fflush(stdout);
    return fgets(answer, sizeof answer, stdin) != NULL && (*answer == 'y' || *answer == 'Y');
}

static void say_what_next(struct env *env, const char *folder, const struct config *config)
{
    struct certificate_facts facts;
    struct disk_path ca;

    (void)printf("Made the site \"%s\" in %s.\n\n", config->name.text, folder);
    if (*config->certificate.text == '\0' &&
        site_path(folder, "tls/ca.pem", &ca, NULL) == STATUS_OK &&
        certificate_look(env->disk, ca.text, NULL, &facts, NULL) == STATUS_OK)
        (void)printf("Its certificate authority:\n  %s\n  %s\n\n", ca.text,
                     digest_format(&facts.digest).text);
    (void)printf("What comes next:\n"
                 "  dugnad-server run %s\n"
                 "  dugnad-server token %s new --role operator --name me >token\n"
                 "  dugnad connect %s --token-file token%s%s\n"
                 "  dugnad key init && dugnad key publish\n",
                 folder, folder, config->url.text,
                 *config->certificate.text == '\0' ? " --ca " : "",
                 *config->certificate.text == '\0' ? ca.text : "");
}

static int make(struct env *env, const struct options *given, struct config *config)
{
    struct disk_path folder;
    struct error err = {0};

    if (verb_folder(given, &folder, &err) != STATUS_OK ||
        read_wishes(given, config, &err) != STATUS_OK)
        return verb_usage(given, &err);
    if (!is_agreed(given, folder.text, config))
        return VERB_FAILED;
    if (site_make(env, folder.text, config, &err) != STATUS_OK)
        return verb_fail(&err);
    say_what_next(env, folder.text, config);
    return VERB_OK;
}

static int run(void *context, const struct options *given)
{
    struct config *config = must_alloc(1, sizeof *config);
    int code = make(context, given, config);

    free(config);
    return code;
}

const struct command verb_init = {
    .name = "init",
    .operands = "DIR",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "make a new site",
    .description =
        "Makes the folder DIR with everything a site needs: settings (site.conf), a secret, an "
        "empty database and, unless you bring a certificate, a certificate authority of its own. "
        "Clients learn of that authority from the project's signed keyring, so nobody has to trust "
        "it by hand.\n\n"
        "With --database the site lives in a PostgreSQL database that several servers may share: "
        "create the database and a role that owns it first. Keep the role's password out of the "
        "URL, in the file that PGPASSFILE names. A second server is a copy of DIR with another "
        "`server` number in its site.conf.\n\n"
        "DIR appears only when it is complete.",
    .examples = "A site on this machine, to try it out:\n"
                "  dugnad-server init ~/site --name \"Prime hunt\" --url https://127.0.0.1:8443\n"
                "With a certificate of a public authority:\n"
                "  dugnad-server init /srv/grid --name Grid --url https://grid.example \\\n"
                "      --certificate /etc/ssl/grid.pem --key /etc/ssl/grid.key",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};

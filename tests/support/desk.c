#include "tests/support/desk.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "operator/keychain.h"
#include "operator/verbs.h"
#include "tests/support/messages.h"
#include "tests/support/quick_scrypt.h"

struct fake_env desk_env;
struct memory_site desk_site;
struct session desk_session;
static char home[] = "/tmp/dugnad-verbs-XXXXXX";
const char *desk_out_path;
char *desk_out, *desk_said;
static size_t out_length, said_length;

char *at_home(const char *name)
{
    static char path[DISK_PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", home, name);
    return path;
}

void write_at_home(const char *name, const char *text)
{
    cr_assert(eq(int,
                 desk_env.base.disk->write(desk_env.base.disk, at_home(name), text, strlen(text),
                                           0600, NULL),
                 STATUS_OK));
}

int run_words(const char *const *words)
{
    int count = 0, code;

    while (words[count] != NULL)
        count++;
    free(desk_out);
    free(desk_said);
    desk_out = desk_said = NULL;
    desk_session.out =
        desk_out_path != NULL ? fopen(desk_out_path, "w") : open_memstream(&desk_out, &out_length);
    cr_assert(desk_session.out != NULL);
    desk_session.err = open_memstream(&desk_said, &said_length);
    code = program_run(&operator_program, &desk_session, count, words);
    (void)fclose(desk_session.out);
    (void)fclose(desk_session.err);
    return code;
}

/* The profile of a claimed site, as `connect`, `key init`, `key publish` and `app add` leave it. */
static void make_keys(void)
{
    for (int role = 0; role < KEY_ROLES; role++) {
        CLEANUP(private_key_clear) struct private_key key = test_key((unsigned)role);
        CLEANUP(freep)
        char *name =
            text_format(".config/dugnad/default/keys/%s.pem", key_role_name((enum key_role)role));

        cr_assert(
            eq(int, private_key_save(&key, &desk_env.base, at_home(name), NULL, NULL), STATUS_OK));
    }
}

void desk_set_up(void)
{
    quick_scrypt();
    cr_assert(mkdtemp(home) != NULL);
    fake_env_init(&desk_env, 7);
    memory_site_init(&desk_site);
    desk_session = (struct session){.env = &desk_env.base,
                                    .http = &desk_site.client,
                                    .in = stdin,
                                    .home = home,
                                    .read_pipe = pipe_read};
    write_at_home("token", FAKE_TOKEN "\n");
    write_at_home("pass", "unused\n");
    write_at_home("program", "#!/bin/sh\necho\n");
    cr_assert(eq(int, RUN("connect", MEMORY_SITE_URL, "--token-file", at_home("token")), EXIT_DONE),
              "%s", desk_said);
    make_keys();
    desk_session.passphrase_file = text_copy(at_home("pass"));
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE), "%s", desk_said);
}

void desk_tear_down(void)
{
    (void)desk_env.base.disk->remove_tree(desk_env.base.disk, home, NULL);
    memory_site_clear(&desk_site);
    free((char *)desk_session.passphrase_file);
    free(desk_out);
    free(desk_said);
}

void submit_three(void)
{
    cr_assert(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "b"), EXIT_DONE), "%s",
              desk_said);
}

struct trust desk_follow(void)
{
    struct trust trust = {0};

    for (size_t i = 0; i < desk_site.keyrings.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        const char *text = desk_site.keyrings.texts[i];

        cr_assert(eq(int,
                     envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &envelope, NULL),
                     STATUS_OK));
        cr_assert(eq(int,
                     i == 0 ? trust_start(&trust, &envelope.digest, &envelope, NULL)
                            : trust_accept_keyring(&trust, &envelope, NULL),
                     REFUSAL_NONE));
    }
    {
        CLEANUP(envelope_clear) struct envelope envelope = {0};

        cr_assert(eq(int,
                     envelope_decode(desk_site.freshness, strlen(desk_site.freshness),
                                     ENVELOPE_PAYLOAD_MAX, &envelope, NULL),
                     STATUS_OK));
        cr_assert(
            eq(int,
               trust_accept_freshness(&trust, &envelope, desk_env.base.now_s(&desk_env.base), NULL),
               REFUSAL_NONE));
    }
    return trust;
}

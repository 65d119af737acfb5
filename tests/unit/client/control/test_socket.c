/* client/control: its owner asks, strangers and garbage are turned away. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/control/socket.h"
#include "client/control/verbs.h"
#include "common/env/real.h"
#include "tests/support/ending.h"

static char folder[64];
static char path[96];
static struct control *control;
static struct error err;
static int stop;

static json_t *answer(void *context, json_t *request)
{
    (void)context;
    return json_pack("{s:b, s:O}", "ok", 1, "asked", json_object_get(request, "verb"));
}

static void *serve(void *context)
{
    const struct control_owner owner = {.answer = answer};

    (void)context;
    while (__atomic_load_n(&stop, __ATOMIC_SEQ_CST) == 0) {
        struct pollfd all[CONTROL_DESCRIPTORS_MAX];
        unsigned count = control_descriptors(control, all);

        (void)poll(all, count, 20);
        control_serve(control, &owner);
    }
    return NULL;
}

static pthread_t thread;

static void set_up(void)
{
    (void)strcpy(folder, "/tmp/dugnad-control-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/control.sock", folder);
    cr_assert(eq(int, control_open(env_real(), path, &control, &err), STATUS_OK), "%s", err.detail);
    cr_assert(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void tear_down(void)
{
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    END_MUST(pthread_join(thread, NULL) == 0);
    control_close(control);
    END_MUST(rmdir(folder) == 0); /* the socket is gone */
}

TestSuite(control, .init = set_up, .fini = tear_down, .timeout = 30);

Test(control, a_verb_is_answered)
{
    json_auto_t *request = verb_plain("status");
    json_auto_t *said = NULL;

    for (int i = 0; i < 20; i++) {
        json_decref(said);
        said = NULL;
        cr_assert(eq(int, control_ask(path, request, &said, &err), STATUS_OK), "%s", err.text);
        cr_expect(answer_is_ok(said, &err));
        cr_expect(strcmp(json_string_value(json_object_get(said, "asked")), "status") == 0);
    }
}

Test(control, the_socket_is_its_owners_alone)
{
    struct stat facts;

    cr_assert(stat(path, &facts) == 0);
    cr_expect(eq(int, (int)(facts.st_mode & 0777), 0600));
}

Test(control, where_no_daemon_listens_that_is_said)
{
    json_auto_t *request = verb_plain("status");
    json_t *said = NULL;

    cr_expect(eq(int, control_ask("/tmp/dugnad-no-such-folder/control.sock", request, &said, &err),
                 STATUS_NOT_FOUND));
}

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    cr_assert(connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0);
    return descriptor;
}

Test(control, garbage_gets_words)
{
    char bytes[512] = "";
    int descriptor = connect_raw();

    cr_assert(write(descriptor, "not json\n", 9) == 9);
    cr_assert(read(descriptor, bytes, sizeof bytes - 1) > 0);
    cr_expect(strstr(bytes, "\"ok\":false") != NULL, "%s", bytes);
    (void)close(descriptor);
}

Test(control, a_silent_caller_blocks_nobody)
{
    json_auto_t *request = verb_plain("status");
    json_auto_t *said = NULL;
    int silent = connect_raw();

    cr_expect(eq(int, control_ask(path, request, &said, &err), STATUS_OK));
    (void)close(silent);
}

/* Regression: words that were cut within a character ended the whole client. */
Test(control, a_failure_is_told_whatever_its_words_are)
{
    struct error cut = {.status = STATUS_INVALID, .text = "folder caf\xc3"};
    json_auto_t *told = answer_failure(&cut);

    cr_expect(eq(int, answer_is_ok(told, &err), false));
    cr_expect(eq(str, err.text, "folder caf?"));
}

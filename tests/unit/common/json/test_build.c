/* common/json/build: nothing that is put into JSON is left out. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

#include "common/base/text.h"
#include "common/json/build.h"

Test(build, words_from_anywhere_are_shown_as_far_as_they_can_be)
{
    json_auto_t *root = json_object();
    CLEANUP(freep) char *text = NULL;

    build_set(root, "why", build_text("caf\xe9 \xc3\xa9"));
    text = build_print(root);
    cr_expect(eq(str, text, "{\"why\":\"caf? \xc3\xa9\"}"));
}

/* jansson's own function takes the NULL in silence, and the list has a word less. */
Test(build, a_list_never_lacks_a_word, .signal = SIGABRT)
{
    json_auto_t *list = json_array();

    build_append(list, json_string("caf\xe9"));
}

Test(build, an_object_never_lacks_a_member, .signal = SIGABRT)
{
    json_auto_t *root = json_object();

    build_set(root, "name", json_string("caf\xe9"));
}

#include "bench/crew.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "bench/output.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "tests/support/messages.h"

/* Tests run at the same time: each has a file of its own. */
static void write_text(const char *path, const char *text)
{
    struct disk *disk = disk_real();

    cr_assert(eq(int, disk->write(disk, path, text, strlen(text), 0600, NULL), STATUS_OK));
}

static enum status read_crew(const char *path, struct crew_file *file, struct error *err)
{
    struct disk *disk = disk_real();
    enum status status = crew_file_read(disk, path, file, err);

    cr_assert(eq(int, disk->remove(disk, path, NULL), STATUS_OK));
    return status;
}

Test(crew, what_is_written_is_read_again)
{
    struct token tokens[3];
    struct crew_file file = {.count = 3, .tokens = tokens}, again;

    cr_assert(digest_parse(DIGEST_A, &file.project));
    cr_assert(digest_parse(DIGEST_B, &file.secret));
    for (uint64_t i = 0; i < 3; i++)
        tokens[i] = crew_token(&file.secret, i);
    cr_assert(eq(int, crew_file_write(disk_real(), "crew-kept.test", &file, NULL), STATUS_OK));
    cr_assert(eq(int, read_crew("crew-kept.test", &again, NULL), STATUS_OK));
    cr_expect(digest_equals(&again.project, &file.project));
    cr_expect(digest_equals(&again.secret, &file.secret));
    cr_assert(eq(sz, again.count, 3));
    cr_expect(memcmp(again.tokens, tokens, sizeof tokens) == 0);
    crew_file_clear(&again);
}

Test(crew, a_file_that_is_another_thing_is_refused_by_its_line)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"", "begin with"},
        {"dugnad-crew 2\nproject " DIGEST_A "\nsecret " HEX_A "\n", "begin with"},
        {"dugnad-crew 1\nproject x\nsecret " HEX_A "\n", "line 2"},
        {"dugnad-crew 1\nproject " DIGEST_A "\nsecret 12\n", "line 3"},
        {"dugnad-crew 1\nproject " DIGEST_A "\nsecret " HEX_A "\n" TOKEN_A "\nno\n", "line 5"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct crew_file file = {0};
        struct error err = {0};

        write_text("crew-wrong.test", cases[i].text);
        cr_expect(eq(int, read_crew("crew-wrong.test", &file, &err), STATUS_INVALID));
        cr_expect(strstr(err.text, cases[i].says) != NULL, "%s: %s", cases[i].says, err.text);
    }
}

Test(crew, keys_follow_from_the_secret_and_the_number)
{
    struct digest secret = digest_of("secret", 6), other = digest_of("other", 5);
    uint8_t one[KEY_SEED_BYTES], same[KEY_SEED_BYTES], next[KEY_SEED_BYTES];

    crew_key_seed(&secret, 7, one);
    crew_key_seed(&secret, 7, same);
    crew_key_seed(&secret, 8, next);
    cr_expect(memcmp(one, same, sizeof one) == 0);
    cr_expect(memcmp(one, next, sizeof one) != 0);
    crew_key_seed(&other, 7, next);
    cr_expect(memcmp(one, next, sizeof one) != 0);
}

Test(crew, a_host_holds_each_task_once_and_forgets_it_once)
{
    struct actor host;
    struct digest secret = digest_of("secret", 6);
    const struct shares none = {0};

    actor_init(&host, &secret, 0, 1, &none);
    for (int64_t task = 1; task <= 20; task++) {
        actor_hold(&host, task, &secret);
        actor_hold(&host, task, &secret);
    }
    cr_expect(eq(sz, host.held_count, 20));
    for (int64_t task = 1; task <= 20; task += 2) {
        actor_forget(&host, task);
        actor_forget(&host, task);
    }
    cr_expect(eq(sz, host.held_count, 10));
    cr_expect(actor_find(&host, 2) != NULL && actor_find(&host, 3) == NULL);
    actor_clear(&host);
}

Test(output, honest_hosts_agree_and_liars_do_not_even_with_each_other)
{
    struct digest unit = digest_of("unit", 4), other = digest_of("other", 5);
    struct digest honest = output_digest(&unit, 0, 1000);
    struct digest again = output_digest(&unit, 0, 1000);
    struct digest lie = output_digest(&unit, 1, 1000), second = output_digest(&unit, 2, 1000);
    struct digest elsewhere = output_digest(&other, 0, 1000);

    cr_expect(digest_equals(&honest, &again));
    cr_expect(not(digest_equals(&honest, &lie)));
    cr_expect(not(digest_equals(&lie, &second)));
    cr_expect(not(digest_equals(&honest, &elsewhere)));
}

Test(output, any_part_of_it_is_the_same_as_in_the_whole)
{
    struct digest unit = digest_of("unit", 4), digest;
    char whole[5000], part[100];

    output_fill(&unit, 0, 0, whole, sizeof whole);
    for (size_t from = 0; from + sizeof part <= sizeof whole; from += 37) {
        output_fill(&unit, 0, from, part, sizeof part);
        cr_assert(memcmp(part, whole + from, sizeof part) == 0);
    }
    digest = output_digest(&unit, 0, sizeof whole);
    cr_expect(digest_equals(&digest, &(struct digest[]){digest_of(whole, sizeof whole)}[0]));
}

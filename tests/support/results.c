#include "tests/support/results.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/result_line.h"
#include "protocol/visit.h"
#include "tests/support/desk.h"
#include "tests/support/messages.h"
#include "work-units/work_unit.h"

char *result_of(size_t index, const char *body, bool is_inline)
{
    struct result_output output = {
        .output = {.digest = digest_of(body, strlen(body)), .size = (int64_t)strlen(body)},
        .is_inline = is_inline,
        .body = {(char *)body, strlen(body)}};
    struct result_task tasks[2] = {0};
    struct result_line line = {.index = (int64_t)index,
                               .state = RESULT_ACCEPTED,
                               .revision = 1,
                               .output_count = 1,
                               .outputs = &output,
                               .task_count = 2,
                               .tasks = tasks,
                               .manifest = desk_site.units.texts[index],
                               .time_s = 1700000000};
    struct envelope manifest = {0};
    struct work_unit unit = {0};
    char *text;

    (void)text_fit(output.output.name.text, sizeof output.output.name.text, "stdout");
    (void)snprintf(line.cursor.text, sizeof line.cursor.text, "%zu", desk_site.results.count + 1);
    cr_assert(eq(int,
                 envelope_decode(line.manifest, strlen(line.manifest), ENVELOPE_PAYLOAD_MAX,
                                 &manifest, NULL),
                 STATUS_OK));
    cr_assert(eq(int, work_unit_decode(manifest.payload, manifest.payload_length, &unit, NULL),
                 STATUS_OK));
    line.unit = manifest.digest;
    line.name = unit.name;
    for (unsigned i = 0; i < 2; i++) {
        CLEANUP(private_key_clear) struct private_key key = test_key(20 + i);
        struct visit_task finished = {.task = (int64_t)(index * 2 + i + 1),
                                      .unit = line.unit,
                                      .outcome = VISIT_DONE,
                                      .outputs = {&output.output, 1}};
        struct visit visit = {desk_site.project, 1, 1, &finished};
        CLEANUP(freep) char *payload = visit_encode(&visit);

        tasks[i] =
            (struct result_task){.task = finished.task,
                                 .host = key.public_key,
                                 .volunteer = i + 1,
                                 .statement = test_envelope_text(VISIT_TYPE, payload, 20 + i)};
    }
    text = result_line_encode(&line);
    free(tasks[0].statement);
    free(tasks[1].statement);
    envelope_clear(&manifest);
    work_unit_clear(&unit);
    return text;
}

void add_result(size_t index, const char *body, bool is_inline)
{
    CLEANUP(freep) char *line = result_of(index, body, is_inline);

    texts_add(&desk_site.results, line);
}

/* Whatever was signed is refused, or becomes one kind of manifest that can be written again. */
#include "tests/fuzz/round_trip.h"
#include "work-units/app_version.h"
#include "work-units/freshness.h"
#include "work-units/keyring.h"
#include "work-units/notice.h"
#include "work-units/variant.h"
#include "work-units/work_unit.h"

ROUND_TRIP(keyring, keyring, keyring_decode, keyring_encode, keyring_clear)
ROUND_TRIP(app_version, app_version, app_version_decode, app_version_encode, app_version_clear)
ROUND_TRIP(variant, variant, variant_decode, variant_encode, variant_clear)
ROUND_TRIP(work_unit, work_unit, work_unit_decode, work_unit_encode, work_unit_clear)
ROUND_TRIP(freshness, freshness, freshness_decode, freshness_encode, freshness_clear)
ROUND_TRIP(notice, notice, notice_decode, notice_encode, OWNS_NOTHING)

static void check_unit_limits(const char *payload, size_t length)
{
    struct work_unit unit = {.index = 0};

    if (work_unit_decode(payload, length, &unit, NULL) != STATUS_OK)
        return;
    assert(unit.input_count <= WORK_UNIT_INPUTS_MAX);
    assert(unit.arguments.count <= WORK_UNIT_ARGUMENTS_MAX);
    assert(text_is_file_name(unit.name.text));
    for (size_t i = 0; i < unit.input_count; i++) {
        assert(text_is_file_name(unit.inputs[i].name.text));
        assert(work_unit_input(&unit, unit.inputs[i].name.text) == &unit.inputs[i]);
    }
    assert(unit.acceptance.quorum >= 1 && unit.acceptance.quorum <= unit.acceptance.copies);
    assert(unit.acceptance.copies <= unit.acceptance.max_tasks);
    assert(unit.acceptance.max_tasks <= WORK_UNIT_TASKS_MAX);
    work_unit_clear(&unit);
}

static void check_keyring_limits(const char *payload, size_t length)
{
    struct keyring keyring = {.version = 0};

    if (keyring_decode(payload, length, &keyring, NULL) != STATUS_OK)
        return;
    assert(keyring.root.threshold >= 1 && keyring.root.threshold <= keyring.root.key_count);
    assert(keyring.expires_s - keyring.issued_s <= KEYRING_LIFE_MAX_S);
    for (size_t i = 0; i < keyring.publisher_count; i++) {
        assert(public_key_is_sound(&keyring.publishers[i].key));
        assert(keyring_publisher(&keyring, &keyring.publishers[i].key) == &keyring.publishers[i]);
    }
    keyring_clear(&keyring);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *payload = (const char *)bytes;
    int kinds = check_keyring(payload, length) + check_app_version(payload, length) +
                check_variant(payload, length) + check_work_unit(payload, length) +
                check_freshness(payload, length) + check_notice(payload, length);

    assert(kinds <= 1);
    check_unit_limits(payload, length);
    check_keyring_limits(payload, length);
    return 0;
}

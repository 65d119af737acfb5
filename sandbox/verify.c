#include "sandbox/verify.h"

#include <string.h>
#include <strings.h>

#include "sandbox/layers.h"

const char *platform_here(void)
{
#if defined __x86_64__ && defined __GLIBC__
    return "x86_64-linux-gnu";
#elif defined __aarch64__ && defined __GLIBC__
    return "aarch64-linux-gnu";
#elif defined __i386__ && defined __GLIBC__
    return "i386-linux-gnu";
#elif defined __riscv && __riscv_xlen == 64 && defined __GLIBC__
    return "riscv64-linux-gnu";
#else
#error "this platform has no name yet"
#endif
}

void prepared_clear(struct prepared *prepared)
{
    app_version_clear(&prepared->app);
    variant_clear(&prepared->variant);
    work_unit_clear(&prepared->unit);
    *prepared = (struct prepared){0};
}

static bool is_of_variant(const struct variant *variant, const char *name)
{
    for (size_t i = 0; i < variant->file_count; i++)
        if (strcasecmp(variant->files[i].name.text, name) == 0)
            return true;
    return false;
}

static bool is_input(const struct work_unit *unit, const char *name)
{
    for (size_t i = 0; i < unit->input_count; i++)
        if (strcasecmp(unit->inputs[i].name.text, name) == 0)
            return true;
    return false;
}

/* An input in the place of the program, or one that would be taken for an output. */
static enum refusal check_names(const struct prepared *it, struct error *err)
{
    for (size_t i = 0; i < it->unit.input_count; i++)
        if (is_of_variant(&it->variant, it->unit.inputs[i].name.text)) {
            (void)error_set(err, STATUS_UNTRUSTED, "input %s has the name of a file of the app",
                            it->unit.inputs[i].name.text);
            return REFUSAL_BAD_FILE_NAME;
        }
    for (size_t i = 0; i < it->app.output_count; i++) {
        const char *name = it->app.outputs[i].name.text;

        if (is_of_variant(&it->variant, name) || is_input(&it->unit, name)) {
            (void)error_set(err, STATUS_UNTRUSTED, "output %s has the name of another file", name);
            return REFUSAL_BAD_FILE_NAME;
        }
    }
    return REFUSAL_NONE;
}

static enum refusal check_layers(const struct app_version *app, const struct machine *machine,
                                 struct error *err)
{
    for (size_t i = 0; i < app->layers.count; i++) {
        enum layer layer = layer_from_name(app->layers.texts[i]);

        if (layer == LAYER_COUNT || (machine->layers & LAYER_BIT(layer)) == 0) {
            (void)error_set(err, STATUS_FORBIDDEN, "this machine lacks the sandbox layer %s",
                            app->layers.texts[i]);
            return REFUSAL_NOT_ALLOWED_HERE;
        }
    }
    return REFUSAL_NONE;
}

static enum refusal check_machine(const struct prepared *it, const struct machine *machine,
                                  struct error *err)
{
    if (it->variant.runner != RUNNER_NATIVE ||
        strcmp(it->variant.platform.text, machine->platform) != 0) {
        (void)error_set(err, STATUS_FORBIDDEN, "this machine does not run %s programs",
                        it->variant.platform.text);
        return REFUSAL_NOT_ALLOWED_HERE;
    }
    return check_layers(&it->app, machine, err);
}

static enum refusal check_parts(const struct trust *trust, const struct signed_task *task,
                                const struct trust_moment *moment, struct prepared *it,
                                struct digest *ret_refused, struct error *err)
{
    struct checked_app app = {.digest = task->app_version->digest, .app = &it->app};
    enum refusal refusal;

    *ret_refused = task->app_version->digest;
    refusal = trust_check_app_version(trust, task->app_version, moment, &it->app, err);
    if (refusal != REFUSAL_NONE)
        return refusal;
    *ret_refused = task->variant->digest;
    refusal = trust_check_variant(trust, task->variant, &app, moment, &it->variant, err);
    if (refusal != REFUSAL_NONE)
        return refusal;
    *ret_refused = task->unit->digest;
    refusal = trust_check_unit(trust, task->unit, &app, moment, &it->unit, err);
    if (refusal != REFUSAL_NONE)
        return refusal;
    return trust_check_pair(&it->unit, &it->variant, err);
}

enum refusal verify_task(const struct trust *trust, const struct signed_task *task,
                         const struct trust_moment *moment, const struct machine *machine,
                         struct prepared *ret_prepared, struct digest *ret_refused,
                         struct error *err)
{
    CLEANUP(prepared_clear) struct prepared it = {0};
    enum refusal refusal = check_parts(trust, task, moment, &it, ret_refused, err);

    if (refusal == REFUSAL_NONE)
        refusal = check_names(&it, err);
    if (refusal == REFUSAL_NONE) {
        *ret_refused = task->variant->digest;
        refusal = check_machine(&it, machine, err);
    }
    if (refusal != REFUSAL_NONE)
        return refusal;
    *ret_prepared = it;
    it = (struct prepared){0};
    return REFUSAL_NONE;
}

#include "sandbox/task_slot.h"

#include "common/base/text.h"

bool task_slot_file(const struct prepared *prepared, size_t index, struct slot_file *ret_file)
{
    const struct variant *variant = &prepared->variant;
    const struct work_unit *unit = &prepared->unit;

    if (index < variant->file_count) {
        const struct variant_file *it = &variant->files[index];

        *ret_file = (struct slot_file){.name = it->name.text,
                                       .digest = it->digest,
                                       .size = it->size,
                                       .mode = it->executable ? 0500 : 0400};
        return true;
    }
    index -= variant->file_count;
    if (index >= unit->input_count)
        return false;
    *ret_file = (struct slot_file){.name = unit->inputs[index].name.text,
                                   .digest = unit->inputs[index].digest,
                                   .size = unit->inputs[index].size,
                                   .mode = 0400,
                                   .bytes = unit->inputs[index].bytes};
    if (!unit->inputs[index].is_inline)
        ret_file->bytes = NULL;
    else if (ret_file->bytes == NULL)
        ret_file->bytes = "";
    return true;
}

void task_command_clear(struct task_command *command)
{
    for (size_t i = 0; i < command->owned_count; i++)
        free(command->owned[i]);
    command->owned_count = 0;
}

static void add_variable(struct task_command *command, const char *name, const char *value)
{
    char *text = text_format("%s=%s", name, value);

    command->environment[command->owned_count] = text;
    command->owned[command->owned_count++] = text;
}

static void set_arguments(struct task_command *command, const struct prepared *prepared)
{
    size_t count = 0;

    command->arguments[count++] = prepared->variant.entry.text;
    for (size_t i = 0; i < prepared->variant.arguments.count; i++)
        command->arguments[count++] = prepared->variant.arguments.texts[i];
    for (size_t i = 0; i < prepared->unit.arguments.count; i++)
        command->arguments[count++] = prepared->unit.arguments.texts[i];
}

static void set_environment(struct task_command *command, const struct work_unit *unit)
{
    char seed[2 * SEED_BYTES + 1];
    CLEANUP(freep) char *cores = text_format("%lld", (long long)unit->limits.cores);

    for (size_t i = 0; i < unit->variable_count; i++)
        add_variable(command, unit->environment[i].name.text, unit->environment[i].value);
    text_from_bytes(unit->seed, SEED_BYTES, seed);
    add_variable(command, "DUGNAD_SEED", seed);
    add_variable(command, "DUGNAD_CORES", cores);
}

enum status task_command_make(struct task_command *ret_command, const struct prepared *prepared,
                              const char *slot, struct error *err)
{
    const struct limits *limits = &prepared->unit.limits;

    *ret_command = (struct task_command){.owned_count = 0};
    TRY(disk_join(&ret_command->executable, err, "%s/%s", slot, prepared->variant.entry.text));
    set_arguments(ret_command, prepared);
    set_environment(ret_command, &prepared->unit);
    ret_command->spec = (struct run_spec){
        .slot = slot,
        .executable = ret_command->executable.text,
        .arguments = ret_command->arguments,
        .environment = ret_command->environment,
        .limits = {.memory_bytes = limits->memory_bytes,
                   .disk_bytes = limits->disk_bytes,
                   .cpu_s = limits->cpu_s,
                   .wall_s = limits->wall_s},
    };
    if (prepared->app.stdout_name.text[0] != '\0')
        ret_command->spec.stdout_name = prepared->app.stdout_name.text;
    return STATUS_OK;
}

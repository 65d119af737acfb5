#include "operator/inputs.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"

void input_groups_clear(struct input_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        texts_clear(&groups->groups[i].paths);
    free(groups->groups);
    texts_clear(&groups->skipped_first);
    *groups = (struct input_groups){0};
}

/* --- names --- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._-", c) != NULL);
}

struct file_name file_name_like(const char *text)
{
    struct file_name name = {0};
    size_t length = 0;

    for (; *text != '\0' && length < TEXT_FILE_NAME_MAX; text++)
        name.text[length++] = is_name_char(*text) ? *text : '_';
    if (length == 0 || name.text[0] == '.' || name.text[0] == '-')
        name.text[0] = '_';
    return name;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* "name" becomes "name-2": before the last dot, so that its kind stays visible. */
static struct file_name numbered(const struct file_name *name, size_t number)
{
    const char *dot = strrchr(name->text, '.');
    size_t stem =
        dot != NULL && dot != name->text ? (size_t)(dot - name->text) : strlen(name->text);
    CLEANUP(freep) char *suffix = text_format("-%zu", number);
    struct file_name result = {0};

    if (stem > TEXT_FILE_NAME_MAX - strlen(suffix))
        stem = TEXT_FILE_NAME_MAX - strlen(suffix);
    (void)snprintf(result.text, sizeof result.text, "%.*s%s%s", (int)stem, name->text, suffix,
                   dot != NULL && dot != name->text ? dot : "");
    return result;
}

static bool is_taken(const struct texts *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcasecmp(names->texts[i], name) == 0)
            return true;
    return false;
}

void input_names(const struct texts *paths, struct texts *ret_names)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct file_name wanted = file_name_like(base_of(paths->texts[i]));
        struct file_name name = wanted;

        for (size_t number = 2; is_taken(ret_names, name.text); number++)
            name = numbered(&wanted, number);
        texts_add(ret_names, name.text);
    }
}

/* --- what an operand stands for --- */

/* What operands stand for, so far. */
struct found {
    struct disk *disk;
    struct texts paths;          /* owned */
    struct input_groups *groups; /* which counts what is passed over */
};

static void found_clear(struct found *found)
{
    texts_clear(&found->paths);
}

static enum status add_folder(struct found *found, const char *path, int depth, struct error *err);

static void skip(struct found *found, const char *path)
{
    if (found->groups->skipped++ < INPUTS_SKIPPED_SHOWN)
        texts_add(&found->groups->skipped_first, path);
}

/* What an entry of a folder is; links and devices are passed over: they are not our data. */
static enum status add_entry(struct found *found, const char *path, int depth, struct error *err)
{
    struct disk_entry entry;

    TRY(found->disk->look(found->disk, path, &entry, err));
    if (entry.kind == DISK_FOLDER)
        return add_folder(found, path, depth + 1, err);
    if (entry.kind != DISK_FILE) {
        skip(found, path);
        return STATUS_OK;
    }
    if (found->paths.count >= INPUTS_FILES_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "more than %d files: describe the units in a file for --units",
                         INPUTS_FILES_MAX);
    texts_add(&found->paths, path);
    return STATUS_OK;
}

static enum status add_folder(struct found *found, const char *path, int depth, struct error *err)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk_path child;

    if (depth > INPUTS_DEPTH_MAX)
        return error_set(err, STATUS_INVALID, "%.100s: folders are nested deeper than %d", path,
                         INPUTS_DEPTH_MAX);
    TRY(found->disk->list(found->disk, path, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        if (names.names[i][0] == '.')
            continue;
        TRY(disk_join(&child, err, "%s/%s", path, names.names[i]));
        TRY(add_entry(found, child.text, depth, err));
    }
    return STATUS_OK;
}

static bool is_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

static enum status no_match(const char *pattern, bool is_folder_pattern, struct error *err)
{
    return error_set(err, STATUS_NOT_FOUND, "the pattern %.150s matches nothing%s", pattern,
                     is_folder_pattern ? ": only the last part of a path may be one" : "");
}

/* A pattern in the last part of the path. */
static enum status add_pattern(struct found *found, const char *pattern, struct error *err)
{
    const char *last = base_of(pattern);
    CLEANUP(freep)
    char *folder =
        last == pattern ? text_copy(".") : text_copy_n(pattern, (size_t)(last - pattern));
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    size_t before = found->paths.count;
    struct disk_path child;
    enum status status = found->disk->list(found->disk, folder, &names, err);

    if (status == STATUS_NOT_FOUND)
        return no_match(pattern, is_pattern(folder), err);
    TRY(status);
    for (size_t i = 0; i < names.count; i++) {
        if (fnmatch(last, names.names[i], FNM_PERIOD) != 0)
            continue;
        TRY(disk_join(&child, err, "%.*s%s", (int)(last - pattern), pattern, names.names[i]));
        TRY(add_entry(found, child.text, 0, err));
    }
    return found->paths.count > before ? STATUS_OK : no_match(pattern, false, err);
}

static void add_group(struct input_groups *groups, const char *name, size_t origin_length,
                      struct texts *paths)
{
    groups->groups = realloc(groups->groups, (groups->count + 1) * sizeof *groups->groups);
    if (groups->groups == NULL)
        abort();
    groups->groups[groups->count++] = (struct input_group){
        .name = file_name_like(name), .paths = *paths, .origin_length = origin_length};
    *paths = (struct texts){0};
}

static void add_each(struct input_groups *groups, const struct texts *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct texts one = {0};

        texts_add(&one, paths->texts[i]);
        add_group(groups, base_of(paths->texts[i]), strlen(paths->texts[i]), &one);
    }
}

static enum status look_operand(struct disk *disk, const char *operand, struct disk_entry *entry,
                                struct error *err)
{
    struct error why = {0};
    enum status status = disk->look(disk, operand, entry, &why);

    if (status != STATUS_OK)
        return error_set(err, status, "%.150s: %s", operand, why.text);
    if (entry->kind == DISK_OTHER)
        return error_set(err, STATUS_INVALID, "%.150s is not a regular file", operand);
    return STATUS_OK;
}

/* One operand's files, and whether they belong together. */
static enum status expand(struct found *found, const char *operand, bool *ret_is_folder,
                          struct error *err)
{
    size_t before = found->paths.count;
    struct disk_entry entry;

    *ret_is_folder = false;
    if (!disk_has(found->disk, operand) && is_pattern(operand))
        return add_pattern(found, operand, err);
    TRY(look_operand(found->disk, operand, &entry, err));
    *ret_is_folder = entry.kind == DISK_FOLDER;
    if (entry.kind == DISK_FOLDER)
        TRY(add_folder(found, operand, 0, err));
    else
        texts_add(&found->paths, operand); /* a link that was named is meant */
    if (found->paths.count == before)
        return error_set(err, STATUS_INVALID, "the folder %.150s has no plain files", operand);
    return STATUS_OK;
}

/* --- groups --- */

static char *trimmed(const char *operand)
{
    size_t length = strlen(operand);

    while (length > 1 && operand[length - 1] == '/')
        length--;
    return text_copy_n(operand, length);
}

static enum status group_by_operand(struct disk *disk, const char *const *operands, size_t count,
                                    struct input_groups *groups, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(found_clear) struct found found = {.disk = disk, .groups = groups};
        CLEANUP(freep) char *operand = trimmed(operands[i]);
        bool is_folder;

        TRY(expand(&found, operand, &is_folder, err));
        if (!is_folder) {
            add_each(groups, &found.paths);
            continue;
        }
        if (found.paths.count > WORK_UNIT_INPUTS_MAX)
            return error_set(err, STATUS_INVALID,
                             "%.100s has %zu files, a unit at most %d: say --files-per-unit",
                             operand, found.paths.count, WORK_UNIT_INPUTS_MAX);
        add_group(groups, base_of(operand), strlen(operand), &found.paths);
    }
    return STATUS_OK;
}

static enum status group_by_number(struct disk *disk, const char *const *operands, size_t count,
                                   size_t files_per_unit, struct input_groups *groups,
                                   struct error *err)
{
    CLEANUP(found_clear) struct found found = {.disk = disk, .groups = groups};
    const struct texts *paths = &found.paths;
    bool is_folder;

    for (size_t i = 0; i < count; i++) {
        CLEANUP(freep) char *operand = trimmed(operands[i]);

        TRY(expand(&found, operand, &is_folder, err));
    }
    for (size_t i = 0; i < paths->count; i += files_per_unit) {
        CLEANUP(freep) char *name = text_format("files-%06zu", i / files_per_unit);
        struct texts some = {0};

        for (size_t j = i; j < paths->count && j < i + files_per_unit; j++)
            texts_add(&some, paths->texts[j]);
        add_group(groups, name, 0, &some);
    }
    return STATUS_OK;
}

static int compare_groups(const void *a, const void *b)
{
    const struct input_group *const *left = a, *const *right = b;
    int order = strcasecmp((*left)->name.text, (*right)->name.text);

    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* Names that are there before get the unit's number. True: there were such. */
static bool number_twins(struct input_groups *groups, struct input_group **order)
{
    size_t renamed = 0;

    for (size_t i = 0; i < groups->count; i++)
        order[i] = &groups->groups[i];
    qsort(order, groups->count, sizeof *order, compare_groups);
    for (size_t first = 0, i = 1; i < groups->count; i++) {
        if (strcasecmp(order[first]->name.text, order[i]->name.text) != 0) {
            first = i;
            continue;
        }
        order[i]->name = numbered(&order[first]->name, (size_t)(order[i] - groups->groups));
        renamed++;
    }
    return renamed > 0;
}

/* Files of one name in different folders. The same operands always yield the same names. */
static enum status make_unique(struct input_groups *groups, struct error *err)
{
    struct input_group **order = must_alloc(groups->count, sizeof *order);
    int rounds = 0;

    while (rounds < 8 && number_twins(groups, order))
        rounds++;
    free(order);
    if (rounds < 8)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "the files' names cannot be told apart: name the units in "
                     "a file for --units");
}

enum status input_groups_gather(struct disk *disk, const char *const *operands, size_t count,
                                int64_t files_per_unit, struct input_groups *ret_groups,
                                struct error *err)
{
    CLEANUP(input_groups_clear) struct input_groups groups = {0};

    if (files_per_unit > 0)
        TRY(group_by_number(disk, operands, count, (size_t)files_per_unit, &groups, err));
    else
        TRY(group_by_operand(disk, operands, count, &groups, err));
    TRY(make_unique(&groups, err));
    *ret_groups = groups;
    groups = (struct input_groups){0};
    return STATUS_OK;
}

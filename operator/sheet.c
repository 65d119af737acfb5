#include "operator/sheet.h"

#include <errno.h>
#include <string.h>

#include "common/json/build.h"

#define SHEET_MAX 32768
#define PEM_MAX   16384

static enum status format(const struct sheet *sheet, struct buffer *ret_text, struct error *err)
{
    const struct profile *profile = sheet->keychain->profile;
    struct env *env = profile->session->env;
    CLEANUP(buffer_clear) struct buffer pem = {.max = PEM_MAX};
    struct disk_path path;

    TRY(env->disk->read(env->disk, sheet->pem.text, &pem, err));
    TRY(keychain_path(sheet->keychain, KEY_ROOT_SPARE, &path, err));
    TRY(buffer_printf(
        ret_text, err,
        "RECOVERY SHEET of the project at %s, made %s\n\n"
        "Print this and keep it away from this machine. Then delete the file\n"
        "  %s\n"
        "With the spare root key and the passphrase you can replace every other key.\n"
        "Without both, a lost root key means a new project.\n\n",
        profile->url, shown_time(env->now_s(env)).text, path.text));
    for (int role = 0; role < KEY_ROLES; role++)
        if (sheet->keys[role] != NULL)
            TRY(buffer_printf(ret_text, err, "  %-10s %s\n", key_role_name((enum key_role)role),
                              public_key_format(sheet->keys[role]).text));
    return buffer_printf(ret_text, err,
                         "\nThe spare root key, encrypted with the passphrase:\n\n%s\n",
                         buffer_text(&pem));
}

enum status sheet_flush(struct session *session, struct error *err)
{
    bool is_lost = ferror(session->out) != 0;

    errno = 0;
    if (fflush(session->out) == 0 && !is_lost)
        return STATUS_OK;
    (void)error_set(err, STATUS_STORAGE,
                    "the recovery sheet could not be printed: the keys on it are not used");
    if (errno != 0)
        error_detail(err, "standard output: %s", strerror(errno));
    clearerr(session->out);
    return STATUS_STORAGE;
}

enum status sheet_print(const struct sheet *sheet, struct error *err)
{
    struct session *session = sheet->keychain->profile->session;
    CLEANUP(buffer_clear) struct buffer text = {.max = SHEET_MAX};

    TRY(format(sheet, &text, err));
    (void)fputs(buffer_text(&text), session->out);
    return sheet_flush(session, err);
}

enum status sheet_add_json(const struct sheet *sheet, json_t *root, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = SHEET_MAX};

    TRY(format(sheet, &text, err));
    build_set(root, "recovery_sheet", json_string(buffer_text(&text)));
    return STATUS_OK;
}

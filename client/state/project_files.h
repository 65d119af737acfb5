/*
 * Everything durable about one attached project:
 *
 *     project.json   what the owner said           host.json   what the server said of this host
 *     host.key       the host's own key            trust.json  the chain of trust, as accepted
 *     visit.json     a request not yet answered    envelopes/<hex>  app versions and variants
 *     tasks/<number>.json, tasks/<number>.unit     a task; its unit's envelope
 *     slots/<number>/  where it runs               spool/<number>/  its outputs
 *
 * Each file is replaced in one step. A task exists if its .json does, which is written after its
 * .unit and removed before anything else of it; a project exists if its project.json does.
 * Every function: errors as struct disk says; a file that is there but is not what it should be is
 * put aside, and counts as not there.
 */
#ifndef CLIENT_STATE_PROJECT_FILES_H
#define CLIENT_STATE_PROJECT_FILES_H

#include "client/state/folder.h"
#include "client/state/records.h"
#include "common/crypto/keys.h"
#include "work-units/trust.h"

#define STATE_TASKS_MAX    4096 /* of one project, those kept for the grace included */
#define STATE_PROJECTS_MAX 64

struct project_files {
    const struct data_folder *folder; /* borrowed */
    struct disk_path path;
};

enum status project_files_init(struct project_files *ret_files, const struct data_folder *folder,
                               const struct digest *project, struct error *err) MUST_USE;

/* "<project's folder>/<the rest>". */
enum status project_files_join(const struct project_files *files, struct disk_path *ret_path,
                               struct error *err, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Make the folders, and prove that each can be written to. */
enum status project_files_make(const struct project_files *files, struct error *err) MUST_USE;

/* The project and all there is of it: project.json first. */
enum status project_files_remove(const struct project_files *files, struct error *err) MUST_USE;

/* Loading: STATUS_NOT_FOUND where there is none (or no longer, see above). */
enum status load_project_record(const struct project_files *files,
                                struct project_record *ret_record, struct error *err) MUST_USE;
enum status load_host_record(const struct project_files *files, struct host_record *ret_record,
                             struct error *err) MUST_USE;
enum status load_visit_record(const struct project_files *files, struct visit_record *ret_record,
                              struct error *err) MUST_USE;
enum status load_trust(const struct project_files *files, struct trust *ret_trust,
                       struct error *err) MUST_USE;
enum status load_host_key(const struct project_files *files, struct private_key *ret_key,
                          struct error *err) MUST_USE;
enum status load_task_record(const struct project_files *files, int64_t task,
                             struct task_record *ret_record, struct error *err) MUST_USE;

/* The unit's envelope, of the digest that the record names; else put aside. */
enum status load_unit(const struct project_files *files, const struct task_record *record,
                      struct envelope *ret_unit, struct error *err) MUST_USE;
enum status load_envelope(const struct project_files *files, const struct digest *digest,
                          struct envelope *ret_envelope, struct error *err) MUST_USE;

/* Numbers of all tasks, rising; up to STATE_TASKS_MAX. Free the list. */
enum status list_tasks(const struct project_files *files, int64_t **ret_tasks, size_t *ret_count,
                       struct error *err) MUST_USE;

/* Saving: durable once STATUS_OK is returned. */
enum status save_project_record(const struct project_files *files,
                                const struct project_record *record, struct error *err) MUST_USE;
enum status save_host_record(const struct project_files *files, const struct host_record *record,
                             struct error *err) MUST_USE;
enum status save_visit_record(const struct project_files *files, const struct visit_record *record,
                              struct error *err) MUST_USE;
enum status save_trust(const struct project_files *files, const struct trust *trust,
                       struct error *err) MUST_USE;
enum status save_task_record(const struct project_files *files, const struct task_record *record,
                             struct error *err) MUST_USE;
enum status save_unit(const struct project_files *files, int64_t task, const char *envelope,
                      struct error *err) MUST_USE;
enum status save_envelope(const struct project_files *files, const struct envelope *envelope,
                          struct error *err) MUST_USE;

/* What is not there is removed already. */
enum status remove_visit_record(const struct project_files *files, struct error *err) MUST_USE;
enum status remove_host_identity(const struct project_files *files, struct error *err) MUST_USE;
enum status remove_envelope(const struct project_files *files, const struct digest *digest,
                            struct error *err) MUST_USE;
enum status remove_task(const struct project_files *files, int64_t task, struct error *err)
    MUST_USE;
enum status remove_slot(const struct project_files *files, int64_t task, struct error *err)
    MUST_USE;

/* Whatever lies among the slots and is none of these tasks', which are sorted: what a program put
 * beside its own folder, or what a slot became that it renamed. *ret_count: how many. */
enum status remove_strays(const struct project_files *files, const int64_t *tasks, size_t count,
                          size_t *ret_count, struct error *err) MUST_USE;

#endif

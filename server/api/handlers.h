/* The handlers of all resources, by the file they are in. Each ends in an answer. */
#ifndef SERVER_API_HANDLERS_H
#define SERVER_API_HANDLERS_H

struct call;

/* project.c */
void project_get(struct call *call);
void bulletin_get(struct call *call);

/* health.c, metrics.c */
void health_get(struct call *call);
void metrics_get(struct call *call);

/* files.c, files_bundle.c */
void file_get(struct call *call);
void files_bundle(struct call *call);
void file_put(struct call *call);
void files_missing(struct call *call);
void clock_post(struct call *call);
void host_withdraw_post(struct call *call);
void output_get(struct call *call);

/* enrolment.c */
void account_post(struct call *call);
void account_get(struct call *call);
void challenge_post(struct call *call);
void host_post(struct call *call);

/* scheduler.c */
void scheduler_post(struct call *call);

/* uploads.c, upload_patch.c */
void uploads_options(struct call *call);
void uploads_post(struct call *call);
void upload_head(struct call *call);
void upload_patch(struct call *call);
void upload_delete(struct call *call);

/* publish.c */
void keyring_post(struct call *call);
void freshness_post(struct call *call);
void notice_post(struct call *call);
void app_version_post(struct call *call);
void variant_post(struct call *call);
void apps_get(struct call *call);
void app_get(struct call *call);

/* batches.c */
void batch_post(struct call *call);
void batch_action_post(struct call *call);
void batches_get(struct call *call);
void batch_get(struct call *call);
void batch_get_by_name(struct call *call);

/* units.c: the stream of new units */
void units_post(struct call *call);

/* listings.c */
void batch_units_get(struct call *call);
void batch_tasks_get(struct call *call);
void hosts_get(struct call *call);

/* explain.c, unit.c */
void explain_get(struct call *call);
void unit_get(struct call *call);

/* results.c */
void results_get(struct call *call);

#endif

/* The verbs of the command, one file each, and the table that lists them. */
#ifndef OPERATOR_VERBS_H
#define OPERATOR_VERBS_H

#include "common/base/options.h"

extern const struct command verb_connect;
extern const struct command verb_key_init;
extern const struct command verb_key_publish;
extern const struct command verb_key_rotate;
extern const struct command verb_key_retire;
extern const struct command verb_key_revoke;
extern const struct command verb_app_add;
extern const struct command verb_submit;
extern const struct command verb_status;
extern const struct command verb_watch;
extern const struct command verb_explain;
extern const struct command verb_fetch;
extern const struct command verb_audit;
extern const struct command verb_tasks;
extern const struct command verb_hosts;
extern const struct command verb_close;
extern const struct command verb_cancel;
extern const struct command verb_hold;
extern const struct command verb_release;
extern const struct command verb_retry;
extern const struct command verb_again;
extern const struct command verb_clock_confirm;
extern const struct command verb_hosts_withdraw;
extern const struct command verb_manual;

extern const struct program operator_program;

#endif

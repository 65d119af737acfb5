noinst_LIBRARIES += liboperator.a
liboperator_a_CFLAGS = $(STRICT_CFLAGS)
liboperator_a_SOURCES = \
	%D%/actions.c \
	%D%/again.c \
	%D%/app_add.c \
	%D%/apps.c %D%/apps.h \
	%D%/audit.c \
	%D%/audit_room.c %D%/audit_room.h \
	%D%/audit_run.c %D%/audit_run.h \
	%D%/audit_sample.c %D%/audit_sample.h \
	%D%/batch_record.c %D%/batch_record.h \
	%D%/rounds.c %D%/rounds.h \
	%D%/batches.c %D%/batches.h \
	%D%/clock.c \
	%D%/host_withdraw.c \
	%D%/connect.c \
	%D%/download.c %D%/download.h \
	%D%/exit_codes.h \
	%D%/explain.c \
	%D%/fetch.c \
	%D%/hosts.c \
	%D%/inputs.c %D%/inputs.h \
	%D%/key_change.c \
	%D%/key_init.c \
	%D%/key_publish.c \
	%D%/keychain.c %D%/keychain.h \
	%D%/listing_pages.c %D%/listing_pages.h \
	%D%/name_check.c %D%/name_check.h \
	%D%/name_list.c %D%/name_list.h \
	%D%/name_table.c %D%/name_table.h \
	%D%/named_unit.c %D%/named_unit.h \
	%D%/next_keyring.c %D%/next_keyring.h \
	%D%/open_batch.c %D%/open_batch.h \
	%D%/outbox.c %D%/outbox.h \
	%D%/places.c %D%/places.h \
	%D%/platform.c %D%/platform.h \
	%D%/profile.c %D%/profile.h \
	%D%/program.c \
	%D%/publish.c %D%/publish.h \
	%D%/recompute.c %D%/recompute.h \
	%D%/remote.c %D%/remote.h \
	%D%/renames.c %D%/renames.h \
	%D%/result_check.c %D%/result_check.h \
	%D%/result_pages.c %D%/result_pages.h \
	%D%/results_audit.c %D%/results_audit.h \
	%D%/results_folder.c %D%/results_folder.h \
	%D%/revocable.c %D%/revocable.h \
	%D%/session.c %D%/session.h \
	%D%/show_batch.c %D%/show_batch.h \
	%D%/sheet.c %D%/sheet.h \
	%D%/site.c %D%/site.h \
	%D%/site_behind.c %D%/site_behind.h \
	%D%/slice.c %D%/slice.h \
	%D%/status.c \
	%D%/submission.c %D%/submission.h \
	%D%/submit.c \
	%D%/supply.c %D%/supply.h \
	%D%/table.c %D%/table.h \
	%D%/template.c %D%/template.h \
	%D%/unit_names.c %D%/unit_names.h \
	%D%/unit_source.c %D%/unit_source.h \
	%D%/upload.c %D%/upload.h \
	%D%/variant_draft.c %D%/variant_draft.h \
	%D%/verbs.h \
	%D%/watch.c \
	%D%/workshop.c %D%/workshop.h

bin_PROGRAMS += dugnad
dugnad_CFLAGS = $(STRICT_CFLAGS)
dugnad_SOURCES = %D%/main.c
dugnad_LDADD = $(OPERATOR_LIBS)

noinst_LIBRARIES += libprotocol.a
libprotocol_a_CFLAGS = $(STRICT_CFLAGS)
libprotocol_a_SOURCES = \
	%D%/account.c %D%/account.h \
	%D%/apps.c %D%/apps.h \
	%D%/back_off.c %D%/back_off.h \
	%D%/batch.c %D%/batch.h \
	%D%/batch_json.h \
	%D%/bulletin.c %D%/bulletin.h \
	%D%/cause.c %D%/cause.h \
	%D%/clock.c %D%/clock.h \
	%D%/enrolment.c %D%/enrolment.h \
	%D%/explain.c %D%/explain.h \
	%D%/files_bundle.c %D%/files_bundle.h \
	%D%/files_missing.c %D%/files_missing.h \
	%D%/listing.c %D%/listing.h \
	%D%/problem.c %D%/problem.h \
	%D%/project.c %D%/project.h \
	%D%/published.c %D%/published.h \
	%D%/reading.c %D%/reading.h \
	%D%/refused.c %D%/refused.h \
	%D%/result_line.c %D%/result_line.h \
	%D%/scheduler_reply.c %D%/scheduler_reply.h \
	%D%/scheduler_request.c %D%/scheduler_request.h \
	%D%/unit_status.c %D%/unit_status.h \
	%D%/visit.c %D%/visit.h \
	%D%/words.c %D%/words.h \
	%D%/writer.c %D%/writer.h

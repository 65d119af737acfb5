noinst_LIBRARIES += libprotocol.a
libprotocol_a_CFLAGS = $(STRICT_CFLAGS)
libprotocol_a_SOURCES = \
	%D%/account.h %D%/apps.h %D%/back_off.h %D%/batch.h %D%/bulletin.h %D%/enrolment.h \
	%D%/explain.h %D%/files_missing.h %D%/listing.h %D%/problem.h %D%/project.h \
	%D%/published.h %D%/result_line.h %D%/scheduler_reply.h %D%/scheduler_request.h \
	%D%/unit_status.h %D%/visit.h %D%/words.h

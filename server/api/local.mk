libserver_a_SOURCES += \
	%D%/api.c %D%/api.h \
	%D%/apps.c \
	%D%/batches.c \
	%D%/budget.c %D%/budget.h \
	%D%/call.c %D%/call.h \
	%D%/challenge.c %D%/challenge.h \
	%D%/clock.c \
	%D%/host_withdraw.c \
	%D%/digest_set.c %D%/digest_set.h \
	%D%/enrolment.c \
	%D%/explain.c \
	%D%/file_put.c \
	%D%/files.c %D%/files.h \
	%D%/files_bundle.c \
	%D%/handlers.h \
	%D%/health.c \
	%D%/listings.c \
	%D%/metrics.c \
	%D%/offers.c %D%/offers.h \
	%D%/prefix.c %D%/prefix.h \
	%D%/project.c \
	%D%/publish.c \
	%D%/results.c \
	%D%/routes.c %D%/routes.h \
	%D%/scheduler.c \
	%D%/signatures.c %D%/signatures.h \
	%D%/surroundings.c %D%/surroundings.h \
	%D%/told.c %D%/told.h \
	%D%/tus.h \
	%D%/unit.c \
	%D%/units.c \
	%D%/upload_patch.c \
	%D%/uploads.c \
	%D%/views.c %D%/views.h \
	%D%/waiting.c %D%/waiting.h \
	%D%/worker.c %D%/worker.h

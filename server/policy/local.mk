# PURE: nothing here may reach a clock, a file, a database or randomness.
libserver_a_SOURCES += \
	%D%/allowance.c %D%/allowance.h \
	%D%/company.c %D%/company.h \
	%D%/credit.c %D%/credit.h \
	%D%/deadline.c %D%/deadline.h \
	%D%/delivery.c %D%/delivery.h \
	%D%/estimate.c %D%/estimate.h \
	%D%/fairness.c %D%/fairness.h \
	%D%/rollback.c %D%/rollback.h \
	%D%/hailing.c %D%/hailing.h \
	%D%/horizon.c %D%/horizon.h \
	%D%/match.c %D%/match.h \
	%D%/moving.c %D%/moving.h \
	%D%/pausing.c %D%/pausing.h \
	%D%/quorum.c %D%/quorum.h \
	%D%/host_clock.c %D%/host_clock.h \
	%D%/fitness.c %D%/fitness.h \
	%D%/returning.c %D%/returning.h \
	%D%/share.c %D%/share.h \
	%D%/silence.c %D%/silence.h \
	%D%/tail.c %D%/tail.h \
	%D%/transition.c %D%/transition.h \
	%D%/withdrawing.c %D%/withdrawing.h

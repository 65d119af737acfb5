libserver_a_SOURCES += \
	%D%/actions.c %D%/actions.h \
	%D%/answer.c \
	%D%/apps.c %D%/apps.h \
	%D%/burden.c %D%/burden.h \
	%D%/chance.c %D%/chance.h \
	%D%/clock.c %D%/clock.h \
	%D%/command.h \
	%D%/cycle.c %D%/cycle.h \
	%D%/deadlines.c %D%/deadlines.h \
	%D%/draw.c \
	%D%/engine.c %D%/engine.h \
	%D%/enrolments.c %D%/enrolments.h \
	%D%/envelopes.c \
	%D%/follow.c %D%/follow.h \
	%D%/gathering.c %D%/gathering.h \
	%D%/grants.c \
	%D%/rollbacks.c %D%/rollbacks.h \
	%D%/hails.c %D%/hails.h \
	%D%/horizons.c %D%/horizons.h \
	%D%/host_hints.c %D%/host_hints.h \
	%D%/late.c \
	%D%/line.c %D%/line.h \
	%D%/lots.c %D%/lots.h \
	%D%/map.c %D%/map.h \
	%D%/merge.c %D%/merge.h \
	%D%/moves.c %D%/moves.h \
	%D%/new_work.c \
	%D%/oversized.c %D%/oversized.h \
	%D%/packed_reply.c %D%/packed_reply.h \
	%D%/paces.c %D%/paces.h \
	%D%/project.c \
	%D%/publications.c %D%/publications.h \
	%D%/published.c %D%/published.h \
	%D%/publishing.h \
	%D%/queue.c %D%/queue.h \
	%D%/reserve.c %D%/reserve.h \
	%D%/recall.c \
	%D%/reports.c %D%/reports.h \
	%D%/run.c \
	%D%/settle.c %D%/settle.h \
	%D%/shares.c \
	%D%/signed.c \
	%D%/silences.c %D%/silences.h \
	%D%/state.h \
	%D%/slots.c %D%/slots.h \
	%D%/stock.c %D%/stock.h \
	%D%/tails.c %D%/tails.h \
	%D%/thread.c %D%/thread.h \
	%D%/tick.c \
	%D%/timing.c %D%/timing.h \
	%D%/token_table.c %D%/token_table.h \
	%D%/uploads.c %D%/uploads.h \
	%D%/withdrawals.c %D%/withdrawals.h \
	%D%/visit.c %D%/visit.h

noinst_LIBRARIES += libsandbox.a
libsandbox_a_CFLAGS = $(STRICT_CFLAGS)
libsandbox_a_SOURCES = \
	%D%/beneath.c %D%/beneath.h \
	%D%/cgroup.c %D%/cgroup.h \
	%D%/collect.c %D%/collect.h \
	%D%/confine.c %D%/confine.h \
	%D%/fork.c %D%/fork.h \
	%D%/keeper.c %D%/keeper.h \
	%D%/launcher.c %D%/launcher.h \
	%D%/layers.c %D%/layers.h \
	%D%/native.c %D%/native.h \
	%D%/preparation.c %D%/preparation.h \
	%D%/probe.c \
	%D%/progress.c %D%/progress.h \
	%D%/task_slot.c %D%/task_slot.h \
	%D%/tree.c %D%/tree.h \
	%D%/usage.c %D%/usage.h \
	%D%/verify.c %D%/verify.h

libtestsupport_a_SOURCES += %D%/fake_env.c %D%/fake_env.h
libtestsupport_a_SOURCES += %D%/failing_disk.c %D%/failing_disk.h
if HAVE_CRITERION
libtestsupport_a_SOURCES += %D%/running.c %D%/running.h
endif

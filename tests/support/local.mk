libtestsupport_a_SOURCES += %D%/fake_env.c %D%/fake_env.h
libtestsupport_a_SOURCES += %D%/failing_disk.c %D%/failing_disk.h

libtestsupport_a_SOURCES += %D%/fake_env.c %D%/fake_env.h

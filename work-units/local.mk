noinst_LIBRARIES += libworkunits.a
libworkunits_a_CFLAGS = $(STRICT_CFLAGS)
libworkunits_a_SOURCES =
libworkunits_a_SOURCES += %D%/unit.c %D%/unit.h

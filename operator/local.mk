noinst_LIBRARIES += liboperator.a
liboperator_a_CFLAGS = $(STRICT_CFLAGS)
liboperator_a_SOURCES =

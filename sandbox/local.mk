noinst_LIBRARIES += libsandbox.a
libsandbox_a_CFLAGS = $(STRICT_CFLAGS)
libsandbox_a_SOURCES =

noinst_LIBRARIES += libprotocol.a
libprotocol_a_CFLAGS = $(STRICT_CFLAGS)
libprotocol_a_SOURCES =

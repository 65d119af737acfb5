noinst_LIBRARIES += libsandbox.a
libsandbox_a_CFLAGS = $(STRICT_CFLAGS)
libsandbox_a_SOURCES = \
	%D%/collect.h \
	%D%/launcher.h \
	%D%/layers.h

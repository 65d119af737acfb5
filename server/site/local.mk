EXTRA_DIST += server/config.def
libserver_a_SOURCES += \
	%D%/config.c %D%/config.h

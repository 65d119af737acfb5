libserver_a_SOURCES += \
	%D%/chars.c %D%/chars.h \
	%D%/chunked.c %D%/chunked.h \
	%D%/date.c %D%/date.h \
	%D%/head.c %D%/head.h \
	%D%/parser.c %D%/parser.h \
	%D%/proxy.c %D%/proxy.h \
	%D%/range.c %D%/range.h \
	%D%/reply.h \
	%D%/server.h \
	%D%/target.c

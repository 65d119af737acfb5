libserver_a_SOURCES += \
	%D%/head.h \
	%D%/range.h \
	%D%/reply.h \
	%D%/server.h

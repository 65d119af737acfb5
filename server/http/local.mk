libserver_a_SOURCES += \
	%D%/body.c %D%/body.h \
	%D%/chars.c %D%/chars.h \
	%D%/chunked.c %D%/chunked.h \
	%D%/connection.c %D%/connection.h \
	%D%/date.c %D%/date.h \
	%D%/deadline.c \
	%D%/exchange.c %D%/exchange.h \
	%D%/file_reply.c \
	%D%/head.c %D%/head.h \
	%D%/listener.c %D%/listener.h \
	%D%/loop.c %D%/loop.h \
	%D%/pace.c %D%/pace.h \
	%D%/parser.c %D%/parser.h \
	%D%/peers.c %D%/peers.h \
	%D%/problem.c \
	%D%/proxy.c %D%/proxy.h \
	%D%/range.c %D%/range.h \
	%D%/reason.c %D%/reason.h \
	%D%/receive.c \
	%D%/reply.c %D%/reply.h \
	%D%/respond.c \
	%D%/sender.c %D%/sender.h \
	%D%/server.c %D%/server.h \
	%D%/target.c \
	%D%/tickets.c %D%/tickets.h \
	%D%/tls.c %D%/tls.h \
	%D%/wire.c %D%/wire.h

check_PROGRAMS += %D%/test_parser %D%/test_chunked %D%/test_head %D%/test_proxy
check_PROGRAMS += %D%/test_server %D%/test_stream %D%/test_stream_replies %D%/test_slow %D%/test_tls %D%/test_stop
EXTRA_DIST += %D%/stream_suite.h
if HAVE_HTTP_PARSER
check_PROGRAMS += %D%/test_differential
%C%_test_differential_LDADD = $(LDADD) -lhttp_parser
endif

check_PROGRAMS += %D%/test_parser %D%/test_chunked %D%/test_head %D%/test_proxy
check_PROGRAMS += %D%/test_server %D%/test_stream %D%/test_slow %D%/test_tls %D%/test_stop

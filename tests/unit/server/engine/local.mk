check_PROGRAMS += %D%/test_batches %D%/test_cycle %D%/test_delivery %D%/test_queue %D%/test_time

check_PROGRAMS += %D%/base/test_buffer %D%/base/test_text %D%/base/test_disk %D%/base/test_options

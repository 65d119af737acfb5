check_PROGRAMS += %D%/test_folder
check_PROGRAMS += %D%/test_uploads

check_PROGRAMS += %D%/test_config
check_PROGRAMS += %D%/test_folder %D%/test_listening
check_PROGRAMS += %D%/test_serve %D%/test_shared
check_PROGRAMS += %D%/test_program %D%/test_verb_check

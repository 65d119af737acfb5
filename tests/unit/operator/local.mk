check_PROGRAMS += %D%/test_names %D%/test_pipes %D%/test_places %D%/test_result_check %D%/test_units %D%/test_verbs \
	%D%/test_submit %D%/test_submit_options %D%/test_fetch %D%/test_renewal
check_PROGRAMS += %D%/test_apps %D%/test_audit %D%/test_audit_inputs %D%/test_audit_room %D%/test_listings %D%/test_name_table %D%/test_operands %D%/test_renames %D%/test_restored \
	%D%/test_upload

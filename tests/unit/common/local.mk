check_PROGRAMS += %D%/base/test_buffer %D%/base/test_text %D%/base/test_disk %D%/base/test_options \
	%D%/base/test_log
check_PROGRAMS += %D%/crypto/test_base64 %D%/crypto/test_digest %D%/crypto/test_envelope \
	%D%/crypto/test_keys
check_PROGRAMS += %D%/json/test_build %D%/json/test_members %D%/json/test_profile
check_PROGRAMS += %D%/http/test_certificates %D%/http/test_client %D%/http/test_through_proxy %D%/http/test_url

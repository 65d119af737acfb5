EXTRA_DIST += %D%/openapi.json
dist_man_MANS += %D%/man/dugnad-client.1 %D%/man/dugnad-server.8

# Written by `dugnad manual`; a test compares the two.
dist_man_MANS += %D%/man/dugnad-client.1 %D%/man/dugnad.1

EXTRA_DIST += %D%/openapi.json
dist_man_MANS += %D%/man/dugnad-server.8

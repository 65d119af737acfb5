EXTRA_DIST += %D%/openapi.json %D%/APPS.md %D%/ARCHITECTURE.md %D%/OPERATIONS.md %D%/PROTOCOL.md \
	%D%/PERFORMANCE.md %D%/ROADMAP.md %D%/SECURITY.md %D%/TESTING.md

# Written by `dugnad manual`, `dugnad-server manual` and so on; tests compare them.
dist_man_MANS += %D%/man/dugnad-server.8 %D%/man/dugnad-client.1 %D%/man/dugnad.1 %D%/man/dugnad-bench.1

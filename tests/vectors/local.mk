EXTRA_DIST += %D%/payload-profile.json

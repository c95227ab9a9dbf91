"""Pictures by row number: from their files, from memory, or from a cache on the disk."""

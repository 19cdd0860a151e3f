"""The command line: one verb a file, each reads, calls and prints."""

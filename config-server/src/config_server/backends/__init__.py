"""Where configuration is kept: a folder, a git repository, a table, or several in order."""

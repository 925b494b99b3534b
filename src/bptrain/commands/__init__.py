"""What each command does, for Python and the command line alike: a file or a folder per command."""

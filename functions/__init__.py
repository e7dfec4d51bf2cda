"""Worker functions: what SQL cannot do. One a file, run by `nlctl worker run`."""

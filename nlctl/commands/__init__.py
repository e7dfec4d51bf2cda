"""One module for each group of commands: each reads options, calls a noun, says what happened."""

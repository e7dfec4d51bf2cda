"""`python -m nlctl` is the same as `nlctl`."""

from nlctl.cli import main

main()

#!/usr/bin/env python
"""Run Hedgerow's commands."""

import os
import sys


def main() -> None:
    """Point Django at the settings and run the command that was asked for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trial.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

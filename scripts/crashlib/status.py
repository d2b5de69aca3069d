"""status.py - the exit statuses of crash.py, for all of its commands."""

EXIT_COMPLETE, EXIT_UNUSABLE, EXIT_PARTIAL = 0, 1, 2


def worst(statuses: set[int]) -> int:
    return next((status for status in (EXIT_UNUSABLE, EXIT_PARTIAL) if status in statuses),
                EXIT_COMPLETE)

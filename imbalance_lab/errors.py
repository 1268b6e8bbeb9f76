"""Errors that the user can put right."""


class UsageError(Exception):
    """A mistake of the user; the message is one sentence that says what is wrong and what to do. Exit code 2."""

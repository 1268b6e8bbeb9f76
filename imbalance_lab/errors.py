"""Errors that the user can put right."""


class UsageError(Exception):
    """A mistake of the user; the message is one sentence that says what is wrong and what to do. Exit code 2."""


def describe(error: BaseException) -> str:
    """One line for a status or a table: a mistake's sentence; the kind of any other error too."""
    text = " ".join(str(error).split())
    if isinstance(error, UsageError | FloatingPointError | SystemExit):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

"""What a user can mend: the program prints the message as one sentence and ends, without a traceback."""


class UserError(Exception):
    """Something that was given cannot be used; the message names it and says what to do."""


class DatasetNotFoundError(UserError):
    """A data set is not where it was looked for; the message lists the files and where to get them."""


class BadImageError(UserError):
    """A picture cannot be decoded; the message names the file."""


def refusal_in(error: BaseException | None) -> UserError | None:
    """The refusal that a library has put its own errors around; None if there is none."""
    while error is not None and not isinstance(error, UserError):
        error = error.__cause__ or error.__context__
    return error


def refuse_below(least: float, **values: float | None) -> None:
    """Refuses a setting that is smaller than it can be, or no number; None is no setting.

    Raises:
        UserError: The message names the first one.
    """
    for name, value in values.items():
        if value is not None and not least <= value < float("inf"):
            raise UserError(f"{name} must be at least {least:g}, but is {value:g}.")

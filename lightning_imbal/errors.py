"""What a user can mend: the program prints the message as one sentence and ends, without a traceback."""


class UserError(Exception):
    """Something that was given cannot be used; the message names it and says what to do."""


class DatasetNotFoundError(UserError):
    """A data set is not where it was looked for; the message lists the files and where to get them."""


class BadImageError(UserError):
    """A picture cannot be decoded; the message names the file."""

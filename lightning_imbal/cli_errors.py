"""One sentence out of jsonargparse's nested error messages."""


def explain(message: str) -> str:
    return message

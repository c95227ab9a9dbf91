"""Joins a Ray cluster, or says why that cannot be."""

import logging
import socket

import ray

from lightning_imbal.errors import UserError

SECONDS_TO_ANSWER = 10
OUTSIDE = (
    "run the table on a machine of the cluster, as `ray job submit --address http://HEAD:8265 -- sh -c 'cd FOLDER && "
    "lightning_imbal table SPEC --launcher ray'` does."
)


def connect(address: str | None) -> None:
    """Joins the cluster at an address, or starts one on this machine.

    Raises:
        UserError: There is none, or this program is outside of it.
    """
    if address is not None and "://" in address:
        raise UserError(
            f"{address} (of --address or the variable RAY_ADDRESS) is for programs outside of a cluster: {OUTSIDE}"
        )
    if address is not None and not answers(address):
        raise UserError(
            f"There is no Ray cluster at {address}: start one with `ray start --head`, give the HOST:PORT it prints."
        )
    try:
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR)
    except ConnectionError as error:
        if "InvalidAuthToken" in str(error.__cause__):
            raise UserError(
                f"The Ray cluster at {address} wants a token, as one does that is started where ~/.ray/auth_token is: "
                "set RAY_AUTH_MODE=token here, with the same file on every machine, or RAY_AUTH_MODE=disabled for "
                "`ray start`."
            ) from error
        raise UserError(
            f"{address} answers, but this machine is none of a Ray cluster there: start it here with `ray start "
            f"--address {address}`, or {OUTSIDE}"
        ) from error
    except RuntimeError as error:  # such as another version of Python
        raise UserError(f"Ray does not start: {in_a_line(error)}") from error


def answers(address: str) -> bool:
    """Whether anything answers at HOST:PORT, which takes Ray itself minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS_TO_ANSWER).close()
    except (OSError, ValueError):
        return False
    return True


def in_a_line(error: Exception) -> str:
    """What an error says, without its breaks of lines."""
    return " ".join(str(error).split())

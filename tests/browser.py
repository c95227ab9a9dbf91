"""Headless Chromium for tests of pages, driven by the Chrome DevTools Protocol."""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import pytest
import websocket

AXE = resources.files("axe_core_python") / "axe.min.js"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
KEYS = {"Enter": (13, "\r"), " ": (32, " ")}
SECONDS = 30


def do_without() -> NoReturn:
    """Skips a test that needs the browser; fails it where CI=true, so that it is never skipped unseen."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Chromium is not installed")


class Browser:
    """A tab that remembers what went wrong in it; a context manager.

    Attributes:
        complaints: Exceptions, lines of console.error, entries of the log that are errors, and dialogs.
        requests: Addresses of everything that a page asked for.
    """

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._loaded = False
        self._socket = None
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command = [CHROMIUM, *FLAGS, OFFLINE, f"--user-data-dir={self._profile.name}", "about:blank"]
        self._process = subprocess.Popen(command, **QUIET)

    def __enter__(self) -> "Browser":
        try:
            self._connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket:
            self._socket.shutdown()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(SECONDS)
        self._profile.cleanup()

    def _connect(self) -> None:
        file = Path(self._profile.name) / "DevToolsActivePort"
        _wait(lambda: file.is_file() and len(file.read_text().split()) == 2, "Chromium did not start")
        port, path = file.read_text().split()
        address = f"ws://127.0.0.1:{port}{path}"
        self._socket = websocket.create_connection(address, timeout=SECONDS, suppress_origin=True)
        self._session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Sends a command and returns its result; what the page reports meanwhile is kept."""
        self._number += 1
        self._until = time.monotonic() + SECONDS
        message = {"id": self._number, "method": method, "params": params}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while (answer := self._receive(method)).get("id") != self._number:
            self._note(answer.get("method"), answer.get("params", {}))
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def _receive(self, why: str) -> dict[str, Any]:
        """The next answer or event."""
        if time.monotonic() > self._until:
            raise TimeoutError(f"{why} took more than {SECONDS} s")
        return json.loads(self._socket.recv())

    def _note(self, event: str | None, params: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.complaints.append(json.dumps(params["args"]))
        elif event == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])
        elif event == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {params['message']}")
            answer = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": False}}
            self._socket.send(json.dumps(answer | {"sessionId": self._session}))
        elif event == "Page.loadEventFired":
            self._loaded = True

    def open(self, file: Path, width: int = 1280, height: int = 900) -> None:
        """Opens a file in a window of this size and waits until it is loaded."""
        self.resize(width, height)
        self._loaded = False
        self.send("Page.navigate", url=file.absolute().as_uri())
        while not self._loaded:
            event = self._receive(f"loading {file}")
            self._note(event.get("method"), event.get("params", {}))

    def resize(self, width: int, height: int = 900) -> None:
        """Makes the window as large as that."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def evaluate(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def prefer(self, scheme: str) -> None:
        """Makes the screen `light` or `dark`, as a reader has set it."""
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def barriers(self) -> list[list[str]]:
        """What axe-core finds that keeps people from reading or using the page: each rule with its first element.

        The drawings themselves are hidden from who cannot see them.
        """
        self.evaluate(f"{AXE.read_text(encoding='utf-8')}; 0")
        found = self.evaluate("axe.run({exclude: ['.main-svg']}, {resultTypes: ['violations']}).then(JSON.stringify)")
        return [[rule["id"], rule["nodes"][0]["html"]] for rule in json.loads(found)["violations"]]

    def wait(self, condition: str) -> None:
        """Waits until an expression is true."""
        _wait(lambda: self.evaluate(f"Boolean({condition})"), f"not true in time: {condition}")

    def press(self, key: str) -> None:
        """Presses and releases a key."""
        code, text = KEYS[key]
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, text=text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def screenshot(self, file: Path) -> None:
        """Saves the whole page, also what is below the window."""
        found = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(found["data"]))


def _wait(condition: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(0.05)

"""The command `predict` on addresses of cameras."""

from __future__ import annotations

import json
import os
import signal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.search.data.pictures import picture
from tests.search.prediction.test_download import EXPECTED, send, serving
from tests.tunefront.commands.conftest import Run
from tests.tunefront.commands.prediction.small_model import CLASSES, make_model


@pytest.mark.parametrize("form", ["table", "csv", "jsonl"])
def test_a_camera_s_user_and_password_are_nowhere_shown(keras: Any, run: Run, tmp_path: Path, form: str) -> None:
    make_model(keras, tmp_path / "a.keras")
    photo = picture(tmp_path / "photo.png", 1, (4, 4)).read_bytes()

    def camera(handler: BaseHTTPRequestHandler) -> None:
        header = handler.headers.get("Authorization")
        if header is None:
            send(handler, 401, WWW_Authenticate='Basic realm="camera"')
        else:
            send(handler, 200 if header == EXPECTED else 403, photo)

    with serving(camera) as port:
        addresses = [f"http://{user}@127.0.0.1:{port}/s?pwd=hush" for user in ("anna:hush", "anna:wrong")]
        code, output, errors = run("predict", "a.keras", *addresses, "--format", form)
    assert code == 0
    assert output.count(f"http://127.0.0.1:{port}/s?pwd=***") == 2
    assert "the server answers 403 Forbidden" in output
    assert not {word for word in ("anna", "hush", "wrong") if word in output + errors}


def test_a_camera_is_looked_at_again_and_again_until_ctrl_c(keras: Any, run: Run, tmp_path: Path) -> None:
    make_model(keras, tmp_path / "a.keras")
    photo = picture(tmp_path / "photo.png", 1, (4, 4)).read_bytes()
    asked = []

    def camera(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        if len(asked) == 3:  # what came of the second is printed by now
            os.kill(os.getpid(), signal.SIGINT)
        send(handler, 500) if len(asked) == 1 else send(handler, 200, photo)

    with serving(camera) as port:
        named = ["a.keras", f"http://127.0.0.1:{port}/", "--every", "1s", "--format", "jsonl"]
        code, output, errors = run("predict", *named)
    assert code == 0
    assert len(asked) == 3
    assert errors.splitlines()[-1].startswith("1 answered, 1 failed, in ")
    first, second = map(json.loads, output.splitlines())
    assert first["problem"] == "the server answers 500 Internal Server Error"
    assert first["time"] < second["time"]
    assert second["class"] in CLASSES

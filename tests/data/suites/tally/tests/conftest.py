import os
import subprocess

import pytest


@pytest.fixture
def run(tmp_path):
    """Runs the submission in the directory of the test."""

    def call(*args, stdin="", cwd=tmp_path):
        command = [os.environ["BAILIWICK_ENTRYPOINT"], *map(str, args)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=cwd)

    return call

"""What `tally` must do. The canary stands for an answer that no submission may see: canary-4711."""

from pathlib import Path

import pytest


@pytest.mark.parametrize("numbers", ["1", "1 2", "1 2 3", "10 -4", "0.5 0.5", "1\n2\n3\n", "  7  "])
def test_sums_standard_input(run, numbers):
    result = run("sum", stdin=numbers)
    assert result.returncode == 0
    assert float(result.stdout) == sum(map(float, numbers.split()))


def test_sums_a_file(run, tmp_path):
    (tmp_path / "in.txt").write_text("1 2 3")
    assert run("sum", "in.txt").stdout == "6.0\n"


def test_sums_a_file_by_its_absolute_path(run, tmp_path):
    (tmp_path / "in.txt").write_text("4 5")
    assert run("sum", tmp_path / "in.txt").stdout == "9.0\n"


def test_sums_files_of_a_directory(run, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.txt").write_text("1")
    assert run("sum", "deep/er/a.txt").stdout == "1.0\n"


@pytest.mark.parametrize("name", ["out.txt", "dir/out.txt"])
def test_writes_a_file(run, tmp_path, name):
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "keep").write_text("")
    assert run("write", name, stdin="hello").returncode == 0
    assert (tmp_path / name).read_text() == "hello"


def test_writes_over_a_file(run, tmp_path):
    (tmp_path / "out.txt").write_text("old and long")
    run("write", "out.txt", stdin="new")
    assert (tmp_path / "out.txt").read_text() == "new"


def test_removes_a_file(run, tmp_path):
    (tmp_path / "a.txt").write_text("")
    assert run("remove", "a.txt").returncode == 0
    assert not (tmp_path / "a.txt").exists()


def test_remembers_between_calls(run, tmp_path):
    for word in ["milk", "bread"]:
        assert run("note", word).returncode == 0
    assert run("notes").stdout == "milk\nbread\n"


def test_sees_what_the_test_changed_between_calls(run, tmp_path):
    run("note", "milk")
    (tmp_path / "notes.txt").write_text("eggs\n")
    assert run("notes").stdout == "eggs\n"


def test_has_a_directory_of_its_own(run):
    assert run("notes").stdout == ""


def test_lists_its_directory_and_nothing_else(run, tmp_path):
    (tmp_path / "b").write_text("")
    (tmp_path / "a").write_text("")
    assert run("list").stdout == "a\nb\n"


def test_sees_nothing_of_the_tests(run):
    assert run("list", cwd=Path(__file__).parent).stdout == ""


def test_empty_directories_come_and_go(run, tmp_path):
    (tmp_path / "old" / "deep").mkdir(parents=True)
    assert run("list").stdout == "old\n"
    assert run("mkdir", "new").returncode == 0
    assert (tmp_path / "new").is_dir() and (tmp_path / "old" / "deep").is_dir()
    assert run("rmdir", "old/deep").returncode == 0
    assert not (tmp_path / "old" / "deep").exists() and (tmp_path / "old").is_dir()


def test_a_tool_stays_executable(run, tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh")
    (tmp_path / "tool").chmod(0o755)
    (tmp_path / "plain").write_text("")
    (tmp_path / "plain").chmod(0o640)
    assert run("note", "milk").returncode == 0
    assert (tmp_path / "tool").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "plain").stat().st_mode & 0o777 == 0o640


def test_bytes_pass_as_they_are(run, tmp_path):
    (tmp_path / "in.bin").write_bytes(bytes(range(256)))
    assert run("copy", "in.bin", "out.bin").returncode == 0
    assert (tmp_path / "out.bin").read_bytes() == bytes(range(256))


def test_words_are_not_split(run):
    assert run("say", "a b", "c'd", "$HOME", "*").stdout == "a b|c'd|$HOME|*\n"


def test_refuses_what_it_does_not_know(run):
    assert run("fly").returncode == 2


def test_refuses_a_file_that_is_not_there(run):
    result = run("sum", "missing.txt")
    assert result.returncode == 1
    assert "missing.txt" in result.stderr



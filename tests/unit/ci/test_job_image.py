"""What the image builder takes, and what it refuses with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.images import artifacts, job_image


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        job_image.main(list(arguments))
    assert caught.value.code == 2
    return capsys.readouterr().err


def project(directory: Path, requirements: str | None = None) -> Path:
    (directory / "job.py").write_text("pass\n")
    if requirements is not None:
        (directory / "requirements.txt").write_text(requirements)
    return directory


@pytest.mark.parametrize(
    ("arguments", "wrong", "remedy"),
    [
        (["--flink=9.9"], "Flink 9.9 is not among the releases of versions.toml", "--flink-dist=archive and --flink=FILE"),
        (["--flink-dist=archive"], "--flink-dist=archive needs --flink", "the .tgz"),
        (["--flink-dist=archive", "--flink=no.tgz"], "--flink is no.tgz, which is no file", "flink-2.2.1-bin.tgz"),
        (["--requirements=no.txt"], "--requirements is no.txt", "which is no file"),
    ],
)
def test_wrong_options(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], wrong: str, remedy: str) -> None:
    error = refused(capsys, f"--job={project(tmp_path)}", *arguments)
    assert wrong in error
    assert remedy in error


def test_a_directory_that_is_no_distribution_is_told_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "flink"
    (home / "conf").mkdir(parents=True)
    error = refused(capsys, f"--job={project(tmp_path)}", "--flink-dist=local", f"--flink={home}")
    assert "it lacks bin/flink (the start scripts), lib/flink-dist*.jar (Flink itself)." in error


def test_a_job_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "which does not exist" in refused(capsys, f"--job={tmp_path}/no.jar")


def test_a_directory_that_holds_no_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        job_image.lay_out_job(tmp_path, tmp_path, "2.2.1")
    assert (
        "is no job: name a jar, a Python file, or a directory with pom.xml (Maven) or job.py (Python)" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("requests\nsix==1.16.0\n", "leaves versions open: requests."),
        ("six>=1\n", "leaves versions open: six>=1."),
        ("apache-flink==2.2.1\n", "names apache-flink==2.2.1, which the image has already"),
    ],
)
def test_requirements_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, wrong: str) -> None:
    assert wrong in refused(capsys, f"--job={project(tmp_path, text)}")


def test_pinned_requirements_with_hashes_comments_and_options(tmp_path: Path) -> None:
    text = "# why\n--no-deps\nsix==1.16.0 \\\n    --hash=sha256:8abb2f1d  # one\n\n"
    file = project(tmp_path, text) / "requirements.txt"
    assert job_image.requirements_of(tmp_path, "") == file
    assert job_image.requirements_of(tmp_path / "job.py", "") is None


def test_a_python_project_is_laid_out_with_its_modules_but_not_its_requirements(tmp_path: Path) -> None:
    source, usrlib = tmp_path / "source", tmp_path / "usrlib"
    source.mkdir()
    project(source, "six==1.16.0\n")
    (source / "words.py").write_text("pass\n")
    assert job_image.lay_out_job(source, usrlib, "") == "job.python.file=/opt/flink/usrlib/job.py"
    assert sorted(file.name for file in usrlib.iterdir()) == ["job.py", "words.py"]


def test_a_jar_keeps_its_name_and_a_file_becomes_the_job(tmp_path: Path) -> None:
    for name in ("my.jar", "other.py"):
        (tmp_path / name).write_text("x")
    usrlib = tmp_path / "usrlib"
    usrlib.mkdir()
    assert job_image.lay_out_job(tmp_path / "my.jar", usrlib, "") == "job.jar.file=/opt/flink/usrlib/my.jar"
    assert job_image.lay_out_job(tmp_path / "other.py", usrlib, "") == "job.python.file=/opt/flink/usrlib/job.py"
    assert (usrlib / "job.py").read_text() == "x"


def test_jars_are_files_or_coordinates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jar = tmp_path / "a.jar"
    jar.touch()
    assert job_image.jar_of(str(jar), tmp_path) == jar
    fetched: list[str] = []
    monkeypatch.setattr(artifacts.Jars, "fetch", lambda self, directory: fetched.extend(one.coordinates() for one in self.jars))
    assert job_image.jar_of("org.a:b:1.0", tmp_path) == tmp_path / "b-1.0.jar"
    assert fetched == ["org.a:b:1.0:jar"]
    with pytest.raises(SystemExit):
        job_image.jar_of("nowhere.jar", tmp_path)
    assert "nowhere.jar is no jar: write the path of one, or group:artifact:version." in capsys.readouterr().err

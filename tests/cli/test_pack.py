"""`course pack` and `course serve`: what is in the folder, and that a room without a network can live on it.

The tiny packages are made here; the set-up from a pack, by the real pip, is in tests/test_setup.py.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from course_utils import cli, data
from course_utils.cli import pack, serve

ROOT = Path(__file__).resolve().parents[2]
SHIFT = ["unshare", "--user", "--map-root-user", "--net"]  # a namespace whose only device is a loopback
NAMESPACE = shutil.which("unshare") and subprocess.run([*SHIFT, "true"], capture_output=True).returncode == 0
without_a_network = pytest.mark.skipif(not NAMESPACE, reason="this machine allows no namespace of one's own")

specification = importlib.util.spec_from_file_location("of_set_up", ROOT / "tests" / "test_setup.py")
of_set_up = importlib.util.module_from_spec(specification)
specification.loader.exec_module(of_set_up)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A committed checkout of a tiny course, its packages where pip finds them, its data in COURSE_DATA."""
    place = tmp_path_factory.mktemp("tiny")
    checkout, wheels, images = (place / name for name in ("checkout", "wheels", "images"))
    for folder in (checkout / "tools", wheels, images / "mnist"):
        folder.mkdir(parents=True)
    for name, version in {"torch": "1.0", "setuptools": "999.0", "dice": "1.0"}.items():
        of_set_up.write_wheel(wheels, name, version)
    modules = [
        path
        for path in importlib.metadata.files("pip")
        if path.suffix != ".pyc" and path.parts[0] != ".." and path.name != "RECORD"
    ]
    of_set_up.write_wheel(
        wheels, "pip", of_set_up.PIP_VERSION, {str(path): path.read_binary() for path in modules}
    )
    shutil.copy(ROOT / "tools" / "setup.py", checkout / "tools")
    shutil.copy(ROOT / "Makefile", checkout)
    (checkout / "backend.py").write_text(of_set_up.BACKEND)
    pins = [f"pip=={of_set_up.PIP_VERSION}", "setuptools==999.0", "torch==1.0"]
    pins += ["dice==1.0 ; python_version >= '3.10'", "mac_only==1.0 ; sys_platform == 'darwin'"]
    (checkout / "constraints.txt").write_text("\n".join(pins) + "\n")
    of_set_up.needs(checkout, "torch", "dice>=1")
    git = ["git", "-C", str(checkout), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=tiny"]):
        subprocess.run([*git, *command], check=True)

    sources = []
    for file in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        content = file.encode() * 1000
        (images / "mnist" / f"{file}-ubyte.gz").write_bytes(content)
        sum_of_it = hashlib.sha256(content).hexdigest()
        mirrors = ("http://192.0.2.1/",)  # reserved for documentation: nobody answers there
        sources.append(data.Source(f"{file}-ubyte.gz", mirrors, sum_of_it, len(content)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.SOURCES, "mnist", tuple(sources))
        for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT"):
            patch.delenv(name, raising=False)
        patch.setenv("PIP_CONFIG_FILE", "/dev/null")
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(wheels))
        patch.setenv("COURSE_DATA", str(images))
        yield checkout


@pytest.fixture(scope="module")
def packed(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed") / "the stick"
    pack.pack(folder, ["linux-x86_64"], [pack.THIS_PYTHON], ["mnist"], course)
    return folder


@pytest.fixture
def stick(packed, tmp_path):
    """A pack of the tiny course, on a stick with a space in its name."""
    return shutil.copytree(packed, tmp_path / "the stick")


def test_a_pack_holds_the_course_its_wheels_its_data_and_a_sum_of_each_file(stick):
    there = [path.relative_to(stick).as_posix() for path in pack.files_of(stick)]
    assert {"gan-course.tar.gz", "set-up.sh", "README.txt", "wheels/dice-1.0-py3-none-any.whl"} <= {*there}
    assert "data/mnist/train-images-idx3-ubyte.gz" in there
    assert not [name for name in there if "mac_only" in name]
    lines = (stick / "SHA256SUMS").read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == there
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((stick / name).read_bytes()).hexdigest() == digest


def test_the_book_comes_along_where_it_was_built(course, tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "pack_wheels", lambda *_: None)
    (course / "build/book/html").mkdir(parents=True)
    (course / "build/book/html/index.html").write_text("<h1>The book</h1>")
    pack.pack(tmp_path / "pack", ["linux-x86_64"], [pack.THIS_PYTHON], [], course)
    assert (tmp_path / "pack/book/index.html").read_text() == "<h1>The book</h1>"


def test_a_folder_that_holds_something_else_is_left_alone(course, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letters.txt").write_text("dear")
    with pytest.raises(pack.PackError, match=r"holds letters\.txt.*name an empty folder"):
        pack.pack(tmp_path / "mine", ["linux-x86_64"], [pack.THIS_PYTHON], [], course)


def test_a_wheel_that_cannot_be_had_is_named_and_no_sums_are_written(course, tmp_path, monkeypatch):
    with pytest.raises(pack.PackError, match=r"macos-arm64, Python 3\.12: .*mac_only==1\.0"):
        pack.pack(tmp_path / "pack", ["macos-arm64"], ["3.12"], [], course)
    assert not (tmp_path / "pack" / "SHA256SUMS").exists()


@pytest.mark.parametrize(("python", "said"), [("3.9", "needs Python 3.10 or newer"), ("new", "no version")])
def test_a_python_that_the_course_does_not_know_is_refused(python, said):
    with pytest.raises(pack.PackError, match=said):
        pack.pinned(ROOT, "linux", python)


def test_what_is_pinned_follows_the_system_and_the_python():
    names = {
        (system, python): {pin.split("==")[0] for pin in pack.pinned(ROOT, system, python)}
        for system in ("linux", "darwin")
        for python in ("3.10", "3.13")
    }
    assert "appnope" in names["darwin", "3.13"] - names["linux", "3.13"]
    assert "exceptiongroup" in names["linux", "3.10"]
    assert "torch" in set.intersection(*names.values())


def test_a_folder_that_is_no_checkout_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pack, "CHECKOUT", tmp_path)
    with pytest.raises(pack.PackError, match="no git checkout"):
        pack.pack_course(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("uname", "platform"),
    [
        (("linux", "x86_64"), "linux-x86_64"),
        (("linux", "aarch64"), "linux-arm64"),
        (("darwin", "arm64"), "macos-arm64"),
    ],
)
def test_the_platform_of_this_machine_has_a_name(uname, platform):
    assert pack.this_platform(uname) == platform


# --- serving it -----------------------------------------------------------------------------------------


@pytest.fixture
def server(stick):
    server = serve.new_server(stick, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def get(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(url, timeout=10).read()


def test_the_room_finds_wheels_book_and_data(server, stick):
    address = serve.address_of(server)
    assert b"dice-1.0-py3-none-any.whl" in get(f"{address}/wheels/")
    assert get(f"{address}/gan-course.tar.gz") == (stick / "gan-course.tar.gz").read_bytes()
    official = (stick / "data/mnist/t10k-labels-idx1-ubyte.gz").read_bytes()
    assert get(f"{address}/t10k-labels-idx1-ubyte.gz") == official  # as COURSE_MIRROR asks for it


def test_nothing_outside_the_pack_is_served(server, stick, tmp_path):
    (tmp_path / "secret").write_text("secret")
    for path in ("../secret", "%2e%2e/secret", "wheels/../../secret"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{serve.address_of(server)}/{path}")


def test_a_shortened_file_is_not_offered_as_the_official_one(stick):
    (stick / "data/mnist/t10k-labels-idx1-ubyte.gz").write_bytes(b"short")
    assert "t10k-labels-idx1-ubyte.gz" not in serve.official_files(stick)
    assert "t10k-images-idx3-ubyte.gz" in serve.official_files(stick)


def test_what_is_no_finished_pack_is_not_offered(tmp_path, capsys):
    assert cli.main(["serve", str(tmp_path)]) == 1
    assert "no finished pack" in capsys.readouterr().err


@pytest.mark.parametrize("listen", ["192.168.1.5:http", ":8000", "192.168.1.5:99999"])
def test_an_address_that_is_none_is_told(listen):
    with pytest.raises(ValueError, match=r"such as 192\.168\.1\.5:8000"):
        serve.parse_address(listen)


def test_an_address_of_another_machine_is_told_and_by_default_only_this_one_listens(stick, capsys):
    assert cli.main(["serve", str(stick), "--listen", "192.0.2.1:8000"]) == 1
    assert "192.0.2.1:8000 cannot be listened on" in capsys.readouterr().err
    assert serve.parse_address(serve.ALONE)[0] == "127.0.0.1"


def test_the_invitation_is_two_commands(stick):
    lines = serve.invitation(stick, "http://192.168.1.5:8000").splitlines()
    commands = [line for line in lines if line.startswith("  ")]
    assert len(commands) == 2
    assert "PIP_TRUSTED_HOST=192.168.1.5 " in commands[1]  # or pip refuses an address without https
    assert commands[1].endswith("COURSE_MIRROR=http://192.168.1.5:8000 make lab")


ROOM = """
import json, sys, threading
from pathlib import Path
from course_utils import data
from course_utils.cli import serve

sources, stick, folder = json.loads(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
data.SOURCES["mnist"] = tuple(data.Source(*one) for one in sources)
server = serve.new_server(stick, "127.0.0.1", 0)
threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
import os
os.environ["COURSE_MIRROR"] = serve.address_of(server)
print(data.fetch("mnist", folder, sources=data.SOURCES, patience=2, progress=False))
"""


@pytest.mark.slow
@without_a_network
def test_without_a_network_the_data_comes_from_the_server_of_the_room(stick, tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_OFFLINE")
    program = f"ip link set lo up && exec {sys.executable} -c '{ROOM}' \"$@\""
    arguments = [json.dumps(data.SOURCES["mnist"]), str(stick), str(tmp_path / "of a learner")]
    done = subprocess.run(
        [*SHIFT, "sh", "-c", program, "sh", *arguments], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    fetched = sorted((tmp_path / "of a learner" / "mnist").glob("*.gz"))
    assert [path.read_bytes() for path in fetched] == [
        (stick / "data" / "mnist" / path.name).read_bytes() for path in fetched
    ]
    assert len(fetched) == 4


@pytest.mark.slow
@without_a_network
def test_without_a_network_the_stick_sets_the_course_up_and_work_that_is_there_stays(stick, tmp_path):
    home = tmp_path / "home"
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHON": sys.executable}
    command = [*SHIFT, "sh", str(stick / "set-up.sh"), str(home / "my course")]
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "make lab" in done.stdout
        (home / "my course" / "backend.py").write_text("# my own work")
    assert of_set_up.can_import(home / "my course", "dice")
    assert (home / "my course" / "backend.py").read_text() == "# my own work"
    assert len([*(home / "my course" / "data" / "mnist").iterdir()]) == 4


def test_a_python_that_the_pack_is_not_for_is_told_before_anything_is_done(stick, tmp_path):
    script = (stick / "set-up.sh").read_text().replace(f" {pack.THIS_PYTHON} ", " 3.99 ")
    (stick / "set-up.sh").write_text(script)
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHON": sys.executable}
    done = subprocess.run(["sh", stick / "set-up.sh"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"is {pack.THIS_PYTHON}" in done.stderr
    assert not (tmp_path / "gan-course").exists()

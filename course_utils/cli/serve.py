"""`course serve`: offers a pack to the room over HTTP, on the one address that it is told to listen on."""

import argparse
import contextlib
import socket
import sys
from collections.abc import Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from course_utils.cli.pack import BOOK, COURSE, DATA, DATA_SETS, SUMS, WHEELS

ALONE = "127.0.0.1:8000"  # this machine only, until another address is named


def register(commands: argparse._SubParsersAction) -> None:
    """Add `course serve` to the command line."""
    parser = commands.add_parser("serve", help="offer what `course pack` has packed to a room, over HTTP")
    parser.add_argument("folder", type=Path, help="the pack")
    parser.add_argument(
        "--listen",
        metavar="ADDRESS[:PORT]",
        default=ALONE,
        help=f"this machine's address in the room's network; by default {ALONE}, which nobody else reaches",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        server = new_server(arguments.folder, *parse_address(arguments.listen))
    except (OSError, ValueError) as error:
        print(f"Nothing is offered: {error}", file=sys.stderr)
        return 1
    with server:
        print(invitation(arguments.folder, address_of(server)), flush=True)
        if server.server_address[0] == "127.0.0.1":
            print("\nOnly this machine reaches that address: --listen names another.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):  # how it is meant to end
            server.serve_forever()
    return 0


def parse_address(listen: str) -> tuple[str, int]:
    """ "192.168.1.5:8000" -> ("192.168.1.5", 8000); without a port, 8000.

    Raises:
        ValueError: there is no address, or the port is no number.
    """
    host, _, port = listen.partition(":")
    port = port or "8000"
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"--listen takes ADDRESS or ADDRESS:PORT, such as 192.168.1.5:8000, got {listen!r}")
    return host, int(port)


def new_server(folder: Path, host: str, port: int) -> ThreadingHTTPServer:
    """A server of the folder that listens on that address and nowhere else.

    Raises:
        ValueError: the folder is no finished pack: nobody's home is offered by a slip.
        OSError: the address is not this machine's, or the port is taken.
    """
    folder = folder.expanduser().resolve()
    if not (folder / SUMS).is_file():
        raise ValueError(f"{folder} is no finished pack, it has no {SUMS}: `course pack` makes one")
    try:
        return ThreadingHTTPServer(
            (host, port), partial(Pack, directory=str(folder), official=official_files(folder))
        )
    except OSError as error:
        raise OSError(f"{host}:{port} cannot be listened on ({error.strerror or error})") from error


class Pack(SimpleHTTPRequestHandler):
    """The pack's files by their paths, and the official data files by their names alone (`COURSE_MIRROR`)."""

    def __init__(self, *arguments, official: Mapping[str, Path], **keywords):
        self.official = official
        super().__init__(*arguments, **keywords)

    def translate_path(self, path: str) -> str:
        name = unquote(urlsplit(path).path).lstrip("/")
        return str(self.official[name]) if name in self.official else super().translate_path(path)

    def log_message(self, *_arguments) -> None:
        """Thirty people fetch a hundred and fifty files each."""


def official_files(folder: Path) -> dict[str, Path]:
    """Name of each official data file that the pack holds -> where. A shortened one would not be taken."""
    from course_utils.data import SOURCES

    sizes = {source.file: source.size for name in DATA_SETS for source in SOURCES[name]}
    there = (path for path in (folder / DATA).rglob("*") if path.name in sizes)
    return {path.name: path for path in there if path.stat().st_size == sizes[path.name]}


def address_of(server: ThreadingHTTPServer) -> str:
    """The address that people of the room type."""
    host, port = server.server_address[:2]
    return f"http://{_reachable() if host == '0.0.0.0' else host}:{port}"


def _reachable() -> str:
    """This machine's address in its network, as far as the system knows one. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: chooses a way, sends no packet
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()


def invitation(folder: Path, address: str) -> str:
    """What to write on the board."""
    host = urlsplit(address).hostname
    lines = [
        f"{folder} is offered at {address}/ until Ctrl-C. In the room, two commands:",
        "",
        f"  curl {address}/{COURSE} | tar xz && cd gan-course",
        f"  PIP_NO_INDEX=1 PIP_TRUSTED_HOST={host} PIP_FIND_LINKS={address}/{WHEELS}/ "
        f"COURSE_MIRROR={address} make lab",
        "",
        f"Who has the course already: COURSE_MIRROR={address} make lab",
    ]
    if (folder / BOOK).is_dir():
        lines.append(f"The book: {address}/{BOOK}/")
    return "\n".join(lines)

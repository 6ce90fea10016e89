"""A data set small enough for a test, in the official formats, and a local server that misbehaves."""

import gzip
import hashlib
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from course_utils.data import Source, images
from course_utils.data.formats import idx_header


@pytest.fixture(autouse=True)
def forget_earlier_failures():
    """Each test meets a process that has not tried to fetch anything yet, nor spoken of a stand-in."""
    images._gave_up.clear()
    images._announced.clear()


def idx_gz(values):
    return gzip.compress(idx_header(values) + values.tobytes(), compresslevel=1, mtime=0)


@pytest.fixture(scope="session")
def mnist_files():
    """File name → bytes: 500 + 20 noise images, which do not compress, with labels."""
    rng = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte.gz": idx_gz(rng.integers(0, 256, (500, 28, 28), dtype=np.uint8)),
        "train-labels-idx1-ubyte.gz": idx_gz(rng.integers(0, 10, 500, dtype=np.uint8)),
        "t10k-images-idx3-ubyte.gz": idx_gz(rng.integers(0, 256, (20, 28, 28), dtype=np.uint8)),
        "t10k-labels-idx1-ubyte.gz": idx_gz(rng.integers(0, 10, 20, dtype=np.uint8)),
    }


@pytest.fixture
def online(monkeypatch):
    """Lifts COURSE_OFFLINE: the only address asked is the test's own server."""
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


class Server:
    """Serves ``files`` under ``/<behaviour>/<file>``; records (behaviour, file, first byte, port)."""

    def __init__(self, files):
        self.files, self.requests, self.on_half = dict(files), [], lambda: None
        self.stop_stalling = threading.Event()
        handler = type("Handler", (Misbehaving,), {"server_of_test": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def mirror(self, behaviour):
        return f"http://127.0.0.1:{self.http.server_port}/{behaviour}/"

    def sources(self, *behaviours, name="mnist"):
        """What ``course_utils.data.fetch`` takes: these files, at mirrors with these behaviours."""
        mirrors = tuple(self.mirror(behaviour) for behaviour in behaviours)
        return {
            name: tuple(
                Source(file, mirrors, hashlib.sha256(content).hexdigest(), len(content))
                for file, content in self.files.items()
            )
        }

    def asked(self, file=None, behaviour=None):
        """The first bytes asked for, in order, of the requests that match."""
        return [
            first
            for its_behaviour, its_file, first, _port in self.requests
            if file in (None, its_file) and behaviour in (None, its_behaviour)
        ]

    def close(self):
        self.stop_stalling.set()
        self.http.shutdown()
        self.http.server_close()


STRANGE_ANSWERS = {
    "length_in_words": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nhello",
    "length_below_zero": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "two_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "part_in_words": b"HTTP/1.1 206 OK\r\nContent-Range: bytes a-b/c\r\n\r\nhello",
    "chunks_in_words": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello",
    "no_http": b"\x00\xff\xfe no server of the web\r\n\r\n",
    "header_without_end": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500,
    "redirects_nowhere": b"HTTP/1.1 302 OK\r\nLocation: http://[::1/\r\n\r\n",
    "redirects_to_a_file": b"HTTP/1.1 302 OK\r\nLocation: file:///etc/passwd\r\n\r\n",
}


class Misbehaving(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # the connection ends with the answer
    server_of_test = None

    def log_message(self, *args):
        pass

    def do_GET(self):
        test = self.server_of_test
        _, behaviour, file = self.path.split("/")
        content, first = test.files[file], 0
        asked = self.headers.get("Range")
        if asked and behaviour != "no_range":
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
        test.requests.append((behaviour, file, first, self.client_address[1]))
        rest = content[first:]
        half = len(rest) // 2
        if behaviour == "silent":
            test.stop_stalling.wait(20)
        elif behaviour == "missing":
            self.send_error(404)
        elif behaviour == "html":
            self.answer(b"<html>Down for maintenance.</html>" * 20, "text/html")
        elif behaviour == "html_without_length":
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>" + b"x" * len(content))
        elif behaviour == "wrong":
            self.answer(random.Random(0).randbytes(len(rest)), first=first)
        elif behaviour == "truncates":  # honest about its short copy
            self.answer(rest[:half], first=first)
        elif behaviour == "dies":  # promises everything, closes half-way
            self.answer(rest, first=first, send=half)
        elif behaviour in ("stalls", "drips"):
            self.answer(rest, first=first, send=half)
            self.wfile.flush()
            test.on_half()
            for _ in range(200):
                if test.stop_stalling.wait(0.1):
                    break
                if behaviour == "drips":
                    self.wfile.write(b"x")
        elif behaviour == "drips_from_the_start":
            self.answer(rest, first=first, send=0)
            while not test.stop_stalling.wait(0.1):
                self.wfile.write(b"x")
                self.wfile.flush()
        elif behaviour in STRANGE_ANSWERS:
            self.wfile.write(STRANGE_ANSWERS[behaviour])
        elif behaviour == "redirects_to_itself":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif behaviour == "another_part":
            self.answer(bytes(len(rest)), first=first, says_first=first + 1)
        elif behaviour == "slow":  # about one and a half seconds for the largest file
            self.answer(rest, first=first, send=0)
            for start in range(0, len(rest), 16_384):
                self.wfile.write(rest[start : start + 16_384])
                time.sleep(0.06)
        else:
            self.answer(rest, first=first)

    def answer(self, body, kind="application/octet-stream", first=0, send=None, says_first=None):
        self.send_response(206 if first else 200)
        if first:
            end = first + len(body)
            self.send_header("Content-Range", f"bytes {says_first or first}-{end - 1}/{end}")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if send is None else body[:send])


@pytest.fixture
def server(mnist_files, online):
    server = Server(mnist_files)
    yield server
    server.close()

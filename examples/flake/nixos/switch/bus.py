"""A D-Bus client of the few parts that switch-to-configuration needs: method calls and signals over a Unix socket.
Protocol: https://dbus.freedesktop.org/doc/dbus-specification.html"""

import os
import select
import socket
import struct
import time
from collections import deque

METHOD_CALL, METHOD_RETURN, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SIGNATURE = 1, 2, 3, 4, 5, 6, 8
NUMBERS = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "h": "I"}


class BusError(Exception):
    """An error reply, or no reply in time; its text is the message of the reply."""


class Bus:
    """A connection to a message bus. Signals are kept until `process` hands them to `on_signal`."""

    def __init__(self, path: str):
        self.on_signal = lambda member, arguments: None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._serial = 0
        self._input = b""
        self._signals: deque = deque()
        self._socket.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
        answer = self._socket.recv(512)
        if not answer.startswith(b"OK"):
            raise BusError(answer.decode(errors="replace").strip())
        self._socket.sendall(b"BEGIN\r\n")
        self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")

    def call(self, destination: str, path: str, interface: str, member: str, signature: str = "", *arguments, timeout: float = 25):
        """Calls a method and returns the values of its reply. Throws BusError."""
        self._serial += 1
        serial = self._serial
        body = bytearray()
        kinds = split_signature(signature)
        for kind, value in zip(kinds, arguments, strict=True):
            marshal(body, kind, value)
        header = bytearray(struct.pack("<cBBBII", b"l", METHOD_CALL, 0, 1, len(body), serial))
        fields = [(PATH, "o", path), (INTERFACE, "s", interface), (MEMBER, "s", member), (DESTINATION, "s", destination)]
        if signature:
            fields.append((SIGNATURE, "g", signature))
        marshal(header, "a(yv)", fields)
        pad(header, 8)
        self._socket.sendall(header + body)
        deadline = time.monotonic() + timeout
        while True:
            message = self._receive(deadline - time.monotonic())
            if message is None:
                raise BusError("Did not receive a reply")
            kind, about, arguments_back = message
            if about.get(REPLY_SERIAL) != serial:
                self._keep(message)
            elif kind == ERROR:
                raise BusError(str(arguments_back[0]) if arguments_back else about.get(ERROR_NAME, ""))
            else:
                return arguments_back

    def get(self, destination: str, path: str, interface: str, name: str):
        """Returns a property."""
        properties = "org.freedesktop.DBus.Properties"
        return self.call(destination, path, properties, "Get", "ss", interface, name, timeout=5)[0]

    def match(self, rule: str, wanted: bool = True) -> None:
        """Asks for the signals of a match rule, or no longer."""
        self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch" if wanted else "RemoveMatch", "s", rule)

    def process(self, seconds: float) -> bool:
        """Waits for a message and handles all that have come. Returns whether there was one."""
        found = False
        while True:
            if not self._signals:
                message = self._receive(0 if found else seconds)
                if message is None:
                    return found
                found = True
                self._keep(message)
            while self._signals:
                found = True
                self.on_signal(*self._signals.popleft())

    def _keep(self, message) -> None:
        kind, about, arguments = message
        if kind == SIGNAL:
            self._signals.append((about[MEMBER], arguments))

    def _receive(self, seconds: float):
        deadline = time.monotonic() + seconds
        while True:
            message = self._take()
            if message is not None:
                return message
            if not select.select([self._socket], [], [], max(0, deadline - time.monotonic()))[0]:
                return None
            data = self._socket.recv(1 << 16)
            if not data:
                raise BusError("Disconnected from D-Bus")
            self._input += data

    def _take(self):
        """Takes one message off the input, if it is complete."""
        if len(self._input) < 16:
            return None
        order = "<" if self._input[:1] == b"l" else ">"
        length, _, fields = struct.unpack_from(order + "III", self._input, 4)
        start = (16 + fields + 7) & ~7
        if len(self._input) < start + length:
            return None
        data, self._input = self._input[: start + length], self._input[start + length :]
        about = dict(Reader(data, 12, order).read("a(yv)"))
        reader = Reader(data[start:], 0, order)
        return data[1], about, [reader.read(kind) for kind in split_signature(about.get(SIGNATURE, ""))]


class Reader:
    """Reads values off a message."""

    def __init__(self, data: bytes, position: int, order: str):
        self._data, self._position, self._order = data, position, order

    def read(self, kind: str):
        first = kind[0]
        if first in NUMBERS:
            value = self._number(NUMBERS[first])
            return bool(value) if first == "b" else value
        if first in "so":
            return self._text(self._number("I"))
        if first == "g":
            return self._text(self._number("B"))
        if first == "v":
            return self.read(self.read("g"))
        if first in "({":
            self._align(8)
            return tuple(self.read(inner) for inner in split_signature(kind[1:-1]))
        length = self._number("I")
        self._align(alignment(kind[1]))
        end = self._position + length
        values = []
        while self._position < end:
            values.append(self.read(kind[1:]))
        return values

    def _align(self, size: int) -> None:
        self._position += -self._position % size

    def _number(self, code: str):
        self._align(struct.calcsize(code))
        (value,) = struct.unpack_from(self._order + code, self._data, self._position)
        self._position += struct.calcsize(code)
        return value

    def _text(self, length: int) -> str:
        text = self._data[self._position : self._position + length].decode(errors="replace")
        self._position += length + 1
        return text


def alignment(first: str) -> int:
    if first in NUMBERS:
        return struct.calcsize(NUMBERS[first])
    return {"g": 1, "v": 1, "(": 8, "{": 8}.get(first, 4)


def pad(out: bytearray, size: int) -> None:
    out += b"\0" * (-len(out) % size)


def marshal(out: bytearray, kind: str, value) -> None:
    """Appends a value of a signature: strings, object paths, signatures, bytes, arrays and structures."""
    if kind == "y":
        out.append(value)
    elif kind in "so":
        pad(out, 4)
        data = value.encode()
        out += struct.pack("<I", len(data)) + data + b"\0"
    elif kind == "g":
        out += bytes([len(value)]) + value.encode() + b"\0"
    elif kind == "(yv)":
        pad(out, 8)
        code, inner, content = value
        out.append(code)
        marshal(out, "g", inner)
        marshal(out, inner, content)
    else:
        pad(out, 4)
        at = len(out)
        out += b"\0\0\0\0"
        pad(out, alignment(kind[1]))
        start = len(out)
        for item in value:
            marshal(out, kind[1:], item)
        struct.pack_into("<I", out, at, len(out) - start)


def split_signature(signature: str) -> list[str]:
    """Splits a signature into its complete types: `sa{sv}u` is s, a{sv}, u."""
    found = []
    while signature:
        end = complete(signature)
        found.append(signature[:end])
        signature = signature[end:]
    return found


def complete(signature: str) -> int:
    if signature[0] == "a":
        return 1 + complete(signature[1:])
    if signature[0] not in "({":
        return 1
    depth = 0
    for position, letter in enumerate(signature):
        depth += (letter in "({") - (letter in ")}")
        if depth == 0:
            return position + 1
    raise ValueError(f"incomplete signature {signature}")

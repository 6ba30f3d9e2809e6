"""What Helm says of its releases to an API server, in Kubernetes' protobuf: Secrets, read as far as they are written."""

import base64


def secret(body):
    """A Secret of a request's body, as JSON has it."""
    assert body[:4] == b"k8s\0", "no message of Kubernetes"
    unknown = dict(fields(body[4:]))
    kind = dict(fields(unknown[1]))[2].decode()
    assert kind == "Secret", f"{kind} is not read here"
    parts = list(fields(unknown[2]))
    metadata = list(fields(dict(parts)[1]))
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": dict(metadata)[1].decode(), "labels": {key: value.decode() for key, value in entries(metadata, 11)}},
        "data": {key: base64.b64encode(value).decode() for key, value in entries(parts, 2)},
        "type": dict(parts)[3].decode(),
    }


def entries(parts, number):
    """The entries of a map."""
    for at, value in parts:
        if at == number:
            entry = dict(fields(value))
            yield entry[1].decode(), entry.get(2, b"")


def fields(data):
    """The fields of a message: their numbers, and what they hold."""
    place = 0
    while place < len(data):
        tag, place = varint(data, place)
        number, wire = tag >> 3, tag & 7
        value, place = varint(data, place)
        if wire == 2:
            value, place = data[place : place + value], place + value
        else:
            assert wire == 0, f"wire type {wire} is not read here"
        yield number, value


def varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place

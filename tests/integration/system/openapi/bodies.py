"""Draws bodies of POST /api/v1/requests from its schema: (content type, bytes, members that are wrong, or None for what is open)."""
import json

from .draw import ODD_TEXTS

NO_TEXTS = [None, 0, 1, 2**53 + 1, -1.5, True, [], {}, ["user"], {"name": "x"}, 10**400]
NO_OBJECTS = [b"", b" ", b"{", b"null", b"[]", b'"user"', b"12", b"{]", b"[" * 3_000, b'{"a":' * 3_000, b'{"kind":"user","name":"\xff"}', b"\xef\xbb\xbf{", b"kind=user&name=x"]


def body(random):
    """(content type, body, wrong members, open)"""
    if random.random() < 0.1:
        return "application/json", random.choice(NO_OBJECTS), {"body"}, True
    members, wrong, is_open = {}, set(), False
    for name, right in (("kind", ["user", "ticker"]), ("name", [f"client_{random.randrange(40)}", f"CL{random.randrange(40)}"])):
        draw = random.random()
        if draw < 0.1:
            wrong.add(name)
        elif draw < 0.25:
            members[name] = random.choice(NO_TEXTS)
            wrong.add(name)
        elif draw < 0.4:
            members[name] = random.choice([text for text in ODD_TEXTS if text not in right])
            wrong |= {name} if name == "kind" else set()
            is_open = is_open or name == "name"
        else:
            members[name] = random.choice(right)
    if random.random() < 0.1:
        members["surprise"] = random.choice(NO_TEXTS)
        wrong.add("surprise")
    text = json.dumps(members, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.05 and "kind" in members:
        text = text[:-1] + ', "kind": "user"}'
        wrong.add("kind")
    # A ticker's name has other letters than a user's, so what is right as one may be wrong as the other.
    is_open = is_open or members.get("kind") == "ticker"
    return random.choice(["application/json", "application/json; charset=utf-8"]), text.encode(), wrong, is_open

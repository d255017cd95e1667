"""Draws requests for an operation from its parameters' schemas, and says what must be wrong with each.

The verdict over a value comes from the document alone: of a type, a range, a list of names or a pattern it follows; of a time or a
zone from the description that the document gives of them. Other texts may be right or wrong.
"""
import datetime
import re
import urllib.parse

HOUR_MS = 3_600_000
# Texts that have broken parsers before.
ODD_TEXTS = ["", " ", "0", "-1", "null", "true", "NaN", "Infinity", "1e3", "0x10", "1.5", "+5", "1,000", "9007199254740993", "18446744073709551616",
             "99999999999999999999999999", "../../etc/passwd", "a/b", "%", "%41", "a&b=c", "#", "?", "\\", "\"", "'", "<script>", "{}", "[]", "|", "*",
             "\u00e9", "e\u0301", "\u0130", "\u00df", "\u4e2d\u6587", "\U0001f600", "\u202e", "\ufeff", "\uffff", "\u0663", "\n", "\r\nX: y", "\t", "\x01", "\x7f",
             "Montr\u00e9al, Qu\u00e9bec", "Atlantis", "@", "$", "#topic", "a" * 300, "\u00e9" * 500]
# Percent escapes that are no UTF-8 text without a zero.
BROKEN_ESCAPES = ["%", "%4", "%zz", "%ff", "%c3", "%c3%28", "%c0%af", "%e2%82", "%ed%a0%80", "%f4%90%80%80", "%00", "a%00b"]
ZONES = ["UTC", "America/Toronto", "Asia/Kolkata", "Pacific/Apia", "Africa/Abidjan", "Etc/GMT+12"]
NO_ZONES = ["", "Mars/Olympus", "../UTC", "/UTC", "utc+1", "America/", "America", "UTC ", "+02:00", "\u00e9", "a" * 200, "zone.tab", "../../../etc/passwd"]
NO_TIMES = ["", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "1.5", "1e12",
            "2026-01-01T00:00:00+25:00", "99999999999999999999", "12:00", "2026-01-01T00:00:00Z Z", "Thu Jan 01 00:00:00 +0000 2026", "\u0661"]
NO_DURATIONS = ["", "5", "m", "5 m", "-5m", "1.5h", "5min", "5M", "\u0665m", "5m5"]


def quote(text):
    return urllib.parse.quote(text, safe="")


class Value:
    """A parameter's raw text in an address, whether it is "right", "wrong" or "open", and of a right time which it is."""

    def __init__(self, raw, verdict, ms=None):
        self.raw, self.verdict, self.ms = raw, verdict, ms


def rfc3339(ms, zone_minutes=0):
    zone = datetime.timezone(datetime.timedelta(minutes=zone_minutes))
    return datetime.datetime.fromtimestamp(ms / 1000, zone).isoformat(timespec="milliseconds")


class Draw:
    """Everything follows from the generator of random numbers, the time, and `known`: texts that exist, by parameter."""

    def __init__(self, random, document, now_ms, known):
        self.random, self.document, self.now_ms, self.known = random, document, now_ms, known

    def value(self, parameter, wrong):
        schema, name = self.document.resolve(parameter["schema"]), parameter["name"]
        is_time = parameter["schema"].get("$ref", "").endswith("/TimeParameter")
        if is_time:
            return self._time(wrong)
        if name == "zone":
            text = self.random.choice(NO_ZONES if wrong else ZONES)
            return Value(quote(text), "wrong" if wrong else "right")
        if "enum" in schema or schema["type"] == "boolean":
            names = schema.get("enum", ["true", "false"])
            text = self.random.choice([odd for odd in [*ODD_TEXTS, names[0].upper(), names[0] + " "] if odd not in names]) if wrong else self.random.choice(names)
        elif schema["type"] == "integer":
            small, large = schema["minimum"], schema["maximum"]
            numbers = [small, large, self.random.randint(small, large), self.random.randint(small, small + 10)]
            none = [small - 1, large + 1, -large, 10**6 if large < 10**6 else 10**12, 2**53 + 1, 2**63, 2**64 + small, 10**30]
            odd = [text for text in ODD_TEXTS if not re.fullmatch(r"-?[0-9]+", text) or not small <= int(text) <= large]
            text = str(self.random.choice([*none, *odd])) if wrong else str(self.random.choice(numbers))
        elif "pattern" in schema:
            text = self.random.choice(NO_DURATIONS) if wrong else self.random.choice(["1m", "5m", "1h", "4h", "1d", "7d", "60s", "90s", "3600s", "9999999999999999d", "0m"])
            return Value(quote(text), "wrong" if wrong else "open")
        else:
            known = self.known.get(name, [])
            text = self.random.choice(known) if known and self.random.random() < 0.6 else self.random.choice(ODD_TEXTS)
            # An empty part of a path is another address.
            text = text or "x" if parameter["in"] == "path" else text
            return Value(quote(text), "right" if text in known else "open")
        text = text or "x" if parameter["in"] == "path" else text
        return Value(quote(text), "wrong" if wrong else "right")

    def _time(self, wrong):
        if wrong:
            text = self.random.choice(NO_TIMES)
            return Value(quote(text), "wrong")
        ms = self.random.choice([self.now_ms - self.random.randint(0, 3 * HOUR_MS), self.now_ms - self.random.randint(0, 10 * 24 * HOUR_MS), 0, 1,
                                 self.now_ms + self.random.randint(1, 10) * HOUR_MS, 253_370_764_800_000])
        text = self.random.choice([str(ms), rfc3339(ms), rfc3339(ms, 330), rfc3339(ms, -210).replace("T", "t")])
        return Value(quote(text), "right", ms)

    def request(self, path, parameters):
        """A Request for the operation."""
        asked, wrong, raw_query, broken_path = {}, set(), [], set()
        # What goes with a store depends on its kind: the document says so, but which kind it has is for another route to say.
        is_open = "{store}" in path
        for parameter in parameters:
            name, place = parameter["name"], parameter["in"]
            if place == "header" or (place == "query" and self.random.random() < 0.5):
                continue
            may_be_wrong = place == "query" or "enum" in self.document.resolve(parameter["schema"])
            value = self.value(parameter, may_be_wrong and self.random.random() < 0.2)
            if self.random.random() < 0.03:
                value = Value(self.random.choice(BROKEN_ESCAPES), "wrong")
                broken_path |= {name} if place == "path" else set()
            asked[name] = value
            is_open = is_open or value.verdict == "open"
            if value.verdict == "wrong":
                wrong.add(name)
            if place == "path":
                path = path.replace("{" + name + "}", value.raw)
            else:
                raw_query.append(f"{name}={value.raw}")
                if self.random.random() < 0.03:
                    raw_query.append(f"{name}={self.value(parameter, False).raw}")
                    wrong.add(name)
        if self.random.random() < 0.05:
            extra = self.random.choice(["surprise", "N", "From", "n[]", "\u00e9", "__proto__", "q" * 200])
            raw_query.append(f"{quote(extra)}={quote(self.random.choice(ODD_TEXTS))}")
            wrong.add(extra)
        if self.random.random() < 0.02:
            raw_query.append(f"{self.random.choice(BROKEN_ESCAPES)}=1")
            wrong.add("query")
        wrong |= self._wrong_order(asked, wrong, {parameter["name"]: parameter for parameter in parameters})
        # Words of a source go with hardly anything, and a place not with a group.
        is_open = is_open or "source" in asked or {"place", "group"} <= asked.keys()
        self.random.shuffle(raw_query)
        # What an address is about cannot be said without its path, so nothing else is looked at.
        return Request(path + ("?" + "&".join(raw_query) if raw_query else ""), broken_path or wrong, is_open)

    def _wrong_order(self, asked, wrong, parameters):
        """A range that begins after its end."""
        if not {"from", "to"} <= parameters.keys() or wrong & {"from", "to"} or "from" not in asked:
            return set()
        until_now = "now when it is not given" in parameters["to"]["description"]
        end = asked["to"].ms if "to" in asked else self.now_ms if until_now else None
        return {"from"} if end is not None and asked["from"].ms > end else set()


class Request:
    """`wrong`: the parameters that an answer has to complain about; `open`: it may complain about others."""

    def __init__(self, target, wrong, is_open):
        self.target, self.wrong, self.open = target, wrong, is_open

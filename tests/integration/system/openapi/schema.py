"""Checks JSON values against the part of JSON Schema that docs/openapi.yaml uses, and refuses to read any other part.

Stricter than the standard in one way: a member that no schema of its object describes is an error, so that the document has to
name everything that is answered.
"""
import re

KEYWORDS = {"type", "enum", "const", "properties", "required", "additionalProperties", "items", "oneOf", "allOf", "pattern", "minimum",
            "maximum", "format", "description", "example", "default", "$ref"}
FORMATS = {
    "date": r"\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
    "date-time": r"\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
}


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": is_number,
    "integer": lambda value: is_number(value) and value == int(value),
}


class Document:
    """An OpenAPI document, with its references followed."""

    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        """The node that a reference names; what stands beside the reference is stronger."""
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
        return node

    def operations(self):
        """Every (method, path, operation, parameters)."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation, [self.resolve(parameter) for parameter in operation.get("parameters", [])]

    def errors(self, value, schema):
        """What is wrong with a value, as a list of sentences."""
        return self._check(value, schema, "$", closed=True)[0]

    def _check(self, value, schema, at, closed):
        """(errors, names of members that were described, whether any members were)"""
        schema = self.resolve(schema)
        assert schema.keys() <= KEYWORDS, f"this test cannot read {schema.keys() - KEYWORDS}"
        errors, seen, describes = [], set(), "properties" in schema
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not any(TYPES[name](value) for name in types):
            return [f"{at} is {value!r:.80}, not {' or '.join(types)}"], seen, describes
        if "enum" in schema and value not in schema["enum"]:
            errors.append(f"{at} is {value!r:.80}, not one of {schema['enum']}")
        if "const" in schema and value != schema["const"]:
            errors.append(f"{at} is {value!r:.80}, not {schema['const']!r}")
        if is_number(value) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            errors.append(f"{at} is {value}, out of its range")
        if isinstance(value, str):
            if "pattern" in schema and not re.search(schema["pattern"], value):
                errors.append(f"{at} is {value!r:.80}, which does not match {schema['pattern']}")
            if "format" in schema and not re.fullmatch(FORMATS[schema["format"]], value):
                errors.append(f"{at} is {value!r:.80}, no {schema['format']}")
        if isinstance(value, list) and "items" in schema:
            for place, item in enumerate(value):
                errors += self._check(item, schema["items"], f"{at}[{place}]", closed=True)[0]
        if isinstance(value, dict):
            errors += [f"{at} has no {name}" for name in schema.get("required", []) if name not in value]
            for name, member in schema.get("properties", {}).items():
                seen.add(name)
                if name in value:
                    errors += self._check(value[name], member, f"{at}.{name}", closed=True)[0]
        for part in schema.get("allOf", []):
            more, names, described = self._check(value, part, at, closed=False)
            errors, seen, describes = errors + more, seen | names, describes or described
        if "oneOf" in schema:
            answers = [self._check(value, part, at, closed=False) for part in schema["oneOf"]]
            fitting = [answer for answer in answers if not answer[0]]
            if len(fitting) != 1:
                errors.append(f"{at} fits {len(fitting)} of {len(answers)} forms: {'; '.join(answer[0][0] for answer in answers if answer[0])}")
            for _, names, described in fitting:
                seen, describes = seen | names, describes or described
        if closed and describes and isinstance(value, dict):
            errors += [f"{at} has {name}, which is not documented" for name in value if name not in seen]
        return errors, seen, describes

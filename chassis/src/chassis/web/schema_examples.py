"""An example of a JSON Schema's values, put together from the examples of its parts."""

from collections.abc import Mapping
from typing import Any

Schema = Any


def example_of(schema: Schema, definitions: Mapping[str, Schema]) -> Any:
    """ValueError when there is a part that gives no example of itself."""
    match schema:
        case {"examples": [first, *_]} | {"const": first} | {"enum": [first, *_]}:
            return first
        case {"default": default}:
            return default
        case {"$ref": str(reference)}:
            return example_of(definitions[reference.rpartition("/")[2]], definitions)
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_], "type": "string"}:
            return example_of(first, definitions)
        case {"type": "object", "properties": properties}:
            return {name: example_of(part, definitions) for name, part in properties.items()}
        case {"type": "object"}:
            return {}
        case {"type": "array", "items": items}:
            return [example_of(items, definitions)]
        case {"type": "boolean"}:
            return True
    raise ValueError(f"no example in {schema}")

"""PyYAML's C loader, stricter and faster: the values of a text of YAML."""

from functools import lru_cache
from typing import Any

import yaml

from planner.errors import printable

_TEXT = (yaml.ScalarNode, "tag:yaml.org,2002:str")
_LIST = (yaml.SequenceNode, "tag:yaml.org,2002:seq")
_FIELDS = (yaml.MappingNode, "tag:yaml.org,2002:map")
_MERGING = ("<<", "=")  # keys that PyYAML rewrites


class Loader(yaml.CSafeLoader):
    """CSafeLoader that refuses a key given twice, and says where a value is that its type cannot hold.

    Texts, lists and fields, nearly all that a file has, are made here without what PyYAML does for objects that hold themselves.
    """

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The type of a value that says none."""
        if kind is yaml.ScalarNode and implicit[0]:
            return _tag(value)
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What a node stands for."""
        kind = type(node), node.tag
        if kind == _TEXT:
            return node.value
        if kind == _FIELDS:
            return self.construct_mapping(node)
        if kind == _LIST:
            return [self.construct_object(item) for item in node.value]
        try:
            return super().construct_object(node, deep=True)
        except (ValueError, LookupError, AttributeError, ArithmeticError) as error:  # 2026-99-99, !!bool maybe, !!int ""
            name = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(None, None, f"not a valid {name}: {error}", node.start_mark) from None

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Any, Any]:
        """The fields of a mapping, those that it merges from others included."""
        if not isinstance(node, yaml.MappingNode):  # !!map before something else
            raise yaml.constructor.ConstructorError(None, None, "expected fields", node.start_mark)
        seen = set()
        for key, _ in node.value:
            name = key.value
            if isinstance(name, str) and name not in _MERGING:
                if name in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"'{printable(name)}' is given twice", key.start_mark)
                seen.add(name)
        if len(seen) < len(node.value):
            self.flatten_mapping(node)
        found = {}
        for key, value in node.value:
            name = self.construct_object(key)
            if isinstance(name, (list, dict, set)):
                raise yaml.constructor.ConstructorError(None, None, "found unhashable key", key.start_mark)
            found[name] = self.construct_object(value)
        return found


@lru_cache(maxsize=4096)
def _tag(text: str) -> str:
    """The type that YAML gives a value without quotes: names of fields come again and again."""
    return str(_RESOLVER.resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]


_RESOLVER = yaml.resolver.Resolver()

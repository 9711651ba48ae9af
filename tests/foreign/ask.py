"""One question as it is posed over HTTP, and what judges its answer."""

import dataclasses
import typing
import urllib.parse


@dataclasses.dataclass
class Ask:
    """`route` as openapi.json has it; `judge` answers what differs from the recount, in words."""

    route: str
    method: str
    path: str
    judge: typing.Callable[[dict], list]
    body: dict | None = None


def with_parameters(path, given):
    return f"{path}?{urllib.parse.urlencode(given)}"

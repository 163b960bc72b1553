"""Routes as a test wants them, and services that say one thing."""

from typing import Any

from aiohttp import web

from .conftest import Answer, Shop


def configure(shop: Shop, *routes: dict[str, Any], **more: Any) -> None:
    """These routes instead of the usual ones, in the flat keys of config-server."""
    shop.source.update(more)
    for key in [item for item in shop.source if item.startswith("spring.cloud.gateway.routes")]:
        del shop.source[key]
    for i, route in enumerate(routes):
        for key, value in route.items():
            values = value if isinstance(value, list) else [value]
            for j, item in enumerate(values):
                at = f"spring.cloud.gateway.routes[{i}].{key}"
                shop.source[f"{at}[{j}]" if isinstance(value, list) else at] = item
    shop.configuration.refresh()


def route(name: str, *filters: str, **more: Any) -> dict[str, Any]:
    usual = {
        "id": name,
        "uri": f"lb://{name}",
        "predicates": [f"Path=/{name}/**"],
        "filters": ["StripPrefix=1", *filters],
    }
    return {**usual, **more}


def saying(text: str, status: int = 200, **headers: str) -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=given)

    return answer

"""Which of Eureka's formats an answer has, by what the request accepts."""

from aiohttp import web

from discovery.eureka import serialize
from discovery.eureka.response_cache import gzipped

JSON, XML = "application/json", "application/xml"
GZIP = {"Content-Encoding": "gzip"}
RENDERERS: dict[tuple[str, bool], serialize.Renderer] = {
    (renderer.content_type, renderer.compact): renderer
    for compact in (False, True)
    for renderer in (serialize.JsonRenderer(compact), serialize.XmlRenderer(compact))
}


def takes_gzip(request: web.Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def renderer_for(request: web.Request) -> serialize.Renderer | None:
    """JSON where Accept names it, else XML where Accept allows it, as `*/*` does."""
    accept = request.headers.get("Accept", "*/*").lower()
    ranges = {media_range.partition(";")[0].strip() for media_range in accept.split(",")}
    if ranges.isdisjoint({"*/*", "application/*", JSON, XML}):
        return None
    compact = request.headers.get("X-Eureka-Accept", "").lower() == "compact"
    return RENDERERS[JSON if "json" in accept else XML, compact]


async def answer(request: web.Request, renderer: serialize.Renderer, body: bytes) -> web.Response:
    headers = {"Content-Type": renderer.content_type}
    if not takes_gzip(request):
        return web.Response(body=body, headers=headers)
    return web.Response(body=await gzipped(body), headers={**headers, **GZIP})

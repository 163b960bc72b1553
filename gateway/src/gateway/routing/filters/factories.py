"""The filters of Spring Cloud Gateway by their names, and those of Spring's that are not here."""

from typing import TypeAlias

from gateway.routing import rate_limit
from gateway.routing.filters import headers, parameters, paths, retry, sizes, statuses, targets
from gateway.routing.filters.headers import SECURE_HEADERS, HeaderEdit
from gateway.routing.filters.parameters import QueryChange
from gateway.routing.filters.paths import PathChange
from gateway.routing.filters.retry import RetryFilter
from gateway.routing.filters.sizes import RequestHeaderSize, RequestSize
from gateway.routing.filters.statuses import RedirectTo, SetStatus
from gateway.routing.filters.targets import CircuitBreakerFilter, MirrorTarget
from gateway.routing.rate_limit import Rate
from gateway.routing.syntax.definitions import ShortcutConfigurable

RouteFilter: TypeAlias = (
    PathChange
    | QueryChange
    | HeaderEdit
    | SetStatus
    | RedirectTo
    | CircuitBreakerFilter
    | RetryFilter
    | RequestSize
    | RequestHeaderSize
    | MirrorTarget
    | Rate
)


class GatewayFilterFactory(ShortcutConfigurable[RouteFilter]):
    """Makes one filter of a route, as Spring's of this name."""


NAME_VALUE = ("name", "value")
RATE_FIELDS = ("replenishRate", "burstCapacity", "key-resolver")
REWRITE = ("regexp", "replacement")
LOCATION = ("stripVersion", "locationHeaderName", "hostValue", "protocols")
FACTORIES: dict[str, GatewayFilterFactory] = {
    "StripPrefix": GatewayFilterFactory(paths.strip_prefix, ("parts",)),
    "PrefixPath": GatewayFilterFactory(paths.prefix_path, ("prefix",)),
    "RewritePath": GatewayFilterFactory(paths.rewrite_path, REWRITE),
    "SetPath": GatewayFilterFactory(paths.set_path, ("template",)),
    "AddRequestParameter": GatewayFilterFactory(parameters.add, NAME_VALUE),
    "RemoveRequestParameter": GatewayFilterFactory(parameters.remove, ("name",)),
    "RewriteRequestParameter": GatewayFilterFactory(parameters.rewrite, ("name", "replacement")),
    "AddRequestHeader": GatewayFilterFactory(headers.adding("request"), NAME_VALUE),
    "AddRequestHeadersIfNotPresent": GatewayFilterFactory(
        headers.adding_if_not_present("request"), ("keyValues",)
    ),
    "SetRequestHeader": GatewayFilterFactory(headers.setting("request"), NAME_VALUE),
    "RemoveRequestHeader": GatewayFilterFactory(headers.removing("request"), ("name",)),
    "MapRequestHeader": GatewayFilterFactory(
        headers.map_request_header, ("fromHeader", "toHeader")
    ),
    "RewriteRequestHeader": GatewayFilterFactory(headers.rewriting("request"), ("name", *REWRITE)),
    "AddResponseHeader": GatewayFilterFactory(headers.adding("response"), NAME_VALUE),
    "AddResponseHeadersIfNotPresent": GatewayFilterFactory(
        headers.adding_if_not_present("response"), ("keyValues",)
    ),
    "SetResponseHeader": GatewayFilterFactory(headers.setting("response"), NAME_VALUE),
    "RemoveResponseHeader": GatewayFilterFactory(headers.removing("response"), ("name",)),
    "RewriteResponseHeader": GatewayFilterFactory(
        headers.rewriting("response"), ("name", *REWRITE)
    ),
    "RewriteLocationResponseHeader": GatewayFilterFactory(headers.rewrite_location, LOCATION),
    "DedupeResponseHeader": GatewayFilterFactory(
        headers.dedupe_response_header, ("name", "strategy")
    ),
    "SecureHeaders": GatewayFilterFactory(headers.secure_headers, (), (*SECURE_HEADERS, "disable")),
    "PreserveHostHeader": GatewayFilterFactory(headers.preserve_host_header),
    "SetRequestHostHeader": GatewayFilterFactory(headers.set_request_host_header, ("host",)),
    "SetStatus": GatewayFilterFactory(statuses.set_status, ("status",)),
    "RedirectTo": GatewayFilterFactory(
        statuses.redirect_to, ("status", "url", "includeRequestParams")
    ),
    "RequestRateLimiter": GatewayFilterFactory(rate_limit.rate, RATE_FIELDS, ("requestedTokens",)),
    "CircuitBreaker": GatewayFilterFactory(
        targets.circuit_breaker, ("name", "fallbackUri"), ("statusCodes",)
    ),
    "Retry": GatewayFilterFactory(
        retry.retry, (*retry.FIELDS, *retry.BACKOFF), ("series", "exceptions"), retry.shortcut
    ),
    "RequestSize": GatewayFilterFactory(sizes.request_size, ("maxSize",)),
    "RequestHeaderSize": GatewayFilterFactory(sizes.request_header_size, ("maxSize",)),
    "Shadow": GatewayFilterFactory(targets.mirror_target, ("uri", "share")),
}

# Of the others of Spring's, why a route that has them is refused.
UNSUPPORTED = {
    "CacheRequestBody": "no filter here reads a body",
    "FallbackHeaders": "a fallback is not told the error; its client is, by X-Trace-Id",
    "JsonToGrpc": "gRPC is not spoken here",
    "LocalResponseCache": "fusebox.gateway.cache keeps responses, as RFC 9111 lets it",
    "ModifyRequestBody": "a body passes as it came",
    "ModifyResponseBody": "a body passes as it came",
    "RemoveJsonAttributesResponseBody": "a body passes as it came",
    "RequestHeaderToRequestUri": "a client must not choose whom the gateway calls",
    "SaveSession": "the gateway has no sessions",
    "SetRequestUri": "a route's uri says who is called",
    "TokenRelay": "the client's token is passed on without it",
}

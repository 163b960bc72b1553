"""A shop in a few lines, over real HTTP: as much of the contract as its clients here meet."""

import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FakeAnswer = tuple[int, Any]
NO_ANSWER: FakeAnswer = (0, None)
PAGE = 2
TRACE_URL = "http://127.0.0.1:9411/zipkin/traces/6b01ca9b56f2cc68812909233b0962dd"


def healthy(method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
    return effect()


@dataclass
class FakeShop:
    """`trouble` stands between a request and its effect, and answers what it likes."""

    trouble: Callable[[str, str, Callable[[], FakeAnswer]], FakeAnswer] = healthy
    stocks: dict[str, int] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Answers by idempotency key, as order-service keeps them.
    settled: dict[tuple[str, str], FakeAnswer] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    requests: list[tuple[str, str]] = field(default_factory=list)
    gateway: str = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _logins: int = 0

    @classmethod
    @contextmanager
    def opened(cls, **given: Any) -> Iterator["FakeShop"]:
        shop = cls(**given)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(shop))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        shop.gateway = f"http://127.0.0.1:{server.server_port}"
        try:
            yield shop
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, method: str, path: str, headers: Any, body: Any) -> FakeAnswer:
        def effect() -> FakeAnswer:
            with self._lock:
                self.requests.append((method, path))
                return self._effect(method, path, headers, body)

        return self.trouble(method, path, effect)

    def _effect(self, method: str, path: str, headers: Any, body: Any) -> FakeAnswer:
        if path == "/actuator/health":
            return 200, {"status": "UP"}
        if path == "/user-service/users":
            return 201, {}
        if path == "/user-service/login":
            return self._login(body["email"])
        if (method, path.partition("?")[0]) == ("GET", "/catalog-service/catalogs"):
            stocks = [
                {"productId": key, "stock": left} for key, left in sorted(self.stocks.items())
            ]
            return page(path, stocks)
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {"code": "unauthenticated"}
        if path == "/catalog-service/catalogs":
            return self._create(body)
        return self._orders(method, path, headers, body)

    def _login(self, email: str) -> FakeAnswer:
        self._logins += 1
        token = f"token-{self._logins}"
        self.tokens.add(token)
        return 200, {"accessToken": token, "userId": email.partition("@")[0]}

    def _create(self, body: Any) -> FakeAnswer:
        if body["productId"] in self.stocks:
            return 409, {"code": "product-exists"}
        self.stocks[body["productId"]] = body["stock"]
        return 201, body

    def _orders(self, method: str, path: str, headers: Any, body: Any) -> FakeAnswer:
        key = headers.get("Idempotency-Key", "")
        user_id, order_id = re.findall(r"^/order-service/([^/]+)/orders(?:/(\d+)/cancel)?", path)[0]
        if method == "GET":
            mine = [order for order in self.orders.values() if order["userId"] == user_id]
            return page(path, mine)
        if (user_id, key) in self.settled:
            return self.settled[user_id, key]
        answer = self._cancel(order_id) if order_id else self._place(user_id, headers, body)
        if key and answer[0] < 300:
            self.settled[user_id, key] = answer
        return answer

    def _place(self, user_id: str, headers: Any, body: Any) -> FakeAnswer:
        lines: list[dict[str, Any]] = body.get("lines", [body])
        if any(line["productId"] not in self.stocks for line in lines):
            return 404, {"code": "product-unknown", "detail": "There is no such product."}
        if any(self.stocks[line["productId"]] < line["qty"] for line in lines):
            return 409, {"code": "out-of-stock", "detail": "Not enough stock."}
        for line in lines:
            self.stocks[line["productId"]] -= line["qty"]
        order_id = str(len(self.orders))
        order = {"orderId": order_id, "userId": user_id, "status": "CONFIRMED", "lines": lines}
        self.orders[order_id] = order
        return 201, order if "Prefer" in headers else dict(order, status="PENDING")

    def _cancel(self, order_id: str) -> FakeAnswer:
        order = self.orders[order_id]
        if order["status"] != "CONFIRMED":
            return 409, {"code": "too-late"}
        order["status"] = "CANCELLED"
        for line in order["lines"]:
            self.stocks[line["productId"]] += line["qty"]
        return 202, order


def page(path: str, entries: list[Any]) -> FakeAnswer:
    """Two entries a page, so that a client that reads only the first page fails."""
    start = int(re.findall(r"cursor=(\d+)|$", path)[0] or 0)
    document: dict[str, Any] = {"entries": entries[start : start + PAGE]}
    if start + PAGE < len(entries):
        document["next"] = f"{path.partition('?')[0]}?limit=200&cursor={start + PAGE}"
    return 200, document


class Troubles:
    """Every third request of orders meets trouble once: now 503, now an answer that gets lost."""

    def __init__(self) -> None:
        self.met: defaultdict[int, int] = defaultdict(int)
        self._count = 0
        self._lock = threading.Lock()

    def __call__(self, method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        with self._lock:
            self._count += 1
            turn = self._count % 9 if "/orders" in path or "/catalogs" in path else -1
            self.met[turn] += 1
        if turn == 0:
            return 503, {"code": "service-unavailable"}
        if turn == 3:
            effect()
            return NO_ANSWER
        if turn == 6:
            effect()
            return 500, {"code": "internal"}
        return effect()


def handler_of(shop: FakeShop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two packets: otherwise the second waits 40 ms for the first's ACK.
        disable_nagle_algorithm = True

        def respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or "null")
            status, document = shop.answer(self.command, self.path, self.headers, body)
            if status == 0:
                self.close_connection = True
                return
            self._send(status, document)

        def _send(self, status: int, document: Any) -> None:
            is_page = isinstance(document, dict) and "entries" in document
            next_page = document.get("next") if is_page else None
            content = json.dumps(document["entries"] if is_page else document).encode()
            self.send_response(status)
            if next_page:
                self.send_header("Link", f'<{next_page}>; rel="next"')
            self.send_header("X-Trace-Url", TRACE_URL)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = respond  # noqa: N815  (http.server's names)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler

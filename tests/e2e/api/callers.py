"""Who may come to an operation: people, and tokens that are none."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from chassis.identity.assertions import ServiceIdentity
from fusebox.core.secrets import SIGNING_KEY, secret
from fusebox.core.topology import identity_key
from fusebox.runtime.shop_client import PASSWORD, Customer

from ...running import RunningShop

# One of its own: an admin's changes of it are no other test's.
PRODUCT = "MATRIX-0001"


@dataclass
class Person:
    """Somebody with an account, a session, an order."""

    customer: Customer
    email: str
    refresh_token: str
    order_id: str

    @classmethod
    def new(cls, shop: RunningShop) -> "Person":
        email = f"{uuid.uuid4().hex}@fusebox.example"
        new = {"email": email, "name": "Ann", "password": PASSWORD}
        registered = requests.post(f"{shop.gateway}/user-service/users", json=new, timeout=10)
        assert registered.ok, registered.text
        credentials = {"email": email, "password": PASSWORD}
        login = requests.post(f"{shop.gateway}/user-service/login", json=credentials, timeout=10)
        tokens = login.json()
        customer = Customer(shop.gateway, tokens["userId"], tokens["accessToken"])
        product = {"productId": PRODUCT, "productName": "Matrix", "unitPrice": 1, "stock": 100_000}
        made = shop.admin().call("POST", "/catalog-service/catalogs", json=product)
        assert made.status_code in (201, 409), made.text
        order = customer.place_order(PRODUCT)
        assert order.is_accepted, order
        return cls(customer, email, tokens["refreshToken"], order.order_id)

    @property
    def user_id(self) -> str:
        return self.customer.user_id

    @property
    def token(self) -> str:
        return self.customer.token


def expired(shop: RunningShop, token: str) -> str:
    """Signed by the shop itself, some time ago."""
    claims, header = _read(token)
    claims |= {"iat": int(time.time()) - 2000, "exp": int(time.time()) - 1000}
    return jwt.encode(claims, secret(shop.stack, SIGNING_KEY), "ES256", header)


def forged(shop: RunningShop, token: str) -> dict[str, str]:
    """An admin's tokens, as far as somebody can make them who has no key."""
    claims, header = _read(token)
    claims |= {"roles": ["user", "admin"]}
    public = load_pem_private_key(secret(shop.stack, SIGNING_KEY).encode(), None).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    other_key = ec.generate_private_key(ec.SECP256R1())
    confused = _signed({**header, "alg": "HS256"}, claims)
    mac = hmac.new(pem, confused.encode(), hashlib.sha256).digest()
    return {
        "signed with another key": jwt.encode(claims, other_key, "ES256", header),
        "with the signature of another": f"{_signed(header, claims)}.{token.rpartition('.')[2]}",
        "with no signature": _signed({**header, "alg": "none"}, claims) + ".",
        "signed with the public key": f"{confused}.{_base64(mac)}",
    }


def assertion(shop: RunningShop, called: str) -> dict[str, str]:
    """What the gateway shows `called` of itself."""
    identity = ServiceIdentity("gateway", secret(shop.stack, identity_key("gateway")))
    return {"Service-Assertion": identity.assertion(called)}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    claims = jwt.decode(token, options={"verify_signature": False})
    return claims, dict(jwt.get_unverified_header(token))


def _signed(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """What would have to be signed."""
    return ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

"""Who may do what, through the gateway."""

import json
from typing import Any

import jwt
import psycopg
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from fusebox.runtime.shop_client import Customer

from ...running import processes_only


def test_a_token_that_user_service_did_not_sign_is_refused(shop: Any) -> None:
    ann = shop.customer()
    claims = jwt.decode(ann.token, options={"verify_signature": False})
    header = jwt.get_unverified_header(ann.token)
    forger = ec.generate_private_key(ec.SECP256R1())
    head, body, signature = ann.token.split(".")
    tampered = f"{head}.{body[:-2]}{'AA' if body[-2:] != 'AA' else 'BB'}.{signature}"
    bad = {
        "another key": jwt.encode(claims, forger, "ES256", headers={"kid": header["kid"]}),
        "an unknown key": jwt.encode(claims, forger, "ES256", headers={"kid": "x"}),
        "alg none": jwt.encode(claims, "", "none", headers={"kid": header["kid"]}),
        "tampered": tampered,
        "nonsense": "nonsense",
    }
    for reason, token in bad.items():
        answer = Customer(shop.gateway, ann.user_id, token).place()
        assert answer.status_code == 401, reason
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), reason
    answer = requests.get(f"{shop.gateway}{ann.orders}", timeout=5)
    assert answer.status_code == 401


def test_the_token_of_a_deleted_user_is_refused_at_once(shop: Any) -> None:
    ann = shop.customer()
    assert ann.place(wait=5).status_code == 201

    assert ann.call("DELETE", f"/user-service/users/{ann.user_id}").status_code == 204

    assert ann.page().status_code == 401
    shop.until(lambda: ann.place().status_code == 401)


def test_only_an_admin_changes_the_catalog(shop: Any) -> None:
    product = {"productId": "TEST-1", "productName": "Test", "unitPrice": 5, "stock": 1}
    admin = shop.admin()

    assert (
        shop.customer().call("POST", "/catalog-service/catalogs", json=product).status_code == 403
    )
    assert admin.call("POST", "/catalog-service/catalogs", json=product).status_code == 201
    again = admin.call("POST", "/catalog-service/catalogs", json=product)
    assert (again.status_code, again.json()["code"]) == (409, "product-exists")
    more = admin.call("PATCH", "/catalog-service/catalogs/TEST-1", json={"addStock": 4})
    assert more.json()["stock"] == 5


def test_the_actuator_of_a_service_is_for_admins(shop: Any) -> None:
    url = f"{shop.gateway}/order-service/actuator"

    assert requests.get(f"{url}/health", timeout=5).json()["status"] == "UP"
    assert requests.get(f"{url}/info", timeout=5).status_code == 200
    assert requests.get(f"{url}/env", timeout=5).status_code == 401
    allowed = shop.admin().call("GET", "/order-service/actuator/env")
    assert allowed.status_code == 200
    assert "password" not in json.dumps(allowed.json()).replace("db-password", "")


@processes_only
def test_no_service_can_read_anothers_database(shop: Any) -> None:
    services = ["user-service", "order-service", "catalog-service"]
    for service in services:
        role = service.replace("-", "_")
        password = (shop.stack.home / "secrets" / f"{service}-db-password").read_text().strip()
        for other in services:
            host, port = shop.address("postgres")
            address = {
                "host": host,
                "port": port,
                "user": role,
                "password": password,
                "dbname": other.replace("-", "_"),
            }
            if other == service:
                psycopg.connect(**address).close()
            else:
                with pytest.raises(psycopg.OperationalError, match="permission denied"):
                    psycopg.connect(**address)

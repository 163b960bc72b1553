"""Accounts over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from chassis.core.clock import rfc3339
from chassis.runtime.flask import authenticate, body
from chassis.web import pagination
from chassis.web.auth import TokenVerifier
from chassis.web.names import one_line
from user_service.models import LONGEST_EMAIL, RefreshToken, User, is_email
from user_service.passwords import LONGEST, SHORTEST, is_common, prepared
from user_service.roles import Roles
from user_service.service import Accounts
from user_service.sessions import LoginSessions
from user_service.signing import Signer

# As it is seen through the gateway.
USERS = "/user-service/users"
# RFC 6749, 5.1.
NOT_KEPT = {"Cache-Control": "no-store"}


def _address(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("email", "an e-mail address, like ada@example.org")
    return text


def _uncommon(password: str) -> str:
    if is_common(password):
        raise PydanticCustomError("password", "a password that is not one of the most common ones")
    return password


Email = Annotated[str, Field(max_length=LONGEST_EMAIL), AfterValidator(_address)]
Name = Annotated[str, AfterValidator(one_line(100))]
Password = Annotated[
    str,
    AfterValidator(prepared),
    Field(min_length=SHORTEST, max_length=LONGEST),
    AfterValidator(_uncommon),
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewUser(Body):
    email: Email
    name: Name
    password: Password = Field(validation_alias=AliasChoices("password", "pwd"), repr=False)


class Credentials(Body):
    """Any text: what could be nobody's is answered like any other wrong one."""

    email: str
    password: str = Field(repr=False)


class RefreshGrant(Body):
    refresh_token: str = Field(alias="refreshToken", repr=False)


class AccountChanges(Body):
    name: Name | None = None
    password: Password | None = Field(None, repr=False)


def users(accounts: Accounts, tokens: TokenVerifier) -> Blueprint:
    api = Blueprint("users", __name__)

    @api.post("/users")
    def register() -> tuple[Response, int, dict[str, str]]:
        new = body(NewUser)
        user = accounts.register(new.email, new.name, new.password)
        return jsonify(_json(user)), 201, {"Location": f"{USERS}/{user.user_id}"}

    @api.get("/users")
    def listed() -> tuple[Response, dict[str, str]]:
        caller = authenticate(tokens)
        page = pagination.requested(request.args)
        rows, last = accounts.users(caller, page)
        return jsonify([_json(user) for user in rows]), pagination.next_link(USERS, page, last)

    @api.get("/users/<uuid:user_id>")
    def profile(user_id: UUID) -> Response:
        caller = authenticate(tokens)
        profile = accounts.profile(caller, user_id, request.headers["Authorization"])
        degraded = {"degraded": profile.degraded} if profile.degraded else {}
        return jsonify(_json(profile.user) | {"orders": profile.orders} | degraded)

    @api.patch("/users/<uuid:user_id>")
    def change(user_id: UUID) -> Response:
        caller = authenticate(tokens)
        changes = body(AccountChanges)
        user = accounts.change(caller, user_id, changes.name, changes.password)
        return jsonify(_json(user))

    @api.delete("/users/<uuid:user_id>")
    def delete(user_id: UUID) -> tuple[str, int]:
        accounts.delete(authenticate(tokens), user_id)
        return "", 204

    return api


def roles(roles: Roles, tokens: TokenVerifier) -> Blueprint:
    api = Blueprint("roles", __name__)

    @api.get("/users/<uuid:user_id>/roles")
    def listed(user_id: UUID) -> Response:
        named = roles.of(authenticate(tokens), user_id)
        return jsonify({"userId": str(user_id), "roles": named})

    @api.put("/users/<uuid:user_id>/roles/<role>")
    def give(user_id: UUID, role: str) -> tuple[str, int]:
        roles.give(authenticate(tokens), user_id, role)
        return "", 204

    @api.delete("/users/<uuid:user_id>/roles/<role>")
    def take(user_id: UUID, role: str) -> tuple[str, int]:
        roles.take(authenticate(tokens), user_id, role)
        return "", 204

    return api


def login(
    accounts: Accounts, logins: LoginSessions, signer: Signer, tokens: TokenVerifier
) -> Blueprint:
    api = Blueprint("login", __name__)

    @api.post("/login")
    def log_in() -> tuple[Response, dict[str, str]]:
        given = body(Credentials, is_stored=False)
        user, refresh_token = accounts.log_in(given.email, given.password)
        document = _token_response(signer, user, refresh_token)
        headers = {"token": document["accessToken"], "userId": document["userId"]}
        return jsonify(document), headers | NOT_KEPT

    @api.post("/token")
    def refresh() -> tuple[Response, dict[str, str]]:
        given = body(RefreshGrant, is_stored=False)
        user, refresh_token = logins.refresh(given.refresh_token)
        return jsonify(_token_response(signer, user, refresh_token)), NOT_KEPT

    @api.post("/logout")
    def log_out() -> tuple[str, int]:
        if request.content_length:
            logins.end_of_token(body(RefreshGrant, is_stored=False).refresh_token)
        elif session := authenticate(tokens).session:
            logins.end(UUID(session))
        return "", 204

    @api.get("/.well-known/jwks.json")
    def public_keys() -> Response:
        return jsonify(signer.jwks())

    return api


def _token_response(signer: Signer, user: User, refresh_token: RefreshToken) -> dict[str, Any]:
    """RFC 6749, 5.1, in the spelling of the other answers."""
    token = signer.token_for(user, refresh_token.session_id)
    return {
        "accessToken": token.text,
        "tokenType": "Bearer",
        "expiresIn": token.lifetime,
        "refreshToken": refresh_token.text(),
        "userId": str(user.user_id),
    }


def _json(user: User) -> dict[str, Any]:
    return {
        "userId": str(user.user_id),
        "email": user.email,
        "name": user.name,
        "createdAt": rfc3339(user.created_at),
    }

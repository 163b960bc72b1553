"""Accounts over HTTP."""

from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from chassis.runtime.flask import audited, authenticate, body, for_anybody
from chassis.web import pagination
from chassis.web.auth import TokenVerifier
from chassis.web.documents import EXAMPLE_ID
from chassis.web.operations import Access, Parameter, SuccessResponse, operation
from user_service.documents import (
    AccountChanges,
    Credentials,
    NewUser,
    ProfileDocument,
    PublicKeys,
    RefreshGrant,
    RolesDocument,
    TokenDocument,
    UserDocument,
    profile_json,
    roles_json,
    user_json,
)
from user_service.hashing_queue import too_many
from user_service.models import ADMIN, ROLES, RefreshToken, User
from user_service.rights.access import last_admin, user_unknown
from user_service.rights.roles import Roles, everybodys, role_unknown
from user_service.service import Accounts, email_taken
from user_service.sessions import LoginSessions, invalid_grant, login_failed
from user_service.signing import Signer

# As it is seen through the gateway.
USERS = "/user-service/users"
# RFC 6749, 5.1.
NOT_KEPT = {"Cache-Control": "no-store"}

UNKNOWN = user_unknown(UUID(EXAMPLE_ID))
TOKENS_ARE_NOT_KEPT = {"Cache-Control": "`no-store`"}
ROLE = Parameter("role", "path", "Which one.", {"type": "string", "enum": list(ROLES)}, ADMIN)


def users(accounts: Accounts, tokens: TokenVerifier) -> Blueprint:
    api = Blueprint("users", __name__)

    @api.post("/users")
    @operation(
        "Open an account",
        Access.ANYONE,
        SuccessResponse(201, UserDocument, headers={"Location": "Where the account is."}),
        body=NewUser,
        problems=(email_taken(), too_many()),
    )
    def register() -> tuple[Response, int, dict[str, str]]:
        new = body(NewUser)
        user = accounts.register(new.email, new.name, new.password)
        return jsonify(user_json(user)), 201, {"Location": f"{USERS}/{user.user_id}"}

    @api.get("/users")
    @operation(
        "All accounts, a page at a time",
        Access.ADMIN,
        SuccessResponse(document=list[UserDocument], now_and_then=pagination.LINK),
        parameters=pagination.PARAMETERS,
    )
    def listed() -> tuple[Response, dict[str, str]]:
        caller = authenticate(tokens)
        page = pagination.requested(request.args)
        rows, last = accounts.users(caller, page)
        return jsonify([user_json(user) for user in rows]), pagination.next_link(USERS, page, last)

    @api.get("/users/<uuid:user_id>")
    @operation(
        "An account with its orders",
        Access.OWNER_OR_ADMIN,
        SuccessResponse(document=ProfileDocument),
        problems=(UNKNOWN,),
    )
    def profile(user_id: UUID) -> Response:
        caller = authenticate(tokens)
        profile = accounts.profile(caller, user_id, request.headers["Authorization"])
        return jsonify(profile_json(profile.user, profile.orders, profile.degraded))

    @api.patch("/users/<uuid:user_id>")
    @operation(
        "Change the name or the password",
        Access.OWNER_OR_ADMIN,
        SuccessResponse(document=UserDocument),
        body=AccountChanges,
        problems=(UNKNOWN, too_many()),
        description="A new password ends all sessions of the account.",
    )
    def change(user_id: UUID) -> Response:
        caller = authenticate(tokens)
        changes = body(AccountChanges)
        fields = sorted(changes.model_dump(exclude_none=True))
        audit = audited("account.change", fields=fields)
        user = accounts.change(caller, user_id, changes.name, changes.password, audit)
        return jsonify(user_json(user))

    @api.delete("/users/<uuid:user_id>")
    @operation(
        "Delete the account",
        Access.OWNER_OR_ADMIN,
        SuccessResponse(204),
        problems=(UNKNOWN, last_admin()),
        description="Login and tokens end at once, and its undecided orders are cancelled.",
    )
    def delete(user_id: UUID) -> tuple[str, int]:
        caller = authenticate(tokens)
        accounts.delete(caller, user_id, audited("account.delete"))
        return "", 204

    return api


def roles(roles: Roles, tokens: TokenVerifier) -> Blueprint:
    api = Blueprint("roles", __name__)

    @api.get("/users/<uuid:user_id>/roles")
    @operation(
        "The roles of an account",
        Access.OWNER_OR_ADMIN,
        SuccessResponse(document=RolesDocument),
        problems=(UNKNOWN,),
    )
    def listed(user_id: UUID) -> Response:
        named = roles.of(authenticate(tokens), user_id)
        return jsonify(roles_json(user_id, named))

    @api.put("/users/<uuid:user_id>/roles/<role>")
    @operation(
        "Give a role",
        Access.ADMIN,
        SuccessResponse(204),
        parameters=(ROLE,),
        problems=(UNKNOWN, role_unknown("chef")),
    )
    def give(user_id: UUID, role: str) -> tuple[str, int]:
        caller = authenticate(tokens)
        roles.give(caller, user_id, role, audited("role.give"))
        return "", 204

    @api.delete("/users/<uuid:user_id>/roles/<role>")
    @operation(
        "Take a role away",
        Access.ADMIN,
        SuccessResponse(204),
        parameters=(ROLE,),
        problems=(UNKNOWN, role_unknown("chef"), last_admin(), everybodys()),
    )
    def take(user_id: UUID, role: str) -> tuple[str, int]:
        caller = authenticate(tokens)
        roles.take(caller, user_id, role, audited("role.take"))
        return "", 204

    return api


def login(
    accounts: Accounts, logins: LoginSessions, signer: Signer, tokens: TokenVerifier
) -> Blueprint:
    api = Blueprint("login", __name__)

    @api.post("/login")
    @operation(
        "Log in",
        Access.ANYONE,
        SuccessResponse(
            document=TokenDocument,
            headers={
                **TOKENS_ARE_NOT_KEPT,
                "token": "The access token again.",
                "userId": "The user's id again.",
            },
        ),
        body=Credentials,
        problems=(login_failed(), too_many()),
    )
    def log_in() -> tuple[Response, dict[str, str]]:
        given = body(Credentials, is_stored=False)
        user, refresh_token = accounts.log_in(given.email, given.password, audited("login"))
        document = _token_response(signer, user, refresh_token)
        headers = {"token": document["accessToken"], "userId": document["userId"]}
        return jsonify(document), headers | NOT_KEPT

    @api.post("/token")
    @operation(
        "Get new tokens for a refresh token, which is used up then",
        Access.ANYONE,
        SuccessResponse(document=TokenDocument, headers=TOKENS_ARE_NOT_KEPT),
        body=RefreshGrant,
        problems=(invalid_grant(),),
    )
    def refresh() -> tuple[Response, dict[str, str]]:
        given = body(RefreshGrant, is_stored=False)
        user, refresh_token = logins.refresh(given.refresh_token, audited("token"))
        return jsonify(_token_response(signer, user, refresh_token)), NOT_KEPT

    @api.post("/logout")
    @operation(
        "End the session",
        Access.USER,
        SuccessResponse(204),
        body=RefreshGrant,
        is_body_optional=True,
        description="That of the refresh token in the body, or without one that of the token.",
    )
    def log_out() -> tuple[str, int]:
        if request.content_length:
            logins.end_of_token(body(RefreshGrant, is_stored=False).refresh_token)
        elif session := authenticate(tokens).session:
            logins.end(UUID(session))
        return "", 204

    @api.get("/.well-known/jwks.json")
    @for_anybody
    @operation(
        "The public keys by which tokens are checked",
        Access.ANYONE,
        SuccessResponse(document=PublicKeys),
    )
    def public_keys() -> Response:
        return jsonify(signer.jwks())

    return api


def _token_response(signer: Signer, user: User, refresh_token: RefreshToken) -> TokenDocument:
    token = signer.token_for(user, refresh_token.session_id)
    return {
        "accessToken": token.text,
        "tokenType": "Bearer",
        "expiresIn": token.lifetime,
        "refreshToken": refresh_token.text(),
        "userId": str(user.user_id),
    }

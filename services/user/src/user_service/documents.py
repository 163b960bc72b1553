"""What is read and answered as JSON, and the rules of each field."""

from typing import Annotated, Any, NotRequired
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from chassis.core.clock import rfc3339
from chassis.web import names
from chassis.web.documents import Document, Moment, Uuid
from user_service.models import EMAIL_PATTERN, LONGEST_EMAIL, REFRESH_TOKEN, User, is_email
from user_service.passwords import LONGEST, SHORTEST, is_common, prepared

EXAMPLE_PASSWORD = "break-it-on-purpose"
EXAMPLE_REFRESH_TOKEN = "AZNvfF6KfDGbDS9qHkyNV6Gv8QkXx1mUe3w0hYl7Zs5cR2nJ4bTqPd9iKoVgLuMe"


def _address(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("email", "an e-mail address, like ada@example.org")
    return text


def _uncommon(password: str) -> str:
    if is_common(password):
        raise PydanticCustomError("password", "a password that is not one of the most common ones")
    return password


Email = Annotated[
    str,
    Field(
        max_length=LONGEST_EMAIL,
        examples=["ada@example.org"],
        json_schema_extra={"pattern": f"^{EMAIL_PATTERN}$"},
    ),
    AfterValidator(_address),
]
Name = Annotated[
    str,
    AfterValidator(names.one_line(100)),
    Field(examples=["Ada Lovelace"], json_schema_extra=names.schema(100)),
]
Password = Annotated[
    str,
    AfterValidator(prepared),
    Field(
        min_length=SHORTEST,
        max_length=LONGEST,
        description="None of the most common ones.",
        examples=[EXAMPLE_PASSWORD],
        json_schema_extra={"format": "password"},
    ),
    AfterValidator(_uncommon),
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewUser(Body):
    """`pwd` is taken for `password` too."""

    email: Email
    name: Name
    password: Password = Field(validation_alias=AliasChoices("password", "pwd"), repr=False)


class Credentials(Body):
    """Any text: what could be nobody's is answered like any other wrong one."""

    email: str = Field(examples=["ada@example.org"])
    password: str = Field(repr=False, examples=[EXAMPLE_PASSWORD])


class RefreshGrant(Body):
    refresh_token: str = Field(alias="refreshToken", repr=False, examples=[EXAMPLE_REFRESH_TOKEN])


class AccountChanges(Body):
    name: Name | None = None
    password: Password | None = Field(None, repr=False)


class UserDocument(Document):
    userId: Uuid
    email: Email
    name: Annotated[str, Field(examples=["Ada Lovelace"])]
    createdAt: Moment


class ProfileDocument(UserDocument):
    """`orders` are as order-service shows them; `degraded` names the services that were away."""

    orders: Annotated[list[dict[str, Any]], Field(examples=[[]])]
    degraded: NotRequired[Annotated[list[str], Field(examples=[["order-service"]])]]


class RolesDocument(Document):
    userId: Uuid
    roles: Annotated[list[str], Field(examples=[["user"]])]


class TokenDocument(Document):
    """RFC 6749, 5.1, in the spelling of the other answers."""

    accessToken: Annotated[str, Field(examples=["eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.e30.c2ln"])]
    tokenType: Annotated[str, Field(examples=["Bearer"])]
    expiresIn: Annotated[int, Field(examples=[900])]
    refreshToken: Annotated[
        str,
        Field(
            examples=[EXAMPLE_REFRESH_TOKEN],
            json_schema_extra={"pattern": f"^{REFRESH_TOKEN.pattern}$"},
        ),
    ]
    userId: Uuid


class PublicKey(Document):
    """RFC 7517 and 7518, 6.2."""

    kty: Annotated[str, Field(examples=["EC"])]
    crv: Annotated[str, Field(examples=["P-256"])]
    x: Annotated[str, Field(examples=["MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"])]
    y: Annotated[str, Field(examples=["4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"])]
    kid: Annotated[str, Field(examples=["2026-11-21"])]
    use: Annotated[str, Field(examples=["sig"])]
    alg: Annotated[str, Field(examples=["ES256"])]


class PublicKeys(Document):
    keys: list[PublicKey]


def user_json(user: User) -> UserDocument:
    return {
        "userId": str(user.user_id),
        "email": user.email,
        "name": user.name,
        "createdAt": rfc3339(user.created_at),
    }


def profile_json(user: User, orders: list[dict[str, Any]], degraded: list[str]) -> ProfileDocument:
    document: ProfileDocument = {**user_json(user), "orders": orders, "degraded": degraded}
    if not degraded:
        del document["degraded"]
    return document


def roles_json(user_id: UUID, roles: list[str]) -> RolesDocument:
    return {"userId": str(user_id), "roles": roles}

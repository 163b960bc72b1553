"""Values that Spring's server encrypted, and ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config_server.cipher import Cipher, DecryptionFailed, decrypted
from config_server.model import PropertySource, PropertyValue

CIPHER = Cipher("a-key-for-the-reference-server-only")
# Made by Spring's server with this key.
VECTORS = {
    "secret": "301d8c1c271a5ad85a92bcc53be169a2f68dbaace5b9ae990f7991a1f3cd7542",
    "mysecret=1": "d47425efdefe97737788077a177ba20c804184f15a4e5108ab27658c28951da9",
    "héllo wörld ✓": "84c7db84bcc61aca59b03d59c56d8a28bcc4da3039f370a6ac10259d668641b8"
    "92d963959c7abdfdf2122f962d311f5d",
    "a longer secret with more than one block of sixteen bytes in it": (
        "ac1a01b041d866b23b1f2c64691112748a8946ca988b1d84c1e11e41f609d5f1f21053735cae0e48de12b0448"
        "88a0e0a95f3f8ee20eb2177e937b1314c2e8d53c392373f8f10668b3f26af5688ac557c"
    ),
}


@pytest.mark.parametrize("text", VECTORS)
def test_values_encrypted_by_spring_are_decrypted(text: str) -> None:
    assert CIPHER.decrypt(VECTORS[text]) == text


@given(some.text())
def test_encryption_can_be_undone_and_differs_each_time(text: str) -> None:
    first, second = CIPHER.encrypt(text), CIPHER.encrypt(text)

    assert CIPHER.decrypt(first) == CIPHER.decrypt(second) == text
    assert first != second


@pytest.mark.parametrize(
    "text", ["", "no hexadecimal", "ab", "00" * 16, "00" * 31, VECTORS["secret"][:-2], "ff" * 32]
)
def test_a_text_that_was_not_encrypted_with_this_key_is_rejected(text: str) -> None:
    with pytest.raises(DecryptionFailed):
        CIPHER.decrypt(text)


def test_another_salt_derives_another_key() -> None:
    with pytest.raises(DecryptionFailed):
        Cipher("a-key-for-the-reference-server-only", "cafebabe").decrypt(VECTORS["mysecret=1"])
    with pytest.raises(ValueError, match="hex"):
        Cipher("key", "no hexadecimal")


def test_a_value_is_served_decrypted_or_as_invalid_with_its_origin() -> None:
    source = PropertySource(
        "x",
        {
            "plain": PropertyValue(1, "1:1"),
            "good": PropertyValue(f"{{cipher}}{VECTORS['secret']}", "2:2"),
            "foreign.broken": PropertyValue("{cipher}beef", "3:3"),
        },
    )

    assert decrypted(source, CIPHER).properties == {
        "plain": PropertyValue(1, "1:1"),
        "good": PropertyValue("secret", "2:2", is_decrypted=True),
        "invalid.foreign.broken": PropertyValue("<n/a>", "3:3"),
    }
    assert set(decrypted(source, None).plain()) == {
        "plain",
        "invalid.good",
        "invalid.foreign.broken",
    }

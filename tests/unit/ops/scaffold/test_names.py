"""What a new service may be called, and what is named after it."""

from pathlib import Path

import pytest

from fusebox.core.errors import Fault
from fusebox.scaffold.names import ServiceNames


@pytest.mark.parametrize(
    ("service", "module", "class_name", "nouns"),
    [
        ("review-service", "review_service", "Review", "reviews"),
        ("gift-card-service", "gift_card_service", "GiftCard", "gift_cards"),
        ("delivery-service", "delivery_service", "Delivery", "deliveries"),
        ("tax-service", "tax_service", "Tax", "taxes"),
    ],
)
def test_all_is_named_after_the_service(
    service: str, module: str, class_name: str, nouns: str
) -> None:
    names = ServiceNames(service)

    assert (names.module, names.class_name, names.nouns) == (module, class_name, nouns)


@pytest.mark.parametrize(
    "service",
    [
        "review",
        "Review-service",
        "-service",
        "1-service",
        "re view-service",
        "a/b-service",
        "é-service",
        "class-service",
        "x" * 40 + "-service",
        "review-service\n",
    ],
)
def test_a_name_that_python_or_a_host_name_would_not_take_is_refused(
    service: str, tmp_path: Path
) -> None:
    with pytest.raises(Fault) as refusal:
        ServiceNames.checked(service, tmp_path)

    assert refusal.value.exit_code == 2
    assert refusal.value.remedy


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "services" / "review").mkdir(parents=True)

    for service in ("catalog-service", "review-service"):
        with pytest.raises(Fault, match=f"there is a {service} already"):
            ServiceNames.checked(service, tmp_path)

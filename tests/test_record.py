"""`@record` makes frozen, slotted classes that behave like frozen dataclasses."""

from __future__ import annotations

import copy

import pytest

from dslc.record import field, record, replace


@record
class Point:
    """A place."""

    x: int
    y: int = 2

    @property
    def sum(self) -> int:
        return self.x + self.y


@record(frozen=False)
class Basket:
    owner: str
    things: list[int] = field(factory=list[int])


@record(eq=False)
class Token:
    text: str


@record
class Nothing:
    """No fields at all."""


@record
class Other:
    x: int
    y: int


def test_fields_are_given_by_position_by_name_or_by_default() -> None:
    assert [(p.x, p.y) for p in (Point(1), Point(1, 3), Point(y=4, x=1), Point(1, y=5))] == [
        (1, 2),
        (1, 3),
        (1, 4),
        (1, 5),
    ]
    assert Point(1).sum == 3


@pytest.mark.parametrize(("values", "named"), [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1})])
def test_wrong_fields_are_refused(values: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"Point.__init__\(\)"):
        Point(*values, **named)


def test_equality_goes_by_type_and_fields_and_hashes_agree() -> None:
    assert Point(1, 2) == Point(1)
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != Other(1, 2)
    assert len({Point(1), Point(1, 2), Other(1, 2)}) == 2


def test_nothing_can_be_changed_or_added() -> None:
    point = Point(1)
    for name in ("x", "z"):
        with pytest.raises(AttributeError):
            setattr(point, name, 3)
    with pytest.raises(AttributeError):
        del point.x  # pyright: ignore[reportAttributeAccessIssue]
    assert not hasattr(point, "__dict__")


def test_records_print_as_they_are_written_and_match_by_position() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    match Point(1):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_a_fresh_default_is_made_for_each_record() -> None:
    one, two = Basket("a"), Basket("b", [1])
    one.things.append(3)
    assert (one.things, two.things, Basket("c").things) == ([3], [1], [])


def test_a_record_that_is_not_frozen_changes_compares_and_has_no_hash() -> None:
    basket = Basket("a")
    basket.owner = "b"
    assert basket == Basket("b")
    assert basket != Basket("a")
    with pytest.raises(TypeError, match="unhashable"):
        hash(basket)
    with pytest.raises(AttributeError):
        basket.other = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_without_eq_a_record_is_equal_to_itself_alone() -> None:
    token = Token("a")
    assert token == token
    assert token != Token("a")
    assert len({token, Token("a")}) == 2


def test_records_without_fields_are_equal() -> None:
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1


def test_replace_changes_the_named_fields_alone() -> None:
    point = Point(1, 5)
    assert replace(point, x=3) == Point(3, 5)
    assert point == Point(1, 5)
    with pytest.raises(TypeError):
        replace(point, z=3)


def test_records_can_be_copied() -> None:
    assert copy.copy(Point(1, 5)) == copy.deepcopy(Point(1, 5)) == Point(1, 5)


def test_what_a_class_defines_itself_is_kept() -> None:
    @record
    class Secret:
        value: str

        def __repr__(self) -> str:
            return "Secret(...)"

    assert repr(Secret("a")) == "Secret(...)"

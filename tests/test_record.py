"""`@record` makes frozen, slotted classes that behave like frozen dataclasses."""

from __future__ import annotations

import pytest

from dslc.record import record


@record
class Point:
    """A place."""

    x: int
    y: int = 2

    @property
    def sum(self) -> int:
        return self.x + self.y


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
    with pytest.raises(TypeError, match=r"Point\(\) takes the fields x, y"):
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
        del point.x
    assert not hasattr(point, "__dict__")


def test_records_print_as_they_are_written_and_match_by_position() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    match Point(1):
        case Point(x, y):
            assert (x, y) == (1, 2)

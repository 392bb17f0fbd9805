"""Places that share their name with another, or with their country."""

import pytest

from core.domain.places import Names, path_of
from workers.pipelines.places import locate

LONDON_UK, LONDON_CA = (51.5007, -0.1246), (42.9849, -81.2453)
SAME_AS_COUNTRY = {"Singapore": (1.2897, 103.8501), "Luxembourg": (49.6116, 6.1319), "Monaco": (43.7384, 7.4246)}


def test_j3_two_towns_of_one_name_are_two_places() -> None:
    british, canadian = locate([LONDON_UK, LONDON_CA])
    assert british.city == canadian.city == "London"
    assert (british.country, canadian.country) == ("United Kingdom", "Canada")


@pytest.mark.parametrize("name", SAME_AS_COUNTRY)
def test_j3_a_town_named_like_its_country_is_found_and_lies_in_it(name: str) -> None:
    [found] = locate([SAME_AS_COUNTRY[name]])
    assert (found.country, found.city) == (name, name)
    nodes = [identity for _, identity, *_ in path_of(Names(found.country, found.region, found.city))]
    assert len(set(nodes)) == len(nodes) >= 2

"""What moves, in a real browser: films play and seek, what cannot play says so, and stillness is respected."""

from typing import Any
from uuid import uuid4

import pytest

from core.readmodels.photos import Photo
from core.web.playing import length_of, playback_of
from tests.web.browsing import CHROMIUM, wait_until
from tests.web.conftest import Shelf
from tests.workers.pipelines.films import make_film, scene
from tests.workers.pipelines.test_pipeline_moving import picture

in_a_browser = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]
WEBM = ("webm", "video", "video/webm")
NEVER = "new-codec.1"


@pytest.mark.parametrize(("seconds", "text"), [(0.29, "0:01"), (7, "0:07"), (750.4, "12:30"), (3723, "1:02:03")])
def test_a_films_length_is_written_as_players_do(seconds: float, text: str) -> None:
    assert length_of(Photo(media="video", facts={"duration": {"value": seconds}})) == text
    assert length_of(Photo(media="image", facts={"duration": {"value": seconds}})) == ""


def test_quicktime_is_asked_for_as_the_mp4_that_browsers_know() -> None:
    facts = {"codecs": {"value": "avc1.640028"}, "video_codec": {"value": "h264"}, "audio_codec": {"value": "aac"}}
    found = playback_of(Photo(id=uuid4(), media="video", kind="mov", mime="video/quicktime", facts=facts))
    assert found and found.types.split("|")[0] == 'video/mp4; codecs="avc1.640028"'
    assert found.coded == "MOV, H.264, AAC"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("films") / "a.webm"
    return make_film(path, 60, lambda number: scene(number, (320, 240)), "libvpx").read_bytes()


@pytest.fixture
def window_options() -> dict[str, Any]:
    return {"viewport": {"width": 1000, "height": 700}}


def of_film(window: Any, question: str) -> Any:
    return window.evaluate(f"(() => {{ const film = document.querySelector('video'); return {question} }})()")


def is_playing(window: Any) -> bool:
    return not of_film(window, "film.paused")


class TestInABrowser:
    pytestmark = in_a_browser

    def test_a_film_plays_by_the_space_bar_and_seeks_by_parts(
        self, window: Any, shelf: Shelf, film: bytes
    ) -> None:
        photo = shelf.photo("clip.webm", content=film, kind=WEBM, codecs="vp8", duration=6.0)
        parts: list[int] = []
        window.on("response", lambda got: parts.append(got.status) if got.url.endswith("/playing") else None)
        window.goto("/")
        assert "0:06" in window.locator(f"#p-{photo}").inner_text()
        window.goto(f"/photos/{photo}/")
        wait_until(lambda: of_film(window, "film.readyState >= 1"))
        assert not is_playing(window)
        window.keyboard.press(" ")
        wait_until(lambda: is_playing(window))
        window.keyboard.press(" ")
        wait_until(lambda: not is_playing(window))
        of_film(window, "film.currentTime = 4")
        wait_until(lambda: of_film(window, "film.readyState >= 2 && !film.seeking"))
        assert of_film(window, "film.currentTime") == pytest.approx(4, abs=0.2)
        assert parts and set(parts) == {206}

    def test_what_the_browser_cannot_play_it_says_and_offers_to_download(self, window: Any, shelf: Shelf) -> None:
        kind = ("mov", "video", "video/quicktime")
        photo = shelf.photo("clip.mov", content=b"film", kind=kind, codecs=NEVER, video_codec="prores")
        window.goto(f"/photos/{photo}/")
        window.get_by_text("This browser cannot play this video (MOV, ProRes)").wait_for()
        assert window.get_by_role("link", name="Download it").get_attribute("href") == f"/photos/{photo}/original"
        assert (
            window.locator(".picture img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        )

    def test_a_live_photo_shows_its_film_when_asked(self, window: Any, shelf: Shelf, film: bytes) -> None:
        content = b"\xff\xd8 a picture" + film
        place = {"motion_start": len(content) - len(film), "motion_length": len(film), "motion_codecs": ""}
        photo = shelf.photo("live.jpg", content=content, **place)
        window.goto("/")
        assert "Live" in window.locator(f"#p-{photo}").inner_text()
        window.goto(f"/photos/{photo}/")
        button = window.get_by_role("button", name="Live")
        assert button.get_attribute("aria-pressed") == "false"
        button.click()
        wait_until(lambda: window.locator(".live-film.shown").count() == 1)
        assert button.get_attribute("aria-pressed") == "true"
        of_film(window, "film.currentTime = 5.9")
        wait_until(lambda: window.locator(".live-film.shown").count() == 0)
        assert button.get_attribute("aria-pressed") == "false"

    def test_a_film_inside_a_picture_that_cannot_play_is_spoken_of_too(self, window: Any, shelf: Shelf) -> None:
        place = {"motion_start": 2, "motion_length": 4, "motion_codecs": NEVER}
        photo = shelf.photo("live.jpg", content=b"a film", **place)
        window.goto(f"/photos/{photo}/")
        button = window.get_by_role("button", name="Live: this browser cannot play it")
        button.wait_for()
        assert button.is_disabled()
        window.keyboard.press(" ")

    @pytest.mark.parametrize("motion", ["no-preference", "reduce"])
    def test_an_animation_moves_unless_stillness_is_asked_for(
        self, window: Any, shelf: Shelf, motion: str
    ) -> None:
        photo = shelf.photo("a.gif", content=picture(3, "GIF"), kind=("gif", "image", "image/gif"), animated=True)
        window.emulate_media(reduced_motion=motion)
        window.goto(f"/photos/{photo}/")
        button = window.get_by_role("button", name="Play")
        moves = motion == "no-preference"
        wait_until(lambda: button.get_attribute("aria-pressed") == str(moves).lower())
        image = window.locator(".picture img")
        wait_until(lambda: image.get_attribute("src").endswith("/playing") == moves)
        button.click()
        wait_until(lambda: image.get_attribute("src").endswith("/playing") != moves)
        window.evaluate("htmx.trigger(document.querySelector('#viewer *'), 'htmx:afterSwap')")
        assert image.get_attribute("src").endswith("/playing") != moves, "a swap beside it changes nothing"

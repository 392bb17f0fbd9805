"""Addresses of the pages."""

from django.urls import path

from core.web import accounts, edits, failures, frame, live, pictures, timeline, viewer

urlpatterns = [
    path("", timeline.timeline_page, name="timeline"),
    path("tiles/", timeline.tiles, name="tiles"),
    path("arrivals/", timeline.arrivals, name="arrivals"),
    path("photos/<uuid:photo_id>/", viewer.photo_page, name="photo"),
    path("photos/<uuid:photo_id>/details/", viewer.details, name="photo-details"),
    path("photos/<uuid:photo_id>/edit/", edits.edit, name="photo-edit"),
    path("photos/<uuid:photo_id>/undo/<uuid:event>/", edits.undo, name="photo-undo"),
    path("photos/<uuid:photo_id>/sidecar/", edits.write_sidecar, name="photo-sidecar"),
    path("photos/<uuid:photo_id>/tile/<slug:revision>.webp", pictures.tile, name="tile"),
    path("photos/<uuid:photo_id>/large/<slug:revision>.webp", pictures.large, name="large"),
    path("photos/<uuid:photo_id>/original", pictures.original, name="original"),
    path("photos/<uuid:photo_id>/playing", pictures.playing, name="playing"),
    path("photos/<uuid:photo_id>/motion", pictures.motion, name="motion"),
    path("failures/", failures.failures_page, name="failures"),
    path("failures/retry/", failures.retry_all, name="retry-all"),
    path("failures/<uuid:failure_id>/retry/", failures.retry, name="retry"),
    path("failures/<uuid:failure_id>/set-aside/", failures.set_aside, name="set-aside"),
    path("skipped/", failures.skipped_page, name="skipped"),
    path("progress/", frame.progress_ring, name="progress"),
    path("live/", live.live, name="live"),
    path("welcome/", accounts.welcome_page, name="welcome"),
    path("signin/", accounts.SignInPage.as_view(), name="signin"),
    path("signout/", accounts.SignOut.as_view(), name="signout"),
    path("appearance/", accounts.choose_appearance, name="appearance"),
]

"""Addresses of the pages."""

from django.urls import path

from core.web import accounts, alltags, edits, failures, frame, libraries, live, missing, pictures, timeline, viewer

urlpatterns = [
    path("", timeline.timeline_page, name="timeline"),
    path("tiles/", timeline.tiles, name="tiles"),
    path("arrivals/", timeline.arrivals, name="arrivals"),
    path("photos/<uuid:photo_id>/", viewer.photo_page, name="photo"),
    path("photos/<uuid:photo_id>/details/", viewer.details, name="photo-details"),
    path("photos/<uuid:photo_id>/metadata/", alltags.all_tags_page, name="photo-metadata"),
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
    path("missing/", missing.missing_page, name="missing"),
    path("missing/take-out/", missing.take_out_all, name="take-out-all"),
    path("missing/<uuid:photo_id>/take-out/", missing.take_out_photo, name="take-out"),
    path("libraries/", libraries.libraries_page, name="libraries"),
    path("libraries/add/", libraries.add, name="library-add"),
    path("libraries/<uuid:library_id>/", libraries.library_page, name="library"),
    path("libraries/<uuid:library_id>/change/", libraries.change, name="library-change"),
    path("libraries/<uuid:library_id>/rescan/", libraries.rescan, name="library-rescan"),
    path("libraries/<uuid:library_id>/remove/", libraries.remove, name="library-remove"),
    path("libraries/<uuid:library_id>/folders/", libraries.add_folder, name="folder-add"),
    path(
        "libraries/<uuid:library_id>/folders/<uuid:folder_id>/remove/",
        libraries.remove_folder,
        name="folder-remove",
    ),
    path("skipped/", failures.skipped_page, name="skipped"),
    path("progress/", frame.progress_ring, name="progress"),
    path("live/", live.live, name="live"),
    path("welcome/", accounts.welcome_page, name="welcome"),
    path("signin/", accounts.SignInPage.as_view(), name="signin"),
    path("signout/", accounts.SignOut.as_view(), name="signout"),
    path("appearance/", accounts.choose_appearance, name="appearance"),
]

"""A browser of a few lines, for tests that need pages but no screen."""

import http.cookiejar
import re
import urllib.parse
import urllib.request


class Browser:
    """Just enough of one: cookies, forms with their CSRF token, redirects."""

    def __init__(self, address: str) -> None:
        self.address = address
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)

    def get(self, path: str) -> bytes:
        with self.opener.open(self.address + path, timeout=60) as answer:
            return bytes(answer.read())

    def post(self, path: str, **values: str) -> bytes:
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path))
        assert token, f"{path} has no form"
        form = urllib.parse.urlencode({**values, "csrfmiddlewaretoken": token[1].decode()}).encode()
        request = urllib.request.Request(self.address + path, form, {"Referer": self.address + path})
        with self.opener.open(request, timeout=60) as answer:
            return bytes(answer.read())

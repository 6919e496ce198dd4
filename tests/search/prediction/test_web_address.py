"""Addresses: what is shown of them, and where they may redirect to."""

from __future__ import annotations

import pytest

from tunefront.search.prediction.credentials import Credentials
from tunefront.search.prediction.web_address import AddressError, is_address, parse_address


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "target", "shown"),
    [
        ("http://camera/a.jpg", "http", "camera", 80, "/a.jpg", "http://camera/a.jpg"),
        ("HTTPS://Camera.Example:443", "https", "camera.example", 443, "/", "https://camera.example/"),
        ("http://anna:hush@10.0.0.7:8080/s?ch=1", "http", "10.0.0.7", 8080, "/s?ch=1", "http://10.0.0.7:8080/s?ch=1"),
        ("http://[::1]:81/x y.png#part", "http", "::1", 81, "/x%20y.png", "http://[::1]:81/x%20y.png"),
        ("http://bücher.example/ü", "http", "xn--bcher-kva.example", 80, "/%C3%BC", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://c/s?usr=anna&pwd=hush&w=64", "http", "c", 80, "/s?usr=anna&pwd=hush&w=64", "http://c/s?usr=***&pwd=***&w=***"),
        ("http://c/%41?a=%20b&API_KEY=1", "http", "c", 80, "/%41?a=%20b&API_KEY=1", "http://c/%41?a=***&API_KEY=***"),
        ("http://c/s?u=anna&p=hush", "http", "c", 80, "/s?u=anna&p=hush", "http://c/s?u=***&p=***"),
        ("http://c/s?anna:hush", "http", "c", 80, "/s?anna:hush", "http://c/s?***"),
        ("http://c/s?anna:hush=&n[0]=1=2;p=hush&hush", "http", "c", 80, "/s?anna:hush=&n%5B0%5D=1=2;p=hush&hush", "http://c/s?***&***&***"),
        ("http://anna:at@sign@camera/", "http", "camera", 80, "/", "http://camera/"),
    ],
)  # fmt: skip
def test_an_address_is_read_and_shown_without_secrets(
    text: str, scheme: str, host: str, port: int, target: str, shown: str
) -> None:
    address = parse_address(text)
    assert (address.scheme, address.host, address.port, address.target) == (scheme, host, port, target)
    assert address.shown == shown
    assert "hush" not in repr(address)


def test_user_and_password_are_kept_apart() -> None:
    assert parse_address("http://anna%40home:h%3Au%2Fsh@camera/").credentials == Credentials("anna@home", "h:u/sh")
    assert parse_address("http://anna@camera/").credentials == Credentials("anna", "")
    assert parse_address("http://camera/").credentials is None


@pytest.mark.parametrize(
    "text",
    ["ftp://anna:hush@c/a", "file:///etc/passwd", "http://", "http:///a", "http://c:port/", "http://anna:hu/sh@c/a",
     "http://anna:1/hush@c/a", "http://anna:hu#sh@c/a", "http://anna:hu?sh@c/a", "http://a b/", "http://[::1/",
     "http://c:70000/", "gopher://hush", "http://an/na:hush@c/a", "http://an?na:hush@c/a", "http://an#na:hush@c/a"],
)  # fmt: skip
def test_other_texts_are_refused_without_showing_what_may_be_a_password(text: str) -> None:
    with pytest.raises(AddressError, match="cannot be fetched|has no host or port") as caught:
        parse_address(text)
    assert "hu" not in str(caught.value)
    assert "anna" not in str(caught.value)


def test_texts_that_are_meant_as_addresses_are_told_from_paths() -> None:
    texts = ["http://a", "HTTPS://a", "file:///a", "rtsp://a", "http:/a", "C:/photos", "photos/http.jpg", "a://"]
    assert [is_address(text) for text in texts] == [True, True, True, True, False, False, False, True]


@pytest.mark.parametrize(
    ("typed", "location", "target", "keeps"),
    [
        ("http://u:p@cam/a", "/b?c=1", "http://cam/b?c=***", True),
        ("http://u:p@cam:81/a", "a@2x.jpg", "http://cam:81/a@2x.jpg", True),
        ("http://u:p@cam/a/b", "c", "http://cam/a/c", True),
        ("http://u:p@cam/a", "http://CAM:80/b", "http://cam/b", True),
        ("http://u:p@cam/a", "https://cam/a", "https://cam/a", True),
        ("http://u:p@cam/a", "http://x:y@cam:8080/a", "http://cam:8080/a", False),  # another service of that machine
        ("https://u:p@cam/a", "//cam/b", "https://cam/b", True),
    ],
)
def test_a_redirect_on_the_same_host_is_followed(typed: str, location: str, target: str, keeps: bool) -> None:
    new = parse_address(typed).redirected(location)
    assert new.shown == target
    assert new.credentials == (Credentials("u", "p") if keeps else None)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://other/a", "redirects to another host, other"),
        ("https://cam.evil/a", "redirects to another host, cam.evil"),
        ("//169.254.169.254/latest", "redirects to another host, 169.254.169.254"),
        ("file:///etc/passwd", "begins with file://"),
        ("http://cam/a", "from https to http"),
        ("ftp://u:p@cam/a", "begins with ftp://"),
    ],
)
def test_other_redirects_are_refused(location: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        parse_address("https://anna:hush@cam/a").redirected(location)

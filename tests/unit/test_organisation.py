"""Hosts of one organisation have one organisational domain, by the list that is shipped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from bouncer.mail.a_label import a_labels
from bouncer.mail.organisation import SUFFIX_LIST, organisational_domain
from tests.renew_suffixes import shipped_list

LIST = PublicSuffixList(only_icann=True)
RULES = [line for line in SUFFIX_LIST.read_text("ascii").splitlines() if line[0] != "#"]

KNOWN = {
    "example.com": "example.com",
    "MAIL.Example.COM.": "example.com",
    "a.b.example.co.uk": "example.co.uk",
    "co.uk": "co.uk",  # registries themselves are one organisation
    "com": "com",
    "user.github.io": "github.io",  # customers of a host are one organisation
    "www.test.ck": "www.test.ck",  # `*.ck`, save `!www.ck`
    "a.www.ck": "www.ck",
    "www.city.kobe.jp": "city.kobe.jp",
    "x.example.unlisted": "example.unlisted",
    "\u98df\u72ee.\u516c\u53f8.cn": "xn--85x722f.xn--55qx5d.cn",
    "www.xn--85x722f.xn--55qx5d.cn": "xn--85x722f.xn--55qx5d.cn",
    "mx.b\xfccher.example": "xn--bcher-kva.example",
    "[192.0.2.1]": "[192.0.2.1]",
    "192.0.2.1": "192.0.2.1",
    "[IPv6:2001:db8::1]": "[ipv6:2001:db8::1]",
    "2001:db8::192.0.2.1": "2001:db8::192.0.2.1",
    "localhost": "localhost",
    "": "",
}

HOSTS = st.builds(
    "{}.{}".format,
    st.lists(st.sampled_from(["www", "city", "a", "xn--bcher-kva", "com"]), min_size=1).map(
        ".".join
    ),
    st.sampled_from([rule.lstrip("!*.") for rule in RULES] + ["unlisted", "example"]),
)


@pytest.mark.parametrize("host", KNOWN)
def test_a_host_belongs_to_its_organisation(host: str) -> None:
    """Hosts below one registered name have that name in common, whatever the registry."""
    assert organisational_domain(host) == KNOWN[host]


@given(HOSTS)
def test_it_says_the_same_as_the_package_that_carries_the_list(host: str) -> None:
    """Our few lines follow the list as a library does that is made for it."""
    short = ".".join(host.split(".")[-8:])  # ours looks no further
    assert organisational_domain(host) == (LIST.privatesuffix(short) or LIST.publicsuffix(short))


@given(st.one_of(HOSTS, st.text()))
def test_an_organisational_domain_is_its_own(host: str) -> None:
    """Any text has an answer, and the answer's answer is itself."""
    once = organisational_domain(host)
    assert organisational_domain(once) == once


def test_a_host_of_a_million_labels_is_not_walked_through() -> None:
    """The end of a name decides, however long its beginning is."""
    assert organisational_domain("a." * 1_000_000 + "example.co.uk") == "example.co.uk"


def test_the_shipped_list_is_that_of_the_pinned_package() -> None:
    """`make suffixes` has been run since the package was last renewed, and nothing else was."""
    assert SUFFIX_LIST.read_text("ascii") == shipped_list()
    assert all(rule.isascii() and a_labels(rule) == rule for rule in RULES)

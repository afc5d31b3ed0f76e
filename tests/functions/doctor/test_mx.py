"""`bouncer doctor` checks the MX records of the recipient domains."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rrset
import pytest

from bouncer_cli.doctor.finding import Level
from bouncer_cli.doctor.mx_lookup import LookUpError, Mx, look_up_mx
from tests.functions.doctor.aws import INBOUND, found


def judged(*exchangers: Mx, recipients: tuple[str, ...] = ("example.com",)) -> tuple[Level, str]:
    findings = found(mx=lambda _: exchangers, recipients=list(recipients))
    (finding,) = [line for line in findings if line.check == "mx"]
    return finding.level, finding.found


def test_the_mail_exchanger_is_ses_in_this_region() -> None:
    """Another host is a warning, as mail may come another way; another region is a problem."""
    other = Mx(preference=5, host="mx.example.net")
    west = Mx(preference=5, host="inbound-smtp.us-west-2.amazonaws.com")
    assert judged(INBOUND)[0] is Level.OK
    assert judged(Mx(preference=10, host=INBOUND.host.upper()))[0] is Level.OK
    assert judged(other, INBOUND) == (
        Level.WARNING,
        "example.com: mail goes to mx.example.net before SES",
    )
    assert judged(other) == (Level.WARNING, "example.com: mail goes to mx.example.net")
    assert judged(west)[0] is Level.PROBLEM
    assert judged(west, INBOUND)[0] is Level.WARNING
    assert judged()[0] is Level.WARNING
    assert "refuses mail" in judged(Mx(preference=0, host=""))[1]
    assert judged(INBOUND, recipients=("ann@example.com", "example.com"))[0] is Level.OK
    assert "all subdomains" in judged(INBOUND, recipients=(".example.com",))[1]


def test_no_dns_is_one_warning_and_one_bad_domain_another() -> None:
    """A name server that does not answer is asked once, not for each of a hundred domains."""
    asked: list[str] = []

    def no_dns(domain: str) -> tuple[Mx, ...]:
        asked.append(domain)
        raise LookUpError("no answer", everywhere=domain != "a.example")

    names = [f"{letter}.example" for letter in "abcdefghi"]
    mx = [line.found for line in found(mx=no_dns, recipients=names) if line.check == "mx"]
    assert asked == ["a.example", "b.example"]
    assert len(mx) == 2
    assert mx[0] == "a.example: could not be looked up (no answer)"
    assert mx[1].startswith("b.example, c.example, d.example, e.example, f.example and 3 more: ")


@contextmanager
def dns_server(*records: str, rcode: int | None = 0) -> Iterator[tuple[str, int]]:
    """A name server on loopback that gives one answer; `rcode` None is silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def answer() -> None:
            question, client = server.recvfrom(4096)
            if rcode is None:
                return
            response = dns.message.make_response(dns.message.from_wire(question))
            response.set_rcode(dns.rcode.Rcode(rcode))
            if records:
                name = response.question[0].name
                response.answer.append(dns.rrset.from_text(name, 300, "IN", "MX", *records))
            server.sendto(response.to_wire(), client)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()
        thread.join()


def test_mail_exchangers_are_looked_up_in_order_of_preference() -> None:
    """Real DNS messages on loopback are read: records, an empty answer, an unknown domain."""
    with dns_server("20 b.example.", "10 a.example.") as server:
        assert look_up_mx("example.com", server=server) == (
            Mx(preference=10, host="a.example"),
            Mx(preference=20, host="b.example"),
        )
    with dns_server("0 .") as server:
        assert look_up_mx("example.com", server=server) == (Mx(preference=0, host=""),)
    with dns_server(rcode=3) as server:
        assert look_up_mx("example.com", server=server) == ()
    with dns_server() as server:
        assert look_up_mx("example.com", server=server) == ()


def test_a_name_server_that_fails_or_is_silent_is_an_error_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The doctor waits for seconds at most; a silent server is not asked again."""
    monkeypatch.setattr("bouncer_cli.doctor.mx_lookup.PATIENCE_S", 0.3)
    with (
        dns_server(rcode=2) as server,
        pytest.raises(LookUpError, match="no nameservers") as failed,
    ):
        look_up_mx("example.com", server=server)
    assert not failed.value.everywhere
    with dns_server(rcode=None) as server, pytest.raises(LookUpError, match="timeout") as silent:
        look_up_mx("example.com", server=server)
    assert silent.value.everywhere

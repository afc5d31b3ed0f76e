"""The cells of a row: what they say, and what is left of it where there is little room."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bouncer.reasons import Reason
from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES, SHIPPED_RULES
from bouncer_cli.replay import Bounce
from bouncer_cli.replay_cells import cells_of
from bouncer_cli.replay_layout import BOUNCE
from tests.functions.pseudo_terminal import shown_at
from tests.functions.replay_results import result_of


def test_a_mail_that_goes_on_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A rejected mail that is not stopped has these words in its row and in the summary."""
    mail = next(SAMPLES.glob("19-*"))
    settings = tmp_path / "settings.yaml"
    settings.write_text("store: false", encoding="utf-8")  # so that its headers stay cut
    words = ("replay", "--rules", str(SHIPPED_RULES), "--settings", str(settings), str(mail))
    cli.main(list(words))
    out, err = capsys.readouterr()
    assert out.splitlines()[1].endswith("withheld: headers_truncated, mail goes on")
    assert "; 1 rejected mail goes on (1 headers_truncated)" in err
    for columns, between in ((80, r"\n +"), (100, " ")):
        lines = shown_at(columns, *words, folder=SAMPLES)
        said = rf"withheld:{between}headers_truncated\n +mail goes on$"
        assert re.search(said, "\n".join(lines), re.MULTILINE)


def test_a_mail_with_a_bounce_may_go_on_for_another_recipient() -> None:
    """The row then names the reason, which is not that of the bounce."""
    result = result_of("eve@partner.example", "ann@example.com", rule="100-left")
    assert result.judgement
    judged = result.judgement._replace(went_on=Reason.HEADERS_TRUNCATED)
    line = cells_of(replace(result, judgement=judged, bounce=Bounce(status="queued")))[BOUNCE]
    assert line.whole == "queued, mail goes on: headers_truncated"


def test_an_assumed_address_keeps_a_sign_that_is_explained(tmp_path: Path) -> None:
    """A `?` stands for `(assumed)` where that has no room, and a line below says what it means."""
    for name in ("ann", "bob"):
        mail = f"From: tom.baker@bakery.example\nTo: {name}@example.com, x@example.com\n\nHello\n"
        (tmp_path / f"{name}.eml").write_text(mail)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "100-left.yaml").write_text(
        "when: {recipient: ann@example.com}\ndrop: {}"
    )
    command = ("replay", "ann.eml", "bob.eml")
    lines = shown_at(80, *command, folder=tmp_path)
    assert re.search(r"ann.eml +tom\S+xample\? +ann\S+ \+1\? ", lines[1])
    assert "? behind an address: it is assumed" in "\n".join(lines)
    wide = shown_at(160, *command, folder=tmp_path)
    assert "tom.baker@bakery.example (assumed)  ann@example.com +1 (assumed)" in wide[1]
    assert "? behind" not in "\n".join(wide)

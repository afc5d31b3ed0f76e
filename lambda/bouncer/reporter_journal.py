"""The journal of the reporter: a line for each report, without any address."""

from typing import IO

from bouncer.journal import Journal, described
from bouncer.journal_address import AddressForm, Form
from bouncer.journal_entry import Write
from bouncer.metric_names import Metric
from bouncer.reporting.report import Report


class ReporterJournal(Journal):
    """Writes the journal of the reporter; all that it quotes is masked."""

    def __init__(
        self,
        service: str,
        deployment: str,
        *,
        stream: IO[str] | None = None,
        write: Write | None = None,
    ) -> None:
        super().__init__(service, deployment, stream=stream, write=write)
        self._addresses = AddressForm(form=Form.MASKED)  # an error of SES may quote an address

    def reported(self, day: str, report: Report, mail_id: str) -> None:
        """Report that the report of a day was sent, by SES's id, and what it could not say."""
        needs = len(report.needs)
        fields = {"report_day": day, "mail_id": mail_id, "needs": needs, "gaps": report.gaps}
        self._write("reported", fields, {Metric.REPORTS: 1})

    def repeated(self, day: str, state: str) -> None:
        """Report that another attempt had sent this report (`sent`), or may have (`begun`)."""
        fields = {"report_day": day, "answer": state}
        self._write("report_repeated", fields, {Metric.REPEATED: 1})

    def report_failed(self, stage: str, day: str, error: Exception) -> None:
        """Report an error of ours, or SES's refusal; Lambda invokes the function twice more."""
        fields = {"stage": stage, "report_day": day, **described(error)}
        self._write("report_failed", fields, {Metric.REPORT_ERRORS: 1}, level="error")

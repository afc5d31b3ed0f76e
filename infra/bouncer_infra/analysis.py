"""The archive as tables for Athena: the journal and SES's events, with saved questions about them.

Athena reads the files where the streams of `archive` put them, and works out the partitions from
the date instead of listing them. Nothing here is needed to bounce a mail.
"""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Aws, Duration
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.metric_names import DEPLOYMENT, SERVICE, Metric
from bouncer_infra.deployment_settings import DeploymentSettings

RESULTS = "athena/"
_RESULT_DAYS = 30  # results show addresses, so they go soon
_MOST_BYTES = 100 * 10**9  # for one query: Athena charges by bytes, and a mistake should be cheap

# The journal's fields (`bouncer.journal`). Of the metrics only the wait has a column.
JOURNAL: Mapping[str, str] = {
    "logged_at": "string",
    "level": "string",
    "event": "string",
    DEPLOYMENT: "string",
    SERVICE: "string",
    "request_id": "string",
    "message_id": "string",
    "sender": "string",
    "decisions": "array<struct<recipient:string,action:string,rule:string,shadow:array<string>,"
    "withheld:string>>",
    "disposition": "string",
    "went_on": "string",
    "mode": "string",
    "job_references": "array<string>",
    "queue_answers": "array<string>",
    "kept": "string",
    "headers_completed": "boolean",
    "reference": "string",
    "recipients": "array<string>",
    "rules": "array<string>",
    "bounce_id": "string",
    "reply_id": "string",
    "kind": "string",
    Metric.WAIT_TIME.lower(): "array<bigint>",
    "reason": "string",
    "stage": "string",
    "error": "string",
    "raised_at": "string",
    "problem": "string",
    "problems": "array<string>",
    "warnings": "array<string>",
    "jobs": "bigint",
    "record": "string",
    "answer": "string",
    "again": "boolean",
    "revision": "string",
    "serial": "bigint",
    "causes": "array<string>",
    "braked": "array<string>",
    "released": "array<string>",
    "outside_share": "array<string>",
    "report_day": "string",
    "mail_id": "string",
    "needs": "bigint",
    "gaps": "array<string>",
}
# Columns whose JSON keys are words of SQL.
JOURNAL_KEYS: Mapping[str, str] = {
    "logged_at": "timestamp",
    "event": "message",
    "job_references": "references",
    "raised_at": "where",
}
_PREFERENCES = (
    "struct<unsubscribeall:boolean,"
    "topicsubscriptionstatus:array<struct<topicname:string,subscriptionstatus:string>>>"
)
# SES Developer Guide, "Contents of event data that Amazon SES publishes to Kinesis Data Firehose".
# The SerDe ignores the case of keys; columns and members are in lower case.
EVENTS: Mapping[str, str] = {
    "eventtype": "string",
    "mail": "struct<timestamp:string,messageid:string,source:string,destination:array<string>,"
    "tags:map<string,array<string>>>",
    "bounce": "struct<bouncetype:string,bouncesubtype:string,timestamp:string,feedbackid:string,"
    "reportingmta:string,bouncedrecipients:array<struct<emailaddress:string,action:string,"
    "status:string,diagnosticcode:string>>>",
    "complaint": "struct<timestamp:string,feedbackid:string,complaintfeedbacktype:string,"
    "complainedrecipients:array<struct<emailaddress:string>>>",
    "delivery": "struct<timestamp:string,processingtimemillis:bigint,recipients:array<string>,"
    "smtpresponse:string,reportingmta:string>",
    "deliverydelay": "struct<timestamp:string,delaytype:string,expirationtime:string,"
    "delayedrecipients:array<struct<emailaddress:string,status:string,diagnosticcode:string>>>",
    "reject": "struct<reason:string>",
    "open": "struct<timestamp:string,ipaddress:string,useragent:string>",
    "click": "struct<timestamp:string,ipaddress:string,useragent:string,link:string,"
    "linktags:map<string,array<string>>>",
    "failure": "struct<templatename:string,errormessage:string>",
    "subscription": "struct<timestamp:string,contactlist:string,source:string,"
    f"newtopicpreferences:{_PREFERENCES},oldtopicpreferences:{_PREFERENCES}>",
}

QUESTIONS = Path(__file__).parent / "questions"


class Analysis(Construct):
    """A database, its two tables and a workgroup with saved queries, over the archive's bucket."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: DeploymentSettings, bucket: s3.Bucket
    ) -> None:
        super().__init__(scope, id_)
        self._settings = settings
        self._bucket = bucket
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=f"ses_auto_bouncer_{settings.name.replace('-', '_')}"
            ),
        )
        self.journal = self._table("journal", JOURNAL, JOURNAL_KEYS)
        self.events = self._table("events", EVENTS, {})
        self.workgroup = self._workgroup()
        for path in sorted(QUESTIONS.glob("*.sql")):
            self._question(path.stem, path.read_text(encoding="utf-8"))

    def _table(
        self, folder: str, columns: Mapping[str, str], keys: Mapping[str, str]
    ) -> glue.CfnTable:
        location = f"{self._bucket.s3_url_for_object()}/{folder}/"
        return glue.CfnTable(
            self,
            folder.title(),
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self.database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=folder,
                table_type="EXTERNAL_TABLE",
                partition_keys=[glue.CfnTable.ColumnProperty(name="day", type="string")],
                parameters={"EXTERNAL": "TRUE", **self._projection(location)},
                storage_descriptor=_json_lines(location, columns, keys),
            ),
        )

    def _projection(self, location: str) -> dict[str, str]:
        """Return the partitions by day, in UTC (Athena User Guide, "Partition projection")."""
        return {
            "projection.enabled": "true",
            "projection.day.type": "date",
            "projection.day.format": "yyyy-MM-dd",
            "projection.day.interval": "1",
            "projection.day.interval.unit": "DAYS",
            "projection.day.range": f"NOW-{self._settings.archive_days}DAYS,NOW",
            "storage.location.template": f"{location}day=${{day}}/",
        }

    def _workgroup(self) -> athena.CfnWorkGroup:
        self._bucket.add_lifecycle_rule(prefix=RESULTS, expiration=Duration.days(_RESULT_DAYS))
        group = athena.CfnWorkGroup
        return group(
            self,
            "WorkGroup",
            name=self._settings.full_name,
            description="Questions to the archive of the auto-bouncer",
            recursive_delete_option=True,
            work_group_configuration=group.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                bytes_scanned_cutoff_per_query=_MOST_BYTES,
                result_configuration=group.ResultConfigurationProperty(
                    output_location=self._bucket.s3_url_for_object(RESULTS),
                    expected_bucket_owner=Aws.ACCOUNT_ID,
                    encryption_configuration=group.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )

    def _question(self, name: str, text: str) -> None:
        """Save a query, described by its first line, which is a comment."""
        (first, _, _) = text.partition("\n")
        athena.CfnNamedQuery(
            self,
            name,
            name=f"{self._settings.folder}/{name}",
            description=first.removeprefix("-- "),
            database=self.database.ref,
            work_group=self.workgroup.ref,
            query_string=text,
        )


def _json_lines(
    location: str, columns: Mapping[str, str], keys: Mapping[str, str]
) -> glue.CfnTable.StorageDescriptorProperty:
    """Describe compressed JSON lines; Hive knows the compression by the file's name."""
    return glue.CfnTable.StorageDescriptorProperty(
        location=location,
        input_format="org.apache.hadoop.mapred.TextInputFormat",
        output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        compressed=True,
        columns=[
            glue.CfnTable.ColumnProperty(name=name, type=type_) for name, type_ in columns.items()
        ],
        serde_info=glue.CfnTable.SerdeInfoProperty(
            serialization_library="org.openx.data.jsonserde.JsonSerDe",
            parameters={
                # A line that was cut must not make the whole query fail.
                "ignore.malformed.json": "true",
                **{f"mapping.{column}": key for column, key in keys.items()},
            },
        ),
    )

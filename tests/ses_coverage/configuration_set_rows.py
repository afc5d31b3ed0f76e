"""Rows of the operations on configuration sets and on their event destinations."""

from collections.abc import Iterable, Mapping

from tests.ses_coverage.coverage_row import Code, Property, Row

_SET = "AWS::SES::ConfigurationSet"
_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
_INFRA = "tests/infra/test_event_destinations.py::"
_KINDS = f"{_INFRA}test_each_kind_has_its_target"
_CHANGES = f"{_INFRA}test_one_destination_changes_without_the_others"
_OPTIONS = f"{_INFRA}test_a_set_has_the_options_that_it_is_given"
_DOCTOR = "tests/functions/doctor/test_destinations.py::"
_REDIRECTS = f"{_INFRA}test_a_redirect_domain_changes_and_goes"
_CONFIGURED = f"{_DOCTOR}test_what_is_as_configured_is_ok"
_EACH_FAULT = "tests/functions/doctor/test_each_fault.py::test_each_fault_is_found"
_LISTED = (
    "tests/functions/doctor/test_answers_of_aws.py"
    "::test_the_2016_release_is_used_to_list_and_describe"
)
_ASKED = (
    "tests/functions/doctor/test_answers_of_aws.py::test_of_our_set_is_asked_for_what_is_judged"
)
_PAGES = "tests/functions/doctor/test_answers_of_aws.py::test_many_resources_come_in_pages"
_SETS = "local/bouncer_cli/doctor/check_configuration_sets.py"
_FURTHER = "local/bouncer_cli/doctor/check_further_sets.py"
_COMPARED = "local/bouncer_cli/doctor/check_destinations.py"

# Member of SES's classic interface -> the property of CloudFormation, and its name in SESv2.
_DESTINATION_MEMBERS = {
    "Name": ("Name", "Name"),
    "Enabled": ("Enabled", "Enabled"),
    "MatchingEventTypes": ("MatchingEventTypes", "MatchingEventTypes"),
    "KinesisFirehoseDestination.IAMRoleARN": (
        "KinesisFirehoseDestination.IAMRoleARN",
        "IamRoleArn",
    ),
    "KinesisFirehoseDestination.DeliveryStreamARN": (
        "KinesisFirehoseDestination.DeliveryStreamARN",
        "DeliveryStreamArn",
    ),
    "CloudWatchDestination.DimensionConfigurations.DimensionName": (
        "CloudWatchDestination.DimensionConfigurations.DimensionName",
        "DimensionName",
    ),
    "CloudWatchDestination.DimensionConfigurations.DimensionValueSource": (
        "CloudWatchDestination.DimensionConfigurations.DimensionValueSource",
        "DimensionValueSource",
    ),
    "CloudWatchDestination.DimensionConfigurations.DefaultDimensionValue": (
        "CloudWatchDestination.DimensionConfigurations.DefaultDimensionValue",
        "DefaultDimensionValue",
    ),
    "SNSDestination.TopicARN": ("SnsDestination.TopicARN", "TopicArn"),
}


def _written(member: str, resource: str, path: str = "", test: str = _OPTIONS) -> Row:
    return Row(member, (Property(resource, path),), (test,))


def _destination(test: str) -> Iterable[Row]:
    """Yield the rows of a call that writes a destination."""
    yield _written("ConfigurationSetName", _DESTINATION, "ConfigurationSetName", test)
    for member, (path, _) in _DESTINATION_MEMBERS.items():
        yield _written(f"EventDestination.{member}", _DESTINATION, f"EventDestination.{path}", test)


def _described() -> Iterable[Row]:
    """Yield the rows of the destinations that the doctor reads."""
    for member, (_, word) in _DESTINATION_MEMBERS.items():
        yield _doctor_v2(f"-> EventDestinations.{member}", _COMPARED, word)


def _doctor(member: str, path: str, word: str, test: str) -> Row:
    return Row(member, (Code("doctor", path, word),), (test,))


def _doctor_v2(member: str, path: str, word: str) -> Row:
    return Row(member, (Code("doctor, by SESv2", path, word),), (_CONFIGURED,))


CONFIGURATION_SET_ROWS: Mapping[str, Iterable[Row]] = {
    "CreateConfigurationSet": (_written("ConfigurationSet.Name", _SET, "Name"),),
    "DeleteConfigurationSet": (_written("ConfigurationSetName", _SET, "", _CHANGES),),
    "CreateConfigurationSetEventDestination": tuple(_destination(_KINDS)),
    "UpdateConfigurationSetEventDestination": tuple(_destination(_CHANGES)),
    "DeleteConfigurationSetEventDestination": (
        _written("ConfigurationSetName", _DESTINATION, "", _CHANGES),
        _written("EventDestinationName", _DESTINATION, "", _CHANGES),
    ),
    **{
        f"{verb}ConfigurationSetTrackingOptions": (
            _written("ConfigurationSetName", _SET, "Name", test),
            _written(
                "TrackingOptions.CustomRedirectDomain",
                _SET,
                "TrackingOptions.CustomRedirectDomain",
                test,
            ),
        )
        for verb, test in (("Create", _OPTIONS), ("Update", _REDIRECTS))
    },
    "DeleteConfigurationSetTrackingOptions": (
        _written("ConfigurationSetName", _SET, "TrackingOptions", _REDIRECTS),
    ),
    "PutConfigurationSetDeliveryOptions": (
        _written("ConfigurationSetName", _SET, "Name"),
        _written("DeliveryOptions.TlsPolicy", _SET, "DeliveryOptions.TlsPolicy"),
    ),
    "UpdateConfigurationSetReputationMetricsEnabled": (
        _written("ConfigurationSetName", _SET, "Name"),
        _written("Enabled", _SET, "ReputationOptions.ReputationMetricsEnabled"),
    ),
    "UpdateConfigurationSetSendingEnabled": (
        _written("ConfigurationSetName", _SET, "Name"),
        _written("Enabled", _SET, "SendingOptions.SendingEnabled"),
    ),
    "ListConfigurationSets": (
        _doctor("NextToken", "local/bouncer_cli/doctor/account.py", "NextToken", _PAGES),
        Row("MaxItems", not_ours="not ours: SES's own size of a page is taken"),
        _doctor("-> ConfigurationSets.Name", _SETS, "Name", _LISTED),
        _doctor("-> NextToken", "local/bouncer_cli/doctor/account.py", "NextToken", _PAGES),
    ),
    "DescribeConfigurationSet": (
        _doctor("ConfigurationSetName", _SETS, "ConfigurationSetName", _LISTED),
        _doctor("ConfigurationSetAttributeNames", _SETS, "ConfigurationSetAttributeNames", _ASKED),
        Row("-> ConfigurationSet.Name", not_ours="not ours: it is the name that was asked for"),
        *_described(),
        _doctor_v2("-> TrackingOptions.CustomRedirectDomain", _FURTHER, "CustomRedirectDomain"),
        _doctor_v2("-> DeliveryOptions.TlsPolicy", _FURTHER, "TlsPolicy"),
        _doctor("-> ReputationOptions.SendingEnabled", _SETS, "SendingEnabled", _EACH_FAULT),
        _doctor(
            "-> ReputationOptions.ReputationMetricsEnabled",
            _SETS,
            "ReputationMetricsEnabled",
            _EACH_FAULT,
        ),
        Row(
            "-> ReputationOptions.LastFreshStart",
            not_ours="not ours: nothing here disables a set and enables it again by hand",
        ),
    ),
}

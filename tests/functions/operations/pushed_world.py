"""A push into a simulated SSM with a simulated clock, and the writes of others between its own."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bouncer.sources.parameters import ParameterSource
from bouncer.sources.source import Document, Documents
from bouncer_cli.doctor.account import UnavailableError
from bouncer_cli.operations.parameter_calls import ParameterCalls
from bouncer_cli.operations.push import Push
from bouncer_cli.operations.push_plan import PushPlan, push_plan
from bouncer_cli.operations.pushing_claim import PushingClaim
from bouncer_sim.clock import SimulatedClock
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.service_error import service_error
from bouncer_sim.world.ssm_service import SsmService

PREFIX = "/p"
START = datetime(2026, 11, 27, 8, tzinfo=UTC)
_WRITES = ("put_parameter", "delete_parameters")
_READS = ("get_parameters", "get_parameters_by_path", "get_parameter_history")


class LimitedSsm:
    """SSM that takes so many writes and reads a second of an account, and throttles all others."""

    def __init__(self, service: SsmService, clock: SimulatedClock) -> None:
        self._service = service
        self._clock = clock
        self.writes_a_second = 3
        self.reads_a_second = 40
        self.call_s = 0.03
        self.calls: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.before: Callable[[str, Mapping[str, Any]], None] = lambda *_: None
        self.after: Callable[[str, Mapping[str, Any]], None] = lambda *_: None
        self._times: dict[bool, deque[float]] = {True: deque(), False: deque()}

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(arguments: Mapping[str, Any]) -> dict[str, Any]:
            self._arrive(operation)
            self.before(operation, arguments)
            answer: dict[str, Any] = getattr(self._service, operation)(arguments)
            self.after(operation, arguments)
            return answer

        if operation not in (*_WRITES, *_READS):
            raise AttributeError(operation)
        return call

    def _arrive(self, operation: str) -> None:
        self._clock.sleep(self.call_s)
        writes = operation in _WRITES
        times, most = self._times[writes], self.writes_a_second if writes else self.reads_a_second
        while times and times[0] <= self._clock.time() - 1 + 1e-6:
            times.popleft()
        if len(times) >= most:
            self.throttled[operation] += 1
            raise service_error("ThrottlingException", "Rate exceeded")
        times.append(self._clock.time())
        self.calls[operation] += 1


class FakeAccount:
    """An account as `ParameterCalls` uses it."""

    def __init__(self, ssm: LimitedSsm) -> None:
        self._client = DirectClient(ssm)

    def client(self, service: str) -> Any:
        assert service == "ssm"
        return self._client

    def meaning(self, service: str, operation: str, error: Exception) -> UnavailableError:
        return UnavailableError(f"{service} {operation}: {error}", next_step="x")


class PushedWorld:
    """SSM, and one push after the other."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(START.timestamp())
        self.parameters = SsmService(self.clock.time)
        self.ssm = LimitedSsm(self.parameters, self.clock)
        account: Any = FakeAccount(self.ssm)
        self.calls = ParameterCalls(account, self.clock)

    def put(self, name: str, text: str, by: str = "ann") -> None:
        """Write a parameter, as somebody else does."""
        self.parameters.put(f"{PREFIX}/{name}", text, by)

    def texts(self) -> dict[str, str]:
        """Return the texts of all parameters, by their names below the prefix."""
        page = self.parameters.get_parameters_by_path
        found: dict[str, str] = {}
        token: dict[str, str] = {}
        while True:
            answer = page({"Path": PREFIX, **token})
            found |= {each["Name"][3:]: each["Value"] for each in answer["Parameters"]}
            if "NextToken" not in answer:
                return found
            token = {"NextToken": answer["NextToken"]}

    def stored(self) -> Documents:
        """Return what the push reads."""
        return ParameterSource(self.calls, PREFIX).read()

    def claim(self, *, by: str = "ann", name: str = "r1") -> PushingClaim:
        """Return the claim of a push."""
        return PushingClaim(self.calls, f"{PREFIX}/pushing", name=name, by=by, clock=self.clock)

    def plan(self, files: Mapping[str, str], *, prune: bool = False) -> PushPlan:
        """Return the difference of these texts and SSM."""
        wanted = {name: Document(f"{name}.yaml", text) for name, text in files.items()}
        rules = self.stored().rules
        return push_plan(wanted, {f"rules/{name}": rules[name] for name in rules}, prune=prune)

    def push(self, claim: PushingClaim | None = None) -> Push:
        """Return a push that has not begun."""
        claim = claim or self.claim()
        return Push(self.calls, claim, prefix=PREFIX, progress=lambda: None)

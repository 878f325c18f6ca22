"""The compiled part; `fast_litellm/accel/native.py` is its only importer. `mypy.stubtest` checks this file."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, final

from typing_extensions import TypeAlias

__all__ = [
    "DEBUG_BUILD",
    "WALK_DEPTH",
    "Answer",
    "Bell",
    "Bucket",
    "ConnectionPool",
    "Constructor",
    "Dispatcher",
    "Encoding",
    "Exchange",
    "FlagHandle",
    "IdentityGuard",
    "Job",
    "Listener",
    "Memory",
    "Observer",
    "PoolError",
    "RateLimit",
    "Recipe",
    "Ring",
    "Room",
    "Rules",
    "Shaper",
    "SnapshotCell",
    "StandingPage",
    "Standings",
    "Tally",
    "Task",
    "Ticket",
    "TokenCounter",
    "Transformer",
    "WindowPlan",
    "WindowStore",
    "__version__",
    "begin_connections",
    "blank_page",
    "cost_standings",
    "count_batch",
    "count_call",
    "deployment_ids",
    "digest",
    "freeze",
    "freeze_models",
    "holders",
    "identical",
    "is_in_state",
    "json_schema",
    "latency_standings",
    "least_busy",
    "nearest",
    "parse_percentage",
    "permutation",
    "plain_text",
    "rate_upper_bound",
    "read_mark",
    "read_ring",
    "read_rule_objects",
    "read_rule_text",
    "read_word",
    "secret_starts",
    "shape_cells",
    "shape_values",
    "shape_with_outcome",
    "share_instances",
    "shuffle_weights",
    "sign_excess",
    "sign_interval",
    "sketch_lower_bound",
    "sketch_merge",
    "stop_word",
    "telling_chunks",
    "token_call",
    "told_by_delta",
    "usage_standings",
]

__version__: str
DEBUG_BUILD: bool
WALK_DEPTH: int

@final
class Rules:
    """Rules in which nothing is wrong."""

    @property
    def revision(self) -> str: ...
    def names(self) -> list[str]: ...
    def unused_segments(self) -> list[tuple[str, int]]: ...
    def notes(self, flag: str) -> tuple[str | None, str | None, float, float]:
        """Owner, expiry, percent of calls to compare, percent of a core; the defaults for an undeclared flag."""

    def comparing(self, flag: str) -> tuple[str, int, int]:
        """Mode, deadline in milliseconds and memory in bytes of a flag's comparisons."""

    def candidate(self, flag: str) -> str:
        """The implementation of a flag that is compared and promoted."""

    def gate(self, flag: str) -> str:
        """What is written of a flag's gate, as JSON: fractions, and seconds."""

    def plan(self, flag: str) -> tuple[bool, list[tuple[str, int, int | None]]]:
        """Whether the gate takes the next step, and the steps: as written, millionths, milliseconds."""

def read_rule_text(data: bytes) -> tuple[Rules | None, list[tuple[int, int, str, str]]]:
    """Rules and no problems, or no rules and every problem as line, column, message and hint."""

def read_rule_objects(rules: object) -> tuple[Rules | None, list[tuple[int, int, str, str]]]: ...
def parse_percentage(text: str) -> tuple[int | None, str]:
    """Millionths and an empty hint, or None and a hint."""

def nearest(word: str, allowed: Sequence[str]) -> str:
    """A hint that names the allowed word most like this one; empty when none is."""

def json_schema() -> str: ...

@final
class SnapshotCell:
    """The rules in force: one pointer that is swapped as a whole."""

    def __new__(
        cls, rules: Rules, process: str, decision_type: type, page: StandingPage | None = None
    ) -> SnapshotCell: ...
    @property
    def revision(self) -> str: ...
    def stand(self, flag: str, word: int) -> None: ...
    def swap(self, rules: Rules, process: str) -> None: ...
    def decide(self, flag: object, unit: object | None = None, attributes: object | None = None) -> Any: ...
    def serve(self, flag: object, unit: object | None = None, attributes: object | None = None) -> str: ...
    def bind(self, flag: str) -> FlagHandle: ...
    def stages(self) -> dict[str, str]: ...
    def follows_plan(self, flag: str) -> bool: ...
    def describe(self, flag: str) -> str | None: ...
    def explain(
        self, flag: str, unit: object | None = None, attributes: object | None = None, moment: int | None = None
    ) -> str | None: ...

@final
class StandingPage:
    """The standings of flags in memory that other processes read and write."""

    def __new__(cls, descriptor: int) -> StandingPage: ...
    def stand(self, flag: str, word: int) -> bool: ...
    def trip(self, flag: str, word: int) -> bool | None: ...
    def entry(self, flag: str) -> tuple[int, int, int, int] | None: ...

@final
class Listener:
    """Listens for changes of some entries of directories, from when it is made until it is closed."""

    def __new__(cls, entries: Sequence[str], /) -> Listener: ...
    def wait(self, seconds: float, patience: float, /) -> None: ...
    def ring(self) -> None: ...
    def close(self) -> None: ...

@final
class FlagHandle:
    """One flag of a cell; calling it gives the name of the implementation that serves."""

    @property
    def name(self) -> str: ...
    def serve(self, unit: object | None = None, attributes: object | None = None, /) -> str: ...
    def __call__(self, unit: object | None = None, attributes: object | None = None, /) -> str: ...
    def record(
        self, implementation: str, nanos: int, is_error: bool, now_ms: int | None = None, /
    ) -> tuple[str, int, int, str, tuple[int, int, int], tuple[int, int, int]] | None: ...
    def figures(self, now_ms: int | None = None, /) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None: ...

@final
class Tally:
    """
    The counters of one feature.

    At every reading: offered == sampled_out + compared + sum(shed.values()) + in_flight.
    """

    def __new__(cls) -> Tally: ...
    def open(self, epoch: str, ring: Ring | None = None, /) -> bool: ...
    def forget(self, epoch: str, /) -> tuple[dict[str, Any], list[dict[str, Any]]] | None: ...
    def serve(self, implementation: str, /) -> None: ...
    def decline(self, reason: str, /) -> None: ...
    def fail(self, kind: str, /) -> None: ...
    def sample_out(self, shape: int = 0, /) -> None: ...
    def accept(self, shape: int = 0, /) -> Ticket: ...
    def shed(self, reason: str, shape: int = 0, /) -> None: ...
    def reset(self) -> None: ...
    def reading(self) -> dict[str, Any]: ...
    def blocks(self) -> list[tuple[str, dict[str, Any], list[dict[str, Any]]]]: ...

@final
class Ring:
    """What this process counts and records, in a file that outlives it."""

    def __new__(cls, descriptor: int, blocks: int, header: str, /) -> Ring: ...
    @staticmethod
    def size(blocks: int, /) -> int: ...
    def push(self, record: str, /) -> bool: ...
    def end(self) -> int: ...
    def drop_until(self, end: int, /) -> None: ...

def read_ring(data: bytes, /) -> tuple[str, list[tuple[str, dict[str, Any], list[dict[str, Any]]]], list[str]]:
    """The header, the blocks by epoch, and the records of a ring that a process has left."""

@final
class Ticket:
    """A call whose comparison has begun. It ends once; one that is dropped is shed as "abandoned"."""

    def compare(self, outcome: str, digest: int = 0, /) -> None: ...
    def shed(self, reason: str, /) -> None: ...

@final
class Memory:
    """What comparisons may keep in memory, in bytes."""

    def __new__(cls, most: int, /) -> Memory: ...
    @property
    def taken(self) -> int: ...
    def take(self, size: int, /) -> bool: ...
    def give(self, size: int, /) -> None: ...

@final
class Room:
    """How much may wait for one worker, and how much does."""

    def __new__(cls, max_jobs: int, memory: Memory, max_abandoned: int) -> Room: ...
    @property
    def queued(self) -> int: ...
    def refusal(self) -> str | None: ...
    def ending(self) -> str | None: ...
    def reserve(self, size: int, /) -> str | None: ...
    def release(self, size: int, /) -> None: ...
    def arrive(self) -> None: ...
    def depart(self) -> None: ...
    def attend(self, put: Callable[[Any], object], /) -> None: ...
    def abandon(self) -> None: ...
    def close(self) -> None: ...
    def empty(self) -> None: ...
    def enter(self) -> None: ...
    def leave(self) -> None: ...

@final
class Bucket:
    """A share of one core, as a token bucket; in nanoseconds."""

    def __new__(cls, share: float, burst_ns: float, clock: Callable[[], int] | None = None, /) -> Bucket: ...
    def ease(self) -> float: ...
    def reserve(self) -> float: ...
    def settle(self, reserved: float, spent: float, /) -> None: ...
    def spend(self, spent: float, /) -> None: ...
    def refill(self) -> None: ...

@final
class Job:
    """A copied call, which waits for its control or, with a ticket, for its comparison."""

    shape: int
    plan: Any
    control: Any
    queued_at: int
    ticket: Any

    def __new__(cls, shape: int, plan: object, call: object, *, size: int, reserved: float, generation: int) -> Job: ...
    @property
    def call(self) -> Any: ...
    @property
    def size(self) -> int: ...
    @property
    def reserved(self) -> float: ...
    @property
    def generation(self) -> int: ...
    @property
    def served(self) -> Any: ...

@final
class Observer:
    """Answers calls with the control, and queues them for comparison."""

    def __new__(
        cls,
        control: Callable[..., Any],
        asking: tuple[Callable[..., Any] | None, Callable[..., Any] | None],
        counting: tuple[Shaper, Tally, Room, Bucket],
        worker: object,
        listener: object,
        keeping: tuple[bool, Callable[..., Any] | None],
        limits: tuple[float, int, Callable[[], int] | None, int],
        /,
    ) -> Observer: ...
    def __call__(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None,
        control: Callable[..., Any] | None = None,
        /,
    ) -> Any: ...
    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None, /) -> Job | None: ...
    def submit(self, job: Job, value: object, duration_ns: int, /) -> None: ...
    def submit_raised(self, job: Job, observation: object, /) -> None: ...
    def submit_served(self, job: Job, value: object, duration_ns: int, /) -> None: ...
    def abandon(self, job: Job, reason: str, /) -> None: ...
    def after_fork(self) -> None: ...

@final
class Dispatcher:
    """Stands at a seam and answers with the control or with the candidate."""

    def __new__(
        cls,
        control: Callable[..., Any],
        tally: Tally,
        *,
        effect_free: bool,
        awaited: bool = False,
        apart: bool = False,
    ) -> Dispatcher: ...
    def connect(
        self,
        handle: object,
        context: object,
        candidate: object,
        observe: Callable[..., Any],
        failed: Callable[[str], None],
        concluded: Callable[..., None] | None = None,
        reverse: object = None,
        /,
        *,
        compared: str = "rust",
        others: dict[str, object] | None = None,
    ) -> None: ...
    def certify(self, shaper: Shaper | None, cells: AbstractSet[str], /) -> None:
        """Lets the candidate answer only calls all of whose cells are certified; without a shaper, every call."""

    def compare_served(self, millionths: int, /) -> None:
        """Compares so many of a million calls that the candidate answers."""

    def disconnect(self) -> None: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __get__(self, instance: object, owner: object | None = None, /) -> Any: ...
    def __reduce__(self) -> Any: ...
    def __copy__(self) -> Dispatcher: ...
    def __deepcopy__(self, _memo: object, /) -> Dispatcher: ...
    def __getattribute__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: object, /) -> None: ...
    def __delattr__(self, name: str, /) -> None: ...
    def __dir__(self) -> list[str]: ...

@final
class Encoding:
    """One of tiktoken's encodings, able to count and nothing else."""

    @staticmethod
    def from_tiktoken(name: str, data: bytes) -> Encoding: ...
    @staticmethod
    def from_anthropic(data: bytes) -> Encoding: ...
    @property
    def name(self) -> str: ...
    def count(self, text: str) -> int: ...
    def count_chunked(self, text: str, chunk_chars: int, max_exact_chars: int) -> int: ...

@final
class TokenCounter:
    """Counts text and messages for models that share an encoding and an accounting."""

    def __new__(
        cls, encoding: Encoding, limits: tuple[int, int], semantics: str, *, legacy: bool, base_image_tokens: int
    ) -> TokenCounter: ...
    def count_text(self, text: str) -> int: ...
    def count_messages(
        self,
        messages: object,
        tools: object,
        tool_choice: object,
        *,
        fixed_image_tokens: int | None,
        with_extras: bool,
    ) -> int: ...

def token_call(args: tuple[Any, ...], kwargs: dict[str, Any], *, is_counted: bool) -> tuple[str | None, bool]:
    """Reads what can be told of a call from its arguments alone."""

def count_call(
    counter: TokenCounter, args: tuple[Any, ...], kwargs: dict[str, Any], *, fixed_image_tokens: int | None
) -> int:
    """Counts the tokens of one call of the control."""

@final
class IdentityGuard:
    """Remembers what stands under names, which names classes lack, and which entries tables have."""

    def __new__(
        cls,
        places: Sequence[tuple[dict[str, Any] | type, str]],
        tables: Sequence[dict[Any, Any]] = ...,
        lacking: Sequence[tuple[type, str]] = ...,
    ) -> IdentityGuard: ...
    def holds(self) -> bool: ...
    def check(self) -> None: ...
    def state(self) -> int: ...

@final
class Transformer:
    """Rebuilds request bodies by compiled types."""

    def __new__(
        cls,
        nodes: Sequence[tuple[dict[str, int] | None, int | None, bool, int | None]],
        not_given: Sequence[type],
        /,
    ) -> Transformer: ...
    def apply(self, body: object, root: int, /) -> Any: ...

@final
class WindowPlan:
    """What follows from one call of a limiter's sliding window, before anything is changed by it."""

    @property
    def answers(self) -> list[str | int]: ...
    def apply(
        self,
        cache: tuple[dict[Any, Any], dict[Any, Any], list[Any], int, Callable[[], float]],
        window_size: float,
        /,
    ) -> list[tuple[str, str | int, float]]: ...
    @property
    def has_lost(self) -> bool: ...

@final
class WindowStore:
    """Remembers windows of rate limits that LiteLLM's cache has no room for, by keyed digests of their names."""

    def __new__(cls) -> WindowStore: ...
    def plan(
        self,
        keys: list[str],
        entries: dict[Any, Any],
        expiries: dict[Any, Any],
        moment: tuple[int, int, float],
        /,
    ) -> WindowPlan: ...
    def keep(self, plan: WindowPlan, /) -> None: ...
    def remembered(self, keys: list[str], /) -> dict[str, list[tuple[int, float]]]: ...
    def remember(self, windows: Sequence[tuple[str, Sequence[tuple[int, float]]]], /) -> None: ...
    def __len__(self) -> int: ...

@final
class Constructor:
    """Constructs responses by compiled types; `ValueError` for a node that is none."""

    def __new__(
        cls,
        nodes: Sequence[
            tuple[
                str,
                int | None,
                Sequence[type],
                Callable[[Any], Any] | None,
                Sequence[tuple[str, str, bool, object, int]],
            ]
        ],
        /,
    ) -> Constructor: ...
    def apply(self, value: object, root: int, /) -> Any: ...

@final
class Recipe:
    """How an answer that is made again and again is made, or a part of it."""

    @staticmethod
    def value(place: int, /) -> Recipe:
        """The value at a place of those that vary."""

    @staticmethod
    def kept(value: object, /) -> Recipe:
        """The same object in every answer."""

    @staticmethod
    def new_dict(like: dict[Any, Any], made: Sequence[tuple[object, Recipe]], /) -> Recipe:
        """A new dict like this one, with other values at some of its keys."""

    @staticmethod
    def new_list(items: Sequence[Recipe], /) -> Recipe:
        """A new list."""

    @staticmethod
    def new_set(like: set[Any], /) -> Recipe:
        """A new set of the members that this one has now."""

    @staticmethod
    def new_model(class_: type, parts: Sequence[Recipe], /) -> Recipe:
        """A new object of a class of pydantic's: its fields, private attributes, extras, and which fields were set."""

    def make(self, values: list[Any], /) -> Any:
        """Makes an answer; `IndexError` where it has a place beyond these values."""

def plain_text(chunk: object, classes: tuple[type, type, type], first: object, /) -> tuple[list[Any], list[Any]] | None:
    """A chunk's frame, which begins with `first`, and its varying parts; None when it is none of plain text."""

def telling_chunks(chunks: list[Any], whole: type, one: type, /) -> list[Any]:
    """The chunks of a stream that may have usage or a reason to finish, and the first."""

def told_by_delta(delta: object, class_: type, names: tuple[str, ...], /) -> tuple[str, bool] | None:
    """The text that is new in a choice, and whether one of these names stands for something true; None if unsure."""

def is_in_state(attributes: dict[str, Any], state: dict[str, Any], varying: frozenset[str], /) -> bool:
    """Whether an object's attributes, but for the varying ones, equal what they were."""

def secret_starts(text: str, /) -> list[int]:
    """Every place, in code points, where LiteLLM's expression for secrets could match."""

@final
class Standings:
    """How the deployments of one request stand, in the order in which their usage is kept."""

    def __len__(self) -> int: ...
    @property
    def missing(self) -> list[str]:
        """The ids of deployments of which no usage is kept yet, in the order in which they are to be added."""

    @property
    def are_limited(self) -> bool:
        """Whether a request's tokens matter."""

    def within(self, order: Sequence[int], tokens: float, share: float, /) -> list[int]:
        """The places of those with room whose value is at most the lowest and a share of it more."""

    def lowest(self, tokens: float, /) -> list[int]:
        """The places of those with room that have the lowest value."""

    def by_address(self, order: Sequence[int], /) -> dict[str, float]:
        """Each deployment's value by the address of its provider."""

def latency_standings(
    deployments: list[Any],
    usage: dict[str, Any],
    minute: str,
    semantics: str,
    streamed: bool,
    percentile: float | None,
    /,
) -> Standings: ...
def cost_standings(
    deployments: list[Any], usage: dict[str, Any], minute: str, prices: dict[str, Any], named: type, /
) -> Standings: ...
def usage_standings(
    deployments: list[Any],
    tokens: tuple[list[Any], list[Any]],
    requests: tuple[list[Any], list[Any]],
    /,
) -> Standings: ...
def permutation(getrandbits: Callable[[int], int], count: int, /) -> list[int]: ...
def shuffle_weights(deployments: list[Any], /) -> list[float] | None:
    """Running sums of the weights with which one is drawn; None when all are alike."""

def least_busy(counts: tuple[int, ...], /) -> int:
    """The place of the smallest count, the first of several."""

def deployment_ids(deployments: list[Any], prefix: str, /) -> tuple[str, ...]:
    """The id of each deployment behind a prefix."""

@final
class RateLimit:
    """
    A rate in (0, 1) that counts are held against; `ValueError` for another one. Counts are how many were bad, of all.

    Evidence is the logarithm of an e-value: at any time at all, it reaches `-log(alpha)` against a hypothesis that is
    true with a probability of at most `alpha`.
    """

    def __new__(cls, rate: float) -> RateLimit: ...
    @property
    def rate(self) -> float: ...
    def below(self, bad: int, total: int) -> float:
        """Evidence against a rate at or above the limit."""

    def above(self, bad: int, total: int) -> float:
        """Evidence against a rate at or below the limit."""

    def further(self, alpha: float, bad: int, total: int) -> int:
        """How many further ones, none of them bad, prove the rate to lie below the limit."""

def rate_upper_bound(alpha: float, bad: int, total: int) -> float:
    """What a rate exceeds with a probability of at most `alpha`, whenever it is asked for."""

def sign_excess(first: int, second: int) -> float:
    """Evidence against the first outcome being at most as frequent as the second."""

def sign_interval(alpha: float, first: int, second: int) -> tuple[float, float]:
    """The probability of the first outcome; the interval is wrong with a probability of at most `alpha`."""

@final
class Shaper:
    """Finds the shapes of one function's calls."""

    def __new__(cls, profile: str, parameters: Sequence[str] = ..., nested: str | None = None) -> Shaper: ...
    def shape(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, /) -> int: ...

def digest(key: bytes, value: object, /) -> int:
    """A keyed digest of a plain value, never 0; the order in dicts and sets does not matter."""

def sketch_merge(sketches: list[bytes], /) -> bytes: ...
def sketch_lower_bound(sketch: bytes, /) -> int:
    """At least so many different inputs."""

def shape_values(profile: str, shape: int) -> dict[str, str]:
    """The value of each dimension of a shape; empty for a number that is none."""

def shape_cells(profile: str, shape: int) -> list[str]:
    """Every cell that a shape lies in."""

def shape_with_outcome(profile: str, shape: int, *, raised: bool) -> int:
    """The same shape with what the control did."""

def count_batch(
    counter: TokenCounter,
    items: list[str | list[Any]],
    *,
    fixed_image_tokens: int | None,
    threads: int | None = None,
) -> list[int]:
    """The tokens of many texts and message lists, on several threads; `Declined` where one is not reproduced."""

def share_instances(classes: Sequence[type], /) -> None:
    """Lets `freeze` share the instances of these exact classes, because nobody changes one."""

def freeze(value: object, max_bytes: int = ...) -> tuple[Any, int]:
    """Deep copy of plain builtin values and its approximate size in bytes."""

def freeze_models(value: object, max_bytes: int = ...) -> tuple[Any, int]:
    """The same, with objects of pydantic's model classes told by plain dicts."""

def identical(control: object, candidate: object, /) -> bool:
    """Whether two plain values are the same beyond doubt, the order of keys included; False also says: look closer."""

def holders(namespaces: list[dict[str, Any]], objects: list[Any], /) -> list[tuple[dict[str, Any], str, Any]]:
    """Every place of some namespaces that holds one of some objects: the namespace, the name, and the object."""

def blank_page() -> bytes:
    """The content of a page's file before anything has happened."""

def stop_word(cause: str, until: int | None = None, retry: int = ...) -> int:
    """The word for a stop: why, until when in Unix milliseconds, how many of a million units try again then."""

def read_word(word: int, now: int) -> tuple[str, int | None, int] | None:
    """Why, until when, and how many of a million units are tried at a moment; None when all are."""

def read_mark(word: int, now: int, /) -> int | None:
    """The mark of the build that a word stops because it answered otherwise."""

_Header: TypeAlias = tuple[bytes, bytes]
_Seconds: TypeAlias = float | None
_Trust: TypeAlias = tuple[list[bytes], bool, bool, bool, bytes | None]

class PoolError(Exception):
    """What has gone wrong with a request: which kind of thing, what is said of it, and the system's number or None."""

def begin_connections() -> None:
    """Begins the thread of connections, unless it is there. `OSError` where the system gives none."""

@final
class ConnectionPool:
    """
    Connections that are kept.

    `limits` are requests under way, connections that are kept for one host, and the seconds that one is kept.
    `trust` is roots in DER, whether certificates are looked at, whether TLS 1.2 and 1.3 are spoken, and a client's
    certificates and key in PEM. `proxy` is an address, the headers of a request for a tunnel, `trust` for a proxy that
    speaks TLS, and name and password for SOCKS. `ValueError` for what is not taken.
    """

    def __new__(
        cls,
        limits: tuple[int | None, int | None, _Seconds],
        trust: _Trust | None,
        proxy: tuple[str, list[_Header], _Trust | None, tuple[str, str] | None] | None,
        local_address: str | None,
        has_http2: bool,
        /,
    ) -> ConnectionPool: ...
    def request(
        self,
        method: str,
        url: str,
        headers: list[_Header],
        body: bytes,
        timeouts: tuple[_Seconds, _Seconds, _Seconds, _Seconds],
        /,
    ) -> Exchange:
        """
        A request that goes out when it is waited for; timeouts for connecting, a read, a write, and a place.

        `ValueError` where something of it could not go out as it is.
        """

@final
class Exchange:
    """A request that goes out once."""

    def wait(self, looks_for_signals: bool, /) -> Answer:
        """Sends it and waits for its response. `PoolError` for what goes wrong."""
    def begin(self, bell: Bell, future: Any, /) -> Task:
        """Sends it; its response, or a `PoolError`, will be the future's."""

@final
class Answer:
    """A response whose body is still to be read."""

    @property
    def status(self) -> int: ...
    @property
    def version(self) -> bytes: ...
    @property
    def reason(self) -> bytes: ...
    @property
    def headers(self) -> list[_Header]: ...
    @property
    def is_over(self) -> bool:
        """Whether all of the body has been taken, or is not wanted any more."""
    def take(self) -> bytes | None:
        """The next part that has come; None where none has. `PoolError` for what has gone wrong."""
    def wait(self, looks_for_signals: bool, /) -> None:
        """Waits until a part can be taken, or there is none left."""
    def begin(self, bell: Bell, future: Any, /) -> Task:
        """The same; the future will be told."""
    def close(self) -> None:
        """Gives the connection back, or closes it in the middle of a body."""

@final
class Bell:
    """One event loop's, by which it hears of what is done. `OSError` where the system gives no sockets."""

    def __new__(cls) -> Bell: ...
    def fileno(self) -> int: ...
    def answer(self) -> None:
        """Tells the futures that wait what has come; the loop calls it."""

@final
class Task:
    """Something that goes on."""

    def abort(self) -> None:
        """Gives it up, wherever it stands, with its connection where that is its own."""

"""
COMPARE, REMEMBER, JUDGE: runs a candidate beside a control, keeps what was found, and says whether that suffices.

    runner        what happens on the caller's path
    modes         where a candidate runs: on a thread of its own, on the caller's, in another process, on an event loop
    judge         what happens off the caller's path
    trial         one comparison: run, compare, run again before believing a difference
    comparators   whether two outcomes are the same, and if not, how they differ
    noise         functions that do not always give the same answer; tape, both sides drawing the same numbers
    source        names for functions that change when their code does
    redaction     differences without content
    divergence    which divergences are one finding, and how often it is logged
    replay        a finding once more, on calls that are made up; repro writes one as a test
    capture       calls that differed, sealed, when somebody has asked for them
    ledger        the database that outlives the process
    pauses        who stopped what, and what every process of the ledger obeys
    gate          whether the evidence suffices: a policy, a checklist, a verdict
    certification which cells are proven
    engine        the port to native code
"""

from __future__ import annotations

from fast_litellm.shadow import comparators, noise
from fast_litellm.shadow.budget import Budget
from fast_litellm.shadow.candidate import Candidate, FunctionCandidate
from fast_litellm.shadow.experiment import Experiment, Limits
from fast_litellm.shadow.gate import Gate
from fast_litellm.shadow.ledger import Ledger
from fast_litellm.shadow.observation import Epoch, Outcome
from fast_litellm.shadow.pauses import Pause
from fast_litellm.shadow.policy import Policy
from fast_litellm.shadow.runner import ShadowRunner

__all__ = [
    "Budget",
    "Candidate",
    "Epoch",
    "Experiment",
    "FunctionCandidate",
    "Gate",
    "Ledger",
    "Limits",
    "Outcome",
    "Pause",
    "Policy",
    "ShadowRunner",
    "comparators",
    "noise",
]

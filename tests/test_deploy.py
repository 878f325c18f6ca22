"""What is offered to be taken over into a deployment fits this package: rules, variables, paths and command lines."""

from __future__ import annotations

import re
import shlex
from pathlib import Path, PurePosixPath

import pytest
import yaml

from fast_litellm import settings
from fast_litellm.flags import FlagManager

DEPLOY = Path(__file__).parents[1] / "config" / "deploy"
UNIT = (DEPLOY / "litellm-proxy.service").read_text(encoding="utf-8")
MANIFESTS = {it["kind"]: it for it in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))}
POD = MANIFESTS["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
VARIABLES = {it["name"]: it.get("value") for it in CONTAINER["env"]}
MOUNTS = {it["name"]: PurePosixPath(it["mountPath"]) for it in CONTAINER["volumeMounts"]}


def test_the_config_map_holds_rules_without_a_problem(tmp_path):
    """The file has the name under which the container looks for it."""
    ((name, text),) = MANIFESTS["ConfigMap"]["data"].items()
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert [] == FlagManager.from_file(tmp_path / name).status()["problems"]
    assert str(MOUNTS["rollout"] / name) == VARIABLES["FAST_LITELLM_CONFIG"]


def test_every_mount_has_its_volume_and_none_is_a_single_file():
    """A file mounted by `subPath` is never replaced."""
    assert {it["name"] for it in POD["volumes"]} == set(MOUNTS)
    assert [] == [it for it in CONTAINER["volumeMounts"] if "subPath" in it]


def test_the_state_is_below_the_mount_and_not_the_mount():
    """A volume belongs to root; the directory that processes share must belong to their user."""
    assert MOUNTS["state"] in PurePosixPath(VARIABLES["FAST_LITELLM_STATE"]).parents


@pytest.mark.parametrize("names", [VARIABLES, re.findall(r"FAST_LITELLM_\w+", UNIT)], ids=["kubernetes", "systemd"])
def test_every_variable_is_one_that_is_read(names, monkeypatch):
    """A misspelt one would be ignored without a word."""
    for name in names:
        monkeypatch.setenv(name, "1")

    assert [] == settings.unknown_names()


@pytest.mark.parametrize(
    "words",
    [[*CONTAINER["command"], *CONTAINER["args"]], shlex.split(re.search(r"^ExecStart=(.*)", UNIT, re.MULTILINE)[1])],
    ids=["kubernetes", "systemd"],
)
def test_litellm_is_started_by_run(words):
    """Its own command line follows the two dashes."""
    program, run, dashes, litellm, *rest = words

    assert ("fast-litellm", "run", "--", "litellm") == (Path(program).name, run, dashes, Path(litellm).name)
    assert "--config" in rest

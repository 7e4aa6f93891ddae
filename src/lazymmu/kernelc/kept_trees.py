# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a configured tree: kept from a run on the same inputs, or computed and kept.

There are two facts. The configuration rests on the Kconfig files. The walk, with what is built and
which file has which names, rests on the configuration, the Makefiles, which files there are, and
the directives of those that were read. Where a file has other contents and the same directives
the walk is the same, only that the directives may stand elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.configured_tree_builder import (
    Decided,
    TreeState,
    build,
    decide,
    index,
)
from lazymmu.kernelc.configured_tree_cache import (
    digests,
    plain_config,
    plain_losses,
    plain_state,
    restored_config,
    restored_losses,
    restored_state,
)
from lazymmu.kernelc.facts import Facts, KeptFact
from lazymmu.kernelc.json_shapes import mapped, string
from lazymmu.kernelc.preprocess.texts import Texts
from lazymmu.kernelc.tree_index import TreeIndex, digest
from lazymmu.kernelc.walk_difference import WalkDifference
from lazymmu.kernelc.walk_identity import walk_identity
from lazymmu.kernelc.walk_parts import WalkParts
from lazymmu.processes import Task
from lazymmu.snapshot.dependencies import DependencyTracker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.kernelc.arch_profile import Profile
    from lazymmu.kernelc.config.kconfig import Config

__all__ = ["difference", "state"]

_CONFIG: Final = "config"
_WALK: Final = "walk"


def state(
    library: TreeIndex, profile: Profile, config: Config | None, within: Mapping[str, bool]
) -> TreeState:
    """Return what `profile` sees of a tree in the directories `within`.

    Without `config` the tree's Kconfig is solved, in a process of its own if there may be one.
    """
    found = _State(library, profile, config, within).found()
    library.ids.keep()
    return found


def difference(library: TreeIndex, then: str, now: str) -> WalkDifference | None:
    """Return in what two walks differ; None where one of them is not kept any more.

    :param then: the name of one of them (`TreeState.walk`).
    :param now: that of the other.
    """
    facts = Facts(library.tree, library.ids, library.cache)
    try:
        parts = [mapped(facts.value(_WALK, name)) for name in (then, now)]
        walks = [WalkParts.of(mapped(part["state"])) for part in parts]
        configs = [restored_config(part["config"]) for part in parts]
        return WalkDifference.between(walks[0], walks[1], configs[0], configs[1])
    except (KeyError, TypeError, ValueError, IndexError):
        return None


class _State:
    """One request for a state."""

    def __init__(
        self,
        library: TreeIndex,
        profile: Profile,
        config: Config | None,
        within: Mapping[str, bool],
    ) -> None:
        self._library = library
        self._tree = library.tree
        self._profile = profile
        self._given = config
        self._within = within
        self._facts = Facts(library.tree, library.ids, library.cache, library.rested)
        machine = (
            profile.name,
            profile.arch_dir,
            sorted((name, forced.value) for name, forced in profile.config.items()),
            sorted(profile.builtins.items()),
            library.tree.module,
        )
        self._machine = digest(machine)
        self._key = digest(machine, sorted(within.items()))

    def found(self) -> TreeState:
        """The state, kept or computed."""
        library, profile = self._library, self._profile
        config = self._given or self._kept_config()
        if config is None and self._facts.any(_WALK, self._key):
            # The walk may still be good: it does not rest on all that Kconfig files say.
            config = self._decided(decide(self._tree, library.ids, profile, library.kconfig))
        if config is not None:
            found = self._kept_state(config)
            if found is not None:
                return found
        recorder = DependencyTracker(self._tree, library.ids)
        if config is not None:
            made = build(library, recorder, profile, lambda: config, self._within, apart=False)
        else:
            apart = library.jobs > 1
            task = Task(apart, decide, self._tree, library.ids, profile, library.kconfig)
            made = build(
                library,
                recorder,
                profile,
                lambda: self._decided(task.result()),
                self._within,
                apart=apart,
            )
        self._keep(made, recorder)
        return made

    # -- the configuration ---------------------------------------------------------------------

    def _kept_config(self) -> Config | None:
        for fact in self._facts.of(_CONFIG, self._machine):
            try:
                parts = mapped(fact.value)
                config = restored_config(parts["config"])
                losses = restored_losses(parts["losses"])
            except (KeyError, TypeError, ValueError):
                continue
            if not fact.changed:
                self._tree.lose_also(losses)
                return config
        return None

    def _decided(self, found: Decided) -> Config:
        """The configuration that was solved; it is kept."""
        self._tree.lose_also(found.losses)
        self._library.ids.learn_also(found.ids)
        if not self._tree.module:
            # That of a module out of tree also knows which symbols there are.
            value = {"config": plain_config(found.config), "losses": plain_losses(found.losses)}
            self._facts.keep(_CONFIG, self._machine, found.inputs, value)
        return found.config

    # -- the walk ------------------------------------------------------------------------------

    def _said(self, config: Config) -> dict[str, str]:
        defined = None if config.defined is None else sorted(config.defined)
        return {"config": digest(sorted(plain_config(config).items()), defined)}

    def _kept_state(self, config: Config) -> TreeState | None:
        for fact in self._facts.of(_WALK, self._key, self._said(config)):
            try:
                found = self._restored(config, fact)
            except (KeyError, TypeError, ValueError, IndexError):
                continue
            if found is not None:
                self._facts.used(_WALK, self._key, fact)
                return found
        return None

    def _restored(self, config: Config, fact: KeptFact) -> TreeState | None:
        """The state that was kept, if what has changed since is not what it rests on."""
        parts = mapped(fact.value)
        walked = parts["state"]
        losses = restored_losses(parts["losses"])
        known = digests(walked) if fact.changed else {}
        moved: dict[str, list[int]] = {}
        texts = Texts(self._tree)
        for rel in fact.changed:
            if rel not in known or texts.get(rel).digest != known[rel]:
                return None
            moved[rel] = texts.get(rel).places
        found = restored_state(self._tree, self._profile, config, walked, moved)
        found.identity, found.machine = string(parts["identity"]), self._machine
        found.walk = fact.name
        self._tree.lose_also(losses)
        if any(self._renamed(rel, then) for rel, (then, _) in fact.changed.items()):
            index(found, self._library)
        return found

    def _renamed(self, rel: str, then: str) -> bool:
        """Whether a file may define other names than it did when it had another content."""
        before = self._library.names_of(rel, then)
        return before is None or before != self._library.names([rel])[rel]

    def _keep(self, made: TreeState, recorder: DependencyTracker) -> None:
        """Keep what was computed; then what is asked of the tree is nobody's input any more."""
        if self._library.cache is not None:
            state, said = plain_state(made), self._said(made.config)
            identity = walk_identity(state, self._machine, said)
            value = {
                "config": plain_config(made.config),
                "state": state,
                "losses": plain_losses(recorder.lost),
                "identity": identity,
            }
            name = self._facts.keep(_WALK, self._key, recorder.inputs(), value, said)
            if name:
                made.identity, made.machine, made.walk = identity, self._machine, name
        made.headers.tree = self._tree
        made.headers.forget_texts()

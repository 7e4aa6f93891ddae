# SPDX-License-Identifier: GPL-2.0-or-later
"""One self-contained page: styles and scripts stand in it, and it may ask for nothing.

Its policy (Content-Security-Policy) names our own style and script by their hashes and forbids all
else, so that a name out of a tree that got through the escaping would still neither run nor load
anything. For the same reason there is no ``style="..."`` in a template: what differs from page to
page is a class, an attribute of SVG, or set by the script.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from lazymmu.report.page.code import coloured
from lazymmu.terminal import clean
from lazymmu.verbs.stored import PAGE_DATA as DATA
from lazymmu.version import version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LARGE", "carried", "part", "render"]

LARGE: Final = 1_000_000
"""Characters that a page has at most, as a rule; what would make it larger is left out, and that
is said."""

_COMMON: Final = ("base.css",)
_ENDS_SCRIPT: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_COMMENTS: Final = re.compile(r"/\*.*?\*/\s*", re.DOTALL)


def render(
    template: str,
    *,
    title: str,
    verb: str,
    scripts: Sequence[str] = (),
    styles: Sequence[str] = (),
    data: Mapping[str, Mapping[str, Any]] | None = None,
    **values: object,
) -> str:
    """A page as text, its lines ended by newlines.

    :param template: the name of a file in ``templates``, which extends ``base.html``.
    :param title: what the browser shows and a list of pages would, without markup.
    :param verb: which verb's answer it is.
    :param scripts: names of files in ``assets``, in order; without any nothing runs.
    :param styles: the same, beside what all pages have.
    :param data: the JSON that the page carries, for programs that are handed the page: what
        ``--format json`` prints, by the verb that prints it.
    :param values: what the template asks for; every text among them is escaped where it is put in.
    """
    style = "".join(_COMMENTS.sub("", _asset(name)) for name in (*_COMMON, *styles))
    script = "".join(map(_asset, scripts))
    return (
        _environment()
        .get_template(template)
        .render(
            title=title,
            verb=verb,
            version=version(),
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - a file of ours
            script=Markup(script),  # noqa: S704 - a file of ours
            data={DATA + name: carried(value) for name, value in (data or {}).items()},
            **values,
        )
    )


def part(template: str, macro: str, *values: object, **named: object) -> Markup:
    """What a macro of a template makes of some values, so that its size is known.

    :param template: the name of a file in ``templates``.
    :param macro: the name of a macro in it.
    """
    module = _environment().get_template(template).module
    made: Markup = getattr(module, macro)(*values, **named)
    return made


def _policy(style: str, script: str) -> str:
    """What the page may do: be shown with this style, run this script, and nothing else."""
    scripts = f"'sha256-{_hash(script)}'" if script else "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'sha256-{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def carried(value: Mapping[str, Any]) -> Markup:
    """JSON as the content of an element of the page, which no text in it can end."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.translate(_ENDS_SCRIPT))  # noqa: S704 - no < is left in it


@functools.cache
def _environment() -> Environment:
    """Ours for all templates: everything is escaped, and cleaned as for a terminal before that.

    A name that is not there is an error, not an empty text.
    """
    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["c"] = coloured
    return made


def _harmless(value: object) -> object:
    """A text as it may be shown: control characters and what turns letters round spelt out."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _template(name: str) -> str | None:
    """The text of a template of ours; loaded as a resource, so that a zip will do."""
    file = resources.files(__package__) / "templates" / name
    return file.read_text(encoding="utf-8") if file.is_file() else None


@functools.cache
def _asset(name: str) -> str:
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")

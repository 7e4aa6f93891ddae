# SPDX-License-Identifier: GPL-2.0-or-later
"""A small drawing as SVG: boxes, lines and text on a ground of its own, light and dark."""

from __future__ import annotations

from html import escape

from lazymmu.terminal import clean

_STYLE = """
text{font:13px system-ui,"DejaVu Sans",sans-serif;fill:#1a1d21}
.mono{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:12px}
.small{font-size:11px}.quiet{fill:#59626e}.bold{font-weight:700}.bad{fill:#b3261e}
.mid{text-anchor:middle}
.ground{fill:#fff}.box{fill:#f6f7f9;stroke:#9aa4b1}.line{stroke:#7b8794;fill:none}
.rule{stroke:#d9dde3}.cell{fill:#eef0f3}.mode{fill:#e7ecd0}.late{fill:#fff0b8}.stale{fill:#f8d5d2}
.task-0{fill:#cfe3fa}.task-1{fill:#fbdcc2}.task-2{fill:#cdeee6}.task-3{fill:#e6d9f7}
.begins{fill:#fbf1dc}.breaks{fill:#fbeae8}.step{fill:#eef0f3}.head{fill:#7b8794}
.k{fill:#8a1c7c}.s{fill:#0a5c3a}.co{fill:#5d6673;font-style:italic}.cp{fill:#8a1c7c}.n{fill:#9a4a00}
.f{fill:#0b57a4}.culprit{stroke:#b3261e;stroke-width:2}
@media(prefers-color-scheme:dark){
text{fill:#e3e6ea}.quiet{fill:#9aa4b1}.bad{fill:#ff9b91}.ground{fill:#14171b}
.box{fill:#1c2026;stroke:#5d6673}.line{stroke:#9aa4b1}.rule{stroke:#363d47}.cell{fill:#20252c}
.mode{fill:#343a17}.late{fill:#463706}.stale{fill:#4b2320}
.task-0{fill:#1d3a5c}.task-1{fill:#54300f}.task-2{fill:#123f38}.task-3{fill:#3a2a58}
.begins{fill:#352a12}.breaks{fill:#3c1f1d}.step{fill:#20252c}.head{fill:#9aa4b1}
.k{fill:#e19bd5}.s{fill:#8fd0ac}.co{fill:#8f99a6}.cp{fill:#e19bd5}.n{fill:#f0b27a}.f{fill:#86b9f5}
.culprit{stroke:#ff9b91}}
""".replace("\n", "")


class Drawing:
    """Collects shapes; `text` has them all."""

    def __init__(self, title: str) -> None:
        """title: what the picture shows, for who cannot see it."""
        self._title = title
        self._shapes: list[str] = []
        self.width = 0.0
        self.height = 0.0

    def box(self, x: float, y: float, width: float, height: float, kind: str = "box") -> None:
        """A rectangle; kind: how it is drawn, a word of the style."""
        self._grow(x + width, y + height)
        self._shapes.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3" '
            f'class="{kind}"/>'
        )

    def say(self, x: float, y: float, text: str, kind: str = "") -> None:
        """Words whose baseline begins (or, of kind ``mid``, has its middle) there."""
        self._grow(x + (0 if "mid" in kind else 7.5 * len(text)), y + 6)
        self._shapes.append(
            f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(clean(text))}</text>'
        )

    def code(self, x: float, y: float, line: str) -> None:
        """A line of code whose colours are marked, as `report.page.code` makes it."""
        spans = line.replace("<span", "<tspan").replace("</span>", "</tspan>")
        self._shapes.append(
            f'<text x="{x:g}" y="{y:g}" class="mono" xml:space="preserve">{spans}</text>'
        )

    def line(self, *points: tuple[float, float], kind: str = "rule", arrow: bool = False) -> None:
        """A line through some points."""
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        self._path(path, kind, arrow)

    def curve(
        self, start: tuple[float, float], by: tuple[float, float], end: tuple[float, float]
    ) -> None:
        """A curved arrow that is drawn towards a point on its way."""
        (a, b), (c, d), (e, f) = start, by, end
        self._path(f"M{a:g} {b:g}Q{c:g} {d:g} {e:g} {f:g}", "line", arrow=True)

    def _path(self, path: str, kind: str, arrow: bool) -> None:
        end = ' marker-end="url(#arrow)"' if arrow else ""
        self._shapes.append(f'<path d="{path}" class="{kind}"{end}/>')

    def _grow(self, x: float, y: float) -> None:
        self.width, self.height = max(self.width, x), max(self.height, y)

    @property
    def text(self) -> str:
        """The whole picture."""
        width, height = self.width + 12, self.height + 12
        return (
            "<!-- SPDX-License-Identifier: GPL-2.0-or-later; made by docs/pictures.py -->\n"
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" role="img" aria-label="{escape(self._title)}">'
            f"<title>{escape(self._title)}</title><style>{_STYLE}</style>"
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" class="head"/></marker></defs>'
            f'<rect class="ground" width="{width:g}" height="{height:g}"/>'
            + "\n".join(self._shapes)
            + "</svg>\n"
        )

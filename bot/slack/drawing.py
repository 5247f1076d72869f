"""A picture as PNG: both arms of each signal with the decision band, and the evidence between its two limits.

Its ground is opaque, so that it reads the same in light and dark themes. Colours are told apart by colour-blind people
(Okabe and Ito's set), and lines differ in dash and marker as well. Importing this module loads matplotlib: do that
where a picture is drawn. Only its object-oriented side is used, which holds no state of its own; yet its caches of
fonts want one drawing at a time.
"""

import io
import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from bot.domain.picture import MINUTE, Band, Line, Picture, SignalLines, Span, clock, figure, merged
from bot.slack.mrkdwn import shortened

WIDTH, HEIGHT, DPI = 1200, 700, 100
MOST_SIGNALS = 6
"""Panels that can be read beside one another; further signals are counted, and told by the alternative text."""

FONT = "DejaVu Sans"
MILLION = 1_000_000
GROUND, INK, FAINT = "#fcfcfa", "#1d1c1d", "#6b6b6b"
CANARY, BASELINE, BAND, UNSEEN = "#d55e00", "#0072b2", "#f0e442", "#d5d5d5"
HARM, CLEARANCE = "#a3123f", "#00785a"
MARKS = 8
"""Markers on a line, however many points it has."""

TICK_STEPS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
MOST_TICKS = {1: 9, 2: 7, 3: 6}
"""Labels on an axis of time, by how many panels share the width."""

TITLE = 12.5
LEAST_NAME, MOST_NAME = 12, 120
"""Characters of a signal's name in its title."""
OVERSHOOT = 5.0
"""How far beyond its limit evidence is drawn, as a factor: what is decided need not be shown in full."""


def png(picture: Picture) -> bytes:
    """The picture as a PNG of 1200 x 700 pixels. The same picture gives the same bytes."""
    drawing = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=GROUND)
    FigureCanvasAgg(drawing)
    shown = picture.signals[:MOST_SIGNALS]
    columns = {0: 1, 1: 1, 2: 2, 4: 2}.get(len(shown), 3)
    rows = math.ceil(len(shown) / columns)
    _headline(drawing, picture)
    upper = GridSpec(max(rows, 1), columns, drawing, left=0.07, right=0.975, top=0.83, bottom=0.42, wspace=0.2)
    upper.update(hspace=0.75)
    for number, signal in enumerate(shown):
        axes = drawing.add_subplot(upper[number // columns, number % columns])
        _signal(axes, signal, picture.span, columns=columns)
    lower = GridSpec(1, 1, drawing, left=0.07, right=0.975, top=0.3 if shown else 0.83, bottom=0.065)
    _evidence(drawing.add_subplot(lower[0, 0]), picture)
    written = io.BytesIO()
    drawing.savefig(written, format="png", dpi=DPI, facecolor=GROUND, metadata={"Software": None})
    drawing.clear()
    return written.getvalue()


def _headline(drawing: Figure, picture: Picture) -> None:
    left_out = len(picture.signals) - MOST_SIGNALS
    more = f" (and {left_out} more)" if left_out > 0 else ""
    title = _legible(shortened(picture.title, 84 - len(more)) + more)
    drawing.text(0.02, 0.955, title, fontsize=16, fontweight="bold", color=INK, parse_math=False, va="center")
    key = [
        Line2D([], [], color=CANARY, linestyle="-", marker="o", linewidth=2.2, label="canary"),
        Line2D([], [], color=BASELINE, linestyle="--", marker="s", linewidth=2.2, label="baseline"),
        Patch(facecolor=BAND, edgecolor=FAINT, alpha=0.5, linestyle=":", label="decision band"),
        Patch(facecolor=UNSEEN, edgecolor=FAINT, hatch="///", linewidth=0, label="nothing to see"),
    ]
    drawing.legend(
        handles=key,
        loc="center left",
        bbox_to_anchor=(0.012, 0.908),
        ncols=4,
        frameon=False,
        fontsize=12,
        labelcolor=INK,
    )


def _signal(axes: Axes, signal: SignalLines, span: Span, *, columns: int) -> None:
    _frame(axes, span, ticks=MOST_TICKS[columns])
    _shade(axes, signal.unseen)
    band = _band(axes, signal, signal.band) if signal.band else ()
    _line(axes, signal.baseline, signal.unseen, color=BASELINE, dash="--", marker="s")
    _line(axes, signal.canary, signal.unseen, color=CANARY, dash="-", marker="o")
    figures = [*signal.canary.figures, *signal.baseline.figures, *band]
    axes.set_ylim(*_room(figures))
    axes.yaxis.set_major_locator(MaxNLocator(4, min_n_ticks=2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    numbers = f": {figure(signal.canary.last)} vs {figure(signal.baseline.last)}"
    _title(axes, _fitted(signal.name, numbers, f" {shortened(signal.unit, 12)}", width=WIDTH * 0.8 / columns - 40))
    if not signal.canary.at and not signal.baseline.at:
        _note(axes, "nothing was seen of either arm")


def _evidence(axes: Axes, picture: Picture) -> None:
    """Evidence of harm rises to its limit; evidence against harm sinks to its own. Both scales are logarithmic."""
    lines = picture.evidence
    up, down = (max(math.log10(limit), 0.1) for limit in (lines.rolls_back_at, lines.promotes_at))
    _frame(axes, picture.span, ticks=MOST_TICKS[1])
    _shade(axes, _all_unseen(picture))
    axes.set_ylim(-down - math.log10(OVERSHOOT), up + math.log10(OVERSHOOT))
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.axhline(up, color=HARM, linewidth=1.8, linestyle=(0, (6, 2)))
    axes.axhline(-down, color=CLEARANCE, linewidth=1.8, linestyle=(0, (1.5, 1.5)))
    _line(axes, _logged(lines.harm, 1, up), (), color=HARM, dash="-", marker="^")
    _line(axes, _logged(lines.clearance, -1, down), (), color=CLEARANCE, dash="-.", marker="v")
    above = f"rolls back at {figure(lines.rolls_back_at)}"
    below = f"promotes at {figure(lines.promotes_at)}"
    for y, text, colour, side in ((up, above, HARM, 1), (-down, below, CLEARANCE, -1)):
        _limit(axes, y, text, colour=colour, side=side)
    axes.yaxis.set_major_locator(MultipleLocator(1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{10 ** abs(value):,.0f}"))
    _title(axes, f"evidence: of harm ▲ {_said(lines.harm)}, against harm ▼ {_said(lines.clearance)}")
    if not lines.harm.at:
        _note(axes, "no evidence yet")


def _limit(axes: Axes, y: float, text: str, *, colour: str, side: int) -> None:
    """Names a limit on its far side (1: above it), over whatever runs there."""
    axes.annotate(
        text,
        (0.004, y),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 4 * side),
        textcoords="offset points",
        va="bottom" if side > 0 else "top",
        color=colour,
        fontsize=12,
        fontweight="bold",
        bbox={"facecolor": GROUND, "edgecolor": "none", "alpha": 0.85, "pad": 0.5},
        zorder=5,
    )


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=TITLE, fontweight="bold", color=INK, parse_math=False)


def _frame(axes: Axes, span: Span, *, ticks: int) -> None:
    begin, end = span
    if end - begin < 1:
        begin, end = begin - 30, begin + 30
    edge = (end - begin) * 0.01
    axes.set_xlim(begin - edge, end + edge)
    step = next((step for step in TICK_STEPS if (end - begin) / step < ticks), (end - begin) / ticks)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _time(value, step)))
    axes.set_facecolor(GROUND)
    axes.grid(color="#e3e3e0", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=11)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FAINT)


def _line(axes: Axes, line: Line, unseen: Iterable[Span], *, color: str, dash: str, marker: str) -> None:
    """A line that is broken where nothing was seen; its markers are few, and one at least."""
    at, figures = _broken(line, tuple(unseen))
    every = max(1, len(at) // MARKS)
    # A line's own markers may all fall on its breaks: the last point always has one.
    axes.plot(at, figures, color=color, linestyle=dash, marker=marker, markersize=6, markevery=every, linewidth=2.2)
    axes.plot(line.at[-1:], line.figures[-1:], color=color, linestyle="none", marker=marker, markersize=8)


def _broken(line: Line, unseen: Sequence[Span]) -> tuple[list[float], list[float]]:
    at: list[float] = []
    figures: list[float] = []
    for now, value in zip(line.at, line.figures, strict=True):
        if at and any(at[-1] <= begin + 0.1 and end - 0.1 <= now for begin, end in unseen):
            at.append((at[-1] + now) / 2)
            figures.append(math.nan)
        at.append(now)
        figures.append(value)
    return at, figures


def _band(axes: Axes, signal: SignalLines, band: Band) -> Sequence[float]:
    """Drawn around the baseline's points; returns its edges."""
    at, figures = _broken(signal.baseline, signal.unseen)
    if len(at) == 1:  # an area needs a width
        at, figures = [at[0] - 15, at[0] + 15], figures * 2
    low = [max(value * band.tolerated, band.tolerated_least) for value in figures]
    high = [max(value * band.ruled_out, band.ruled_out_least) for value in figures]
    axes.fill_between(at, low, high, facecolor=BAND, edgecolor=FAINT, alpha=0.5, linewidth=1, linestyle=":")
    return [edge for edge in (*low, *high) if not math.isnan(edge)]


def _shade(axes: Axes, spans: Iterable[Span]) -> None:
    for begin, end in spans:
        axes.axvspan(begin, end, facecolor=UNSEEN, edgecolor="#b5b5b5", alpha=0.6, hatch="///", linewidth=0)


def _note(axes: Axes, text: str) -> None:
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=13,
        color=INK,
        backgroundcolor=GROUND,
    )


def _all_unseen(picture: Picture) -> tuple[Span, ...]:
    """Where no signal showed anything to compare."""
    if not picture.signals:
        return ()
    common = picture.signals[0].unseen
    for signal in picture.signals[1:]:
        pairs = ((max(a, c), min(b, d)) for a, b in common for c, d in signal.unseen)
        common = merged((begin, end) for begin, end in pairs if begin < end)
    return common


def _logged(line: Line, sign: int, limit: float) -> Line:
    """Evidence on a logarithmic scale; below 1 it speaks for nothing, and beyond its limit it is cut."""
    most = limit + math.log10(OVERSHOOT) * 0.8
    return Line(line.at, tuple(sign * min(math.log10(max(value, 1.0)), most) for value in line.figures))


def _room(figures: Sequence[float]) -> Span:
    """An axis from zero, unless all figures are far from it, with some room above; never without extent."""
    low, high = min(figures, default=0.0), max(figures, default=1.0)
    low = min(low, 0.0) if low < high / 2 else low - (high - low) * 0.4
    extent = max(high - low, abs(high) * 0.02) or 1.0
    return low - extent * 0.03, high + extent * 0.12


def _said(line: Line) -> str:
    if line.last is None:
        return "not gathered"
    return figure(line.last) if line.last < MILLION else "over a million"


def _time(seconds: float, step: float) -> str:
    """A label on the axis of time; short ones stay in seconds."""
    said = f"{abs(seconds):.0f} s" if step < MINUTE else clock(abs(seconds))
    return f"−{said}" if seconds < 0 else said


def _fitted(name: str, numbers: str, unit: str, *, width: float) -> str:
    """A title at most `width` pixels wide: rather without its unit than with a name that nobody recognises."""
    font = get_font(findfont(FontProperties(family=FONT, weight="bold")))
    font.set_size(TITLE, DPI)
    for rest in (f"{numbers}{unit}", numbers):
        for room in range(min(len(name), MOST_NAME), min(len(name), LEAST_NAME) - 1, -1):
            text = _legible(shortened(name, room) + rest)
            font.set_text(text)
            if font.get_width_height()[0] / 64 <= width:  # FreeType's 64ths of a pixel
                return text
    return _legible(shortened(name, LEAST_NAME) + numbers)


def _legible(text: str) -> str:
    """On one line, and with a box for every character that the font does not have."""
    known = _characters()
    return "".join(char if ord(char) in known else "□" for char in " ".join(text.split()))


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())

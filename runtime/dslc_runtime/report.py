"""`report.html` of a run: history and settings -> one self-contained page with curves. No scripts, nothing loaded from elsewhere.

Every name and value is escaped: they come from programs and data of strangers.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, cast

from dslc_runtime.curves import Curve, chart
from dslc_runtime.files import write_atomic
from dslc_runtime.history import Row
from dslc_runtime.run_folder import RunFolder

MAX_TABLE_ROWS = 200

_STYLE = """
:root { --ink: #1c2330; --soft: #5b6575; --line: #dfe3ea; --page: #f6f7f9; --card: #ffffff; --a: #2563b8; --b: #d9730d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #343b48; --page: #14181f; --card: #1c222c; --a: #6fa8f0; --b: #f0a35e; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 36px 0 12px; }
.soft { color: var(--soft); margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin: 22px 0; }
.fact { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 16px; min-width: 118px; }
.fact b { display: block; font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; }
.fact span { color: var(--soft); font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(430px, 1fr)); gap: 16px; }
@media (max-width: 520px) { .charts { grid-template-columns: 1fr; } }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 14px 8px; }
figcaption { font-weight: 600; margin-bottom: 4px; display: flex; gap: 16px; flex-wrap: wrap; align-items: baseline; }
figcaption .key { font-weight: 400; font-size: 13px; color: var(--soft); }
figcaption i { display: inline-block; width: 16px; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 5px; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
svg .grid { stroke: var(--line); } svg .best { stroke: var(--soft); }
.train { stroke: var(--a); } .val { stroke: var(--b); } circle.train { fill: var(--a); } circle.val { fill: var(--b); }
i.train { background: var(--a); } i.val { background: var(--b); }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 14px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; font-size: 13px; } tr:last-child td { border-bottom: 0; }
.names th, .names td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.names th { width: 220px; vertical-align: top; }
tr.kept td { font-weight: 600; }
"""


def write_report(
    folder: RunFolder, title: str, history: Sequence[Row], best_epoch: int, settings: Mapping[str, Any]
) -> None:
    """Write a run's `report.html`.

    Raises:
        RuntimeFault: DL5023, the file cannot be written.
    """
    write_atomic(folder.report, report(title, history, best_epoch, settings).encode("utf-8", "replace"))


def report(title: str, history: Sequence[Row], best_epoch: int, settings: Mapping[str, Any]) -> str:
    """The page.

    Args:
        history: one row per epoch, as the loop makes them.
        best_epoch: the epoch whose weights were kept, marked in curves and table; 0 for none.
        settings: facts of the run, nested mappings and lists allowed.
    """
    name = _text(title)
    body = [
        f"<h1>{name}</h1>",
        f'<p class="soft">{_summary(history, best_epoch)}</p>',
        _facts(history, best_epoch),
        f'<h2>Curves</h2><div class="charts">{"".join(_charts(history, best_epoch))}</div>' if history else "",
        _table(history, best_epoch),
        _settings(settings),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{name}</title><style>{_STYLE}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _text(value: object) -> str:
    """Text that is safe to show: markup escaped, control and direction-changing characters made visible."""
    shown = "".join(
        f"\\u{ord(c):04x}" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\t" else c
        for c in str(value)
    )
    return html.escape(shown)


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else _text(value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    return f"{value:.4g}" if isfinite(value) else "–"


def _metrics(history: Sequence[Row]) -> list[str]:
    """Quantities to draw: loss first, then the metrics, each once for training and validation."""
    names = [name.removeprefix("val.") for row in history[:1] for name in row]
    skip = {"epoch", "step", "seconds", "lr"}
    return list(dict.fromkeys(name for name in names if name.rpartition(".")[2] not in skip))


def _summary(history: Sequence[Row], best_epoch: int) -> str:
    if not history:
        return "no epoch was finished"
    seconds = sum(float(row.get("seconds") or 0.0) for row in history)
    kept = f", the weights of epoch {best_epoch} are kept" if best_epoch else ""
    epochs = "1 epoch" if len(history) == 1 else f"{len(history)} epochs"
    return f"{epochs} in {seconds:.1f} s{kept}"


def _facts(history: Sequence[Row], best_epoch: int) -> str:
    kept = next((row for row in history if row["epoch"] == best_epoch), history[-1] if history else None)
    if kept is None:
        return ""
    names = [name for metric in _metrics(history) for name in (f"val.{metric}", metric) if name in kept]
    cards = [f'<div class="fact"><b>{_number(kept[name])}</b><span>{_text(name)}</span></div>' for name in names[:8]]
    return f'<div class="facts">{"".join(cards)}</div>'


def _charts(history: Sequence[Row], best_epoch: int) -> list[str]:
    figures: list[str] = []
    quantities: list[tuple[str, list[tuple[str, str, str]]]] = [
        (metric, [("training", metric, "train"), ("validation", f"val.{metric}", "val")])
        for metric in _metrics(history)
    ]
    if len({row.get("lr") for row in history}) > 1:
        quantities.append(("learning rate", [("training", "lr", "train")]))
    for title, lines in quantities:
        curves = [
            Curve(label, css, tuple((int(row["epoch"]), row.get(name)) for row in history))
            for label, name, css in lines
            if any(name in row for row in history)
        ]
        keys = "".join(f'<span class="key"><i class="{curve.css}"></i>{curve.label}</span>' for curve in curves)
        figures.append(f"<figure><figcaption>{_text(title)}{keys}</figcaption>{chart(curves, best_epoch)}</figure>")
    return figures


def _table(history: Sequence[Row], best_epoch: int) -> str:
    if not history:
        return ""
    names = list(history[0])
    shown = history if len(history) <= MAX_TABLE_ROWS else history[-MAX_TABLE_ROWS:]
    head = "".join(f"<th>{_text(name)}</th>" for name in names)
    rows = "".join(
        f"<tr{' class=kept' if row['epoch'] == best_epoch else ''}>"
        + "".join(f"<td>{_number(row.get(name))}</td>" for name in names)
        + "</tr>"
        for row in shown
    )
    left = (
        f'<p class="soft">the last {MAX_TABLE_ROWS} of {len(history)} epochs</p>' if len(shown) < len(history) else ""
    )
    return f'<h2>Epochs</h2>{left}<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _settings(settings: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><th>{_text(name)}</th><td>{_setting(value)}</td></tr>" for name, value in settings.items())
    return f'<h2>Settings</h2><div class="wide"><table class="names">{rows}</table></div>' if rows else ""


def _setting(value: object) -> str:
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return _text(", ".join(f"{name} {_plain(item)}" for name, item in items))
    if isinstance(value, list | tuple):
        return "<br>".join(_setting(item) for item in cast("Sequence[object]", value))
    return _text(_plain(value))


def _plain(value: object) -> str:
    return "–" if value is None else str(value)

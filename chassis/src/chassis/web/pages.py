"""Pages for people: one look, a title, an icon, and a way to the panel, without any script."""

from html import escape
from urllib.parse import quote

STYLE = """
:root{color-scheme:light dark;--paper:#f5f3ee;--ink:#1b2330;--quiet:#565f6e;--edge:#d5d1c7;
--accent:#1d4f91;--ok:#17663f;--warn:#855000;--bad:#b0241c;--bad-back:#fde9e6}
@media(prefers-color-scheme:dark){:root{--paper:#13161b;--ink:#ece9e3;--quiet:#a8b1be;
--edge:#3b434f;--accent:#8fbcff;--ok:#6fd39c;--warn:#f5c15d;--bad:#ff938a;--bad-back:#44201e}}
body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;
color:var(--ink);background:var(--paper)}
a{color:var(--accent)}code{font-size:.9em}nav{color:var(--quiet)}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--edge);
overflow-wrap:anywhere;vertical-align:top}
"""
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32"'
    ' rx="6" fill="#1d3557"/><path d="M9 10.500h14v11H9z" fill="#eaf2fb"/><path d="M9 16c4-4 10 4'
    ' 14 0" fill="none" stroke="#1d3557" stroke-width="2"/><rect x="4" y="8" width="6" height="16"'
    ' rx="1.500" fill="#f2b84b"/><rect x="22" y="8" width="6" height="16" rx="1.500"'
    ' fill="#f2b84b"/></svg>'
)
ICON_LINK = f'<link rel="icon" href="data:image/svg+xml,{quote(ICON)}">'
# Text may be whatever somebody registered: even if some slipped through, nothing would run or load.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def page(title: str, body: str, panel: str, style: str = "", refresh_seconds: int = 0) -> str:
    """`body` is HTML; `panel` is the address of the panel, empty where there is none."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    back = f'<nav><a href="{escape(panel)}/">the panel</a></nav>' if panel else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"{ICON_LINK}<style>{STYLE}{style}</style></head>"
        f"<body>{back}<h1>{escape(title)}</h1>{body}</body></html>"
    )

"""Icons as inline SVG: a 24-unit box, drawn in the colour of the text beside them.

Each is hidden from assistive technology, because a word always follows. Shapes differ, so that they can be told apart
in grey. Only presentation attributes are used: the content security policy drops `style`.
"""

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_SOLID = 'fill="currentColor" stroke="none"'
_ROUND = 'stroke-linecap="round" stroke-linejoin="round"'


def _mark(top: float, length: float, dot: float, radius: float, *, colour: str, width: float) -> str:
    """An exclamation mark."""
    return (
        f'<path d="M12 {top}v{length}" stroke="{colour}" stroke-width="{width}"/>'
        f'<circle cx="12" cy="{dot}" r="{radius}" fill="{colour}" stroke="none"/>'
    )


def _over(path: str) -> str:
    """A white stroke over a filled shape."""
    return f'<path d="{path}" fill="none" stroke="#fff" stroke-width="2.6" {_ROUND}/>'


SHAPES: dict[str, str] = {
    "circle": '<circle cx="12" cy="12" r="8.6" stroke-width="2.2"/>',
    "half": f'<circle cx="12" cy="12" r="8.6" stroke-width="2.4"/><path d="M12 3.4a8.6 8.6 0 0 1 0 17.2z" {_SOLID}/>',
    "dotted": '<circle cx="12" cy="12" r="8.8" stroke-width="2.6" stroke-linecap="butt"'
    f' stroke-dasharray="3.2 2.33"/><circle cx="12" cy="12" r="2.9" {_SOLID}/>',
    "warning": f'<path d="M12 2.2 23 21.6H1z" {_SOLID}/>' + _mark(9, 5.4, 18, 1.5, colour="#fff", width=2.6),
    "tick": '<path d="m4 12.6 5.2 5.2L20.4 6.6" stroke-width="3.2"/>',
    "query": f'<rect x="2.5" y="2.5" width="19" height="19" rx="2" {_SOLID}/>'
    '<path d="M8.9 9.4c0-4 6.3-3.9 6.3-.2 0 2.3-3.1 2.5-3.1 5" stroke="#fff" stroke-width="2.4"/>'
    '<circle cx="12" cy="17.8" r="1.5" fill="#fff" stroke="none"/>',
    "dash": '<path d="M4.5 12h15" stroke-width="3.4"/>',
    "padlock": f'<rect x="3.8" y="10.6" width="16.4" height="11" rx="1.8" {_SOLID}/>'
    '<path d="M7.8 10.6V7.2a4.2 4.2 0 0 1 8.4 0v3.4" stroke-width="2.6"/>',
    "disc": f'<circle cx="12" cy="12" r="9.6" {_SOLID}/>',
    "mark": _mark(3.5, 10.5, 20, 2.1, colour="currentColor", width=3.4),
    "search": '<circle cx="10.2" cy="10.2" r="6.4" stroke-width="2.4"/>'
    '<path d="m15.2 15.2 5.6 5.6" stroke-width="2.6"/>',
    "user": '<circle cx="12" cy="7.4" r="4.2" stroke-width="2.2"/>'
    '<path d="M3.6 22v-1.2c0-9 16.8-9 16.8 0V22" stroke-width="2.2"/>',
    "leaf": '<path d="M3.2 21.4c.8-3 2-5.2 4-7.2 2.4-2.3 5-3.7 8.3-4.7M5.4 17.3C1.7 8.4 8.6 3.6 21.4 3.2'
    'c.6 11.6-5.6 18-14.2 14.5" stroke-width="2.2"/>',
    "phone": '<path d="M6.5 2.4 9.2 8 6.9 10.1c1.2 2.9 3.6 5.4 7 7.1l2.2-2.2 5.5 2.7c.3 2.3-1.6 4.4-4.2 4.3'
    f'C9.6 21.5 2.5 14.4 2 6.6 1.9 4 4.1 2.1 6.5 2.4z" {_SOLID}/>',
    "back": '<path d="m15 4.5-7.5 7.5 7.5 7.5" stroke-width="3.2"/>',
    "clock": '<circle cx="12" cy="12" r="9" stroke-width="2.2"/><path d="M12 6.5V12l3.8 2.4" stroke-width="2.2"/>',
    "info": f'<circle cx="12" cy="12" r="10" {_SOLID}/><circle cx="12" cy="7" r="1.6" fill="#fff" stroke="none"/>'
    '<path d="M12 11.2v6" stroke="#fff" stroke-width="2.6"/>',
    # Lights: disc with tick, diamond with mark and dark outline (amber alone is 1.7:1), octagon with cross, ring.
    "light-green": '<circle cx="12" cy="12" r="11" fill="#007f3b" stroke="none"/>' + _over("m6.8 12.4 3.6 3.6 7-7.4"),
    "light-amber": '<path d="M12 1.4 22.6 12 12 22.6 1.4 12z" fill="#ffb81c" stroke="#212b32" stroke-width="1.6"/>'
    + _mark(6.6, 6.6, 17, 1.5, colour="#212b32", width=2.4),
    "light-red": '<path d="M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9z" fill="#d5281b" stroke="none"/>'
    + _over("m8 8 8 8m0-8-8 8"),
    "light-none": '<circle cx="12" cy="12" r="10" stroke="#4c6272" stroke-width="1.8" stroke-linecap="butt"'
    ' stroke-dasharray="3.6 2.683"/>',
}


def icon(name: str, classes: str = "") -> SafeString:
    """The icon called `name` as SVG.

    Raises:
        KeyError: there is no such icon.
    """
    return format_html(
        '<svg class="app-icon{}" viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        f" {classes}" if classes else "",
        mark_safe(SHAPES[name]),  # noqa: S308  # constants of this module
    )

"""The header fields every page carries: nothing foreign is loaded, nothing inline runs, nobody frames it, nothing leaks. Pure."""

from __future__ import annotations

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Script comes from files of this server alone: none stands in a page, and none is made from text."""

SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with that browsers send "Origin: null" along with forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

PRIVATE = {**SECURITY, "Cache-Control": "no-store"}
"""Of pages: what somebody saw who was signed in is not left behind."""

UNCHANGING = {**SECURITY, "Cache-Control": "public, max-age=31536000, immutable"}
"""Of files whose address holds their digest."""

"""URLs as news sites write them: which are links, and which two name the same page. Pure; never raises."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

MAX_URL = 2000

# Query parameters that say how the reader came, never what is shown.
_TRACKING_PREFIXES = ("utm_", "at_", "pk_", "mtm_", "piwik_", "hsa_", "ga_", "_hs", "vero_", "wt_", "xtor", "ns_")
_TRACKING = frozenset(
    (
        "fbclid",
        "gclid",
        "dclid",
        "gbraid",
        "wbraid",
        "msclkid",
        "yclid",
        "twclid",
        "igshid",
        "igsh",
        "mc_cid",
        "mc_eid",
        "mkt_tok",
        "ocid",
        "cmpid",
        "cmp",
        "ito",
        "cid",
        "icid",
        "ref_src",
        "ref_url",
        "ref",
        "s_cid",
        "spm",
        "smid",
        "sr_share",
        "traffic_source",
        "__twitter_impression",
        "fb_action_ids",
        "fb_action_types",
        "fb_ref",
        "fb_source",
        "feature_src",
        "guccounter",
        "guce_referrer",
        "guce_referrer_sig",
        "_ga",
        "_gl",
        "oly_anon_id",
        "oly_enc_id",
        "rss",
        "wickedid",
        "soc_src",
        "soc_trk",
        "ncid",
        "sh",
        "trk",
        "trkcampaign",
        "campaign_id",
        "source_rss",
    )
)
# Only these values of `ref`/`cid`-like short names are tracking; elsewhere `cid` may be the article's number.
_AMBIGUOUS = {"cid": re.compile(r"[a-z_.:-]*[a-z][a-z0-9_.:-]*", re.IGNORECASE), "ref": re.compile(r"[a-z_.-]+")}
_SPACE = re.compile(r"[\x00-\x20\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_UNRESERVED = re.compile(r"%([46][1-9A-F]|[57][0-9A]|3[0-9]|2[DE]|5F|7E)", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


def link(raw: str, base: str) -> str:
    """`raw` as an absolute http(s) URL, resolved against `base`; "" if it is none (javascript:, data:, junk)."""
    text = _SPACE.sub("" if "://" not in raw.strip()[1:] else " ", raw).strip()
    text = text.split(" ", 1)[0] if re.search(r" https?://", text) else text.replace(" ", "%20")
    if not text or len(text) > MAX_URL:
        return ""
    try:
        full = urljoin(base, text)
        parts = urlsplit(full)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in _PORTS or not host or len(full) > MAX_URL:
        return ""
    if parts.username or parts.password:
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return urlunsplit(parts)


def canonical(url: str) -> str:
    """One spelling of a page's URL: lower-case host, no tracking parameters, fragment, default port or `//`.

    The scheme is always https and Arabic path letters are percent-decoded, so that feeds that differ only in these
    agree. The result is for comparing, not for fetching. "" stays "".
    """
    if not url:
        return ""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return url.strip()
    if not host:
        return url.strip()
    netloc = host if port in (None, _PORTS.get(parts.scheme.lower())) else f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", readable(parts.path)) or "/"
    if len(path) > 1:
        path = path.rstrip("/") or "/"
    query = "&".join(sorted(p for p in parts.query.split("&") if p and not _is_tracking(p)))
    return urlunsplit(("https", netloc, path, readable(query), ""))


def readable(text: str) -> str:
    """Percent-escapes of unreserved ASCII and of whole UTF-8 letters decoded; anything else left as it is."""
    if "%" not in text:
        return text
    text = _UNRESERVED.sub(lambda m: unquote(m.group(0)), text)
    return re.sub(r"(?:%[89A-Fa-f][0-9A-Fa-f])+", _decode_run, text)


def host_of(url: str) -> str:
    """The URL's host for messages to people; never its login, path or parameters."""
    try:
        return urlsplit(url).hostname or "(no host)"
    except ValueError:
        return "(no host)"


def _decode_run(match: re.Match[str]) -> str:
    decoded = unquote(match.group(0), errors="replace")
    keep = "\ufffd" in decoded or not decoded.isprintable() or _SPACE.search(decoded)
    return match.group(0).upper() if keep else decoded


def _is_tracking(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    name = name.lower()
    if name in _AMBIGUOUS:
        return bool(_AMBIGUOUS[name].fullmatch(value))
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES)

"""A hundred other services through Apprise, whose URLs hold secrets and so come from the environment only."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from monitor.delivery.aside import Aside
from monitor.delivery.redact import redact
from monitor.delivery.transports import LONGEST_TEXT, Check, HttpOptions, required
from monitor.errors import DeliveryError
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Operation, Outcome, OutcomeKind, Rendered

URL_ENV = "RASID_APPRISE_URL"


class AppriseTransport:
    """Sends; Apprise cannot edit, so edits count as done."""

    def __init__(self, channel: Channel, env: Mapping[str, str], http: HttpOptions) -> None:
        self._name = channel.name
        self._url = required(channel, "url_env", URL_ENV, env, "the service's Apprise URL (see appriseit.com)")
        self._http = http
        self._target = _target(channel.name, self._url)
        address = hashlib.sha256(self._url.encode()).hexdigest()[:16]
        self.limit = min(self._target.body_maxlen or LONGEST_TEXT, LONGEST_TEXT)
        self.pace = ChatPace(chat_key=f"apprise:{address}", min_gap=1.0)

    def __repr__(self) -> str:
        return f"AppriseTransport({self._name!r}, {self._target.service_name})"

    async def deliver(self, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        """One attempt. Apprise only says yes or no; a no is taken as undelivered, silence as unknown."""
        if claim.operation is not Operation.SEND:
            return Outcome(OutcomeKind.NOT_MODIFIED, "this service cannot change what was sent", claim.external_id)
        return await self._send(rendered, claim.plain, f"apprise-{claim.message_id}")

    async def _send(self, rendered: Rendered, plain: bool, external_id: str) -> Outcome:
        try:
            async with asyncio.timeout(self._http.total):
                sent, said = await Aside().run(partial(self._notify, rendered, plain))
        except TimeoutError:
            return Outcome(OutcomeKind.UNKNOWN, f"{self._target.service_name} did not answer in time")
        except Exception as error:
            return Outcome(OutcomeKind.UNKNOWN, redact(f"{type(error).__name__}: {error}", self._url))
        if sent:
            return Outcome(OutcomeKind.SENT, external_id=external_id)
        words = f"{self._target.service_name} did not take the message{f': {said}' if said else ''}"
        return Outcome(OutcomeKind.RETRY, redact(words, self._url))

    def _notify(self, rendered: Rendered, plain: bool) -> tuple[bool, str]:
        import apprise

        said = _Ear()
        logger = logging.getLogger("apprise")
        logger.addHandler(said)
        try:
            title, _, rest = rendered.text.partition("\n")
            body = rendered.text if plain or not rest.strip() else rest.strip()
            sent = self._target.notify(
                body=body, title="" if body is rendered.text else title, body_format=apprise.NotifyFormat.TEXT
            )
        finally:
            logger.removeHandler(said)
        return bool(sent), said.words

    async def diagnose(self, sample: Rendered | None = None) -> list[Check]:
        """Apprise can only be tried by sending."""
        checks = [Check(True, f"the URL is one of {self._target.service_name}")]
        if sample is None:
            return checks
        outcome = await self._send(sample, True, "apprise-test")
        if outcome.kind is OutcomeKind.SENT:
            return [*checks, Check(True, "a sample was taken")]
        return [*checks, Check(False, outcome.detail, "Compare the URL with the service's page at appriseit.com.")]

    async def close(self) -> None:
        """Nothing is held open between messages."""
        return


class _Ear(logging.Handler):
    """Keeps Apprise's last warning of this thread: the only place where it says why."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words = ""
        self._thread_id = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread_id:
            self.words = " ".join(record.getMessage().split())[:300]


def _target(name: str, url: str) -> Any:
    import apprise

    logger = logging.getLogger("apprise")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # it logs a URL that it cannot read, secrets and all
    try:
        target = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    finally:
        logger.setLevel(level)
    if target is None:
        scheme = url.partition("://")[0] if "://" in url else ""
        said = f"{scheme}://… " if scheme.isalnum() else ""
        raise DeliveryError(f"channel {name}: {said}is no URL that Apprise knows; see appriseit.com for the spelling")
    return target

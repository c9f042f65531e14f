"""A Bot API server of our own, for tests: real HTTP, real HTML checking, real limits, seeded faults.

Runs in the test's loop (`TelegramServer().start()`) or as a process of its own:

    python -m tests.telegram_server --port 0 --ledger FILE [--token TOKEN] [--scale 1]

which prints its port and appends every event to FILE as JSON lines. Over HTTP:

    POST /faults    queue a Fault (or `server.faults.append(Fault(...))`); `times` requests of its method use it up
    POST /chaos     {"seed", "rate", "method"}: faults at random from now on; {"rate": 0} ends them
    POST /chats     add a chat, or change one in the middle of a run (kicked, migrated, topics); its messages stay
    POST /reset     forget everything, as if newly started with these {"chats": [id, …]}, which are channels
    POST /updates   what people did: {"message": …} or {"callback_query": …}, for getUpdates or the webhook
    GET /ledger     what was delivered, acknowledged, duplicated; all events; the messages as they now stand
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.telegram_faults import Chaos, Fault, fail
from tests.telegram_html import EntityError, parse_html
from tests.telegram_updates import EXPIRED, Conflict, Updates

__all__ = ["TOKEN", "Chat", "Fault", "TelegramServer"]

TOKEN = "123456789:AAfixture-token-for-tests-only_0123456"
LIMIT, CAPTION_LIMIT, CALLBACK_LIMIT = 4096, 1024, 64
MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


class ApiError(Exception):
    """An error as the Bot API says it."""

    def __init__(self, code: int, description: str, **parameters: object) -> None:
        self.code, self.description, self.parameters = code, description, parameters
        super().__init__(description)


def bad(words: str) -> ApiError:
    return ApiError(400, f"Bad Request: {words}")


@dataclass
class Chat:
    """A chat and the bot's standing in it."""

    id: int
    type: str = "supergroup"
    title: str = "غرفة الأخبار"
    username: str | None = None
    status: str = "administrator"  # member, restricted, left, kicked
    may_post: bool = True
    protected: bool = False
    topics: dict[int, str] = field(default_factory=dict)  # id → open, closed
    migrated_to: int | None = None
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    ids: Any = field(default_factory=lambda: itertools.count(1))
    per_minute: int = 0  # 0: not limited
    per_second: int = 0
    sent_at: deque[float] = field(default_factory=deque)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


class TelegramServer:
    """Chats, messages and a ledger of everything that happened."""

    def __init__(self, *, token: str = TOKEN, ledger: Path | None = None) -> None:
        self.token = token
        self.chats: dict[int, Chat] = {}
        self.faults: list[Fault] = []
        self.chaos: Chaos | None = None
        self.updates = Updates()
        self.per_second = 0  # messages to all chats together, a bucket of as many; 0: not limited
        self.scale = 1.0  # divides the times over which chats are limited, and those of faults at random
        self._tokens: tuple[float, float] | None = None  # how many are left, and since when
        self.events: list[dict[str, Any]] = []
        self.port = 0
        self._ledger = ledger
        self._runner: web.AppRunner | None = None
        self._later: set[asyncio.Task[None]] = set()

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self, port: int = 0) -> TelegramServer:
        app = web.Application(client_max_size=50 * 1024 * 1024)
        app.router.add_get("/ledger", self._show_ledger)
        app.router.add_post("/faults", self._add_fault)
        app.router.add_post("/chaos", self._set_chaos)
        app.router.add_post("/chats", self._set_chat)
        app.router.add_post("/reset", self._reset)
        app.router.add_post("/updates", self._add_update)
        app.router.add_route("*", "/{bot:bot[^/]*}/{method}", self._api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        self._end_what_is_late()
        if self._runner is not None:
            await self._runner.cleanup()

    def _end_what_is_late(self) -> None:
        for task in self._later:
            task.cancel()
        self.updates.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, chat: Chat) -> Chat:
        self.chats[chat.id] = chat
        return chat

    def note(self, event: str, **more: object) -> None:
        entry = {"event": event, "at": time.time(), **more}
        self.events.append(entry)
        if self._ledger is not None:
            with self._ledger.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def summary(self) -> dict[str, Any]:
        """delivered: messages posted; acknowledged: those whose sender was told; duplicated: same text, same chat."""
        delivered = [e for e in self.events if e["event"] == "delivered"]
        texts = Counter((e["chat"], e["text"]) for e in delivered)
        return {
            "delivered": len(delivered),
            "acknowledged": sum(e["event"] == "acknowledged" for e in self.events),
            "duplicated": sum(n - 1 for n in texts.values()),
            "refused": sum(e["event"] == "refused" for e in self.events),
            "texts": [e["text"] for e in delivered],
        }

    async def _show_ledger(self, request: web.Request) -> web.Response:
        standing = [{"chat": chat.id, **one} for chat in self.chats.values() for one in chat.messages.values()]
        return web.json_response({**self.summary(), "events": self.events, "messages": standing}, dumps=_dumps)

    async def _add_fault(self, request: web.Request) -> web.Response:
        self.faults.append(Fault(**await request.json()))
        return web.json_response({"faults": [asdict(f) for f in self.faults]})

    async def _set_chaos(self, request: web.Request) -> web.Response:
        given = await request.json()
        self.chaos = Chaos(given.get("seed", 0), given["rate"], given.get("method", "sendMessage"), self.scale)
        return web.json_response(given)

    async def _set_chat(self, request: web.Request) -> web.Response:
        given = await request.json()
        if "topics" in given:
            given["topics"] = {int(k): v for k, v in given["topics"].items()}
        chat = self.chats.get(given["id"]) or self.add(Chat(given["id"]))
        for name, value in given.items():
            setattr(chat, name, value)
        return web.json_response({"id": chat.id})

    async def _reset(self, request: web.Request) -> web.Response:
        self._end_what_is_late()
        self.chats, self.faults, self.events = {}, [], []
        self.chaos, self.updates, self._tokens = None, Updates(), None
        for chat in (await request.json())["chats"]:
            self.add(Chat(chat, type="channel"))
        return web.json_response({})

    async def _add_update(self, request: web.Request) -> web.Response:
        return web.json_response(self.updates.add(await request.json()))

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fault = self._fault(method)
        if fault is not None and fault.kind == "pause":
            events = self.events
            await asyncio.sleep(fault.seconds)
            if self.events is not events:  # forgotten meanwhile
                return web.Response(status=503)
            fault = None
        if fault is not None and fault.kind == "late":
            self._deliver_late(await _parameters(request), fault.seconds)
        if fault is not None and not fault.after:
            return await fail(request, fault)
        try:
            if request.match_info["bot"] != f"bot{self.token}":
                raise ApiError(401, "Unauthorized") if ":" in request.match_info["bot"] else ApiError(404, "Not Found")
            handler = getattr(self, f"do_{method.lower()}", None)
            if handler is None:
                raise ApiError(404, "Not Found: method not found")
            result = await handler(await _parameters(request))
        except (ApiError, Conflict) as problem:
            error = problem if isinstance(problem, ApiError) else ApiError(409, str(problem))
            self.note("refused", method=method, code=error.code, description=error.description)
            body: dict[str, object] = {"ok": False, "error_code": error.code, "description": error.description}
            if error.parameters:
                body["parameters"] = error.parameters
            return web.json_response(body, status=error.code)
        if fault is not None:
            return await fail(request, fault)
        if method == "sendMessage":
            self.note("acknowledged", chat=result["chat"]["id"], message_id=result["message_id"])
        return web.json_response({"ok": True, "result": result})

    def _fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method.lower() in (method.lower(), "*"):
                fault.times -= 1
                self.note("fault", kind=fault.kind, method=method, after=fault.after)
                return fault
        found = self.chaos.fault(method) if self.chaos is not None else None
        if found is not None:
            self.note("fault", kind=found.kind, method=method, after=found.after)
        return found

    def _deliver_late(self, given: dict[str, Any], seconds: float) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            try:
                await self.do_sendmessage(given)
            except ApiError as error:
                self.note("refused", method="sendMessage", code=error.code, description=error.description, late=True)

        task = asyncio.get_running_loop().create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    # ── methods ──────────────────────────────────────────────────────────────────────────────────────────────

    def _me(self) -> dict[str, Any]:
        return {"id": int(self.token.split(":")[0]), "is_bot": True, "first_name": "راصد", "username": "rasid_test_bot"}

    async def do_getme(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._me()

    def _chat(self, given: dict[str, Any], key: str = "chat_id") -> Chat:
        wanted = str(given.get(key, ""))
        for chat in self.chats.values():
            if wanted == str(chat.id) or (chat.username and wanted == f"@{chat.username}"):
                if chat.migrated_to is not None:
                    words = "Bad Request: group chat was upgraded to a supergroup chat"
                    raise ApiError(400, words, migrate_to_chat_id=chat.migrated_to)
                return chat
        raise bad("chat_id is empty" if not wanted else "chat not found")

    def _writable(self, given: dict[str, Any]) -> Chat:
        chat = self._chat(given)
        if chat.status == "kicked":
            how = "blocked by the user" if chat.type == "private" else f"kicked from the {chat.type} chat"
            raise ApiError(403, f"Forbidden: bot was {how}")
        if chat.status == "left":
            raise ApiError(403, f"Forbidden: bot is not a member of the {chat.type} chat")
        if chat.type == "channel" and (chat.status != "administrator" or not chat.may_post):
            raise bad("need administrator rights in the channel chat")
        if not chat.may_post:
            raise bad("not enough rights to send text messages to the chat")
        topic = given.get("message_thread_id")
        if topic:
            state = chat.topics.get(int(topic))
            if state is None:
                raise bad("message thread not found")
            if state == "closed":
                raise bad("TOPIC_CLOSED")
        return chat

    def _text(self, given: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        text = str(given.get("text", ""))
        entities: list[dict[str, Any]] = []
        mode = str(given.get("parse_mode", ""))
        if mode.lower() == "html":
            try:
                text, entities = parse_html(text)
            except EntityError as error:
                raise bad(f"can't parse entities: {error}") from None
        elif mode:
            raise bad("unsupported parse_mode")
        elif given.get("entities"):
            listed = given["entities"]
            entities = json.loads(listed) if isinstance(listed, str) else listed
        text = text.strip()
        if not text:
            raise bad("message text is empty")
        if len(text) > LIMIT:
            raise bad("message is too long")
        return text, entities

    def _pace(self, chat: Chat) -> None:
        now = time.monotonic()
        minute, second = 60 / self.scale, 1 / self.scale
        for limit, seconds in ((chat.per_minute, minute), (chat.per_second, second)):
            within = [stamp for stamp in chat.sent_at if now - stamp < seconds]
            if limit and len(within) >= limit:
                self._flood(chat, int(seconds - (now - within[0])) + 1)
        if self.per_second:
            left, since = self._tokens or (float(self.per_second), now)
            left = min(float(self.per_second), left + (now - since) * self.per_second)
            if left < 1:
                self._flood(None, 1)
            self._tokens = (left - 1, now)
        chat.sent_at.append(now)
        while now - chat.sent_at[0] > 60:
            chat.sent_at.popleft()

    def _flood(self, chat: Chat | None, wait: int) -> None:
        self.note("flood", chat=chat and chat.id)  # None: of all chats together
        raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)

    def _message(self, chat: Chat, stored: dict[str, Any]) -> dict[str, Any]:
        about = {"id": chat.id, "type": chat.type, "title": chat.title}
        shown = {"text": stored["text"], "entities": stored["entities"]}
        return {"message_id": stored["id"], "date": 1_790_000_000, "chat": about, **shown}

    async def do_sendmessage(self, given: dict[str, Any]) -> dict[str, Any]:
        chat = self._writable(given)
        text, entities = self._text(given)
        markup = _markup(given)
        reply_to = _reply_to(given, chat)
        self._pace(chat)
        stored = {"id": next(chat.ids), "text": text, "entities": entities, "given": given, "markup": markup}
        stored["reply_to"] = reply_to
        chat.messages[stored["id"]] = stored
        self.note("delivered", chat=chat.id, message_id=stored["id"], text=text)
        return self._message(chat, stored)

    async def do_sendphoto(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("photo"):
            raise bad("there is no photo in the request")
        if len(str(given.get("caption") or "")) > CAPTION_LIMIT:
            raise bad("message caption is too long")
        return await self.do_sendmessage({**given, "text": given.get("caption") or "(photo)"})

    async def do_sendchataction(self, given: dict[str, Any]) -> bool:
        self._writable(given)
        return True

    def _stored(self, given: dict[str, Any], verb: str) -> tuple[Chat, dict[str, Any]]:
        chat = self._writable(given)
        stored = chat.messages.get(int(given.get("message_id") or 0))
        if stored is None:
            raise bad(f"message to {verb} not found")
        return chat, stored

    async def do_editmessagetext(self, given: dict[str, Any]) -> dict[str, Any]:
        chat, stored = self._stored(given, "edit")
        text, entities = self._text(given)
        markup = _markup(given)
        if (text, entities, markup) == (stored["text"], stored["entities"], stored["markup"]):
            raise bad(MODIFIED)
        stored.update(text=text, entities=entities, markup=markup)
        self.note("edited", chat=chat.id, message_id=stored["id"], text=text)
        return self._message(chat, stored)

    async def do_editmessagereplymarkup(self, given: dict[str, Any]) -> dict[str, Any]:
        chat, stored = self._stored(given, "edit")
        markup = _markup(given)
        if stored["markup"] == markup:
            raise bad(MODIFIED)
        stored["markup"] = markup
        return self._message(chat, stored)

    async def do_deletemessage(self, given: dict[str, Any]) -> bool:
        chat, stored = self._stored(given, "delete")
        del chat.messages[stored["id"]]
        self.note("deleted", chat=chat.id, message_id=stored["id"])
        return True

    async def do_forwardmessage(self, given: dict[str, Any]) -> dict[str, Any]:
        source = self._chat(given, "from_chat_id")
        stored = source.messages.get(int(given.get("message_id") or 0))
        if stored is None:
            raise bad("message to forward not found")
        if source.protected:
            raise bad("message can't be forwarded")
        target = self._writable(given)
        self._pace(target)
        copy = {**stored, "id": next(target.ids)}
        target.messages[copy["id"]] = copy
        return self._message(target, copy)

    async def do_copymessage(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"message_id": (await self.do_forwardmessage(given))["message_id"]}

    async def do_getchat(self, given: dict[str, Any]) -> dict[str, Any]:
        chat = self._chat(given)
        if chat.status == "kicked" and chat.type != "private":  # who blocked a bot can still be looked up
            raise ApiError(403, f"Forbidden: bot was kicked from the {chat.type} chat")
        about: dict[str, Any] = {"id": chat.id, "type": chat.type, "title": chat.title, "accent_color_id": 1}
        about |= {"has_protected_content": True} if chat.protected else {}
        about |= {"max_reaction_count": 11, "accepted_gift_types": _GIFTS}
        return about | ({"username": chat.username} if chat.username else {})

    async def do_getchatmember(self, given: dict[str, Any]) -> dict[str, Any]:
        chat = self._chat(given)
        member: dict[str, Any] = {"status": chat.status, "user": self._me()}
        if chat.status == "administrator":
            member |= dict.fromkeys(_ADMIN_RIGHTS, False)
            if chat.type == "channel":
                member["can_post_messages"] = chat.may_post
        if chat.status == "restricted":
            member |= dict.fromkeys(_MEMBER_RIGHTS, chat.may_post) | {"is_member": True, "until_date": 0}
        if chat.status == "kicked":
            member["until_date"] = 0
        return member

    async def do_answercallbackquery(self, given: dict[str, Any]) -> bool:
        query = str(given.get("callback_query_id", ""))
        if query not in self.updates.queries:
            raise bad(EXPIRED)
        self.updates.queries.discard(query)
        self.note("answered", query=query, text=str(given.get("text", "")))
        return True

    async def do_getupdates(self, given: dict[str, Any]) -> list[Any]:
        limit = int(given.get("limit") or 100)
        return await self.updates.get(int(given.get("offset") or 0), limit, float(given.get("timeout") or 0))

    async def do_setwebhook(self, given: dict[str, Any]) -> bool:
        url = str(given.get("url", ""))
        self.updates.webhook = {"url": url, "secret_token": str(given.get("secret_token", ""))} if url else {}
        return True

    async def do_deletewebhook(self, given: dict[str, Any]) -> bool:
        self.updates.webhook = {}
        return True

    async def do_getwebhookinfo(self, given: dict[str, Any]) -> dict[str, Any]:
        url = self.updates.webhook.get("url", "")
        return {"url": url, "has_custom_certificate": False, "pending_update_count": len(self.updates.pending)}


def _reply_to(given: dict[str, Any], chat: Chat) -> int | None:
    """The message that this one replies to; None where it is gone, or there is none."""
    wanted = given.get("reply_parameters")
    if isinstance(wanted, str):
        wanted = json.loads(wanted) if wanted else None
    if not wanted or int(wanted["message_id"]) in chat.messages:
        return int(wanted["message_id"]) if wanted else None
    if str(wanted.get("allow_sending_without_reply")).lower() != "true":
        raise bad("message to be replied not found")
    return None


def _markup(given: dict[str, Any]) -> Any:
    """The inline keyboard of a request, checked: callback data have 1 to 64 bytes."""
    markup = given.get("reply_markup")
    if isinstance(markup, str):
        try:
            markup = json.loads(markup) if markup else None
        except ValueError:
            raise bad("object expected as reply markup") from None
    for row in (markup or {}).get("inline_keyboard", []):
        for button in row:
            if not 1 <= len(str(button.get("callback_data", "x")).encode()) <= CALLBACK_LIMIT:
                raise bad("BUTTON_DATA_INVALID")
    return markup


_GIFTS = dict.fromkeys(
    ["unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"], False
)
_ADMIN_RIGHTS = (
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
    *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories"),
    *("can_edit_stories", "can_delete_stories"),
)
_MEMBER_RIGHTS = (
    *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos"),
    *("can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages"),
    *("can_add_web_page_previews", "can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics"),
    "can_edit_tag",
)


async def _parameters(request: web.Request) -> dict[str, Any]:
    """Parameters from the query, a form, multipart or JSON, as the Bot API takes them."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        given |= await request.json()
    elif request.can_read_body:
        given |= dict(await request.post())
    return given


async def _main(arguments: argparse.Namespace) -> None:
    server = TelegramServer(token=arguments.token, ledger=Path(arguments.ledger) if arguments.ledger else None)
    server.scale, server.per_second = arguments.scale, arguments.per_second
    for chat in arguments.chat:
        server.add(Chat(int(chat), type="channel"))
    await server.start(arguments.port)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Bot API server for tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--chat", action="append", default=[], help="id of a channel that exists from the start")
    parser.add_argument("--scale", type=float, default=1.0, help="divides a chat's times and those of faults")
    parser.add_argument("--per-second", type=int, default=0, help="messages to all chats together; 0: not limited")
    asyncio.run(_main(parser.parse_args()))

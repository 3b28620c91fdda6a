"""Facts that come in. Past tense, immutable.

Types of version 1, with their `fields`:

| type | fields |
|---|---|
| `message` | `kind` (text, image, voice, video, file, location, link, menu_tap), `text`, `media_id`, `menu_id`; of a
  location `lat`, `lng`, `name` |
| `oa.follow`, `oa.scan` | `scene` or null |
| `oa.unfollow` | |
| `oa.click` | `key` |
| `oa.view` | `url` |
| `template.finished` | `provider_id`, `status` success, user_block or failed |
| `subscription.granted`, `subscription.rejected`, `subscription.sent` | `template_id` |
| `card.clicked` | `key`, `task_id` (an effect id of ours), `response_code` |
| `advisor.said` | `text`; `staff_id`, `conversation_id` and `several` once it stands in a customer's lane |
| `send.refused`, `send.unknown`, `send.expired` | `effect_id`, `reason`, `vendor_code`, `content`, `send_class`,
  `conversation_id`, `enrolment_id`, `visit`, `fallbacks`, `planned_at`, `expires_at`, `heard_at` |
| `effect.done`, `effect.failed` | `effect_id`, `kind`, `name`, `enrolment_id`, `visit`, `waited`, `reply`; `result`, or
  `error`; of a place that is held, `hold_until` |
| `booking.created`, `booking.moved`, `booking.cancelled` | `booking`: `id`, `resource`, `what`, `start`, `dealer`,
  `status` |
| `lead.opened` | `lead_id`, `stage`, `journey` |
| `handoff.accepted`, `handoff.closed`, `task.done` | `journey`, `staff_id`, `title` |
| `task.overdue` | `journey`, `title` |
| `exit.check` | `effect_id`, `enrolment_id` |
| `segment.entered` | `segment` |
| `schedule.due` | `journey`, `cron`, `occurrence` (ISO 8601) |

`oa.follow` and `oa.unfollow` with `reconciled` true were found out by asking the platform after a gap; `repaired` true
marks events in whose text unusable characters were replaced.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from bot.core.ids import EventId

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

CONVERSATIONAL = frozenset({"message", "oa.follow", "oa.scan", "oa.click"})
"""Events by which a customer speaks to us: they open windows, and of their entries the first wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact. `sender` is the id that the channel knows (openid, member id), empty for our own events.

    `occurred_at` is the platform's time, aware UTC. `urgent` events overtake other customers' (delivery.md 2.2).
    """

    event_id: EventId
    type: str
    channel: str
    account: str
    sender: str
    occurred_at: datetime
    fields: Mapping[str, Json] = field(default_factory=dict)
    urgent: bool = False

    @property
    def is_reconciled(self) -> bool:
        """Whether it was found out by asking the platform, long after it happened (delivery.md 1.8)."""
        return self.fields.get("reconciled") is True

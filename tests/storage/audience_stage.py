"""A brand whose journeys are entered by segments and schedules, and customers who come and go."""

from dataclasses import replace

from bot.core.customer import Customer
from bot.core.events import Event, Json
from bot.core.ids import CustomerId
from bot.core.program import Program
from bot.runtime.schedules import Occasions
from bot.runtime.stepping import Batch, Stepper
from bot.storage import Among, Moment, Priority, Storage, Transaction
from tests.storage.makers import TurnedClock, customer_of, event, event_id, ingest
from tests.unit.step.worlds import journey, world

EVERYBODY = Among(after=0, upto=10**6, limit=10**6)
EVENTS = """
dsl: 1
events:
  finance.apply: {fields: {amount: number, plan: text}}
  shop.visit: {fields: {first: bool}}
"""
REMEMBER = journey(
    "remember",
    "reentry: {allow: always}\n"
    "states:\n  s: {do: [{set: {customer.city: event.text}}, {tag: 说过}], then: t}\n  t: {end: ok}",
    enter="event: message",
)


def files(**segments: str) -> tuple[tuple[str, str], ...]:
    """The files of these segments, and of the events."""
    found = [(f"segments/{name}.yaml", f'dsl: 1\nsegment: {name}\nwhen: "{text}"\n') for name, text in segments.items()]
    return (*found, ("schema/events.yaml", EVENTS))


def entered_by(how: str, *, name: str = "nurture", extra: str = "") -> str:
    """A journey that is entered so and stays."""
    return journey(name, f"{extra}states:\n  s: {{wait: {{for: 30d}}, then: t}}\n  t: {{end: ok}}", enter=how)


class Stage:
    """One brand on one database at moments that the test chooses."""

    def __init__(self, storage: Storage, clock: TurnedClock, program: Program) -> None:
        self.storage, self.clock, self.program = storage, clock, program
        self.occasions = Occasions(program)
        self.number = 0

    async def happens(self, name: str, /, who: str = "oAnna", **fields: Json) -> Customer:
        """An event of this customer comes in and is stepped, and whatever follows from it."""
        self.number += 1
        await ingest(self.storage, self.made(name, who, **fields))
        await self.step()
        return await self.customer(who)

    def made(self, name: str, who: str, /, **fields: Json) -> Event:
        """An event of this customer, the same as long as `number` is the same."""
        made = event(f"event {self.number}", sender=who)
        return replace(made, event_id=event_id(made.event_id), type=name, fields=fields, occurred_at=self.clock.at)

    async def says(self, text: str, who: str = "oAnna") -> Customer:
        return await self.happens("message", who, kind="text", text=text)

    async def step(self) -> None:
        """Step until nothing waits."""

        def job(tx: Transaction) -> Batch:
            stepper = Stepper(tx, self.program, self.clock.at)
            return stepper.run(stepper.waiting())

        while (await self.storage.write(Priority.STEP, job)).worked:
            pass

    async def tick(self) -> int:
        """Work off what has come by the clock; how many stretches that took."""
        count = 0
        while await self.storage.write(Priority.REST, self.occasions.stretch):
            count += 1
        self.occasions.planned = True
        await self.step()
        return count

    async def reload(self, program: Program) -> None:
        """Another library comes into force."""
        self.program, self.occasions = program, Occasions(program)
        await self.tick()

    async def customer(self, who: str = "oAnna") -> Customer:
        customer_id = await customer_of(self.storage, who)
        return await self.storage.read(lambda tx: tx.customers.load([customer_id])[customer_id])

    async def journeys(self, who: str = "oAnna") -> list[str]:
        """The journeys she is in."""
        return sorted(run.journey for run in (await self.customer(who)).enrolments.values())

    async def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What stands in a table."""
        return await self.storage.read(lambda tx: [tuple(row) for row in tx.reading.connection.exec_driver_sql(sql)])

    async def matching(self, schedule: int = 0) -> list[CustomerId]:
        """Whom a schedule's condition finds now."""
        audiences = self.occasions.audiences
        moment = Moment(now=self.clock.at, zone=self.program.zone)
        condition = audiences.schedules[schedule].condition
        found = await self.storage.read(
            lambda tx: tx.audience.matching(condition, audiences.ground, moment, among=EVERYBODY)
        )
        return list(found)


def brand_with(*journeys: str, **segments: str) -> Program:
    """A program of these journeys, of one that remembers what is said as the city, and of these segments."""
    return world(REMEMBER, *journeys, files=files(**segments))

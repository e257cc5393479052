"""Margins as the event log leaves them, event by event (randomisation.md 4.4, 9.2, 9.3, 9.11)."""

from dataclasses import dataclass

from randomisation.engine.margins import Design, Margins


@dataclass(slots=True, repr=False)
class _Unit:
    members: list[dict[str, str]]
    working_arm: int | None
    """None when it counts nowhere: it was excluded, or this revision does not have its arm."""


class Ledger:
    """The margins of one revision whose method is minimisation, and who is counted in them.

    It is told of every allocation of the scheme, of other revisions too, in the order of the log. A level added
    later counts those who had it before: people count where factor, level and arm exist when the next is drawn.
    """

    __slots__ = ("_units", "margins", "placed")

    def __init__(self, design: Design) -> None:
        self.margins = Margins(design)
        self.placed: dict[int, int] = {}
        """Where each allocation known only by its arm was put, by seq; it stays there."""
        self._units: dict[int, _Unit] = {}

    def __repr__(self) -> str:
        return "<Ledger>"

    def count(self, seq: int, working_arm: int, members: list[dict[str, str]]) -> None:
        """An allocation by this revision's minimisation."""
        self.margins.add(working_arm, members)
        self._units[seq] = _Unit(members, working_arm)

    def place(self, seq: int, arm: int | None, members: list[dict[str, str]]) -> int | None:
        """An allocation of which only the arm is known, None when this revision does not have that arm.

        Returns:
            The working arm it is put on, None when it counts nowhere.
        """
        working_arm = None if arm is None else self.margins.place(arm, members)
        self._units[seq] = _Unit(members, working_arm)
        if working_arm is not None:
            self.placed[seq] = working_arm
        return working_arm

    def exclude(self, seq: int) -> None:
        """The unit counts no longer, with the levels it has now."""
        unit = self._units.get(seq)
        if unit is not None and unit.working_arm is not None:
            self.margins.remove(unit.working_arm, unit.members)
            unit.working_arm = None

    def correct(self, seq: int, members: list[dict[str, str]]) -> None:
        """The unit's people have these levels from now on."""
        unit = self._units.get(seq)
        if unit is None:
            return
        if unit.working_arm is not None:
            self.margins.remove(unit.working_arm, unit.members)
            self.margins.add(unit.working_arm, members)
        unit.members = members

    def extend(self, design: Design) -> None:
        """A level was added: the same people, counted by the longer design."""
        self.margins = Margins(design)
        for unit in self._units.values():
            if unit.working_arm is not None:
                self.margins.add(unit.working_arm, unit.members)

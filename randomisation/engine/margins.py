"""Who counts on which working arm in a minimisation (randomisation.md 4.4)."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from randomisation.engine.parameters import Factor, Parameters
from randomisation.schemes.minimisation import working_ratio

Members = list[dict[str, str]] | tuple[dict[str, str], ...]
"""A unit: one person or several, each a level for each factor."""


@dataclass(frozen=True, slots=True, repr=False)
class Design:
    """A minimisation as its arithmetic needs it. Much of it is restricted, so its repr is constant.

    Working arms are the arms, or with `pseudo_arms` one pseudo-arm for each unit of the ratio.
    """

    scheme: str
    revision: int
    arms_of_working: tuple[int, ...]
    """The arm index of each working arm."""
    rho: tuple[int, ...]
    """The ratio of the working arms."""
    scale: tuple[int, ...]
    """`L / rho`: what a person counts for in a ratio-adjusted margin, by working arm."""
    factors: tuple[Factor, ...]
    imbalance: str
    p: Fraction
    burn_in: int
    overall_weight: int

    def __repr__(self) -> str:
        return "<Design>"

    @classmethod
    def of(cls, parameters: Parameters) -> "Design":
        """The design of a revision whose method is `minimisation`."""
        return cls.make(
            scheme=parameters.scheme,
            revision=parameters.revision,
            ratio=parameters.ratio,
            factors=parameters.factors,
            settings=parameters.settings,
        )

    @classmethod
    def make(
        cls,
        *,
        scheme: str,
        revision: int,
        ratio: tuple[int, ...],
        factors: tuple[Factor, ...],
        settings: dict[str, object],
    ) -> "Design":
        """A design from a ratio in lowest terms and the method's own parameters in canonical form (3.3)."""
        rho = working_ratio(ratio, str(settings["unequal"]))
        arms = tuple(arm for arm, share in enumerate(ratio) for _ in range(share))
        multiple = math.lcm(*rho)
        return cls(
            scheme=scheme,
            revision=revision,
            arms_of_working=tuple(range(len(ratio))) if rho == ratio else arms,
            rho=rho,
            scale=tuple(multiple // share for share in rho),
            factors=factors,
            imbalance=str(settings["imbalance"]),
            p=Fraction(str(settings["p"])),
            burn_in=int(str(settings["burn_in"])),
            overall_weight=int(str(settings["overall_weight"])),
        )

    def with_level(self, factor: str, level: str) -> "Design":
        """The same with a level at the end of a factor."""
        longer = tuple(replace(f, levels=(*f.levels, level)) if f.code == factor else f for f in self.factors)
        return replace(self, factors=longer)

    def arm_of(self, working_arm: int) -> int:
        """The arm index a working arm stands for."""
        return self.arms_of_working[working_arm]

    def working_arms_of(self, arm: int) -> list[int]:
        """The working arms of an arm, ascending."""
        return [working for working, own in enumerate(self.arms_of_working) if own == arm]


class Margins:
    """How many people count on each working arm: overall, and at each level of each factor.

    Levels and factors that the design does not have are passed over. Its repr is constant.
    """

    __slots__ = ("design", "levels", "overall")

    def __init__(self, design: Design) -> None:
        self.design = design
        n_arms = len(design.rho)
        self.overall = [0] * n_arms
        self.levels = [{level: [0] * n_arms for level in factor.levels} for factor in design.factors]

    def __repr__(self) -> str:
        return "<Margins>"

    @classmethod
    def from_counts(cls, design: Design, counts: list[int]) -> "Margins":
        """The margins that `counts` told of.

        Raises:
            ValueError: not one number, 0 or more, for each cell.
        """
        margins = cls(design)
        n_arms = len(design.rho)
        cells = margins._cells()
        if len(counts) != n_arms * len(cells) or any(type(count) is not int or count < 0 for count in counts):
            raise ValueError("The counts are not those of this design.")
        for place, cell in enumerate(cells):
            cell[:] = counts[place * n_arms : (place + 1) * n_arms]
        return margins

    def counts(self) -> list[int]:
        """Every count: overall, then each factor's levels in order, each by working arm."""
        return [count for cell in self._cells() for count in cell]

    def add(self, working_arm: int, members: Members) -> None:
        """Count a unit on a working arm."""
        self._change(working_arm, members, 1)

    def remove(self, working_arm: int, members: Members) -> None:
        """Count a unit no longer.

        Raises:
            ValueError: it was not counted there; nothing is changed.
        """
        self._change(working_arm, members, -1)
        if any(cell[working_arm] < 0 for cell in self._cells()):
            self._change(working_arm, members, 1)
            raise ValueError("These people are not counted on this arm.")

    def place(self, arm: int, members: Members) -> int:
        """Count a unit of which only the arm is known; the working arm it is put on.

        That is the arm's working arm with fewest people, the lowest number on a tie.
        """
        working_arm = min(self.design.working_arms_of(arm), key=self.overall.__getitem__)
        self.add(working_arm, members)
        return working_arm

    def _change(self, working_arm: int, members: Members, by: int) -> None:
        for member in members:
            self.overall[working_arm] += by
            for factor, cells in zip(self.design.factors, self.levels, strict=True):
                cell = cells.get(member.get(factor.code) or "")
                if cell is not None:
                    cell[working_arm] += by

    def _cells(self) -> list[list[int]]:
        return [self.overall, *(cell for cells in self.levels for cell in cells.values())]

"""The methods of randomisation by their code. A new method is a new module and a line here."""

from randomisation.engine.methods import ListMethod
from randomisation.schemes.permuted_blocks import PermutedBlocks
from randomisation.schemes.simple import Simple

SCHEMES: dict[str, ListMethod] = {"simple": Simple(), "permuted_blocks": PermutedBlocks()}

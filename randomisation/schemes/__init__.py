"""The methods of randomisation by their code. A new method is a new module and a line here."""

from randomisation.engine.methods import ListMethod, Method
from randomisation.schemes.big_stick import BigStick
from randomisation.schemes.imported import Imported
from randomisation.schemes.minimisation import Minimisation
from randomisation.schemes.permuted_blocks import PermutedBlocks
from randomisation.schemes.simple import Simple

LIST_METHODS: dict[str, ListMethod] = {
    "simple": Simple(),
    "permuted_blocks": PermutedBlocks(),
    "big_stick": BigStick(),
}
SCHEMES: dict[str, Method] = {
    **LIST_METHODS,
    "minimisation": Minimisation(),
    "import": Imported(),
}

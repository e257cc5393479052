"""The published vectors, by this installation's engine."""

from randomisation import vectors
from trial.allocation.acceptance.case import case, expect
from trial.allocation.acceptance.world import World


@case("V01", "14", "Published test vectors", "Every vector gives the published result")
def published_vectors(_world: World) -> str:
    """All of section 14."""
    results = vectors.check_file(vectors.PUBLISHED)
    differing = [one.id for one in results if one.outcome != vectors.PASS]

    expect(not differing, f"Different: {', '.join(differing)}")
    return f"{len(results)} of {len(results)} vectors agree"

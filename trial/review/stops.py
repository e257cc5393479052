"""Open queries that stop an allocation: those on an answer that decides eligibility or a stratum (E_REVIEW)."""

from trial.allocation.checks import Refusal
from trial.participants.models import Participant
from trial.protocol.spec import ProtocolSpec, ScoreRange, ScoreSource
from trial.review.models import Query


def open_queries(participant: Participant) -> list[Refusal]:
    """One refusal when a query is not closed on a questionnaire that decides a criterion or a stratum."""
    waiting = Query.objects.exclude(state=Query.State.CLOSED).filter(participant=participant)
    asked = set(waiting.values_list("administration__visit__code", "administration__instrument"))
    if asked & _deciding(participant.referral.protocol_version.spec):
        return [Refusal("E_REVIEW", "A query about an answer that decides eligibility or the stratum is open.")]
    return []


def _deciding(spec: ProtocolSpec) -> set[tuple[str, str]]:
    """Visit and instrument of the scores that criteria and factors are worked out from."""
    rules = [criterion.rule for criterion in spec.criteria]
    sources = [factor.source for factor in spec.randomisation.factors]
    return {(one.visit, one.instrument) for one in [*rules, *sources] if isinstance(one, ScoreRange | ScoreSource)}

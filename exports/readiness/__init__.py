"""The checks of the lock room (BR-65): concrete, over the features below, registered with trial.locking."""

from exports.readiness.data import (
    audit_trail,
    definitions,
    double_entries,
    expected_forms,
    open_queries,
    register_marks,
    scores,
)
from exports.readiness.people import adverse_events, deviations, reconsent, risk_alerts, sign_offs
from trial.locking.checks import Check, register

CHECKS = (
    Check("forms", "Expected forms", "Present, or not done with a reason", expected_forms),
    Check("queries", "Open queries", "Every query closed", open_queries),
    Check("double_entry", "Double entry", "Paper forms entered twice, differences decided", double_entries),
    Check("register", "Register marks", "None in conflict, every session finished", register_marks),
    Check("consent", "Consent", "No consent to a new version outstanding", reconsent),
    Check("alerts", "Risk alerts", "Assessed and closed", risk_alerts),
    Check("events", "Adverse events", "Reviewed and signed", adverse_events),
    Check("deviations", "Deviations", "Reviewed", deviations),
    Check("sign_offs", "Participants signed", "By the principal investigator", sign_offs),
    Check("definitions", "Variables", "Names, labels and code lists of the dataset", definitions, slow=True),
    Check("scores", "Scores", "Worked out again, equal to the stored score", scores, slow=True),
    Check("audit", "Audit trail", "Chain of hashes unbroken", audit_trail, slow=True),
)


def register_all() -> None:
    """Called once, when every app is loaded."""
    for check in CHECKS:
        register(check)

"""The green-light checklist of a site: what must be in place before anybody is recruited there."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from trial.access.models import Signature, Site
from trial.base.models import AuditedModel


class SiteChecklist(AuditedModel):
    """What was ticked with its evidence, what the system found, and two signatures over both.

    Attributes:
        ticks: by code of a judged item: the evidence in words.
        found: the computed items as they stood when the manager signed.
    """

    stops_at_lock = False
    change_needs_reason = False
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "signed",
            "UPDATE",
            "OLD.investigator_signature_id IS NOT NULL AND (NEW.ticks IS DISTINCT FROM OLD.ticks"
            " OR NEW.found IS DISTINCT FROM OLD.found OR NEW.site_id IS DISTINCT FROM OLD.site_id"
            " OR NEW.manager_signature_id IS DISTINCT FROM OLD.manager_signature_id"
            " OR NEW.investigator_signature_id IS DISTINCT FROM OLD.investigator_signature_id)",
            "A signed checklist never changes",
        ),
        (
            "same_person",
            "UPDATE",
            "NEW.investigator_signature_id IS NOT NULL AND EXISTS (SELECT 1 FROM trial_signature a, trial_signature b"
            " WHERE a.id = NEW.manager_signature_id AND b.id = NEW.investigator_signature_id"
            " AND a.signer_id = b.signer_id)",
            "Two people sign the checklist",
        ),
    )

    site = models.OneToOneField(Site, on_delete=models.PROTECT, related_name="checklist")
    ticks = models.JSONField(default=dict)
    found = models.JSONField(default=dict)
    manager_signature = models.OneToOneField(Signature, null=True, on_delete=models.PROTECT, related_name="+")
    investigator_signature = models.OneToOneField(Signature, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(investigator_signature__isnull=True) | Q(manager_signature__isnull=False),
                name="investigator_signs_after_the_manager",
            )
        ]

    def __str__(self) -> str:
        return f"Checklist of {self.site}"
